"""Parameters that correspond, through the slots of aligned operators, as numbers in one common layout.

A weight may be stored transposed, packed with others into one parameter, or sliced out of it: each twin knows which
numbers of either side's parameter it stands for, so that weights, gradients and updates compare alike, and
Paddle's can be written into torch's place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from parity.align.alignment import Alignment, Pair
from parity.graph.moves import Indices
from parity.graph.node import Graph, Node
from parity.trace.values import Array


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


def effective(graph: Graph, node: Node, slot: str, arrays: Mapping[str, Array]) -> Array | None:
    """A layer's own weight as every framework would keep it: a Linear's as [out, in], a packed layer's part.

    None if the slot is empty or no parameter.
    """
    value = node.inputs.get(slot)
    name = graph.parameters.get(-1 if value is None else value, "")
    if name not in arrays:
        return None
    array = arrays[name]
    if (
        node.kind == "linear"
        and slot == "weight"
        and array.ndim == 2
        and node.attributes.get("weight") == "in_out"
    ):
        array = array.T
    if node.kind == "linear" and slot == "weight" and array.ndim > 2:
        # A convolution of single pixels.
        array = array.reshape(array.shape[:2])
    if node.rows is not None and array.ndim:
        array = array[node.rows[0] : node.rows[1]]
    return array


def note_contents(graph: Graph, arrays: Mapping[str, Array]) -> None:
    """Give every layer of the graph the digest of its weight, so that equal ones can find each other."""
    for node in graph.nodes:
        weight = effective(graph, node, "weight", arrays)
        if weight is not None and weight.size > 1 and not constant(weight):
            node.content = f"{node.kind}:{digest(weight)}"


def same_content(expected: Array, actual: Array) -> bool:
    if expected.shape != actual.shape:
        return False
    floats = expected.dtype.kind == "f"
    return all(
        np.array_equal(e, a) or np.array_equal(e, a, equal_nan=floats)
        for e, a in zip(_slices(expected), _slices(actual), strict=True)
    )


def constant(array: Array) -> bool:
    """Whether all numbers are the first one."""
    first = array[(0,) * array.ndim]
    return all(bool((part == first).all()) for part in _slices(array))


def _slices(array: Array) -> Iterator[Array]:
    """The array in parts of some rows: a mask of a large weight, or of its transpose, would be a copy of it."""
    if not array.ndim:
        yield array
        return
    rows = max(1, (1 << 20) * len(array) // array.size) if array.size else 1
    turned = array.ndim == 2 and not array.flags.c_contiguous
    for i in range(0, len(array), rows):
        part = array[i : i + rows]
        # Packed as it lies in memory first: only then does turning it stay in the cache.
        yield np.ascontiguousarray(part.T).T if turned else part


def digest(array: Array) -> str:
    """A digest of shape and numbers, whatever the order in memory."""
    found = hashlib.sha256(str(array.shape).encode())
    for part in _slices(array):
        found.update(np.ascontiguousarray(part).data)
    return found.hexdigest()
