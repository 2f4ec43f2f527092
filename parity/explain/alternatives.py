"""Pairs of operators that only their place in the dataflow suggested, and that the numbers speak against.

Where a part of a network is written differently on both sides, operators of one kind may stand in one place and yet
not be each other's counterparts: the slice that cuts out a box's centre, and the slice that cuts out all of the box.
Handed Paddle's numbers, such a pair spoils everything behind it. So what is in doubt is tried apart: if the part then
comes out equal at its end, the pair never was one; if it does not, the pair is the closest thing to a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from parity.align.alignment import Edge, Pair, Values
from parity.explain.claims import Claims
from parity.explain.evidence import Evidence
from parity.explain.exchanges import permuted
from parity.numbers.compare import Difference
from parity.ops.kinds import DATAFLOW_KINDS, kind_of
from parity.ops.table import constant_of
from parity.results.finding import Finding, Shows, Subject
from parity.results.grouping import by_line
from parity.results.judgement import Row

ROUNDS = 3
"""How often pairs that a new alignment suggests are doubted in turn."""

GAIN = 2
"""By how many times fewer findings a whole segment must explain what its pairs explain one by one."""


FED = frozenset(
    {Subject.ORDER, Subject.WIRING, Subject.MISSING, Subject.EXTRA, Subject.COMPUTED, Subject.EXCHANGED}
)
"""What is said of what feeds an operator."""

NOTHING_SAID = 1 << 30
"""An alignment that leaves a difference without a finding is worse than any that finds one."""


class Trial(NamedTuple):
    """One alignment and what it led to."""

    evidence: Evidence
    claims: Claims
    findings: list[Finding]


def best(tried: Callable[[frozenset[Values], bool], Trial]) -> Trial:
    """The judgement of the alignment that needs the fewest differences to explain both runs.

    `tried` aligns with the given pairs kept apart, boldly or not, and judges.
    """
    found = _apart_or_not(lambda apart: tried(apart, False))
    if sum(claim.what in FED for claim in found.claims.faults) < 2:
        return found
    # What is fed from elsewhere may have a counterpart all the same, and then one exchange explains many inputs.
    bold = tried(found.evidence.alignment.apart, True)
    return min(found, bold, key=lambda trial: (_weight(trial), len(by_line(trial.findings))))


def _apart_or_not(tried: Callable[[frozenset[Values]], Trial]) -> Trial:
    """With the pairs that the numbers speak against, or without them."""
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
        told = not any(map(found.evidence.edge_unknown, _segments(found)))
        found = found if told and GAIN * _findings(found) <= _findings(some) else some
    return found if _weight(found) < _weight(first) else first


def _findings(judged: Trial) -> int:
    """How many lines there are to change; one that runs often errs once."""
    # What shows only in training tells nothing of the pairs: one trial sees it, another may not.
    return len({f.where or f.cause for f in judged.findings if f.shows is not Shows.TRAINING})


def _weight(judged: Trial) -> tuple[int, int]:
    """Findings, and in their absence rows that differ: what an alignment leaves to be explained."""
    count = _findings(judged)
    if not count and judged.claims.doubts:
        return NOTHING_SAID, 0
    return count, 0 if count else sum(1 for row in judged.evidence.rows if _apart(row, row.float64))


def _doubtful(judged: Trial) -> Iterator[Values]:
    """Pairs without a weight of their own that make other numbers, or take them, for no reason that they show."""
    evidence, alignment = judged.evidence, judged.evidence.alignment
    explained = {
        id(pair)
        for pair in alignment.pairs
        if (id(pair) in evidence.attributes and pair.torch.kind not in DATAFLOW_KINDS)
        or judged.claims.holds_anothers(pair)
    }
    explained |= {id(edge.pair) for edge in alignment.edges if permuted(evidence, edge)}
    for pair in alignment.pairs:
        row = evidence.row(pair)
        numbers = row.local or row.float64
        if not _may_err(pair) or id(pair) in explained or not _apart(row, numbers):
            continue
        excused = constant_of(pair.torch.kind, pair.torch.shape("x"))[1]
        if (numbers is None or not numbers.max_rel <= excused) and not evidence.comes_right(pair):
            yield pair.values
    for edge in alignment.edges:
        if (
            _may_err(edge.pair)
            and evidence.edge_differs(edge)
            and id(edge.pair) not in explained
            and not evidence.comes_right(edge.pair)
        ):
            yield edge.pair.values


def _may_err(pair: Pair) -> bool:
    """A layer is known by its weight; an operator that takes a bare parameter may take it in another layout."""
    return not any(slot in pair.torch.inputs for slot in kind_of(pair.torch.kind).weights)


def _apart(row: Row, numbers: Difference | None) -> bool:
    return numbers is not None and not numbers.max_rel <= row.limit


def _segments(judged: Trial) -> list[Edge]:
    """Where something without a counterpart meets what has one."""
    alignment = judged.evidence.alignment
    edges = (*alignment.edges, *alignment.output_edges.values())
    return [edge for edge in edges if edge.only_paddle or edge.only_torch]


def _still_apart(first: Trial, found: Trial) -> frozenset[Values]:
    """The pairs of `first` that belong to segments which differ as a whole, too, or whose end nobody measured."""
    failing = {
        id(node)
        for edge in _segments(found)
        if found.evidence.edge_differs(edge) or found.evidence.edge_unknown(edge)
        for node in (*edge.only_paddle, *edge.only_torch)
    }
    return frozenset(
        pair.values
        for pair in first.evidence.alignment.pairs
        if id(pair.paddle) in failing or id(pair.torch) in failing
    )
