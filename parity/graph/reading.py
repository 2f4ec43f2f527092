"""Recorded operators, read into canonical nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from parity.graph import recurrent
from parity.graph.builder import Builder
from parity.graph.moves import index_map
from parity.graph.node import Node, Silent
from parity.ops.kinds import RECURRENT, SECOND
from parity.trace.trace import Op


def read(b: Builder, op: Op) -> None:
    """Add the nodes of one recorded operator, or make its output another name of its input."""
    if op.index in b.read_already:
        return
    inputs = {slot: b.resolve(value) for slot, value in op.inputs.items()}
    raw_shapes = {slot: b.shapes[value] for slot, value in op.inputs.items()}
    attributes = dict(op.attributes)
    first = next(iter(inputs.values()), None)
    if op.kind in ("identity", "reshape") or (op.kind == "dropout" and _inactive(attributes)):
        if first is not None:
            b.alias[op.outputs[0]] = first
            silent = {"detached": "detach", "narrow": "cast"}
            kind = next((name for key, name in silent.items() if attributes.get(key)), op.kind)
            if kind in ("dropout", "detach", "cast"):
                b.silent.append(Silent(kind, first, attributes, op.module, op.line))
        return
    if op.kind in ("split", "unbind"):
        _read_split(b, op, inputs, raw_shapes)
        return
    if op.kind in RECURRENT:
        recurrent.read(b, op, inputs, raw_shapes)
        return
    if op.kind in recurrent.CELLS and len(raw_shapes["x"]) == 2:
        recurrent.read_cell(b, op, inputs)
        return
    if op.kind in ("var_mean", "std_mean"):
        _read_moments(b, op, inputs, raw_shapes)
        return
    if op.kind == "attention":
        _read_attention(b, op, inputs, raw_shapes)
        return
    if op.kind == "expand":
        # Another tensor may say the shape (`expand_as`); only the first one's numbers are used.
        inputs = {"x": inputs["x"]}
    if list(inputs) == ["x"]:
        indices = index_map(op.kind, attributes, raw_shapes["x"], b.shapes[op.outputs[0]])
        if indices is not None:
            b.move(op, inputs["x"], raw_shapes["x"], op.outputs[0], indices, op.kind, attributes)
            return
    if op.kind == "constant" and attributes.get("value") is not None:
        # Made like another tensor, it takes no number from it.
        inputs = {}
    if op.kind == "matmul":
        _unfold_transposes(b, op, inputs, raw_shapes, attributes)
    node = Node(
        kind=op.kind,
        inputs=inputs,
        output=op.outputs[0],
        attributes=attributes,
        op=op.index,
        raw=(op.index,),
        entries={slot: (op.index, slot) for slot in inputs},
        shapes=raw_shapes,
        module=op.module,
        line=op.line,
        name=op.name,
    )
    b.add(node)
    # A second output (indices of a max, ...) is a value of its own.
    for extra in op.outputs[1:]:
        if op.kind not in ("batch_norm", "instance_norm", "layer_norm", "group_norm"):
            kind = SECOND.get(op.kind, f"{op.kind}.extra")
            b.nodes.append(replace(node, kind=kind, output=extra, inputs=dict(inputs)))


def _swap_last(
    b: Builder, op: Op, value: int, shape: tuple[int, ...], slot: str
) -> tuple[int, tuple[int, ...]]:
    """The value with its last two dimensions exchanged, as a move of the canonical form alone."""
    rank = len(shape)
    perm = (*range(rank - 2), rank - 1, rank - 2)
    turned = tuple(shape[i] for i in perm)
    output = b.fresh(turned)
    indices = index_map("permute", {"perm": perm}, shape, turned)
    assert indices is not None
    b.move(op, value, shape, output, indices, "permute", {"perm": perm}, real=False, slot=slot)
    return output, turned


def _unfold_transposes(
    b: Builder, op: Op, inputs: dict[str, int], shapes: dict[str, tuple[int, ...]], attributes: dict[str, Any]
) -> None:
    """A matmul that transposes by flag is a move before a plain matmul."""
    for slot in ("x", "y"):
        if attributes.pop(f"transpose_{slot}", False):
            inputs[slot], shapes[slot] = _swap_last(b, op, inputs[slot], shapes[slot], slot)


def _read_split(b: Builder, op: Op, inputs: dict[str, int], shapes: dict[str, tuple[int, ...]]) -> None:
    axis, shape = op.attributes["axis"], shapes["x"]
    start = 0
    for i, output in enumerate(op.outputs):
        width = 1 if op.kind == "unbind" else b.shapes[output][axis]
        entry: Any = i if op.kind == "unbind" else (start, start + width, 1)
        start += width
        attributes = {"slices": tuple(entry if d == axis else (0, n, 1) for d, n in enumerate(shape))}
        indices = index_map("getitem", attributes, shape, b.shapes[output])
        assert indices is not None
        b.move(op, inputs["x"], shape, output, indices, "getitem", attributes, real=i == 0)


def _read_moments(b: Builder, op: Op, inputs: dict[str, int], shapes: dict[str, tuple[int, ...]]) -> None:
    """A variance (or deviation) and a mean in one call."""
    axes = {"axes": op.attributes["axes"]}
    entries = {"x": (op.index, "x")}
    for kind, output, attributes in (
        (
            op.kind.removesuffix("_mean"),
            op.outputs[0],
            {**axes, "correction": op.attributes["correction"]},
        ),
        ("mean", op.outputs[1], axes),
    ):
        number = op.index if output == op.outputs[0] else -1
        b.add(
            Node(
                kind,
                dict(inputs),
                output,
                attributes,
                number,
                (op.index,),
                dict(entries),
                dict(shapes),
                op.module,
                op.line,
                op.name,
            )
        )


def _read_attention(b: Builder, op: Op, inputs: dict[str, int], shapes: dict[str, tuple[int, ...]]) -> None:
    """Scaled dot-product attention, spelled out."""
    q, k, v = shapes["x"], shapes["key"], shapes["value"]
    scores = (*q[:-1], k[-2])

    def node(
        kind: str,
        ins: dict[str, int],
        attributes: dict[str, Any],
        entries: dict[str, tuple[int, str]],
        in_shapes: dict[str, tuple[int, ...]],
    ) -> int:
        output = b.fresh(scores)
        b.add(
            Node(
                kind,
                ins,
                output,
                attributes,
                -1,
                (op.index,),
                entries,
                in_shapes,
                op.module,
                op.line,
                op.name,
            )
        )
        return output

    kt, turned = _swap_last(b, op, inputs["key"], k, "key")
    s = node("matmul", {"x": inputs["x"], "y": kt}, {}, {"x": (op.index, "x")}, {"x": q, "y": turned})
    s = node("affine", {"x": s}, {"scale": op.attributes["scale"], "shift": 0.0}, {}, {"x": scores})
    if "mask" in inputs:
        s = node(
            "add",
            {"x": s, "y": inputs["mask"]},
            {},
            {"y": (op.index, "mask")},
            {"x": scores, "y": shapes["mask"]},
        )
    if op.attributes["causal"]:
        s = node("causal_mask", {"x": s}, {}, {}, {"x": scores})
    s = node("softmax", {"x": s}, {"axis": -1}, {}, {"x": scores})
    if op.attributes["p"]:
        rate = {"p": op.attributes["p"], "training": True, "mode": "upscale_in_train", "channels": False}
        s = node("dropout", {"x": s}, rate, {}, {"x": scores})
    b.add(
        Node(
            "matmul",
            {"x": s, "y": inputs["value"]},
            op.outputs[0],
            {},
            op.index,
            (op.index,),
            {"y": (op.index, "value")},
            {"x": scores, "y": v},
            op.module,
            op.line,
            op.name,
        )
    )


def _inactive(attributes: Mapping[str, Any]) -> bool:
    """A dropout that passes its input through unchanged."""
    if attributes["p"] == 0:
        return True
    return not attributes["training"] and attributes["mode"] != "downscale_in_infer"
