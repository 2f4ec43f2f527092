"""Guesses at the front: an operator makes something else of the same values, or Paddle does more to what it makes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial

from parity.explain.claims import Front
from parity.explain.guess import DEEP, Guess, Kinds, by_size, in_step, line_of, same_size
from parity.explain.prints import Half, Origin
from parity.explain.steps.inside import Step
from parity.trace.trace import Op

PARTS = frozenset(
    {"getitem", "split", "unbind", "expand", "permute", "reshape", "identity", "gather", "flip", "roll"}
)
"""Kinds that hand on some of the numbers that they take."""

TWINS = 2
"""So many of Paddle's values that have the same numbers are tried."""

OF_A_LAYER = 2
"""A layer has so many weights that one operator may take wrongly: a weight and a bias."""

SHORT_WAY = 2
"""Over how many operators what torch leaves out is followed to what both have."""


def otherwise(ours: Half, theirs: Half, lines: Collection[str], same_kind: Kinds) -> Iterator[Guess]:
    """An operator makes something else of what Paddle has."""
    others = by_size(theirs, DEEP)
    suspects = {op.index for op in ours.suspects}
    for op in ours.strange:
        origin = ours.made_of(op, DEEP)
        if not origin.whole:
            continue
        alike = {value: ours.alike[value] for value in origin.values}
        known = {twin for twins in alike.values() for twin in twins}
        for other, expected in others.get(ours.side.size(op.outputs[0]), ()):
            kind = same_kind(op, other)
            if not kind and known.isdisjoint(expected.values):
                continue
            moved = other.outputs[0] in ours.alike[op.outputs[0]]
            surplus = tuple(v for v, twins in alike.items() if expected.values.isdisjoint(twins))
            if len(ours.side.parameters.keys() & set(surplus)) > OF_A_LAYER:
                continue  # other layers altogether: no one operator
            lacking = expected.values - known
            far = 2 * (len(lacking) + len(surplus)) + (not kind) + origin.levels + expected.levels
            rank = op.index not in suspects, op.line not in lines, 0 if moved else far, op.index
            yield Guess(
                rank,
                op,
                other.outputs[0],
                partial(
                    _front, ours, op, theirs, other, origin, expected, surplus, lacking, moved, same_kind
                ),
            )


def _front(
    ours: Half,
    op: Op,
    theirs: Half,
    other: Op,
    origin: Origin,
    expected: Origin,
    surplus: tuple[int, ...],
    lacking: Collection[int],
    moved: bool,
    same_kind: Kinds,
) -> Front:
    above = origin.way[:-1]
    return Front(
        *_together(ours, op, theirs, other),
        way=expected.way,
        above=(*origin.beside, *above),
        beside=expected.beside,
        early=None if same_kind(op, other) else _early(ours, above, expected.way, same_kind),
        lacking=tuple((v, theirs.alike[v][0]) for v in sorted(lacking) if theirs.alike[v]),
        surplus=surplus,
        moved=moved,
        part=_part(ours, theirs, surplus, lacking),
    )


def _part(ours: Half, theirs: Half, surplus: Collection[int], lacking: Collection[int]) -> int | None:
    """What torch takes alone, if it is a part of what Paddle takes another part of."""
    wholes = {twin for value in lacking for twin in theirs.alike.get(value, ())}
    for value in surplus:
        at = value
        while (op := ours.side.maker.get(at)) is not None and op.kind in PARTS:
            at = op.inputs.get("x", next(iter(op.inputs.values()), -1))
            if at in wholes:
                return value
    return None


def _early(ours: Half, above: Sequence[Op], way: Sequence[Op], same_kind: Kinds) -> Op | None:
    """What torch does on the way to what Paddle does at the end of it: an operator of the kind that takes one of the same values."""
    last = set(way[-1].inputs.values())
    return next(
        (
            op
            for op in above
            if same_kind(op, way[-1])
            and any(last.intersection(ours.alike.get(v, ())) for v in ours.taken(op))
        ),
        None,
    )


def lacking(ours: Half, theirs: Half, lines: Collection[str]) -> Iterator[Guess]:
    """A result is Paddle's, and is taken where Paddle takes what it makes of it."""
    read = {value for op in ours.suspects for value in op.inputs.values()}
    others = by_size(theirs, SHORT_WAY)
    for op in ours.side.ops:
        if len(op.outputs) != 1 or op.outputs[0] not in read or not ours.is_shared(op.outputs[0]):
            continue
        known = ours.alike[op.outputs[0]]
        for other, expected in others.get(ours.side.size(op.outputs[0]), ()):
            if not expected.values.isdisjoint(known):
                far = 3 + 2 * len(expected.values.difference(known)) + expected.levels
                rank = False, op.line not in lines, far, op.index
                yield Guess(rank, op, other.outputs[0], partial(_left_out, ours, op, theirs, other, expected))


def _left_out(ours: Half, op: Op, theirs: Half, other: Op, expected: Origin) -> Front:
    return Front(*_together(ours, op, theirs, other), way=expected.way, left_out=True)


def superfluous(ours: Half, theirs: Half, lines: Collection[str]) -> Iterator[Guess]:
    """What an operator takes is Paddle's, and Paddle goes on with it as it is. Tried last: most operators have such a value beside them."""
    for op in ours.suspects:
        made = op.outputs[0]
        for value in ours.taken(op) - ours.side.parameters.keys():
            if not ours.is_shared(value) or ours.side.size(value) != ours.side.size(made):
                continue
            for twin in ours.alike[value][:TWINS]:
                rank = True, op.line not in lines, 0, op.index
                yield Guess(rank, op, twin, partial(_without, ours, theirs, op, twin), (made, twin))


def _without(ours: Half, theirs: Half, op: Op, twin: int) -> Front:
    calls, values = in_step(ours, op, theirs, twin)
    return Front(
        tuple(calls or [op]), tuple(values or [twin]), source=theirs.side.maker.get(twin), superfluous=True
    )


def _together(ours: Half, op: Op, theirs: Half, other: Op) -> tuple[tuple[Op, ...], tuple[int, ...]]:
    """All that both lines run, for several layers or steps, if it is as often."""
    for key in (line_of, _call, _sized_line, _sized_call):
        group, twins = (
            [one for one in _of_its_kind(half, this) if key(half, one) == key(half, this)]
            for half, this in ((ours, op), (theirs, other))
        )
        if len(group) == len(twins) and all(
            same_size(ours, a, theirs, b) for a, b in zip(group, twins, strict=True)
        ):
            return tuple(group), tuple(one.outputs[0] for one in twins)
    calls, values = in_step(ours, op, theirs, other.outputs[0])
    if calls and all(
        ours.side.size(one.outputs[0]) == theirs.side.size(value)
        for one, value in zip(calls, values, strict=True)
    ):
        return tuple(calls), tuple(values)
    return (op,), (other.outputs[0],)


def _of_its_kind(half: Half, op: Op) -> Iterator[Op]:
    """All operators; of one that stands for two runs together, all of those."""
    return (one for one in half.side.ops if _is_joined(one) == _is_joined(op))


def _is_joined(op: Op) -> bool:
    return op.outputs[0] < 0 and not isinstance(op, Step)


def _call(_: Half, op: Op) -> tuple[object, ...]:
    return op.line, op.name, repr(op.attributes)


def _sized_line(half: Half, op: Op) -> tuple[object, ...]:
    return *line_of(half, op), half.side.size(op.outputs[0])


def _sized_call(half: Half, op: Op) -> tuple[object, ...]:
    return *_call(half, op), half.side.size(op.outputs[0])
