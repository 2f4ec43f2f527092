"""Known functions that a model may write out: activations, softmax, normalizations; recognised by what they compute.

A piece of arithmetic (`parity.probing`) that computes one of them becomes that operator, with its constants (an
epsilon, a slope, the axes) read off the numbers, right or wrong. So a normalization by hand is aligned
with the framework's own, and what is wrong inside it is a difference of attributes with a line of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from parity.graph import Builder, Node
from parity.probing import (
    OF_ONE,
    OF_TWO,
    ROOT,
    Piece,
    Probe,
    Statistic,
    gelu,
    pieces,
    ramp,
    sigmoid,
    softplus,
)

CLOSE = 1e-9
"""Relative difference up to which two functions are one: constants are written with ten digits."""


EXACT = 1e-11
"""The same for a normalization, which is arithmetic with few constants."""


@dataclass(frozen=True)
class Known:
    """A function that a piece turned out to compute.

    parts: slot -> parameter. decided: attribute -> operator of the piece that decides it.
    """

    kind: str
    attributes: Mapping[str, Any]
    parts: Mapping[str, int]
    decided: Mapping[str, Node]


def written_out(b: Builder, top: Node) -> bool:
    """The rewrite: arithmetic that computes a known function becomes that one operator."""
    if top.kind not in OF_ONE and top.kind not in OF_TWO and top.kind != "where":
        return False
    found = [
        (piece, known)
        for piece in pieces(b, top)
        if piece.stands() and (known := _recognised(b, piece)) is not None
    ]
    if not found:
        return False
    # The largest: a softmax may begin with taking the maximum away, which changes nothing.
    _become(b, *found[-1])
    return True


def _recognised(b: Builder, piece: Piece) -> Known | None:
    if not piece.statistics:
        return _activation(piece) if not piece.owned else _frozen_batch_norm(piece)
    if piece.owned:
        return _normalization(b, piece)
    return _softmax(piece) or _unit_length(piece) or _normalization(b, piece)


def _become(b: Builder, piece: Piece, known: Known) -> None:
    """Make the piece's last operator the known one, and take the rest out."""
    top, (first, slot) = piece.top, piece.entered[0]
    raw = sorted({number for node in piece.nodes for number in node.raw})
    inputs, shapes = {"x": piece.value}, {"x": first.shapes[slot]}
    entries = [node.entries[s] for node, s in piece.entered if s in node.entries]
    top.entries = {"x": entries[0]} if len(entries) == len(piece.entered) else {}
    top.also = {"x": tuple(entries[1:])}
    for part, value in known.parts.items():
        node, s = piece.owned[value]
        inputs[part], shapes[part] = value, node.shapes.get(s, b.shapes[value])
        if s in node.entries:
            top.entries[part] = node.entries[s]
    top.kind, top.inputs, top.shapes, top.raw = known.kind, inputs, shapes, tuple(raw)
    top.attributes = {**known.attributes, "by_hand": True}
    top.decided = {name: node.raw[-1] for name, node in known.decided.items()}
    for node in piece.nodes:
        if node is not top:
            b.drop(node)


def close(actual: Probe, expected: Probe) -> bool:
    return bool(np.allclose(actual, expected, rtol=CLOSE, atol=CLOSE))


# -- activations ----------------------------------------------------------------------------------

_Fit = Callable[[Probe, Probe], Mapping[str, Any] | None]


def _slope(x: Probe, y: Probe) -> Mapping[str, Any] | None:
    slope = float(y[0] / x[0])
    fits = abs(slope) > CLOSE and slope != 1.0 and close(y, np.where(x > 0, x, slope * x))
    return {"slope": slope} if fits else None


def _elu(x: Probe, y: Probe) -> Mapping[str, Any] | None:
    alpha = float(y[0] / np.expm1(x[0]))
    return {"alpha": alpha} if close(y, np.where(x > 0, x, alpha * np.expm1(x))) else None


def _ramp(x: Probe, y: Probe) -> Mapping[str, Any] | None:
    """Hardsigmoid with its own slope; 1/6 is Paddle's literal, as both frameworks' own operators are read."""
    found = _line(x, y)
    if found is None or not close(y, ramp(x, *found)):
        return None
    sixth = abs(found[0] - 1.0 / 6.0) < 1e-6
    return {
        "slope": 0.1666667 if sixth else found[0],
        "offset": found[1],
        "exact": {"slope": found[0], "offset": found[1]},
    }


