"""Every element type that the supported formats can hold, and what each format calls it.

One row per type. `numpy` is the type in which the bits are held: numpy has no bfloat16 or float8, so
those are carried as unsigned integers of the same width and never computed with by accident.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from convert.errors import ConvertError


@dataclass(frozen=True)
class DType:
    """One element type: `numpy` and `safetensors` codes, torch storage class, Paddle's protobuf code."""

    name: str
    itemsize: int
    numpy: str
    safetensors: str | None
    storage: str | None
    """Name of the torch storage class in a `.pth` pickle; None where torch has none."""
    proto: int | None
    """Paddle's `VarType.Type` in `.pdiparams`; None where Paddle has none."""

    @property
    def is_float(self) -> bool:
        """Whether `--dtype` may convert it."""
        return self.name in FLOATS


FLOATS = ("float16", "bfloat16", "float32", "float64")

_ROWS = (
    DType("bool", 1, "|b1", "BOOL", "BoolStorage", 0),
    DType("int16", 2, "<i2", "I16", "ShortStorage", 1),
    DType("int32", 4, "<i4", "I32", "IntStorage", 2),
    DType("int64", 8, "<i8", "I64", "LongStorage", 3),
    DType("float16", 2, "<f2", "F16", "HalfStorage", 4),
    DType("float32", 4, "<f4", "F32", "FloatStorage", 5),
    DType("float64", 8, "<f8", "F64", "DoubleStorage", 6),
    DType("uint8", 1, "|u1", "U8", "ByteStorage", 20),
    DType("int8", 1, "|i1", "I8", "CharStorage", 21),
    DType("bfloat16", 2, "<u2", "BF16", "BFloat16Storage", 22),
    DType("complex64", 8, "<c8", "C64", "ComplexFloatStorage", 23),
    DType("complex128", 16, "<c16", None, "ComplexDoubleStorage", 24),
    DType("float8_e4m3fn", 1, "|u1", "F8_E4M3", None, 32),
    DType("float8_e5m2", 1, "|u1", "F8_E5M2", None, 33),
    DType("uint32", 4, "<u4", "U32", None, None),
    DType("uint64", 8, "<u8", "U64", None, None),
)

BY_NAME: Mapping[str, DType] = MappingProxyType({row.name: row for row in _ROWS})
BY_SAFETENSORS: Mapping[str, DType] = MappingProxyType(
    {row.safetensors: row for row in _ROWS if row.safetensors is not None}
)
BY_PROTO: Mapping[int, DType] = MappingProxyType({row.proto: row for row in _ROWS if row.proto is not None})
BY_STORAGE: Mapping[str, DType] = MappingProxyType(
    {row.storage: row for row in _ROWS if row.storage is not None}
)

# What `numpy.dtype(...)` is called inside a pickle. Paddle stores bfloat16 as uint16 and reads every
# uint16 back as bfloat16 (facts/checkpoints.md), so that is what a uint16 array means here.
BY_PICKLE_CODE: Mapping[str, DType] = MappingProxyType(
    {row.numpy[1:]: row for row in _ROWS if not row.name.startswith("float8") and row.name != "bfloat16"}
    | {"u2": BY_NAME["bfloat16"]}
)


def class_of(name: str) -> str:
    """`float`, `complex`, `bool` or `integer`: what a conversion never changes unsaid."""
    if name in FLOATS or name.startswith("float8"):
        return "float"
    return "complex" if name.startswith("complex") else "bool" if name == "bool" else "integer"


def dtypes_of(tensors: Mapping[str, Any]) -> dict[str, str]:
    """The names of the element types of TensorRefs, arrays (uint16 is bfloat16, as Paddle has it) and live tensors."""
    found = {}
    for name, value in tensors.items():
        kind = getattr(value, "dtype_name", None)
        if kind is None:
            kind = str(getattr(value, "dtype", "")).rpartition(".")[2]
            kind = "bfloat16" if kind == "uint16" else kind
        found[name] = str(kind)
    return found


def by_name(name: str) -> DType:
    """The row called `name`; ConvertError with the known names otherwise."""
    try:
        return BY_NAME[name]
    except KeyError:
        raise ConvertError(f"unknown dtype {name!r}: use one of {', '.join(BY_NAME)}") from None
