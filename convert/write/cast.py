"""Conversion between floating-point types, with bfloat16 done on its bits (numpy has none)."""

from __future__ import annotations

import numpy as np

from convert.dtypes import DType
from convert.errors import ConvertError


def cast_array(array: np.ndarray, source: DType, target: DType) -> np.ndarray:
    """`array` (bits of `source`) as bits of `target`; rounds to nearest even, overflows to infinity.

    Raises ConvertError for anything but a pair of floating-point types.
    """
    if not (source.is_float and target.is_float):
        raise ConvertError(f"{source.name} tensors cannot be stored as {target.name}")
    wide = _bfloat16_to_float32(array) if source.name == "bfloat16" else array
    if target.name == "bfloat16":
        return _to_bfloat16(wide)
    with np.errstate(over="ignore"):
        return wide.astype(target.numpy)


def _bfloat16_to_float32(bits: np.ndarray) -> np.ndarray:
    return (bits.astype(np.uint32) << 16).view(np.float32)


def _to_bfloat16(array: np.ndarray) -> np.ndarray:
    """Nearest even, from float16, float32 or float64 (which passes through float32 rounded to odd)."""
    narrow = _round_to_odd(array) if array.dtype == np.float64 else array.astype(np.float32)
    bits = narrow.view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> 16) & 1)) >> 16
    nan = np.isnan(narrow)
    quiet = (bits >> 16) | 0x40
    result: np.ndarray = np.where(nan, quiet, rounded).astype(np.uint16)
    return result


def _round_to_odd(array: np.ndarray) -> np.ndarray:
    """float64 to float32 so that a second rounding gives what one rounding would have given."""
    with np.errstate(over="ignore"):
        narrow = array.astype(np.float32)
    toward_zero = np.where(
        np.abs(narrow.astype(np.float64)) > np.abs(array), np.nextafter(narrow, np.float32(0)), narrow
    )
    inexact = toward_zero.astype(np.float64) != array
    bits = toward_zero.view(np.uint32)
    result: np.ndarray = (
        np.where(inexact & ~np.isnan(array), bits | 1, bits).astype(np.uint32).view(np.float32)
    )
    return result
