"""How far apart two arrays are, and whether rounding can be the reason.

No tolerance is chosen by hand. Rounding errors shrink with the precision: between float32 and float64 by a
factor of 2**29. A difference of algebra does not shrink. So each framework's own distance between its float32
and its float64 run says how much rounding this value collects, and what is left between the two float64
runs must be that, scaled down, or it is a difference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parity.store import Array

EPS64 = float(np.finfo(np.float64).eps)
SHRINK = 2.0**-29
"""Unit round-off of float64 over that of float32."""

MARGIN = 1024.0
"""How many times the scaled-down float32 rounding a float64 difference may be and still be rounding.

Rounding in two different summation orders is random within a factor of a few; 2**10 leaves room for
that and is still six orders of magnitude below what a difference of the same size in both precisions gives.
"""


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

    @property
    def comparable(self) -> bool:
        return not self.problem


def _broken(problem: str, size: int = 0) -> Difference:
    return Difference(float("inf"), float("inf"), 0.0, (), size, size, float("nan"), float("nan"), problem)


def difference(actual: Array, expected: Array) -> Difference:
    """Compare two arrays elementwise; arrays that differ only by dimensions of size 1 are the same shape.

    NaN or Inf on either side is never equal to anything but the same Inf at the same place.
    """
    if actual.shape != expected.shape:
        if actual.size != expected.size or not _reshapes(actual.shape, expected.shape):
            return _broken(f"shape {list(actual.shape)} in torch, {list(expected.shape)} in Paddle")
        actual = actual.reshape(expected.shape)
    if actual.size == 0:
        return Difference(0.0, 0.0, 0.0, (), 0, 0, 0.0, 0.0)
    if actual.dtype.kind in "biu" and expected.dtype.kind in "biu":
        apart = actual.astype(np.int64) != expected.astype(np.int64)
        count = int(apart.sum())
        at = np.unravel_index(int(apart.argmax()), apart.shape)
        index = tuple(int(i) for i in at)
        size = float(np.abs(actual.astype(np.float64) - expected.astype(np.float64)).max())
        top = float(np.abs(expected.astype(np.float64)).max()) or 1.0
        return Difference(
            size, size / top, top, index, count, actual.size, float(actual[at]), float(expected[at])
        )
    a = actual.astype(np.float64, copy=False)
    e = expected.astype(np.float64, copy=False)
    with np.errstate(invalid="ignore", over="ignore"):
        gap = a - e
        np.abs(gap, out=gap)
        worst = int(gap.argmax())
        largest = float(gap.reshape(-1)[worst])
        scale = max(float(e.max()), -float(e.min()))
    if not np.isfinite(largest) or not np.isfinite(scale):
        finite_a, finite_e = np.isfinite(a), np.isfinite(e)
        equal = (a == e) | (finite_a & finite_e)
        if bool(equal.all()) and not np.isnan(a).any():
            both = finite_a & finite_e
            gap = np.where(both, np.abs(np.where(both, a, 0) - np.where(both, e, 0)), 0.0)
            worst, largest = int(gap.argmax()), float(gap.max())
            scale = float(np.abs(np.where(both, e, 0)).max())
        else:
            return _broken(_not_finite(a, e), actual.size)
    index = tuple(int(i) for i in np.unravel_index(worst, gap.shape))
    return Difference(
        max_abs=largest,
        max_rel=largest / scale if scale else (0.0 if largest == 0 else float("inf")),
        scale=scale,
        index=index,
        mismatched=int(np.count_nonzero(gap)),
        size=int(actual.size),
        actual=float(a.reshape(-1)[worst]),
        expected=float(e.reshape(-1)[worst]),
    )


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


def rounding_limit(noise_paddle: float, noise_torch: float) -> float:
    """The largest relative float64 difference that rounding explains.

    noise_*: each side's relative distance between its float32 and float64 value of the same tensor.
    """
    noise = sum(n for n in (noise_paddle, noise_torch) if np.isfinite(n))
    return MARGIN * max(EPS64, SHRINK * noise)
