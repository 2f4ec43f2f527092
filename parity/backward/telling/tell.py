"""Claims about gradients as findings, notes and doubts. This folder alone makes sentences of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from convert.names import listed
from parity.backward.claims import Claim, Cut, Doubt, Fault, Place, Remark
from parity.backward.telling import flow, gradients, loss
from parity.explain.lines import counterpart, line_in
from parity.explain.statements import WITHOUT_GRADIENT, block_around, flag_set, put_in_list
from parity.explain.words import label
from parity.results.finding import Finding, Note, Shows, Subject
from parity.trace.trace import Trace

Told = tuple[str, str]
"""Cause and fix."""

FAULTS: Mapping[Fault, Callable[[Claim], Told]] = {
    Fault.FROZEN: flow.frozen,
    Fault.TIE: flow.tie,
    Fault.NO_WAY: flow.no_way,
    Fault.CUT: flow.cut,
    Fault.TAKEN: flow.taken,
    Fault.HOOK: gradients.hook,
    Fault.PARAMETER_HOOK: gradients.parameter_hook,
    Fault.FUNCTION: gradients.function,
    Fault.CHANGED: gradients.changed,
    Fault.WITHHELD: gradients.withheld,
    Fault.NONE_ARRIVES: gradients.none_arrives,
    Fault.UNEXPLAINED: gradients.unexplained,
}
"""What is claimed -> who says it."""


def finding(claim: Claim, torch: Trace) -> Finding:
    """torch: its trace, which knows the lines of its layers."""
    if claim.what is Fault.LOSS:
        return loss.loss(claim.details)
    assert isinstance(claim.what, Fault)
    cause, fix = FAULTS[claim.what](claim)
    if claim.what is Fault.CUT:
        return _of_cut(claim, torch, cause, fix)
    if claim.what is Fault.TAKEN:
        return _of_number(claim, cause, fix)
    if claim.what in (Fault.NONE_ARRIVES, Fault.UNEXPLAINED):
        return _of_place(claim, torch, cause, fix)
    return _of_operator(claim, torch, cause, fix)


def _of_operator(claim: Claim, torch: Trace, cause: str, fix: str) -> Finding:
    assert claim.node is not None
    node, twin = claim.node, None if claim.pair is None else claim.pair.paddle
    if claim.what is Fault.HOOK and claim.details.side == "torch":
        where = claim.details.at
    elif claim.what in (Fault.HOOK, Fault.PARAMETER_HOOK, Fault.FUNCTION, Fault.CHANGED):
        where = node.line
    else:
        where = ""
    return Finding(
        layer=node.module,
        operator=label(node),
        where=where
        or _frozen_at(claim, torch, node.module)
        or torch.constructors.get(node.module, "")
        or node.line,
        cause=cause,
        fix=fix,
        evidence={"operator": node.name, **claim.evidence},
        layer_paddle="" if twin is None else twin.module,
        where_paddle="" if twin is None else twin.line,
        subject=Subject.TIE if claim.what is Fault.TIE else Subject.GRADIENT,
        attribute=claim.attribute,
        values=_values(claim),
        shows=Shows.GRADIENTS,
        order=claim.order,
    )


def _frozen_at(claim: Claim, torch: Trace, path: str) -> str:
    """Where a layer is frozen in torch, if that is in the class that makes it."""
    if claim.attribute != "trainable" or claim.values is None or claim.values[1]:
        return ""
    return flag_set(torch.constructors.get(path, ""), path, frozenset({"requires_grad_"}))


def _of_cut(claim: Claim, trace: Trace, cause: str, fix: str) -> Finding:
    found: Cut = claim.details
    op, in_torch = found.ops[0], found.side == "torch"
    block = block_around(op.line, WITHOUT_GRADIENT) if claim.attribute == "no_grad" else ""
    torch, paddle = (None, None) if claim.pair is None else (claim.pair.torch, claim.pair.paddle)
    layer, line = (op.module, block or op.line) if in_torch else ("", "")
    if not in_torch and torch is not None and paddle is not None:
        # It belongs where Paddle has it: around the layer that holds the operator, as the case may be.
        layer, _ = counterpart(torch.module, paddle.module, op.module)
        line = line_in(trace, layer, torch)
        # What is done on the line is done to all that is in the list; one of them is meant.
        line = put_in_list(line) or line
    elif not in_torch and (reader := found.below[0].reader) is not None:
        layer, line = reader.module, reader.line
    return Finding(
        layer=layer,
        operator=claim.attribute,
        where=line,
        cause=cause,
        fix=fix,
        evidence={
            "operator": op.name,
            "inputs without gradient": len(found.below),
            "feeds": flow.feeds(found),
        },
        layer_paddle=op.module if not in_torch or paddle is None else paddle.module,
        where_paddle=op.line if not in_torch else paddle.line if paddle else "",
        subject=Subject.GRADIENT,
        attribute=claim.attribute,
        values=_values(claim),
        shows=Shows.GRADIENTS,
        order=claim.order,
    )


def _of_number(claim: Claim, cause: str, fix: str) -> Finding:
    side, number = claim.details
    return Finding(
        layer=claim.attribute.rpartition(".")[0],
        operator=number.call,
        where=number.line if side == "torch" else "",
        cause=cause,
        fix=fix,
        evidence=claim.evidence,
        where_paddle=number.line if side == "Paddle" else "",
        subject=Subject.GRADIENT,
        attribute=claim.attribute,
        values=_values(claim),
        shows=Shows.GRADIENTS,
        order=claim.order,
    )


def _of_place(claim: Claim, torch: Trace, cause: str, fix: str) -> Finding:
    """details: where the gradient is."""
    at: Place = claim.details
    node, module = claim.node, at.parameter.rpartition(".")[0]
    return Finding(
        layer=module,
        operator=label(node) if node is not None else "parameter",
        where=node.line if node is not None else torch.constructors.get(module, "") or torch.model,
        cause=cause,
        fix=fix,
        evidence=claim.evidence,
        subject=Subject.GRADIENT,
        attribute=claim.attribute,
        values=_values(claim),
        shows=Shows.GRADIENTS,
        order=claim.order,
    )


def _values(claim: Claim) -> dict[str, object]:
    return {} if claim.values is None else {"paddle": claim.values[0], "torch": claim.values[1]}


def note(claim: Claim, torch: Trace) -> Note:
    if claim.what is Remark.LOSS_CONSTANT:
        return loss.loss_constant(claim.details)
    if claim.what is Remark.DROPOUT:
        return Note(
            f"{claim.details} active dropout(s) were run with p=0 on both sides: the two frameworks never draw "
            "the same mask"
        )
    if claim.what is Remark.CONSTANT:
        assert claim.node is not None
        reason, apart = claim.details
        module = claim.node.module
        return Note(
            f"gradients through {label(claim.node)} `{module}`: {reason}; a difference of {apart:.1e} is that, "
            "not the port",
            module,
        )
    if claim.what is Remark.WRITTEN:
        told = finding(claim.details, torch)
        return Note(
            f"{told.operator}{f' `{told.layer}`' if told.layer else ''}: gradients are handed on "
            "otherwise inside, while those of all parameters and inputs agree: written differently",
            told.layer,
            told.evidence,
        )
    parameters, inputs, values = claim.details
    return Note(
        f"gradients: {parameters} parameters, {inputs} inputs and {values} values "
        "in between compared in float64, all agree to rounding",
        "",
        claim.evidence,
    )


def doubt(claim: Claim) -> str:
    if claim.what is Doubt.STRUCTURE:
        return "gradients were not compared: the models' results have another structure"
    if claim.what is Doubt.NOTHING:
        return "no gradient of a parameter or an input was compared"
    if claim.what is Doubt.FOLDED:
        return (
            "Paddle's BatchNorms are folded into weights of torch, whose gradients are others and were not compared: "
            + listed([f"`{name}`" for name in claim.details])
        )
    side, names = claim.details
    other = "Paddle" if side == "torch" else "torch"
    return (
        f"{len(names)} gradient(s) of {side}'s parameters were not compared, no parameter of {other}'s is known to "
        f"correspond: {listed([f'`{name}`' for name in names])}"
    )
