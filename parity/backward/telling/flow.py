"""What cuts gradients off on one side only, in sentences: frozen weights, tied ones, a detach, a no_grad block."""

from __future__ import annotations

from parity.backward.claims import Below, Claim, Cut
from parity.backward.ties import Tie
from parity.explain.words import named, title

Told = tuple[str, str]
"""Cause and fix."""


def frozen(claim: Claim) -> Told:
    """details: torch's names, and Paddle's of the first."""
    assert claim.values is not None
    names, paddle = claim.details
    told = ", ".join(f"`{name}`" for name in names)
    if claim.values[1]:
        return (
            f"frozen only in Paddle: {told} gets gradients in torch, Paddle's `{paddle}` has stop_gradient=True",
            " ".join(f"{name}.requires_grad_(False)" for name in names),
        )
    return (
        f"frozen: {told} gets no gradient in torch (requires_grad=False, or a buffer), Paddle trains `{paddle}`",
        " ".join(f"{name}.requires_grad_(True)" for name in names),
    )


def tie(claim: Claim) -> Told:
    """details: the `Tie`."""
    found: Tie = claim.details
    names = found.names
    if found.uses:
        return (
            f"tied only in Paddle: its `{found.one}` is used {found.uses} times; in torch `{names[1]}` is a parameter of "
            f"its own that holds the numbers of `{names[0]}` and trains apart",
            f"use one parameter in both places: {names[1]} = {names[0]}",
        )
    side, other = ("Paddle", "torch") if found.parameters[0] == 1 else ("torch", "Paddle")
    return (
        f"tied only in {side}: its `{found.one}` is {len(names)} parameters in {other}, "
        f"{' and '.join(f'`{name}`' for name in names)}, which train apart",
        f"use one parameter in all these places, as Paddle does: {names[-1]} = {names[0]}"
        if side == "Paddle"
        else "give every place a parameter of its own, as Paddle does",
    )


def no_way(claim: Claim) -> Told:
    assert claim.pair is not None
    assert claim.values is not None
    side = "Paddle" if claim.values[1] else "torch"
    return (
        f"no gradient only in {side}: {named(claim.pair.torch)} takes its {claim.attribute} without one",
        "let gradients flow on both sides, or on neither",
    )


def cut(claim: Claim) -> Told:
    """details: the `Cut`; attribute: by what."""
    found: Cut = claim.details
    op, torch, fed = found.ops[0], found.side == "torch", feeds(found)
    if claim.attribute == "detach":
        return (
            f"detach only in {found.side}: no gradient flows back from {fed}",
            f"remove the detach at {op.line}" if torch else "detach the same value in torch",
        )
    if claim.attribute == "stop_gradient":
        return (
            f"the result of {op.name} has its gradient stopped only in {found.side}: none flows back from {fed}",
            "let gradients flow on both sides, or detach on both",
        )
    names = ", ".join(dict.fromkeys(f"{o.name} `{o.module}`" if o.module else o.name for o in found.ops[:4]))
    more = f" and {len(found.ops) - 4} more" if len(found.ops) > 4 else ""
    return (
        f"no gradient only in {found.side}: {names}{more} ran under no_grad, {'Paddle' if torch else 'torch'} goes backward through",
        f"run {names} outside of no_grad" if torch else "run it under torch.no_grad() too",
    )


def feeds(found: Cut) -> str:
    """What lies below a cut."""
    return ", ".join(dict.fromkeys(_below(below) for below in found.below))


def _below(below: Below) -> str:
    if below.reader is not None:
        return title(below.reader.kind)
    if below.pair is None:
        return f"the model's {below.result}"
    return named(below.pair.torch) + (f" to `{below.weight}`" if below.weight else "")


def taken(claim: Claim) -> Told:
    """details: the side, and what is `Taken`."""
    side, number = claim.details
    told = ", ".join(f"`{name}`" for name in claim.evidence["parameters"])
    other = "Paddle" if side == "torch" else "torch"
    return (
        f"a number is taken out of a tensor ({number.call}) in {side}, so that no gradient goes back through "
        f"it; in {other} one does: it differs at {told}",
        f"use the tensor itself, without {number.call}"
        if side == "torch"
        else "use the tensor's .detach(), as no gradient goes back there in Paddle",
    )
