"""What torch writes out where Paddle has one operator: a recurrence or a cross entropy, with a known mistake in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.align.alignment import Edge
from parity.explain.evidence import Evidence
from parity.explain.hypotheses import cross_entropy as entropies
from parity.explain.hypotheses import recurrence as recurrences
from parity.explain.hypotheses.hypothesis import Hypothesis
from parity.explain.statements import collected, hands_on, loop_around
from parity.graph.node import Node
from parity.ops.kinds import RECURRENT
from parity.trace.values import Array

ENTROPIES = ("cross_entropy", "cross_entropy.extra")


@dataclass(frozen=True)
class Written:
    """A mistake in something that torch writes out: Paddle's operator, and torch's and the line where it is made, if that is known."""

    mistake: Hypothesis[Any]
    whole: Node
    node: Node | None
    line: str
    loss: bool = False


def recurrence(evidence: Evidence, edge: Edge, first: Node | None) -> Written | None:
    """What is done otherwise in a loop that torch writes out; `first`, where the two begin to differ."""
    layers = [node for node in edge.only_paddle if node.kind in RECURRENT]
    if len(layers) != 1 or any(node.kind in RECURRENT for node in edge.only_torch):
        return None
    node, behind = layers[0], edge.only_paddle[edge.only_paddle.index(layers[0]) + 1 :]
    chained = [m.indices for m in behind if m.kind == "move" and m.indices is not None]
    actual = evidence.torch.value(edge.torch_value)
    values = {slot: evidence.array(node.inputs[slot]) for slot in node.inputs}
    if actual is None or len(chained) < len(behind) or any(array is None for array in values.values()):
        return None
    known = {slot: array for slot, array in values.items() if array is not None}
    if known["x"].ndim != 3 or "lengths" in known or node.attributes["time_major"]:
        return None

    def then(made: Array) -> Array:
        for indices in chained:
            made = made.reshape(-1)[indices]
        return made

    layer = recurrences.Layer(
        node.kind,
        known["x"],
        {slot: array for slot, array in known.items() if slot not in ("x", "h_0", "c_0")},
        node.attributes["num_layers"],
        2 if node.attributes["bidirectional"] else 1,
        known.get("h_0"),
        known.get("c_0"),
        then,
    )
    mistake = recurrences.mistake_in(layer, actual.load())
    if mistake is None:
        return None
    at = _made_at(edge, mistake.part)
    return Written(mistake, node, at, "" if at is None else LINES.get(mistake.part, _its_own)(at.line))


def _its_own(line: str) -> str:
    return line


LINES: Mapping[str, Callable[[str], str]] = {
    recurrences.ORDER: lambda line: loop_around(line) or line,
    recurrences.KEPT: lambda line: collected(line) or line,
    recurrences.HANDED_ON: lambda line: line if hands_on(line) else "",
}
"""Part of a loop -> its line, from that of the operator that is known."""


def _made_at(edge: Edge, part: str) -> Node | None:
    """The first operator of a part of a loop that torch writes out; None for a part whose operators are not known."""
    nodes, entering = edge.only_torch, edge.entering
    steps = [n for n in nodes if n.kind == "move" and n.inputs["x"] in entering]
    products = [n for n in nodes if n.kind == "linear"]
    of_input = [n for n in products if n.inputs["x"] in entering.union(step.output for step in steps)]
    made = {n.output for n in nodes if n.kind in ("linear", "add")}
    joined = [node for node in reversed(nodes) if node.kind == "concat"]
    found: Mapping[str, list[Node]] = {
        **dict.fromkeys(("outputs", recurrences.KEPT), joined),
        **dict.fromkeys(("steps", recurrences.ORDER, recurrences.HANDED_ON), steps),
        "gates": [n for n in nodes if n.kind == "move" and n.inputs["x"] in made],
        recurrences.INPUT: of_input,
        recurrences.STATE: [n for n in products if n not in of_input],
    }
    return next(iter(found.get(part, ())), None)


def cross_entropy(evidence: Evidence, edge: Edge, first: Node | None) -> Written | None:
    """What is done otherwise in a cross entropy that torch writes out; `first`, where the two begin to differ."""
    found = next((node for node in edge.only_paddle if node.kind in ENTROPIES), None)
    if found is None or any(node.kind in ENTROPIES for node in edge.only_torch):
        return None
    behind = [n.kind for n in edge.only_paddle[edge.only_paddle.index(found) + 1 :]]
    actual = evidence.torch.value(edge.torch_value)
    x, labels = (evidence.array(found.inputs.get(slot, -1)) for slot in ("x", "label"))
    if actual is None or x is None or labels is None or behind not in ([], ["mean"]):
        return None
    numbers = labels.reshape(-1).astype(np.int64)
    if x.ndim != 2 or numbers.size != len(x) or not ((numbers >= 0) & (numbers < x.shape[1])).all():
        return None
    mistake = entropies.mistake_in(entropies.Scores(x, numbers, bool(behind)), actual.load())
    line = "" if first is None else first.line
    return None if mistake is None else Written(mistake, found, first, line, loss=True)
