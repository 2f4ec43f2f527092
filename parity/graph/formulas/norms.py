"""Normalizations: mean and spread taken away, with an epsilon, and a scale and shift behind."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np

from parity.graph.axes import counted, given, size_of
from parity.graph.builder import Builder
from parity.graph.formulas.known import Known, close, rounded
from parity.graph.formulas.pieces import Piece, Probe, Statistic, expands
from parity.graph.node import Input, Node, Spelling
from parity.limits import NO_EPSILON, SAME_FUNCTION, SAME_NORM, SLIGHTLY

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
    kind, n = spread.node.kind, size_of(spread.node)
    if not given(spread.node) or (mean is not None and given(mean.node) != given(spread.node)):
        return None
    if kind in ("var", "std"):
        if not np.array_equal(spread.argument, piece.x):
            return None
        correction = spread.node.attributes["correction"]
        if n <= correction:
            return None
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


def normalization(b: Builder, piece: Piece) -> Known | None:
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
                    numerator / plain, moments.variance, moments.factor, size_of(moments.spread.node)
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
        if not np.allclose(left, slope * right + eps, rtol=SAME_NORM, atol=SAME_NORM) or slope <= 0:
            continue
        share = slope * factor if form != "sqrt(variance) + eps" else slope**2 * factor
        found = {"eps": rounded(float(eps)), "denominator": form}
        if form == "sqrt(variance) + eps" and abs(eps) < NO_EPSILON:
            continue
        if abs(share - 1.0) > SAME_FUNCTION:
            if n > 1 and abs(share - n / (n - 1)) < SAME_FUNCTION:
                found["variance"] = "unbiased"
            elif n > 1 and abs(share - n) < SAME_FUNCTION * n and form != "variance + eps":
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
            if written and math.isclose(written, found["eps"], rel_tol=SLIGHTLY, abs_tol=NO_EPSILON):
                found["eps"] = float(written)
                return {"eps": node}
    return {}


def _normalized(
    b: Builder, piece: Piece, moments: _Moments, parts: Mapping[str, int], found: dict[str, Any]
) -> Known:
    node = moments.spread.node
    shape, axes = node.shape("x"), given(node)
    decided = {**dict.fromkeys(("axes", "groups", "variance", "training"), node), **_epsilon(piece, found)}
    decided["denominator"] = decided.get("eps", piece.top)
    weights = [_shape(b, piece, parts[role]) for role in parts]
    kind, layout = kind_of_norm(shape, axes, b.shapes[piece.top.output], weights, centered=moments.centered)
    spelling = Spelling(counted="axes" in layout, reduced=axes)
    return Known(kind, {**layout, **found}, dict(parts), decided, spelling)


def _shape(b: Builder, piece: Piece, value: int) -> tuple[int, ...]:
    """A parameter's shape where it enters the arithmetic."""
    node, slot = piece.owned[value]
    return node.shape(slot)


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
    rows: dict[str, Any] = {"axes": counted(shape, axes)}
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


def frozen_batch_norm(piece: Piece) -> Known | None:
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
        output, shape = b.shapes[node.output], node.shape(other)
        if not _takes(norm, shape, output):
            continue
        norm.takes[role] = Input(value, shape, node.places(other))
        b.absorb(norm, node)
        return True
    return False


def _behind_expand(b: Builder, value: int) -> int:
    move = b.producer.get(value)
    return move.inputs["x"] if move is not None and move.kind == "move" and expands(move) else value


def _takes(norm: Node, weight: tuple[int, ...], output: tuple[int, ...]) -> bool:
    """Whether a normalization can have a weight of this shape; by hand, one of channels tells groups of channels."""
    varying = _varying(weight, output)
    reduced = norm.spelling.reduced
    if reduced is None:
        if norm.kind in ("layer_norm", "rms_norm"):
            return bool(norm.attributes["axes"] == counted(output, varying))
        return varying == (1,)
    if norm.kind in ("rms_norm", "batch_norm"):
        return True
    kind, layout = kind_of_norm(norm.shape("x"), reduced, output, [weight], centered=True)
    decisive = {"axes", "groups", "track_running_stats"}
    rest = {key: value for key, value in norm.attributes.items() if key not in decisive}
    norm.kind, norm.attributes = kind, {**layout, **rest}
    norm.spelling = replace(norm.spelling, counted="axes" in layout)
    return True
