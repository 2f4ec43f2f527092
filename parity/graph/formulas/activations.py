"""Activations that are written out, with the constants in them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from parity.graph.formulas.known import Known, close
from parity.graph.formulas.pieces import ROOT, Piece, Probe, gelu, ramp, sigmoid, softplus
from parity.graph.node import Spelling
from parity.limits import READ, SAME_FUNCTION

_Found = tuple[Mapping[str, Any], Spelling]
"""The attributes, and the constants to all digits."""

_Fit = Callable[[Probe, Probe], _Found | None]

_PLAIN = Spelling()


def _slope(x: Probe, y: Probe) -> _Found | None:
    slope = float(y[0] / x[0])
    fits = abs(slope) > SAME_FUNCTION and slope != 1.0 and close(y, np.where(x > 0, x, slope * x))
    return ({"slope": slope}, _PLAIN) if fits else None


def _elu(x: Probe, y: Probe) -> _Found | None:
    alpha = float(y[0] / np.expm1(x[0]))
    return ({"alpha": alpha}, _PLAIN) if close(y, np.where(x > 0, x, alpha * np.expm1(x))) else None


def _ramp(x: Probe, y: Probe) -> _Found | None:
    """Hardsigmoid with its own slope; 1/6 is Paddle's literal, as both frameworks' own operators are read."""
    found = _line(x, y)
    if found is None or not close(y, ramp(x, *found)):
        return None
    sixth = abs(found[0] - 1.0 / 6.0) < READ
    exact = {"slope": found[0], "offset": found[1]}
    return {**exact, **({"slope": 0.1666667} if sixth else {})}, Spelling(exact=exact)


def _line(x: Probe, y: Probe) -> tuple[float, float] | None:
    """Slope and offset of a ramp that starts at 0 and ends at 1, both in sight."""
    rising = np.flatnonzero((y > 0.05) & (y < 0.95))
    if len(rising) < 2 or not (close(y[:3], np.zeros(3)) and close(y[-3:], np.ones(3))):
        return None
    i, j = rising[0], rising[-1]
    slope = float((y[j] - y[i]) / (x[j] - x[i]))
    return slope, float(y[i] - slope * x[i])


def _hardswish(x: Probe, y: Probe) -> _Found | None:
    """x times a ramp; its constants are attributes only where they are not the usual ones."""
    height = float(y[-1] / x[-1])
    share = y / x / height
    found = _line(x, share) if height > 0.0 else None
    if found is None or not close(y, x * height * ramp(x, *found)):
        return None
    if np.allclose((*found, height), (1.0 / 6.0, 0.5, 1.0), rtol=0, atol=SAME_FUNCTION):
        return {}, _PLAIN
    formula = f"x * {height:.6g} * clip({found[0]:.6g} * x + {found[1]:.6g}, 0, 1)"
    spelling = Spelling(height=height, exact={"slope": found[0], "offset": found[1]})
    return {"formula": formula}, spelling


def _silu(x: Probe, y: Probe) -> _Found | None:
    share = y[-1] / x[-1]
    if not 0.0 < share < 1.0:
        return None
    beta = float(np.log(share / (1.0 - share)) / x[-1])
    if not close(y, x * sigmoid(beta * x)):
        return None
    return ({} if abs(beta - 1.0) < SAME_FUNCTION else {"beta": beta}), _PLAIN


def _tanh_gelu(x: Probe, y: Probe) -> _Found | None:
    """0.5 x (1 + tanh(k (x + c x^3))) with any k and c."""
    near = np.abs(x) < 1.5
    with np.errstate(all="ignore"):
        inner = np.arctanh(2.0 * y[near] / x[near] - 1.0)
    if not np.isfinite(inner).all():
        return None
    (k, kc), *_ = np.linalg.lstsq(np.stack([x[near], x[near] ** 3], 1), inner, rcond=None)
    if abs(kc) < SAME_FUNCTION or not np.allclose(
        y, 0.5 * x * (1.0 + np.tanh(k * x + kc * x**3)), rtol=READ, atol=READ
    ):
        return None
    if np.allclose((k, kc), (ROOT, ROOT * 0.044715), rtol=READ, atol=0):
        return {"approximate": True}, _PLAIN
    formula = f"tanh({k:.6g} * (x + {kc / k:.6g} * x^3))"
    return {"approximate": True, "formula": formula}, Spelling(exact={"scale": k, "cubic": kc / k})


def _erf_gelu(x: Probe, y: Probe) -> _Found | None:
    """0.5 x (1 + erf(k x)) with any k."""
    at = int(np.argmin(np.abs(x - 0.5)))
    target = float(2.0 * y[at] / x[at] - 1.0)
    if not 0.0 < target < 1.0:
        return None
    scale = _zero(lambda t: math.erf(t) - target, 0.0, 6.0) / float(x[at])
    if not close(y, gelu(x, scale=scale)):
        return None
    if abs(scale - math.sqrt(0.5)) < SAME_FUNCTION:
        return {"approximate": False}, _PLAIN
    return {"approximate": False, "formula": f"erf({scale:.6g} * x)"}, Spelling(exact={"scale": scale})


def _zero(function: Callable[[float], float], low: float, high: float) -> float:
    """The zero of a rising function between two places, by halving."""
    for _ in range(80):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if function(middle) < 0.0 else (low, middle)
    return 0.5 * (low + high)


def _exactly(function: Callable[[Probe], Probe], **attributes: Any) -> _Fit:
    return lambda x, y: (attributes, _PLAIN) if close(y, function(x)) else None


ACTIVATIONS: Mapping[str, tuple[_Fit, ...]] = {
    "relu": (_exactly(lambda x: np.maximum(x, 0.0)),),
    "sigmoid": (_exactly(sigmoid),),
    "tanh": (_exactly(np.tanh),),
    "gelu": (_erf_gelu, _tanh_gelu),
    "mish": (_exactly(lambda x: x * np.tanh(softplus(x))),),
    "silu": (_silu,),
    "softplus": (_exactly(softplus, beta=1.0, threshold=20.0),),
    "hardswish": (_hardswish,),
    "hardsigmoid": (_ramp,),
    "leaky_relu": (_slope,),
    "elu": (_elu,),
}
"""Activations that are written out, and how their constants are found on probes of x and y."""


def activation(piece: Piece) -> Known | None:
    x, y = piece.x, piece.result
    for kind, fits in ACTIVATIONS.items():
        for fit in fits:
            with np.errstate(all="ignore"):
                found = fit(x, y)
            if found is not None:
                return Known(kind, found[0], {}, {}, found[1])
    return None
