"""Rules of arithmetic: scalars, factors, bounds, gates."""

from __future__ import annotations

from dataclasses import replace

from parity.graph.builder import Builder
from parity.graph.formulas.pieces import expands
from parity.graph.node import Input, Node, Spelling, fed_through, joined
from parity.graph.rules.layers import rename
from parity.limits import FLOAT32_STEPS


def scalar_arithmetic(b: Builder, node: Node) -> bool:
    """`x * 2`, `x / 2`, `1 - x`, `-x`: one affine form; `x * x` is a square."""
    a = node.attributes
    if node.kind == "neg":
        node.kind, node.attributes = "affine", {"scale": -1.0, "shift": 0.0}
        return True
    if node.kind == "dropout" and not a["training"]:
        node.kind = "affine"
        node.attributes = {"scale": 1.0 - a["p"], "shift": 0.0}
        how = (("dropout", f"mode={a['mode']!r} in eval"),)
        node.spelling = Spelling(how=how, called="dropout")
        return True
    if node.kind == "mul" and set(node.takes) == {"x", "y"} and node.inputs["x"] == node.inputs["y"]:
        node.kind, node.attributes = "pow", {"exponent": 2.0}
        node.takes = {"x": node.takes["x"]}
        return True
    if node.kind not in ("add", "sub", "mul", "div"):
        return False
    for slot, scalar in (("x", a.get("scalar_y")), ("y", a.get("scalar_x"))):
        if scalar is None or slot not in node.takes:
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
        rename(node, slot, "x")
        return True
    return False


NOT_NEGATIVE = frozenset({"relu", "sigmoid", "softmax", "exp", "abs", "sqrt"})


PASSES_SIGN = frozenset(
    {"max_pool", "avg_pool", "adaptive_avg_pool", "adaptive_max_pool", "mean", "amax", "move", "dropout"}
)


def blend(b: Builder, node: Node) -> bool:
    """`(y - x) * s + x`, `s * y + (1 - s) * x`: what a gate makes of an old state and a new one."""
    if node.kind not in ("add", "sub") or set(node.takes) != {"x", "y"}:
        return False
    parts = _apart(b, node) if node.kind == "sub" else _apart(b, node) or _shares(b, node)
    if parts is None:
        return False
    takes = {slot: joined([owner.takes[old] for owner, old in uses]) for slot, uses in parts[0].items()}
    node.raw = tuple(sorted({number for inner in (*parts[1], node) for number in inner.raw}))
    node.kind, node.attributes, node.takes = "blend", {}, takes
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
        if product is None or set(product.takes) != {"x", "y"}:
            continue
        for gap_slot, share in (("x", "y"), ("y", "x")):
            gap = _inner(b, product.inputs[gap_slot], "sub")
            if gap is None or set(gap.takes) != {"x", "y"}:
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
        if new is None or old is None or not set(new.takes) == set(old.takes) == {"x", "y"}:
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


def redundant_relu(b: Builder, node: Node) -> bool:
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


def merge_affine(b: Builder, node: Node) -> bool:
    if node.kind != "affine":
        return False
    if node.attributes["scale"] == 1.0 and node.attributes["shift"] == 0.0:
        b.remove(node, node.inputs["x"])
        return True
    first = b.producer.get(node.inputs["x"])
    if first is None or first.kind != "affine" or not b.only_use(first.output) or node.spelling.called:
        return False
    s, t = node.attributes["scale"], node.attributes["shift"]
    first.attributes = {"scale": first.attributes["scale"] * s, "shift": first.attributes["shift"] * s + t}
    first.spelling = Spelling(negated=node.spelling.negated)
    b.absorb(first, node)
    return True


