"""Claims about where an input comes from as findings: sentence, fix, line."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from parity.align.alignment import Edge
from parity.explain.claims import Claim
from parity.explain.evidence import Evidence
from parity.explain.exchanges import exchange, takers
from parity.explain.lines import chosen, line_in, named_otherwise, place
from parity.explain.statements import loop_around
from parity.explain.torch_code import code
from parity.explain.words import at, chain, difference_data, label, layer_above, named, sentence
from parity.graph.node import Graph, Node
from parity.results.finding import Finding, Subject


def of_edge(
    claim: Claim,
    evidence: Evidence,
    cause: str,
    fix: str,
    values: tuple[Any, Any],
    node: Node,
    where: str,
    *,
    paddle: Node | None = None,
    after: str = "",
    shown: tuple[str, str] | None = None,
    operator: str = "",
) -> Finding:
    """A finding about an input. node: torch's operator at fault; paddle: Paddle's; after: what a missing one stands behind."""
    edge = claim.edge
    assert edge is not None
    assert isinstance(claim.what, Subject)
    theirs, ours = shown or (chain(edge.only_paddle), chain(edge.only_torch))
    paddle = paddle or (edge.only_paddle[-1] if edge.only_paddle else edge.pair.paddle)
    alone = (*edge.only_paddle, *edge.only_torch)
    return Finding(
        layer=node.module,
        operator=operator or label(node),
        where=where,
        cause=sentence(cause, claim.shows),
        fix=fix,
        evidence={
            "paddle": theirs,
            "torch": ours,
            **({} if claim.numbers is None else difference_data(claim.numbers)),
        },
        layer_paddle=paddle.module,
        where_paddle=place(evidence.alignment.paddle, paddle) if paddle.line else "",
        subject=claim.what,
        attribute=claim.attribute,
        values={"paddle": values[0], "torch": values[1], **({"after": after} if after else {})},
        shows=claim.shows,
        rows=() if alone else evidence.number(edge.pair),
        only=evidence.numbers_of(alone),
        order=_order(edge),
    )


def edge_of(claim: Claim) -> Edge:
    assert claim.edge is not None
    return claim.edge


def _order(edge: Edge) -> float:
    if edge.only_paddle:
        return edge.only_paddle[0].order
    return float("inf") if edge.pair.paddle.kind == "output" else edge.pair.paddle.order - 0.5


def elsewhere(claim: Claim, evidence: Evidence) -> Finding:
    """An input from elsewhere. details: the parameter or buffer that Paddle takes where torch computes, if so."""
    edge = edge_of(claim)
    torch, paddle, end = evidence.alignment.torch, evidence.alignment.paddle, at(edge)
    if claim.details:
        owned, computes, node = f"`{claim.details}`", chain(edge.only_torch), edge.only_torch[-1]
        return of_edge(
            claim,
            evidence,
            f"{end} takes {computes} in torch, {owned} in Paddle",
            f"let {end} take the numbers that Paddle takes",
            (owned, computes),
            node,
            node.line,
        )
    node = edge.pair.torch
    ours, theirs = _told_apart((torch, edge.torch_value), (paddle, edge.paddle_value))
    if edge.only_paddle:
        again = chain(edge.only_paddle)
        return of_edge(
            claim,
            evidence,
            f"wired differently: {end} takes {ours} in torch, another call of {again} in Paddle",
            f"feed {end} the result of {again} as in Paddle",
            (f"another call of {again}", ours),
            node,
            node.line,
        )
    # The torch value that is this one of Paddle's, if one is.
    same = evidence.alignment.same
    twin = _source(torch, next((t for t, p in same.items() if p == edge.paddle_value), -1))
    return of_edge(
        claim,
        evidence,
        f"wired differently: {end} takes {ours} in torch, {theirs} in Paddle",
        f"feed {end} {twin}, as Paddle does",
        (theirs, ours),
        node,
        chosen(evidence.alignment, edge),
        shown=(theirs, ours),
    )


def swapped(claim: Claim, evidence: Evidence) -> Finding:
    """Two inputs in each other's place: at the line that names both, if every reader takes them so."""
    edge, alignment = edge_of(claim), evidence.alignment
    values = exchange(evidence, edge)
    torch = {t for t, p in alignment.same.items() if p in values}
    taken = takers(evidence, values)
    readers = sum(len(alignment.torch.consumers[t]) for t in torch)
    lines = {alignment.torch.producer[t].line for t in torch if t in alignment.torch.producer}
    pairs = {id(e.pair): e.pair for e in taken}
    others = ", ".join(dict.fromkeys(at(e) for e in taken if e.pair is not edge.pair))
    whole = len(pairs) > 1 and readers == len(taken) and len(lines) == 1
    where = lines.pop() if whole else edge.pair.torch.line or chosen(alignment, edge)
    if len(values) == 2 and not whole:
        where = _made_in_turn(evidence, edge, values) or where
    if len(values) > 2:
        where = chosen(alignment, edge)
        if sum(chosen(alignment, taker) == where for taker in taken) > 1:
            where = loop_around(where) or where
    where = named_otherwise(alignment, edge.pair) or where
    ours, theirs = _told_apart((alignment.torch, edge.torch_value), (alignment.paddle, edge.paddle_value))
    return of_edge(
        claim,
        evidence,
        f"swapped inputs: {at(edge)} takes {ours} in torch, {theirs} in Paddle, and {others or 'its other input'} the other way "
        "round",
        "exchange the two values",
        (theirs, ours),
        edge.pair.torch,
        where,
        shown=(theirs, ours),
    )


