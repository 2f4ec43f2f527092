"""What zeros hide: operators whose results are multiplied by parameters of zeros, so that no output tells what they compute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from parity.align.weights import constant
from parity.graph.node import Graph, Node
from parity.ops.kinds import kind_of
from parity.trace.values import Array

PRODUCTS = frozenset({"mul", "matmul"})
"""Kinds in which zeros on one side leave nothing of the other."""

CARRYING = frozenset({"move", "expand", "identity"})
"""Kinds that make zeros of zeros."""


@dataclass(frozen=True)
class Hidden:
    """Operators of one side that reach no output, and the parameters of zeros behind them."""

    nodes: tuple[Node, ...]
    parameters: tuple[str, ...]


def hidden(graph: Graph, parameters: Mapping[str, Array]) -> Hidden:
    """What is above a product with zeros, and reaches the results on no other way."""
    zeros = {
        value for value, name in graph.parameters.items() if name in parameters and _is_zero(parameters[name])
    }
    if not zeros:
        return Hidden((), ())
    names = {value: graph.parameters[value] for value in zeros}
    for node in graph.nodes:
        data = list(node.inputs.values())
        if node.kind in CARRYING and data and zeros.issuperset(data):
            zeros.add(node.output)
            names[node.output] = names[data[0]]
    results = [value for value in graph.outputs.values() if value is not None]
    shown, cut = _above(graph, results, zeros)
    behind, _ = _above(graph, list(cut), set())
    nodes = tuple(node for node in graph.nodes if id(node) in behind.keys() - shown.keys())
    return Hidden(nodes, tuple(dict.fromkeys(names[zero] for zero in cut.values())) if nodes else ())


def _above(graph: Graph, values: list[int], zeros: set[int]) -> tuple[dict[int, Node], dict[int, int]]:
    """Every operator above some values, by identity, on ways that no zeros cut; and the values at which they do -> the zeros."""
    found: dict[int, Node] = {}
    cut: dict[int, int] = {}
    stack = list(values)
    while stack:
        node = graph.producer.get(stack.pop())
        if node is None or id(node) in found:
            continue
        found[id(node)] = node
        zero = next((v for slot, v in node.inputs.items() if v in zeros and _multiplies(node, slot)), None)
        for slot, value in node.data.items():
            if zero is None or value == zero or slot not in ("x", "y"):
                stack.append(value)
            else:
                cut[value] = zero
    return found, cut


def _is_zero(array: Array) -> bool:
    return array.size > 0 and not array.flat[0] and constant(array)


def _multiplies(node: Node, slot: str) -> bool:
    return node.kind in PRODUCTS or (slot == "weight" and slot in kind_of(node.kind).weights)
