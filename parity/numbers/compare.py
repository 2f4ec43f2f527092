"""How far apart two arrays are, and whether rounding can be the reason.

No tolerance is chosen by hand. Rounding errors shrink with the precision: between float32 and float64 by a
factor of 2**29. A difference of algebra does not shrink. So each framework's own distance between its float32
and its float64 run says how much rounding this value collects, and what is left between the two float64
runs must be that, scaled down, or it is a difference.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import numpy as np

from parity.trace.values import Array, Stored

BLOCK = 1 << 16
"""Elements compared at once: both operands and what is between them stay in the processor's cache."""


SAMPLE = 1 << 20
"""Elements, evenly spread in blocks, that tell how much rounding a value holds."""


@dataclass(frozen=True)
class Difference:
    """Elementwise comparison of `actual` (torch) with `expected` (Paddle).

    max_abs: largest |actual - expected|; max_rel: the same over the tensor's scale, max |expected|;
    index: where the largest difference is; problem: "" or why the numbers cannot be compared.
    """

    max_abs: float
    max_rel: float
    scale: float
    index: tuple[int, ...]
    mismatched: int
    size: int
    actual: float
    expected: float
    problem: str = ""
    by_size: tuple[tuple[int, float], ...] = ()
    """(class of size, largest difference in it), of a model's result alone: see `parity.numbers.observed`."""

    @property
    def comparable(self) -> bool:
        return not self.problem

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Difference:
        """The inverse of `dataclasses.asdict` after JSON, which has no tuples."""
        by_size = tuple((at, gap) for at, gap in data["by_size"])
        return cls(**{**data, "index": tuple(data["index"]), "by_size": by_size})


def _broken(problem: str, size: int = 0) -> Difference:
    return Difference(float("inf"), float("inf"), 0.0, (), size, size, float("nan"), float("nan"), problem)


def difference(actual: Array | Stored, expected: Array | Stored) -> Difference:
    """Compare two arrays elementwise; arrays that differ only by dimensions of size 1 are the same shape.

    NaN or Inf on either side is never equal to anything but the same Inf at the same place. Complex numbers are pairs:
    an index ends in 0 for the real part and in 1 for the imaginary one.
    """
    if "c" in actual.dtype.kind + expected.dtype.kind and actual.dtype.kind != expected.dtype.kind:
        return _broken(f"{actual.dtype.name} in torch, {expected.dtype.name} in Paddle")
    actual, expected = real(actual), real(expected)
    if actual.shape != expected.shape and (
        actual.size != expected.size or not _reshapes(actual.shape, expected.shape)
    ):
        return _broken(f"shape {list(actual.shape)} in torch, {list(expected.shape)} in Paddle")
    if not actual.size:
        return Difference(0.0, 0.0, 0.0, (), 0, 0, 0.0, 0.0)
    if actual.dtype.kind in "biu" and expected.dtype.kind in "biu":
        return _whole_numbers(_loaded(actual).reshape(expected.shape), _loaded(expected))
    found = _scanned(actual, expected)
    if found is not None:
        return found
    return _with_infinities(_loaded(actual).reshape(expected.shape), _loaded(expected))


V = TypeVar("V", bound=Array | Stored)


def real(array: V) -> V:
    """Complex numbers as pairs of real ones, along a last axis; anything else as it is."""
    if array.dtype.kind != "c":
        return array
    halves, shape = np.dtype(f"f{array.dtype.itemsize // 2}"), (*array.shape, 2)
    if isinstance(array, Stored):
        return cast("V", replace(array, shape=shape, dtype=halves))
    return cast("V", np.ascontiguousarray(array).view(halves).reshape(shape))


def _loaded(array: Array | Stored) -> Array:
    return array.load() if isinstance(array, Stored) else array


def _scanned(actual: Array | Stored, expected: Array | Stored) -> Difference | None:
    """The comparison, block by block; None if it meets a number that is not finite."""
    narrow = actual.dtype == expected.dtype == np.float32
    between = np.empty(min(BLOCK, actual.size), np.float32 if narrow else np.float64)
    largest, scale, mismatched = -1.0, 0.0, 0
    worst, at_worst = 0, (0.0, 0.0)
    starts = range(0, actual.size, BLOCK)
    with np.errstate(invalid="ignore", over="ignore"):
        for start, a, e in zip(starts, blocks(actual, starts), blocks(expected, starts), strict=True):
            gap = between[: a.size]
            np.subtract(a, e, out=gap)
            low, high = float(gap.min()), float(gap.max())
            top, here = max(abs(low), abs(high)), max(float(e.max()), -float(e.min()))
            if not math.isfinite(top) or not math.isfinite(here):
                return None
            scale = max(scale, here)
            if top:
                mismatched += int(np.count_nonzero(gap != 0))
            if top > largest:
                largest = top
                i = int(gap.argmax() if high == top else gap.argmin())
                worst, at_worst = start + i, (float(a[i]), float(e[i]))
    return Difference(
        max_abs=largest,
        max_rel=_relative(largest, scale),
        scale=scale,
        index=tuple(int(i) for i in np.unravel_index(worst, expected.shape)),
        mismatched=mismatched,
        size=actual.size,
        actual=at_worst[0],
        expected=at_worst[1],
    )


