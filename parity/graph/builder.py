"""A graph in the making: nodes, what they are called by, and the few ways to change them.

`parity.graph.reading` adds the nodes, the rules change them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from parity.graph.moves import Indices, digest
from parity.graph.node import Input, Node, Silent, Spelling
from parity.trace.trace import Op, Trace

Rewrite = Callable[["Builder", Node], bool]


class Builder:
    """The nodes of a trace; `producer` and `uses` are those of the last `refresh`, kept up by the changes since."""

    def __init__(self, trace: Trace, pointwise: Collection[str] = ()) -> None:
        self.trace = trace
        self.pointwise = frozenset(pointwise)
        self.alias: dict[int, int] = {}
        self.nodes: list[Node] = []
        self.silent: list[Silent] = []
        self.shapes: dict[int, tuple[int, ...]] = {i: v.shape for i, v in enumerate(trace.values)}
        self.next = len(trace.values)
        self.read_already: set[int] = set()
        self.parameters = {p.value: name for name, p in reversed(trace.parameters.items())}
        self.producer: dict[int, Node] = {}
        self.uses: dict[int, int] = {}

    def resolve(self, value: int) -> int:
        while value in self.alias:
            value = self.alias[value]
        return value

    def alive(self, roots: Iterable[int]) -> list[Node]:
        """The nodes that these values are made of, in order."""
        producer = {node.output: node for node in self.nodes}
        alive: set[int] = set()
        stack = list(roots)
        while stack:
            node = producer.get(stack.pop())
            if node is not None and id(node) not in alive:
                alive.add(id(node))
                stack.extend(taken.value for taken in node.takes.values())
        return [node for node in self.nodes if id(node) in alive]

    def refresh(self) -> None:
        """Take out what no output is made of, and find anew who makes and who reads which value."""
        outputs = [self.resolve(v) for v in self.trace.outputs.values() if v is not None]
        alive = {id(node) for node in self.alive(outputs)}
        for node in self.nodes:
            node.dead = id(node) not in alive
        self.nodes = [node for node in self.nodes if not node.dead]
        self.producer = {node.output: node for node in self.nodes}
        self.uses = defaultdict(int)
        for node in self.nodes:
            for taken in node.takes.values():
                self.uses[taken.value] += 1
        for output in outputs:
            self.uses[output] += 1

    def add(self, node: Node) -> None:
        self.nodes.append(node)

    def fresh(self, shape: tuple[int, ...]) -> int:
        """A value that only the canonical form has."""
        self.shapes[self.next] = shape
        self.next += 1
        return self.next - 1

    def move(
        self,
        op: Op,
        source: int,
        shape: tuple[int, ...],
        output: int,
        indices: Indices,
        kind: str,
        attributes: Mapping[str, Any],
        *,
        real: bool = True,
        slot: str = "x",
    ) -> None:
        """A node that takes each number of `output` from a place in `source`."""
        self.add(
            Node(
                "move",
                {"x": Input(source, shape, ((op.index, slot),))},
                output,
                {"map": digest(indices)},
                op.index if real else -1,
                (op.index,),
                op.module,
                op.line,
                op.name,
                indices=indices,
                spelling=Spelling(how=((kind, _spelled(kind, attributes, shape)),), called=kind),
            )
        )

    def drop(self, node: Node) -> None:
        """Take a node out; whoever consumed its output must have been redirected."""
        node.dead = True
        self.nodes.remove(node)
        if self.producer.get(node.output) is node:
            del self.producer[node.output]

    def remove(self, node: Node, becomes: int) -> None:
        """Drop a node: its output is the value `becomes`."""
        self.drop(node)
        self.alias[node.output] = becomes
        for other in self.nodes:
            for slot, taken in other.takes.items():
                if taken.value == node.output:
                    other.takes[slot] = replace(taken, value=becomes)

    def absorb(self, first: Node, second: Node) -> None:
        """`second` consumes `first` alone and becomes part of it: `first` now makes second's output."""
        first.raw = (*first.raw, *second.raw)
        self.producer.pop(first.output, None)
        first.output, first.op = second.output, second.op
        second.dead = True
        self.producer[first.output] = first
        # The merged node stands where the last of its parts stood.
        self.nodes.remove(first)
        at = self.nodes.index(second)
        self.nodes.remove(second)
        if second.op >= 0:
            at = next((i for i, n in enumerate(self.nodes) if n.op > second.op), len(self.nodes))
        self.nodes.insert(at, first)

    def insert_before(self, place: Node, node: Node) -> None:
        """Put a new node in front of another."""
        self.nodes.insert(self.nodes.index(place), node)
        self.producer[node.output] = node
        self.uses[node.output] += 1

    def only_use(self, value: int) -> bool:
        return self.uses[value] == 1

    def is_parameter(self, value: int) -> bool:
        return value in self.parameters


def _spelled(kind: str, attributes: Mapping[str, Any], shape: tuple[int, ...]) -> str:
    """How a move was written and on which shape, for a message."""
    if kind == "getitem":
        entries = []
        for entry in attributes["slices"]:
            entries.append(
                str(entry)
                if isinstance(entry, int)
                else f"{entry[0]}:{entry[1]}" + (f":{entry[2]}" if entry[2] != 1 else "")
            )
        return f"slice [{', '.join(entries)}]"
    values = ", ".join(str(value) for value in attributes.values())
    return f"{kind}({values}) of shape {list(shape)}"
