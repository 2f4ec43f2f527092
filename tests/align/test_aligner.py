"""Which operator is which: what ties two operators together, and what is left where nothing does."""

from __future__ import annotations

import numpy as np
import pytest

from parity.align.aligner import _Aligner, align
from parity.align.alignment import Alignment
from parity.align.pipeline import prepare
from parity.align.weights import weight_pairs
from tests.graph.written import Written


def aligned(write_paddle, write_torch, names=None) -> Alignment:
    """Two graphs of hand-made traces, aligned."""
    graphs = []
    for framework, write in (("paddle", write_paddle), ("torch", write_torch)):
        t = Written(framework)
        graphs.append(t.graph(*write(t)))
    return align(*graphs, names or {})


def layer(t, x, name, inner=3, outer=3):
    weight = t.parameter(name, *((inner, outer) if t.trace.framework == "paddle" else (outer, inner)))
    return t("linear", x, weight, to=(2, outer), module=name)


def pairs(alignment):
    return [(pair.paddle.module, pair.torch.module) for pair in alignment.pairs]


def told(alignment):
    return [(pair.paddle.kind, pair.torch.kind) for pair in alignment.pairs]


def test_layers_are_paired_by_their_parameters_whatever_the_order():
    def two(*order):
        def write(t):
            x = t.input(2, 3)
            made = {name: layer(t, x, name) for name in order}
            return tuple(made[name] for name in sorted(made))

        return write

    alignment = aligned(two("a", "b"), two("b", "a"), {"a": "a", "b": "b"})
    assert pairs(alignment) == [("a", "a"), ("b", "b")]
    assert not alignment.edges
    assert not alignment.output_edges


def test_operators_without_weights_are_paired_by_what_feeds_them():
    def write(t):
        x = t.input(2, 3)
        return (t("sub", t("tanh", x), t("exp", x)),)

    assert told(aligned(write, write)) == [("tanh", "tanh"), ("exp", "exp"), ("sub", "sub")]


def test_the_two_sides_of_a_sum_are_told_apart_by_what_feeds_them():
    def write(first, second):
        def body(t):
            x = t.input(2, 3)
            return (t("add", t(first, x), t(second, x)),)

        return body

    alignment = aligned(write("tanh", "exp"), write("exp", "tanh"))
    assert alignment.pairs[-1].slots == {"x": "y", "y": "x"}
    assert not alignment.edges


def test_an_operator_that_only_torch_has_stands_on_the_edge_below_it():
    alignment = aligned(
        lambda t: (t("exp", t("tanh", t.input(3))),),
        lambda t: (t("exp", t("abs", t("tanh", t.input(3)))),),
    )
    assert told(alignment) == [("tanh", "tanh"), ("exp", "exp")]
    assert [node.kind for node in alignment.only_torch] == ["abs"]
    (edge,) = alignment.edges
    assert ([node.kind for node in edge.only_torch], edge.only_paddle) == (["abs"], ())


def test_two_kinds_in_one_place_are_a_substitution():
    alignment = aligned(
        lambda t: (t("exp", t("tanh", t.input(3))),), lambda t: (t("exp", t("abs", t.input(3))),)
    )
    assert told(alignment) == [("tanh", "abs"), ("exp", "exp")]
    assert [pair.substituted for pair in alignment.pairs] == [True, False]


def test_what_is_kept_apart_is_no_pair():
    t, p = Written(), Written("paddle")
    outputs = tuple(w("exp", w("tanh", w.input(3))) for w in (p, t))
    graphs = p.graph(outputs[0]), t.graph(outputs[1])
    free = align(*graphs, {})
    kept = align(*graphs, {}, {free.pairs[0].values})
    assert told(free) == [("tanh", "tanh"), ("exp", "exp")]
    assert told(kept) == [("exp", "exp")]


def test_the_uses_of_a_shared_layer_are_told_apart_by_what_they_take():
    def write(turned):
        def body(t):
            x = t.input(2, 3)
            weight = t.parameter("w", 3, 3)
            first, second = ("exp", "tanh") if turned else ("tanh", "exp")
            used = {kind: t("linear", t(kind, x), weight, to=(2, 3), module=kind) for kind in (first, second)}
            return used["tanh"], used["exp"]

        return body

    found = pairs(aligned(write(False), write(True), {"w": "w"}))
    assert sorted(pair for pair in found if pair[0]) == [("exp", "exp"), ("tanh", "tanh")]


def test_equal_weights_pair_layers_whose_names_tell_nothing():
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((3, 3)) for _ in range(2)]

    def write(framework, names):
        t = Written(framework)
        x = t.input(2, 3)
        return t.returns(*(layer(t, x, name) for name in names))

    alignment = prepare(
        write("paddle", ("a", "b")),
        write("torch", ("v", "u")),
        ({"a": arrays[0], "b": arrays[1]}, {"u": arrays[0].T, "v": arrays[1].T}),
    ).align()
    assert sorted(pairs(alignment)) == [("a", "u"), ("b", "v")]
    assert {pair.anchor for pair in alignment.pairs} == {"content"}


