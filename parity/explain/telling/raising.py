"""A port that raises where Paddle's model does not, as a finding."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from parity.explain.claims import Raised, Stray
from parity.explain.words import title
from parity.results.finding import Finding, Shows, Subject


def raised(found: Raised) -> Finding:
    kind, twin = found.kind, found.twin
    cause = _what(found)
    fix = "make this line take what Paddle's takes" + (f": {_told(found.paddle)}" if found.paddle else "")
    if found.after_others:
        fix = "correct what is found before it, which it may come from"
    where, attribute = found.line, "shape" if kind else ""
    values: dict[str, Any] = {"paddle": found.paddle, "torch": found.torch} if kind else {}
    if found.stray is not None:
        where, attribute, values = found.stray.line, "device", {}
        told, fix = _stray(found.stray)
        cause += f"; {told}"
    return Finding(
        layer=found.module,
        operator=title(kind) if kind else "forward",
        where=where,
        cause=cause,
        fix=fix,
        evidence={
            "error": found.error,
            "torch shapes": found.torch,
            "paddle shapes": found.paddle,
            "traceback": found.traceback,
        },
        layer_paddle="" if twin is None else twin.module,
        where_paddle="" if twin is None else twin.line,
        subject=Subject.RAISED,
        attribute=attribute,
        values=values,
        shows=Shows.ERROR,
        order=float("inf"),
    )


def _what(found: Raised) -> str:
    what = f"on an input of {found.sizes}, which Paddle's model takes, the torch model raised {found.what}"
    if found.kind:
        what += f": {title(found.kind)} is given {_told(found.torch)}"
    return what + (f" in torch, {_told(found.paddle)} in Paddle" if found.twin is not None else "")


def followed(reason: Finding, found: Raised) -> Finding:
    """A finding that says what follows from it: torch raises."""
    so = _what(found)
    if found.stray is not None:
        so = f"`{found.module}` {_lies(found.stray)}: {so}"
    return replace(
        reason,
        cause=f"{reason.cause}; so, {so}",
        evidence={**reason.evidence, "error": found.error, "traceback": found.traceback},
        shows=Shows.ERROR,
    )


def _stray(found: Stray) -> tuple[str, str]:
    if found.made_by:
        return f"what `{found.made_by}` makes {_lies(found)}", "make it where the input lies: device=x.device"
    return (
        f"a constant tensor {_lies(found)}",
        "keep it with register_buffer, so that .to() moves it, or move it to x.device here",
    )


def _lies(found: Stray) -> str:
    return f"lies on the {found.device}, the model on {found.home}"


def _told(shapes: list[list[int]]) -> str:
    return " and ".join(map(str, shapes)) or "no tensor"
