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


class AttentionRoles(Evidence):
    """Findings about attentions whose roles are exchanged."""

    def _attention_roles(self) -> None:
        """Name every exchange, and keep what it entails from being blamed by itself."""
        for found in attentions(self.alignment):
            swap = exchanged(self.alignment, found)
            row = self.rows[id(found.roles["value"][0])]
            if not swap or row.float64 is None or row.status is Status.SAME:
                continue
            self._exchange_of_roles(found, swap)
            for role in swap:
                self.entailed.add((id(found.roles[role][0].torch), found.roles[role][1]))
                for node in found.chains[role]:
                    moved = self.alignment.pair_of_torch(node) if node.kind == "move" else None
                    if moved is not None:
                        self.entailed.add((id(moved.torch), ""))

    def _exchange_of_roles(self, found: Attention, swap: dict[str, str]) -> None:
        pair = found.roles["value"][0]
        names = [role for role in ROLES if role in swap]
        both = f"{', '.join(names[:-1])} and {names[-1]}"
        taken = ", ".join(f"as {role} what is the {swap[role]} in Paddle" for role in names)
        calls = dict.fromkeys(found.roles[role][0].torch.line for role in names)
        where = self._parting_line([found.chains[role] for role in names])
        others = [line for line in calls if line != where]
        instead = f", or where the attention takes them ({', '.join(others)})" if others else ""
        cause, fix = f"{both} are swapped: this attention takes {taken}", f"exchange {both} here{instead}"
        packed, held = self._packed_in_another_order(found, names)
        if packed:
            order = ", ".join(found.roles)
            cause += f"; {held}"
            fix = f"pack `{packed}` as {order}; or, if it is packed as it should be, {fix}"
        self._finding(
            pair,
            Subject.EXCHANGED,
            cause,
            fix,
            {"swapped": dict(swap)},
            operator="attention",
            where=where,
            attribute=packed,
            values=(names, [swap[role] for role in names]),
        )

    def _packed_in_another_order(self, found: Attention, roles: list[str]) -> tuple[str, str]:
        """The packed weight that holds for a role what Paddle has as another one's own weight, and what it holds."""
        names: set[str] = set()
        told = []
        for role in roles:
            node = found.chains[role][0]
            pair = self.alignment.pair_of_torch(node)
            if node.rows is None or pair is None or pair.paddle.rows is not None:
                return "", ""
            name = self.alignment.torch.parameters.get(node.inputs["weight"], "")
            theirs = self.alignment.paddle.parameters.get(pair.paddle.inputs["weight"], "")
            names.add(name)
            told.append(f"rows {node.rows[0]}:{node.rows[1]} of `{name}` hold Paddle's `{theirs}`")
        return (names.pop(), ", ".join(told)) if len(names) == 1 else ("", "")

    def _parting_line(self, chains: list[list[Node]]) -> str:
        """The line that makes one role's part and another's: where their operators part, or the split that parts them."""
        ops = self.alignment.torch.trace.ops
        raws = [[number for node in chain for number in node.raw] for chain in chains]
        shared = 0
        while all(len(raw) > shared for raw in raws) and len({raw[shared] for raw in raws}) == 1:
            shared += 1
        if shared and ops[raws[0][shared - 1]].kind in ("split", "unbind"):
            return ops[raws[0][shared - 1]].line
        after = [raw[shared] for raw in raws if len(raw) > shared]
        return ops[min(after)].line if after else ""
