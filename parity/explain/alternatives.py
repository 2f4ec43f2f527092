"""Pairs of operators that only their place in the dataflow suggested, and that the numbers speak against.

Where a part of a network is written differently on both sides, operators of one kind may stand in one place and yet
not be each other's counterparts: the slice that cuts out a box's centre, and the slice that cuts out all of the box.
Handed Paddle's numbers, such a pair spoils everything behind it. So what is in doubt is tried apart: if the part then
comes out equal at its end, the pair never was one; if it does not, the pair is the closest thing to a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from parity.align.alignment import Alignment, Edge, Pair, Values
from parity.explain.configuration import attribute_differences
from parity.numbers.compare import Difference
from parity.ops.kinds import DATAFLOW_KINDS, kind_of
from parity.ops.table import constant_of
from parity.results.finding import Shows
from parity.results.judgement import Judgement, Row

ROUNDS = 3
"""How often pairs that a new alignment suggests are doubted in turn."""

GAIN = 2
"""By how many times fewer findings a whole segment must explain what its pairs explain one by one."""


NOTHING_SAID = 1 << 30
"""An alignment that leaves a difference without a finding is worse than any that finds one."""


class Tried(Protocol):
    """One alignment and what it led to."""

    alignment: Alignment
    result: Judgement
    rows: dict[int, Row]
    mixed_up: set[int]

    def edge_differs(self, edge: Edge) -> bool: ...

    def edge_unknown(self, edge: Edge) -> bool: ...

    def edge_permuted(self, edge: Edge) -> bool: ...


T = TypeVar("T", bound=Tried)


def best(tried: Callable[[frozenset[Values]], T]) -> T:
    """The judgement of the alignment that needs the fewest differences to explain both runs.

    `tried` aligns with the given pairs kept apart, and judges.
    """
    first = tried(frozenset())
    doubted = frozenset(_doubtful(first))
    if not doubted:
        return first
    found = tried(doubted)
    for _ in range(ROUNDS):
        more = frozenset(_doubtful(found)) - doubted
        if not more:
            break
        doubted |= more
        found = tried(doubted)
    cleared = doubted - _still_apart(first, found)
    if cleared != doubted:
        some = tried(cleared) if cleared else first
        told = not any(map(found.edge_unknown, _segments(found)))
        found = found if told and GAIN * _findings(found) <= _findings(some) else some
    return found if _weight(found) < _weight(first) else first


def _findings(judged: Tried) -> int:
    """How many lines there are to change; one that runs often errs once."""
    # What shows only in training tells nothing of the pairs: one trial sees it, another may not.
    return len({f.where or f.cause for f in judged.result.findings if f.shows is not Shows.TRAINING})


def _weight(judged: Tried) -> tuple[int, int]:
    """Findings, and in their absence rows that differ: what an alignment leaves to be explained."""
    count = _findings(judged)
    if not count and judged.result.inconclusive:
        return NOTHING_SAID, 0
    return count, 0 if count else sum(1 for row in judged.rows.values() if _apart(row, row.float64))


def _doubtful(judged: Tried) -> Iterator[Values]:
    """Pairs without a weight of their own that make other numbers, or take them, for no reason that they show."""
    explained = {
        id(d.pair) for d in attribute_differences(judged.alignment) if d.pair.torch.kind not in DATAFLOW_KINDS
    }
    explained |= judged.mixed_up
    explained |= {id(edge.pair) for edge in judged.alignment.edges if judged.edge_permuted(edge)}
    for pair in judged.alignment.pairs:
        row = judged.rows[id(pair)]
        numbers = row.local or row.float64
        if not _may_err(pair) or id(pair) in explained or not _apart(row, numbers):
            continue
        if (
            numbers is None
            or not numbers.max_rel <= constant_of(pair.torch.kind, pair.torch.shapes.get("x", ()))[1]
        ):
            yield pair.values
    for edge in judged.alignment.edges:
        if _may_err(edge.pair) and judged.edge_differs(edge) and id(edge.pair) not in explained:
            yield edge.pair.values


def _may_err(pair: Pair) -> bool:
    """A layer is known by its weight; an operator that takes a bare parameter may take it in another layout."""
    return not any(slot in pair.torch.inputs for slot in kind_of(pair.torch.kind).weights)


def _apart(row: Row, numbers: Difference | None) -> bool:
    return numbers is not None and not numbers.max_rel <= row.limit


def _segments(judged: Tried) -> list[Edge]:
    """Where something without a counterpart meets what has one."""
    edges = (*judged.alignment.edges, *judged.alignment.output_edges.values())
    return [edge for edge in edges if edge.only_paddle or edge.only_torch]


def _still_apart(first: Tried, found: Tried) -> frozenset[Values]:
    """The pairs of `first` that belong to segments which differ as a whole, too, or whose end nobody measured."""
    failing = {
        id(node)
        for edge in _segments(found)
        if found.edge_differs(edge) or found.edge_unknown(edge)
        for node in (*edge.only_paddle, *edge.only_torch)
    }
    return frozenset(
        pair.values
        for pair in first.alignment.pairs
        if id(pair.paddle) in failing or id(pair.torch) in failing
    )
