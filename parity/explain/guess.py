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


def each_run(half: Half, value: int, runs: int, known: int) -> list[int]:
    """The values that the line which makes `value` makes of the kind, one a run; none if it does not run as often."""
    op = half.side.maker.get(value)
    if op is None:
        return []
    which = op.outputs.index(value)
    calls = [one for one in half.side.ops if line_of(half, one) == line_of(half, op)]
    made = [one.outputs[which] for one in calls if len(one.outputs) > which]
    stride, rest = divmod(len(made), runs)
    if rest or not stride:
        return []
    at = made.index(value)
    return made[at % stride :: stride] if at // stride == known else []


def in_step(ours: Half, op: Op, theirs: Half, value: int) -> tuple[list[Op], list[int]]:
    """The operator at every run of its line, and what the line that makes `value` makes there; none if they do not run as often.

    A line may do the same several times in a run: as many operators of it, or of Paddle's, belong to one.
    """
    maker = theirs.side.maker.get(value)
    if maker is None:
        return [], []
    which = maker.outputs.index(value)
    calls = [one for one in ours.side.ops if line_of(ours, one) == line_of(ours, op)]
    made = [
        one.outputs[which]
        for one in theirs.side.ops
        if line_of(theirs, one) == line_of(theirs, maker) and len(one.outputs) > which
    ]
    for runs in (len(calls), len(made)):
        steps, rests = zip(*(divmod(len(found), runs) for found in (calls, made)), strict=True)
        at = calls.index(op), made.index(value)
        if all(steps) and not any(rests) and at[0] // steps[0] == at[1] // steps[1]:
            return calls[at[0] % steps[0] :: steps[0]], made[at[1] % steps[1] :: steps[1]]
    return [], []
