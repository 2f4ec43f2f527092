"""Claims about how an aligned operator is configured as findings: sentence, fix, line."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from typing import Any

from parity.align.alignment import Pair
from parity.explain.claims import Claim
from parity.explain.configuration import AttributeDifference
from parity.explain.consequences import Made
from parity.explain.evidence import Evidence
from parity.explain.lines import (
    LAID_OUT,
    beside,
    configured,
    constructor,
)
from parity.explain.statements import flag_set, number_given
from parity.explain.telling.operators import of_pair, pair_of, with_numbers
from parity.explain.torch_code import called, fix_scale, real_axes
from parity.explain.words import (
    different_moves,
    first_difference,
    first_different_move,
    label,
    line_of,
    show,
    training,
)
from parity.ops.table import COMPOSITES, fix_of, flat_pads, trap_of
from parity.results.finding import Finding, Subject
from parity.trace.trace import Op


def attribute(claim: Claim, evidence: Evidence) -> Finding:
    """details: the `AttributeDifference`, the `Made` of an argument of the layer, or none for a folded BatchNorm."""
    pair, found = pair_of(claim), claim.details
    if isinstance(found, Made):
        return _made(claim, evidence)
    if pair.folded:
        return _folded(claim, evidence)
    name, paddle_value, torch_value = found.attribute, found.paddle, found.torch
    if name == "axes":
        torch_value, paddle_value = (real_axes(node)[name] for node in (pair.torch, pair.paddle))
    if pair.torch.kind == "affine" and pair.torch.spelling.negated:
        torch_value, paddle_value = -torch_value, -paddle_value
    blamed = evidence.torch.trace.ops[pair.torch.decided[name]] if name in pair.torch.decided else None
    return of_pair(
        claim,
        evidence,
        _cause_of_attribute(pair, evidence, name, paddle_value, torch_value),
        _fix_of_attribute(pair, evidence, found, paddle_value, torch_value),
        with_numbers(pair, evidence, attribute=name, paddle=show(paddle_value), torch=show(torch_value)),
        blamed=blamed,
        where=_line_of_attribute(pair, evidence, found, blamed),
        attribute=name,
        values=(paddle_value, torch_value),
    )


def _folded(claim: Claim, evidence: Evidence) -> Finding:
    pair = pair_of(claim)
    assert claim.values is not None
    paddle, torch = map(show, claim.values)
    return of_pair(
        claim,
        evidence,
        f"eps: Paddle's BatchNorm is folded into this layer's weights with {torch}, its own is {paddle}",
        f"fold it with its own eps: weight * scale / sqrt(variance + {paddle}), and the bias likewise",
        with_numbers(pair, evidence, attribute="eps", paddle=paddle, torch=torch),
    )


def _code(value: object) -> str:
    return f'float("{value}")' if isinstance(value, float) and not isfinite(value) else repr(value)


def _made(claim: Claim, evidence: Evidence) -> Finding:
    pair, made, trace = pair_of(claim), claim.details, evidence.torch.trace
    assert claim.values is not None
    paddle, torch = claim.values
    module = pair.torch.module if made.op is None else made.op.module
    line = constructor(trace, module) or (pair.torch.line if made.op is None else made.op.line)
    return of_pair(
        claim,
        evidence,
        f"{claim.attribute}: torch has {show(torch)}, Paddle has {show(paddle)}",
        f"{made.operator}(..., {', '.join((f'{claim.attribute}={_code(paddle)}', *made.also))})",
        with_numbers(pair, evidence, argument=claim.attribute, paddle=show(paddle), torch=show(torch)),
        operator=made.operator,
        blamed=made.op,
        where=line,
    )


def order(claim: Claim, evidence: Evidence) -> Finding:
    """A chain of moves that is another one: told by the part of it that differs. details: the `AttributeDifference`."""
    pair = pair_of(claim)
    theirs, ours = different_moves(pair)
    values = " -> ".join(how for _, how in theirs), " -> ".join(how for _, how in ours)
    blamed = _first_different_op(pair, evidence)
    where = _line_of_attribute(pair, evidence, claim.details, blamed)
    if ours and theirs:
        return of_pair(
            claim,
            evidence,
            _cause_of_attribute(pair, evidence, "order", *values),
            f"move the numbers as Paddle does: {values[0]}",
            with_numbers(pair, evidence, attribute="order", paddle=values[0], torch=values[1]),
            operator=first_different_move(pair),
            blamed=blamed,
            where=where,
            values=values,
        )
    side = "Paddle" if theirs else "torch"
    told = values[0] or values[1]
    return of_pair(
        replace(claim, what=Subject.MISSING if theirs else Subject.EXTRA),
        evidence,
        f"{told} only in {side}",
        f"{'add' if theirs else 'remove'} {told}",
        with_numbers(pair, evidence, attribute="order", paddle=values[0], torch=values[1]),
        operator=first_different_move(pair),
        blamed=blamed,
        where=_line_of_gap(pair, evidence) if theirs else where,
        values=(values[0] or None, values[1] or None),
    )


def _line_of_gap(pair: Pair, evidence: Evidence) -> str:
    """Where a move that only Paddle makes belongs in a chain of torch's: beside the reshape that stands beside it in Paddle."""
    ours, theirs = pair.torch, pair.paddle
    if len(ours.raw) != len(ours.spelling.how) or len(theirs.raw) != len(theirs.spelling.how):
        return ""
    at = first_difference(ours.spelling.how, theirs.spelling.how)
    trace = evidence.torch.trace
    lacking = [evidence.paddle.trace.ops[theirs.raw[at + i]] for i in range(len(different_moves(pair)[0]))]
    if at < len(ours.raw):
        value = next(iter(trace.ops[ours.raw[at]].inputs.values()))
        return beside(evidence.alignment, lacking, value)
    readers = [op for op in trace.ops if trace.ops[ours.raw[-1]].outputs[0] in op.inputs.values()]
    while readers and readers[0].kind in LAID_OUT:
        readers = [op for op in trace.ops if readers[0].outputs[0] in op.inputs.values()]
    return beside(evidence.alignment, lacking, *readers[0].inputs.values()) if readers else ""


