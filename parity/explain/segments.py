"""The operator at fault inside a segment that the two sides write in different layouts.

Where one side keeps [batch, anchors, height, width] and the other [batch, height, width, anchors], operators do not pair, but
their numbers do, in another order. So numbers are compared as sorted: what torch makes and nothing in Paddle makes is
a stranger, and the first stranger whose inputs are none is where the two part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.align.alignment import Edge
from parity.explain.evidence import Evidence
from parity.graph.node import Node
from parity.numbers.same import same
from parity.ops.kinds import DATAFLOW_KINDS, RECURRENT
from parity.trace.values import Array

MOST = 1 << 22
"""Larger values are not sorted; they count as known."""

Values = Callable[[int], Any]
"""The stored numbers of a value, or None."""


@dataclass(frozen=True)
class Strangers:
    """The operators of a segment that make what the other side never has, in order; `first` is where it begins."""

    nodes: tuple[Node, ...]
    first: Node | None


@dataclass(frozen=True)
class Part:
    """Where two segments part. narrower: whether fewer operators than the whole segments tell it."""

    paddle: Strangers
    torch: Strangers
    narrower: bool = False
    agreeing: tuple[int, int] | None = None
    """Of a sequence that differs: how many time steps agree, and how many there are."""


NOWHERE = Strangers((), None)


def parted(evidence: Evidence, edge: Edge) -> Part:
    """Where the segments of both sides part, if both are fed with the same numbers."""
    owned = evidence.alignment.torch.parameters
    if not all(
        value in owned or evidence.agrees(value) or made_by_paddle(evidence, value) for value in edge.entering
    ):
        return Part(NOWHERE, NOWHERE)
    ours = _contents(edge.only_torch, evidence.torch.value)
    theirs = _contents(edge.only_paddle, evidence.paddle.value)
    paddle, torch = _strangers(edge.only_paddle, theirs, ours), _strangers(edge.only_torch, ours, theirs)
    narrower = paddle.first is not None and (paddle.nodes, torch.nodes) != (edge.only_paddle, edge.only_torch)
    sequence = narrower and paddle.first is not None and paddle.first.kind in RECURRENT
    return Part(paddle, torch, narrower, _agreeing(evidence, edge) if sequence else None)


def made_by_paddle(evidence: Evidence, value: int) -> bool:
    """Whether Paddle makes the same numbers as torch does here, in whatever order, in the free runs."""
    stored = evidence.torch.value(value)
    if stored is None or not 1 < stored.size <= MOST:
        return False
    ours = np.sort(stored.load().astype(np.float64), axis=None)
    theirs = (evidence.paddle.value(node.output) for node in evidence.alignment.paddle.nodes)
    return any(
        same(ours, np.sort(other.load().astype(np.float64), axis=None))
        for other in theirs
        if other is not None and other.size == stored.size
    )


def _agreeing(evidence: Evidence, edge: Edge) -> tuple[int, int] | None:
    """How many time steps of a sequence [batch, time, features] agree, and how many there are."""
    expected, actual = evidence.paddle.value(edge.paddle_value), evidence.torch.value(edge.torch_value)
    if expected is None or actual is None or len(expected.shape) != 3 or expected.shape != actual.shape:
        return None
    theirs = expected.load()
    gaps = np.abs(actual.load() - theirs).max(axis=(0, 2))
    apart = np.flatnonzero(gaps > evidence.edge_limit(edge) * np.abs(theirs).max())
    return (int(apart[0]), gaps.size) if apart.size else None


def _contents(nodes: Sequence[Node], values: Values) -> dict[int, Array]:
    found = {}
    for node in nodes:
        stored = values(node.output)
        # A condition may as well be asked the other way round.
        if stored is not None and stored.dtype.kind not in "bc" and stored.size <= MOST and node.op >= 0:
            found[node.output] = np.sort(stored.load().astype(np.float64), axis=None)
    return found


def _strangers(nodes: Sequence[Node], own: dict[int, Array], other: dict[int, Array]) -> Strangers:
    """Operators whose numbers, and those of everything made of them here, the other side never has."""
    strange: set[int] = set()
    for node in reversed(nodes):
        readers = [n for n in nodes if node.output in n.inputs.values()]
        known = node.output not in own or any(same(own[node.output], array) for array in other.values())
        if not known and all(reader.output in strange for reader in readers):
            strange.add(node.output)
    found = tuple(node for node in nodes if node.output in strange)
    fed_alike = (n for n in found if not strange.intersection(n.data.values()))
    first = next((n for n in fed_alike if n.kind not in DATAFLOW_KINDS), found[0] if found else None)
    return Strangers(found, first)
