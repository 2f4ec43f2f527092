"""Softmax and unit length: functions of a whole row without parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.graph.axes import given
from parity.graph.formulas.known import Known, close, reduced
from parity.graph.formulas.pieces import Piece, Probe
from parity.limits import NEGLIGIBLE


def softmax(piece: Piece) -> Known | None:
    """exp(x) over its sum, shifted by the maximum or not; its logarithm likewise."""
    x, y = piece.x, piece.result
    shift = next((s for s in piece.statistics if s.node.kind == "amax"), None)
    m = 0.0 if shift is None else shift.value
    for statistic in piece.statistics:
        if statistic.node.kind not in ("sum", "logsumexp"):
            continue
        logarithm = statistic.node.kind == "logsumexp"
        if not close(statistic.argument, x if logarithm else np.exp(x - m)):
            continue
        total = np.exp(statistic.value) if logarithm else statistic.value
        axes = reduced(statistic)
        if len(axes) != 1:
            continue
        shape = statistic.node.shape("x")
        attributes = {"axis": given(statistic.node)[0] - len(shape)}
        decided = {"axis": statistic.node}
        if close(y, np.exp(x - m) / total):
            return Known("softmax", attributes, {}, decided)
        if close(y, x - m - np.log(total)):
            return Known("log_softmax", attributes, {}, decided)
    return None


def unit_length(piece: Piece) -> Known | None:
    """x over its norm: the largest of norm and eps, their sum, or the root of the sum of squares and eps."""
    if len(piece.statistics) != 1:
        return None
    (statistic,) = piece.statistics
    kind, value = statistic.node.kind, statistic.value
    if kind == "norm" and np.array_equal(statistic.argument, piece.x):
        power = float(statistic.node.attributes["p"])
        length = value
    elif kind == "sum" and close(statistic.argument, piece.x**2):
        power, length = 2.0, np.sqrt(value)
    else:
        return None
    denominator = piece.x / piece.result
    found = _denominator(piece, denominator, length)
    if found is None:
        return None
    decided = {"axes": statistic.node, "p": statistic.node}
    return Known("normalize", {"p": power, "axes": reduced(statistic), **found}, {}, decided)


def _denominator(piece: Piece, denominator: Probe, length: Probe) -> dict[str, Any] | None:
    """How an epsilon keeps a norm from zero."""
    least = max(
        (node.attributes.get("min") or 0.0 for node in piece.nodes if node.kind == "clip"), default=0.0
    )
    for form, excess in (
        ("sqrt(sum + {:.4g})", denominator**2 - length**2),
        ("norm + {:.4g}", denominator - length),
    ):
        if close(excess, np.full_like(excess, excess[0])):
            eps = max(float(np.median(excess)), least)
            if eps < NEGLIGIBLE:
                return {"denominator": "norm"}
            return {"denominator": f"max(norm, {eps:.4g})" if least else form.format(eps)}
    return None
