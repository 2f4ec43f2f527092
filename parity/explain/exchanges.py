"""Inputs that stand for each other: two that are exchanged, or many in another order."""

from __future__ import annotations

from parity.align.alignment import Edge, Pair
from parity.explain.evidence import Evidence

Exchange = frozenset[int]
"""Paddle's values that torch takes in each other's place; empty if there are none."""


def exchange(evidence: Evidence, edge: Edge) -> Exchange:
    """The two values that stand for each other here, if another input takes them the other way round."""
    values = evidence.alignment.same.get(edge.torch_value, -1), edge.paddle_value
    return frozenset(values) if values in evidence.exchanged else frozenset()


def permutation(evidence: Evidence, pair: Pair) -> Exchange:
    """The values that an operator of many takes in both frameworks, if torch takes them in another order."""
    if not pair.torch.kind == pair.paddle.kind == "concat":
        return frozenset()
    ours = [evidence.alignment.same.get(value, -1) for value in pair.torch.inputs.values()]
    theirs = list(pair.paddle.inputs.values())
    return frozenset(theirs) if ours != theirs and sorted(ours) == sorted(theirs) else frozenset()


def permuted(evidence: Evidence, edge: Edge) -> bool:
    """Whether this input is nothing but another one's, and that one's or a further one's is this."""
    return bool(exchange(evidence, edge) or permutation(evidence, edge.pair))


def takers(evidence: Evidence, values: Exchange) -> list[Edge]:
    """The inputs at which torch takes two exchanged values."""
    return [e for e in evidence.alignment.edges if not e.only_torch and exchange(evidence, e) == values]
