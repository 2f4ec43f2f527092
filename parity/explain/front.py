"""Where torch's numbers leave Paddle's, whatever either is written as: found by numbers, proven by a run.

In a port that is written otherwise throughout, few operators have a counterpart, and what stands between them differs as a whole. But
most of the numbers are there on both sides. So each recorded operator is asked: does the other side have this result, in whatever layout? The
first that make what Paddle never has, of what Paddle has, are the front: one of them is the fault, and the others are other ways to write it. Which
one it is, torch tells: it goes its own way once more for each, with what Paddle makes of the same values handed in there alone. If all outputs come
right, that operator is the fault, and the only one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from itertools import combinations, permutations
from math import prod
from typing import NamedTuple

import numpy as np

from parity.align.alignment import Alignment
from parity.capture.failed import ModelError
from parity.capture.replay import ReplayPlan
from parity.explain.claims import Claim, Claims, Front
from parity.explain.evidence import Evidence
from parity.explain.prints import RANK, Half, Origin, Side
from parity.explain.segments import Part, shares
from parity.explain.steps.inside import Step
from parity.explain.twice import runs_at_once
from parity.explain.words import squeezed
from parity.limits import KNOWN_NUMBERS
from parity.results.finding import Subject
from parity.trace.trace import Op

MOST = 10
"""Runs of torch that are spent on it."""

MANY = 30
"""The same where a run is short."""

SMALL = 1 << 20
"""Elements that a short run has at most."""

APART = 1 << 22
"""Elements of a run up to which operators are taken apart into steps."""

LARGEST = 1 << 24
"""Elements of a run above which its numbers are not looked through."""

DEEP = 10
"""Over how many operators that one side alone has a result is followed to what both have."""

SHORT_WAY = 2
"""The same for what torch leaves out."""

STEP = 3
"""So many operators a further guess of one line counts, or a line of which nothing is claimed."""

TURNS = 4
"""So many guesses are made of a line."""

Kinds = Callable[[Op, Op], bool]

VAGUE = frozenset({Subject.COMPUTED, Subject.UNEXPLAINED})
"""What says that something differs and hardly what."""

SHORT = 6
"""Of so many operators a part that is computed otherwise is told by name."""


def tells(claim: Claim, front: Front, alignment: Alignment) -> bool:
    """Whether a claim says more than that something differs from here on."""
    edge, part = claim.edge, claim.details
    if claim.what is not Subject.COMPUTED or edge is None:
        return True
    if isinstance(part, Part) and part.narrower:
        first, own = part.paddle.first, part.torch.first
        same = own is not None and own.op in {op.index for op in front.torch}
        on_way = first is not None and first.op in {op.index for op in front.way}
        return first is not None and first.kind != "constant" and (same or on_way)
    if shares(alignment.torch, edge.only_torch) != shares(alignment.paddle, edge.only_paddle):
        return True  # a layer that is called once more
    theirs, ours = ([node.kind for node in nodes] for nodes in (edge.only_paddle, edge.only_torch))
    return theirs != ours and len(theirs) + len(ours) <= SHORT


def is_about(claim: Claim, front: Front) -> bool:
    """Whether a claim is about the operator at the front itself, wherever its line is."""
    nodes = [] if claim.pair is None else [claim.pair.torch]
    if isinstance(claim.details, Part) and claim.details.torch.first is not None:
        nodes.append(claim.details.torch.first)
    if claim.what is Subject.WRITTEN_OUT:
        return _is_in(front, claim) and len(front.way) <= SHORT
    if claim.what is Subject.MISSING and claim.edge is not None:
        # It is on Paddle's way from there.
        ways = {op.index for op in front.way}
        return all(number in ways for node in claim.edge.only_paddle for number in node.raw)
    return any(op.index in node.raw for op in front.torch for node in nodes)


def hides(front: Front, claim: Claim) -> bool:
    """Whether the numbers that are handed in would make up for what is claimed, too: it is about operators on the way there."""
    if is_about(claim, front) or (_is_whole(claim) and _is_in(front, claim)):
        return False
    between = () if claim.edge is None else claim.edge.only_torch
    nodes = between if claim.pair is None else (claim.pair.torch,)
    return any(op.index in node.raw for op in front.above for node in nodes)


def _is_whole(claim: Claim) -> bool:
    """Whether a claim is about a whole part that is computed otherwise, and about none of its operators."""
    return claim.what in VAGUE and not (isinstance(claim.details, Part) and claim.details.narrower)


def _is_in(front: Front, claim: Claim) -> bool:
    between = () if claim.edge is None else claim.edge.only_torch
    return any(op.index in node.raw for op in front.torch for node in between)


def is_of_a_layer(claim: Claim, front: Front) -> bool:
    """Whether a claim is about a layer that is known by its weights, elsewhere: that layer is its counterpart, and errs by itself."""
    return claim.pair is not None and bool(claim.pair.anchor) and not is_about(claim, front)


def explain(evidence: Evidence, claims: Claims) -> Iterator[Claim]:
    """The line that is proven to be the only fault, where no other claim tells it."""
    front = evidence.front
    if front is not None:
        yield Claim(Subject.ORDER if front.moved or front.exchanged else Subject.COMPUTED, details=front)


@np.errstate(invalid="ignore", over="ignore")  # infinities are like nothing
def parting(evidence: Evidence, lines: Collection[str]) -> Front | None:
    """Where torch's numbers leave Paddle's, if one line does that alone and it can be told. lines: where claims are, which are tried first."""
    elements = _elements(evidence)
    if evidence.offline or evidence.outputs_agree or elements > LARGEST:
        return None
    most = MANY if elements <= SMALL else MOST
    at_once = runs_at_once(evidence.paddle.trace, evidence.torch.trace)
    inside = elements <= APART
    paddle = Side(evidence.paddle, evidence.paddle_parameters, at_once=at_once, inside=inside)
    torch = Side(evidence.torch, evidence.torch_parameters)
    ours = Half(torch, paddle)
    guesses = _guesses(ours, Half(paddle, torch), lines, _kinds(evidence))
    in_turn = _in_turn(guesses, ours)
    for number, guess in enumerate(in_turn[:most], 1):
        front = guess.front()
        if _comes_right(evidence, front):
            return _further_up(evidence, front, guesses, most - number)
    return None


def _further_up(evidence: Evidence, front: Front, guesses: Sequence[Guess], left: int) -> Front:
    """The fault itself, where one that makes all right may be what follows from it: the nearest makers on both sides, step by step."""
    while left:
        above = {op.index: op for op in front.above}
        theirs = {op.outputs[0]: op.index for op in front.way[:-1]}
        nearer = [one for one in guesses if one.torch.index in above and one.paddle in theirs]
        nearer.sort(key=lambda one: (-one.torch.index, -theirs[one.paddle]))
        nearest = {one.torch.index: one for one in reversed(nearer)}
        for one in sorted(nearest.values(), key=lambda one: -one.torch.index)[:left]:
            left -= 1
            higher = one.front()
            if _comes_right(evidence, higher):
                front = higher
                break
        else:
            break
    return front


def _kinds(evidence: Evidence) -> Kinds:
    """What each recorded operator does, however it is called."""
    graphs = evidence.alignment.torch, evidence.alignment.paddle
    ours, theirs = ({node.op: node.kind for node in graph.nodes if node.op >= 0} for graph in graphs)

    def same(one: Op, other: Op) -> bool:
        kind = other.kind if isinstance(other, Step) else theirs.get(other.index, other.kind)
        return ours.get(one.index, one.kind) == kind

    return same


def _elements(evidence: Evidence) -> int:
    """How many numbers the operators of the longer run make."""
    return max(
        sum(prod(value.shape) for value in run.trace.values if value.origin == "operator")
        for run in (evidence.paddle, evidence.torch)
    )


def _guesses(ours: Half, theirs: Half, lines: Collection[str], same_kind: Kinds) -> list[Guess]:
    """What may be the fault, the likeliest first."""
    found = [
        *_otherwise(ours, theirs, lines, same_kind),
        *_lacking(ours, theirs, lines),
        *_exchanged(ours, theirs, lines),
    ]
    return sorted(found, key=lambda one: one.rank)


def _in_turn(guesses: Sequence[Guess], ours: Half) -> list[Guess]:
    """Of each line what is likeliest, then what it makes in the end, then the next of each."""
    by_line: dict[str, dict[tuple[object, ...], Guess]] = {}
    for one in guesses:
        by_line.setdefault(one.torch.line, {}).setdefault((one.torch.index, one.paddle, one.results), one)
    queue: list[tuple[int, Guess]] = []
    for found in by_line.values():
        first, *others = found.values()
        others.sort(key=lambda one: not ours.leaves_its_line(one.torch))
        queue.extend(enumerate([first, *others][:TURNS]))
    return [one for _, one in sorted(queue, key=_turn)]


def _turn(one: tuple[int, Guess]) -> tuple[bool, int, int]:
    turn, guess = one
    masked, unclaimed, far, index = guess.rank
    return masked, far + STEP * (turn + unclaimed), index


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


def _otherwise(ours: Half, theirs: Half, lines: Collection[str], same_kind: Kinds) -> Iterator[Guess]:
    """An operator makes something else of what Paddle has."""
    others = _by_size(theirs, DEEP)
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
        above=above,
        early=None if same_kind(op, other) else _early(ours, above, expected.way, same_kind),
        lacking=tuple((v, theirs.alike[v][0]) for v in sorted(lacking) if theirs.alike[v]),
        surplus=surplus,
        moved=moved,
    )


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


def _lacking(ours: Half, theirs: Half, lines: Collection[str]) -> Iterator[Guess]:
    """A result is Paddle's, and is taken where Paddle takes what it makes of it."""
    read = {value for op in ours.suspects for value in op.inputs.values()}
    others = _by_size(theirs, SHORT_WAY)
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


