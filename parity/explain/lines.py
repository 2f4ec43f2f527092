"""Which line of a model to edit: where a layer is made, where an operator is called, where a missing one belongs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from parity.align.alignment import Alignment, Edge, Pair
from parity.explain.statements import in_another_order, loop_around, parts
from parity.graph.node import Graph, Node
from parity.trace.trace import Op, Trace

LAID_OUT = frozenset({"reshape", "identity"})
"""What moves no number: recorded, and no operator of the graph."""

CONTAINERS = frozenset({"Sequential", "ModuleList", "ModuleDict", "LayerList", "LayerDict"})


def place(graph: Graph, node: Node) -> str:
    """The line that makes the layer if a layer of the framework runs this operator, else the line of the call."""
    return constructor(graph.trace, node.module) or node.line


def constructor(trace: Trace, path: str) -> str:
    """The line that makes a layer of the framework's own; "" for a module of the user's."""
    facts = trace.modules.get(path, {})
    own = facts.get("from") in ("torch.nn", "paddle.nn") and facts["type"] not in CONTAINERS
    return trace.constructors.get(path, "") if own else ""


def configured(alignment: Alignment, pair: Pair, value: Callable[[Node], Any]) -> str:
    """The line that decides a layer's configuration: where it is made, or where what it is made of is handed in.

    In a block that is made several times, one line makes a layer of each. Where it makes different ones in both
    frameworks, and right ones in other blocks, it passes on what it was given: the block's own constructor is the line.
    """
    trace = alignment.torch.trace
    path, below = pair.torch.module, 0
    line = constructor(trace, path)
    if not line:
        return place(alignment.torch, pair.torch)
    while "." in path:
        elsewhere = [
            other
            for other in alignment.pairs
            if trace.constructors.get(_above(other.torch.module, below)) == line
            and (block := _above(other.torch.module, below + 1)) != _above(path, 1)
            and other.torch.module.removeprefix(block) == pair.torch.module.removeprefix(_above(path, 1))
        ]
        ours = {repr(value(other.torch)) for other in (*elsewhere, pair)}
        theirs = {repr(value(other.paddle)) for other in (*elsewhere, pair)}
        right = any(repr(value(other.paddle)) == repr(value(other.torch)) for other in elsewhere)
        above = trace.constructors.get(_above(path, 1), "")
        if len(ours) < 2 or len(theirs) < 2 or not right or not above:
            break
        path, below, line = _above(path, 1), below + 1, above
    return line


def _above(path: str, levels: int) -> str:
    return ".".join(path.split(".")[: len(path.split(".")) - levels])


def missing(alignment: Alignment, edge: Edge, nodes: Sequence[Node] = (), latest: Node | None = None) -> str:
    """Where a segment that only Paddle has should stand in torch, in the module that corresponds to Paddle's.

    On the line of what feeds it if it shares that line in Paddle, else before what takes its result; at the end of
    forward if that is outside of the module. In a Sequential, where that is made.

    nodes: of Paddle's, if it is less than all of the segment; latest: what feeds them in torch, where that is known.
    """
    trace, theirs = alignment.torch.trace, alignment.paddle.trace
    nodes = nodes or edge.only_paddle
    first, last, consumer = nodes[0], nodes[-1], edge.pair.torch
    entering = _entering(alignment, nodes)
    if latest is None:
        feeding = [node for node in map(_maker(alignment), entering) if node]
        if not feeding:
            return consumer.line or at_end(alignment)
        latest = max(feeding, key=lambda node: node.order)
        twin = alignment.pair_of_torch(latest)
        fed = latest if twin is None else twin.paddle
    else:
        made = [alignment.paddle.producer[value] for value in entering if value in alignment.paddle.producer]
        fed = max(made, key=lambda node: node.order, default=first)
    owner = next((up for node in nodes if (up := _handed_down(node)) is not None), None)
    if owner is not None:
        # The layer around it has the numbers: its call hands them in.
        return line_in(trace, counterpart(latest.module, fed.module, owner)[0], consumer)
    scope, scope_paddle = counterpart(latest.module, fed.module, last.module)
    while scope and trace.modules.get(scope, {}).get("type") == "Sequential":
        if len(entering - alignment.paddle.parameters.keys()) == 1:
            return trace.constructors.get(scope, "") or consumer.line
        # What takes several values stands where the whole is called.
        scope = _above(scope, 1)
    if line_in(theirs, scope_paddle, first) == line_in(theirs, scope_paddle, fed):
        return line_in(trace, scope, latest)
    place = consumer.place(edge.torch_slot)
    if place is not None and all(node.op >= 0 for node in (first, last)):
        ops = [theirs.ops[node.op] for node in (first, last)]
        if line := beside(alignment, ops, trace.ops[place[0]].inputs[place[1]]):
            return line
    if consumer.kind != "output" and _within(consumer.module, scope):
        line = line_in(trace, scope, consumer)
        loop = loop_around(line)
        (file, begins), (fed_file, fed_at) = parts(loop), parts(line_in(trace, scope, latest))
        return loop if loop and file == fed_file and fed_at < begins else line
    return trace.returns.get(scope) or line_in(trace, scope, latest)


def _handed_down(node: Node) -> str | None:
    """The module whose parameter or buffer an operator of a module inside of it takes; None if it takes none, or its own."""
    owner = node.owned.rpartition(".")[0]
    return owner if node.owned and node.module != owner and _within(node.module, owner) else None


def beside(alignment: Alignment, lacking: Sequence[Op], *values: int) -> str:
    """The line of the reshape on the way to torch's values that has its counterpart right before, or behind, what Paddle alone does.

    "" if there is none.
    """
    torch, paddle = alignment.torch.trace, alignment.paddle.trace
    reshapes: dict[tuple[int, ...], Op] = {}
    for value in values:
        at = value
        # A Linear works on rows: it may stand before or behind what moves them.
        while (op := torch.maker.get(at)) is not None and op.kind in LAID_OUT | {"linear"}:
            if op.kind in LAID_OUT:
                reshapes.setdefault(torch.values[at].shape, op)
            at = op.inputs["x"]
    before = paddle.maker.get(next(iter(lacking[0].inputs.values()), -1))
    behind = next((op for op in paddle.ops if lacking[-1].outputs[0] in op.inputs.values()), None)
    near = [op for op in (before, behind) if op is not None and op.kind in LAID_OUT]
    near.sort(key=lambda op: op.line not in (lacking[0].line, lacking[-1].line))
    shapes = [
        paddle.values[op.outputs[0]].shape for op in near if op.line == lacking[-1].line or op is behind
    ]
    return next((reshapes[shape].line for shape in shapes if shape in reshapes), "")


def chosen(alignment: Alignment, edge: Edge) -> str:
    """Where an input is chosen that torch takes from elsewhere than Paddle: where it was last handed on, if both come from outside."""
    trace, consumer = alignment.torch.trace, edge.pair.torch
    if consumer.kind == "output":
        return at_end(alignment)
    sources = [alignment.torch.producer.get(edge.torch_value), _maker(alignment)(edge.paddle_value)]
    scope = _above(consumer.module, 1) if constructor(trace, consumer.module) else consumer.module
    while scope and not any(source is not None and _within(source.module, scope) for source in sources):
        scope = _above(scope, 1)
    return line_in(trace, scope, consumer)


def _entering(alignment: Alignment, nodes: Iterable[Node]) -> set[int]:
    """Paddle values that a segment takes from outside of it, weights excluded."""
    chain = list(nodes)
    made = {node.output for node in chain}
    return {value for node in chain for value in node.data.values()} - made


def _maker(alignment: Alignment) -> Callable[[int], Node | None]:
    """The torch operator that makes the value which a Paddle value corresponds to."""
    torch_value = {paddle: torch for torch, paddle in alignment.same.items()}
    return lambda value: alignment.torch.producer.get(torch_value.get(value, -1))


def counterpart(torch: str, paddle: str, other: str) -> tuple[str, str]:
    """The module in which Paddle calls `other` and its torch twin, which stands to `torch` as that to `paddle`."""
    theirs, there = paddle.split("."), other.split(".") if other else []
    shared = 0
    while shared < min(len(theirs), len(there)) and theirs[shared] == there[shared]:
        shared += 1
    return _above(torch, len(theirs) - shared) if torch else "", ".".join(theirs[:shared])


def _within(path: str, scope: str) -> bool:
    return path == scope or not scope or path.startswith(f"{scope}.")


def line_in(trace: Trace, scope: str, node: Node) -> str:
    """The line of a module's own forward that runs an operator: its call, or the call of the module that holds it."""
    if node.module == scope or (scope and not _within(node.module, scope)):
        return node.line
    parts = node.module.split(".")
    for count in range(len(scope.split(".")) + 1 if scope else 1, len(parts) + 1):
        path = ".".join(parts[:count])
        if path == node.module and constructor(trace, path):
            break
        at = max(node.raw, default=-1)
        lines = [line for start, line in trace.calls.get(path, ()) if start <= at and line]
        if lines:
            return lines[-1]
    return node.line


