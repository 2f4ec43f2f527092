"""What an aligned operator's numbers and its configuration come to, as a table that can be read."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from parity.results.judgement import Status


class Alone(Enum):
    """What an operator does on Paddle's own inputs."""

    DIFFERS = "its result differs"
    AGREES = "its result is Paddle's"
    UNKNOWN = "that was not measured"


class Decision(NamedTuple):
    """One row: what is so (None: whatever it is), whether differing attributes are told, and what the row is if nothing is.

    A weight or a slot that differs is told whatever the numbers say, and whatever is told makes the row DIFFERENT. status None:
    what the free runs have, INHERITED if they differ and the operator alone does not.
    """

    right: bool | None
    alone: Alone | None
    fed_alike: bool | None
    attributes: bool
    status: Status | None


DECISIONS = (
    # The function is the same up to here on this input: what differs inside is another way of writing it,
    Decision(True, Alone.DIFFERS, None, attributes=False, status=Status.WRITTEN),
    # unless the very same operator, fed with the same value, is configured otherwise.
    Decision(True, None, True, attributes=True, status=None),
    Decision(True, None, False, attributes=False, status=None),
    # The function is another one. An operator that errs alone is why, or part of why;
    Decision(False, Alone.DIFFERS, None, attributes=True, status=Status.DIFFERENT),
    # one that does not, and is fed otherwise, may be configured for just that;
    Decision(False, Alone.AGREES, False, attributes=False, status=None),
    # and the others may err on other inputs.
    Decision(False, None, None, attributes=True, status=None),
)
"""The first row that fits decides."""


def decide(*, right: bool, alone: Alone, fed_alike: bool) -> Decision:
    """The row of the table that fits."""
    given = (right, alone, fed_alike)
    return next(
        row for row in DECISIONS if all(cell in (None, fact) for cell, fact in zip(row, given, strict=False))
    )
