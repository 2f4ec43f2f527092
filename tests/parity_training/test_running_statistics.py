"""A BatchNorm that runs once more, or in another order, keeps other statistics: that is said, whatever the outputs do."""

from __future__ import annotations

import re

import paddle
import pytest
import torch

import parity
from tests.parity.pairs import small


class PaddleNet(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv, self.point = paddle.nn.Conv2D(3, 4, 3), paddle.nn.Conv2D(4, 4, 1)
        self.bn, self.other = paddle.nn.BatchNorm2D(4), paddle.nn.BatchNorm2D(4)

    def forward(self, x):
        y = self.conv(x)
        return self.merge(y, self.point(y))

    def merge(self, y, z):
        return self.other(y) + self.bn(z)


class TorchNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.point = torch.nn.Conv2d(3, 4, 3), torch.nn.Conv2d(4, 4, 1)
        self.bn, self.other = torch.nn.BatchNorm2d(4), torch.nn.BatchNorm2d(4)

    def forward(self, x):
        y = self.conv(x)
        return self.merge(y, self.point(y))

    def merge(self, y, z):
        return self.other(y) + self.bn(z)


class PaddleShared(PaddleNet):
    def merge(self, y, z):
        first = self.bn(y)
        return first + self.bn(z)


class PaddleTwice(PaddleNet):
    def merge(self, y, z):
        self.bn(z)
        return super().merge(y, z)


class TorchTwice(TorchNet):
    def merge(self, y, z):
        self.bn(z)
        return super().merge(y, z)


class TorchShares(TorchNet):
    def merge(self, y, z):
        return self.bn(y) + self.bn(z)


class TorchBackwards(TorchNet):
    def merge(self, y, z):
        last = self.bn(z)
        return self.bn(y) + last


WRONG = {
    "a run whose result nobody takes": (PaddleNet, TorchTwice, "updated twice in a forward in torch, once in Paddle"),
    "a run that only Paddle makes": (PaddleTwice, TorchNet, "updated once in a forward in torch, twice in Paddle"),
    "a layer that is shared only in torch": (PaddleNet, TorchShares, "`bn` where Paddle computes BatchNorm2d `other`; in torch these layers are shared"),
    "another order": (PaddleShared, TorchBackwards, "running mean: .*runs 2 times in a forward, and the last run"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_statistics_that_part_are_found_with_their_cause(name):
    in_paddle, in_torch, cause = WRONG[name]
    paddle_net, torch_net, x = small(in_torch, in_paddle, shape=(3, 3, 6, 6))
    (finding,) = parity.check(paddle_net, torch_net, x, mode="train", further=False).findings
    assert re.search(cause, finding.cause), finding.cause


@pytest.mark.parametrize(("in_paddle", "in_torch"), [(PaddleNet, TorchNet), (PaddleShared, TorchShares)])
def test_layers_that_run_as_often_and_in_the_same_order_agree(in_paddle, in_torch):
    paddle_net, torch_net, x = small(in_torch, in_paddle, shape=(3, 3, 6, 6))
    report = parity.check(paddle_net, torch_net, x, mode="train", further=False)
    assert report, str(report)
