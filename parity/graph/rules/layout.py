"""Rules of layout: moves, concatenations, sorted rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from parity.graph.axes import count
from parity.graph.builder import Builder
from parity.graph.moves import Indices, digest, is_identity, row_order
from parity.graph.node import Input, Node, Spelling


def merged_moves(b: Builder, node: Node) -> bool:
    """A move of a move is one move; one that changes no position is none; equal ones are the same."""
    if node.kind != "move":
        return False
    assert node.indices is not None
    if is_identity(node.indices, count(node.shape("x"))):
        b.remove(node, node.inputs["x"])
        return True
    first = b.producer.get(node.inputs["x"])
    if first is not None and first.kind == "move" and first.indices is not None:
        node.indices = first.indices[node.indices]
        node.attributes = {"map": digest(node.indices)}
        node.spelling = replace(node.spelling, how=(*first.spelling.how, *node.spelling.how))
        # The raw operator that took the source is the chain's first, if nobody else reads in between.
        source = first.takes["x"]
        node.takes = {"x": source if b.only_use(first.output) else source.inside()}
        node.raw = (*first.raw, *node.raw)
        return True
    return False


def scaled_before_moved(b: Builder, node: Node) -> bool:
    """Numbers are scaled alike wherever they stand: a scale (or shift) by a number before a move is one behind it."""
    first = b.producer.get(node.inputs["x"]) if node.kind == "move" else None
    if first is None or first.kind != "affine" or first.spelling.called or not b.only_use(first.output):
        return False
    value = b.fresh(b.shapes[node.output])
    moved = replace(
        node,
        takes={"x": replace(first.takes["x"], shape=node.shape("x"))},
        output=value,
        op=-1,
    )
    b.insert_before(node, moved)
    node.kind, node.attributes, node.indices = "affine", first.attributes, None
    node.spelling = first.spelling
    node.takes = {"x": Input(value, b.shapes[node.output])}
    node.raw, node.module, node.line, node.name = first.raw, first.module, first.line, first.name
    b.drop(first)
    return True


def sorted_rows(b: Builder, node: Node) -> bool:
    """A Linear treats rows alike: rows in another order before it are rows in another order after it."""
    if node.kind != "linear":
        return False
    move = b.producer.get(node.inputs["x"])
    if move is None or move.kind != "move" or move.indices is None:
        return False
    width = node.shape("x")[-1]
    order = row_order(move.indices, width)
    if order is None or not _whole_rows(move.indices, width):
        return False
    sorted_map = move.indices.reshape(-1, width)[order].reshape(-1)
    source_shape = move.shape("x")
    shape, out_shape = node.shape("x"), b.shapes[node.output]
    value = move.inputs["x"]
    if not is_identity(sorted_map, count(source_shape)):
        value = b.fresh(shape)
        sorted_move = replace(
            move,
            output=value,
            op=-1,
            indices=sorted_map,
            attributes={**move.attributes, "map": digest(sorted_map)},
            takes={"x": move.takes["x"].inside()},
        )
        b.insert_before(node, sorted_move)
    result = b.fresh(out_shape)
    inner = replace(
        node,
        takes={**node.takes, "x": Input(value, shape)},
        output=result,
        op=-1,
    )
    b.insert_before(node, inner)
    # Row i of the original result is the row of the sorted one that came from the same place.
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    out = out_shape[-1]
    back = (place[:, None] * out + np.arange(out)[None, :]).reshape(-1)
    node.kind, node.takes = "move", {"x": Input(result, out_shape)}
    # The order of the rows is the doing of the moves before the layer.
    node.attributes = {"map": digest(back)}
    node.spelling = Spelling(how=move.spelling.how, called="permute")
    node.raw = move.raw
    node.indices, node.rows = back, None
    return True


def _whole_rows(indices: Indices, width: int) -> bool:
    """Whether different rows read different places (so that sorting them loses nothing)."""
    starts = indices.reshape(-1, width)[:, 0]
    return np.unique(starts).size == starts.size


def concats(b: Builder, node: Node) -> bool:
    """A stack is a concat along a new axis; a concat of a concat is one; of one tensor is none."""
    if node.kind == "stack":
        node.kind = "concat"
        return True
    if node.kind != "concat":
        return False
    if len(node.takes) == 1:
        b.remove(node, next(iter(node.inputs.values())))
        return True
    for slot, value in list(node.inputs.items()):
        first = b.producer.get(value)
        if first is None or first.kind != "concat":
            continue
        if first.attributes != node.attributes or len(b.shapes[first.output]) != len(b.shapes[node.output]):
            continue
        merged = [
            part
            for s, taken in node.takes.items()
            for part in (first.takes.values() if s == slot else [taken])
        ]
        node.takes = {f"x[{i}]": part for i, part in enumerate(merged)}
        if b.only_use(value):
            node.raw = (*first.raw, *node.raw)
            b.drop(first)
        return True
    return False
