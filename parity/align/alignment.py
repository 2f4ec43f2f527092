"""Which operator of one side is which of the other, and what connects them: the result of aligning."""

from __future__ import annotations

from dataclasses import dataclass, field

from parity.graph.node import Graph, Node, Shape

Values = tuple[int, int]
"""(Paddle's, torch's) value that two operators make: names a pair of operators whatever alignment it is in."""


@dataclass
class Pair:
    """One operator seen from both sides; `slots` maps torch slot -> Paddle slot.

    substituted: the two stand in the same place but are of different kinds. folded: Paddle's BatchNorm is part
    of torch's weights: its epsilon, and that of the weights. anchor: the parameter that tied them, "content", or "" for dataflow.
    """

    paddle: Node
    torch: Node
    slots: dict[str, str]
    substituted: bool = False
    anchor: str = ""
    folded: tuple[float, float] | None = None

    @property
    def values(self) -> Values:
        return self.paddle.output, self.torch.output

    def shapes(self, slot: str) -> tuple[Shape, Shape]:
        """(Paddle's, torch's) shape of what a slot of torch's takes."""
        return self.paddle.shape(self.slots.get(slot, slot)), self.torch.shape(slot)

    def same_shape(self, slot: str) -> bool:
        """Whether both models give the operator an input of one shape."""
        paddle, torch = self.shapes(slot)
        return paddle == torch


@dataclass(frozen=True)
class Edge:
    """One input of an aligned operator that the two sides do not feed from the same aligned value."""

    pair: Pair
    torch_slot: str
    torch_value: int
    paddle_value: int
    only_paddle: tuple[Node, ...]
    only_torch: tuple[Node, ...]

    @property
    def entering(self) -> set[int]:
        """What flows into torch's segment."""
        made = {node.output for node in self.only_torch}
        return {value for node in self.only_torch for value in node.data.values()} - made


@dataclass
class Alignment:
    """Everything that is known to correspond, and what is left on either side."""

    paddle: Graph
    torch: Graph
    pairs: list[Pair] = field(default_factory=list)
    same: dict[int, int] = field(default_factory=dict)
    outputs: dict[str, tuple[int, int]] = field(default_factory=dict)
    only_paddle: list[Node] = field(default_factory=list)
    only_torch: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    output_edges: dict[str, Edge] = field(default_factory=dict)
    apart: frozenset[Values] = frozenset()

    def pair_of_torch(self, node: Node) -> Pair | None:
        return self._by_torch.get(id(node))

    def __post_init__(self) -> None:
        self._by_torch: dict[int, Pair] = {}
        self._by_paddle: dict[int, Pair] = {}

    def add(self, pair: Pair) -> None:
        self.pairs.append(pair)
        self._by_torch[id(pair.torch)] = pair
        self._by_paddle[id(pair.paddle)] = pair
        self.same[pair.torch.output] = pair.paddle.output
        for torch_slot, paddle_slot in pair.slots.items():
            torch_value, paddle_value = pair.torch.inputs[torch_slot], pair.paddle.inputs[paddle_slot]
            if torch_value in self.torch.parameters and paddle_value in self.paddle.parameters:
                self.same.setdefault(torch_value, paddle_value)

    @property
    def whole(self) -> bool:
        """Whether every operator has a counterpart, and each is fed with what that is fed with."""
        return not (self.edges or self.output_edges or self.only_paddle or self.only_torch)

    def has_torch(self, node: Node) -> bool:
        return id(node) in self._by_torch

    def has_paddle(self, node: Node) -> bool:
        return id(node) in self._by_paddle
