"""The graph: what is dead, what is another name of the same numbers, and the ways up to where numbers come from."""

from __future__ import annotations

from tests.graph.written import Written, kinds


def test_what_no_output_is_made_of_is_left_out():
    t = Written()
    x = t.input(3)
    t("tanh", x)
    assert kinds(t.graph(t("exp", x))) == ["exp"]


def test_a_reshape_and_a_dropout_in_eval_are_other_names_of_their_input():
    t = Written()
    x = t.input(2, 3)
    same = t("dropout", t("reshape", x, to=(6,)), p=0.5, training=False, mode="upscale_in_train")
    graph = t.graph(same)
    assert graph.nodes == []
    assert graph.outputs == {"output[0]": x}
    assert [silent.kind for silent in graph.silent] == ["dropout"]


def test_the_chain_above_a_value_ends_where_several_values_enter_or_it_is_told_to():
    t = Written()
    total = t("add", t.input(2, 3), t.input(2, 3))
    end = t("exp", t("flip", t("tanh", total), axes=(0,)))
    graph = t.graph(end)
    assert [node.kind for node in graph.chain(end, lambda node: True)] == ["exp", "move", "tanh"]
    assert graph.source(end, lambda node: True) == total
    assert graph.producer[graph.source(end, lambda node: node.kind != "tanh")].kind == "tanh"
    assert graph.source(total, lambda node: True) == total


def test_a_weight_does_not_end_a_chain():
    t = Written()
    x = t.input(2, 3)
    end = t("linear", x, t.parameter("w", 4, 3), to=(2, 4))
    assert t.graph(end).source(end, lambda node: True) == x


def test_everything_above_a_value_comes_in_order_and_stops_where_it_is_told():
    t = Written()
    x = t.input(3)
    left, right = t("tanh", t("exp", x)), t("abs", x)
    end = t("sub", left, right)
    graph = t.graph(end)
    assert [node.kind for node in graph.above([end], lambda node: True)] == ["exp", "tanh", "abs", "sub"]
    assert [node.kind for node in graph.above([end], lambda node: node.kind != "tanh")] == ["abs", "sub"]


def test_a_sum_knows_the_parameter_that_it_takes_in_whatever_shape():
    t = Written()
    table = t("permute", t.parameter("positions", 4, 3), to=(3, 4), perm=(1, 0))
    (node,) = (node for node in t.graph(t("add", t.input(3, 4), table)).nodes if node.kind == "add")
    assert node.owned == "positions"
    assert not node.computed


def test_a_weight_that_the_model_computes_counts_as_data():
    t = Written()
    weight = t("tanh", t.parameter("w", 4, 3))
    (node,) = (n for n in t.graph(t("linear", t.input(2, 3), weight, to=(2, 4))).nodes if n.kind == "linear")
    assert node.computed == {"weight"}
    assert set(node.data) == {"x", "weight"}
