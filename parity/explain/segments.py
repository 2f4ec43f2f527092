"""The operator at fault inside a segment that the two sides write in different layouts.

Where one side keeps [batch, anchors, height, width] and the other [batch, height, width, anchors], operators do not pair, but
their numbers do, in another order. So numbers are compared as sorted: what torch makes and nothing in Paddle makes is
a stranger, and the first stranger whose inputs are none is where the two part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from parity.align.alignment import Edge
from parity.explain.evidence import Evidence
from parity.graph.node import Graph, Node
from parity.numbers.same import same
from parity.ops.kinds import DATAFLOW_KINDS, RECURRENT, kind_of
from parity.trace.values import Array, Stored

MOST = 1 << 22
"""Larger values are not sorted; they count as known."""

Values = Callable[[int], Any]
"""The stored numbers of a value, or None."""


def shares(graph: Graph, nodes: Sequence[Node]) -> bool:
    """Whether a segment uses weights that other calls use too."""
    weights = [node.inputs["weight"] for node in nodes if "weight" in node.inputs]
    return any(len({id(n) for n, _ in graph.consumers[w]}) > 1 for w in weights)


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
    lacking: tuple[Node, ...] = ()
    """What Paddle does to one input of that operator, which is the same on both sides otherwise."""
    surplus: tuple[Node, ...] = ()
    """What torch does to it."""
    feeds: int = -1
    """torch's value that comes in there."""


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
    if narrower and not sequence and torch.first is not None:
        for node in paddle.nodes:
            found = _one_way(evidence, edge, node, torch.first) if _same_call(node, torch.first) else None
            if found is not None:
                return replace(found, torch=torch, narrower=narrower)
    return Part(paddle, torch, narrower, _agreeing(evidence, edge) if sequence else None)


def _one_way(evidence: Evidence, edge: Edge, theirs: Node, ours: Node) -> Part | None:
    """Two operators that do the same, if what differs in their inputs is that one side does more to them."""
    apart = _inputs_apart(evidence, theirs, ours)
    lacking, surplus = [], []
    for expected, actual in apart:
        lacking.append(_way(edge.only_paddle, expected, evidence.torch.value(actual), evidence.paddle.value))
        surplus.append(_way(edge.only_torch, actual, evidence.paddle.value(expected), evidence.torch.value))
    kinds = {tuple(node.kind for node in nodes) for nodes in (*lacking, *surplus) if nodes}
    alone = len(kinds) == 1
    part = Part(Strangers((theirs,), theirs), NOWHERE, feeds=apart[0][1]) if apart and alone else None
    if part is not None and all(lacking) and not any(surplus):
        return replace(part, lacking=lacking[0])
    if part is not None and all(surplus) and not any(lacking):
        return replace(part, surplus=surplus[0])
    return None


def _same_call(node: Node, other: Node) -> bool:
    return node.kind == other.kind and node.attributes == other.attributes


def _inputs_apart(evidence: Evidence, theirs: Node, ours: Node) -> list[tuple[int, int]]:
    """(Paddle's, torch's) values that two operators take and that are not the same numbers; of a sum, in whatever order."""
    expected, actual = list(theirs.data.values()), list(ours.data.values())
    if len(expected) != len(actual):
        return []
    if kind_of(ours.kind).commutative:
        for value in tuple(actual):
            twin = next(
                (v for v in expected if _alike(evidence.paddle.value(v), evidence.torch.value(value))), None
            )
            if twin is not None:
                expected.remove(twin)
                actual.remove(value)
    pairs = zip(expected, actual, strict=True)
    return [(v, w) for v, w in pairs if not _alike(evidence.paddle.value(v), evidence.torch.value(w))]


def _way(nodes: Sequence[Node], value: int, source: Stored | None, values: Values) -> tuple[Node, ...]:
    """The operators that make a value of the numbers `source`; none if it is not made of them."""
    made = {node.output: node for node in nodes}
    above: dict[int, Node] = {}
    stack = [value]
    while stack:
        node = made.get(stack.pop())
        if node is not None and node.output not in above:
            above[node.output] = node
            stack.extend(node.data.values())
    on_way: set[int] = set()
    for node in nodes:
        taken = node.data.values() if node.output in above else ()
        if on_way.intersection(taken) or any(_alike(values(v), source) for v in taken):
            on_way.add(node.output)
    return tuple(node for node in nodes if node.output in on_way)


def _alike(stored: Stored | None, other: Stored | None) -> bool:
    """Whether two values are the same numbers, in whatever order."""
    if stored is None or other is None or stored.size != other.size or not 0 < stored.size <= MOST:
        return False
    ours, theirs = (np.sort(array.load().astype(np.float64), axis=None) for array in (stored, other))
    return same(ours, theirs)


def made_by_paddle(evidence: Evidence, value: int) -> bool:
    """Whether Paddle makes the same numbers as torch does here, in whatever order, in the free runs."""
    stored = evidence.torch.value(value)
    theirs = (evidence.paddle.value(node.output) for node in evidence.alignment.paddle.nodes)
    return stored is not None and stored.size > 1 and any(_alike(other, stored) for other in theirs)


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
