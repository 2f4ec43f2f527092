"""Which torch parameter is which Paddle parameter, told from two recorded runs alone.

No name, no order of definition: only what each parameter feeds. Both graphs are coloured together until no
round tells more vertices apart (colour refinement; Weisfeiler and Leman 1968): a vertex's colour is its kind and
the colours of everything around it, so equal colours mean equal places in the dataflow. A colour that one
parameter has on each side is a pair. Colours that several share are symmetric branches: every way to pair them
is offered in turn, and the caller runs the models to decide.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from parity.graph.node import Graph, Node
from parity.ops.attributes import DEFAULTS
from parity.ops.kinds import kind_of

ARGUMENTS, OPERATORS, JOINS, LAYERS = (
    "operators and their arguments",
    "operators",
    "layers and joins",
    "layers",
)
VIEWS = (ARGUMENTS, OPERATORS, JOINS, LAYERS)
"""What is looked at, most telling first; a later view forgives a port its mistakes in what it leaves out."""

Colours = list[int]


@dataclass(frozen=True)
class Candidates:
    """Parameters that stand in the same place of the dataflow, so that any could be any."""

    torch: tuple[str, ...]
    paddle: tuple[str, ...]


@dataclass(frozen=True)
class Piece:
    """A parameter, or the rows of it that one layer works with."""

    name: str
    rows: tuple[int, int] | None
    turned: bool
    """Whether it is a matrix kept as [in, out]; its rows are the outputs all the same."""


@dataclass(frozen=True)
class Dataflow:
    """What two runs say about their parameters; names are those of the models."""

    view: str
    certain: Mapping[str, str]
    """Torch name -> Paddle name, where there is one possibility."""
    open: tuple[Candidates, ...]
    """Where there are several."""
    unpaired_paddle: tuple[str, ...]
    unpaired_torch: tuple[str, ...]
    paddle: Mapping[str, Piece]
    """What each name of Paddle stands for; of a parameter that several layers share out, `name[0:64]` is a part."""
    torch: Mapping[str, Piece]
    _refined: _Refined = field(repr=False)

    @property
    def complete(self) -> bool:
        """Whether every parameter has its counterpart, or several to choose from."""
        return not self.unpaired_paddle and not self.unpaired_torch

    def pairings(self) -> Iterator[dict[str, str]]:
        """Every way to pair all parameters, torch name -> Paddle name, those with the most alike names first."""
        return (named(pairs) for pairs in self._refined.assignments())


def dataflow(paddle: Graph, torch: Graph, constants: Collection[str] = ()) -> Dataflow:
    """Pair parameters by dataflow, in the most telling view in which the two runs look alike.

    `constants` are names that hold what the definition says, and are no parameters. Where they look alike in none, the result is that of the last view, and not `complete`.
    """
    for view in VIEWS:
        found = _read(view, vertices_of(paddle, view, constants), vertices_of(torch, view, constants))
        if found.complete:
            break
    return found


def _read(view: str, paddle: Vertices, torch: Vertices) -> Dataflow:
    refined = _Refined.of(paddle, torch)
    certain: dict[str, str] = {}
    candidates: list[Candidates] = []
    alone: tuple[list[str], list[str]] = [], []
    for ours, theirs in refined.classes():
        if len(ours) == len(theirs) == 1:
            certain |= named([(ours[0], theirs[0])])
        elif len(ours) == len(theirs):
            candidates.append(Candidates(*(tuple(held[0] for held in side) for side in (theirs, ours))))
        else:
            for side, held in zip(alone, (ours, theirs), strict=True):
                side.extend(name for names in held for name in names)
    left = (tuple(alone[0]), tuple(alone[1]))
    return Dataflow(view, certain, tuple(candidates), *left, paddle.pieces, torch.pieces, refined)


Rows = tuple[int, int]
Held = tuple[str, ...]
"""All names of one parameter: more than one where weights are tied."""


def named(pairs: Iterable[tuple[Held, Held]]) -> dict[str, str]:
    return {t: p for ours, theirs in pairs for t, p in zip(theirs, ours, strict=False)}


# -- graphs as vertices, labels and edges ---------------------------------------------------------


@dataclass
class Vertices:
    """A directed graph with labels on vertices and edges; `parameters` are the vertices that have names."""

    labels: list[Any] = field(default_factory=list)
    edges: list[tuple[int, int, str]] = field(default_factory=list)
    parameters: dict[int, Held] = field(default_factory=dict)
    pieces: dict[str, Piece] = field(default_factory=dict)

    def add(self, label: Any) -> int:
        self.labels.append(label)
        return len(self.labels) - 1


def vertices_of(graph: Graph, view: str, constants: Collection[str] = ()) -> Vertices:
    """Every value of a graph that `view` looks at; an operator stands for the value that it makes."""
    result = Vertices()
    held = _parameters(graph, constants)
    seen = {node.output: node for node in graph.nodes if _is_seen(node, view, held)}
    inputs = {value: name for name, value in graph.inputs.items()}
    vertex: dict[tuple[int, Rows | None], int] = {}

    def of(value: int, rows: Rows | None = None, turned: bool = False) -> int:
        if (value, rows) not in vertex:
            sizes = list(graph.shapes[value])
            if rows is not None:
                sizes[-1 if turned else 0] = rows[1] - rows[0]
            shape = tuple(sorted(n for n in sizes if n != 1))  # whichever way it is stored
            if view == LAYERS:
                shape = (math.prod(shape),)  # a Linear may be a convolution
            if value in seen:
                made = result.add(_label(seen[value], view))
            elif value in held:
                made = result.add(("parameter", shape))
                result.parameters[made] = tuple(_piece_name(name, rows) for name in held[value])
            else:
                made = result.add(("input", inputs[value]) if value in inputs else ("value", shape))
            vertex[value, rows] = made
        return vertex[value, rows]

    for value, node in seen.items():
        for slot, source in node.inputs.items():
            for maker in _makers(graph, source, seen):
                rows = node.rows if maker in held and slot in ("weight", "bias") else None
                turned = slot == "weight" and node.spelling.layout == "in_out"
                if maker in held:
                    for name in held[maker]:
                        result.pieces[_piece_name(name, rows)] = Piece(name, rows, turned)
                result.edges.append((of(maker, rows, turned), of(value), _slot(node, slot, view)))
    for path, output in graph.outputs.items():
        end = result.add(("output", path if view == ARGUMENTS else ""))
        if output is not None:
            result.edges += [(of(maker), end, "") for maker in _makers(graph, output, seen)]
    return result


def _piece_name(name: str, rows: Rows | None) -> str:
    return name if rows is None else f"{name}[{rows[0]}:{rows[1]}]"


def _is_seen(node: Node, view: str, held: Mapping[int, Held]) -> bool:
    if view in (ARGUMENTS, OPERATORS):
        return True
    return any(v in held for v in node.inputs.values()) or (view == JOINS and len(node.data) > 1)


def _parameters(graph: Graph, constants: Collection[str]) -> dict[int, Held]:
    """Value -> its names in the state dict, but for constants."""
    held: dict[int, Held] = {}
    for name, parameter in graph.trace.parameters.items():
        if parameter.registered and name not in constants:
            held[parameter.value] = (*held.get(parameter.value, ()), name)
    return held


def _makers(graph: Graph, value: int, seen: Mapping[int, Node]) -> set[int]:
    """The nearest values in view that `value` is made from; itself, where it is in view."""
    found: set[int] = set()
    visited: set[int] = set()
    stack = [value]
    while stack:
        at = stack.pop()
        if at in visited:
            continue
        visited.add(at)
        if at in seen or at not in graph.producer:
            found.add(at)
        else:
            stack.extend(graph.producer[at].inputs.values())
    return found


def _label(node: Node, view: str) -> Any:
    if view == LAYERS and node.kind == "conv":
        return "linear"
    if view != ARGUMENTS:
        return node.kind
    attributes = {
        name: _canonical(value)
        for name, value in {**DEFAULTS, **node.attributes}.items()
        if name not in kind_of(node.kind).ignored
    }
    return node.kind, tuple(sorted(attributes.items())), node.rows


def _canonical(value: Any) -> str:
    """A value as both frameworks see it: numbers as float32, sequences alike."""
    if isinstance(value, (bool, str)) or value is None:
        return str(value)
    if isinstance(value, (int, float)):
        return str(np.float32(value))
    if isinstance(value, (tuple, list)):
        return f"({','.join(map(_canonical, value))})"
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{k}:{_canonical(v)}' for k, v in sorted(value.items()))}}}"
    return str(value)


def _slot(node: Node, slot: str, view: str) -> str:
    """The edge's label: what the input is to the operator, where that has a meaning."""
    weights = kind_of(node.kind).weights
    if slot in weights:
        return slot
    return "" if view == LAYERS or kind_of(node.kind).commutative else slot


