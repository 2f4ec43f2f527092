"""What gradients differ in, in sentences: by which operator, or at which parameter that nothing explains."""

from __future__ import annotations

from parity.backward.claims import Changed, Claim, Place
from parity.explain.words import named

Told = tuple[str, str]
"""Cause and fix."""


def hook(claim: Claim) -> Told:
    assert claim.node is not None
    found: Changed = claim.details
    line = found.at
    return (
        f"a gradient hook only in {found.side}, on the result of {named(claim.node)} ({line}), changes the gradient"
        + _at(found),
        f"remove the hook at {line}"
        if found.side == "torch"
        else f"register the hook of {line} in torch too",
    )


def parameter_hook(claim: Claim) -> Told:
    found: Changed = claim.details
    return (
        f"a gradient hook on the parameter `{found.at}` only in {found.side} changes what the optimizer gets"
        + _at(found),
        f"{'remove it' if found.side == 'torch' else 'register it in torch too'} (`{found.at}`.register_hook)",
    )


def function(claim: Claim) -> Told:
    assert claim.node is not None
    return (
        f"{named(claim.node)} is part of a torch.autograd.Function whose own backward gives another gradient"
        + _at(claim.details),
        "make its backward what Paddle's gradient is, or write the forward without a Function",
    )


def changed(claim: Claim) -> Told:
    assert claim.node is not None
    return (
        f"the gradient changes on its way back through {named(claim.node)}, whose result gets Paddle's gradient"
        + _at(claim.details),
        "compare the two lines: a detach, a custom backward or another operator that only looks the same",
    )


def withheld(claim: Claim) -> Told:
    """Source: `if (d_scale && d_bias)` in Paddle's `phi/kernels/funcs/sync_batch_norm_utils.h`; its kernel for the CPU does the same, as was run."""
    assert claim.node is not None
    (place_, _), *_ = claim.details.factors
    return (
        f"{place(place_)} learns in torch and stays what it is in Paddle, whose BatchNorm gives its weight and its bias gradients only "
        "together: here one of them is frozen or left out",
        f"to train as Paddle does: {place_.parameter}.requires_grad_(False); as it is, torch does what the formula says",
    )


def none_arrives(claim: Claim) -> Told:
    return (
        f"{place(claim.details)} gets no gradient in torch, Paddle's has one",
        "make it a parameter that requires a gradient, and use it itself: not .data, .item(), .detach() or a copy",
    )


def unexplained(claim: Claim) -> Told:
    return (
        f"the gradient of {place(claim.details)} differs by {claim.evidence['relative difference']:.1e} of its scale, "
        "though each operator alone hands on Paddle's",
        "compare how often, and in what, both models use it",
    )


def _at(found: Changed) -> str:
    return f"; it differs at {', '.join(f'{place(at)}{_times(factor)}' for at, factor in found.factors)}"


def _times(factor: float | None) -> str:
    if factor is None:
        return ""
    return " (none arrives in torch)" if factor == 0.0 else f" (torch's is {factor:.6g} times Paddle's)"


def place(at: Place) -> str:
    if at.parameter:
        return f"`{at.parameter}`"
    if at.made_by is not None:
        return f"the result of {named(at.made_by)}"
    return f"input {at.input}" if at.input else "an input"
