"""Right ports whose layers work in another layout, or are another layer that computes the same, beside a float32 constant of Paddle's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle
import torch

import parity

# The third axis is as long as the second: nothing but the numbers tells one layout from the other.
x = np.random.default_rng(0).standard_normal((5, 6, 6)).astype(np.float32)


class PaddleSlopes(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.first, self.second = paddle.nn.Linear(6, 6), paddle.nn.Linear(6, 1)
        self.act = paddle.nn.PReLU(6, data_format="NLC")
        self.drop = paddle.nn.Dropout(0.3, mode="downscale_in_infer")

    def forward(self, x):
        return self.drop(self.second(self.act(self.first(x))))


class TorchSlopes(torch.nn.Module):
    turn = True

    def __init__(self):
        super().__init__()
        self.first, self.second = torch.nn.Linear(6, 6), torch.nn.Linear(6, 1)
        self.act = torch.nn.PReLU(6)

    def forward(self, x):
        x = self.first(x)
        x = self.act(x.transpose(1, 2)).transpose(1, 2) if self.turn else self.act(x)
        return self.second(x) * (1 - 0.3)


class Unturned(TorchSlopes):
    turn = False


def test_slopes_of_the_last_axis_may_be_applied_in_the_other_layout_of_a_square():
    report = parity.check(PaddleSlopes(), TorchSlopes(), x, randomize=True, further=False)
    assert report, report
    report = parity.check(PaddleSlopes(), Unturned(), x, randomize=True, further=False)
    assert report.verdict is parity.Verdict.DIFFERENT
    assert report.findings[0].layer == "act"


@pytest.mark.parametrize("eps", [1e-5, 1e-4])
def test_a_group_for_each_channel_is_an_instance_norm_whose_eps_paddle_rounds(eps):
    theirs = paddle.nn.Sequential(paddle.nn.Linear(6, 6), paddle.nn.InstanceNorm1D(6))
    ours = torch.nn.Sequential(torch.nn.Linear(6, 6), torch.nn.GroupNorm(6, 6, eps=eps))
    report = parity.check(
        theirs, ours, x * 0.01, randomize=True, pairs={"1.weight": "1.scale"}, further=False
    )
    assert bool(report) is (eps == 1e-5), report
