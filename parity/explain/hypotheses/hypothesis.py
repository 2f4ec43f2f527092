"""A known mistake, and when the numbers say that it was made."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from parity.trace.values import Array

WITHIN = 1e-9
"""Two sequences are the same numbers within this, relative to the largest."""


@dataclass(frozen=True)
class Mistake:
    """What goes wrong in the loop, how it is told and put right, and in which of its parts it is made."""

    cause: str = ""
    fix: str = ""
    part: str = ""
    """ "steps", "outputs", "gates" or "states": which of the loop's lines to look at."""
    order: tuple[int, ...] = ()
    flags: frozenset[str] = field(default_factory=frozenset)


def same_numbers(a: Array, b: Array) -> bool:
    return bool(np.abs(a - b).max(initial=0.0) <= WITHIN * max(float(np.abs(b).max(initial=0.0)), 1e-300))


def mistake_of(flag: str, part: str, cause: str, fix: str) -> Mistake:
    return Mistake(cause, fix, part, flags=frozenset({flag}))