def _by_size(half: Half, deep: int) -> dict[int, list[tuple[Op, Origin]]]:
    """What one side alone makes, and of what, by its size."""
    found: dict[int, list[tuple[Op, Origin]]] = {}
    for op in half.strange:
        origin = half.made_of(op, deep)
        if origin.whole:
            found.setdefault(half.side.size(op.outputs[0]), []).append((op, origin))
    return found


def _together(ours: Half, op: Op, theirs: Half, other: Op) -> tuple[tuple[Op, ...], tuple[int, ...]]:
    """All that both lines run, for several layers or steps, if it is as often."""
    for key in (_line, _call, _sized_line, _sized_call):
        group, twins = (
            [one for one in _of_its_kind(half, this) if key(half, one) == key(half, this)]
            for half, this in ((ours, op), (theirs, other))
        )
        if len(group) == len(twins) and all(
            _same_size(ours, a, theirs, b) for a, b in zip(group, twins, strict=True)
        ):
            return tuple(group), tuple(one.outputs[0] for one in twins)
    return (op,), (other.outputs[0],)


def _of_its_kind(half: Half, op: Op) -> Iterator[Op]:
    """All operators; of one that stands for two runs together, all of those."""
    return (one for one in half.side.ops if _is_joined(one) == _is_joined(op))


