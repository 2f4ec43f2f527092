"""Each rule of the canonical form on a few operators: what it makes of them, and that no other rule does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from parity.graph import build as building
from parity.graph.node import Graph
from parity.graph.rules.every import REWRITES
from tests.graph.written import Written, kinds

ALL = slice(None)


@dataclass(frozen=True)
class Example:
    """Operators, and what the graph is to have of them: kinds in order, and attributes of the last one."""

    write: Callable[[Written], tuple[int, ...]]
    kinds: list[str]
    attributes: Mapping[str, object] = field(default_factory=dict)
    slots: tuple[str, ...] = ()
    rows: list[tuple[int, int] | None] = field(default_factory=list)
    framework: str = "torch"
    pointwise: tuple[str, ...] = ()

    def graph(self) -> Graph:
        t = Written(self.framework)
        return t.graph(*self.write(t), pointwise=self.pointwise)

    def holds(self, graph: Graph) -> bool:
        if kinds(graph) != self.kinds:
            return False
        if not graph.nodes:
            return True
        last = graph.nodes[-1]
        told = {name: last.attributes.get(name) for name in self.attributes}
        rows = [node.rows for node in graph.nodes]
        return told == self.attributes and set(self.slots) <= set(last.inputs) and self.rows in ([], rows)


def channels_last_norm(t):
    x = t.input(2, 3, 4, 5)
    x = t("permute", x, to=(2, 4, 5, 3), perm=(0, 2, 3, 1))
    x = t("layer_norm", x, axes=(3,), eps=1e-5)
    return (t("permute", x, to=(2, 3, 4, 5), perm=(0, 3, 1, 2)),)


def sum_of_two_layers(t):
    x, h = t.input(2, 3), t.input(2, 4)
    first = t("linear", x, t.parameter("w", 5, 3), t.parameter("b", 5), to=(2, 5))
    second = t("linear", h, t.parameter("u", 5, 4), to=(2, 5))
    return (t("add", t("add", first, second), t.parameter("c", 5)),)


def packed_layer(t):
    whole = t("linear", t.input(2, 4), t.parameter("w", 6, 4), to=(2, 6))
    return t.several("split", whole, to=[(2, 2)] * 3, axis=1)


def sliced_weight(t):
    part = t("getitem", t.parameter("w", 6, 4), to=(2, 4), slices=((2, 4, 1), (0, 4, 1)))
    return (t("linear", t.input(2, 4), part, to=(2, 2)),)


def logistic(t):
    power = t("exp", t("mul", t.input(3), scalar_y=50.0))
    return (t("div", t("add", power, scalar_y=1.0), slots=("y",), scalar_x=1.0),)


def gate(t):
    share, new, old = t.input(3), t.input(3), t.input(3)
    rest = t("sub", share, slots=("y",), scalar_x=1.0)
    return (t("add", t("mul", share, new), t("mul", rest, old)),)


def padded_convolution(t):
    x = t.input(2, 3, 4, 4)
    pads = ((0, 0), (0, 0), (1, 1), (2, 2))
    x = t("pad", x, to=(2, 3, 6, 8), pads=pads, mode="constant", value=0.0)
    return (convolution(t, x, (5, 3, 3, 3), (2, 5, 4, 6)),)


def convolution(t, x, weight, to):
    flat = len(weight) - 2
    return t(
        "conv",
        x,
        t.parameter("w", *weight),
        to=to,
        stride=(1,) * flat,
        padding=((0, 0),) * flat,
        dilation=(1,) * flat,
        groups=1,
    )


def nested_concat(t):
    a, b, c = (t.input(2, 3) for _ in range(3))
    return (t("concat", t("concat", a, b, to=(2, 6), axis=1), c, to=(2, 9), axis=1),)


def two_constants(t):
    one, other = (t("constant", to=(2, 3), value=7.0) for _ in range(2))
    return (t("concat", one, t.input(2, 3), other, to=(2, 9), axis=1),)


EXAMPLES: Mapping[str, Example] = {
    "turned_rows": Example(channels_last_norm, ["layer_norm"], {"axes": (-3,)}),
    "normalized_axes": Example(
        lambda t: (t("layer_norm", t.input(2, 1, 4), axes=(1, 2)),), ["layer_norm"], {"axes": (-1,)}
    ),
    "scalar_arithmetic": Example(
        lambda t: (t("div", t.input(3), scalar_y=4.0),), ["affine"], {"scale": 0.25, "shift": 0.0}
    ),
    "scaled_dropout": Example(
        lambda t: (t("mul", t("dropout", t.input(3), p=0.25, mode="upscale_in_train", training=True), scalar_y=0.75),),
        ["dropout"],
        {"p": 0.25, "mode": "downscale_in_infer"},
    ),
    "clip_is_relu": Example(lambda t: (t("clip", t.input(3), min=0.0, max=None),), ["relu"]),
    "redundant_relu": Example(
        lambda t: (t("relu", t("mean", t("relu", t.input(2, 3)), to=(2,), axes=(1,))),), ["relu", "mean"]
    ),
    "spatial_mean": Example(
        lambda t: (t("adaptive_avg_pool", t.input(2, 3, 4, 4), to=(2, 3, 1, 1), output_size=(1, 1)),),
        ["mean"],
    ),
    "reduced_axes": Example(
        lambda t: (t("amax", t.input(2, 1, 3), to=(2, 1), axes=(2,)),), ["amax"], {"axes": (1,)}
    ),
    "ordered_axis": Example(
        lambda t: (t("topk", t.input(2, 1, 5), to=(2, 1, 3), axis=2, k=3),), ["topk"], {"axis": -1}
    ),
    "first_of_sorted": Example(
        lambda t: (
            t(
                "getitem",
                t("sort", t.input(2, 5), axis=1, descending=True),
                to=(2, 3),
                slices=((0, 2, 1), (0, 3, 1)),
            ),
        ),
        ["topk"],
        {"k": 3, "largest": True},
    ),
    "broadcast": Example(
        lambda t: (t("add", t.input(2, 3), t("expand", t.input(1, 3), to=(2, 3))),), ["add"]
    ),
    "constant_bound": Example(
        lambda t: (t("maximum", t.input(3), t("constant", to=(3,), value=0.5)),),
        ["clip"],
        {"min": 0.5, "max": None},
    ),
    "equal_constants": Example(two_constants, ["constant", "concat"]),
    "made_of_constants": Example(
        lambda t: (t("add", t.input(5), t("constant", *(t("constant", to=()) for _ in "012"), to=(5,), slots="xyz")),),
        ["constant", "add"],
    ),
    "table": Example(
        lambda t: (
            t(
                "getitem",
                t.parameter("w", 9, 4),
                t.input(2),
                to=(2, 4),
                slots=("x", "item"),
                slices=("advanced",),
            ),
        ),
        ["embedding"],
        slots=("x", "weight"),
    ),
    "merged_moves": Example(
        lambda t: (
            t("permute", t("permute", t.input(2, 3), to=(3, 2), perm=(1, 0)), to=(2, 3), perm=(1, 0)),
        ),
        [],
    ),
    "scaled_before_moved": Example(
        lambda t: (t("flip", t("mul", t.input(3), scalar_y=2.0), axes=(0,)),), ["move", "affine"]
    ),
    "linear": Example(
        lambda t: (t("matmul", t.input(2, 3), t.parameter("w", 3, 4), to=(2, 4)),),
        ["linear"],
    ),
    "bias": Example(
        lambda t: (
            t(
                "add",
                t("linear", t.input(2, 3), t.parameter("w", 4, 3), to=(2, 4)),
                t.parameter("b", 4),
            ),
        ),
        ["linear"],
        slots=("x", "weight", "bias"),
    ),
    "pointwise": Example(
        lambda t: (convolution(t, t.input(2, 3, 4, 4), (5, 3, 1, 1), (2, 5, 4, 4)),),
        ["move", "linear", "move"],
        pointwise=("w",),
    ),
    "late_bias": Example(sum_of_two_layers, ["linear", "linear", "add"]),
    "merge_affine": Example(
        lambda t: (t("add", t("mul", t.input(3), scalar_y=2.0), scalar_y=3.0),),
        ["affine"],
        {"scale": 2.0, "shift": 3.0},
    ),
    "matmul_scale": Example(
        lambda t: (t("matmul", t("mul", t.input(2, 3), scalar_y=0.5), t.input(3, 4), to=(2, 4)),),
        ["matmul"],
        {"scale": 0.5},
    ),
    "written_out": Example(
        lambda t: ((x := t.input(3)), t("mul", x, t("sigmoid", x)))[1:],
        ["silu"],
    ),
    "logistic": Example(logistic, ["affine", "sigmoid"]),
    "blend": Example(gate, ["blend"], slots=("x", "y", "share")),
    "scale_and_shift": Example(
        lambda t: (t("mul", t("layer_norm", t.input(2, 4), axes=(1,)), t.parameter("w", 4)),),
        ["layer_norm"],
        slots=("x", "weight"),
    ),
    "mean_of_sum": Example(
        lambda t: (t("div", t("sum", t.input(2, 4), to=(2,), axes=(1,)), scalar_y=4.0),), ["mean"]
    ),
    "log_of_softmax": Example(
        lambda t: (t("log", t("softmax", t.input(2, 4), axis=-1)),), ["log_softmax"], {"axis": -1}
    ),
    "pad_rank": Example(
        lambda t: (
            t(
                "pad",
                t.input(2, 3, 1, 4, 4),
                to=(2, 3, 1, 6, 6),
                pads=((0, 0), (0, 0), (0, 0), (1, 1), (1, 1)),
                mode="reflect",
                value=0.0,
            ),
        ),
        ["pad"],
        {"pads": ((0, 0), (0, 0), (1, 1), (1, 1))},
        framework="paddle",
    ),
    "pad_before_conv": Example(padded_convolution, ["conv"], {"padding": ((1, 1), (2, 2))}),
    "concats": Example(nested_concat, ["concat"], slots=("x[0]", "x[1]", "x[2]")),
    "short_dimensions": Example(
        lambda t: (convolution(t, t.input(2, 3, 1, 8), (5, 3, 1, 3), (2, 5, 1, 6)),),
        ["conv"],
        {"stride": (1,)},
    ),
    "sorted_rows": Example(
        lambda t: (
            t("linear", t("flip", t.input(4, 3), axes=(0,)), t.parameter("w", 5, 3), to=(4, 5)),
        ),
        ["linear", "move"],
    ),
    "part_of_weight": Example(sliced_weight, ["linear"], rows=[(2, 4)]),
    "packed": Example(packed_layer, ["linear"] * 3, rows=[(0, 2), (2, 4), (4, 6)]),
}  # fmt: skip
"""Rule -> operators that it alone brings into this form."""


def test_every_rule_has_an_example():
    assert set(EXAMPLES) == {rule.__name__ for rule in REWRITES}


@pytest.mark.parametrize("rule", EXAMPLES)
def test_a_rule_brings_its_example_into_form(rule):
    graph = EXAMPLES[rule].graph()
    assert EXAMPLES[rule].holds(graph), [(node.kind, node.attributes, node.rows) for node in graph.nodes]


@pytest.mark.parametrize("rule", EXAMPLES)
def test_without_the_rule_the_example_stays_as_it_was_written(rule, monkeypatch):
    monkeypatch.setattr(building, "REWRITES", [one for one in REWRITES if one.__name__ != rule])
    assert not EXAMPLES[rule].holds(EXAMPLES[rule].graph())


def test_a_normalization_by_hand_between_permutations_is_one_of_the_channels_too():
    def by_hand(t):
        x = t("permute", t.input(2, 3, 4, 5), to=(2, 4, 5, 3), perm=(0, 2, 3, 1))
        mean = t("mean", x, to=(2, 4, 5, 1), axes=(3,), keepdim=True)
        spread = t("var", x, to=(2, 4, 5, 1), axes=(3,), correction=0.0, keepdim=True)
        x = t("div", t("sub", x, mean), t("sqrt", t("add", spread, scalar_y=1e-5)))
        return (t("permute", x, to=(2, 3, 4, 5), perm=(0, 3, 1, 2)),)

    (node,) = Example(by_hand, ["layer_norm"]).graph().nodes
    (ready,) = EXAMPLES["turned_rows"].graph().nodes
    assert node.spelling.by_hand
    assert (node.kind, node.attributes["axes"]) == (ready.kind, ready.attributes["axes"])


def test_a_normalization_between_permutations_of_other_ranks_stays_where_it_is():
    def tokens(t):
        x = t("reshape", t.input(2, 3, 4, 5), to=(2, 3, 20))
        x = t("layer_norm", t("permute", x, to=(2, 20, 3), perm=(0, 2, 1)), axes=(2,), eps=1e-5)
        x = t("reshape", x, to=(2, 4, 5, 3))
        return (t("permute", x, to=(2, 3, 4, 5), perm=(0, 3, 1, 2)),)

    (*_, node) = [n for n in Example(tokens, ["layer_norm"]).graph().nodes if n.kind == "layer_norm"]
    assert node.attributes["axes"] == (-1,)
