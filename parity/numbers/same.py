"""The one "same numbers within", for numbers that are computed again here and for what is read off them."""

from __future__ import annotations

import numpy as np

from parity.limits import RECOMPUTED
from parity.trace.values import Array


def same(
    actual: Array, expected: Array, within: float = RECOMPUTED, size: Array | float | None = None
) -> bool:
    """Whether two arrays of one shape are the same numbers within a share of `size`.

    size: of what was summed to make them, element by element or one number; the largest expected number without it.
    """
    if actual.shape != expected.shape:
        return False
    gap = np.abs(np.asarray(actual, np.float64) - expected)
    scale = np.abs(expected).max(initial=0.0) if size is None else size
    return bool((gap <= within * np.asarray(scale)).all())


def ratio(expected: Array, actual: Array) -> float | None:
    """c if actual = c * expected everywhere, whatever the shape; None if there is no such number."""
    e, a = expected.reshape(-1), actual.reshape(-1)
    if e.size != a.size or not (square := float(e @ e)):
        return None
    c = float(a @ e) / square
    largest = max(float(np.abs(a).max()), abs(c) * float(np.abs(e).max()))
    return c if same(a, c * e, size=largest) else None
