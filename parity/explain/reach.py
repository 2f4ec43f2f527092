"""Which numbers can come to an operator at all, and whether two functions of one number are the same on all of those.

What shows nothing on the numbers of one run may show on others: a slope that no negative number met. Where no number can meet it, a
clip to -1 and 2 behind a sigmoid, there is nothing that anybody could observe, and so no difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from parity.align.alignment import Edge, Pair
from parity.graph.formulas.pieces import OF_ONE
from parity.graph.node import Graph, Node
from parity.limits import SAME_FUNCTION
from parity.runs.run import Run
from parity.trace.values import Array

Range = tuple[float, float]

EVERY: Range = (-np.inf, np.inf)

BOUNDED: Mapping[str, Range] = {
    "sigmoid": (0.0, 1.0),
    "hardsigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "erf": (-1.0, 1.0),
    "sin": (-1.0, 1.0),
    "cos": (-1.0, 1.0),
    "relu": (0.0, np.inf),
    "abs": (0.0, np.inf),
    "sqrt": (0.0, np.inf),
    "exp": (0.0, np.inf),
    "square": (0.0, np.inf),
    "softplus": (0.0, np.inf),
    "norm": (0.0, np.inf),
}
"""Kinds of operators -> what they make of any numbers."""

PASSING = frozenset({"identity", "move", "expand", "max_pool", "avg_pool", "amax", "amin", "mean"})
"""Kinds that make nothing larger or smaller than what they are given; zero may come in by a padding."""

FAR = 1e4
"""A grid goes so far where nothing bounds it."""


def reach(graph: Graph, value: int, run: Run) -> Range:
    """Between which numbers a value lies whatever numbers the model is given; both ends may be infinite.

    A constant is what it was in `run`: other shapes, which may make it another one, are inputs of their own.
    """
    node = graph.producer.get(value)
    if node is not None and node.kind == "constant":
        stored = run.value(value)
        numbers = None if stored is None or not stored.size else stored.load()
        return EVERY if numbers is None else (float(numbers.min()), float(numbers.max()))
    if node is None or "x" not in node.takes:
        return EVERY
    if node.kind in PASSING:
        low, high = reach(graph, node.takes["x"].value, run)
        return min(low, 0.0), max(high, 0.0)
    if node.kind == "clip":
        low, high = reach(graph, node.takes["x"].value, run)
        at_least, at_most = node.attributes.get("min"), node.attributes.get("max")
        return (
            low if at_least is None else max(low, float(at_least)),
            high if at_most is None else min(high, float(at_most)),
        )
    if node.kind == "affine":
        scale, shift = float(node.attributes["scale"]), float(node.attributes["shift"])
        ends = [scale * end + shift for end in reach(graph, node.takes["x"].value, run)] if scale else [shift]
        return min(ends), max(ends)
    return BOUNDED.get(node.kind, EVERY)


def pair_is_idle(graph: Graph, pair: Pair, run: Run) -> bool:
    """Whether two functions of one number, which `graph` and `run` (Paddle's) feed, are the same on all that can come in."""
    nodes = pair.paddle, pair.torch
    if any(node.kind not in OF_ONE or len(node.data) != 1 or "x" not in node.data for node in nodes):
        return False
    numbers = _grid(reach(graph, pair.paddle.data["x"], run))
    return _same(*(_made((node,), numbers) for node in nodes))


def segment_is_idle(graph: Graph, edge: Edge, run: Run) -> bool:
    """Whether operators that one side alone has, in a row, change nothing that can come in; graph, run: of that side."""
    nodes = sorted(edge.only_paddle or edge.only_torch, key=lambda node: node.raw)
    value = nodes[0].data.get("x", -1)
    before = value
    for node in nodes:
        if node.kind not in OF_ONE or set(node.data.values()) != {before}:
            return False
        before = node.output
    numbers = _grid(reach(graph, value, run))
    return _same(_made(nodes, numbers), numbers)


def _made(nodes: Sequence[Node], numbers: Array) -> Array:
    with np.errstate(all="ignore"):
        for node in nodes:
            numbers = np.asarray(OF_ONE[node.kind](node, numbers))
    return numbers


def _grid(between: Range) -> Array:
    """Both ends, zero, and numbers of every size between."""
    low, high = max(between[0], -FAR), min(between[1], FAR)
    sizes = np.concatenate([[0.0], np.geomspace(1e-6, FAR, 2000), np.linspace(0.0, 16.0, 2000)])
    numbers = np.concatenate([-sizes, sizes, [low, high]])
    return np.unique(numbers[(numbers >= low) & (numbers <= high)])


def _same(expected: Array, actual: Array) -> bool:
    with np.errstate(invalid="ignore"):
        near = np.abs(expected - actual) <= SAME_FUNCTION * np.maximum(np.abs(expected), 1e-6)
    return bool((near | (expected == actual)).all())
