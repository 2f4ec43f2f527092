"""`convert_state_dict`: the same plan and transforms on tensors that are in memory already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from convert.dtypes import by_name
from convert.errors import ConvertError, PlanError
from convert.plan.plan import KEEP, Fill, Options
from convert.plan.planner import plan_conversion
from convert.plan.transform import assemble
from convert.rosetta.rows import CONCAT

if TYPE_CHECKING:
    import numpy as np
    import torch


IN_PYTHON = (
    "in Python these options are fields of `options` (convert.plan.plan.Options), and paddle2torch.pair_by_running(paddle_model, "
    "torch_model, inputs) makes those that --match run finds"
)
"""What stands behind advice that speaks of the command's options."""


def convert_state_dict(
    tensors: Mapping[str, Any], module: torch.nn.Module, options: Options | None = None
) -> dict[str, torch.Tensor]:
    """A torch state dict for `module` from a Paddle state dict, a Checkpoint or a mapping of numpy arrays.

    Ready for `module.load_state_dict(..., strict=True)`; dtypes are the source's, data is always copied.
    Raises ConvertError listing every key that does not fit.
    """
    from convert.adapters.torch import filled, to_torch
    from convert.apply.fills import filling

    plan = plan_conversion(tensors, module, options)
    try:
        plan.require()
    except PlanError as error:
        if "--" not in str(error):
            raise
        raise PlanError(f"{error}\n{IN_PYTHON}") from None
    plan.check_contents(lambda name: _array(tensors[name])[0])
    moves = plan.by_target()
    fills = {fill.name: fill for fill in plan.generated if fill.rows is None}
    rest: dict[str, list[Fill]] = {}
    for fill in plan.generated:
        if fill.rows:
            rest.setdefault(fill.name, []).append(fill)
    result: dict[str, torch.Tensor] = {}
    for name in plan.order:
        if name in moves:
            read = {move.source: _array(tensors[move.source]) for move in moves[name]}
            arrays = {source: array for source, (array, _) in read.items()}
            parts = [(move.source, name, move.transform) for move in moves[name]]
            kind = _one_type(name, read)
            arrays |= {
                f"rule {fill.rows}": filling(fill, module, by_name(kind)) for fill in rest.get(name, ())
            }
            parts += [
                (f"rule {f.rows}", name, f"{CONCAT}:{f.rows[0]}:{f.rows[1]}")
                for f in rest.get(name, ())
                if f.rows
            ]
            result[name] = to_torch(assemble(parts, arrays.__getitem__)[name], kind)
        elif name in fills:
            fill = fills[name]
            result[name] = (
                module.state_dict()[name].clone()
                if fill.value == KEEP
                else filled(fill.shape, int(fill.value), fill.dtype)
            )
    return result


def _one_type(name: str, read: Mapping[str, tuple[np.ndarray, str]]) -> str:
    kinds = {kind for _, kind in read.values()}
    if len(kinds) > 1:
        raise ConvertError(f"{name} is made of tensors of different types: {', '.join(sorted(kinds))}")
    return kinds.pop()


def _array(value: Any) -> tuple[np.ndarray, str]:
    """A tensor's elements and the name of their type (bfloat16 comes as uint16, as Paddle has it)."""
    import numpy as np

    if isinstance(value, np.ndarray):
        return value, "bfloat16" if value.dtype == np.uint16 else str(value.dtype)
    name = getattr(value, "dtype_name", None) or str(value.dtype).rpartition(".")[2]
    return np.asarray(value.numpy()), str(name)
