"""The one line that a run has proven to be the fault, as a finding: sentence, fix, line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import takewhile

from parity.explain.claims import Claim, Front
from parity.explain.evidence import Evidence
from parity.explain.lines import constructor, line_in
from parity.explain.steps.inside import Step
from parity.explain.words import label, layer, show, title
from parity.graph.node import Graph, Node
from parity.results.finding import Finding, Subject
from parity.trace.trace import Op, Trace

WHOLE = frozenset({"int64", "int32"})

PROVEN = "what comes in is Paddle's, what comes out is not, and with Paddle's numbers here alone torch's results are Paddle's"


def otherwise(claim: Claim, evidence: Evidence) -> Finding:
    """torch makes something else of the same numbers. details: the `Front`."""
    front: Front = claim.details
    torch, paddle = evidence.alignment.torch, evidence.alignment.paddle
    if front.called:
        return _called_with(front, evidence)
    if front.superfluous:
        actual = _called(torch, front.torch[0])
        cause = f"{actual} only in torch: with what it takes in the place of what it makes torch's results are Paddle's"
        return _finding(front, evidence, Subject.EXTRA, cause, f"leave {actual} out", (None, actual))
    ours, theirs = front.torch[0], front.way[-1]
    expected = " -> ".join(dict.fromkeys(_called(paddle, op) for op in front.way))
    actual = _called(torch, ours)
    if front.left_out:
        cause = (
            f"{expected} only in Paddle: behind {actual} torch takes its result as it is, and with Paddle's numbers here alone torch's "
            "results are Paddle's"
        )
        line = _missing(front, evidence)
        return _finding(
            front, evidence, Subject.MISSING, cause, f"compute {expected} of it", (expected, None), where=line
        )
    if front.part is not None:
        return _another_part(front, evidence)
    other = _other_argument(theirs, ours)
    if other and not front.lacking:
        values = theirs.attributes[other], ours.attributes[other]
        cause = f"{other}: torch has {show(values[1])}, Paddle has {show(values[0])}: {PROVEN}"
        fix = f"{other}={show(values[0])}"
        return _finding(front, evidence, Subject.ATTRIBUTE, cause, fix, values, attribute=other)
    if chooses := _choosing(front, evidence):
        return _finding(front, evidence, Subject.WIRING, *chooses)
    if front.lacking and (front.surplus or expected == actual):
        lacking = " and ".join(_made(paddle, value) for value, _ in front.lacking)
        surplus = " and ".join(_made(torch, value) for value in front.surplus) or "nothing of it"
        cause = f"wired differently: {actual} takes {surplus} in torch, {lacking} in Paddle ({PROVEN})"
        fix = f"feed it what Paddle feeds {expected}"
        line = _chosen(front, evidence)
        return _finding(front, evidence, Subject.WIRING, cause, fix, (lacking, surplus), where=line)
    if expected == actual:
        cause = (
            f"{actual} makes other numbers of the same ones: they come in in another order (transposed, say), or an argument "
            "differs; with Paddle's numbers here alone torch's results are Paddle's"
        )
        fix = "compare the two calls: the order of what they take, and their arguments"
        return _finding(front, evidence, Subject.ORDER, cause, fix, ("in order", "in another"))
    if front.early is not None:
        last, nodes = _called(paddle, theirs), [_node(torch, op) for op in (front.early, ours)]
        cause = f"order: torch computes {last} first and {actual} of it, Paddle computes {last} at the end: {PROVEN}"
        fix = f"compute {last} last: {expected}"
        scope = _around(front.early.module, ours.module)
        line = "" if nodes[1] is None else line_in(torch.trace, scope, nodes[1])
        return _finding(front, evidence, Subject.ORDER, cause, fix, (expected, actual), where=line)
    inside = f" inside of {title(paddle.trace.ops[theirs.index].kind)}" if isinstance(theirs, Step) else ""
    cause = f"torch computes {actual} where Paddle computes {expected}{inside}: {PROVEN}"
    fix = f"compute here what Paddle does: {expected}"
    feeds = _feeding(front, evidence)
    found = _finding(front, evidence, Subject.COMPUTED, cause, fix, (expected, actual))
    return found if feeds is None else replace(found, layer=feeds.module, where=feeds.line)


def _another_part(front: Front, evidence: Evidence) -> Finding:
    """torch takes another part of a value than Paddle: told where it is taken out."""
    assert front.part is not None
    torch, paddle = evidence.alignment.torch, evidence.alignment.paddle
    taken = torch.trace.maker[front.part]
    whole = " and ".join(_made(paddle, value) for value, _ in front.lacking)
    wholes = {value for value, _ in front.lacking}
    first = next((op for op in front.way if wholes.intersection(op.inputs.values())), front.way[0])
    expected = _called(paddle, first)
    cause = (
        f"another part of {whole}: torch takes {_called(torch, taken)}, Paddle {expected}; with Paddle's numbers where it is used "
        "torch's results are Paddle's"
    )
    fix = f"take {expected}"
    return _finding(
        front, evidence, Subject.WIRING, cause, fix, (expected, _called(torch, taken)), where=taken.line
    )


def _called_with(front: Front, evidence: Evidence) -> Finding:
    """A module that is called with another value than Paddle's."""
    torch, paddle = evidence.alignment.torch, evidence.alignment.paddle
    lacking, surplus = _made(paddle, front.paddle[0], front.source), _made(torch, front.surplus[0])
    cause = (
        f"wired differently: `{front.called}` is called with {surplus} in torch, with {lacking} in Paddle; with Paddle's numbers there "
        "alone torch's results are Paddle's"
    )
    calls = [line for start, line in torch.trace.calls.get(front.called, ()) if start <= front.torch[0].index]
    found = _finding(
        front,
        evidence,
        Subject.WIRING,
        cause,
        "hand in what Paddle hands in",
        (lacking, surplus),
        where=calls[-1] if calls else "",
    )
    return replace(found, layer=front.called)