def _made_in_turn(evidence: Evidence, edge: Edge, values: frozenset[int]) -> str:
    """The line that makes what an input takes, if torch makes the two values in the other order than Paddle: there they are exchanged."""
    alignment = evidence.alignment
    twins = {p: t for t, p in alignment.same.items() if p in values}
    makers = [
        (alignment.paddle.producer.get(p), alignment.torch.producer.get(twins.get(p, -1))) for p in values
    ]
    known = [(theirs, ours) for theirs, ours in makers if theirs is not None and ours is not None]
    maker = alignment.torch.producer.get(edge.torch_value)
    if len(known) < 2 or maker is None:
        return ""
    (first, ours), (second, others) = known
    if (first.order < second.order) == (ours.order < others.order):
        return ""
    scope = common(edge.pair.torch.module, common(ours.module, others.module))
    lines = {line_in(evidence.torch.trace, scope, node) for node in (ours, others)}
    line = line_in(evidence.torch.trace, scope, maker)
    return (loop_around(line) if len(lines) == 1 else "") or line


def order(claim: Claim, evidence: Evidence) -> Finding:
    """The inputs of a concat, or several operators, in another order."""
    return (
        _order_of_operators(claim, evidence)
        if edge_of(claim).only_torch
        else _order_of_inputs(claim, evidence)
    )


def _order_of_operators(claim: Claim, evidence: Evidence) -> Finding:
    edge = edge_of(claim)
    theirs, ours = chain(edge.only_paddle), chain(edge.only_torch)
    node = edge.only_torch[-1]
    return of_edge(
        claim,
        evidence,
        f"order: torch computes {ours}, Paddle {theirs}",
        f"compute in Paddle's order: {chain(edge.only_paddle, code)}",
        (theirs, ours),
        node,
        node.line,
    )


def _order_of_inputs(claim: Claim, evidence: Evidence) -> Finding:
    edge, alignment = edge_of(claim), evidence.alignment
    sides = (alignment.paddle, edge.pair.paddle), (alignment.torch, edge.pair.torch)
    theirs, ours = ([_source(graph, value) for value in node.inputs.values()] for graph, node in sides)
    return of_edge(
        claim,
        evidence,
        f"order of the inputs: {at(edge)} joins {', '.join(ours)} in torch, {', '.join(theirs)} in Paddle",
        "join them in Paddle's order",
        (theirs, ours),
        edge.pair.torch,
        edge.pair.torch.line,
        shown=(_source(alignment.paddle, edge.paddle_value), _source(alignment.torch, edge.torch_value)),
    )


def common(path: str, other: str) -> str:
    """The module that both are in."""
    parts = takewhile(lambda both: both[0] == both[1], zip(path.split("."), other.split("."), strict=False))
    return ".".join(part for part, _ in parts)


ORDINALS = ("first", "second", "third", "fourth")


def _which(graph: Graph, node: Node) -> str:
    """Which call of a layer that is called several times: "second "."""
    if node.rows is not None or "weight" not in node.inputs:
        return ""
    calls = sorted({n.order for n, slot in graph.consumers[node.inputs["weight"]] if slot == "weight"})
    several = 1 < len(calls) <= len(ORDINALS)
    return f"{ORDINALS[calls.index(node.order)]} " if several and node.order in calls else ""


def _told_apart(ours: tuple[Graph, int], theirs: tuple[Graph, int]) -> tuple[str, str]:
    """Two values in words; with their lines where these would be the same."""
    told = _source(*ours), _source(*theirs)
    lines = [graph.producer[value].line if value in graph.producer else "" for graph, value in (ours, theirs)]
    if told[0] != told[1] or not all(lines) or lines[0] == lines[1]:
        return told
    return f"{told[0]} at {lines[0]}", f"{told[1]} at {lines[1]}"


def _source(graph: Graph, value: int) -> str:
    node = graph.producer.get(value)
    if node is not None:
        made = node.spelling.how[-1][1] if node.spelling.how else named(node)
        return f"the {_which(graph, node)}output of {made}{layer_above(graph, node)}"
    named_input = next((name for name, at in graph.inputs.items() if at == value), None)
    if named_input is not None:
        number = list(graph.inputs).index(named_input)
        which = f"{ORDINALS[number]} " if 1 < len(graph.inputs) <= len(ORDINALS) else ""
        return f"the model's {which}input"
    return f"`{graph.parameters[value]}`" if value in graph.parameters else "another value"