def _line(x: Probe, y: Probe) -> tuple[float, float] | None:
    """Slope and offset of a ramp that starts at 0 and ends at 1, both in sight."""
    rising = np.flatnonzero((y > 0.05) & (y < 0.95))
    if len(rising) < 2 or not (close(y[:3], np.zeros(3)) and close(y[-3:], np.ones(3))):
        return None
    i, j = rising[0], rising[-1]
    slope = float((y[j] - y[i]) / (x[j] - x[i]))
    return slope, float(y[i] - slope * x[i])


def _hardswish(x: Probe, y: Probe) -> Mapping[str, Any] | None:
    """x times a ramp; its constants are attributes only where they are not the usual ones."""
    height = float(y[-1] / x[-1])
    share = y / x / height
    found = _line(x, share) if height > 0.0 else None
    if found is None or not close(y, x * height * ramp(x, *found)):
        return None
    if np.allclose((*found, height), (1.0 / 6.0, 0.5, 1.0), rtol=0, atol=CLOSE):
        return {}
    formula = f"x * {height:.6g} * clip({found[0]:.6g} * x + {found[1]:.6g}, 0, 1)"
    return {"formula": formula, "height": height, "exact": {"slope": found[0], "offset": found[1]}}


def _silu(x: Probe, y: Probe) -> Mapping[str, Any] | None:
    share = y[-1] / x[-1]
    if not 0.0 < share < 1.0:
        return None
    beta = float(np.log(share / (1.0 - share)) / x[-1])
    if not close(y, x * sigmoid(beta * x)):
        return None
    return {} if abs(beta - 1.0) < CLOSE else {"beta": beta}


def _tanh_gelu(x: Probe, y: Probe) -> Mapping[str, Any] | None:
    """0.5 x (1 + tanh(k (x + c x^3))) with any k and c."""
    near = np.abs(x) < 1.5
    with np.errstate(all="ignore"):
        inner = np.arctanh(2.0 * y[near] / x[near] - 1.0)
    if not np.isfinite(inner).all():
        return None
    (k, kc), *_ = np.linalg.lstsq(np.stack([x[near], x[near] ** 3], 1), inner, rcond=None)
    if abs(kc) < CLOSE or not np.allclose(
        y, 0.5 * x * (1.0 + np.tanh(k * x + kc * x**3)), rtol=1e-7, atol=1e-7
    ):
        return None
    if np.allclose((k, kc), (ROOT, ROOT * 0.044715), rtol=1e-6, atol=0):
        return {"approximate": True}
    formula = f"tanh({k:.6g} * (x + {kc / k:.6g} * x^3))"
    return {"approximate": True, "formula": formula, "exact": {"scale": k, "cubic": kc / k}}


def _erf_gelu(x: Probe, y: Probe) -> Mapping[str, Any] | None:
    """0.5 x (1 + erf(k x)) with any k."""
    at = int(np.argmin(np.abs(x - 0.5)))
    target = float(2.0 * y[at] / x[at] - 1.0)
    if not 0.0 < target < 1.0:
        return None
    scale = _zero(lambda t: math.erf(t) - target, 0.0, 6.0) / float(x[at])
    if not close(y, gelu(x, scale=scale)):
        return None
    if abs(scale - math.sqrt(0.5)) < CLOSE:
        return {"approximate": False}
    return {"approximate": False, "formula": f"erf({scale:.6g} * x)", "exact": {"scale": scale}}


def _zero(function: Callable[[float], float], low: float, high: float) -> float:
    """The zero of a rising function between two places, by halving."""
    for _ in range(80):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if function(middle) < 0.0 else (low, middle)
    return 0.5 * (low + high)


def _exactly(function: Callable[[Probe], Probe], **attributes: Any) -> _Fit:
    return lambda x, y: attributes if close(y, function(x)) else None


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


def _activation(piece: Piece) -> Known | None:
    x, y = piece.x, piece.result
    for kind, fits in ACTIVATIONS.items():
        for fit in fits:
            with np.errstate(all="ignore"):
                attributes = fit(x, y)
            if attributes is not None:
                return Known(kind, attributes, {}, {})
    return None


