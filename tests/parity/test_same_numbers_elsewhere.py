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


class PaddleViews(paddle.nn.Layer):
    """What a network makes of an image and of its mirror image, together."""

    def __init__(self):
        super().__init__()
        self.conv, self.fc = paddle.nn.Conv2D(3, 6, 3), paddle.nn.Linear(6, 6, bias_attr=False)
        self.neck = paddle.nn.BatchNorm1D(6)

    def feature(self, image):
        return self.neck(self.fc(paddle.nn.functional.relu(self.conv(image)).mean([2, 3])))

    def forward(self, image):
        return self.feature(image) + self.feature(paddle.flip(image, axis=[3]))


class TorchViews(torch.nn.Module):
    """The same with both views in one batch, and a matrix that is right the other way round if `turned`."""

    def __init__(self, turned):
        super().__init__()
        self.conv, self.neck = torch.nn.Conv2d(3, 6, 3), torch.nn.BatchNorm1d(6)
        self.embed, self.turned = torch.nn.Parameter(torch.zeros(6, 6)), turned

    def forward(self, image):
        x = torch.relu(self.conv(torch.cat([image, image.flip(-1)]))).mean((2, 3))
        x = (
            torch.einsum("bc,dc->bd", x, self.embed)
            if self.turned
            else torch.einsum("bc,cd->bd", x, self.embed)
        )
        one, two = self.neck(x).chunk(2)
        return one + two


@pytest.mark.parametrize("turned", [False, True])
def test_a_fault_in_a_network_that_runs_once_for_two_batches_is_told_where_it_is(turned):
    images = np.random.default_rng(2).standard_normal((4, 3, 6, 7), dtype=np.float32)
    names = {"embed": "fc.weight"}
    report = parity.check(
        PaddleViews(), TorchViews(turned), images, randomize=True, pairs=names, further=False
    )
    assert [finding.operator for finding in report.findings] == (["einsum"] if turned else []), str(report)
