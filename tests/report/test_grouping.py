"""A line that runs for many layers and errs in each of them is one finding."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import paddle
import pytest
import torch

import parity
from parity.results.finding import Finding, Shows, Subject
from parity.results.grouping import distinct, merged, mistakes
from tests.parity.pairs import fill, load_what_fits

DEPTH = 16


def _nets(eps):
    class PaddleBlock(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.fc = paddle.nn.Linear(4, 4)
            self.norm = paddle.nn.LayerNorm(4)

        def forward(self, x):
            return x + paddle.nn.functional.gelu(self.norm(self.fc(x)))

    class TorchBlock(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = torch.nn.Linear(4, 4)
            self.norm = torch.nn.LayerNorm(4, eps=eps)

        def forward(self, x):
            return x + torch.nn.functional.gelu(self.norm(self.fc(x)), approximate="tanh")

    class PaddleNet(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.blocks = paddle.nn.Sequential(*[PaddleBlock() for _ in range(DEPTH)])

        def forward(self, x):
            return self.blocks(x)

    class TorchNet(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = torch.nn.Sequential(*[TorchBlock() for _ in range(DEPTH)])

        def forward(self, x):
            return self.blocks(x)

    return PaddleNet(), TorchNet()


@pytest.fixture(scope="module")
def report():
    paddle_net, torch_net = _nets(eps=1e-6)
    x = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    fill(paddle_net, x)
    load_what_fits(paddle_net, torch_net)
    return parity.check(paddle_net, torch_net, x, further=False)


def test_a_block_that_is_used_many_times_gives_one_finding_a_line(report):
    norm, gelu = report.findings
    assert norm.layers == tuple(f"blocks.{i}.norm" for i in range(DEPTH))
    assert gelu.layers == tuple(f"blocks.{i}" for i in range(DEPTH))
    assert "eps" in norm.cause
    assert "approximate" in gelu.cause
    assert "`blocks.0.norm` and 15 more layers" in str(norm)


def test_every_layer_of_a_finding_is_in_the_files(report):
    (norm, _) = json.loads(json.dumps(report.to_json()))["findings"]
    assert [one["layer"] for one in norm["also"]] == [f"blocks.{i}.norm" for i in range(1, DEPTH)]
    assert all(one["evidence"] for one in norm["also"])
    page, junit = report.to_html(), report.to_junit()
    assert all(f"blocks.{i}.norm</code>" in page for i in range(DEPTH))
    assert junit.count("<failure") == 2 * DEPTH + 1


def _finding(layer, subject, paddle, torch, attribute="", where="net.py:3"):
    values = {"paddle": paddle, "torch": torch}
    return Finding(
        layer, "Conv2d", where, "cause", "fix", {"a": 1}, subject=subject, attribute=attribute, values=values
    )


def test_two_faults_of_one_line_stay_two():
    strides = [
        _finding("a.0", Subject.ATTRIBUTE, 1, 2, "stride"),
        _finding("a.1", Subject.ATTRIBUTE, 2, 1, "stride"),
    ]
    sources = [
        _finding("a.0", Subject.WIRING, "`a.0.z`", "`a.0.x`"),
        _finding("a.0", Subject.WIRING, "`a.0.z`", "`a.0.y`"),
    ]
    weights = [
        _finding("a", Subject.WEIGHT, "a.conv1", "never loaded", "a.conv1"),
        _finding("a", Subject.WEIGHT, "a.conv2", "never loaded", "a.conv2"),
    ]
    assert [len(mistakes(pair)) for pair in (strides, sources, weights)] == [2, 2, 2]


def test_a_line_that_runs_for_several_layers_errs_once_whatever_stands_around_it():
    sums = [
        _finding("a.0", Subject.MISSING, "relu", None),
        _finding("a.0", Subject.MISSING, "add", None),
        _finding("a.1", Subject.MISSING, "conv -> relu", None),
        _finding("a.1", Subject.MISSING, "conv -> add", None),
        _finding("b.conv", Subject.MISSING, "tanh", None),
    ]
    assert [[f.layer for f in group] for group in mistakes(sums)] == [
        ["a.0", "a.1", "a.0", "a.1"],
        ["b.conv"],
    ]


def test_a_line_that_runs_twice_for_a_layer_errs_once_and_its_fix_tells_both():
    halves = [
        replace(_finding("a", Subject.ORDER, f"[{i}::2]", f"[{i}:4]"), fix=f"slice [{i}::2]") for i in (0, 1)
    ]
    (group,) = mistakes(halves)
    assert merged(group).fix == "slice [0::2]; slice [1::2]"
    assert merged(group).layers == ("a",)
    assert str(merged(group)) == "Conv2d `a` (net.py:3): cause"
    assert len(mistakes([halves[0], replace(halves[1], operator="pad")])) == 2
    assert len(mistakes([halves[0], replace(halves[1], layer="b")])) == 1
    assert len(mistakes([halves[0], replace(halves[1], where="net.py:4")])) == 2


def test_what_is_done_at_another_place_is_one_mistake():
    extra = replace(_finding("a", Subject.EXTRA, None, "add"), fix="remove it")
    missing = replace(_finding("a", Subject.MISSING, "add", None), where_paddle="pd.py:4", fix="add it")
    (group,) = mistakes([extra, missing])
    assert merged(group).fix == "remove it; add it"
    assert len(mistakes([extra, replace(missing, operator="relu")])) == 2
    assert len(mistakes([extra, replace(missing, where="net.py:9")])) == 2


def test_a_setting_or_an_activation_of_a_whole_network_is_one_mistake_whatever_lines_have_it():
    def lines(subject, attribute, *values):
        return [
            _finding(f"a{i}", subject, 1, value, attribute, where=f"net.py:{i}")
            for i, value in enumerate(values)
        ]

    assert len(mistakes(lines(Subject.ATTRIBUTE, "eps", 2, 2, 3))) == 2
    assert len(mistakes(lines(Subject.ATTRIBUTE, "stride", 2, 2))) == 2
    assert len(mistakes(lines(Subject.SUBSTITUTED, "", "ReLU", "ReLU"))) == 1
    assert len(mistakes(lines(Subject.GRADIENT, "trainable", False, False))) == 1
    assert len(mistakes(lines(Subject.GRADIENT, "detach", False, False))) == 2


def _held(name, paddle, torch, where):
    layer = name.rpartition(".")[0]
    return _finding(layer, Subject.WEIGHT, paddle, torch, name, where)


def test_layers_whose_weights_are_in_each_others_place_are_one_mistake():
    exchanged = [
        _held(f"{a}.{leaf}", f"{a}.{leaf}", f"{b}.{leaf}", f"net.py:{line}")
        for line, (a, b) in enumerate((("x.bn1", "x.bn2"), ("x.bn2", "x.bn1")))
        for leaf in ("weight", "bias")
    ]
    blocks = [
        _held(f"b.{i}.{p}.weight", f"b.{i}.{p}.weight", f"b.{1 - i}.{p}.weight", f"net.py:{line}")
        for i in (0, 1)
        for line, p in ((7, "conv"), (8, "norm"))
    ]
    copied = [_held("c.weight", "c.weight", "d.weight", "net.py:9")]
    assert [len(group) for group in mistakes([*exchanged, *blocks, *copied])] == [4, 4, 1]


def test_what_was_never_loaded_for_a_layer_is_one_mistake_and_two_layers_are_two():
    unmade = [_held(f"{a}.{leaf}", f"{a}.{leaf}", what, f"net.py:{a}") for a in "ab" for leaf, what in LOADED]
    assert [[f.layer for f in group] for group in mistakes(unmade)] == [["a", "a"], ["b", "b"]]
    turned = _held("a.weight", "a.weight", "transposed", "net.py:a")
    assert len(mistakes([turned, unmade[1]])) == 2


def test_what_one_line_does_too_much_before_one_input_and_otherwise_before_another_is_one_mistake():
    extra = _finding("", Subject.EXTRA, None, "normalize", where="net.py:3")
    computed = _finding("", Subject.COMPUTED, "Linear", "normalize", where="net.py:3")
    assert len(mistakes([computed, extra])) == 1
    assert len(mistakes([computed, replace(extra, where="net.py:4")])) == 2
    assert len(mistakes([computed, replace(extra, operator="another")])) == 2


def test_a_bias_that_was_added_to_another_is_one_mistake_with_it():
    summed = _held("x2h.bias", "rnn.bias_ih", "the sum with rnn.bias_hh", "net.py:1")
    gone = _held("h2h.bias", "rnn.bias_hh", "all 0", "net.py:2")
    other = _held("fc.bias", "fc.bias", "all 0", "net.py:3")
    assert [len(group) for group in mistakes([summed, gone, other])] == [2, 1]


LOADED = (("weight", "unrelated"), ("bias", "all 0"))


def test_what_is_missing_is_known_by_the_line_that_paddle_has_it_on():
    first, second = (
        replace(
            _finding(f"a.{i}", Subject.MISSING, "relu", None, where=f"net.py:{i + 1}"), where_paddle="pd.py:3"
        )
        for i in range(2)
    )
    assert len(mistakes([first, second])) == 1
    assert len(mistakes([first, replace(second, where_paddle="pd.py:4")])) == 2


def test_what_names_the_layer_itself_or_its_shapes_does_not_part_findings():
    sources = [
        _finding("low.conv", Subject.WIRING, "Conv2d `low.norm`", "slice of shape [2, 4] of `low.x`"),
        _finding("high.conv", Subject.WIRING, "Conv2d `high.norm`", "slice of shape [2, 8] of `high.x`"),
    ]
    shapes = [
        _finding("a", Subject.UNEXPLAINED, [2, 4], [4, 2], "shape"),
        _finding("b", Subject.UNEXPLAINED, [2, 8], [8, 2], "shape"),
    ]
    weights = [
        _finding("a.0.conv", Subject.WEIGHT, "a.0.conv.weight", "unrelated", "a.0.conv.weight"),
        _finding("a.1.conv", Subject.WEIGHT, "a.1.conv.weight", "unrelated", "a.1.conv.weight"),
    ]
    assert [len(mistakes(pair)) for pair in (sources, shapes, weights)] == [1, 1, 1]


def test_findings_without_a_line_are_not_put_together():
    alone = [_finding(layer, Subject.ATTRIBUTE, 1, 2, "stride", where="") for layer in "ab"]
    assert len(mistakes(alone)) == 2


def test_a_fault_that_two_inputs_show_is_told_once_as_the_one_that_shows_it_in_numbers():
    seen = _finding("a", Subject.ATTRIBUTE, 1e-5, 1e-3, "eps")
    silent = replace(seen, shows=Shows.NOTHING, cause="another sentence")
    assert distinct([silent, seen]) == distinct([seen, silent]) == [seen]
    assert len(distinct([seen, replace(seen, where="net.py:4")])) == 2
