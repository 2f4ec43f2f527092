"""Claims about aligned operators as findings: sentence, fix, line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from parity.align.alignment import Pair
from parity.explain.attention import ROLES
from parity.explain.claims import Claim
from parity.explain.evidence import Evidence
from parity.explain.lines import (
    configured,
    named_otherwise,
    parting_line,
    place,
)
from parity.explain.torch_code import called, code
from parity.explain.weights import ParameterDifference
from parity.explain.words import (
    label,
    layer,
    numbers_of,
    sentence,
    show,
)
from parity.graph.node import Graph, Node
from parity.numbers.same import ratio, same
from parity.ops.kinds import kind_of
from parity.ops.table import argument_of, row_of, trap_told
from parity.results.finding import Finding, Subject
from parity.trace.trace import Op
from parity.trace.values import Array

FEW = 4
"""Numbers of a constant that are shown."""

RELATIONS: tuple[tuple[str, Callable[[Array, Array], bool]], ...] = (
    ("; torch's are Paddle's the other way round", lambda e, a: same(a, e[::-1])),
    ("; torch's are Paddle's in another order", lambda e, a: same(np.sort(a), np.sort(e))),
    ("; torch's are a multiple of Paddle's", lambda e, a: ratio(e, a) is not None),
    (
        "; torch's are Paddle's and a number more or less",
        lambda e, a: e.shape == a.shape and not np.ptp(a - e),
    ),
)
"""What makes a constant's numbers of Paddle's, in words."""


def of_pair(
    claim: Claim,
    evidence: Evidence,
    cause: str,
    fix: str,
    numbers: Mapping[str, Any],
    *,
    operator: str = "",
    blamed: Op | None = None,
    where: str = "",
    attribute: str | None = None,
    values: tuple[Any, Any] | None = None,
) -> Finding:
    """A finding about an aligned pair; `blamed` is the raw operator at fault inside a merged one.

    where: the line to edit, if it is neither that operator's nor the pair's own. attribute and values: if they are not the claim's.
    """
    pair = claim.pair
    assert pair is not None
    assert isinstance(claim.what, Subject)
    node, graph = pair.torch, evidence.alignment.torch
    values = claim.values if values is None else values
    return Finding(
        layer=node.module if blamed is None else blamed.module,
        operator=operator or label(node),
        where=where or (place(graph, node) if blamed is None else blamed.line),
        cause=sentence(cause, claim.shows),
        fix=fix,
        evidence={"operator": node.name, **numbers},
        layer_paddle=pair.paddle.module,
        where_paddle=place(evidence.alignment.paddle, pair.paddle),
        subject=claim.what,
        attribute=claim.attribute if attribute is None else attribute,
        values={} if values is None else {"paddle": values[0], "torch": values[1]},
        shows=claim.shows,
        rows=evidence.number(pair),
        order=pair.paddle.order,
        guide=row.paddle if (row := row_of(node.kind)) is not None else "",
    )


def pair_of(claim: Claim) -> Pair:
    assert claim.pair is not None
    return claim.pair


def untied(claim: Claim, evidence: Evidence) -> Finding:
    """A parameter that Paddle uses twice and torch has two of. details: the `Untied`."""
    found = claim.details
    ours, other = (name.rpartition(".")[0] or name for name in (found.wrong, found.right))
    return of_pair(
        claim,
        evidence,
        f"tied only in Paddle: its `{found.paddle}` is used here too; torch's `{found.wrong}` is one of its own and holds other "
        f"numbers than `{found.right}`",
        f"use one layer in both places: {ours} = {other}",
        {"parameters": [found.wrong, found.right]},
    )


def with_numbers(pair: Pair, evidence: Evidence, **facts: Any) -> dict[str, Any]:
    return {**facts, **numbers_of(evidence.row(pair))}


def slot(claim: Claim, evidence: Evidence) -> Finding:
    pair, name = pair_of(claim), claim.attribute
    assert claim.values is not None
    in_paddle = claim.values[0]
    side, other = ("Paddle", "torch") if in_paddle else ("torch", "Paddle")
    numbers = with_numbers(pair, evidence, slot=name)
    if name in kind_of(pair.torch.kind).optional:
        cause = f"{name} only in {side}: the {other} layer is called without it"
        fix = f"pass {name} to {label(pair.torch)}" if in_paddle else f"leave {name} out"
        return of_pair(claim, evidence, cause, fix, numbers)
    cause = f"{name} only in {side}: the {other} layer is made without one"
    argument = argument_of(pair.torch.kind, f"{name}_attr")
    fix = (
        f"{label(pair.torch)}(..., {(argument.torch if argument is not None else None) or name}={in_paddle})"
    )
    where = configured(evidence.alignment, pair, lambda node: name in node.inputs)
    return of_pair(claim, evidence, cause, fix, numbers, where=where)


def weight(claim: Claim, evidence: Evidence) -> Finding:
    """details: the `ParameterDifference`, or the `Attention` and its roles where a ready-made one is packed otherwise."""
    found = claim.details
    if not isinstance(found, ParameterDifference):
        return roles(claim, evidence)
    facts = {
        "parameter": found.torch,
        "paddle parameter": found.paddle,
        "relative difference": found.gap,
        **numbers_of(evidence.row(pair_of(claim))),
    }
    fix = found.diagnosis.instead or found.diagnosis.first + _copying(found)
    return of_pair(claim, evidence, found.diagnosis.cause, fix, facts)


def _copying(found: ParameterDifference) -> str:
    """The assignment that makes a torch parameter, or the part of a packed one, what Paddle's is."""
    if found.buffer:
        return f"make the buffer `{found.torch}` what Paddle's `{found.paddle}` is"
    rows, theirs = found.pair.torch.rows, found.pair.paddle.rows
    ours = "" if rows is None else f"[{rows[0]}:{rows[1]}]"
    part = "" if theirs is None else f"[{theirs[0]}:{theirs[1]}]"
    if theirs is not None and found.turned:
        part = f"[:, {theirs[0]}:{theirs[1]}]"
    turn = ".T" if found.turned else ""
    return f"torch_state[{found.torch!r}]{ours} = paddle_state[{found.paddle!r}]{part}{turn}"


