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
from parity.limits import FLOAT32_STEPS
from parity.numbers.same import same
from parity.trace.values import Array


def fold(alignment: Alignment, paddle: Mapping[str, Array], torch: Mapping[str, Array]) -> list[Node]:
    """Merge every Paddle BatchNorm that torch's weights already hold; return the merged layers.

    The Paddle graph of `alignment` is changed: build a new alignment from it if the result is not empty.
    """
    graph = alignment.paddle
    merged = []
    for pair in alignment.pairs:
        layer = pair.paddle
        if pair.substituted or layer.kind not in ("conv", "linear", "conv_transpose"):
            continue
        readers = graph.consumers[layer.output]
        if len(readers) != 1 or readers[0][0].kind != "batch_norm" or alignment.has_paddle(readers[0][0]):
            continue
        norm = readers[0][0]
        if norm.attributes["training"] or not _holds(alignment, pair.torch, layer, norm, paddle, torch):
            continue
        layer.output, layer.op = norm.output, norm.op
        layer.raw = (*layer.raw, *norm.raw)
        graph.nodes.remove(norm)
        merged.append(layer)
    return merged


def _holds(
    alignment: Alignment,
    torch_layer: Node,
    layer: Node,
    norm: Node,
    paddle: Mapping[str, Array],
    torch: Mapping[str, Array],
) -> bool:
    """Whether the torch layer's weight and bias are the folded ones."""
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
        return False
    scale = (1.0 if values["weight"] is None else values["weight"]) / np.sqrt(
        variance + norm.attributes["eps"]
    )
    axis = 1 if layer.kind == "conv_transpose" else 0
    shape = [1] * weight.ndim
    shape[axis] = -1
    if weight.shape != actual.shape or scale.size != weight.shape[axis]:
        return False
    folded = weight * scale.reshape(shape)
    summands = [
        0.0 if bias is None else bias * scale,
        0.0 if values["bias"] is None else values["bias"],
        -mean * scale,
    ]
    size = sum(np.abs(summand) for summand in summands)
    return same(actual, folded, FLOAT32_STEPS, np.abs(folded)) and same(
        actual_bias, np.asarray(sum(summands)), FLOAT32_STEPS, size
    )


def _own(graph: Graph, node: Node, slot: str, arrays: Mapping[str, Array]) -> Array | None:
    found = own_weight(graph, node, slot, arrays)
    return None if found is None else found.astype(np.float64)
