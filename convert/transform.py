"""What may happen to a tensor's elements on the way: nothing, a transpose, a new shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convert.errors import ConvertError
from convert.rosetta.rows import COPY, RESHAPE, TRANSPOSE

if TYPE_CHECKING:
    import numpy as np


def reshape_to(shape: tuple[int, ...]) -> str:
    """The transform that gives a tensor `shape`: `reshape:3,4`."""
    return f"{RESHAPE}:{','.join(map(str, shape))}"


def result_shape(shape: tuple[int, ...], transform: str) -> tuple[int, ...]:
    """The shape after `transform`; ConvertError for an unknown transform or one that does not apply."""
    if transform == COPY:
        return shape
    if transform == TRANSPOSE:
        if len(shape) != 2:
            raise ConvertError(f"only a matrix can be transposed, and this tensor has shape {shape}")
        return shape[::-1]
    kind, _, sizes = transform.partition(":")
    if kind == RESHAPE:
        wanted = tuple(int(size) for size in sizes.split(",")) if sizes else ()
        if _count(wanted) != _count(shape):
            raise ConvertError(f"a tensor of shape {shape} cannot be reshaped to {wanted}")
        return wanted
    raise ConvertError(f"unknown transform {transform!r}: use copy, transpose or reshape:<sizes>")


def apply_transform(array: np.ndarray, transform: str) -> np.ndarray:
    """`array` after `transform`, as a view where that is possible."""
    shape = result_shape(array.shape, transform)
    return array.T if transform == TRANSPOSE else array.reshape(shape)


def inverse(transform: str, shape: tuple[int, ...]) -> str:
    """The transform that undoes `transform` on a tensor whose shape was `shape`."""
    return reshape_to(shape) if transform.startswith(RESHAPE) else transform


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count
