"""A trace as a graph in one canonical form, so that style does not matter.

Two correct ports of one network differ in a hundred ways that change nothing: a bias added by the
convolution or after it, `flatten` or `view` or a pool that keeps its dimensions, `chunk` or `split` or a
slice, ReLU6 or a clip, a pad of its own or the convolution's. Each rule (`parity.graph.rules`) removes one such choice.
Values that hold the same numbers in the same order (reshapes, copies, switched-off dropout) become one.

A node keeps the numbers of the raw operators that it stands for and where each of its inputs enters them:
that is how a value is loaded, and how a teacher-forced run knows what to replace.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from parity.graph.builder import Builder, Rewrite
from parity.graph.node import ARITHMETIC, Graph, Node
from parity.graph.reading import read
from parity.graph.rules.every import REWRITES
from parity.ops.kinds import kind_of
from parity.trace.trace import Trace


def build(trace: Trace, pointwise: Collection[str] = ()) -> Graph:
    """The canonical graph of a trace; convolutions with a weight of `pointwise` are read as the Linears that they are."""
    b = Builder(trace, pointwise)
    for op in trace.ops:
        read(b, op)
    b.refresh()
    changed = True
    while changed:
        changed = False
        for rule in REWRITES:
            changed |= _apply(b, rule)
    return _finished(b)


def _apply(b: Builder, rule: Rewrite) -> bool:
    """Whether the rule changed a node."""
    changed = False
    for node in list(b.nodes):
        if not node.dead and rule(b, node):
            changed = True
    if changed:
        b.refresh()
    return changed


def _finished(b: Builder) -> Graph:
    trace = b.trace
    outputs = {path: None if v is None else b.resolve(v) for path, v in trace.outputs.items()}
    nodes = b.alive([v for v in outputs.values() if v is not None])
    made = {node.output for node in nodes if not _part_of_parameter(b, node)}
    for number, node in enumerate(nodes):
        node.order = float(number)
        node.computed = frozenset(
            slot for slot in kind_of(node.kind).weights if node.inputs.get(slot, -1) in made
        )
    graph = Graph(
        framework=trace.framework,
        trace=trace,
        nodes=nodes,
        parameters=b.parameters,
        inputs={name: b.resolve(v) for name, v in trace.inputs.items()},
        outputs=outputs,
        shapes=b.shapes,
        silent=[replace(s, value=b.resolve(s.value)) for s in b.silent],
    )
    graph.stored = {node.output: node.output for node in nodes if node.op >= 0}
    for node in nodes:
        if node.kind in ARITHMETIC:
            node.owned = next(filter(None, (_owner(graph, value) for value in node.inputs.values())), "")
        for value in node.inputs.values():
            if value < len(trace.values) and trace.values[value].origin == "unknown":
                graph.unknown.append((value, node))
    return graph


def _owner(graph: Graph, value: int) -> str:
    """The parameter that a value is, in whatever shape; "" if it is none."""
    return graph.parameters.get(graph.source(value, lambda node: node.kind in ("move", "expand")), "")


def _part_of_parameter(b: Builder, node: Node) -> bool:
    """Whether a node's result is a parameter's own numbers: a slice of packed weights, a transpose."""
    return node.kind == "move" and b.is_parameter(node.inputs["x"])
