"""One tensor of a checkpoint: what it is, and where its bytes are, without having read them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from convert.checkpoint.payload import MemoryBytes, Payload, read_all
from convert.dtypes import BY_NAME, DType

if TYPE_CHECKING:
    import numpy as np


DIMENSIONS_MOST = 32
_ELEMENTS_MOST = 1 << 59
"""Beyond what numpy can address, whatever the type and even where one size is zero."""


def plain_shape(sizes: Sequence[object]) -> tuple[int, ...] | None:
    """`sizes`, as a file gives them, as the shape of an array; None when no array can have it."""
    if len(sizes) > DIMENSIONS_MOST:
        return None
    shape: list[int] = []
    elements = 1
    for size in sizes:
        if type(size) is not int or not 0 <= size <= _ELEMENTS_MOST:  # a bool is no size
            return None
        elements *= max(1, size)
        shape.append(size)
    return tuple(shape) if elements <= _ELEMENTS_MOST else None


@dataclass(frozen=True, slots=True)
class TensorRef:
    """A tensor that has not been read yet.

    `fortran` means that the payload holds the elements in column-major order; `numpy()` always returns
    them in row-major order.
    """

    shape: tuple[int, ...]
    kind: DType = field(repr=False)
    payload: Payload = field(repr=False, compare=False)
    fortran: bool = field(default=False, repr=False)

    @property
    def dtype_name(self) -> str:
        """The element type, with bfloat16 and float8 under their own names."""
        return self.kind.name

    @property
    def dtype(self) -> np.dtype:
        """The numpy type that holds the bits (uint16 for bfloat16: see `dtype_name`)."""
        import numpy as np

        return np.dtype(self.kind.numpy)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the elements."""
        return self.size * self.kind.itemsize

    def numpy(self) -> np.ndarray:
        """A fresh, writable array of `shape` (row-major); ConvertError if the file is damaged."""
        import numpy as np

        flat = np.frombuffer(read_all(self.payload), self.kind.numpy)
        return np.asarray(flat.reshape(self.shape, order="F" if self.fortran else "C"), order="C")

    @staticmethod
    def of_array(array: np.ndarray, dtype_name: str | None = None) -> TensorRef:
        """A reference to an array in memory; `dtype_name="bfloat16"` for bits held in uint16."""
        import numpy as np

        from convert.dtypes import BY_PICKLE_CODE
        from convert.errors import ConvertError

        kind = BY_NAME[dtype_name] if dtype_name else BY_PICKLE_CODE.get(array.dtype.str[1:])
        if kind is None or array.dtype.byteorder == ">":
            raise ConvertError(f"arrays of dtype {array.dtype} cannot be converted")
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        return TensorRef(tuple(array.shape), kind, MemoryBytes(data.data))
