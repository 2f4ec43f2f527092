"""A line that runs for many layers and errs in each of them is one finding."""

from __future__ import annotations

import json

import numpy as np
import paddle
import pytest
import torch

import parity
from parity.results.finding import Finding
from parity.results.grouping import by_line
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


def _finding(layer, cause, where="net.py:3"):
    return Finding(layer, "Conv2d", where, cause, "fix", {"a": 1})


def test_two_faults_of_one_line_stay_two():
    strides = [
        _finding("a.0", "stride: torch has 2, Paddle has 1"),
        _finding("a.1", "stride: torch has 1, Paddle has 2"),
    ]
    assert len(by_line(strides)) == 2
    assert (
        len(
            by_line(
                [
                    _finding("a.0", "wired differently: takes `a.0.x`"),
                    _finding("a.1", "wired differently: takes `a.1.y`"),
                ]
            )
        )
        == 2
    )


def test_what_names_the_layer_itself_or_sizes_a_difference_does_not_part_findings():
    found = [
        _finding("low.conv", "Conv2d `low.conv` takes `low.norm`, off by 1.2e-03 on shape [2, 4]"),
        _finding("high.conv", "Conv2d `high.conv` takes `high.norm`, off by 3.4e-05 on shape [2, 8]"),
    ]
    assert len(by_line(found)) == 1
    assert len(by_line([_finding("a", "cause", where=""), _finding("b", "cause", where="")])) == 2
