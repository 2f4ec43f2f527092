"""Parameters that correspond, through the slots of aligned operators, as numbers in one common layout.

A weight may be stored transposed, packed with others into one parameter, or sliced out of it: each side's `Holding` knows
which numbers of the parameter it stands for, so that weights, gradients and updates compare alike, and
Paddle's can be written into torch's place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np

from parity.align.alignment import Alignment, Pair
from parity.graph.moves import Indices
from parity.graph.node import Graph, Node
from parity.trace.values import Array

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Holding:
    """Where one side keeps a weight, in the layout that both sides share.

    shape: of the parameter. moves: what cuts or turns it on its way to the layer. linear: whether it is the matrix of a
    Linear, which is [out, in] here; in_out: whether it is kept the other way round. rows: the part of a packed layer. shared: the shape
    in which the other side has it, if it has another one.
    """

    name: str
    shape: Shape
    maps: tuple[str, ...] = ()
    linear: bool = False
    in_out: bool = False
    rows: tuple[int, int] | None = None
    shared: Shape | None = None
    moves: tuple[tuple[Indices, Shape], ...] = field(default=(), compare=False, repr=False)
    """(source positions, shape of the result) of each move; `maps` has their digests."""

    def of(self, array: Array) -> Array:
        """The weight's own numbers out of an array like the parameter; a view of it where nothing moves them."""
        array = array.reshape(self.shape)
        for indices, shape in self.moves:
            array = array.reshape(-1)[indices].reshape(shape)
        if self.linear and array.ndim == 2 and self.in_out:
            array = array.T
        if self.linear and array.ndim > 2:
            # Of a convolution of single pixels, or of one whose patches are laid out in rows.
            array = array.reshape(array.shape[0], -1)
        if self.rows is not None and array.ndim:
            array = array[self.rows[0] : self.rows[1]]
        return array if self.shared is None else array.reshape(self.shared)

    def like(self, other: Holding) -> Holding | None:
        """This weight in the shape of another one; None if it has not as many numbers."""
        shapes = self._result(), other._result()
        if prod(shapes[0]) != prod(shapes[1]):
            return None
        return self if shapes[0] == shapes[1] else replace(self, shared=shapes[1])

    def _result(self) -> Shape:
        return self.of(np.broadcast_to(np.False_, self.shape)).shape

    @property
    def positions(self) -> Indices:
        """Which of the parameter's numbers these are, flat; as many numbers as the weight has."""
        return self.of(np.arange(prod(self.shape)))

    def read(self, arrays: Mapping[str, Array]) -> Array | None:
        """The weight's own numbers, or None if `arrays` lacks the parameter."""
        array = arrays.get(self.name)
        return None if array is None else self.of(array)

    def write(self, arrays: Mapping[str, Array], numbers: Array) -> None:
        """Put numbers in the common layout where this side keeps them; `arrays` are contiguous."""
        array = arrays[self.name]
        if self.moves or self.shared is not None:
            positions = self.positions
            array.reshape(-1)[positions] = numbers.reshape(positions.shape)
        else:
            own = self.of(array)
            own[...] = numbers.reshape(own.shape)


@dataclass(frozen=True)
class WeightPair:
    """A weight of an aligned operator on both sides."""

    pair: Pair
    slot: str
    paddle: Holding
    torch: Holding

    @property
    def name(self) -> str:
        return self.torch.name


def weight_pairs(alignment: Alignment) -> list[WeightPair]:
    """Every weight that aligned operators use in the same slot; one that is used again only once."""
    found: dict[tuple[Holding, str], WeightPair] = {}
    for pair in alignment.pairs:
        if pair.substituted or pair.folded:
            continue
        for torch_slot, paddle_slot in pair.slots.items():
            torch = held(alignment.torch, pair.torch, torch_slot)
            paddle = held(alignment.paddle, pair.paddle, paddle_slot)
            if torch is not None and paddle is not None and (paddle := paddle.like(torch)) is not None:
                found.setdefault((torch, paddle.name), WeightPair(pair, torch_slot, paddle, torch))
    return list(found.values())


def held(graph: Graph, node: Node, slot: str) -> Holding | None:
    """What a slot holds of a parameter: followed up through moves; None if it is empty or holds no parameter."""
    value = node.inputs.get(slot)
    if value is None:
        return None
    moves = []
    if value not in graph.parameters:
        moves = graph.chain(value, lambda above: above.indices is not None)[::-1]
        value = moves[0].inputs["x"] if moves else value
    if value not in graph.parameters:
        return None
    linear = node.kind == "linear" and slot == "weight"
    return Holding(
        graph.parameters[value],
        graph.shapes[value],
        maps=tuple(f"{move.attributes['map']} of {graph.shapes[move.output]}" for move in moves),
        linear=linear,
        in_out=linear and node.spelling.layout == "in_out",
        rows=node.rows if slot in ("weight", "bias") else None,
        moves=tuple((move.indices, graph.shapes[move.output]) for move in moves if move.indices is not None),
    )


def own_weight(graph: Graph, node: Node, slot: str, arrays: Mapping[str, Array]) -> Array | None:
    """A layer's own weight as both sides would keep it; None if the slot holds no parameter of `arrays`."""
    holding = held(graph, node, slot)
    return None if holding is None else holding.read(arrays)


def note_contents(graph: Graph, arrays: Mapping[str, Array]) -> None:
    """Give every layer of the graph the digest of its weight, so that equal ones can find each other."""
    for node in graph.nodes:
        weight = own_weight(graph, node, "weight", arrays)
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
