"""Inputs that stand for each other: two that are exchanged, or many in another order."""

from __future__ import annotations

from collections.abc import Iterable

from parity.align.alignment import Edge, Pair
from parity.explain.evidence import Evidence

Exchange = frozenset[int]
"""Paddle's values that torch takes in each other's place; empty if there are none."""


NONE: Exchange = frozenset()


def exchange(evidence: Evidence, edge: Edge) -> Exchange:
    """The values that stand for each other here, if other inputs take them the other way round, or around in a circle."""
    return evidence.exchanged.get(_taken(evidence, edge), frozenset())


def _taken(evidence: Evidence, edge: Edge) -> tuple[int, int]:
    return evidence.alignment.same.get(edge.torch_value, -1), edge.paddle_value


def permutation(evidence: Evidence, pair: Pair) -> Exchange:
    """The values that an operator of many takes in both frameworks, if torch takes them in another order."""
    if not pair.torch.kind == pair.paddle.kind == "concat":
        return frozenset()
    ours, theirs = _joined(evidence, pair)
    return frozenset(theirs) if ours != theirs and sorted(ours) == sorted(theirs) else frozenset()


def _joined(evidence: Evidence, pair: Pair) -> tuple[list[int], list[int]]:
    """The values that an operator of many takes, as Paddle's: in torch's order, and in Paddle's."""
    ours = [evidence.alignment.same.get(value, -1) for value in pair.torch.inputs.values()]
    return ours, list(pair.paddle.inputs.values())


def grown(evidence: Evidence, pair: Pair, earlier: Pair) -> bool:
    """Whether the order is Paddle's but for that of the values that an earlier operator takes: a list that grew in that order."""
    (ours, theirs), before = _joined(evidence, pair), _joined(evidence, earlier)[1]
    if sum(value in before for value in ours) != len(before):
        return False
    mended = iter(before)
    return [next(mended) if value in before else value for value in ours] == theirs


def permuted(evidence: Evidence, edge: Edge) -> bool:
    """Whether this input is nothing but another one's, and that one's or a further one's is this."""
    return bool(exchange(evidence, edge) or permutation(evidence, edge.pair))


def alike(evidence: Evidence, values: Exchange) -> bool:
    """Whether two values, or values that operators of one kind make, are exchanged; else one thing was moved past others."""
    makers = (evidence.alignment.paddle.producer.get(value) for value in values)
    return len(values) == 2 or len({maker.kind if maker is not None else "" for maker in makers}) == 1


def follows(evidence: Evidence, edge: Edge, exchanges: Iterable[Exchange]) -> bool:
    """Whether both values are what the takers of an earlier exchange make: exchanged layers hand on each other's results."""
    for values in exchanges:
        makers = {taker.pair.paddle.output for taker in takers(evidence, values)}
        made = {_made_by(evidence, value, makers) for value in _taken(evidence, edge)}
        if len(made) == 2 and None not in made:
            return True
    return False


def _made_by(evidence: Evidence, value: int, makers: set[int]) -> int | None:
    """Which of these operators makes a value of Paddle's, by itself or with what one input of it is put through."""
    graph = evidence.alignment.paddle
    chain = [
        value,
        *(next(iter(n.data.values())) for n in graph.chain(value, lambda n: n.output not in makers)),
    ]
    return next((at for at in chain if at in makers), None)


def takers(evidence: Evidence, values: Exchange) -> list[Edge]:
    """The inputs at which torch takes two exchanged values."""
    edges = (*evidence.alignment.edges, *evidence.alignment.output_edges.values())
    return [e for e in edges if not e.only_torch and exchange(evidence, e) == values]
