"""What a user can observe, compared element by element at each number's own size.

A tensor may hold numbers of very different sizes: logits beside a mask of -1e30, boxes beside probabilities. Rounding at the
largest says nothing about the smallest. So numbers are sorted into classes of one size (a factor of 2**10 each), and each class is
held against its own rounding: what float32 loses there, scaled down to float64. Small numbers that are left of larger ones by
cancelling carry the rounding of these; it shows in float32, where nothing of them is resolved, and they are then held against
the next class that is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from parity.limits import (
    CONSTANTS,
    EPS64,
    MARGIN,
    NO_DIGIT,
    RESOLVED,
    SHRINK,
    SOFTMAX_FLOOR,
    gross,
    rounding_limit,
)
from parity.numbers.compare import Difference, blocks, difference, real, rounding
from parity.trace.values import Array, Stored

CLASS = 10
"""Binary orders of magnitude in one class."""

WINDOW = 2
"""Numbers of so many classes above may have been summed into those of one."""

_CLASSES = 2200 // CLASS
_ZERO = 1100
"""What makes float64's exponents positive."""


@dataclass(frozen=True)
class Observed:
    """Two values of a model's result side by side.

    difference: at the element that is furthest beyond its rounding, relative to numbers of its size. limit: the largest such
    relative difference that rounding explains. doubt: why agreeing says nothing here; "" if it does.
    """

    difference: Difference
    limit: float
    doubt: str = ""
    sizes: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    """Class -> (size of its numbers, largest difference relative to it that rounding explains)."""

    @property
    def agrees(self) -> bool:
        return self.difference.max_rel <= self.limit

    def within(self, least: float) -> Observed:
        """The same where rounding explains at least so much of every size."""
        sizes = {at: (scale, max(limit, least)) for at, (scale, limit) in self.sizes.items()}
        return replace(self, limit=max(self.limit, least), sizes=sizes)

    def at_its_size(self, found: Difference) -> Difference:
        """Another comparison with the same expected value (`by_size` of it), where it is furthest beyond rounding."""
        beyond = {
            at: gap / (self.sizes[at][0] * self.sizes[at][1]) for at, gap in found.by_size if at in self.sizes
        }
        worst = max(beyond, key=beyond.__getitem__, default=-1)
        if worst < 0 or beyond[worst] <= 1.0:
            return found
        return _at_its_size(found, self.sizes[worst][0], dict(found.by_size)[worst])


@dataclass(frozen=True)
class Sides:
    """Paddle's and torch's value in float64, and in float32 where that was run."""

    expected: Stored
    actual: Stored
    expected32: Stored | None = None
    actual32: Stored | None = None


def observe(sides: Sides, moved: Sequence[tuple[Array, Array]] = ()) -> Observed:
    """Compare one output of both models; moved: what both return where their float32 constants are rounded otherwise."""
    plain = difference(sides.actual, sides.expected)
    sides = Sides(
        real(sides.expected),
        real(sides.actual),
        sides.expected32 and real(sides.expected32),
        sides.actual32 and real(sides.actual32),
    )
    if not plain.comparable or not plain.size or sides.expected.dtype.kind in "biu":
        return Observed(plain, rounding_limit(0.0, 0.0))
    classes = _classified(sides) if sides.expected.dtype.kind == "f" else None
    if classes is None:
        noise = [
            0.0 if narrow is None else rounding(narrow, wide)
            for narrow, wide in ((sides.expected32, sides.expected), (sides.actual32, sides.actual))
        ]
        return Observed(plain, rounding_limit(noise[0], noise[1]))
    for expected, actual in moved:
        classes.move(sides, expected, actual)
    return classes.judged(plain, sides)


class _Classes:
    """For every class: its largest number, the largest difference and each side's largest rounding."""

    def __init__(self) -> None:
        self.top, self.gap, self.paddle, self.torch = np.zeros((4, _CLASSES))
        self.constants = np.zeros(_CLASSES)
        self.count = np.zeros(_CLASSES, np.int64)

    def add(self, e: Array, a: Array, e32: Array, a32: Array) -> None:
        size = np.maximum(np.abs(e), np.abs(a))
        at = class_of(size)
        for kept, values in (
            (self.top, size),
            (self.gap, np.abs(a - e)),
            (self.paddle, np.abs(e32 - e)),
            (self.torch, np.abs(a32 - a)),
        ):
            np.maximum.at(kept, at, values)
        self.count += np.bincount(at, minlength=_CLASSES)

    def move(self, sides: Sides, expected: Array, actual: Array) -> None:
        """How far the float32 constants of both models move numbers of each size."""
        moved, start = (real(expected).reshape(-1), real(actual).reshape(-1)), 0
        for e, a in zip(_whole(sides.expected), _whole(sides.actual), strict=True):
            part = slice(start, start + len(e))
            at = class_of(np.maximum(np.abs(e), np.abs(a)))
            gap = np.abs(moved[0][part] - e) + np.abs(moved[1][part] - a)
            np.maximum.at(self.constants, at, np.where(np.isfinite(gap), gap, 0.0))
            start += len(e)

    def judged(self, plain: Difference, sides: Sides) -> Observed:
        worst, found, doubt = 0.0, (plain, rounding_limit(0.0, 0.0)), ""
        where, sizes = 0, {}
        for at in np.flatnonzero(self.top):
            end = self._resolved_from(int(at)) + WINDOW + 1
            scale = float(self.top[at:end].max())
            paddle, torch = (float(noise[at:end].max()) / scale for noise in (self.paddle, self.torch))
            limit = MARGIN * max(EPS64, SHRINK * (paddle + torch))
            doubt = doubt or _doubt(paddle, torch, int(self.count[at:end].sum()))
            # Where a softmax is cut off is Paddle's doing.
            limit = max(limit, SOFTMAX_FLOOR / scale, CONSTANTS * float(self.constants[at:end].max()) / scale)
            sizes[int(at)] = scale, limit
            beyond = float(self.gap[at]) / (limit * scale)
            if beyond > worst and self.gap[at] > SOFTMAX_FLOOR:
                worst = beyond
                found = _at_its_size(plain, scale, float(self.gap[at])), limit
                where = int(at)
        if worst > 1.0:
            found = _located(found[0], sides, where), found[1]
        return Observed(*found, doubt, sizes)

    def _resolved_from(self, at: int) -> int:
        """The first class from here on whose numbers float32 resolves; the last one if none does."""
        noise = self.paddle + self.torch
        above = np.flatnonzero(self.top[at:]) + at
        return next((int(c) for c in above if noise[c] <= RESOLVED * self.top[c]), int(above[-1]))


