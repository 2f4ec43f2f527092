"""When two arrays that were computed in float64 hold the same numbers."""

from __future__ import annotations

import numpy as np

from parity.trace.values import Array

WITHIN = 1e-9
"""Two arrays are the same numbers within this, relative to the largest."""


def same_numbers(a: Array, b: Array) -> bool:
    """Whether two arrays of one shape hold the same numbers; arrays of other sizes, or of nothing, do not."""
    if a.size != b.size or not a.size:
        return False
    scale = max(float(np.abs(b).max()), 1e-300)
    return bool(np.abs(a - b).max() <= WITHIN * scale)
