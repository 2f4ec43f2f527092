"""A guess at which operators are the fault, and what Paddle makes that the other side never has."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from parity.explain.claims import Front
from parity.explain.prints import Half, Origin
from parity.trace.trace import Op

Kinds = Callable[[Op, Op], bool]
"""Whether an operator of torch's and one of Paddle's do the same, however they are called."""

DEEP = 10
"""Over how many operators that one side alone has a result is followed to what both have."""


class Guess(NamedTuple):
    """What may be the fault, and how likely it is.

    rank: whether something right is made of it, whether no claim is there, how far it is from what Paddle does, and its place in the run.
    """

    rank: tuple[bool, bool, int, int]
    torch: Op
    paddle: int
    front: Callable[[], Front]
    results: tuple[int, ...] = ()
    """torch's values that it is about, if not what `torch` makes."""


def by_size(half: Half, deep: int) -> dict[int, list[tuple[Op, Origin]]]:
    """What one side alone makes, and of what, by its size."""
    found: dict[int, list[tuple[Op, Origin]]] = {}
    for op in half.strange:
        origin = half.made_of(op, deep)
        if origin.whole:
            found.setdefault(half.side.size(op.outputs[0]), []).append((op, origin))
    return found


def line_of(_: Half, op: Op) -> tuple[object, ...]:
    return op.line, op.name


def same_size(half: Half, op: Op, others: Half, other: Op) -> bool:
    return half.side.size(op.outputs[0]) == others.side.size(other.outputs[0])