def substituted(claim: Claim, evidence: Evidence) -> Finding:
    pair = pair_of(claim)
    name = ""
    values: tuple[Any, Any] = layer(pair.paddle), layer(pair.torch)
    cause = f"torch runs {values[1]} where Paddle runs {values[0]}"
    if pair.torch.kind == pair.paddle.kind:
        name = "weight"
        values = (
            _shape_of_weight(evidence.alignment.paddle, pair.paddle),
            _shape_of_weight(evidence.alignment.torch, pair.torch),
        )
        cause += f": weight of shape {values[1] or 'none'} in torch, {values[0] or 'none'} in Paddle"
    return of_pair(
        claim,
        evidence,
        cause,
        f"replace {called(pair.torch)} by {code(pair.paddle, pair.torch)}",
        with_numbers(pair, evidence, paddle=pair.paddle.kind, torch=pair.torch.kind),
        where=configured(evidence.alignment, pair, lambda node: node.kind),
        attribute=name,
        values=values,
    )


def _shape_of_weight(graph: Graph, node: Node) -> list[int] | None:
    return list(graph.shapes[node.inputs["weight"]]) if "weight" in node.inputs else None


def _other_numbers(claim: Claim, evidence: Evidence, expected: Array, actual: Array) -> Finding:
    """A constant, which has no input that could be at fault."""
    pair, (theirs, ours) = pair_of(claim), [_beginning(array) for array in (expected, actual)]
    flat = [array.reshape(-1).astype(np.float64) for array in (expected, actual) if array.dtype.kind != "c"]
    how = next((how for how, made in RELATIONS if len(flat) == 2 and made(*flat)), "")
    return of_pair(
        claim,
        evidence,
        f"other numbers are made here: {ours} in torch, {theirs} in Paddle{how}",
        f"make the numbers that Paddle makes: {theirs}",
        with_numbers(pair, evidence),
        values=(theirs, ours),
    )


def _beginning(array: Array) -> str:
    shown = [show(number) for number in array.reshape(-1)[:FEW].tolist()]
    return f"[{', '.join(shown)}{', ...' if array.size > FEW else ''}]"


