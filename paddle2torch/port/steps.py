"""Slices that go backwards: Paddle takes them and torch does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst


def backwards(slices: Sequence[cst.SubscriptElement]) -> bool:
    """Whether one of them has a step with a minus in front."""
    return any(_negative(element.slice) for element in slices)


def _negative(index: cst.BaseSlice) -> bool:
    step = index.step if isinstance(index, cst.Slice) else None
    return isinstance(step, cst.UnaryOperation) and isinstance(step.operator, cst.Minus)


def flipped(slices: Sequence[cst.SubscriptElement]) -> list[int] | None:
    """The dimensions that an index turns around, where it does nothing else; None where it does."""
    found, behind = [], False
    for place, element in enumerate(slices):
        index: Any = element.slice
        if isinstance(index, cst.Index):
            if not isinstance(index.value, cst.Ellipsis):
                return None
            behind = True
        elif index.lower is not None or index.upper is not None:
            return None
        elif _negative(index):
            if getattr(index.step.expression, "value", "") != "1":
                return None
            found.append(place - len(slices) if behind else place)
        elif index.step is not None:
            return None
    return found
