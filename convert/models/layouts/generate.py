"""Write `convert/models/layouts/<model>.json` from the live torch networks.

Run `python -m convert.models.layouts.generate` after a model was added or changed. Networks are built on
torch's meta device (no memory, no time) with several class counts and input channels: a dimension that
changes with one of them is free and is written as a formula, everything else as a number.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from convert.models.registry import MODELS, ModelSpec

Slot = tuple[str, list[int | str], str, str]


def build_torch(spec: ModelSpec, **arguments: Any) -> Any:
    """The torch network of `spec` on the meta device: shapes without values."""
    import torch

    module, function = spec.torch_factory.split(":")
    with torch.device("meta"):
        return getattr(import_module(module), function)(**arguments)


def slots_of(network: Any) -> list[Slot]:
    """Every parameter and buffer of a live network in state dict order."""
    owners = {
        f"{path}.{role}" if path else role: (type(layer).__name__, role)
        for path, layer in network.named_modules()
        for role in [*layer._parameters, *layer._buffers]
    }
    return [(name, list(value.shape), *owners[name]) for name, value in network.state_dict().items()]


def layout_of(spec: ModelSpec) -> list[Slot]:
    """The slots of `spec` with the dimensions that follow from its arguments written as formulas."""
    base: dict[str, Any] = dict(spec.defaults)
    slots = slots_of(build_torch(spec, **base))
    for argument, value in spec.defaults.items():
        changed = [slots_of(build_torch(spec, **{**base, argument: value + step})) for step in (1, 2)]
        for slot, once, twice in zip(slots, *changed, strict=True):
            _free_dimensions(slot, once, twice, argument, value)
    return slots


def _free_dimensions(slot: Slot, once: Slot, twice: Slot, argument: str, value: int) -> None:
    if (slot[0], slot[2:]) != (once[0], once[2:]) or (once[0], once[2:]) != (twice[0], twice[2:]):
        raise ValueError(f"{argument} changes which tensors the network has, at {slot[0]}")
    for axis, (size, one_more, two_more) in enumerate(zip(slot[1], once[1], twice[1], strict=True)):
        if isinstance(size, str) or one_more == size:
            continue
        if not isinstance(one_more, int) or not isinstance(two_more, int):
            raise TypeError(f"{slot[0]} already holds a formula")
        slope = one_more - size
        if two_more - one_more != slope:
            raise ValueError(f"dimension {axis} of {slot[0]} is not linear in {argument}")
        slot[1][axis] = _formula(argument, slope, size - slope * value)


def _formula(argument: str, slope: int, constant: int) -> str:
    return argument if (slope, constant) == (1, 0) else f"{slope}*{argument}{constant:+d}"


def render(model: str, slots: Sequence[Slot]) -> str:
    """The JSON text of a layout: one slot a line, so that a change reads as one line of a diff."""
    lines = ",\n".join("  " + json.dumps(slot) for slot in slots)
    return f'{{"model": {json.dumps(model)}, "slots": [\n{lines}\n]}}\n'


def main(models: Mapping[str, ModelSpec] = MODELS) -> int:
    """Write every layout beside this file and remove those of models that are gone."""
    folder = Path(__file__).parent
    for stale in folder.glob("*.json"):
        if stale.stem not in models:
            stale.unlink()
    for name, spec in models.items():
        slots = layout_of(spec)
        (folder / f"{name}.json").write_text(render(name, slots))
        print(f"{name}: {len(slots)} tensors")
    return 0


if __name__ == "__main__":
    sys.exit(main())
