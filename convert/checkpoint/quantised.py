"""Checkpoints of quantised networks as the weights that they stand for.

Paddle keeps a quantised weight as whole numbers, int8 or (after `PTQ.convert`) in float32, and beside it the largest
value that they stand for, of the whole tensor or of each channel: weight = number * scale / 127
(paddle/static/quantization/utils.py, dequant_tensor; paddle/nn/quant/format.py). Networks in training with fake
quantisation keep float weights beside observers, and some are wrapped, so that their names have a word more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from convert.checkpoint.checkpoint import Checkpoint
from convert.checkpoint.payload import ComputedPayload
from convert.checkpoint.tensor import TensorRef
from convert.dtypes import by_name
from convert.errors import ConvertError
from convert.names import counted, listed

if TYPE_CHECKING:
    import numpy as np

_MARKS = ("quant", "@scale", "@zero_point", "_observe", "_ma_output_scale")
_WRAPPERS = ("_observed", "_layer")
"""What paddle.quantization and the older imperative quantisation call the layer inside their wrappers."""
_ENTRIES = ("weight_quanter", "activation_quanter", "_observer", "_ma_output_scale")
_ENDINGS = ("@scale", "@zero_point")
_BITS = {"int8": 8, "int16": 16}


@dataclass(frozen=True)
class _Scale:
    """Where the scale of a weight is, and its zero point, if there is one."""

    scale: str
    zero: str = ""
    whole: bool = False
    """Whether the weight is whole numbers whatever its type."""


def without_quantisation(checkpoint: Checkpoint) -> Checkpoint:
    """The same checkpoint with float weights under the layers' own names; itself where nothing is quantised."""
    if not any(mark in name for name in checkpoint for mark in _MARKS):
        return checkpoint
    tensors: dict[str, TensorRef] = {}
    named: dict[str, str] = {}
    made: dict[str, str] = {}
    wrappers = _WRAPPERS if any(map(_is_entry, checkpoint)) else _WRAPPERS[:1]
    kept = [name for name in checkpoint if not _is_entry(name)]
    for name in kept:
        inner = ".".join(word for word in name.split(".") if word not in wrappers)
        found = _scale_of(name, checkpoint)
        ref = checkpoint[name]
        if found is not None and (found.whole or ref.dtype_name in _BITS):
            made[inner] = ref.dtype_name
            ref = _dequantised(checkpoint, name, found)
        if inner in tensors:
            return checkpoint  # not the names that Paddle gives
        tensors[inner] = ref
        if name in checkpoint.parameter_names:
            named[inner] = checkpoint.parameter_names[name].partition("_deepcopy")[0]
    notes = [*checkpoint.facts.notes, *_notes(made, len(checkpoint) - len(kept))]
    return replace(
        checkpoint,
        tensors=MappingProxyType(tensors),
        parameter_names=MappingProxyType(named),
        facts=replace(checkpoint.facts, notes=tuple(notes)),
    )


def _is_entry(name: str) -> bool:
    """Whether a tensor is a quantiser's or an observer's, not the network's."""
    words = name.split(".")
    return name.endswith(_ENDINGS) or any(
        word in _ENTRIES or word.startswith("_fake_quant_") for word in words[:-1]
    )


def _scale_of(name: str, held: Mapping[str, TensorRef]) -> _Scale | None:
    """The scale that belongs to a tensor, by the names that Paddle gives."""
    layer, dot, role = name.rpartition(".")
    quanter = f"{layer}{dot}{role}_quanter"
    if f"{quanter}._dequanter._scales" in held and f"{quanter}._quanter._scales" not in held:
        return _Scale(f"{quanter}._dequanter._scales", f"{quanter}._dequanter._zero_point", whole=True)
    for scale, zero in (
        (f"{name}@scale", f"{name}@zero_point"),
        (f"{quanter}._scale", ""),
        (f"{layer}{dot}_fake_quant_{role}._scale", ""),
    ):
        if scale in held:
            return _Scale(scale, zero if zero in held else "")
    return None


def _dequantised(checkpoint: Checkpoint, name: str, found: _Scale) -> TensorRef:
    ref, scale = checkpoint[name], checkpoint[found.scale]
    axis = _axis(checkpoint, name, scale.size)
    most = (1 << (_BITS.get(ref.dtype_name, 8) - 1)) - 1

    def make() -> np.ndarray:
        import numpy as np

        numbers = ref.numpy().astype(np.float64)
        if numbers.size and (np.abs(numbers).max() > most + 1 or (numbers != np.round(numbers)).any()):
            raise ConvertError(
                f"{checkpoint.path}: {name!r} has the scale {found.scale!r} and is not whole numbers up to {most}"
            )
        if found.zero and checkpoint[found.zero].numpy().any():
            raise ConvertError(
                f"{checkpoint.path}: {name!r} has a zero point that is not zero, which is not converted"
            )
        sizes = [1] * len(ref.shape)
        if scale.size > 1:
            sizes[axis] = scale.size
        return (numbers * scale.numpy().astype(np.float64).reshape(sizes) / most).astype(np.float32)

    kind = by_name("float32")
    return TensorRef(ref.shape, kind, ComputedPayload(math.prod(ref.shape) * kind.itemsize, make))


def _axis(checkpoint: Checkpoint, name: str, count: int) -> int:
    """The axis of the channels: the outputs', which is the last one of a Linear layer and of a transposed convolution the second."""
    shape = checkpoint[name].shape
    fitting = [axis for axis, size in enumerate(shape[:2]) if size == count]
    if count == 1:
        return 0
    if not fitting:
        raise ConvertError(
            f"{checkpoint.path}: {name!r} of shape {list(shape)} has {count} scales, as many as none of its channels"
        )
    from convert.rosetta.layers import layer_of_parameter_name

    row = layer_of_parameter_name(checkpoint.parameter_names.get(name, name))
    second = len(shape) == 2 or (row is not None and "Transpose" in row.paddle_class)
    return fitting[-1] if second else fitting[0]


def _notes(made: Mapping[str, str], entries: int) -> list[str]:
    if made:
        kinds = " and ".join(dict.fromkeys(made.values()))
        return [
            f"quantised weights: {counted(len(made), 'tensor')} of whole numbers ({kinds}) became float32 with the scales "
            f"beside them: {listed(list(made))}"
        ]
    if entries:
        return [
            f"made with fake quantisation: {counted(entries, 'tensor')} of quantisers and observers were left out, so the "
            "network computes without their rounding"
        ]
    return []
