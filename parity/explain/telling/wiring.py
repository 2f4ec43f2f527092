"""Claims about what stands between aligned operators as findings: sentence, fix, line."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile
from typing import Any

from parity.align.alignment import Edge
from parity.explain.claims import Claim
from parity.explain.evidence import Evidence
from parity.explain.exchanges import exchange, takers
from parity.explain.lines import chosen, line_in, missing, named_otherwise, place
from parity.explain.segments import Part
from parity.explain.statements import loop_around, number_given
from parity.explain.torch_code import code
from parity.explain.words import at, chain, difference_data, label, layer, layer_above, named, sentence, show
from parity.graph.node import Graph, Node
from parity.results.finding import Finding, Subject
from parity.trace.trace import Op


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


def _edge(claim: Claim) -> Edge:
    assert claim.edge is not None
    return claim.edge


def _order(edge: Edge) -> float:
    if edge.only_paddle:
        return edge.only_paddle[0].order
    return float("inf") if edge.pair.paddle.kind == "output" else edge.pair.paddle.order - 0.5


def absent(claim: Claim, evidence: Evidence) -> Finding:
    """What only Paddle does. details: a `Part`, if the other numbers of the segment are torch's too."""
    edge = _edge(claim)
    if claim.details is not None:
        return _absent_in_part(claim, evidence)
    nodes = _lacking(evidence, edge.only_paddle)
    idle = _run_without_effect(evidence, edge, nodes[-1]) if len(nodes) > 1 else None
    nodes = nodes if idle is None else nodes[:-1]
    after, stands = _after(evidence.alignment.paddle, nodes[0])
    return of_edge(
        claim,
        evidence,
        f"{chain(nodes)} {stands}only in Paddle",
        f"add {chain(nodes, code)} before {at(edge)}",
        (chain(nodes), None),
        _main(nodes),
        missing(evidence.alignment, edge) if idle is None else idle.line,
        after=after,
    )


def _run_without_effect(evidence: Evidence, edge: Edge, node: Node) -> Op | None:
    """torch's operator of this kind before an input, if it changes nothing there as it stands: a second ReLU behind a ReLU."""
    graph, place = evidence.alignment.torch, edge.pair.torch.place(edge.torch_slot)
    maker = graph.producer.get(edge.torch_value)
    if place is None or maker is None:
        return None
    used = {number for other in graph.nodes for number in other.raw}
    between = evidence.torch.trace.ops[max(maker.raw) + 1 : place[0]]
    return next((op for op in between if op.kind == node.kind and op.index not in used), None)


