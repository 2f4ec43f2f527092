"""Rules for reductions and for what treats every row alike: the axes in one form, wherever they stand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from parity.graph.axes import counted
from parity.graph.builder import Builder
from parity.graph.node import Input, Node, Spelling
from parity.limits import NO_EPSILON


def spatial_mean(b: Builder, node: Node) -> bool:
    """Pooling everything to one pixel is a mean (or maximum) over the spatial axes."""
    shape = node.shape("x")
    spatial = tuple(range(2, len(shape)))
    a = node.attributes
    if node.kind in ("adaptive_avg_pool", "adaptive_max_pool"):
        if all(size == 1 for size in a["output_size"]):
            node.kind = "mean" if node.kind == "adaptive_avg_pool" else "amax"
            node.attributes = {"axes": spatial}
            return True
        if tuple(a["output_size"]) == tuple(shape[2:]):
            b.remove(node, node.inputs["x"])
            return True
    if (
        (
            node.kind in ("avg_pool", "max_pool")
            and len(shape) > 2
            and tuple(a["kernel_size"]) == tuple(shape[2:])
        )
        and not any(map(any, a["padding"]))
        and all(n == 1 for n in b.shapes[node.output][2:])
    ):
        node.kind = "mean" if node.kind == "avg_pool" else "amax"
        node.attributes = {"axes": spatial}
        return True
    return False


PASSING = frozenset({"mean", "sum", "amax", "amin"})
"""Reductions that give a single number back as it is."""

REDUCTIONS = PASSING | {"var", "std", "argmax", "argmin"}


def reduced_axes(b: Builder, node: Node) -> bool:
    """Reduced axes, counted among the dimensions larger than 1: the others may come and go by reshapes."""
    if node.kind not in REDUCTIONS or node.spelling.counted:
        return False
    shape = node.shape("x")
    real = [axis for axis, size in enumerate(shape) if size != 1]
    axes = tuple(real.index(axis) for axis in node.attributes["axes"] if axis in real)
    if not axes and node.kind not in PASSING:
        return False
    if not axes:
        b.remove(node, node.inputs["x"])
    else:
        node.attributes = {**node.attributes, "axes": axes}
        node.spelling = replace(node.spelling, counted=True)
    return True


ROW_WISE = frozenset({"layer_norm", "rms_norm", "softmax", "log_softmax"})
"""Operators that treat every row along some axes alike, wherever the axes stand."""


def turned_rows(b: Builder, node: Node) -> bool:
    """A row-wise operator between a permutation and the way back works on other axes of what was permuted."""
    if node.kind not in ROW_WISE or (node.spelling.counted and node.spelling.reduced is None):
        return False
    before, behind = b.producer.get(node.inputs["x"]), _only_reader(b, node.output)
    if before is None or behind is None or not b.only_use(before.output):
        return False
    perm, back = _permutation(b, before), _permutation(b, behind)
    if perm is None or back is None or len(perm) != len(back):
        return False
    if tuple(perm[axis] for axis in back) != tuple(range(len(perm))):
        return False
    rank, attributes = len(perm), dict(node.attributes)
    if node.spelling.reduced is not None:
        if len(node.shape("x")) != rank or len(before.shape("x")) != rank:
            return False
        reduced = tuple(sorted(perm[axis] for axis in node.spelling.reduced))
        attributes["axes"] = counted(before.shape("x"), reduced)
        node.spelling = replace(node.spelling, reduced=reduced)
    elif "axes" in attributes:
        attributes["axes"] = tuple(sorted(perm[axis] for axis in attributes["axes"]))
    else:
        attributes["axis"] = perm[attributes["axis"] % rank] - rank
    node.attributes = attributes
    node.takes["x"] = before.takes["x"]
    node.raw = (*before.raw, *node.raw)
    b.drop(before)
    b.absorb(node, behind)
    return True


def _only_reader(b: Builder, value: int) -> Node | None:
    readers = [node for node in b.nodes if value in node.inputs.values()]
    return readers[0] if len(readers) == 1 and b.only_use(value) else None


def _permutation(b: Builder, node: Node) -> tuple[int, ...] | None:
    """The permutation that a move is, if it is a single one."""
    if node.kind != "move" or len(node.raw) != 1 or node.place("x") is None:
        return None
    op = b.trace.ops[node.raw[0]]
    return tuple(op.attributes["perm"]) if op.kind == "permute" else None


def normalized_axes(b: Builder, node: Node) -> bool:
    """Normalized axes, counted like reduced ones, from the end: reshapes may merge what stands before."""
    if node.kind not in ("layer_norm", "rms_norm") or node.spelling.counted:
        return False
    axes = counted(node.shape("x"), node.attributes["axes"])
    node.attributes = {**node.attributes, "axes": axes}
    node.spelling = replace(node.spelling, counted=True)
    return True


ORDERINGS = frozenset(
    {"sort", "topk", "kthvalue", *(f"{name}.indices" for name in ("sort", "topk", "kthvalue"))}
)
"""Operators that put the numbers along an axis in order."""


def ordered_axis(b: Builder, node: Node) -> bool:
    """The axis of an ordering, counted like reduced ones, from the end."""
    if node.kind not in ORDERINGS or node.spelling.counted:
        return False
    axis = counted(node.shape("x"), (node.attributes["axis"] % max(len(node.shape("x")), 1),))
    node.attributes = {**node.attributes, "axis": axis[0] if axis else None}
    node.spelling = replace(node.spelling, counted=True)
    return True


def first_of_sorted(b: Builder, node: Node) -> bool:
    """The first k of sorted numbers (or of their places) are the k largest or smallest."""
    if node.kind != "move" or node.indices is None:
        return False
    above = b.producer.get(node.inputs["x"])
    kinds = {"sort": "topk", "sort.indices": "topk.indices"}
    if above is None or above.kind not in kinds or above.attributes["axis"] is None:
        return False
    shape, a = above.shape("x"), above.attributes
    real = [axis for axis, size in enumerate(shape) if size != 1]
    axis = real[a["axis"]]
    k, rest = divmod(node.indices.size * shape[axis], math.prod(shape))
    first = (slice(None),) * axis + (slice(k),)
    if rest or not np.array_equal(
        node.indices, np.arange(math.prod(shape)).reshape(shape)[first].reshape(-1)
    ):
        return False
    node.kind = kinds[above.kind]
    alone = b.only_use(above.output)
    node.takes = {slot: taken if alone else taken.inside() for slot, taken in above.takes.items()}
    node.raw, node.indices = (*above.raw, *node.raw), None
    node.attributes = {"axis": a["axis"], "k": k, "largest": a["descending"], "sorted": True}
    node.spelling = Spelling(counted=True)
    return True


def mean_of_sum(b: Builder, node: Node) -> bool:
    """A sum that is divided by how many there were is a mean; by another number, a mean that is scaled."""
    if node.kind != "affine" or node.attributes["shift"] != 0.0:
        return False
    first = b.producer.get(node.inputs["x"])
    if first is None or first.kind != "sum" or not b.only_use(first.output):
        return False
    scale = node.attributes["scale"] * math.prod(first.shape("x")) / math.prod(b.shapes[first.output])
    first.kind = "mean"
    if abs(scale - 1.0) < NO_EPSILON:
        b.absorb(first, node)
        return True
    # No operator made the mean itself: it is a value of the canonical form alone.
    first.output, first.op = b.fresh(b.shapes[first.output]), -1
    b.producer[first.output] = first
    node.takes = {"x": Input(first.output, node.shape("x"))}
    node.attributes = {**node.attributes, "scale": scale}
    return True


def log_of_softmax(b: Builder, node: Node) -> bool:
    if node.kind != "log":
        return False
    first = b.producer.get(node.inputs["x"])
    if first is None or first.kind != "softmax" or not b.only_use(first.output):
        return False
    first.kind = "log_softmax"
    b.absorb(first, node)
    return True
