"""The operators of a graph in canonical form, and the graph."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from parity.graph.moves import Indices
from parity.ops.kinds import kind_of
from parity.trace.trace import Framework, Trace

Shape = tuple[int, ...]

Place = tuple[int, str]
"""(raw operator, its slot): where an input enters."""


@dataclass(frozen=True)
class Input:
    """What an operator takes in one slot.

    shape: as the raw operator saw it. places: every one where the value enters; without one it cannot be handed in.
    """

    value: int
    shape: Shape
    places: tuple[Place, ...] = ()

    def inside(self) -> Input:
        """The same value, as it enters an operator that only the canonical form has."""
        return replace(self, places=())


@dataclass(frozen=True)
class Spelling:
    """How an operator was written, and how to evaluate it again; two that differ in this alone are the same.

    how: of a chain of moves, the kind of each and how it was written. called: the kind that it is called by, if that is another one.
    by_hand: whether the model writes it out. layout: "in_out" or "out_in", how a Linear keeps its matrix; "channels_last" of a convolution that has them there. counted: whether
    axes are counted among the dimensions larger than 1; reduced: those of a normalization by hand as its operator saw them.
    negated: whether a rule turned the sign. exact, height: constants, to all digits. arguments: of a call that nobody knows, as it was given them.
    """

    how: tuple[tuple[str, str], ...] = ()
    called: str = ""
    by_hand: bool = False
    layout: str = ""
    counted: bool = False
    reduced: tuple[int, ...] | None = None
    negated: bool = False
    exact: Mapping[str, float] = field(default_factory=dict)
    height: float = 1.0
    arguments: str = ""


def joined(inputs: Sequence[Input]) -> Input:
    """One value that several operators took, as what takes their place takes it: handed in everywhere or nowhere."""
    known = all(taken.places for taken in inputs)
    return replace(inputs[0], places=tuple(taken.places[0] for taken in inputs) if known else ())


def fed_through(taken: Input, source: Input, shape: Shape | None = None) -> Input:
    """What an operator takes once the one before it is part of it: that one's own input, in `shape` if it is another."""
    return Input(source.value, source.shape if shape is None else shape, source.places or taken.places)


@dataclass
class Node:
    """One canonical operator.

    takes: slot -> what it takes there.
    output: the value it makes; `op` the raw operator that finally made it (-1: made by a rewrite, no array).
    indices: of a "move", where each number comes from. rows: of a layer that is part of a wider one (query, key
    and value packed into one Linear), which outputs of the wider layer it makes. content: a digest of the layer's own weight, if it has one.
    decided: attribute -> raw operator that decides it, where
    the node is an operator that the model writes out.
    computed: weight slots that hold no parameter.
    owned: the parameter or buffer that arithmetic takes as one of its two numbers: a factor per channel, a mask.
    """

    kind: str
    takes: dict[str, Input]
    output: int
    attributes: dict[str, Any]
    op: int
    raw: tuple[int, ...]
    module: str
    line: str
    name: str
    order: float = 0.0
    dead: bool = False
    indices: Indices | None = None
    rows: tuple[int, int] | None = None
    content: str = ""
    decided: dict[str, int] = field(default_factory=dict)
    computed: frozenset[str] = frozenset()
    spelling: Spelling = Spelling()
    owned: str = ""

    @property
    def inputs(self) -> dict[str, int]:
        """Slot -> value."""
        return {slot: taken.value for slot, taken in self.takes.items()}

    @property
    def data(self) -> dict[str, int]:
        """Inputs that are not weights, or weights that the model computes (modulated, masked, standardized)."""
        weights = kind_of(self.kind).weights
        return {
            slot: taken.value
            for slot, taken in self.takes.items()
            if slot not in weights or slot in self.computed
        }

    @property
    def shapes(self) -> dict[str, Shape]:
        """Slot -> shape of the input, as the raw operator saw it."""
        return {slot: taken.shape for slot, taken in self.takes.items()}

    def shape(self, slot: str) -> Shape:
        """The shape of what a slot takes, as the raw operator saw it; () if it takes nothing."""
        return self.takes[slot].shape if slot in self.takes else ()

    def places(self, slot: str) -> tuple[Place, ...]:
        """Every place where a slot's value enters a raw operator."""
        return self.takes[slot].places if slot in self.takes else ()

    def place(self, slot: str) -> Place | None:
        """The first of them; None if the value cannot be handed in."""
        return next(iter(self.places(slot)), None)


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
