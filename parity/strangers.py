"""The operator at fault inside a segment that the two sides write in different layouts.

Where one side keeps [batch, anchors, height, width] and the other [batch, height, width, anchors], operators do not pair, but
their numbers do, in another order. So numbers are compared as sorted: what torch makes and nothing in Paddle makes is
a stranger, and the first stranger whose inputs are none is where the two part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from parity.graph import Node
from parity.ops.kinds import DATAFLOW_KINDS
from parity.store import Array

WITHIN = 1e-9
"""Two sorted arrays are the same numbers within this, relative to the largest."""

MOST = 1 << 22
"""Larger values are not sorted; they count as known."""

Values = Callable[[int], Any]
"""The stored numbers of a value, or None."""


def parting(
    paddle: Sequence[Node], torch: Sequence[Node], paddle_value: Values, torch_value: Values
) -> tuple[Node | None, Node | None]:
    """(Paddle's, torch's) operator where the numbers of two segments part; None where they do not.

    The segments must be fed with the same numbers.
    """
    ours, theirs = _contents(torch, torch_value), _contents(paddle, paddle_value)
    return _first_stranger(paddle, theirs, ours), _first_stranger(torch, ours, theirs)


def _contents(nodes: Sequence[Node], values: Values) -> dict[int, Array]:
    found = {}
    for node in nodes:
        stored = values(node.output)
        if stored is not None and stored.size <= MOST and node.op >= 0:
            found[node.output] = np.sort(stored.load().astype(np.float64), axis=None)
    return found


def _first_stranger(nodes: Sequence[Node], own: dict[int, Array], other: dict[int, Array]) -> Node | None:
    """The first operator whose numbers, and those of everything made of them here, the other side never has."""
    strange: set[int] = set()
    made = {node.output for node in nodes}
    for node in reversed(nodes):
        readers = [n for n in nodes if node.output in n.inputs.values()]
        known = node.output not in own or any(_same(own[node.output], array) for array in other.values())
        if not known and all(reader.output in strange for reader in readers):
            strange.add(node.output)
    for node in nodes:
        inputs = [value for value in node.data.values() if value in made]
        if node.output in strange and not strange.intersection(inputs) and node.kind not in DATAFLOW_KINDS:
            return node
    return next((node for node in nodes if node.output in strange), None)


def _same(a: Array, b: Array) -> bool:
    if a.size != b.size or not a.size:
        return False
    scale = max(float(np.abs(b).max()), 1e-300)
    return bool(np.abs(a - b).max() <= WITHIN * scale)