def unexplained(claim: Claim, evidence: Evidence) -> Finding:
    pair = pair_of(claim)
    made = evidence.paddle.value(pair.paddle.output), evidence.torch.value(pair.torch.output)
    if pair.torch.kind == "constant" and made[0] is not None and made[1] is not None:
        return _other_numbers(claim, evidence, made[0].load(), made[1].load())
    local = evidence.row(pair).local
    assert local is not None
    shapes = {}
    if not local.comparable:
        cause = f"the result cannot be compared: {local.problem}"
        fix = "compare how both sides shape this operator's inputs"
        shapes = {"paddle shapes": pair.paddle.shapes, "torch shapes": pair.torch.shapes}
        results = (evidence.alignment.paddle, pair.paddle), (evidence.alignment.torch, pair.torch)
        expected, actual = (list(graph.shapes[node.output]) for graph, node in results)
    else:
        cause = (
            f"same inputs, attributes and weights, yet the result differs by {local.max_rel:.1e} of its scale"
        )
        fix = "compare the two lines: an argument that is not recorded must differ"
        expected, actual = (list(node.shape("x")) for node in (pair.paddle, pair.torch))
        if expected != actual:
            cause = f"works on shape {actual} in torch and {expected} in Paddle"
        given = [name for name, value in pair.paddle.attributes.items() if value is not None]
        told = trap_told(pair.torch.kind, given)
        if told is not None:
            cause, fix = f"{told[0]} (differs by {local.max_rel:.1e} of its scale)", told[1]
    apart = not local.comparable or expected != actual
    return of_pair(
        claim,
        evidence,
        cause,
        fix,
        {**shapes, **numbers_of(evidence.row(pair))},
        attribute="shape" if apart else "",
        values=(expected, actual) if apart else None,
    )


def roles(claim: Claim, evidence: Evidence) -> Finding:
    """Query, key and value in each other's place. details: (the `Attention`, torch's role -> Paddle's)."""
    found, swap = claim.details
    names = [role for role in ROLES if role in swap]
    both = f"{', '.join(names[:-1])} and {names[-1]}"
    taken = ", ".join(f"as {role} what is the {swap[role]} in Paddle" for role in names)
    calls = dict.fromkeys(found.roles[role][0].torch.line for role in names)
    parting = parting_line(evidence.torch.trace, [found.chains[role] for role in names])
    where = named_otherwise(evidence.alignment, *(found.roles[role][0] for role in names)) or parting
    others = [line for line in (*calls, parting) if line != where]
    instead = (
        f", or where the attention {'takes' if where == parting else 'gets'} them ({', '.join(others)})"
        if others
        else ""
    )
    cause, fix = f"{both} are swapped: this attention takes {taken}", f"exchange {both} here{instead}"
    if claim.attribute:
        held = []
        for role in names:
            node = found.chains[role][0]
            pair = evidence.alignment.pair_of_torch(node)
            assert pair is not None
            theirs = evidence.alignment.paddle.parameters.get(pair.paddle.inputs["weight"], "")
            held.append(f"rows {node.rows[0]}:{node.rows[1]} of `{claim.attribute}` hold Paddle's `{theirs}`")
        cause += f"; {', '.join(held)}"
        order_ = ", ".join(found.roles)
        fix = f"pack `{claim.attribute}` as {order_}; or, if it is packed as it should be, {fix}"
    values = None
    if claim.what is Subject.WEIGHT:
        where, fix = "", f"pack `{claim.attribute}` as {', '.join(found.roles)}"
        own = {role: _layer_of(found.roles[role][0], found.chains[role][0], evidence) for role in names}
        values = [own[swap[role]] for role in names], [own[role] for role in names]
    return of_pair(
        claim, evidence, cause, fix, {"swapped": dict(swap)}, operator="attention", where=where, values=values
    )


def _layer_of(_: Pair, node: Node, evidence: Evidence) -> str:
    """Paddle's layer whose weight torch's part of a packed one holds."""
    pair = evidence.alignment.pair_of_torch(node)
    return "" if pair is None else pair.paddle.module.rpartition(".")[2]