def _around(*modules: str) -> str:
    """The innermost module that holds all of these."""
    parts = [module.split(".") for module in modules]
    shared = takewhile(lambda level: len(set(level)) == 1, zip(*parts, strict=False))
    return ".".join(level[0] for level in shared)


def _feeding(front: Front, evidence: Evidence) -> Op | None:
    """What feeds a layer that is right by itself, known by its weight: there is what differs, or further up."""
    node = _node(evidence.alignment.torch, front.torch[0])
    pair = None if node is None else evidence.alignment.pair_of_torch(node)
    if pair is None or not pair.anchor or evidence.differs_alone(pair):
        return None
    return front.above[-1] if front.above else None


def _missing(front: Front, evidence: Evidence) -> str:
    """Where it should stand: on the line of what feeds it if it shares that in Paddle, else where its result is taken, if that is one line."""
    made, first, maker = front.torch[0].outputs[0], front.way[0], evidence.paddle.trace.maker
    feeding = {maker[value].line for value in first.inputs.values() if value in maker}
    taken = {op.line for op in evidence.torch.trace.ops if made in op.inputs.values()}
    return taken.pop() if first.line not in feeding and len(taken) == 1 else ""


def _chosen(front: Front, evidence: Evidence) -> str:
    """The line that makes both what torch takes and what it should: there it is chosen."""
    maker = evidence.torch.trace.maker
    values = [*(ours for _, ours in front.lacking), *front.surplus]
    lines = {maker[value].line if value in maker else "" for value in values}
    return lines.pop() if len(lines) == 1 else ""


def _choosing(front: Front, evidence: Evidence) -> tuple[str, str, tuple[str, str], str, str] | None:
    """What is told, and the line, where what torch takes and what it should are chosen by other whole numbers."""
    torch, paddle = evidence.alignment.torch, evidence.alignment.paddle
    for value, wanted in _chosen_alike(front, torch.trace):
        ours, theirs = _index(torch.trace, value), _index(paddle.trace, wanted)
        if ours is None or ours not in torch.trace.maker or theirs is None:
            continue
        actual, expected = evidence.torch.value(ours), evidence.paddle.value(theirs)
        if actual is None or expected is None or actual.size != expected.size:
            continue
        apart = int((actual.load().reshape(-1) != expected.load().reshape(-1)).sum())
        if apart:
            makes, should = _made(torch, ours), _made(paddle, theirs)
            cause = (
                f"{apart} of {actual.size} whole numbers by which {_called(torch, torch.trace.maker[value])} is chosen are others: "
                f"{makes} in torch, {should} in Paddle; with Paddle's numbers here alone torch's results are Paddle's"
            )
            line = torch.trace.maker[ours].line
            return cause, "make the whole numbers that Paddle makes", (should, makes), "", line
    return None


