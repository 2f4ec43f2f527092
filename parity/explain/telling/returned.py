"""Claims about what the models return as findings."""

from __future__ import annotations

from parity.explain.claims import Claim, Doubt
from parity.explain.evidence import Evidence
from parity.explain.lines import at_end
from parity.results.finding import Finding, Subject
from parity.trace.trace import Trace

_TOLD = {"number": "a Python number", "array": "a numpy array", "tensor": "a tensor", "text": "a text"}


def result(claim: Claim, evidence: Evidence) -> Finding:
    """details: in what the results differ; values: what Paddle and torch have there."""
    assert claim.values is not None
    theirs, ours = claim.values
    path = claim.attribute
    trace = evidence.torch.trace
    if claim.details == "input":
        (cause, fix), where = _of_input(path, bool(theirs), bool(ours)), _written_at(trace, path)
    else:
        cause, fix = _sentence(path, claim.details, theirs, ours)
        where = _made_at(trace, path)
    return Finding(
        layer="",
        operator=str(claim.details) if claim.details == "input" else "output",
        where=where or at_end(evidence.alignment) or trace.model,
        cause=cause,
        fix=fix,
        evidence={
            "paddle": sorted(evidence.paddle.trace.results),
            "torch": sorted(trace.results),
        },
        subject=Subject.OUTPUT,
        attribute=path,
        values={"paddle": theirs, "torch": ours},
        order=float("inf"),
    )


def _of_input(name: str, paddle: bool, torch: bool) -> tuple[str, str]:
    if torch and not paddle:
        return (
            f"forward writes into its input `{name}`: the caller's tensor holds other numbers afterwards, in Paddle the same",
            "work on a new tensor: `x = x + 1` for `x += 1`, no `inplace=True` or method with `_` on the input or a view of it",
        )
    if paddle and not torch:
        return (
            f"Paddle's forward writes into its input `{name}`, torch's leaves the caller's tensor as it was",
            "write into the input as Paddle's model does, or take that out of both",
        )
    return (
        f"after forward the input `{name}` holds other numbers than in Paddle, which writes into it too",
        "write into the input what Paddle's model does",
    )


def _written_at(trace: Trace, name: str) -> str:
    """The line of the first operator that works in place on an input, if that is what writes into it."""
    value = trace.inputs.get(name)
    return next(
        (op.line for op in trace.ops if op.name.rstrip("_") != op.name and value in op.inputs.values()), ""
    )


def _sentence(path: str, what: str, paddle: object, torch: object) -> tuple[str, str]:
    if what == "structure":
        side = "Paddle" if paddle else "torch"
        return f"the model's result has `{path}` only in {side}", "return the same structure on both sides"
    if what == "type":
        bare = " (no .item(), no .numpy())" if paddle == "tensor" else ""
        return (
            f"`{path}` is {_TOLD[str(torch)]} in torch, {_TOLD[str(paddle)]} in Paddle",
            f"return {_TOLD[str(paddle)]}{bare}",
        )
    if what == "text":
        return (
            f"`{path}` is {str(torch)[:80]!r} in torch, {str(paddle)[:80]!r} in Paddle",
            "make the text what Paddle's is",
        )
    if what == "numbers":
        return (
            f"`{path}` holds {torch} numbers in torch, {paddle} numbers in Paddle",
            f"return {paddle} numbers",
        )
    if what == "shape":
        return (
            f"`{path}` has the shape {torch} in torch, {paddle} in Paddle",
            f"return it in Paddle's shape, {paddle}",
        )
    return (
        f"`{path}` is {torch:.6g} in torch, {paddle:.6g} in Paddle, and no operator of either framework makes it: Python or "
        "numpy does",
        "compare what both models compute outside of the framework",
    )


def doubt(claim: Claim) -> str:
    if claim.what is Doubt.RESULT_TYPE:
        types = " and ".join(claim.details)
        return f"`{claim.attribute}` is of a type that is not compared ({types}): return tensors, numbers or texts"
    return f"`{claim.attribute}` is empty on this input, so nothing was compared of it: give an input on which it is not"


def _made_at(trace: Trace, path: str) -> str:
    """The line that made an output."""
    value = trace.outputs.get(path)
    return next((op.line for op in reversed(trace.ops) if value in op.outputs), "")
