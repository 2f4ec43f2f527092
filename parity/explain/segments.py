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

from parity.graph.node import Node
from parity.numbers.same import same
from parity.ops.kinds import DATAFLOW_KINDS
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


def parting(
    paddle: Sequence[Node], torch: Sequence[Node], paddle_value: Values, torch_value: Values
) -> tuple[Strangers, Strangers]:
    """(Paddle's, torch's) operators whose numbers only one of two segments has.

    The segments must be fed with the same numbers.
    """
    ours, theirs = _contents(torch, torch_value), _contents(paddle, paddle_value)
    return _strangers(paddle, theirs, ours), _strangers(torch, ours, theirs)


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