def class_of(size: Array) -> Array:
    """The class of each number by its size; zeros are in the lowest."""
    exponents = np.frexp(size)[1]
    return np.where(size > 0, (exponents + _ZERO) // CLASS, 0)


def differs_at_its_size(found: Difference, within: float) -> bool:
    """Whether numbers of some size differ by more than `within` of it, whatever stands beside them; found: by `sized`."""
    return any(gap > within * 2.0 ** (CLASS * at - _ZERO) for at, gap in found.by_size if at)


def sized(actual: Array, expected: Array) -> Difference:
    """`difference`, with the largest one in each class of size."""
    actual, expected = real(actual), real(expected)
    found = difference(actual, expected)
    if not found.comparable or not found.size or expected.dtype.kind != "f" or actual.dtype.kind != "f":
        return found
    e, a = expected.reshape(-1), actual.reshape(-1)
    finite = np.isfinite(e) & np.isfinite(a)
    e, a = e[finite], a[finite]
    gaps = np.zeros(_CLASSES)
    np.maximum.at(gaps, class_of(np.maximum(np.abs(e), np.abs(a))), np.abs(a - e))
    return replace(found, by_size=tuple((int(at), float(gaps[at])) for at in np.flatnonzero(gaps)))


def _doubt(paddle: float, torch: float, count: int) -> str:
    if max(paddle, torch) > NO_DIGIT:
        return (
            f"float32 leaves no digit of it (Paddle's is {paddle:.0e} of its size away from its float64, torch's {torch:.0e}), "
            "so that nothing tells how much rounding it holds"
        )
    if gross(paddle, torch, count):
        side = "torch" if torch > paddle else "Paddle"
        return (
            f"in float32 {side} alone is {max(paddle, torch):.0e} of its size away from its float64 (the other {min(paddle, torch):.0e}): "
            "half precision or a branch on the dtype inside the model, which a run in float64 does not show"
        )
    return ""


def _at_its_size(plain: Difference, scale: float, gap: float) -> Difference:
    return replace(plain, max_abs=gap, scale=scale, max_rel=gap / scale)


def _located(found: Difference, sides: Sides, where: int) -> Difference:
    """The same with the place and the numbers of the element that it is about."""
    start = 0
    for e, a in zip(_whole(sides.expected), _whole(sides.actual), strict=True):
        with np.errstate(invalid="ignore"):
            gaps = np.where(class_of(np.maximum(np.abs(e), np.abs(a))) == where, np.abs(a - e), -1.0)
        i = int(np.nanargmax(gaps))
        if gaps[i] == found.max_abs:
            index = np.unravel_index(start + i, sides.expected.shape)
            return replace(found, index=tuple(map(int, index)), actual=float(a[i]), expected=float(e[i]))
        start += len(e)
    return found


def _classified(sides: Sides) -> _Classes | None:
    """The classes of both values; None without float32 runs of the same size, or where a number is not finite."""
    narrow = sides.expected32, sides.actual32
    if any(n is None or n.size != sides.expected.size for n in narrow):
        return None
    found = _Classes()
    streams = (sides.expected, sides.actual, *narrow)
    with np.errstate(invalid="ignore", over="ignore"):
        for e, a, e32, a32 in zip(*(_whole(s) for s in streams if s is not None), strict=True):
            if not (np.isfinite(e).all() and np.isfinite(a).all()):
                # The same infinity on both sides is no difference (`difference` has looked), and no size.
                finite = np.isfinite(e) & np.isfinite(a)
                e, a, e32, a32 = e[finite], a[finite], e32[finite], a32[finite]  # noqa: PLW2901
            found.add(e, a, _in_range(e32, e), _in_range(a32, a))
    return found


def _in_range(narrow: Array, wide: Array) -> Array:
    """The float32 run where that has a number: beyond its range it loses no digits, elsewhere an infinity leaves none."""
    beyond = np.abs(wide) > np.finfo(np.float32).max / 2
    return np.where(np.isfinite(narrow), narrow, np.where(beyond, wide, 0.0))


def _whole(array: Stored) -> Iterator[Array]:
    for block in blocks(array):
        yield block.astype(np.float64)
