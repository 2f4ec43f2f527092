"""Sums (and products) of the same values, put together in another order: `(a + b) + c` against `(c + a) + b`.

Both orders are right, but their inner sums are values that only one side has. Left alone they would be notes, and
the first thing to be blamed as soon as anything behind them differs. Where the operands of two such chains
correspond one to one, each chain becomes one operator of all of them.
"""

from __future__ import annotations

from parity.align import Alignment
from parity.graph import Graph, Node
from parity.ops.kinds import kind_of

Operand = tuple[int, Node, str]
"""The value, and the node and slot of the chain that takes it."""


def reassociate(alignment: Alignment) -> bool:
    """Merge chains of equal operands on both sides; the graphs are changed: align them anew if this is true."""
    changed = False
    for edge in alignment.edges:
        pair = edge.pair
        if pair.substituted or pair.torch.dead or pair.paddle.dead:
            continue
        changed |= _merge(alignment, pair.paddle, pair.torch)
    for paddle_value, torch_value in alignment.outputs.values():
        paddle, torch = alignment.paddle.producer.get(paddle_value), alignment.torch.producer.get(torch_value)
        if paddle is not None and torch is not None and not (paddle.dead or torch.dead):
            changed |= _merge(alignment, paddle, torch)
    if changed:
        for graph in (alignment.paddle, alignment.torch):
            graph.nodes[:] = [node for node in graph.nodes if not node.dead]
            graph.index()
    return changed


def _merge(alignment: Alignment, paddle: Node, torch: Node) -> bool:
    if paddle.kind != torch.kind or not kind_of(paddle.kind).commutative:
        return False
    theirs, ours = _operands(alignment.paddle, paddle), _operands(alignment.torch, torch)
    if len(theirs) < 3 or len(theirs) != len(ours):
        return False
    ordered: list[Operand] = []
    for value, _, _ in theirs:
        found = next((o for o in ours if o not in ordered and alignment.same.get(o[0]) == value), None)
        if found is None:
            return False
        ordered.append(found)
    _flatten(paddle, theirs)
    _flatten(torch, ordered)
    return True


def _operands(graph: Graph, top: Node) -> list[Operand]:
    """What a chain of one kind takes, in order; inner results that anything else reads are operands themselves."""
    if set(top.inputs) != {"x", "y"}:
        return []
    found: list[Operand] = []
    for slot, value in top.inputs.items():
        inner = graph.producer.get(value)
        alone = inner is not None and len(graph.consumers[value]) == 1 and value not in graph.outputs.values()
        below = _operands(graph, inner) if inner is not None and alone and inner.kind == top.kind else []
        found += below or [(value, top, slot)]
    return found


def _flatten(top: Node, operands: list[Operand]) -> None:
    """Make `top` the operator of all operands, and the inner nodes dead."""
    inner = {id(node): node for _, node, _ in operands if node is not top}
    slots = [f"x[{i}]" for i in range(len(operands))]
    top.entries = {
        slot: node.entries[old]
        for slot, (_, node, old) in zip(slots, operands, strict=True)
        if old in node.entries
    }
    top.shapes = {
        slot: node.shapes.get(old, ()) for slot, (_, node, old) in zip(slots, operands, strict=True)
    }
    top.raw = (*(raw for node in inner.values() for raw in node.raw), *top.raw)
    top.inputs = {slot: value for slot, (value, _, _) in zip(slots, operands, strict=True)}
    for node in inner.values():
        node.dead = True