def scaled_dropout(b: Builder, node: Node) -> bool:
    """What a dropout keeps times the share that it keeps, before or behind it: Paddle's mode that does not scale in training."""
    above = b.producer.get(node.inputs.get("x", -1))
    if above is None or {above.kind, node.kind} != {"dropout", "affine"}:
        return False
    dropout, factor = (node, above) if node.kind == "dropout" else (above, node)
    first = dropout if factor is node else factor
    mode, kept = dropout.attributes.get("mode"), 1.0 - dropout.attributes["p"]
    if mode != "upscale_in_train" or not b.only_use(first.output) or factor.attributes["shift"] != 0.0:
        return False
    if abs(factor.attributes["scale"] - kept) > FLOAT32_STEPS * kept:
        return False
    dropout.attributes = {**dropout.attributes, "mode": "downscale_in_infer"}
    if first is dropout:
        b.absorb(dropout, factor)
    else:
        dropout.takes["x"] = fed_through(dropout.takes["x"], factor.takes["x"], shape=dropout.shape("x"))
        dropout.raw = (*factor.raw, *dropout.raw)
        b.drop(factor)
    return True


def logistic(b: Builder, node: Node) -> bool:
    """`1 / (1 + exp(v))` is the sigmoid of -v, whatever v is: a steep step, say, with a factor of its own."""
    if node.kind != "reciprocal" or node.attributes.get("numerator", 1.0) != 1.0:
        return False
    one = b.producer.get(node.inputs["x"])
    if one is None or one.kind != "affine" or one.spelling.called or not b.only_use(one.output):
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
        takes=dict(power.takes),
        output=b.fresh(shape),
        attributes={"scale": -1.0, "shift": 0.0},
        spelling=Spelling(negated=True),
        op=-1,
    )
    b.insert_before(node, turned)
    node.kind, node.attributes, node.spelling = "sigmoid", {}, Spelling(by_hand=True)
    node.takes = {"x": Input(turned.output, shape)}
    node.raw = (*power.raw, *one.raw, *node.raw)
    b.drop(one)
    b.drop(power)
    return True


def clip_is_relu(b: Builder, node: Node) -> bool:
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


def broadcast(b: Builder, node: Node) -> bool:
    """Arithmetic broadcasts by itself: an expand before it does nothing."""
    if node.kind not in ("add", "sub", "mul", "div", "maximum", "minimum"):
        return False
    for slot in ("x", "y"):
        move = b.producer.get(node.inputs.get(slot, -1))
        if move is None or move.kind != "move" or not expands(move):
            continue
        other, source = node.shape("y" if slot == "x" else "x"), move.takes["x"]
        if len(source.shape) == len(other) and other == b.shapes[node.output]:
            node.takes[slot] = source.inside()
            return True
    return False


def constant_bound(b: Builder, node: Node) -> bool:
    """The maximum (minimum) with a tensor of one known number is a clip."""
    if node.kind not in ("maximum", "minimum") or set(node.takes) != {"x", "y"}:
        return False
    for data, bound in (("x", "y"), ("y", "x")):
        made = b.producer.get(node.inputs[bound])
        if made is not None and made.kind == "constant" and made.attributes.get("value") is not None:
            low = node.kind == "maximum"
            value = made.attributes["value"]
            node.kind = "clip"
            node.attributes = {"min": value if low else None, "max": None if low else value}
            node.takes = {"x": node.takes[data]}
            return True
    return False


def equal_constants(b: Builder, node: Node) -> bool:
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


def made_of_constants(b: Builder, node: Node) -> bool:
    """What is made without an input is a constant, and so are the numbers that say from where to where it goes."""
    makers = [b.producer.get(value) for value in node.inputs.values()]
    if node.kind != "constant" or not makers or any(m is None or m.kind != "constant" for m in makers):
        return False
    node.takes = {}
    return True


def matmul_scale(b: Builder, node: Node) -> bool:
    """A factor on either side of a matmul, or on its result, is the matmul's factor."""
    if node.kind == "matmul":
        for slot in ("x", "y"):
            scaled = b.producer.get(node.inputs.get(slot, -1))
            if scaled is not None and scaled.kind == "affine" and scaled.attributes["shift"] == 0.0:
                if not b.only_use(scaled.output):
                    continue
                node.attributes["scale"] = node.attributes.get("scale", 1.0) * scaled.attributes["scale"]
                node.decided["scale"] = scaled.raw[-1]
                node.takes[slot] = fed_through(node.takes[slot], scaled.takes["x"], shape=node.shape(slot))
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