def _is_joined(op: Op) -> bool:
    return op.outputs[0] < 0 and not isinstance(op, Step)


def _line(_: Half, op: Op) -> tuple[object, ...]:
    return op.line, op.name


def _call(_: Half, op: Op) -> tuple[object, ...]:
    return op.line, op.name, repr(op.attributes)


def _sized_line(half: Half, op: Op) -> tuple[object, ...]:
    return *_line(half, op), half.side.size(op.outputs[0])


def _sized_call(half: Half, op: Op) -> tuple[object, ...]:
    return *_call(half, op), half.side.size(op.outputs[0])


Result = tuple[Op, int]
"""A result of a call: the operator, and which of its outputs it is."""


def _exchanged(ours: Half, theirs: Half, lines: Collection[str]) -> Iterator[Guess]:
    """Two results of one line are taken in each other's place: of two calls, or of a call that has several; at every run of the line."""
    read = {value for op in ours.suspects for value in op.inputs.values()}
    by_line: dict[tuple[str, str, str], list[Op]] = {}
    for op in ours.side.ops:
        by_line.setdefault((op.line, op.name, op.module), []).append(op)
    for calls in by_line.values():
        for runs in _two_results(ours, calls):
            for number, (one, other) in enumerate(runs):
                values = _value(one), _value(other)
                known = all(map(ours.is_shared, values))
                if known and len(read.intersection(values)) >= (2 if len(one[0].outputs) > 2 else 1):
                    twins = ours.alike[values[1]][0], ours.alike[values[0]][0]
                    if ours.side.size(values[0]) == ours.side.size(values[1]) and twins[0] != twins[1]:
                        rank = False, one[0].line not in lines, 2, one[0].index
                        front = partial(_in_each_others_place, ours, theirs, runs, number, twins)
                        yield Guess(rank, one[0], twins[0], front, values)
                    break


