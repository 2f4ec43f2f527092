"""Parameters paired in the parts in which two runs look alike, where they do not look alike as a whole.

One bias, one BatchNorm or one branch too many on one side tells every vertex around it apart, and refinement to the end
carries that through the whole graph. So what is the only one of its kind within some steps is paired, and from each
pair on the pairs grow: two operators are each other's when they do the same with values that are each other's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass, field

from parity.graph.node import Graph
from parity.match.dataflow import (
    VIEWS,
    Colours,
    Held,
    Piece,
    Vertices,
    named,
    numbered,
    told_apart,
    vertices_of,
)

STEPS = (12, 6, 3, 2, 1)
"""How far around a vertex is looked, farthest first."""
ORDER = "order of use"
"""How parameters were paired that nothing but the order in which the runs use them tells apart."""


@dataclass(frozen=True)
class Partial:
    """What parts of two runs say about their parameters; names are those of the models."""

    pairs: Mapping[str, str]
    """Torch name -> Paddle name."""
    how: Mapping[str, str]
    """Torch name -> how the pair was found."""
    unpaired_paddle: tuple[str, ...]
    unpaired_torch: tuple[str, ...]
    paddle: Mapping[str, Piece]
    torch: Mapping[str, Piece]


def partly(paddle: Graph, torch: Graph, constants: Collection[str] = ()) -> Partial:
    """Pair what can be paired but for `constants`, in the views from the most telling one on; the rest by the order of use."""
    pairs: dict[Held, Held] = {}
    how: dict[str, str] = {}
    pieces: tuple[dict[str, Piece], dict[str, Piece]] = {}, {}
    for view in VIEWS:
        sides = vertices_of(paddle, view, constants), vertices_of(torch, view, constants)
        for known, side in zip(pieces, sides, strict=True):
            known.update(side.pieces)
        both = _Both(*sides)
        both.know(pairs)
        both.settle()
        _add(pairs, how, both.parameters(), f"dataflow ({view})")
    _add(pairs, how, both.in_order(), ORDER)
    alone = [
        tuple(name for held in side.parameters.values() for name in held if held not in done)
        for side, done in zip(sides, (set(pairs), set(pairs.values())), strict=True)
    ]
    return Partial(named(pairs.items()), how, alone[0], alone[1], *pieces)


def _add(pairs: dict[Held, Held], how: dict[str, str], found: Iterator[tuple[Held, Held]], said: str) -> None:
    for ours, theirs in found:
        if ours not in pairs:
            pairs[ours] = theirs
            how |= dict.fromkeys(theirs, said)


@dataclass
class _Both:
    """Two graphs side by side; `pairs` are vertices that are each other's, Paddle's -> torch's."""

    paddle: Vertices
    torch: Vertices
    pairs: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.offset = len(self.paddle.labels)
        self.labels = numbered([*self.paddle.labels, *self.torch.labels])
        self.around: list[list[tuple[str, int]]] = [[] for _ in self.labels]
        for graph, start in ((self.paddle, 0), (self.torch, self.offset)):
            for source, target, label in graph.edges:
                self.around[start + source].append((f">{label}", start + target))
                self.around[start + target].append((f"<{label}", start + source))
        self.taken: set[int] = set()

    def know(self, pairs: Mapping[Held, Held]) -> None:
        """Parameters that are paired already."""
        theirs = {held: vertex + self.offset for vertex, held in self.torch.parameters.items()}
        for vertex, held in self.paddle.parameters.items():
            if pairs.get(held) in theirs:
                self._pair(vertex, theirs[pairs[held]])

    def settle(self) -> None:
        """Pair until nothing more is to be told."""
        while self._grow() or any(self._unique(steps) for steps in STEPS):
            pass

    def parameters(self) -> Iterator[tuple[Held, Held]]:
        """The pairs of parameters, by their names."""
        for ours, theirs in self.pairs.items():
            if ours in self.paddle.parameters and theirs - self.offset in self.torch.parameters:
                yield self.paddle.parameters[ours], self.torch.parameters[theirs - self.offset]

    def in_order(self) -> Iterator[tuple[Held, Held]]:
        """What is left of each shape, one by one, where both sides have as many: of one role first, then of any."""
        for told in (True, False):
            left: dict[Hashable, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
            for side, start, held in ((0, 0, self.paddle), (1, self.offset, self.torch)):
                for vertex in held.parameters:
                    if start + vertex not in self.taken:
                        roles = sorted({label for label, _ in self.around[start + vertex]}) if told else []
                        left[self.labels[start + vertex], tuple(roles)][side].append(vertex)
            for ours, theirs in left.values():
                if len(ours) == len(theirs):
                    for one, other in zip(ours, theirs, strict=True):
                        self._pair(one, self.offset + other)
                        yield self.paddle.parameters[one], self.torch.parameters[other]

    def _pair(self, ours: int, theirs: int) -> None:
        self.pairs[ours] = theirs
        self.taken |= {ours, theirs}

    def _grow(self) -> bool:
        """Pair what is beside a pair, where it is the only one of its kind there on both sides; whether there was any.

        From all pairs one step at a time, so that a difference in a chain of equal layers is found between its ends.
        """
        found = False
        frontier = list(self.pairs.items())
        while frontier:
            grown: list[tuple[int, int]] = []
            for ours, theirs in frontier:
                beside = self._beside(ours), self._beside(theirs)
                for key in beside[0].keys() & beside[1].keys():
                    one, other = beside[0][key], beside[1][key]
                    if len(one) == len(other) == 1 and not {one[0], other[0]} & self.taken:
                        self._pair(one[0], other[0])
                        grown.append((one[0], other[0]))
            found = found or bool(grown)
            frontier = grown
        return found

    def _beside(self, vertex: int) -> dict[tuple[str, int], list[int]]:
        """The unpaired vertices around one, by what they are to it and what they are."""
        held: dict[tuple[str, int], list[int]] = defaultdict(list)
        for label, other in self.around[vertex]:
            if other not in self.taken and other not in held[label, self.labels[other]]:
                held[label, self.labels[other]].append(other)
        return held

    def _unique(self, steps: int) -> bool:
        """Pair what is the only one with its surroundings on both sides; whether there was any."""
        colours = told_apart(self.around, self._own_colours(), steps)
        members: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for vertex, colour in enumerate(colours):
            if vertex not in self.taken:
                members[colour][vertex >= self.offset].append(vertex)
        found = [(ours[0], theirs[0]) for ours, theirs in members.values() if len(ours) == len(theirs) == 1]
        for ours, theirs in found:
            self._pair(ours, theirs)
        return bool(found)

    def _own_colours(self) -> Colours:
        """The labels, each pair with a colour of its own."""
        colours = list(self.labels)
        for number, (ours, theirs) in enumerate(self.pairs.items()):
            colours[ours] = colours[theirs] = len(colours) + number
        return numbered(colours)