def _chosen_alike(front: Front, trace: Trace) -> list[tuple[int, int]]:
    """(torch's, Paddle's) values that one line makes, or should: what torch takes, or what it makes of the same values."""
    if not front.lacking and not front.surplus:
        return [(front.torch[0].outputs[0], front.paddle[0])]
    return [
        (value, wanted)
        for value, (wanted, twin) in zip(front.surplus, front.lacking, strict=False)
        if value in trace.maker and twin in trace.maker and _place(trace, value) == _place(trace, twin)
    ]


def _place(trace: Trace, value: int) -> tuple[str, str]:
    op = trace.maker[value]
    return op.line, op.name


def _index(trace: Trace, value: int) -> int | None:
    """The whole numbers by which a value is chosen: an embedding's, a gather's."""
    while (op := trace.maker.get(value)) is not None:
        whole = [v for v in op.inputs.values() if trace.values[v].dtype in WHOLE]
        if whole:
            return whole[0]
        given = [v for v in op.inputs.values() if v in trace.maker]
        if len(given) != 1:
            return None
        value = given[0]
    return None


def moved(claim: Claim, evidence: Evidence) -> Finding:
    """The same numbers in another order, or two results in each other's place. details: the `Front`."""
    front: Front = claim.details
    torch = evidence.alignment.torch
    if front.exchanged:
        both = " and ".join(dict.fromkeys(_called(torch, op) for op in front.torch))
        cause = f"exchanged: torch takes each result of {both} where Paddle takes the other; with the two exchanged torch's results are Paddle's"
        return _finding(
            front, evidence, Subject.EXCHANGED, cause, "exchange the two results", ("in order", "exchanged")
        )
    actual = _called(torch, front.torch[0])
    cause = f"order: {actual} puts Paddle's numbers in another order; in Paddle's order here alone torch's results are Paddle's"
    return _finding(
        front,
        evidence,
        Subject.ORDER,
        cause,
        "join or move the numbers in Paddle's order",
        ("in order", actual),
    )


def _finding(
    front: Front,
    evidence: Evidence,
    subject: Subject,
    cause: str,
    fix: str,
    values: tuple[object, object],
    attribute: str = "",
    where: str = "",
) -> Finding:
    torch, paddle = evidence.alignment.torch, evidence.alignment.paddle
    ours = front.torch[0]
    theirs = front.way[-1] if front.way else front.source
    node = _node(torch, ours)
    made = constructor(torch.trace, ours.module) if subject is Subject.ATTRIBUTE else ""
    pair = None if node is None else evidence.alignment.pair_of_torch(node)
    return Finding(
        layer=ours.module,
        operator=_title(torch, ours),
        where=where or made or ours.line,
        cause=cause,
        fix=fix,
        evidence={
            "paddle": "" if theirs is None else _called(paddle, theirs),
            "torch": _called(torch, ours),
            "calls": len(front.torch),
        },
        layer_paddle="" if theirs is None else theirs.module,
        where_paddle="" if theirs is None else theirs.line,
        subject=subject,
        attribute=attribute,
        values={"paddle": values[0], "torch": values[1]},
        rows=() if pair is None else evidence.number(pair),
        order=float(ours.index if theirs is None else theirs.index),
    )


def _other_argument(theirs: Op, ours: Op) -> str:
    """The one argument in which two operators of one kind differ."""
    if theirs.kind != ours.kind:
        return ""
    names = theirs.attributes.keys() & ours.attributes.keys()
    differing = [name for name in names if theirs.attributes[name] != ours.attributes[name]]
    return differing[0] if len(differing) == 1 else ""


def _node(graph: Graph, op: Op) -> Node | None:
    if isinstance(op, Step):
        return None
    return next((node for node in graph.nodes if node.op == op.index), None)


def _title(graph: Graph, op: Op) -> str:
    node = _node(graph, op)
    return label(node) if node is not None and node.kind != "affine" else title(op.kind)


def _called(graph: Graph, op: Op) -> str:
    if isinstance(op, Step):
        return f"{title(op.kind)} ({op.role})"
    node = _node(graph, op)
    return layer(node) if node is not None else title(op.kind)


def _made(graph: Graph, value: int, op: Op | None = None) -> str:
    """What a value is, by its maker: one of the run's, if it is not given."""
    op = op or graph.trace.maker.get(value)
    if op is not None:
        return (
            f"what {_called(graph, op)} makes ({op.line})" if op.line else f"what {_called(graph, op)} makes"
        )
    named: Iterable[str] = (name for name, at in graph.trace.inputs.items() if at == value)
    return f"`{next(iter(named), graph.parameters.get(value, 'another value'))}`"
