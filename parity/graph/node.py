"""The operators of a graph in canonical form, and the graph."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from parity.graph.moves import Indices
from parity.ops.kinds import kind_of
from parity.trace.trace import Framework, Trace


@dataclass
class Node:
    """One canonical operator.

    inputs: slot -> value; shapes: slot -> shape of the input as the raw operator saw it.
    entries: slot -> (raw operator, raw slot) where the input enters; a slot without entry cannot be forced.
    output: the value it makes; `op` the raw operator that finally made it (-1: made by a rewrite, no array).
    indices: of a "move", where each number comes from. rows: of a layer that is part of a wider one (query, key
    and value packed into one Linear), which outputs of the wider layer it makes. content: a digest of the layer's own weight, if it has one.
    also: slot -> further places where the same input enters. decided: attribute -> raw operator that decides it, where
    the node is an operator that the model writes out.
    computed: weight slots that hold no parameter.
    owned: the parameter or buffer that arithmetic takes as one of its two numbers: a factor per channel, a mask.
    """

    kind: str
    inputs: dict[str, int]
    output: int
    attributes: dict[str, Any]
    op: int
    raw: tuple[int, ...]
    entries: dict[str, tuple[int, str]]
    shapes: dict[str, tuple[int, ...]]
    module: str
    line: str
    name: str
    order: float = 0.0
    dead: bool = False
    indices: Indices | None = None
    rows: tuple[int, int] | None = None
    content: str = ""
    also: dict[str, tuple[tuple[int, str], ...]] = field(default_factory=dict)
    decided: dict[str, int] = field(default_factory=dict)
    computed: frozenset[str] = frozenset()
    owned: str = ""

    @property
    def data(self) -> dict[str, int]:
        """Inputs that are not weights, or weights that the model computes (modulated, masked, standardized)."""
        weights = kind_of(self.kind).weights
        return {
            slot: value for slot, value in self.inputs.items() if slot not in weights or slot in self.computed
        }


ARITHMETIC = frozenset({"add", "sub", "mul", "div"})
"""Kinds of two numbers, of which one may be a model's own."""


@dataclass
class Silent:
    """An operator that changed nothing in this run: an Identity, a dropout in eval, a detach."""

    kind: str
    value: int
    attributes: Mapping[str, Any]
    module: str
    line: str


@dataclass
class Graph:
    """The canonical operators of a trace, in order, dead code removed."""

    framework: Framework
    trace: Trace
    nodes: list[Node]
    parameters: dict[int, str]
    inputs: dict[str, int]
    outputs: dict[str, int | None]
    shapes: dict[int, tuple[int, ...]]
    silent: list[Silent] = field(default_factory=list)
    stored: dict[int, int] = field(default_factory=dict)
    unknown: list[tuple[int, Node]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.index()

    def index(self) -> None:
        """Find producers and consumers anew, after nodes were changed."""
        self.producer: dict[int, Node] = {node.output: node for node in self.nodes}
        self.consumers: dict[int, list[tuple[Node, str]]] = defaultdict(list)
        for node in self.nodes:
            for slot, value in node.inputs.items():
                self.consumers[value].append((node, slot))

    def chain(self, value: int, through: Callable[[Node], bool]) -> list[Node]:
        """The operators of one input that a value went through, from the last one up, as long as `through` lets it."""
        found = []
        while (node := self.producer.get(value)) is not None and len(node.data) == 1 and through(node):
            found.append(node)
            (value,) = node.data.values()
        return found

    def source(self, value: int, through: Callable[[Node], bool]) -> int:
        """Where a value's numbers come from: the nearest value above that `through` stops at."""
        chain = self.chain(value, through)
        return next(iter(chain[-1].data.values())) if chain else value

    def above(self, values: Iterable[int], through: Callable[[Node], bool]) -> list[Node]:
        """Every operator above some values that `through` lets pass, on any way, in order."""
        found: dict[int, Node] = {}
        stack = list(values)
        while stack:
            node = self.producer.get(stack.pop())
            if node is not None and id(node) not in found and through(node):
                found[id(node)] = node
                stack.extend(node.data.values())
        return sorted(found.values(), key=lambda node: node.order)
