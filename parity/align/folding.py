"""BatchNorm folded into the convolution before it: another network with the same function.

Recognised by arithmetic, not by trust: the torch weight must be Paddle's weight times scale / sqrt(variance + eps),
to float32 rounding. Then the two Paddle operators are taken as one, so that everything after them compares.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from parity.align.alignment import Alignment
from parity.align.weights import own_weight
from parity.graph.node import Graph, Node
from parity.limits import FLOAT32_STEPS, READ
from parity.numbers.same import same
from parity.trace.values import Array

Epsilons = tuple[float, float]
"""A BatchNorm's own epsilon, and the one with which torch's weights hold it."""


def fold(
    alignment: Alignment, paddle: Mapping[str, Array], torch: Mapping[str, Array]
) -> dict[int, Epsilons]:
    """Merge every Paddle BatchNorm that torch's weights already hold; return the merged layers, by their output.

    The Paddle graph of `alignment` is changed: build a new alignment from it if the result is not empty.
    """
    graph = alignment.paddle
    merged: dict[int, Epsilons] = {}
    for pair in alignment.pairs:
        layer = pair.paddle
        if pair.substituted or layer.kind not in ("conv", "linear", "conv_transpose"):
            continue
        readers = graph.consumers[layer.output]
        if len(readers) != 1 or readers[0][0].kind != "batch_norm" or alignment.has_paddle(readers[0][0]):
            continue
        norm = readers[0][0]
        if norm.attributes["training"]:
            continue
        eps = _folded_with(alignment, pair.torch, layer, norm, paddle, torch)
        if eps is None:
            continue
        layer.output, layer.op = norm.output, norm.op
        layer.raw = (*layer.raw, *norm.raw)
        graph.nodes.remove(norm)
        merged[layer.output] = norm.attributes["eps"], eps
    return merged


def _folded_with(
    alignment: Alignment,
    torch_layer: Node,
    layer: Node,
    norm: Node,
    paddle: Mapping[str, Array],
    torch: Mapping[str, Array],
) -> float | None:
    """The epsilon with which the torch layer's weight and bias are the folded ones; None if they are not, whatever it is."""
    values = {
        slot: _own(alignment.paddle, norm, slot, paddle) for slot in ("weight", "bias", "mean", "variance")
    }
    weight, bias = (
        own_weight(alignment.paddle, layer, "weight", paddle),
        _own(alignment.paddle, layer, "bias", paddle),
    )
    actual = own_weight(alignment.torch, torch_layer, "weight", torch)
    actual_bias = own_weight(alignment.torch, torch_layer, "bias", torch)
    mean, variance = values["mean"], values["variance"]
    if weight is None or actual is None or actual_bias is None or mean is None or variance is None:
        return None
    gain = np.ones_like(variance) if values["weight"] is None else values["weight"]
    axis = 1 if layer.kind == "conv_transpose" else 0
    shape = [1] * weight.ndim
    shape[axis] = -1
    if weight.shape != actual.shape or variance.size != weight.shape[axis]:
        return None
    shift = 0.0 if values["bias"] is None else values["bias"]

    def holds(eps: float) -> bool:
        scale = gain / np.sqrt(variance + eps)
        folded = weight * scale.reshape(shape)
        summands = [0.0 if bias is None else bias * scale, shift, -mean * scale]
        size = sum(np.abs(summand) for summand in summands)
        return same(actual, folded, FLOAT32_STEPS, np.abs(folded)) and same(
            actual_bias, np.asarray(sum(summands)), FLOAT32_STEPS, size
        )

    own: float = norm.attributes["eps"]
    return own if holds(own) else next(filter(holds, _epsilons(weight, actual, gain, variance, axis)), None)


def _epsilons(weight: Array, actual: Array, gain: Array, variance: Array, axis: int) -> list[float]:
    """What another epsilon would have to be, from the scale of each channel; as a number that people write, first."""
    rows = [np.moveaxis(array, axis, 0).reshape(len(variance), -1) for array in (weight, actual)]
    with np.errstate(all="ignore"):
        scale = (rows[0] * rows[1]).sum(axis=1) / (rows[0] ** 2).sum(axis=1)
        found = float(np.median((gain / scale) ** 2 - variance))
    return [max(float(f"{found:.1g}"), 0.0), found] if np.isfinite(found) and found > -READ else []


def _own(graph: Graph, node: Node, slot: str, arrays: Mapping[str, Array]) -> Array | None:
    found = own_weight(graph, node, slot, arrays)
    return None if found is None else found.astype(np.float64)