# -- colour refinement ----------------------------------------------------------------------------


@dataclass
class _Refined:
    """Both graphs in one, and the coarsest colouring in which equal colours have equal surroundings."""

    paddle: Mapping[int, Held]
    torch: Mapping[int, Held]
    around: list[list[tuple[str, int]]]
    colours: Colours

    @classmethod
    def of(cls, paddle: Vertices, torch: Vertices) -> _Refined:
        offset = len(paddle.labels)
        around: list[list[tuple[str, int]]] = [[] for _ in range(offset + len(torch.labels))]
        for graph, start in ((paddle, 0), (torch, offset)):
            for source, target, label in graph.edges:
                around[start + source].append((f">{label}", start + target))
                around[start + target].append((f"<{label}", start + source))
        moved = {offset + vertex: names for vertex, names in torch.parameters.items()}
        refined = cls(paddle.parameters, moved, around, [])
        refined.colours = refined.refine(numbered([*paddle.labels, *torch.labels]))
        return refined

    def refine(self, colours: Colours) -> Colours:
        """Tell vertices apart by the colours around them, until that tells no more apart."""
        return told_apart(self.around, colours)

    def _members(self, colours: Colours) -> Iterator[tuple[list[int], list[int]]]:
        """The parameters of each colour on both sides, as vertices, in the order of their first use."""
        found: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for side, held in enumerate((self.paddle, self.torch)):
            for vertex in held:
                found[colours[vertex]][side].append(vertex)
        yield from found.values()

    def classes(self) -> Iterator[tuple[list[Held], list[Held]]]:
        """The parameters of each colour on both sides, by their names."""
        for ours, theirs in self._members(self.colours):
            yield [self.paddle[v] for v in ours], [self.torch[v] for v in theirs]

    def assignments(self, colours: Colours | None = None) -> Iterator[list[tuple[Held, Held]]]:
        """Every way to pair parameters of equal colour that respects the edges between them."""
        colours = self.colours if colours is None else colours
        members = list(self._members(colours))
        if any(len(ours) != len(theirs) for ours, theirs in members):
            return
        several = [pair for pair in members if len(pair[0]) > 1]
        if not several:
            yield [(self.paddle[ours[0]], self.torch[theirs[0]]) for ours, theirs in members]
            return
        ours, theirs = min(several, key=lambda pair: len(pair[0]))
        first, alone = ours[0], len(colours)
        for other in sorted(theirs, key=lambda vertex: -self._likeness(first, vertex)):
            chosen = list(colours)
            chosen[first] = chosen[other] = alone  # they are each other's, and nobody else's
            yield from self.assignments(self.refine(numbered(chosen)))

    def _likeness(self, paddle: int, torch: int) -> float:
        return SequenceMatcher(None, self.paddle[paddle][0], self.torch[torch][0]).ratio()


def told_apart(
    around: Sequence[Sequence[tuple[str, int]]], colours: Colours, steps: int | None = None
) -> Colours:
    """Colours told apart by those around each vertex, `steps` times or until that tells no more apart."""
    count = len(set(colours))
    while steps is None or steps > 0:
        colours = numbered(
            [
                (colours[vertex], tuple(sorted((label, colours[other]) for label, other in beside)))
                for vertex, beside in enumerate(around)
            ]
        )
        if len(set(colours)) == count:
            break
        count = len(set(colours))
        steps = None if steps is None else steps - 1
    return colours


def numbered(labels: Sequence[Any]) -> Colours:
    """Equal labels to equal small numbers."""
    numbers: dict[Any, int] = {}
    return [numbers.setdefault(label, len(numbers)) for label in labels]
