"""The rules that bring a graph into canonical form; each removes one way of writing the same thing.

A rule looks at one node, changes the graph or not, and says so. They are applied until none changes
anything. Their order does not matter, but for `turned_rows`: it must see single moves before `_moves` joins them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from parity.formulas import scale_and_shift, written_out
from parity.graph import Builder, Node, Rewrite
from parity.moves import Indices, channel_range, digest, index_map, is_identity, row_order, transposes
from parity.row_wise import (
    first_of_sorted,
    log_of_softmax,
    mean_of_sum,
    normalized_axes,
    ordered_axis,
    reduced_axes,
    spatial_mean,
    turned_rows,
)


def _scalar_arithmetic(b: Builder, node: Node) -> bool:
    """`x * 2`, `x / 2`, `1 - x`, `-x`: one affine form; `x * x` is a square."""
    a = node.attributes
    if node.kind == "neg":
        node.kind, node.attributes = "affine", {"scale": -1.0, "shift": 0.0}
        return True
    if node.kind == "dropout" and not a["training"]:
        node.kind = "affine"
        node.attributes = {
            "scale": 1.0 - a["p"],
            "shift": 0.0,
            "op": "dropout",
            "how": (("dropout", f"mode={a['mode']!r} in eval"),),
        }
        return True
    if node.kind == "mul" and set(node.inputs) == {"x", "y"} and node.inputs["x"] == node.inputs["y"]:
        node.kind, node.attributes = "pow", {"exponent": 2.0}
        for part in (node.inputs, node.entries, node.shapes):
            part.pop("y", None)
        return True
    if node.kind not in ("add", "sub", "mul", "div"):
        return False
    for slot, scalar in (("x", a.get("scalar_y")), ("y", a.get("scalar_x"))):
        if scalar is None or slot not in node.inputs:
            continue
        left = slot == "x"
        forms = {
            "add": (1.0, scalar),
            "mul": (scalar, 0.0),
            "sub": (1.0, -scalar) if left else (-1.0, scalar),
            "div": (1.0 / scalar if scalar else float("inf"), 0.0) if left else None,
        }
        form = forms[node.kind]
        if form is None:
            node.kind, node.attributes = "reciprocal", {"numerator": scalar}
        else:
            node.kind, node.attributes = "affine", {"scale": form[0], "shift": form[1]}
        _rename(node, slot, "x")
        return True
    return False


NOT_NEGATIVE = frozenset({"relu", "sigmoid", "softmax", "exp", "abs", "sqrt"})
PASSES_SIGN = frozenset(
    {"max_pool", "avg_pool", "adaptive_avg_pool", "adaptive_max_pool", "mean", "amax", "move", "dropout"}
)


def _blend(b: Builder, node: Node) -> bool:
    """`(y - x) * s + x`, `s * y + (1 - s) * x`: what a gate makes of an old state and a new one."""
    if node.kind not in ("add", "sub") or set(node.inputs) != {"x", "y"}:
        return False
    parts = _apart(b, node) if node.kind == "sub" else _apart(b, node) or _shares(b, node)
    if parts is None:
        return False
    top_shapes = dict(node.shapes)
    entries: dict[str, list[tuple[int, str]]] = {slot: [] for slot in parts[0]}
    shapes: dict[str, tuple[int, ...]] = {}
    for slot, places in parts[0].items():
        for owner, old in places:
            shapes.setdefault(slot, top_shapes[old] if owner is node else owner.shapes[old])
            if old in owner.entries:
                entries[slot].append(owner.entries[old])
    inputs = {slot: places[0][0].inputs[places[0][1]] for slot, places in parts[0].items()}
    complete = {slot: found for slot, found in entries.items() if len(found) == len(parts[0][slot])}
    node.raw = tuple(sorted({number for inner in (*parts[1], node) for number in inner.raw}))
    node.kind, node.attributes, node.inputs, node.shapes = "blend", {}, inputs, shapes
    node.entries = {slot: found[0] for slot, found in complete.items()}
    node.also = {slot: tuple(found[1:]) for slot, found in complete.items()}
    for inner in parts[1]:
        b.drop(inner)
    return True


_Parts = tuple[dict[str, list[tuple[Node, str]]], list[Node]]
"""Slot of a blend -> the places where it enters; and the operators that become part of it."""


def _inner(b: Builder, value: int, kind: str) -> Node | None:
    made = b.producer.get(value)
    return made if made is not None and made.kind == kind and b.only_use(value) else None


def _apart(b: Builder, node: Node) -> _Parts | None:
    """`x + s (y - x)`, and `x - s (x - y)`."""
    for base, other in (("x", "y"), ("y", "x")) if node.kind == "add" else (("x", "y"),):
        product = _inner(b, node.inputs[other], "mul")
        if product is None or set(product.inputs) != {"x", "y"}:
            continue
        for gap_slot, share in (("x", "y"), ("y", "x")):
            gap = _inner(b, product.inputs[gap_slot], "sub")
            if gap is None or set(gap.inputs) != {"x", "y"}:
                continue
            new, old = ("x", "y") if node.kind == "add" else ("y", "x")
            if gap.inputs[old] == node.inputs[base]:
                places = {"x": [(node, base), (gap, old)], "y": [(gap, new)], "share": [(product, share)]}
                return places, [gap, product]
    return None


def _shares(b: Builder, node: Node) -> _Parts | None:
    """`s y + (1 - s) x`"""
    products = [_inner(b, node.inputs[slot], "mul") for slot in ("x", "y")]
    for new, old in (products, products[::-1]):
        if new is None or old is None or not set(new.inputs) == set(old.inputs) == {"x", "y"}:
            continue
        for rest_slot, x in (("x", "y"), ("y", "x")):
            rest = _inner(b, old.inputs[rest_slot], "affine")
            if rest is None or (rest.attributes["scale"], rest.attributes["shift"]) != (-1.0, 1.0):
                continue
            for share, y in (("x", "y"), ("y", "x")):
                if new.inputs[share] == rest.inputs["x"]:
                    places = {"x": [(old, x)], "y": [(new, y)], "share": [(new, share), (rest, "x")]}
                    return places, [rest, old, new]
    return None


def _redundant_relu(b: Builder, node: Node) -> bool:
    """A ReLU of what cannot be negative (another ReLU's output, pooled or not) does nothing."""
    if node.kind != "relu":
        return False
    above = b.producer.get(node.inputs["x"])
    while above is not None and above.kind in PASSES_SIGN:
        above = b.producer.get(above.inputs["x"])
    if above is None:
        return False
    clipped = above.kind == "clip" and (above.attributes.get("min") or -1.0) >= 0.0
    if above.kind in NOT_NEGATIVE or clipped or (above.kind == "clip" and above.attributes.get("min") == 0.0):
        b.remove(node, node.inputs["x"])
        return True
    return False


def _merge_affine(b: Builder, node: Node) -> bool:
    if node.kind != "affine":
        return False
    if node.attributes["scale"] == 1.0 and node.attributes["shift"] == 0.0:
        b.remove(node, node.inputs["x"])
        return True
    first = b.producer.get(node.inputs["x"])
    if first is None or first.kind != "affine" or not b.only_use(first.output) or "op" in node.attributes:
        return False
    s, t = node.attributes["scale"], node.attributes["shift"]
    negated = {"negated": True} if "negated" in node.attributes else {}
    first.attributes = {
        "scale": first.attributes["scale"] * s,
        "shift": first.attributes["shift"] * s + t,
        **negated,
    }
    b.absorb(first, node)
    return True


def _logistic(b: Builder, node: Node) -> bool:
    """`1 / (1 + exp(v))` is the sigmoid of -v, whatever v is: a steep step, say, with a factor of its own."""
    if node.kind != "reciprocal" or node.attributes.get("numerator", 1.0) != 1.0:
        return False
    one = b.producer.get(node.inputs["x"])
    if one is None or one.kind != "affine" or "op" in one.attributes or not b.only_use(one.output):
        return False
    power = b.producer.get(one.inputs["x"])
    if power is None or power.kind != "exp" or not b.only_use(power.output):
        return False
    if (one.attributes["scale"], one.attributes["shift"]) != (1.0, 1.0):
        return False
    shape = b.shapes[power.output]
    turned = replace(
        power,
        kind="affine",
        output=b.fresh(shape),
        attributes={"scale": -1.0, "shift": 0.0, "negated": True},
        op=-1,
    )
    b.insert_before(node, turned)
    node.kind, node.attributes, node.inputs = "sigmoid", {"by_hand": True}, {"x": turned.output}
    node.entries, node.shapes = {}, {"x": shape}
    node.raw = (*power.raw, *one.raw, *node.raw)
    b.drop(one)
    b.drop(power)
    return True


def _clip_is_relu(b: Builder, node: Node) -> bool:
    if node.kind == "clip" and node.attributes.get("min") == 0.0 and node.attributes.get("max") is None:
        node.kind, node.attributes = "relu", {}
        return True
    if node.kind == "maximum" and node.attributes.get("scalar_y") == 0.0:
        node.kind, node.attributes = "relu", {}
        return True
    if node.kind == "leaky_relu" and node.attributes["slope"] == 0.0:
        node.kind, node.attributes = "relu", {}
        return True
    return False


SIXTH = 0.1666667
"""The slope of a hard sigmoid as Paddle writes it; by hand it is 1/6."""


def _moves(b: Builder, node: Node) -> bool:
    """A move of a move is one move; one that changes no position is none; equal ones are the same."""
    if node.kind != "move":
        return False
    assert node.indices is not None
    if is_identity(node.indices, count(node.shapes["x"])):
        b.remove(node, node.inputs["x"])
        return True
    first = b.producer.get(node.inputs["x"])
    if first is not None and first.kind == "move" and first.indices is not None:
        node.indices = first.indices[node.indices]
        node.attributes = {
            "map": digest(node.indices),
            "op": node.attributes["op"],
            "how": (*first.attributes["how"], *node.attributes["how"]),
        }
        # The raw operator that took the source is the chain's first, if nobody else reads in between.
        node.entries = dict(first.entries) if b.only_use(first.output) else {}
        node.inputs, node.shapes = dict(first.inputs), dict(first.shapes)
        node.raw = (*first.raw, *node.raw)
        return True
    return False


def _scaled_before_moved(b: Builder, node: Node) -> bool:
    """Numbers are scaled alike wherever they stand: a scale (or shift) by a number before a move is one behind it."""
    first = b.producer.get(node.inputs["x"]) if node.kind == "move" else None
    if first is None or first.kind != "affine" or "op" in first.attributes or not b.only_use(first.output):
        return False
    value = b.fresh(b.shapes[node.output])
    moved = replace(
        node,
        inputs={"x": first.inputs["x"]},
        output=value,
        op=-1,
        raw=node.raw,
        entries=dict(first.entries),
        shapes={"x": node.shapes["x"]},
    )
    b.insert_before(node, moved)
    node.kind, node.attributes, node.indices = "affine", first.attributes, None
    node.inputs, node.shapes, node.entries = {"x": value}, {"x": b.shapes[node.output]}, {}
    node.raw, node.module, node.line, node.name = first.raw, first.module, first.line, first.name
    b.drop(first)
    return True


def _sorted_rows(b: Builder, node: Node) -> bool:
    """A Linear treats rows alike: rows in another order before it are rows in another order after it."""
    if node.kind != "linear":
        return False
    move = b.producer.get(node.inputs["x"])
    if move is None or move.kind != "move" or move.indices is None:
        return False
    width = node.shapes["x"][-1]
    order = row_order(move.indices, width)
    if order is None or not _whole_rows(move.indices, width):
        return False
    sorted_map = move.indices.reshape(-1, width)[order].reshape(-1)
    source_shape = move.shapes["x"]
    shape, out_shape = node.shapes["x"], b.shapes[node.output]
    value = move.inputs["x"]
    if not is_identity(sorted_map, count(source_shape)):
        value = b.fresh(shape)
        sorted_move = replace(
            move,
            output=value,
            op=-1,
            indices=sorted_map,
            attributes={**move.attributes, "map": digest(sorted_map)},
            inputs=dict(move.inputs),
            entries={},
        )
        b.insert_before(node, sorted_move)
    result = b.fresh(out_shape)
    inner = replace(
        node,
        inputs={**node.inputs, "x": value},
        output=result,
        op=-1,
        entries={k: v for k, v in node.entries.items() if k != "x"},
    )
    b.insert_before(node, inner)
    # Row i of the original result is the row of the sorted one that came from the same place.
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    out = out_shape[-1]
    back = (place[:, None] * out + np.arange(out)[None, :]).reshape(-1)
    node.kind, node.inputs, node.shapes = "move", {"x": result}, {"x": out_shape}
    # The order of the rows is the doing of the moves before the layer.
    node.attributes = {"map": digest(back), "op": "permute", "how": move.attributes["how"]}
    node.raw = move.raw
    node.entries, node.indices, node.rows = {}, back, None
    return True


def _whole_rows(indices: Indices, width: int) -> bool:
    """Whether different rows read different places (so that sorting them loses nothing)."""
    starts = indices.reshape(-1, width)[:, 0]
    return np.unique(starts).size == starts.size


def _packed(b: Builder, node: Node) -> bool:
    """Several layers packed into one (query, key and value) are several, each with its part of the weight."""
    if node.kind not in ("linear", "conv") or node.output not in b.producer:
        return False
    begin = node.rows[0] if node.rows is not None else 0
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
            inputs=dict(node.inputs),
            attributes=dict(node.attributes),
            entries=dict(node.entries),
            shapes=dict(node.shapes),
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
            reader.inputs, reader.shapes = {"x": output}, {"x": part_shape}
            reader.indices, reader.entries = indices, {}
            reader.attributes = {**reader.attributes, "map": digest(indices)}
    b.drop(node)
    return True


def _part_of_weight(b: Builder, node: Node) -> bool:
    """A Linear with a slice of a packed weight is the part of the packed layer that has these outputs."""
    if node.kind != "linear" or "weight" not in node.attributes or node.rows is not None:
        return False
    found: dict[str, tuple[int, tuple[int, int]]] = {}
    for slot in ("weight", "bias"):
        move = b.producer.get(node.inputs.get(slot, -1))
        if slot not in node.inputs:
            continue
        if (
            move is None
            or move.kind != "move"
            or move.indices is None
            or not b.is_parameter(move.inputs["x"])
        ):
            return False
        shape = b.shapes[move.inputs["x"]]
        columns = slot == "weight" and node.attributes["weight"] == "in_out"
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
        node.inputs[slot], node.rows = value, rows
    return True


def _matrix(b: Builder, value: int) -> tuple[int, bool]:
    """(parameter, whether it is used transposed) behind a value, if that is all that stands between."""
    move = b.producer.get(value)
    if move is not None and move.kind == "move" and move.indices is not None:
        source = move.inputs["x"]
        if b.is_parameter(source) and transposes(move.indices, b.shapes[source]):
            return source, True
    return value, False


def _linear(b: Builder, node: Node) -> bool:
    """`x @ W`, `x @ W.T` and `addmm` with a parameter are Linear layers."""
    if node.kind == "addmm" and node.attributes.get("alpha", 1.0) in (None, 1.0):
        weight, turned = _matrix(b, node.inputs.get("y", -1))
        if b.is_parameter(weight) and node.attributes.get("beta", 1.0) in (None, 1.0):
            node.kind = "linear"
            _rename(node, "y", "weight")
            node.inputs["weight"] = weight
            node.attributes = {"weight": "out_in" if turned else "in_out"}
            return True
    if node.kind == "matmul" and "y" in node.inputs:
        weight = node.inputs["y"]
        weight, turned = _matrix(b, weight)
        layout = "out_in" if turned else "in_out"
        if b.is_parameter(weight) and len(b.shapes[weight]) == 2:
            node.kind = "linear"
            _rename(node, "y", "weight")
            node.inputs["weight"] = weight
            node.attributes = {"weight": layout}
            return True
    if node.kind == "linear" and "weight" not in node.attributes:
        node.attributes["weight"] = "in_out" if b.trace.framework == "paddle" else "out_in"
        weight, turned = _matrix(b, node.inputs.get("weight", -1))
        if turned:
            node.inputs["weight"] = weight
            node.attributes["weight"] = "out_in" if node.attributes["weight"] == "in_out" else "in_out"
        return True
    return False


def _rename(node: Node, old: str, new: str) -> None:
    def renamed(mapping: dict[str, Any]) -> dict[str, Any]:
        return {new if slot == old else slot: value for slot, value in mapping.items()}

    node.inputs, node.entries, node.shapes = renamed(node.inputs), renamed(node.entries), renamed(node.shapes)


def _short_dimensions(b: Builder, node: Node) -> bool:
    """A one-dimensional convolution or pool may run as a two-dimensional one of height 1."""
    shape = node.shapes.get("x", ())
    spatial = "padding" in node.attributes and isinstance(node.attributes.get("stride"), tuple)
    if node.kind not in ("conv", "max_pool", "avg_pool") or not spatial or len(shape) != 4 or shape[2] != 1:
        return False
    a = node.attributes
    kernel = a["kernel_size"] if "kernel_size" in a else node.shapes.get("weight", (0, 0, 0, 0))[2:]
    if len(a["stride"]) != 2 or not kernel or kernel[0] != 1 or any(a["padding"][0]):
        return False
    node.attributes = {
        key: value[1:] if isinstance(value, tuple) and len(value) == 2 else value for key, value in a.items()
    }
    node.shapes["x"] = (*shape[:2], *shape[3:])
    return True


def _pointwise(b: Builder, node: Node) -> bool:
    """A convolution of single pixels is a Linear over the channels, between a permutation and the way back."""
    if node.kind != "conv" or b.parameters.get(node.inputs.get("weight", -1)) not in b.pointwise:
        return False
    a, shape = node.attributes, node.shapes["x"]
    steps = all(step == 1 for step in a["stride"]) and not any(map(any, a["padding"]))
    if a["groups"] != 1 or not steps or any(size != 1 for size in b.shapes[node.inputs["weight"]][2:]):
        return False
    rank, out = len(shape), b.shapes[node.output]
    last, first = (0, *range(2, rank), 1), (0, rank - 1, *range(1, rank - 1))
    turned, made = tuple(shape[i] for i in last), (out[0], *out[2:], out[1])
    before = _turn(b, node, node.inputs["x"], shape, last, turned)
    before.entries = {"x": node.entries["x"]} if "x" in node.entries else {}
    layer = replace(
        node,
        kind="linear",
        inputs={**node.inputs, "x": before.output},
        output=b.fresh(made),
        attributes={"weight": "out_in"},
        op=-1,
        entries={slot: entry for slot, entry in node.entries.items() if slot != "x"},
        shapes={**node.shapes, "x": turned},
    )
    behind = _turn(b, node, layer.output, made, first, out)
    behind.output, behind.op = node.output, node.op
    for new in (before, layer, behind):
        b.insert_before(node, new)
    b.drop(node)
    b.producer[behind.output] = behind
    return True


def _turn(
    b: Builder, node: Node, value: int, shape: tuple[int, ...], perm: tuple[int, ...], turned: tuple[int, ...]
) -> Node:
    """A permutation that only the canonical form has, told as the doing of a node."""
    indices = index_map("permute", {"perm": perm}, shape, turned)
    assert indices is not None
    how = (("permute", f"permute({perm}) of shape {list(shape)}"),)
    attributes = {"map": digest(indices), "op": "permute", "how": how}
    return replace(
        node,
        kind="move",
        inputs={"x": value},
        output=b.fresh(turned),
        attributes=attributes,
        op=-1,
        entries={},
        shapes={"x": shape},
        indices=indices,
    )


def _bias(b: Builder, node: Node) -> bool:
    """A parameter added to a convolution's or Linear's result is its bias."""
    if node.kind != "add" or set(node.inputs) != {"x", "y"}:
        return False
    for data, other in (("x", "y"), ("y", "x")):
        first, value = b.producer.get(node.inputs[data]), node.inputs[other]
        if (
            first is None
            or first.kind not in ("conv", "conv_transpose", "linear")
            or not b.is_parameter(value)
        ):
            continue
        if "bias" in first.inputs or not b.only_use(first.output):
            continue
        shape = b.shapes[first.output]
        width = shape[-1] if first.kind == "linear" else shape[1]
        if count(b.shapes[value]) != width:
            continue
        first.inputs["bias"] = value
        first.shapes["bias"] = b.shapes[value]
        if other in node.entries:
            first.entries["bias"] = node.entries[other]
        b.absorb(first, node)
        return True
    return False


def _late_bias(b: Builder, node: Node) -> bool:
    """A parameter added to a sum of two Linears belongs to the one that has no bias."""
    if node.kind != "add" or set(node.inputs) != {"x", "y"}:
        return False
    for data, other in (("x", "y"), ("y", "x")):
        total, value = b.producer.get(node.inputs[data]), node.inputs[other]
        if total is None or total.kind != "add" or not b.is_parameter(value) or not b.only_use(total.output):
            continue
        for slot in ("y", "x"):
            layer = b.producer.get(total.inputs.get(slot, -1))
            if layer is None or layer.kind != "linear" or "bias" in layer.inputs:
                continue
            if not b.only_use(layer.output) or count(b.shapes[value]) != b.shapes[layer.output][-1]:
                continue
            layer.inputs["bias"], layer.shapes["bias"] = value, b.shapes[value]
            if other in node.entries:
                layer.entries["bias"] = node.entries[other]
            # With its bias, the Linear makes a value that no operator made.
            b.producer.pop(layer.output)
            layer.output, layer.op = b.fresh(b.shapes[layer.output]), -1
            b.producer[layer.output] = layer
            total.inputs[slot] = layer.output
            total.entries.pop(slot, None)
            b.absorb(total, node)
            return True
    return False


def count(shape: tuple[int, ...]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total


def _broadcast(b: Builder, node: Node) -> bool:
    """Arithmetic broadcasts by itself: an expand before it does nothing."""
    if node.kind not in ("add", "sub", "mul", "div", "maximum", "minimum"):
        return False
    for slot in ("x", "y"):
        move = b.producer.get(node.inputs.get(slot, -1))
        if move is None or move.kind != "move" or [op for op, _ in move.attributes["how"]] != ["expand"]:
            continue
        other = node.shapes.get("y" if slot == "x" else "x", ())
        if len(move.shapes["x"]) == len(other) and other == b.shapes[node.output]:
            node.inputs[slot], node.shapes[slot] = move.inputs["x"], move.shapes["x"]
            node.entries = {s: e for s, e in node.entries.items() if s != slot}
            return True
    return False


def _constant_bound(b: Builder, node: Node) -> bool:
    """The maximum (minimum) with a tensor of one known number is a clip."""
    if node.kind not in ("maximum", "minimum") or set(node.inputs) != {"x", "y"}:
        return False
    for data, bound in (("x", "y"), ("y", "x")):
        made = b.producer.get(node.inputs[bound])
        if made is not None and made.kind == "constant" and made.attributes.get("value") is not None:
            low = node.kind == "maximum"
            value = made.attributes["value"]
            node.kind = "clip"
            node.attributes = {"min": value if low else None, "max": None if low else value}
            keep = {data: "x"}
            node.inputs = {keep[s]: v for s, v in node.inputs.items() if s in keep}
            node.entries = {keep[s]: e for s, e in node.entries.items() if s in keep}
            node.shapes = {keep[s]: v for s, v in node.shapes.items() if s in keep}
            return True
    return False


def _equal_constants(b: Builder, node: Node) -> bool:
    """One number in one shape is one constant, however often it is made."""
    if node.kind != "constant" or node.attributes.get("value") is None:
        return False
    for other in b.nodes:
        if other is node:
            return False
        same = other.kind == "constant" and other.attributes.get("value") == node.attributes["value"]
        if same and b.shapes[other.output] == b.shapes[node.output]:
            b.remove(node, other.output)
            b.uses[other.output] += b.uses[node.output]
            return True
    return False


def _table(b: Builder, node: Node) -> bool:
    """Rows of a parameter picked by an index are an embedding."""
    picks = (
        (node.kind == "getitem" and node.attributes.get("slices") == ("advanced",), "item"),
        (
            node.kind == "index_select" and node.attributes.get("axis") == 0,
            "index",
        ),
    )
    for applies, slot in picks:
        if applies and set(node.inputs) == {"x", slot} and b.is_parameter(node.inputs["x"]):
            node.kind, node.attributes = "embedding", {"padding_idx": None}
            _rename(node, "x", "weight")
            _rename(node, slot, "x")
            return True
    return False


def _pad_before_conv(b: Builder, node: Node) -> bool:
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
    rank = len(node.shapes["x"])
    pads = [p for p, size in zip(a["pads"], pad.shapes["x"], strict=False)]
    if len(pads) > rank:
        pads = [p for p, size in zip(a["pads"], pad.shapes["x"], strict=True) if any(p) or size != 1][-rank:]
    if a["mode"] != "constant" or a["value"] != 0.0 or len(pads) != rank or any(pads[0]) or any(pads[1]):
        return False
    old = node.attributes["padding"]
    node.attributes["padding"] = tuple((p[0] + q[0], p[1] + q[1]) for p, q in zip(old, pads[2:], strict=True))
    node.inputs["x"], node.shapes["x"] = pad.inputs["x"], pad.shapes["x"]
    node.raw = (*pad.raw, *node.raw)
    node.decided["padding"] = pad.raw[-1]
    if "x" in pad.entries:
        node.entries["x"] = pad.entries["x"]
    b.drop(pad)
    return True


def _pad_rank(b: Builder, node: Node) -> bool:
    """Paddle pads images through a fifth dimension of size 1: drop it."""
    if node.kind != "pad":
        return False
    pads, shape = node.attributes["pads"], node.shapes["x"]
    keep = [i for i in range(len(shape)) if shape[i] != 1 or any(pads[i])]
    if node.attributes.get("squeezed") or len(pads) != len(shape):
        return False
    if len(shape) == 5 and shape[2] == 1 and not any(pads[2]):
        keep = [i for i in range(5) if i != 2]
        node.attributes = {**node.attributes, "pads": tuple(pads[i] for i in keep)}
        node.shapes["x"] = tuple(shape[i] for i in keep)
        return True
    return False


def _concats(b: Builder, node: Node) -> bool:
    """A stack is a concat along a new axis; a concat of a concat is one; of one tensor is none."""
    if node.kind == "stack":
        node.kind = "concat"
        return True
    if node.kind != "concat":
        return False
    if len(node.inputs) == 1:
        b.remove(node, next(iter(node.inputs.values())))
        return True
    for slot, value in list(node.inputs.items()):
        first = b.producer.get(value)
        if first is None or first.kind != "concat" or not b.only_use(value):
            continue
        if first.attributes != node.attributes or len(b.shapes[first.output]) != len(b.shapes[node.output]):
            continue
        merged: dict[str, tuple[int, tuple[int, str] | None, tuple[int, ...]]] = {}
        for s, v in node.inputs.items():
            source = first if s == slot else node
            for t, w in first.inputs.items() if s == slot else [(s, v)]:
                merged[f"x[{len(merged)}]"] = (w, source.entries.get(t), source.shapes[t])
        node.inputs = {s: m[0] for s, m in merged.items()}
        node.entries = {s: m[1] for s, m in merged.items() if m[1] is not None}
        node.shapes = {s: m[2] for s, m in merged.items()}
        node.raw = (*first.raw, *node.raw)
        b.drop(first)
        return True
    return False


def _matmul_scale(b: Builder, node: Node) -> bool:
    """A factor on either side of a matmul, or on its result, is the matmul's factor."""
    if node.kind == "matmul":
        for slot in ("x", "y"):
            scaled = b.producer.get(node.inputs.get(slot, -1))
            if scaled is not None and scaled.kind == "affine" and scaled.attributes["shift"] == 0.0:
                if not b.only_use(scaled.output):
                    continue
                node.attributes["scale"] = node.attributes.get("scale", 1.0) * scaled.attributes["scale"]
                node.decided["scale"] = scaled.raw[-1]
                node.inputs[slot] = scaled.inputs["x"]
                if "x" in scaled.entries:
                    node.entries[slot] = scaled.entries["x"]
                node.raw = (*scaled.raw, *node.raw)
                b.drop(scaled)
                return True
    if node.kind == "affine" and node.attributes["shift"] == 0.0:
        first = b.producer.get(node.inputs["x"])
        if first is not None and first.kind == "matmul" and b.only_use(first.output):
            first.attributes["scale"] = first.attributes.get("scale", 1.0) * node.attributes["scale"]
            first.decided["scale"] = node.raw[-1]
            b.absorb(first, node)
            return True
    return False


REWRITES: tuple[Rewrite, ...] = (
    turned_rows,
    normalized_axes,
    _scalar_arithmetic,
    _clip_is_relu,
    _redundant_relu,
    spatial_mean,
    reduced_axes,
    ordered_axis,
    first_of_sorted,
    _broadcast,
    _constant_bound,
    _equal_constants,
    _table,
    _moves,
    _scaled_before_moved,
    _linear,
    _bias,
    _pointwise,
    _late_bias,
    _merge_affine,
    _matmul_scale,
    written_out,
    _logistic,
    _blend,
    scale_and_shift,
    mean_of_sum,
    log_of_softmax,
    _pad_rank,
    _pad_before_conv,
    _concats,
    _short_dimensions,
    _sorted_rows,
    _part_of_weight,
    _packed,
)
"""Applied in turn until none changes anything."""