def _lacking(evidence: Evidence, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """What of it torch does not run at all: layers may be called, and their result left unused."""
    graph, torch = evidence.alignment.paddle, evidence.torch.trace
    used = {value for op in torch.ops for value in op.inputs.values()}
    run = {evidence.names.get(name, "") for name, own in torch.parameters.items() if own.value in used}
    unused = {n.output for n in nodes if graph.parameters.get(n.inputs.get("weight", -1), "") in run}
    for node in nodes:
        # Nor is what only lays out such a result.
        if node.indices is not None and unused.issuperset(node.data.values()):
            unused.add(node.output)
    left = graph.above([nodes[-1].output], lambda node: node in nodes and node.output not in unused)
    return tuple(left) or nodes


def _absent_in_part(claim: Claim, evidence: Evidence) -> Finding:
    edge, part = _edge(claim), claim.details
    if part.lacking:
        return _absent_before(claim, evidence)
    lacking, end = chain(part.paddle.nodes), at(edge)
    return of_edge(
        claim,
        evidence,
        f"{lacking} only in Paddle: torch makes all other numbers on the way to {end}, whatever their layout"
        + _steps(part),
        f"add {chain(part.paddle.nodes, code)} before {end}",
        (lacking, None),
        edge.only_torch[-1],
        _line_of_part(edge, evidence, edge.only_torch[-1]),
        paddle=part.paddle.first,
        operator=label(part.paddle.first),
    )


def _absent_before(claim: Claim, evidence: Evidence) -> Finding:
    """What torch leaves out before one operator: on that one's line if Paddle has both on one, else where its input is made."""
    part, graph = claim.details, evidence.alignment.torch
    node, lacking, maker = part.torch.first, part.lacking, graph.producer.get(part.feeds)
    beside_it = maker is None or lacking[-1].line == part.paddle.first.line
    return of_edge(
        claim,
        evidence,
        f"{chain(lacking)} only in Paddle, before {named(node)}, which takes and does the same otherwise",
        f"add {chain(lacking, code)} before {named(node)}",
        (chain(lacking), None),
        node,
        # What only lays it out afterwards is none of it.
        node.line if beside_it or maker is None else evidence.torch.trace.ops[maker.raw[0]].line,
        paddle=lacking[-1],
        operator=label(lacking[-1]),
    )


def _extra_before(claim: Claim, evidence: Evidence) -> Finding:
    part, graph = claim.details, evidence.alignment.torch
    node, surplus = part.torch.first, part.surplus
    return of_edge(
        claim,
        evidence,
        f"{chain(surplus)} only in torch, before {named(node)}, which takes and does the same otherwise",
        f"remove {chain(surplus, code)} before {named(node)}",
        (None, chain(surplus)),
        surplus[-1],
        place(graph, surplus[-1]),
        paddle=part.paddle.first,
    )


def extra(claim: Claim, evidence: Evidence) -> Finding:
    """What only torch does. details: a `Part`, if it is one input of an operator that is the same otherwise."""
    edge = _edge(claim)
    if isinstance(claim.details, Part):
        return _extra_before(claim, evidence)
    nodes, graph = edge.only_torch, evidence.alignment.torch
    after, stands = _after(graph, nodes[0])
    node = _main(nodes)
    return of_edge(
        claim,
        evidence,
        f"{chain(nodes)} {stands}only in torch",
        f"remove {chain(nodes, code)} before {at(edge)}",
        (None, chain(nodes)),
        node,
        place(graph, node),
        after=after,
    )


def computed(claim: Claim, evidence: Evidence) -> Finding:
    """What both do, each in its way. details: the `Part` where they part."""
    edge, part = _edge(claim), claim.details
    node = part.torch.first or edge.only_torch[-1]
    where = _line_of_part(edge, evidence, node)
    if part.narrower:
        theirs, ours = part.paddle.first, part.torch.first
        if theirs.kind != ours.kind and _call(theirs) == _call(ours):
            return _other_result(claim, evidence, theirs, ours)
        values = layer(theirs), layer(ours)
        cause = (
            f"torch computes {values[1]} where Paddle computes {values[0]}: up to here both have the "
            f"same numbers on the way to {at(edge)}, whatever their layout, and from here on they have not"
        )
        fix = f"compute here what Paddle does: {code(theirs)}"
        other = _other_argument(theirs, ours)
        if other:
            values = theirs.attributes[other], ours.attributes[other]
            cause = f"{other}: torch has {show(values[1])}, Paddle has {show(values[0])}: {cause}"
            where = (number_given(where) if where == ours.line else "") or where
            claim = replace(claim, what=Subject.ATTRIBUTE, attribute=other)
        return of_edge(claim, evidence, cause + _steps(part), fix, values, node, where, paddle=theirs)
    values = chain(edge.only_paddle), chain(edge.only_torch)
    cause = f"torch computes {values[1]} where Paddle computes {values[0]}"
    shared = _shares(evidence.alignment.torch, edge.only_torch)
    if shared != _shares(evidence.alignment.paddle, edge.only_paddle):
        cause += f"; in {'torch' if shared else 'Paddle'} these layers are shared with another call"
        # The layers may be right: it is the call of them that takes others.
        where = line_in(evidence.torch.trace, _common(node.module, edge.pair.torch.module), node)
    fix = f"make the input of {at(edge)} what Paddle makes it: {chain(edge.only_paddle, code)}"
    return of_edge(claim, evidence, cause, fix, values, node, where)


def _call(node: Node) -> str:
    """The call that a node is a result of."""
    return node.kind.removesuffix(".extra")


def _other_result(claim: Claim, evidence: Evidence, theirs: Node, ours: Node) -> Finding:
    """One result of a call for another: the two axes of a grid."""
    call, graph, joins = _call(ours), evidence.alignment.torch, ours
    while len(readers := graph.consumers.get(joins.output, [])) == 1:
        joins = readers[0][0]
        if len(set(joins.data.values())) > 1:
            break
    return of_edge(
        replace(claim, what=Subject.EXCHANGED),
        evidence,
        f"the results of {call} are exchanged: torch takes one of them where Paddle takes the other, such as x for y",
        f"take the results of {call} in Paddle's order",
        ("in order", "exchanged"),
        joins,
        place(graph, joins),
        paddle=theirs,
        operator=call,
    )


def _other_argument(theirs: Node, ours: Node) -> str:
    """The one argument in which two operators of one kind differ."""
    names = {name for name in {*theirs.attributes, *ours.attributes} if name != "map"}
    differing = [n for n in names if theirs.attributes.get(n, ...) != ours.attributes.get(n, ...)]
    both = len(differing) == 1 and all(differing[0] in node.attributes for node in (theirs, ours))
    return differing[0] if both and theirs.kind == ours.kind else ""


def written_out(claim: Claim, evidence: Evidence) -> Finding:
    """A known mistake. details: the `Written`."""
    edge, found = _edge(claim), claim.details
    whole, mistake = found.whole, found.mistake
    named_ = "cross entropy" if found.loss else f"{label(whole)} `{whole.module}` is"
    node = found.node or edge.only_torch[-1]
    known = found.loss or found.node is not None
    return of_edge(
        claim,
        evidence,
        f"{named_} written out in torch: {mistake.cause}",
        mistake.fix,
        (label(whole), mistake.cause),
        node,
        node.line if known else "",
        paddle=edge.only_paddle[-1] if found.loss else whole,
    )


def elsewhere(claim: Claim, evidence: Evidence) -> Finding:
    """An input from elsewhere. details: the parameter or buffer that Paddle takes where torch computes, if so."""
    edge = _edge(claim)
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
    edge, alignment = _edge(claim), evidence.alignment
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
    scope = _common(edge.pair.torch.module, _common(ours.module, others.module))
    lines = {line_in(evidence.torch.trace, scope, node) for node in (ours, others)}
    line = line_in(evidence.torch.trace, scope, maker)
    return (loop_around(line) if len(lines) == 1 else "") or line


def order(claim: Claim, evidence: Evidence) -> Finding:
    """The inputs of a concat, or several operators, in another order."""
    return (
        _order_of_operators(claim, evidence) if _edge(claim).only_torch else _order_of_inputs(claim, evidence)
    )


def _order_of_operators(claim: Claim, evidence: Evidence) -> Finding:
    edge = _edge(claim)
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
    edge, alignment = _edge(claim), evidence.alignment
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


def _common(path: str, other: str) -> str:
    """The module that both are in."""
    parts = takewhile(lambda both: both[0] == both[1], zip(path.split("."), other.split("."), strict=False))
    return ".".join(part for part, _ in parts)


def _main(nodes: tuple[Node, ...]) -> Node:
    """What a segment is called after: in a plain chain its first layer with weights, else what makes its result."""
    plain = all(len(node.data) == 1 for node in nodes)
    return next((node for node in nodes if plain and "weight" in node.inputs), nodes[-1])


def _line_of_part(edge: Edge, evidence: Evidence, node: Node) -> str:
    """A layer that other calls use too is made right: this call of it is wrong."""
    graph = evidence.alignment.torch
    return node.line if _shares(graph, edge.only_torch) else place(graph, node)


def _shares(graph: Graph, nodes: tuple[Node, ...]) -> bool:
    """Whether a segment uses weights that other calls use too."""
    weights = [node.inputs["weight"] for node in nodes if "weight" in node.inputs]
    return any(len({id(n) for n, _ in graph.consumers[w]}) > 1 for w in weights)


def _steps(part: Any) -> str:
    """From which time step on a sequence differs that one side writes out, if that can be told."""
    if part.agreeing is None:
        return ""
    agreeing, steps = part.agreeing
    if not agreeing:
        return "; the sequences differ from the first time step on: what it starts from, the step itself, or the order of the steps"
    return f"; the first {agreeing} of {steps} time steps agree: what one step hands on to the next differs"


def _after(graph: Graph, node: Node) -> tuple[str, str]:
    """What an operator stands behind, and that in a sentence."""
    for value in node.data.values():
        source = graph.producer.get(value)
        if source is not None:
            return named(source), f"after {named(source)} "
        if value in graph.inputs.values():
            return "the model's input", "on the model's input "
    return "", ""


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
