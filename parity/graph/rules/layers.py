"""The rules that bring a graph into canonical form; each removes one way of writing the same thing.

A rule looks at one node, changes the graph or not, and says so. They are applied until none changes
anything. Their order does not matter, but for `turned_rows`: it must see single moves before `merged_moves` joins them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from parity.graph.axes import count
from parity.graph.builder import Builder
from parity.graph.moves import channel_range, digest, index_map, is_identity, transposes
from parity.graph.node import Input, Node, Spelling, fed_through


def packed(b: Builder, node: Node) -> bool:
    """Several layers packed into one (query, key and value) are several, each with its part of the weight."""
    if node.kind not in ("linear", "conv") or node.output not in b.producer:
        return False
    begin = node.rows[0] if node.rows is not None else 0
    if b.uses[node.output] < 2:
        return False
    readers = [other for other in b.nodes if node.output in other.inputs.values()]
    if len(readers) < 2 or b.uses[node.output] != len(readers):
        return False
    shape = b.shapes[node.output]
    channels = shape[-1] if node.kind == "linear" else shape[1]
    inner = 1 if node.kind == "linear" else count(shape[2:])
    if node.kind == "conv" and node.attributes["groups"] != 1:
        return False
    parts = []
    for reader in readers:
        if reader.kind != "move" or reader.indices is None:
            return False
        part = channel_range(reader.indices, channels, inner)
        if part is None:
            return False
        parts.append(part)
    for (first, last, indices), reader in zip(parts, readers, strict=True):
        width = last - first
        part_shape = (*shape[:-1], width) if node.kind == "linear" else (shape[0], width, *shape[2:])
        whole = is_identity(indices, count(part_shape))
        output = reader.output if whole else b.fresh(part_shape)
        piece = replace(
            node,
            takes=dict(node.takes),
            attributes=dict(node.attributes),
            output=output,
            op=reader.op if whole else -1,
            raw=(*node.raw, *reader.raw) if whole else node.raw,
            rows=(begin + first, begin + last),
        )
        b.insert_before(reader, piece)
        if whole:
            b.drop(reader)
            b.producer[output] = piece
        else:
            reader.takes, reader.indices = {"x": Input(output, part_shape)}, indices
            reader.attributes = {**reader.attributes, "map": digest(indices)}
    b.drop(node)
    return True


def part_of_weight(b: Builder, node: Node) -> bool:
    """A Linear with a slice of a packed weight is the part of the packed layer that has these outputs."""
    if node.kind != "linear" or not node.spelling.layout or node.rows is not None:
        return False
    found: dict[str, tuple[int, tuple[int, int]]] = {}
    for slot in ("weight", "bias"):
        move = b.producer.get(node.inputs.get(slot, -1))
        if slot not in node.takes:
            continue
        if (
            move is None
            or move.kind != "move"
            or move.indices is None
            or not b.is_parameter(move.inputs["x"])
        ):
            return False
        shape = b.shapes[move.inputs["x"]]
        columns = slot == "weight" and node.spelling.layout == "in_out"
        lines = np.arange(count(shape)).reshape(shape[0], -1)
        width = b.shapes[node.output][-1]
        begin = int(move.indices[0]) if columns else int(move.indices[0]) // lines.shape[1]
        part = slice(begin, begin + width)
        if not np.array_equal(move.indices, (lines[:, part] if columns else lines[part]).reshape(-1)):
            return False
        found[slot] = move.inputs["x"], (begin, begin + width)
    if len({rows for _, rows in found.values()}) != 1:
        return False
    for slot, (value, rows) in found.items():
        node.takes[slot], node.rows = replace(node.takes[slot], value=value), rows
    return True


def _matrix(b: Builder, value: int) -> tuple[int, bool]:
    """(parameter, whether it is used transposed) behind a value, if that is all that stands between."""
    move = b.producer.get(value)
    if move is not None and move.kind == "move" and move.indices is not None:
        source = move.inputs["x"]
        if b.is_parameter(source) and transposes(move.indices, b.shapes[source]):
            return source, True
    return value, False


def linear(b: Builder, node: Node) -> bool:
    """`x @ W`, `x @ W.T` and `addmm` with a parameter are Linear layers."""
    if node.kind == "addmm" and node.attributes.get("alpha", 1.0) in (None, 1.0):
        weight, turned = _matrix(b, node.inputs.get("y", -1))
        if b.is_parameter(weight) and node.attributes.get("beta", 1.0) in (None, 1.0):
            node.kind = "linear"
            rename(node, "y", "weight")
            node.takes["weight"] = replace(node.takes["weight"], value=weight)
            node.attributes, node.spelling = {}, Spelling(layout="out_in" if turned else "in_out")
            return True
    if node.kind == "matmul" and "y" in node.takes:
        weight = node.inputs["y"]
        weight, turned = _matrix(b, weight)
        if b.is_parameter(weight) and len(b.shapes[weight]) == 2:
            node.kind = "linear"
            rename(node, "y", "weight")
            node.takes["weight"] = replace(node.takes["weight"], value=weight)
            node.attributes, node.spelling = {}, Spelling(layout="out_in" if turned else "in_out")
            return True
    if node.kind == "linear" and not node.spelling.layout:
        layouts = ("in_out", "out_in") if b.trace.framework == "paddle" else ("out_in", "in_out")
        weight, turned = _matrix(b, node.inputs.get("weight", -1))
        if turned:
            node.takes["weight"] = replace(node.takes["weight"], value=weight)
        node.spelling = Spelling(layout=layouts[turned])
        return True
    return False


def rename(node: Node, old: str, new: str) -> None:
    node.takes = {new if slot == old else slot: taken for slot, taken in node.takes.items()}


def short_dimensions(b: Builder, node: Node) -> bool:
    """A one-dimensional convolution or pool may run as a two-dimensional one of height 1."""
    shape = node.shape("x")
    spatial = "padding" in node.attributes and isinstance(node.attributes.get("stride"), tuple)
    # What a pad before it takes may have been read without that dimension already.
    flat = len(shape) == 3 or (len(shape) == 4 and shape[2] == 1)
    if node.kind not in ("conv", "max_pool", "avg_pool") or not spatial or not flat:
        return False
    a = node.attributes
    kernel = a["kernel_size"] if "kernel_size" in a else node.shape("weight")[2:]
    if len(a["stride"]) != 2 or not kernel or kernel[0] != 1 or any(a["padding"][0]):
        return False
    node.attributes = {
        key: value[1:] if isinstance(value, tuple) and len(value) == 2 else value for key, value in a.items()
    }
    node.takes["x"] = replace(node.takes["x"], shape=(*shape[:2], shape[-1]))
    return True


def pointwise(b: Builder, node: Node) -> bool:
    """A convolution of single pixels is a Linear over the channels, between a permutation and the way back."""
    if node.kind != "conv" or b.parameters.get(node.inputs.get("weight", -1)) not in b.pointwise:
        return False
    a, x = node.attributes, node.takes["x"]
    shape = x.shape
    steps = all(step == 1 for step in a["stride"]) and not any(map(any, a["padding"]))
    if a["groups"] != 1 or not steps or any(size != 1 for size in b.shapes[node.inputs["weight"]][2:]):
        return False
    rank, out = len(shape), b.shapes[node.output]
    last, first = (0, *range(2, rank), 1), (0, rank - 1, *range(1, rank - 1))
    turned, made = tuple(shape[i] for i in last), (out[0], *out[2:], out[1])
    before = _turn(b, node, x, last, turned)
    layer = replace(
        node,
        kind="linear",
        takes={**node.takes, "x": Input(before.output, turned)},
        output=b.fresh(made),
        attributes={},
        spelling=Spelling(layout="out_in"),
        op=-1,
    )
    behind = _turn(b, node, Input(layer.output, made), first, out)
    behind.output, behind.op = node.output, node.op
    for new in (before, layer, behind):
        b.insert_before(node, new)
    b.drop(node)
    b.producer[behind.output] = behind
    return True


def _turn(b: Builder, node: Node, source: Input, perm: tuple[int, ...], turned: tuple[int, ...]) -> Node:
    """A permutation that only the canonical form has, told as the doing of a node."""
    indices = index_map("permute", {"perm": perm}, source.shape, turned)
    assert indices is not None
    how = (("permute", f"permute({perm}) of shape {list(source.shape)}"),)
    return replace(
        node,
        kind="move",
        takes={"x": source},
        output=b.fresh(turned),
        attributes={"map": digest(indices)},
        op=-1,
        indices=indices,
        spelling=Spelling(how=how, called="permute"),
    )


def bias(b: Builder, node: Node) -> bool:
    """A parameter added to a convolution's or Linear's result is its bias."""
    if node.kind != "add" or set(node.takes) != {"x", "y"}:
        return False
    for data, other in (("x", "y"), ("y", "x")):
        first, value = b.producer.get(node.inputs[data]), node.inputs[other]
        if (
            first is None
            or first.kind not in ("conv", "conv_transpose", "linear")
            or not b.is_parameter(value)
        ):
            continue
        if "bias" in first.takes or not b.only_use(first.output):
            continue
        shape = b.shapes[first.output]
        last = first.kind == "linear" or first.spelling.layout == "channels_last"
        width = shape[-1] if last else shape[1]
        if count(b.shapes[value]) != width:
            continue
        first.takes["bias"] = Input(value, b.shapes[value], node.places(other))
        b.absorb(first, node)
        return True
    return False


def late_bias(b: Builder, node: Node) -> bool:
    """A parameter added to a sum of two Linears belongs to the one that has no bias."""
    if node.kind != "add" or set(node.takes) != {"x", "y"}:
        return False
    for data, other in (("x", "y"), ("y", "x")):
        total, value = b.producer.get(node.inputs[data]), node.inputs[other]
        if total is None or total.kind != "add" or not b.is_parameter(value) or not b.only_use(total.output):
            continue
        for slot in ("y", "x"):
            layer = b.producer.get(total.inputs.get(slot, -1))
            if layer is None or layer.kind != "linear" or "bias" in layer.takes:
                continue
            if not b.only_use(layer.output) or count(b.shapes[value]) != b.shapes[layer.output][-1]:
                continue
            layer.takes["bias"] = Input(value, b.shapes[value], node.places(other))
            # With its bias, the Linear makes a value that no operator made.
            b.producer.pop(layer.output)
            layer.output, layer.op = b.fresh(b.shapes[layer.output]), -1
            b.producer[layer.output] = layer
            total.takes[slot] = replace(total.takes[slot], value=layer.output, places=())
            b.absorb(total, node)
            return True
    return False


def table(b: Builder, node: Node) -> bool:
    """Rows of a parameter picked by an index are an embedding."""
    picks = (
        (node.kind == "getitem" and node.attributes.get("slices") == ("advanced",), "item"),
        (
            node.kind == "index_select" and node.attributes.get("axis") == 0,
            "index",
        ),
    )
    for applies, slot in picks:
        if applies and set(node.takes) == {"x", slot} and b.is_parameter(node.inputs["x"]):
            node.kind, node.attributes = "embedding", {"padding_idx": None}
            rename(node, "x", "weight")
            rename(node, slot, "x")
            return True
    return False


def pad_before_conv(b: Builder, node: Node) -> bool:
    """A zero pad of the spatial axes that only feeds a convolution is the convolution's padding."""
    if node.kind == "pad":
        if not any(map(any, node.attributes["pads"])):
            b.remove(node, node.inputs["x"])
            return True
        return False
    if node.kind != "conv":
        return False
    pad = b.producer.get(node.inputs["x"])
    if pad is None or pad.kind != "pad" or not b.only_use(pad.output):
        return False
    a = pad.attributes
    rank = len(node.shape("x"))
    pads = [p for p, size in zip(a["pads"], pad.shape("x"), strict=False)]
    if len(pads) > rank:
        pads = [p for p, size in zip(a["pads"], pad.shape("x"), strict=True) if any(p) or size != 1][-rank:]
    for i, size in enumerate(node.shape("x")):
        # A dimension that the pad was read without.
        if len(pads) < rank and i >= 2 and size == 1:
            pads.insert(i, (0, 0))
    if a["mode"] != "constant" or a["value"] != 0.0 or len(pads) != rank or any(pads[0]) or any(pads[1]):
        return False
    old = node.attributes["padding"]
    node.attributes["padding"] = tuple((p[0] + q[0], p[1] + q[1]) for p, q in zip(old, pads[2:], strict=True))
    node.takes["x"] = fed_through(node.takes["x"], pad.takes["x"])
    node.raw = (*pad.raw, *node.raw)
    node.decided["padding"] = pad.raw[-1]
    b.drop(pad)
    return True


def pad_rank(b: Builder, node: Node) -> bool:
    """Paddle pads lines and images through further dimensions of size 1: those without a pad are none."""
    if node.kind != "pad":
        return False
    pads, shape = node.attributes["pads"], node.shape("x")
    if len(pads) != len(shape):
        return False
    keep = [i for i in range(len(shape)) if i < 2 or shape[i] != 1 or any(pads[i])]
    if len(keep) == len(shape) or len(keep) < 3:
        return False
    node.attributes = {**node.attributes, "pads": tuple(pads[i] for i in keep)}
    node.takes["x"] = replace(node.takes["x"], shape=tuple(shape[i] for i in keep))
    return True