def named_otherwise(alignment: Alignment, *pairs: Pair) -> str:
    """The line, from the operators up, in which the same names stand in another order than in Paddle's: there they are exchanged."""
    for pair in pairs:
        ours, theirs = pair.torch.module, pair.paddle.module
        while True:
            line = line_in(alignment.torch.trace, ours, pair.torch)
            if in_another_order(line, line_in(alignment.paddle.trace, theirs, pair.paddle)):
                return line
            if not ours or not theirs:
                break
            ours, theirs = _above(ours, 1), _above(theirs, 1)
    return ""


def at_end(alignment: Alignment) -> str:
    """The line where torch's model returns what it returns."""
    trace = alignment.torch.trace
    return trace.returns.get("") or (trace.ops[-1].line if trace.ops else "")


def parting_line(trace: Trace, chains: list[list[Node]]) -> str:
    """The line that makes one chain's part and another's: where their operators part, or the split that parts them."""
    raws = [[number for node in chain for number in node.raw] for chain in chains]
    shared = 0
    while all(len(raw) > shared for raw in raws) and len({raw[shared] for raw in raws}) == 1:
        shared += 1
    if shared and trace.ops[raws[0][shared - 1]].kind in ("split", "unbind"):
        return trace.ops[raws[0][shared - 1]].line
    after = [raw[shared] for raw in raws if len(raw) > shared]
    return trace.ops[min(after)].line if after else ""
