"""Sorting along another axis or in another direction is blamed with that cause, in whatever words either side sorts."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
import torch

import parity

X = np.random.default_rng(0).standard_normal((2, 5, 6)).astype(np.float32)


class InPaddle(paddle.nn.Layer):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class InTorch(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


WRONG = {
    "direction": (
        lambda x: paddle.argsort(x, descending=True),
        lambda x: torch.argsort(x),
        "descending: torch has False, Paddle has True",
        "argsort(..., descending=True)",
    ),
    "axis": (
        lambda x: paddle.sort(x, axis=1),
        lambda x: torch.sort(x)[0],
        "axis: torch has -1, Paddle has -2",
        "sort(..., dim=-2)",
    ),
    "direction of a sort against an argsort": (
        lambda x: paddle.argsort(x, axis=1, descending=True),
        lambda x: torch.sort(x, dim=1)[1],
        "descending",
        "argsort(..., descending=True)",
    ),
    "stability": (
        lambda x: paddle.argsort(x, stable=True),
        lambda x: torch.argsort(x),
        "stable: torch has False, Paddle has True; no effect",
        "argsort(..., stable=True)",
    ),
    "smallest": (
        lambda x: paddle.topk(x, 3)[0],
        lambda x: torch.topk(x, 3, largest=False)[0],
        "largest",
        "topk(..., largest=True)",
    ),
    "number": (lambda x: paddle.topk(x, 3)[1], lambda x: torch.topk(x, 2)[1], "k: torch has 2", "topk(..., k=3)"),
    "first of sorted": (
        lambda x: paddle.topk(x, 3)[0],
        lambda x: torch.sort(x)[0][..., :3],
        "largest: torch has False",
        "topk(..., largest=True)",
    ),
    "place": (
        lambda x: paddle.argmax(x, axis=-1),
        lambda x: torch.max(x, dim=1)[1],
        "axes: torch has (1,), Paddle has (2,)",
        "argmax(..., dim=2)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_order_is_blamed_with_its_cause(name):
    in_paddle, in_torch, cause, fix = WRONG[name]
    report = parity.check(InPaddle(in_paddle), InTorch(in_torch), X, further=False)
    (finding,) = report.findings
    assert cause in finding.cause
    assert finding.fix == fix


def test_a_port_may_promise_a_stable_order_that_paddle_leaves_open():
    report = parity.check(
        InPaddle(lambda x: paddle.argsort(x, axis=1)),
        InTorch(lambda x: torch.argsort(x, dim=1, stable=True)),
        X,
        further=False,
    )
    assert report, str(report)