# -- functions of a whole row ---------------------------------------------------------------------


def _axes(statistic: Statistic) -> tuple[int, ...]:
    """Reduced axes, counted from the end among the dimensions larger than 1."""
    return counted(statistic.node.shapes["x"], _given(statistic.node))


def _given(node: Node) -> tuple[int, ...]:
    """Reduced axes of a reduction as its operator saw the shape."""
    axes: tuple[int, ...] = node.attributes["axes"]
    if node.attributes.get("counted"):
        real = [axis for axis, size in enumerate(node.shapes["x"]) if size != 1]
        return tuple(real[axis] for axis in axes)
    return axes


def counted(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    """Axes counted from the end among the dimensions larger than 1: reshapes that merge leading ones keep them."""
    real = [axis for axis, size in enumerate(shape) if size != 1]
    return tuple(real.index(axis) - len(real) for axis in axes if axis in real)


def _size(node: Node) -> int:
    """How many numbers a reduction makes one of."""
    return math.prod(node.shapes["x"][axis] for axis in _given(node))


def _softmax(piece: Piece) -> Known | None:
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
        axes = _axes(statistic)
        if len(axes) != 1:
            continue
        shape = statistic.node.shapes["x"]
        attributes = {"axis": _given(statistic.node)[0] - len(shape)}
        decided = {"axis": statistic.node}
        if close(y, np.exp(x - m) / total):
            return Known("softmax", attributes, {}, decided)
        if close(y, x - m - np.log(total)):
            return Known("log_softmax", attributes, {}, decided)
    return None


def _unit_length(piece: Piece) -> Known | None:
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
    return Known("normalize", {"p": power, "axes": _axes(statistic), **found}, {}, decided)


NEGLIGIBLE = 1e-10
"""An epsilon beside a norm that only keeps the zero vector from NaN."""


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


def _rounded(eps: float) -> float:
    """An epsilon as it was written: what a difference of larger numbers leaves of it has few digits."""
    return 0.0 if abs(eps) < 1e-13 else float(f"{eps:.4g}")


# -- normalizations -------------------------------------------------------------------------------

ROLES = ("weight", "bias")


def _assignments(owned: list[int], roles: tuple[str, ...]) -> Iterator[dict[str, int]]:
    """Every way in which the parameters of a piece may play the roles."""
    for chosen in permutations(roles, len(owned)):
        yield dict(zip(chosen, owned, strict=True))


def _plain(piece: Piece, parts: Mapping[str, int]) -> Probe:
    """The piece's result with scale and shift taken away again."""
    result = piece.result
    if "bias" in parts:
        result = result - piece.probes[parts["bias"]]
    return result / piece.probes[parts["weight"]] if "weight" in parts else result


@dataclass(frozen=True)
class _Moments:
    """Mean and spread of a piece: `spread` is `factor` times the variance (about `offset`), raised or not."""

    mean: Statistic | None
    spread: Statistic
    factor: float
    variance: Probe
    centered: bool


def _moments(piece: Piece) -> _Moments | None:
    means = [s for s in piece.statistics if s.node.kind == "mean" and np.array_equal(s.argument, piece.x)]
    others = [s for s in piece.statistics if s not in means]
    if len(means) > 1 or len(others) != 1:
        return None
    mean, spread = means[0] if means else None, others[0]
    kind, n = spread.node.kind, _size(spread.node)
    if mean is not None and _given(mean.node) != _given(spread.node):
        return None
    if kind in ("var", "std"):
        if not np.array_equal(spread.argument, piece.x):
            return None
        correction = spread.node.attributes["correction"]
        value = spread.value**2 if kind == "std" else spread.value
        return _Moments(mean, spread, n / (n - correction), value, True)
    if kind not in ("mean", "sum"):
        return None
    factor = 1.0 if kind == "mean" else float(n)
    if mean is not None and close(spread.argument, (piece.x - mean.value) ** 2):
        return _Moments(mean, spread, factor, spread.value, True)
    if close(spread.argument, piece.x**2):
        if mean is None:
            return _Moments(None, spread, factor, spread.value, False)
        return _Moments(mean, spread, factor, spread.value - factor * mean.value**2, True)
    return None


def _normalization(b: Builder, piece: Piece) -> Known | None:
    moments = _moments(piece)
    if moments is None or len(piece.owned) > len(ROLES):
        return None
    center = np.zeros_like(piece.x) if moments.mean is None else moments.mean.value
    numerators = {"x - mean": piece.x - center} if moments.mean is not None else {}
    numerators["x"] = piece.x
    for parts in _assignments(list(piece.owned), ROLES):
        plain = _plain(piece, parts)
        for name, numerator in numerators.items():
            with np.errstate(all="ignore"):
                found = _spread(
                    numerator / plain, moments.variance, moments.factor, _size(moments.spread.node)
                )
            if found is None:
                continue
            if name == "x" and moments.centered:
                found["numerator"] = "x"
            return _normalized(b, piece, moments, parts, found)
    return None


def _spread(denominator: Probe, variance: Probe, factor: float, n: int) -> dict[str, Any] | None:
    """eps, form and bias of a denominator that is made of a variance, or None.

    `factor` times the biased variance is what `variance` stands for.
    """
    if not np.isfinite(denominator).all() or (variance <= 0).any():
        return None
    forms = {
        "sqrt(variance + eps)": (denominator**2, variance),
        "sqrt(variance) + eps": (denominator, np.sqrt(variance)),
        "variance + eps": (denominator, variance),
    }
    for form, (left, right) in forms.items():
        (slope, eps), *_ = np.linalg.lstsq(np.stack([right, np.ones_like(right)], 1), left, rcond=None)
        if not np.allclose(left, slope * right + eps, rtol=EXACT, atol=EXACT) or slope <= 0:
            continue
        share = slope * factor if form != "sqrt(variance) + eps" else slope**2 * factor
        found = {"eps": _rounded(float(eps)), "denominator": form}
        if form == "sqrt(variance) + eps" and abs(eps) < 1e-12:
            continue
        if abs(share - 1.0) > CLOSE:
            if n > 1 and abs(share - n / (n - 1)) < CLOSE:
                found["variance"] = "unbiased"
            elif n > 1 and abs(share - n) < CLOSE * n and form != "variance + eps":
                found["variance"] = f"the sum, {n} times the biased one"
            else:
                continue
        return found
    return None


def _epsilon(piece: Piece, found: dict[str, Any]) -> dict[str, Node]:
    """The operator that brings in the epsilon; `found` gets the number as it is written there."""
    for node in piece.nodes:
        for written in (
            node.attributes.get("shift"),
            node.attributes.get("min"),
            node.attributes.get("value"),
        ):
            if written and math.isclose(written, found["eps"], rel_tol=1e-2, abs_tol=1e-14):
                found["eps"] = float(written)
                return {"eps": node}
    return {}


def _normalized(
    b: Builder, piece: Piece, moments: _Moments, parts: Mapping[str, int], found: dict[str, Any]
) -> Known:
    node = moments.spread.node
    shape, axes = node.shapes["x"], _given(node)
    decided = {**dict.fromkeys(("axes", "groups", "variance", "training"), node), **_epsilon(piece, found)}
    decided["denominator"] = decided.get("eps", piece.top)
    weights = [_shape(b, piece, parts[role]) for role in parts]
    kind, layout = kind_of_norm(shape, axes, b.shapes[piece.top.output], weights, centered=moments.centered)
    return Known(kind, {**layout, **found, "reduced": axes}, dict(parts), decided)


def _shape(b: Builder, piece: Piece, value: int) -> tuple[int, ...]:
    """A parameter's shape where it enters the arithmetic."""
    node, slot = piece.owned[value]
    return node.shapes.get(slot, b.shapes[value])


def kind_of_norm(
    shape: tuple[int, ...],
    axes: tuple[int, ...],
    output: tuple[int, ...],
    weights: list[tuple[int, ...]],
    *,
    centered: bool,
) -> tuple[str, dict[str, Any]]:
    """Which layer normalizes `shape` over `axes` and has weights of these shapes; and its attributes.

    output: the shape in which the weights are applied; it may be another view of the same numbers.
    """
    rank = len(shape)
    rows: dict[str, Any] = {"axes": counted(shape, axes), "counted": True}
    if not centered:
        return "rms_norm", rows
    if (
        rank > 1
        and set(axes) == {axis for axis, size in enumerate(shape) if axis != 1 and size != 1}
        and 0 in axes
    ):
        return "batch_norm", {"training": True}
    trailing = set(axes) >= {axis for axis in range(min(axes), rank) if shape[axis] != 1}
    if not weights and rank > 3 and set(axes) == {a for a in range(2, rank) if shape[a] != 1}:
        return "instance_norm", {"track_running_stats": False}
    by_channel = weights and all(_varying(weight, output) == (1,) for weight in weights)
    if trailing and by_channel and len(output) > 2 and counted(shape, axes) != counted(output, (1,)):
        blocks = math.prod(n for axis, n in enumerate(shape) if axis not in axes)
        groups, rest = divmod(blocks, output[0])
        if not rest and groups == output[1]:
            return "instance_norm", {"track_running_stats": False}
        if not rest and groups and output[1] % groups == 0:
            return "group_norm", {"groups": groups}
    return "layer_norm", rows


def _varying(weight: tuple[int, ...], output: tuple[int, ...]) -> tuple[int, ...]:
    """Axes of the output along which a weight of this shape differs."""
    lead = len(output) - len(weight)
    return tuple(lead + axis for axis, size in enumerate(weight) if size != 1)


def _frozen_batch_norm(piece: Piece) -> Known | None:
    """BatchNorm with statistics that are parameters, put together in any order."""
    if len(piece.owned) < 2:
        return None
    owned = list(piece.owned)
    for roles in (("mean", "variance"), ("mean", "variance", "bias"), ("mean", "variance", "weight"), FROZEN):
        if len(roles) != len(owned):
            continue
        for parts in _assignments(owned, roles):
            with np.errstate(all="ignore"):
                numerator = piece.x - piece.probes[parts["mean"]]
                plain = _plain(piece, parts)
                found = _spread(numerator / plain, piece.probes[parts["variance"]], 1.0, 0)
            if found is not None:
                decided = _epsilon(piece, found)
                decided["denominator"] = decided.get("eps", piece.top)
                return Known("batch_norm", {"training": False, **found}, parts, decided)
    return None


FROZEN = ("mean", "variance", "weight", "bias")


# -- scale and shift behind a normalization -------------------------------------------------------

NORMS = frozenset({"layer_norm", "rms_norm", "group_norm", "instance_norm", "batch_norm"})


def scale_and_shift(b: Builder, node: Node) -> bool:
    """A parameter that multiplies a normalization's result is its weight; one that is added, its bias."""
    if node.kind not in ("mul", "add") or set(node.inputs) != {"x", "y"}:
        return False
    role = "weight" if node.kind == "mul" else "bias"
    for data, other in (("x", "y"), ("y", "x")):
        norm, value = b.producer.get(node.inputs[data]), _behind_expand(b, node.inputs[other])
        if norm is None or norm.kind not in NORMS or not b.is_parameter(value) or role in norm.inputs:
            continue
        if not b.only_use(norm.output) or (role == "weight" and "bias" in norm.inputs):
            continue
        output, shape = b.shapes[node.output], node.shapes[other]
        if not _takes(norm, shape, output):
            continue
        norm.inputs[role], norm.shapes[role] = value, shape
        if other in node.entries:
            norm.entries[role] = node.entries[other]
        b.absorb(norm, node)
        return True
    return False


def _behind_expand(b: Builder, value: int) -> int:
    move = b.producer.get(value)
    if (
        move is not None
        and move.kind == "move"
        and [kind for kind, _ in move.attributes["how"]] == ["expand"]
    ):
        return move.inputs["x"]
    return value


def _takes(norm: Node, weight: tuple[int, ...], output: tuple[int, ...]) -> bool:
    """Whether a normalization can have a weight of this shape; by hand, one of channels tells groups of channels."""
    varying = _varying(weight, output)
    if "reduced" not in norm.attributes:
        if norm.kind in ("layer_norm", "rms_norm"):
            return bool(norm.attributes["axes"] == counted(output, varying))
        return varying == (1,)
    if norm.kind in ("rms_norm", "batch_norm"):
        return True
    kind, layout = kind_of_norm(norm.shapes["x"], norm.attributes["reduced"], output, [weight], centered=True)
    decisive = {"axes", "counted", "groups", "track_running_stats"}
    rest = {key: value for key, value in norm.attributes.items() if key not in decisive}
    norm.kind, norm.attributes = kind, {**layout, **rest}
    return True
