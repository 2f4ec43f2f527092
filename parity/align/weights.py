"""Parameters that correspond, through the slots of aligned operators, as numbers in one common layout.

A weight may be stored transposed, packed with others into one parameter, or sliced out of it: each twin knows which
numbers of either side's parameter it stands for, so that weights, gradients and updates compare alike, and
Paddle's can be written into torch's place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from parity.align import Alignment, Pair
from parity.graph import Graph, Node
from parity.moves import Indices
from parity.parameters import constant, digest
from parity.store import Array


@dataclass(frozen=True)
class Holding:
    """Where one side keeps a weight: the parameter's name and the flat positions, in the common layout."""

    name: str
    positions: Indices

    def read(self, arrays: Mapping[str, Array]) -> Array | None:
        """The weight's own numbers, or None if `arrays` lacks the parameter."""
        array = arrays.get(self.name)
        return None if array is None else array.reshape(-1)[self.positions]

    def write(self, arrays: Mapping[str, Array], numbers: Array) -> None:
        """Put numbers in the common layout where this side keeps them; `arrays` are contiguous."""
        arrays[self.name].reshape(-1)[self.positions] = numbers.reshape(self.positions.shape)


@dataclass(frozen=True)
class Twin:
    """A weight of an aligned operator on both sides."""

    pair: Pair
    slot: str
    paddle: Holding
    torch: Holding

    @property
    def name(self) -> str:
        return self.torch.name


def twins_of(alignment: Alignment) -> list[Twin]:
    """Every weight that aligned operators use in the same slot; one that is used again only once."""
    found: dict[tuple[str, str, bytes], Twin] = {}
    for pair in alignment.pairs:
        if pair.substituted or pair.folded:
            continue
        for torch_slot, paddle_slot in pair.slots.items():
            torch = held(alignment.torch, pair.torch, torch_slot)
            paddle = held(alignment.paddle, pair.paddle, paddle_slot)
            if torch is None or paddle is None or torch.positions.size != paddle.positions.size:
                continue
            if torch.positions.shape != paddle.positions.shape:
                paddle = Holding(paddle.name, paddle.positions.reshape(torch.positions.shape))
            key = (torch.name, paddle.name, torch.positions.tobytes())
            found.setdefault(key, Twin(pair, torch_slot, paddle, torch))
    return list(found.values())


def note_sliced_contents(graph: Graph, arrays: Mapping[str, Array]) -> None:
    """What `note_contents` does, for layers whose weight is sliced out of a wider parameter before it is used."""
    for node in graph.nodes:
        if node.content or "weight" not in node.inputs:
            continue
        holding = held(graph, node, "weight")
        weight = holding.read(arrays) if holding is not None else None
        if weight is not None and weight.size > 1 and not constant(weight):
            node.content = f"{node.kind}:{digest(weight)}"


def held(graph: Graph, node: Node, slot: str) -> Holding | None:
    """What a slot holds of a parameter: followed up through moves; None if it is no parameter."""
    value, moves = node.inputs[slot], []
    while value not in graph.parameters:
        producer = graph.producer.get(value)
        if producer is None or producer.indices is None:
            return None
        moves.append(producer)
        value = producer.inputs["x"]
    shape = graph.shapes[value]
    positions = np.arange(int(np.prod(shape, dtype=np.int64)), dtype=np.int64).reshape(shape)
    for move in reversed(moves):
        assert move.indices is not None
        positions = positions.reshape(-1)[move.indices].reshape(graph.shapes[move.output])
    if node.kind == "linear" and slot == "weight" and positions.ndim == 2:
        positions = positions.T if node.attributes.get("weight") == "in_out" else positions
    if node.rows is not None and slot in ("weight", "bias"):
        positions = positions[node.rows[0] : node.rows[1]]
    return Holding(graph.parameters[value], np.ascontiguousarray(positions))
