"""Query, key and value in each other's place.

An attention is told by its shape: a matmul, a softmax of it, and a matmul of that with the values. All three of its inputs
are often parts of one layer, so that exchanging them shows as moves of numbers in another order, at three
places. Here each role is traced back to the part it is, and an exchange of roles is one finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from parity.align.alignment import Alignment, Pair
from parity.explain.claims import Claim, Claims
from parity.explain.evidence import Evidence
from parity.graph.moves import digest
from parity.graph.node import Graph, Node
from parity.results.finding import Subject
from parity.results.judgement import Status

ROLES = ("query", "key", "value")

BETWEEN = frozenset({"affine", "add", "move", "where", "dropout", "causal_mask", "masked_fill", "clip"})
"""What may stand between scores and softmax, and between softmax and the values."""


class _Part(NamedTuple):
    """Which numbers a role takes: of which value, and which of them."""

    value: int
    which: str


@dataclass
class Attention:
    """One attention of torch's that is aligned: (pair, torch slot) of each role."""

    roles: dict[str, tuple[Pair, str]]
    torch: dict[str, _Part] = field(default_factory=dict)
    paddle: dict[str, _Part] = field(default_factory=dict)
    chains: dict[str, list[Node]] = field(default_factory=dict)


def attentions(alignment: Alignment) -> Iterator[Attention]:
    """Every attention whose two matmuls are aligned."""
    for pair in alignment.pairs:
        if pair.torch.kind != "matmul" or pair.substituted or "y" not in pair.slots:
            continue
        softmax = _above(alignment.torch, pair.torch.inputs.get("x", -1), "softmax")
        scores = None if softmax is None else _above(alignment.torch, softmax.inputs["x"], "matmul")
        made = None if scores is None else alignment.pair_of_torch(scores)
        if made is None or made.substituted or not {"x", "y"} <= made.slots.keys():
            continue
        found = Attention({"query": (made, "x"), "key": (made, "y"), "value": (pair, "y")})
        for role, (at, slot) in found.roles.items():
            found.torch[role], found.chains[role] = _part(alignment.torch, at.torch.inputs[slot])
            found.paddle[role], _ = _part(alignment.paddle, at.paddle.inputs[at.slots[slot]])
        yield found


def _above(graph: Graph, value: int, kind: str) -> Node | None:
    """The nearest operator of a kind above a value, past what may stand between."""
    node = graph.producer.get(value)
    while node is not None and node.kind != kind:
        if node.kind not in BETWEEN:
            return None
        inner = (graph.producer.get(v) for v in node.data.values())
        node = next((n for n in inner if n is not None and n.kind in BETWEEN | {kind}), None)
    return node


def _part(graph: Graph, value: int) -> tuple[_Part, list[Node]]:
    """What a role takes, and the operators from the layer that makes it to here."""
    chain = graph.chain(value, lambda node: node.indices is not None)[::-1]
    which = ""
    if chain:
        value = chain[0].inputs["x"]
        assert chain[0].indices is not None
        which = digest(np.sort(chain[0].indices))
    made = graph.producer.get(value)
    return _Part(value, which), [*([made] if made is not None else []), *chain]


def exchanged(alignment: Alignment, found: Attention) -> dict[str, str]:
    """Torch's role -> the role in which Paddle takes the same numbers, if that is another one for some."""
    roles = {part: role for role, part in found.paddle.items()}
    if len(roles) < len(ROLES):
        return {}
    same = alignment.same
    taken = {role: roles.get(_Part(same.get(p.value, -1), p.which)) for role, p in found.torch.items()}
    if None in taken.values() or len(set(taken.values())) < len(ROLES):
        return {}
    return {role: other for role, other in taken.items() if other is not None and role != other}


def explain(evidence: Evidence, _: Claims) -> Iterator[Claim]:
    """Every exchange of roles; what it entails is not blamed by itself."""
    for found in attentions(evidence.alignment):
        swap = exchanged(evidence.alignment, found)
        pair = found.roles["value"][0]
        row = evidence.row(pair)
        if not swap or row.float64 is None or row.status is Status.SAME:
            continue
        names = [role for role in ROLES if role in swap]
        packed = _packed(evidence.alignment, found, names)
        ready = evidence.torch.trace.modules.get(pair.torch.module, {}).get("from") == "torch.nn"
        yield Claim(
            # A layer that is ready-made takes its roles as it should: its weights are packed in another order.
            Subject.WEIGHT if packed and ready else Subject.EXCHANGED,
            pair,
            attribute=packed,
            values=(names, [swap[role] for role in names]),
            entails=tuple(_entailed(evidence.alignment, found, names)),
            details=(found, swap),
        )


def _entailed(alignment: Alignment, found: Attention, roles: list[str]) -> Iterator[tuple[Node, str]]:
    """The inputs that take a role, and the moves on the way there."""
    for role in roles:
        pair, slot = found.roles[role]
        yield pair.torch, slot
        for node in found.chains[role]:
            if node.kind == "move" and alignment.has_torch(node):
                yield node, ""


def _packed(alignment: Alignment, found: Attention, roles: list[str]) -> str:
    """The parameter of which each role takes rows where Paddle has a layer of its own; "" where that is not so."""
    names: set[str] = set()
    for role in roles:
        node = found.chains[role][0]
        pair = alignment.pair_of_torch(node)
        if node.rows is None or pair is None or pair.paddle.rows is not None:
            return ""
        names.add(alignment.torch.parameters.get(node.inputs["weight"], ""))
    return names.pop() if len(names) == 1 else ""
