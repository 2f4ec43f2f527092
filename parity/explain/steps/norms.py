"""Normalizations, softmaxes and cross entropies, step by step."""

from __future__ import annotations

import numpy as np

from parity.explain.steps.inside import Inside
from parity.trace.values import Array


def normalized(s: Inside) -> bool:
    """Write a normalization down: mean and variance, what is centered, what is scaled."""
    kind, a, x = s.op.kind, s.op.attributes, s.taken("x")
    if x is None or "eps" not in a:
        return False
    given, at = x, s.op.inputs["x"]
    if kind == "group_norm":
        groups = a["groups"]
        if x.shape[1] % groups:
            return False
        given = x.reshape(len(x), groups, -1)
    axes = _axes(kind, given.ndim, a.get("axes"))
    if kind == "batch_norm" and not a["training"]:
        kept = [s.taken(slot) for slot in ("mean", "variance")]
        if kept[0] is None or kept[1] is None:
            return False
        mean, variance = (array.reshape(-1, *[1] * (x.ndim - 2)) for array in kept if array is not None)
        means, variances = s.op.inputs["mean"], s.op.inputs["variance"]
    else:
        mean, variance = given.mean(axes, keepdims=True), given.var(axes, keepdims=True)
        means = s("mean", "mean", mean, at)
        variances = -1
    centered = given - mean
    middle = s("sub", "centered", centered, at, means)
    if variances < 0:
        squares = s("square", "squares", centered**2, middle)
        variances = s("mean", "variance", variance, squares)
    raised = s("add", "variance and eps", variance + a["eps"], variances)
    deviation = np.sqrt(variance + a["eps"])
    root = s("sqrt", "deviation", deviation, raised)
    s("rsqrt", "inverse", 1.0 / deviation, raised)
    made = (centered / deviation).reshape(x.shape)
    value = s("div", "normalized", made, middle, root)
    for slot, step in (("weight", "mul"), ("bias", "add")):
        own = s.taken(slot)
        if own is None:
            continue
        own = _spread(kind, own, x, axes)
        made = made * own if slot == "weight" else made + own
        value = s(step, slot, made, value, s.op.inputs[slot])
    return s.comes_to(made)


def _axes(kind: str, rank: int, given: tuple[int, ...] | None) -> tuple[int, ...]:
    if kind == "layer_norm" and given is not None:
        return given
    if kind == "batch_norm":
        return (0, *range(2, rank))
    return tuple(range(2, rank))


def _spread(kind: str, own: Array, x: Array, axes: tuple[int, ...]) -> Array:
    """A parameter in a shape that goes with what it scales."""
    if kind == "layer_norm":
        return own.reshape([x.shape[axis] for axis in axes])
    return own.reshape(-1, *[1] * (x.ndim - 2))


def softmax(s: Inside) -> bool:
    """Write a softmax down, or its logarithm."""
    x, axis = s.taken("x"), s.op.attributes.get("axis")
    if x is None or axis is None or not x.ndim:
        return False
    shifted, at = _shifted(s, x, axis)
    powers = np.exp(shifted)
    exp = s("exp", "powers", powers, at)
    total = powers.sum(axis, keepdims=True)
    summed = s("sum", "sum", total, exp)
    if s.op.kind == "softmax":
        return s.comes_to(powers / total)
    s("log", "logarithm", np.log(total), summed)
    return s.comes_to(shifted - np.log(total))


def _shifted(s: Inside, x: Array, axis: int) -> tuple[Array, int]:
    largest = x.max(axis, keepdims=True)
    shifted = x - largest
    return shifted, s(
        "sub", "shifted", shifted, s.op.inputs["x"], s("amax", "largest", largest, s.op.inputs["x"])
    )


def cross_entropy(s: Inside) -> bool:
    """Write a cross entropy of numbered classes down, row by row."""
    x, stored = s.taken("x"), s.run.value(s.op.inputs.get("label", -1))
    if x is None or stored is None or len(s.op.outputs) < 2 or stored.dtype.kind not in "iu":
        return False
    labels = stored.load().reshape(-1)
    if x.ndim != 2 or labels.size != len(x) or not ((labels >= 0) & (labels < x.shape[1])).all():
        return False
    shifted, at = _shifted(s, x, 1)
    logarithms = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    value = s("log_softmax", "logarithms", logarithms, at)
    picked = np.take_along_axis(logarithms, labels[:, None], 1)
    s("gather", "picked", picked, value)
    return s.comes_to(-picked, result=1)
