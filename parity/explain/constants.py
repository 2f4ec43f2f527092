"""Constants that a framework keeps in float32 even where everything else runs in float64."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from parity.align.alignment import Pair
from parity.limits import FLOAT32_EPSILON, FLOAT32_FACTOR, SOFTMAX_CUT
from parity.numbers.same import same
from parity.ops.table import constant_of, float32_arguments
from parity.runs.run import Run
from parity.trace.trace import Trace
from parity.trace.values import Array

OF_CALLS: Mapping[str, str] = {
    **dict.fromkeys(("dropout", "functional.dropout"), "Paddle keeps the factor of a dropout in float32"),
    "hardtanh": "Paddle keeps the bounds of hardtanh in float32",
    "softshrink": "Paddle keeps the threshold of softshrink in float32",
}
"""Paddle's operators, by name, with a number of the call that they round: the result changes by its rounding."""


def constant_in(paddle: Trace, pair: Pair) -> tuple[str, float]:
    """Which constant in a pair of operators is rounded, and by how much that can change the result; "", 0 if none is."""
    calls = {paddle.ops[number].name for number in pair.paddle.raw}
    told = next(
        (OF_CALLS[name] for name in (pair.paddle.spelling.called, *sorted(calls)) if name in OF_CALLS), ""
    )
    if told:
        return told, FLOAT32_FACTOR
    reason, within = constant_of(pair.torch.kind, pair.torch.shape("x"))
    by_hand = pair.torch.spelling.by_hand or pair.paddle.spelling.by_hand
    if reason or not (by_hand or pair.torch.kind != pair.paddle.kind):
        return reason, within
    return _rounded_inside(paddle, pair)


def _rounded_inside(paddle: Trace, pair: Pair) -> tuple[str, float]:
    """The same for an operator that is written out, or is another one that computes the same."""
    one_sided = pair.torch.spelling.by_hand != pair.paddle.spelling.by_hand
    if (one_sided or pair.torch.kind != pair.paddle.kind) and pair.torch.attributes.get("eps"):
        return "Paddle keeps eps in float32", FLOAT32_EPSILON
    for kind in {paddle.ops[number].kind for number in pair.paddle.raw}:
        within = constant_of(kind)[1] or (FLOAT32_EPSILON if float32_arguments(kind) else 0.0)
        if within:
            return f"Paddle rounds the constants of {kind}, with which it writes this out", within
    return "", 0.0


def cut_scores(scores: Array, made: Array, axis: int, gap: float) -> str:
    """Why Paddle's log-softmax of these scores differs by `gap` from what it is: its kernel cuts them; "" if that is not why."""
    shifted = scores - scores.max(axis, keepdims=True)
    wanted = shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))
    lowest = np.maximum(shifted, -SOFTMAX_CUT) - np.log(np.exp(shifted).sum(axis, keepdims=True))
    cut = same(made, lowest) and same(np.asarray(gap), np.abs(wanted - lowest).max())
    return (
        f"Paddle's log_softmax stops {SOFTMAX_CUT:g} below the largest score, which torch's does not"
        if cut
        else ""
    )


def softmax_is_cut(paddle: Run) -> bool:
    """Whether a cross entropy or a log of a softmax stops at 64 in Paddle, because some score is further below the largest."""
    for op in paddle.trace.ops:
        stored = paddle.value(op.inputs["x"]) if op.kind in ("log_softmax", "cross_entropy") else None
        if stored is None or not stored.size:
            continue
        axis = op.attributes.get("axis", -1)
        if float(np.ptp(stored.load(), axis=axis if isinstance(axis, int) else -1).max()) > SOFTMAX_CUT:
            return True
    return False