def _cause_of_attribute(pair: Pair, evidence: Evidence, name: str, paddle: Any, torch: Any) -> str:
    if name == "pads":
        paddle, torch = flat_pads(paddle), flat_pads(torch)
    cause = f"{name}: torch has {show(torch)}, Paddle has {show(paddle)}"
    # Of a ready-made layer, the argument that an operator inside it comes from.
    kind = evidence.torch.trace.modules.get(pair.torch.module, {}).get("type", "")
    argument = COMPOSITES.get(kind, {}).get(name, "")
    if argument:
        cause = f"{argument}: {cause}"
    if name == "momentum":
        cause += ", in Paddle's convention"
    if name == "training":
        cause = f"training flag: runs {training(torch)} in torch, {training(paddle)} in Paddle"
    trap = trap_of(pair.torch.kind, name)
    return cause if trap is None else f"{cause} ({trap.text})"


def _fix_of_attribute(
    pair: Pair, evidence: Evidence, found: AttributeDifference, paddle: Any, torch: Any
) -> str:
    name, kind = found.attribute, pair.torch.kind
    if name == "training":
        return "call model.eval() / model.train() on the whole model, and leave no layer's flag set by hand"
    if pair.torch.spelling.by_hand:
        return f"in the {label(pair.torch)} that is written out here, make {name} {show(paddle)}"
    if kind == "matmul" and name == "scale":
        return fix_scale(pair.torch, 1.0 if found.paddle is None else found.paddle)
    if kind == "affine":
        return f"write {line_of(pair.paddle, pair.torch)} here"
    if name.startswith("scalar_"):
        return f"write {show(paddle)} here for {show(torch)}"
    # What is called: the layer's own class where that is one of several for the operator.
    call = called(pair.torch)
    type_: str = evidence.torch.trace.modules.get(pair.torch.module, {}).get("type", "")
    return fix_of(kind, name, paddle, type_ if type_.rstrip("123d") == call.rstrip("123d") else call)


def _line_of_attribute(pair: Pair, evidence: Evidence, found: AttributeDifference, blamed: Op | None) -> str:
    """The line that decides an attribute: inside a ready-made layer, the one that makes the layer."""
    numeric = isinstance(found.torch, (int, float)) and not isinstance(found.torch, bool)
    if blamed is not None:
        made = constructor(evidence.torch.trace, blamed.module)
        return made or (number_given(blamed.line, found.torch) if numeric else "")
    if found.attribute == "training":
        path = pair.torch.module
        made = evidence.torch.trace.constructors.get(path, "")
        flag = flag_set(made, path, frozenset({"train"} if found.torch else {"eval"}))
        if flag:
            return flag
    line = configured(evidence.alignment, pair, lambda node: node.attributes.get(found.attribute))
    return (number_given(line, found.torch) if numeric and line == pair.torch.line else "") or line


def _first_different_op(pair: Pair, evidence: Evidence) -> Op | None:
    """The torch operator of a chain of moves that first differs from Paddle's chain."""
    paddle, torch = evidence.paddle.trace, evidence.torch.trace
    ours, theirs = pair.torch.spelling.how, pair.paddle.spelling.how
    if len(pair.torch.raw) != len(ours) or len(pair.paddle.raw) != len(theirs):
        return None
    at = first_difference(ours, theirs)
    op = torch.ops[pair.torch.raw[min(at, len(ours) - 1)]]
    if len(theirs) > len(ours):
        # The move is missing in torch: the place is where Paddle makes it.
        module = paddle.ops[pair.paddle.raw[at]].module
        return replace(op, module=module) if module in torch.modules else op
    return op
