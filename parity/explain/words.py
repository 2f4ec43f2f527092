"""How operators, layers and numbers are called in a message."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from parity.align.alignment import Edge, Pair
from parity.graph.node import Graph, Node
from parity.numbers.compare import Difference
from parity.ops.table import row_of
from parity.results.finding import Finding, Shows
from parity.results.judgement import Row

SEEN: Mapping[Shows, str] = {
    Shows.NOTHING: "; no effect on these inputs",
    Shows.TRAINING: "; shows only in training",
}
"""What a cause ends in that explains no number of this run."""


def sentence(cause: str, shows: Shows) -> str:
    """A cause, with where it shows if that is not in the numbers of this run."""
    return cause + SEEN.get(shows, "")


def in_gradients(finding: Finding) -> Finding:
    """A finding that no number of the forward run shows, and a gradient does."""
    return replace(
        finding, cause=finding.cause.removesuffix(SEEN.get(finding.shows, "")), shows=Shows.GRADIENTS
    )


def operator_of(pair: Pair) -> str:
    return label(pair.torch) if not pair.substituted else f"{label(pair.paddle)} / {label(pair.torch)}"


def named(node: Node) -> str:
    return f"{label(node)} `{node.module}`" if node.module else label(node)


def layer(node: Node) -> str:
    """An operator for a message, with its path if it is a layer with weights of its own."""
    if node.kind == "constant":
        return f"constant ({node.name})"
    if node.spelling.how:
        return spelled(node)
    if node.kind == "affine":
        return line_of(node)
    if node.owned:
        return f"{label(node)} {'by' if node.kind in ('mul', 'div') else 'of'} `{node.owned}`"
    weighted = "weight" in node.inputs or "mean" in node.inputs
    if weighted and node.module:
        return f"{label(node)} `{node.module}`"
    return label(node) + arguments(node)


def line_of(node: Node, like: Node | None = None) -> str:
    """`x * 0.2 + 0.5`; with the signs that the code of `like` has, if its sign was turned by a rewrite."""
    sign = -1.0 if (like or node).spelling.negated else 1.0
    return _line(sign * node.attributes["scale"], sign * node.attributes["shift"])


def _line(scale: float, shift: float) -> str:
    times = "x" if scale == 1.0 else "-x" if scale == -1.0 else f"x * {show(scale)}"
    return times if not shift else f"{times} {'+' if shift > 0 else '-'} {show(abs(shift))}"


def layer_above(graph: Graph, node: Node) -> str:
    """Which layer an activation belongs to: " after Conv2d `block1.p2_1`"; "" for a layer itself."""
    found: Node | None = node
    for _ in range(4):
        if found is None or "weight" in found.inputs:
            break
        found = next((graph.producer[v] for v in found.data.values() if v in graph.producer), None)
    return (
        f" after {named(found)}"
        if found is not None and found is not node and "weight" in found.inputs
        else ""
    )


def at(edge: Edge) -> str:
    node = edge.pair.torch
    return f"the model's {node.name}" if node.kind == "output" else named(node)


def chain(nodes: tuple[Node, ...], called: Callable[[Node], str] | None = None) -> str:
    """Operators one after the other, by what each is `called`: `layer`, if nothing else is given."""
    names = [(called or layer)(node) for node in nodes]
    more = f" -> ... ({len(names)} operators)" if len(names) > 6 else ""
    return (" -> ".join(names[:6]) or "nothing") + more


def arguments(node: Node) -> str:
    if node.spelling.how:
        return f"({spelled(node)})"
    shown = {k: v for k, v in node.attributes.items() if k != "map"}
    if not shown or node.kind in ("conv", "batch_norm", "linear"):
        return ""
    return "(" + ", ".join(f"{k}={show(v)}" for k, v in shown.items()) + ")"


def squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def spelled(node: Node) -> str:
    """How a chain of moves was written."""
    return " -> ".join(how for _, how in node.spelling.how)


def first_difference(ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> int:
    """Where two chains part; the length of the shorter if it is the beginning of the longer."""
    shared = min(len(ours), len(theirs))
    return next((i for i in range(shared) if ours[i] != theirs[i]), shared)


def different_moves(pair: Pair) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """(Paddle's, torch's) part of two chains without what both begin and end with."""
    theirs, ours = pair.paddle.spelling.how, pair.torch.spelling.how
    begin = first_difference(ours, theirs)
    end = min(first_difference(ours[::-1], theirs[::-1]), min(len(ours), len(theirs)) - begin)
    return theirs[begin : len(theirs) - end], ours[begin : len(ours) - end]


def first_different_move(pair: Pair) -> str:
    """The title of the first move in which two chains differ."""
    ours, theirs = pair.torch.spelling.how, pair.paddle.spelling.how
    at = first_difference(ours, theirs)
    longer = theirs if len(theirs) > len(ours) else ours
    return title(longer[at][0]) if at < len(longer) else label(pair.torch)


def show(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def training(value: Any) -> str:
    return "in train mode" if value else "in eval mode"


def difference_data(d: Difference) -> dict[str, Any]:
    if not d.comparable:
        return {"problem": d.problem}
    return {
        "max abs": d.max_abs,
        "max rel": d.max_rel,
        "index": list(d.index),
        "torch value": d.actual,
        "paddle value": d.expected,
        "mismatched": f"{d.mismatched}/{d.size}",
    }


def numbers_of(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if row.local is not None:
        found["on Paddle's inputs"] = difference_data(row.local)
    if row.float64 is not None:
        found["accumulated, float64"] = row.float64.max_rel
    if row.float32 is not None:
        found["accumulated, float32"] = row.float32.max_rel
    return found


TITLES: Mapping[str, str] = {
    "blend": "gated sum",
    "cross_entropy.extra": "cross_entropy",
    "mean": "global average pooling (mean)",
    "amax": "global max pooling (amax)",
    "clip": "clip (ReLU6, Hardtanh)",
    "interpolate": "interpolate",
    "concat": "concat",
    "lstm": "LSTM",
    "gru": "GRU",
    "rnn_tanh": "RNN (tanh)",
    "rnn_relu": "RNN (ReLU)",
    **{f"{kind}.h_n": "last hidden state" for kind in ("lstm", "gru", "rnn_tanh", "rnn_relu")},
    "lstm.c_n": "last cell state",
    "sort.indices": "argsort",
    "topk.indices": "topk",
    "kthvalue.indices": "kthvalue",
    "rms_norm": "RMSNorm",
    "normalize": "normalize (unit length)",
    "var": "variance",
    "std": "standard deviation",
    "permute": "permute/transpose",
    "getitem": "slice",
    "tile": "repeat",
    "affine": "scale or shift by a number",
    "pow": "power",
}
"""How a canonical operator is called in a message where that is not the name of its layer in torch."""


def title(kind: str) -> str:
    """How a canonical kind is called in a message."""
    row = row_of(kind)
    return TITLES.get(kind) or (row.torch_class if row is not None else kind)


def label(node: Node) -> str:
    """How an operator is called in a message; a move by what it is written as, a layer by its dimensions."""
    called = title(node.spelling.called or node.kind)
    return f"{called[:-2]}{_dimensions(node)}d" if called.endswith("2d") else called


def _dimensions(node: Node) -> int:
    """Over how many dimensions a layer works: as its call says, else by what it is given, [batch, channels, ...]."""
    said = re.search(r"([123])[dD]$", node.name.removesuffix("_"))
    rank = len(node.shape("x"))
    return int(said[1]) if said else min(max(rank - 2, 1), 3) if rank > 1 else 2