def test_equal_weights_pair_layers_that_run_several_times_whose_names_tell_nothing():
    arrays = {name: np.random.default_rng(ord(name)).standard_normal((3, 3)) for name in "ab"}

    def write(framework, names):
        """names: what each side calls the layer that holds a, and b; in that order they run."""
        t = Written(framework)
        x = t.input(2, 3)
        weights = {name: t.parameter(name, 3, 3) for name in names}
        for _ in range(2):
            made = {n: t("linear", x, w, to=(2, 3), module=n) for n, w in weights.items()}
            x = t("mul", *made.values())
        return t.returns(x)

    alignment = prepare(
        write("paddle", ("a", "b")),
        write("torch", ("v", "u")),
        (arrays, {"u": arrays["a"].T, "v": arrays["b"].T}),
    ).align()
    assert [pair for pair in pairs(alignment) if pair[0]] == [("a", "u"), ("b", "v")] * 2


@pytest.mark.parametrize("kind", ["add", "mul"])
def test_a_sum_in_another_order_is_one_operator_of_all_its_operands(kind):
    def write(framework, order):
        t = Written(framework)
        x = t.input(3)
        made = {name: t(name, x) for name in ("tanh", "exp", "abs")}
        first, second, third = (made[name] for name in order)
        return t.returns(t(kind, t(kind, first, second), third))

    traces = write("paddle", ("tanh", "exp", "abs")), write("torch", ("abs", "tanh", "exp"))
    alignment = prepare(*traces, ({}, {})).align()
    assert not alignment.edges
    assert not alignment.only_paddle + alignment.only_torch
    assert set(alignment.pairs[-1].slots) == {"x[0]", "x[1]", "x[2]"}


def test_a_norm_that_the_weights_hold_is_part_of_the_layer_before_it():
    rng = np.random.default_rng(0)
    weight, bias = rng.standard_normal((4, 3, 1, 1)), rng.standard_normal(4)
    mean, variance = rng.standard_normal(4), rng.uniform(0.5, 2.0, 4)
    convolution = {"stride": (1, 1), "padding": ((0, 0),) * 2, "dilation": (1, 1), "groups": 1}

    def write(framework):
        t = Written(framework)
        x = t.input(2, 3, 5, 5)
        x = t("conv", x, t.parameter("w", 4, 3, 1, 1), t.parameter("b", 4), to=(2, 4, 5, 5), **convolution)
        if framework == "paddle":
            statistics = t.parameter("mean", 4), t.parameter("variance", 4)
            slots = ("x", "mean", "variance")
            x = t("batch_norm", x, *statistics, to=(2, 4, 5, 5), slots=slots, training=False, eps=1e-5)
        return t.returns(t("tanh", x))

    def prepared(scale):
        folded = {"w": weight * scale[:, None, None, None], "b": (bias - mean) * scale}
        theirs = {"w": weight, "b": bias, "mean": mean, "variance": variance}
        return prepare(write("paddle"), write("torch"), (theirs, folded))

    scale = 1.0 / np.sqrt(variance + 1e-5)
    alignment = prepared(scale).align()
    assert [pair.folded for pair in alignment.pairs] == [(1e-05, 1e-05), None]
    assert not alignment.only_paddle
    assert weight_pairs(alignment) == []
    assert [node.kind for node in prepared(scale * 1.01).align().only_paddle] == ["batch_norm"]


def test_preparing_once_serves_every_alignment_alike():
    def write(framework):
        t = Written(framework)
        x = t.input(3)
        return t.returns(t("add", t("add", t("tanh", x), t("exp", x)), t("abs", x)))

    prepared = prepare(write("paddle"), write("torch"), ({}, {}))
    free = prepared.align()
    kept = prepared.align({free.pairs[0].values})
    assert told(prepared.align()) == told(free)
    assert len(kept.pairs) == len(free.pairs) - 1


def test_a_thousand_operators_on_one_value_are_looked_up_and_not_searched(monkeypatch):
    """Each has its own attribute, and torch runs them in another order."""
    asked = []
    best = _Aligner._best
    monkeypatch.setattr(_Aligner, "_best", lambda self, *given: asked.append(given) or best(self, *given))

    def scaled(order):
        def write(t):
            x = t.input(2, 3)
            made = {slope: t("leaky_relu", x, slope=slope) for slope in order}
            return tuple(made[slope] for slope in sorted(made))

        return write

    alignment = aligned(scaled(range(1, 1001)), scaled(range(1000, 0, -1)))
    assert len(alignment.pairs) == 1000
    assert all(pair.paddle.attributes == pair.torch.attributes for pair in alignment.pairs)
    assert not alignment.output_edges
    assert not asked


def test_boldly_a_sum_is_known_by_one_of_its_inputs_and_what_is_left_over_by_its_module():
    """torch adds before the activation, Paddle behind it."""

    def write(framework):
        t = Written(framework)
        x, y = t.input(3), t.input(3, name="y")
        theirs = framework == "paddle"
        activated = t("tanh", x) if theirs else x
        added = t("add", activated, y)
        return t.returns(t("abs", added if theirs else t("tanh", added)))

    prepared = prepare(write("paddle"), write("torch"), ({}, {}))
    assert {pair.torch.kind for pair in prepared.align().pairs} == {"abs"}
    bold = prepared.align(boldly=True)
    assert {(pair.paddle.kind, pair.torch.kind) for pair in bold.pairs} == {
        (k, k) for k in ("add", "tanh", "abs")
    }
