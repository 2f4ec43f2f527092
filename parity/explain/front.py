"""Where torch's numbers leave Paddle's, whatever either is written as: found by numbers, proven by a run.

In a port that is written otherwise throughout, few operators have a counterpart, and what stands between them differs as a whole. But
most of the numbers are there on both sides. So each recorded operator is asked: does the other side have this result, in whatever layout? The
first that make what Paddle never has, of what Paddle has, are the front: one of them is the fault, and the others are other ways to write it. Which
one it is, torch tells: it goes its own way once more for each, with what Paddle makes of the same values handed in there alone. If all outputs come
right, that operator is the fault, and the only one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import permutations
from math import prod

import numpy as np

from parity.align.alignment import Alignment
from parity.capture.failed import ModelError
from parity.capture.replay import ReplayPlan
from parity.explain.claims import Claim, Claims, Front
from parity.explain.evidence import Evidence
from parity.explain.guess import Guess, Kinds
from parity.explain.made_otherwise import lacking, otherwise, superfluous
from parity.explain.prints import RANK, Half, Side
from parity.explain.segments import Part, shares
from parity.explain.steps.inside import Step
from parity.explain.taken_otherwise import exchanged, handed_in
from parity.explain.twice import runs_at_once
from parity.explain.words import squeezed
from parity.limits import KNOWN_NUMBERS
from parity.results.finding import Subject
from parity.trace.trace import Op

MOST = 10
"""Runs of torch that are spent on it."""

MANY = 30
"""The same where a run is short."""

SMALL = 1 << 19
"""Elements that a short run has at most."""

APART = 1 << 22
"""Elements of a run up to which operators are taken apart into steps."""

LARGEST = 1 << 24
"""Elements of a run above which its numbers are not looked through."""

STEP = 3
"""So many operators a further guess of one line counts, or a line of which nothing is claimed."""

TURNS = 4
"""So many guesses are made of a line."""

VAGUE = frozenset({Subject.COMPUTED, Subject.UNEXPLAINED})
"""What says that something differs and hardly what."""

SHORT = 6
"""Of so many operators a part that is computed otherwise is told by name."""


def tells(claim: Claim, front: Front, alignment: Alignment) -> bool:
    """Whether a claim says more than that something differs from here on."""
    edge, part = claim.edge, claim.details
    if claim.what is not Subject.COMPUTED or edge is None:
        return True
    if any(isinstance(op, Step) for op in front.way):
        # It is inside of what the claim can name.
        return False
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
    if claim.edge is not None:
        # What stands before it, and feeds it.
        nodes.append(claim.edge.pair.torch)
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
    # The front is a place in what is claimed as a whole.
    if is_about(claim, front) or (claim.what in VAGUE and _is_in(front, claim)):
        return False
    between = () if claim.edge is None else claim.edge.only_torch
    nodes = between if claim.pair is None else (claim.pair.torch,)
    return any(op.index in node.raw for op in front.above for node in nodes)


def _is_in(front: Front, claim: Claim) -> bool:
    between = () if claim.edge is None else claim.edge.only_torch
    return any(op.index in node.raw for op in front.torch for node in between)


def is_of_a_layer(claim: Claim, front: Front) -> bool:
    """Whether a claim is about a layer that is known by its weights, elsewhere: that layer is its counterpart, and errs by itself."""
    return claim.pair is not None and bool(claim.pair.anchor) and not is_about(claim, front)


def says_more(front: Front) -> bool:
    """Whether a front is about a value that comes in, and knows where that is chosen: no claim about what is made of it does."""
    return bool(front.called) or front.part is not None


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
        theirs = {op.outputs[0]: place for place, op in enumerate((*front.beside, *front.way[:-1]))}
        nearer = [
            one for one in guesses if one.torch.index in above and (one.paddle in theirs or one.results)
        ]
        nearer.sort(key=lambda one: (-one.torch.index, bool(one.results), -theirs.get(one.paddle, -1)))
        # Of what an operator makes otherwise the nearest; of what it takes otherwise each.
        nearest = {(one.torch.index, one.results and one.paddle): one for one in reversed(nearer)}
        for one in sorted(nearest.values(), key=lambda one: (bool(one.results), -one.torch.index))[:left]:
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
        *otherwise(ours, theirs, lines, same_kind),
        *lacking(ours, theirs, lines),
        *superfluous(ours, theirs, lines),
        *exchanged(ours, theirs, lines),
        *handed_in(ours, theirs, lines),
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
