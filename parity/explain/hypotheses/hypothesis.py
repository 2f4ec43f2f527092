"""Known mistakes, tried on the numbers: the first that gives torch's from Paddle's is the one that was made.

A table of them is a tuple of `Hypothesis`; a new mistake is a new row. `made` computes, of what Paddle had, what torch would have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from parity.numbers.same import same
from parity.trace.values import Array

Given = TypeVar("Given")


@dataclass(frozen=True)
class Hypothesis(Generic[Given]):
    """One mistake. part: which of the lines to look at, in the words of its table; "" where that is not known."""

    cause: str
    fix: str
    made: Callable[[Given], Array]
    part: str = ""


def alike(actual: Array, made: Array) -> bool:
    """Whether two arrays of any shape are the same numbers, as far as computing them again allows."""
    return made.size == actual.size and same(actual.reshape(-1), made.reshape(-1))


def first_that_gives(
    actual: Array,
    given: Given,
    rows: Iterable[Hypothesis[Given]],
    equal: Callable[[Array, Array], bool] = alike,
) -> Hypothesis[Given] | None:
    """The mistake that explains torch's numbers."""
    return next((row for row in rows if equal(actual, np.asarray(row.made(given)))), None)
