"""One tensor of the target from several of the source, or from a part of one.

A writer sees an ordinary tensor: its payload reads, transforms and hands on one part at a time, so that memory holds
no more than the largest of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from convert.checkpoint.payload import JoinedPayload, MemoryBytes, Reader
from convert.checkpoint.tensor import TensorRef
from convert.dtypes import DType
from convert.errors import ConvertError
from convert.plan.plan import Shape
from convert.plan.transform import apply_transform, result_shape
from convert.rosetta.rows import CONCAT, COPY, RESHAPE, SPLIT, TRANSPOSE
from convert.write.place import Placement


@dataclass(frozen=True)
class Part:
    """A tensor of the source and what happens to it on the way."""

    name: str
    source: TensorRef
    transform: str


def placement(name: str, shape: Shape, parts: Sequence[Part], kind: DType | None = None) -> Placement:
    """The target `name` of `shape`, made of `parts` in their order; its element type is `kind`, or theirs.

    ConvertError when they have not all the same type.
    """
    first = parts[0]
    if len({part.source.kind.name for part in parts}) > 1 and kind is None:
        each = ", ".join(f"{part.name} is {part.source.dtype_name}" for part in parts)
        raise ConvertError(f"{name} is made of tensors of different types ({each}): choose one with --dtype")
    order = _order(first.transform)
    if len(parts) == 1 and order is not None:
        return Placement(name, shape, kind or first.source.kind, first.source, order)
    stored = kind or first.source.kind
    payload = JoinedPayload([_Transformed(part, stored) for part in parts])
    return Placement(name, shape, stored, TensorRef(shape, stored, payload), COPY)


@lru_cache(maxsize=1 << 10)
def _order(transform: str) -> str | None:
    """`transform` as the order of the stored elements, which a reshape does not change; None for a part."""
    steps = transform.split("+")
    if any(step.startswith((SPLIT, CONCAT)) for step in steps):
        return None
    if TRANSPOSE in steps[1:] and any(step.startswith(RESHAPE) for step in steps):
        return None
    return TRANSPOSE if steps.count(TRANSPOSE) % 2 else COPY


class _Transformed:
    """The payload of a part, in elements of `kind`, as it is in the target."""

    seekable = False  # a part is made as a whole

    def __init__(self, part: Part, kind: DType) -> None:
        self._part, self._kind = part, kind
        count = 1
        for size in result_shape(part.source.shape, part.transform):
            count *= size
        self.nbytes = count * kind.itemsize

    def open(self, start: int = 0) -> Reader:
        return _Lazy(self, start)

    def read(self) -> MemoryBytes:
        """All of it, now."""
        import numpy as np

        source = self._part.source
        array = np.ascontiguousarray(apply_transform(source.numpy(), self._part.transform))
        if source.kind != self._kind:
            from convert.write.cast import cast_array

            array = cast_array(array, source.kind, self._kind)
        return MemoryBytes(array.reshape(-1).view(np.uint8).data)


class _Lazy:
    """Reads the part when its first bytes are asked for."""

    def __init__(self, part: _Transformed, start: int) -> None:
        self._part, self._start = part, start
        self._reader: Reader | None = None

    def read_into(self, views: Sequence[memoryview]) -> None:
        if self._reader is None:
            self._reader = self._part.read().open(self._start)
        self._reader.read_into(views)

    def finish(self) -> None:
        if self._reader is not None:
            self._reader.finish()
            self._reader = None
