"""Sums (and products) of the same values, put together in another order: `(a + b) + c` against `(c + a) + b`.

Both orders are right, but their inner sums are values that only one side has. Left alone they would be notes, and
the first thing to be blamed as soon as anything behind them differs. Where the operands of two such chains
correspond one to one, each chain becomes one operator of all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from parity.align.alignment import Alignment
from parity.graph.node import Graph, Node
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
    changed |= _merge_equal(alignment)
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
    ordered = _in_order_of(alignment, theirs, ours)
    if ordered is None:
        return False
    _flatten(paddle, theirs)
    _flatten(torch, ordered)
    return True


def _in_order_of(alignment: Alignment, theirs: list[Operand], ours: list[Operand]) -> list[Operand] | None:
    """Torch's operands in Paddle's order. A fault in an operand is none of the order: what was made of the same value
    stands for it, and the last one left over for the last one of the other side."""
    left, found = list(ours), dict[int, Operand]()
    paired = set(alignment.same.values())

    def origin(value: int, above: bool) -> int:
        return _origin(alignment.torch, value, alignment.same.__contains__) if above else value

    for above in (False, True):
        for i, (value, _, _) in enumerate(theirs):
            made_of = _origin(alignment.paddle, value, paired.__contains__) if above else value
            twin = next((o for o in left if alignment.same.get(origin(o[0], above)) == made_of), None)
            if i not in found and twin is not None:
                found[i] = twin
                left.remove(twin)
    for i in range(len(theirs)):
        if i not in found and len(left) == 1:
            found[i] = left.pop()
    return [found[i] for i in range(len(theirs))] if len(found) == len(theirs) else None


def _origin(graph: Graph, value: int, known: Callable[[int], bool]) -> int:
    """The nearest value above that has a twin, through operators of one input."""
    return graph.source(value, lambda node: not known(node.output))


def _merge_equal(alignment: Alignment) -> bool:
    """Merge the chains that are left, wherever they lead to, of which there is one of equal operands on either side."""
    found: dict[tuple[str, tuple[int, ...]], tuple[list[Node], list[Node]]] = defaultdict(lambda: ([], []))
    for side, graph in enumerate((alignment.paddle, alignment.torch)):
        for node in graph.nodes:
            known = alignment.has_torch(node) if side else alignment.has_paddle(node)
            if node.dead or known or not kind_of(node.kind).commutative:
                continue
            values = [value for value, _, _ in _operands(graph, node)]
            theirs = [alignment.same.get(value, -1) for value in values] if side else values
            if len(values) > 2 and -1 not in theirs:
                found[node.kind, tuple(sorted(theirs))][side].append(node)
    changed = False
    for paddle, torch in found.values():
        if len(paddle) == len(torch) == 1 and not (paddle[0].dead or torch[0].dead):
            changed |= _merge(alignment, paddle[0], torch[0])
    return changed


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
    top.raw = (*(raw for node in inner.values() for raw in node.raw), *top.raw)
    top.takes = {f"x[{i}]": node.takes[slot] for i, (_, node, slot) in enumerate(operands)}
    for node in inner.values():
        node.dead = True
