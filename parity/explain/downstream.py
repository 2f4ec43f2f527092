"""What stands before an input, less what another input tells already: a fault is told once, and not again further down.

A layer is known by its weight, so the values that it takes on both sides ought to be one, whether they are or not. Where such values
stand inside a wider segment, the segment begins behind them; and what both sides do alike from there on is no part of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from parity.align.alignment import Alignment, Edge
from parity.explain.evidence import Evidence
from parity.graph.node import Graph, Node
from parity.numbers.compare import difference
from parity.ops.kinds import kind_of

Ends = Mapping[int, tuple[int, Edge | None]]
"""Torch's value -> Paddle's, and the input that tells of a difference between them."""


def ends(evidence: Evidence) -> Ends:
    """The values that a layer takes on both sides though they do not correspond, and those that are known to be one."""
    alignment = evidence.alignment
    known: dict[int, tuple[int, Edge | None]] = {
        torch: (paddle, None) for torch, paddle in evidence.reached.items()
    }
    return known | {
        edge.torch_value: (edge.paddle_value, edge)
        for edge in alignment.edges
        if any(slot in edge.pair.torch.inputs for slot in kind_of(edge.pair.torch.kind).weights)
    }


def constants(evidence: Evidence) -> Ends:
    """Constants that hold the same numbers on both sides, though nothing pairs them."""
    return {torch: (paddle, None) for torch, paddle in _equal_constants(evidence)}


def _equal_constants(evidence: Evidence) -> Iterator[tuple[int, int]]:
    alignment = evidence.alignment
    theirs = [node.output for node in alignment.only_paddle if node.kind == "constant"]
    for node in alignment.only_torch if theirs else ():
        actual = evidence.torch.value(node.output) if node.kind == "constant" else None
        for value in theirs if actual is not None else ():
            expected = evidence.paddle.value(value)
            if actual is not None and expected is not None and difference(actual, expected).max_abs == 0.0:
                yield node.output, value


def beyond(alignment: Alignment, edge: Edge, known: Ends, made: Ends) -> tuple[Edge, list[Edge]]:
    """The input with what stands before it alone, and the other inputs that tell of the rest.

    made: constants, which count if without them and what is made of them alike one side alone has something left.
    """
    found = _cut(alignment, edge, known)
    if made and found[0].only_paddle and found[0].only_torch:
        less = _cut(alignment, edge, {**known, **made})
        if bool(less[0].only_paddle) != bool(less[0].only_torch):
            return less
    return found


def _cut(alignment: Alignment, edge: Edge, known: Ends) -> tuple[Edge, list[Edge]]:
    sides = edge.only_torch, edge.only_paddle
    ours, theirs = ({n.output for n in nodes} for nodes in sides)
    entering = [{value for n in nodes for value in n.data.values()} for nodes in sides]
    cuts = {
        torch: paddle
        for torch, (paddle, _) in known.items()
        if torch in ours | entering[0]
        and paddle in theirs | entering[1]
        and (torch in ours or paddle in theirs)
        if (torch, paddle) != (edge.torch_value, edge.paddle_value)
    }
    if not cuts:
        return edge, []
    torch = _above(alignment.torch, edge.torch_value, edge.only_torch, cuts)
    paddle = _above(alignment.paddle, edge.paddle_value, edge.only_paddle, cuts.values())
    torch, paddle = _unlike({**alignment.same, **cuts}, torch, paddle)
    return replace(edge, only_paddle=paddle, only_torch=torch), [
        before for value in cuts if (before := known[value][1]) is not None
    ]


def _above(graph: Graph, value: int, nodes: tuple[Node, ...], cuts: Iterable[int]) -> tuple[Node, ...]:
    """The part of a segment that lies between these values and its end."""
    inside, stop = {id(node) for node in nodes}, frozenset(cuts)
    return tuple(graph.above([value], lambda node: id(node) in inside and node.output not in stop))


def _unlike(
    same: dict[int, int], torch: tuple[Node, ...], paddle: tuple[Node, ...]
) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """What is left of both where the same operators of the same values are taken out, from the beginning on."""
    left = list(paddle)
    strange = []
    for node in torch:
        taken = [same.get(value) for value in node.inputs.values()]
        twin = next((other for other in left if _alike(node, other, taken)), None)
        if twin is None:
            strange.append(node)
        else:
            left.remove(twin)
            same[node.output] = twin.output
    return tuple(strange), tuple(left)


def _alike(node: Node, other: Node, taken: list[int | None]) -> bool:
    if node.kind != other.kind or node.attributes != other.attributes or None in taken:
        return False
    theirs: list[int | None] = list(other.inputs.values())
    return set(taken) == set(theirs) if kind_of(node.kind).commutative else taken == theirs
