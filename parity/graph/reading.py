"""Recorded operators, read into canonical nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from parity.graph import recurrent
from parity.graph.builder import Builder
from parity.graph.moves import index_map
from parity.graph.node import Input, Node, Silent, Spelling
from parity.ops.kinds import RECURRENT, SECOND
from parity.trace.trace import Op


def read(b: Builder, op: Op) -> None:
    """Add the nodes of one recorded operator, or make its output another name of its input."""
    if op.index in b.read_already:
        return
    takes = {
        slot: Input(b.resolve(value), b.shapes[value], ((op.index, slot),))
        for slot, value in op.inputs.items()
    }
    attributes = dict(op.attributes)
    first = next((taken.value for taken in takes.values()), None)
    if op.kind in ("identity", "reshape") or (op.kind == "dropout" and _inactive(attributes)):
        if first is not None:
            b.alias[op.outputs[0]] = first
            silent = {"detached": "detach", "narrow": "cast"}
            kind = next((name for key, name in silent.items() if attributes.get(key)), op.kind)
            if kind in ("dropout", "detach", "cast"):
                b.silent.append(Silent(kind, first, attributes, op.module, op.line))
        return
    if op.kind in ("split", "unbind"):
        _read_split(b, op, takes["x"])
        return
    if op.kind in RECURRENT:
        recurrent.read(b, op, takes)
        return
    if op.kind in recurrent.CELLS and len(takes["x"].shape) == 2:
        recurrent.read_cell(b, op, takes)
        return
    if op.kind in ("var_mean", "std_mean"):
        _read_moments(b, op, takes)
        return
    if op.kind == "attention":
        _read_attention(b, op, takes)
        return
    if op.kind == "expand":
        # Another tensor may say the shape (`expand_as`); only the first one's numbers are used.
        takes = {"x": takes["x"]}
    if list(takes) == ["x"]:
        x = takes["x"]
        indices = index_map(op.kind, attributes, x.shape, b.shapes[op.outputs[0]])
        if indices is not None:
            b.move(op, x.value, x.shape, op.outputs[0], indices, op.kind, attributes)
            return
    if op.kind == "constant" and attributes.get("value") is not None:
        # Made like another tensor, it takes no number from it.
        takes = {}
    if op.kind == "matmul":
        _unfold_transposes(b, op, takes, attributes)
    given = {name: attributes.pop(name, "") for name in ("arguments", "keepdim", "shape", "layout")}
    node = Node(
        kind=op.kind,
        takes=takes,
        output=op.outputs[0],
        attributes=attributes,
        op=op.index,
        raw=(op.index,),
        module=op.module,
        line=op.line,
        name=op.name,
        spelling=Spelling(layout=str(given["layout"]), arguments=str(given["arguments"])),
    )
    b.add(node)
    # A second output (indices of a max, ...) is a value of its own.
    for extra in op.outputs[1:]:
        if op.kind not in ("batch_norm", "instance_norm", "layer_norm", "group_norm"):
            kind = SECOND.get(op.kind, f"{op.kind}.extra")
            b.nodes.append(replace(node, kind=kind, output=extra, takes=dict(takes)))


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


def _unfold_transposes(b: Builder, op: Op, takes: dict[str, Input], attributes: dict[str, Any]) -> None:
    """A matmul that transposes by flag is a move before a plain matmul."""
    for slot in ("x", "y"):
        if attributes.pop(f"transpose_{slot}", False):
            output, turned = _swap_last(b, op, takes[slot].value, takes[slot].shape, slot)
            takes[slot] = replace(takes[slot], value=output, shape=turned)


def _read_split(b: Builder, op: Op, x: Input) -> None:
    axis, shape = op.attributes["axis"], x.shape
    start = 0
    for i, output in enumerate(op.outputs):
        width = 1 if op.kind == "unbind" else b.shapes[output][axis]
        entry: Any = i if op.kind == "unbind" else (start, start + width, 1)
        start += width
        attributes = {"slices": tuple(entry if d == axis else (0, n, 1) for d, n in enumerate(shape))}
        indices = index_map("getitem", attributes, shape, b.shapes[output])
        assert indices is not None
        b.move(op, x.value, shape, output, indices, "getitem", attributes, real=i == 0)


def _read_moments(b: Builder, op: Op, takes: dict[str, Input]) -> None:
    """A variance (or deviation) and a mean in one call."""
    axes = {"axes": op.attributes["axes"]}
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
                dict(takes),
                output,
                attributes,
                number,
                (op.index,),
                op.module,
                op.line,
                op.name,
            )
        )


def _read_attention(b: Builder, op: Op, takes: dict[str, Input]) -> None:
    """Scaled dot-product attention, spelled out."""
    query, key, value = takes["x"], takes["key"], takes["value"]
    shape = (*query.shape[:-1], key.shape[-2])

    def add(kind: str, x: Input, y: Input | None, attributes: dict[str, Any], *, last: bool = False) -> Input:
        output = op.outputs[0] if last else b.fresh(shape)
        inputs = {"x": x} if y is None else {"x": x, "y": y}
        number = op.index if last else -1
        b.add(Node(kind, inputs, output, attributes, number, (op.index,), op.module, op.line, op.name))
        return Input(output, shape)

    scores = add("matmul", query, Input(*_swap_last(b, op, key.value, key.shape, "key")), {})
    scores = add("affine", scores, None, {"scale": op.attributes["scale"], "shift": 0.0})
    if "mask" in takes:
        scores = add("add", scores, takes["mask"], {})
    if op.attributes["causal"]:
        scores = add("causal_mask", scores, None, {})
    shares = add("softmax", scores, None, {"axis": -1})
    if op.attributes["p"]:
        rate = {"p": op.attributes["p"], "training": True, "mode": "upscale_in_train", "channels": False}
        shares = add("dropout", shares, None, rate)
    add("matmul", shares, value, {}, last=True)


def _inactive(attributes: Mapping[str, Any]) -> bool:
    """A dropout that passes its input through unchanged."""
    if attributes["p"] == 0:
        return True
    return not attributes["training"] and attributes["mode"] != "downscale_in_infer"