def blocks(array: Array | Stored, starts: Iterable[int] | None = None) -> Iterator[Array]:
    """The blocks that begin at `starts` (all of them without); each is valid until the next one is asked for."""
    starts = range(0, array.size, BLOCK) if starts is None else starts
    if not isinstance(array, Stored):
        flat = array.reshape(-1)
        yield from (flat[start : start + BLOCK] for start in starts)
        return
    buffer: Array = np.empty(min(BLOCK, array.size), array.dtype)
    for start in starts:
        block = buffer[: array.size - start]
        array.read(start, block)
        yield block


def rounding(narrow: Stored, wide: Stored) -> float:
    """How far a value's float32 run is from its float64 run, relative to the largest number of the latter.

    A large value is sampled in evenly spread blocks: rounding is no single element's secret, and the limit that
    follows from it has a wide margin. Infinite where the two cannot be compared.
    """
    narrow, wide = real(narrow), real(wide)
    if narrow.size != wide.size or not wide.size or wide.dtype.kind != "f":
        return difference(narrow, wide).max_rel
    starts = _sampled(wide.size)
    found = _rounding(blocks(narrow, starts), blocks(wide, starts))
    return difference(narrow, wide).max_rel if found is None else found


def sample(narrow: Array) -> Array:
    """What `sampled_rounding` needs of a value's float32 run; numbers that are no floats stay whole."""
    narrow = real(narrow)
    flat = narrow.reshape(-1)
    if narrow.dtype.kind != "f" or not narrow.size:
        return flat
    return np.concatenate([flat[start : start + BLOCK] for start in _sampled(narrow.size)])


def sampled_rounding(kept: Stored, wide: Array) -> float | None:
    """`rounding` of a value of which only `sample` was kept; None where that takes the whole of it."""
    wide = real(wide)
    if wide.dtype.kind != "f" or not wide.size:
        return difference(kept.reshape(wide.shape), wide).max_rel if kept.size == wide.size else None
    starts = _sampled(wide.size)
    if kept.size != sum(min(BLOCK, wide.size - start) for start in starts):
        return None
    return _rounding(blocks(kept, range(0, kept.size, BLOCK)), blocks(wide, starts))


def _sampled(size: int) -> range:
    """Where the blocks begin that stand for a value of so many elements."""
    return range(0, size, BLOCK * max(1, size // SAMPLE))


def _rounding(narrow: Iterator[Array], wide: Iterator[Array]) -> float | None:
    """Largest difference over the scale of `wide`; None if it meets a number that is not finite."""
    largest = scale = 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        for a, e in zip(narrow, wide, strict=True):
            gap = a - e
            low, high = float(gap.min()), float(gap.max())
            if not math.isfinite(low) or not math.isfinite(high):
                return None
            largest, scale = max(largest, high, -low), max(scale, float(e.max()), -float(e.min()))
    return _relative(largest, scale)


def _whole_numbers(actual: Array, expected: Array) -> Difference:
    apart = actual.astype(np.int64) != expected.astype(np.int64)
    at = np.unravel_index(int(apart.argmax()), apart.shape)
    size = float(np.abs(actual.astype(np.float64) - expected.astype(np.float64)).max())
    top = float(np.abs(expected.astype(np.float64)).max()) or 1.0
    return Difference(
        size,
        size / top,
        top,
        tuple(int(i) for i in at),
        int(apart.sum()),
        actual.size,
        float(actual[at]),
        float(expected[at]),
    )


def _with_infinities(actual: Array, expected: Array) -> Difference:
    """Equal infinities are left out of the comparison; anything else that is not finite ends it."""
    a, e = actual.astype(np.float64, copy=False), expected.astype(np.float64, copy=False)
    both = np.isfinite(a) & np.isfinite(e)
    if not bool(((a == e) | both).all()):
        return _broken(_not_finite(a, e), actual.size)
    gap = np.abs(np.where(both, a, 0) - np.where(both, e, 0))
    worst, scale = int(gap.argmax()), float(np.abs(np.where(both, e, 0)).max())
    largest = float(gap.reshape(-1)[worst])
    return Difference(
        max_abs=largest,
        max_rel=_relative(largest, scale),
        scale=scale,
        index=tuple(int(i) for i in np.unravel_index(worst, gap.shape)),
        mismatched=int(np.count_nonzero(gap)),
        size=int(actual.size),
        actual=float(a.reshape(-1)[worst]),
        expected=float(e.reshape(-1)[worst]),
    )


def _relative(largest: float, scale: float) -> float:
    return largest / scale if scale else (0.0 if largest == 0 else float("inf"))


def _reshapes(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether the two shapes are the same but for dimensions of size 1 or merged neighbours."""
    if tuple(n for n in a if n != 1) == tuple(n for n in b if n != 1):
        return True
    products_a, products_b = _prefixes(a), _prefixes(b)
    return products_a <= products_b or products_b <= products_a


def _prefixes(shape: tuple[int, ...]) -> set[int]:
    total, found = 1, set()
    for size in shape:
        total *= size
        found.add(total)
    return found


def _not_finite(a: Array, e: Array) -> str:
    def count(x: Array) -> str:
        nan, inf = int(np.isnan(x).sum()), int(np.isinf(x).sum())
        return f"{nan} NaN and {inf} Inf"

    return f"not finite: {count(a)} in torch, {count(e)} in Paddle"
