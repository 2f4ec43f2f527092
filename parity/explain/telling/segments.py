"""Claims about operators that one side has between aligned ones, or has otherwise, as findings: sentence, fix, line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from parity.align.alignment import Edge
from parity.explain.claims import Claim
from parity.explain.evidence import Evidence
from parity.explain.lines import line_in, missing, place
from parity.explain.segments import Part, shares
from parity.explain.statements import number_given
from parity.explain.telling.wiring import common, edge_of, of_edge
from parity.explain.torch_code import code
from parity.explain.words import at, chain, label, layer, named, show
from parity.graph.node import Graph, Node
from parity.results.finding import Finding, Subject
from parity.trace.trace import Op


def absent(claim: Claim, evidence: Evidence) -> Finding:
    """What only Paddle does. details: a `Part`, if the other numbers of the segment are torch's too."""
    edge = edge_of(claim)
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
    edge, part = edge_of(claim), claim.details
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
        _line_of_absent(edge, evidence, part.paddle.nodes),
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
    edge = edge_of(claim)
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
    edge, part = edge_of(claim), claim.details
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
    shared = shares(evidence.alignment.torch, edge.only_torch)
    if shared != shares(evidence.alignment.paddle, edge.only_paddle):
        cause += f"; in {'torch' if shared else 'Paddle'} these layers are shared with another call"
        # The layers may be right: it is the call of them that takes others.
        where = line_in(evidence.torch.trace, common(node.module, edge.pair.torch.module), node)
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
    edge, found = edge_of(claim), claim.details
    whole, mistake = found.whole, found.mistake
    named_ = "cross entropy" if found.loss else f"{label(whole)} `{whole.module}` is"
    node, line = found.node or edge.only_torch[-1], found.line
    op = evidence.located
    if not line and op is not None:
        node, line = next((n for n in edge.only_torch if op.index in n.raw), node), op.line
    return of_edge(
        claim,
        evidence,
        f"{named_} written out in torch: {mistake.cause}",
        mistake.fix,
        (label(whole), mistake.cause),
        node,
        line,
        paddle=edge.only_paddle[-1] if found.loss else whole,
    )


def _main(nodes: tuple[Node, ...]) -> Node:
    """What a segment is called after: in a plain chain its first layer with weights, else what makes its result."""
    plain = all(len(node.data) == 1 for node in nodes)
    return next((node for node in nodes if plain and "weight" in node.inputs), nodes[-1])


def _line_of_part(edge: Edge, evidence: Evidence, node: Node) -> str:
    """A layer that other calls use too is made right: this call of it is wrong."""
    graph = evidence.alignment.torch
    return node.line if shares(graph, edge.only_torch) else place(graph, node)


def _line_of_absent(edge: Edge, evidence: Evidence, nodes: tuple[Node, ...]) -> str:
    """What takes several values stands where these are at hand, not in the layer that makes the last of them."""
    graph, latest = evidence.alignment.paddle, edge.only_torch[-1]
    made = {node.output for node in nodes}
    taken = {value for node in nodes for value in node.data.values()} - made - graph.parameters.keys()
    if len(taken) > 1 and latest.module != edge.pair.torch.module:
        return missing(evidence.alignment, edge, nodes, latest)
    return _line_of_part(edge, evidence, latest)


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