def _two_results(ours: Half, calls: Sequence[Op]) -> Iterator[list[tuple[Result, Result]]]:
    """Every two results of a line, at each of its runs."""
    several = range(min(len(op.outputs) for op in calls))
    if len(several) > 1:
        for one, other in combinations(several, 2):
            yield [((op, one), (op, other)) for op in calls]
    elif len(calls) == 2 or (len(calls) % 2 == 0 and ours.at_once(calls[0], calls[1])):
        yield [((one, 0), (other, 0)) for one, other in zip(calls[::2], calls[1::2], strict=True)]


def _value(result: Result) -> int:
    op, number = result
    return op.outputs[number]


def _in_each_others_place(
    ours: Half, theirs: Half, runs: Sequence[tuple[Result, Result]], known: int, twins: tuple[int, int]
) -> Front:
    """At every run of the line what Paddle has in the other's place, if that is as often; else at the one where it is known."""
    expected = [_each_run(theirs, value, len(runs), known) for value in twins]
    if not all(expected):
        runs, expected = runs[known : known + 1], [[value] for value in twins]
    given: dict[int, int] = {}
    for pair, values in zip(runs, zip(*expected, strict=True), strict=True):
        given.update(zip(map(_value, pair), values, strict=True))
    inputs: dict[int, dict[str, int]] = {}
    for op in ours.side.trace.ops:
        for slot, value in op.inputs.items():
            if value in given:
                inputs.setdefault(op.index, {})[slot] = given[value]
    both = {op.index: op for op, _ in runs[known if len(runs) > known else 0]}
    return Front(tuple(both.values()), twins, exchanged=True, inputs=inputs)


def _each_run(half: Half, value: int, runs: int, known: int) -> list[int]:
    """The values that the line which makes `value` makes of the kind, one a run; none if it does not run as often."""
    op = half.side.maker.get(value)
    if op is None:
        return []
    which = op.outputs.index(value)
    calls = [one for one in half.side.ops if _line(half, one) == _line(half, op)]
    made = [one.outputs[which] for one in calls if len(one.outputs) > which]
    stride, rest = divmod(len(made), runs)
    if rest or not stride:
        return []
    at = made.index(value)
    return made[at % stride :: stride] if at // stride == known else []


def _same_size(half: Half, op: Op, others: Half, other: Op) -> bool:
    return half.side.size(op.outputs[0]) == others.side.size(other.outputs[0])


def _comes_right(evidence: Evidence, front: Front) -> bool:
    """Whether torch's outputs are Paddle's with Paddle's numbers there alone."""
    plan = _plan(evidence, front)
    try:
        found = evidence.replayed_with(plan)
    except ModelError:
        return False
    return all(
        (-1, path) in found and seen.at_its_size(found[-1, path]).max_rel <= max(seen.limit, KNOWN_NUMBERS)
        for path, seen in evidence.observed.items()
    )


def _plan(evidence: Evidence, front: Front) -> ReplayPlan:
    if not front.inputs:
        pairs = zip(front.torch, front.paddle, strict=True)
        return ReplayPlan(
            outputs={op.index: _laid_out(evidence, value, op.outputs[0]) for op, value in pairs}
        )
    ops = evidence.torch.trace.ops
    return ReplayPlan(
        {
            op: {slot: _laid_out(evidence, value, ops[op].inputs[slot]) for slot, value in slots.items()}
            for op, slots in front.inputs.items()
        }
    )


def _laid_out(evidence: Evidence, value: int, like: int) -> int:
    """A value of Paddle's as torch lays it out: itself, or a copy with its axes in the order that has the shape of torch's value `like`."""
    expected, shape = evidence.paddle.value(value), evidence.torch.trace.values[like].shape
    if expected is None or squeezed(expected.shape) == squeezed(shape) or len(expected.shape) > RANK:
        return value
    for axes in permutations(range(len(expected.shape))):
        if squeezed(tuple(expected.shape[axis] for axis in axes)) == squeezed(shape):
            number = -1 - len(evidence.paddle.store.index)
            evidence.paddle.store.put(str(number), expected.load().transpose(axes))
            return number
    return value
