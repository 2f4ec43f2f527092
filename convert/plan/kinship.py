"""Layers of different kinds that compute the same: a Linear of a flattened image is a convolution as large as it.

What has to happen to the weight follows from both kinds; where Paddle's is not known, from shapes that leave no choice.
"""

from __future__ import annotations

import math

from convert.models.layout import Slot
from convert.plan.transform import reshape_to, then
from convert.rosetta.rows import COPY, TRANSPOSE, Row

Shape = tuple[int, ...]

_REASONS = {
    ("Linear", "Conv"): "a Linear layer in Paddle, the same as a convolution whose kernel is its whole input",
    ("Conv", "Linear"): "a convolution whose kernel is its whole input in Paddle, the same as a Linear layer",
    ("Conv", "Conv"): "a kernel of size 1 in the dimensions that only one of the two has",
}


def family(torch_layer: str) -> str:
    """Layers that keep the same things in the same way: `BatchNorm` for every BatchNormNd."""
    return torch_layer.rstrip("d123").removeprefix("Sync")


def kin(row: Row | None, shape: Shape, slot: Slot) -> tuple[str, str] | None:
    """Transform and reason when a Paddle tensor of `shape` can be `slot` although their layers or shapes differ.

    `row` is Paddle's layer, where that is known. None when they are no kin, or of the same kind and shape.
    """
    if not slot.layer:
        return None
    pair = (_kind(row, shape, slot), family(slot.layer))
    if pair not in _REASONS:
        return None
    if slot.role == "bias" and pair[0] != pair[1] and row is not None:
        return (COPY, _REASONS[pair]) if shape == slot.shape else None
    if slot.role != "weight" or shape == slot.shape or as_matrix(pair[0], shape) != as_matrix("", slot.shape):
        return None
    if pair[0] == pair[1] and _sizes(shape) != _sizes(slot.shape):
        return None
    reshaped = reshape_to(slot.shape)
    return then(TRANSPOSE, reshaped) if pair[0] == "Linear" else reshaped, _REASONS[pair]


def as_matrix(paddle_kind: str, shape: Shape) -> Shape:
    """A weight's shape as [out, everything else]; Paddle's Linear keeps it the other way round."""
    if paddle_kind == "Linear":
        return shape[::-1]
    return (shape[0], math.prod(shape[1:])) if len(shape) > 1 else shape


def _kind(row: Row | None, shape: Shape, slot: Slot) -> str:
    """The family of Paddle's layer; where it is not known, what alone could be this weight."""
    if row is not None:
        return family(row.torch_class)
    if slot.role == "weight" and len(shape) == 2 and shape[0] != shape[1]:
        return "Linear"
    return "Conv" if slot.role == "weight" and len(shape) > 2 else ""


def _sizes(shape: Shape) -> Shape:
    return tuple(size for size in shape if size != 1)
