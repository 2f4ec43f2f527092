"""What a training forward leaves in buffers: it shows in no output of this run, and in every one that follows."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
import torch
import torch.nn.functional as F

import parity
from parity.results.finding import Shows, Subject

X = np.random.default_rng(0).normal(0.3, 1.0, (4, 3, 9, 9)).astype(np.float32)


class PaddleCentred(paddle.nn.Layer):
    """Subtracts what it has seen on average, and follows it; a number that is of no matter is kept beside it."""

    def __init__(self):
        super().__init__()
        self.fc, self.bn = paddle.nn.Linear(3, 5), paddle.nn.BatchNorm1D(5)
        self.register_buffer("centre", paddle.to_tensor([0.1, -0.2, 0.3, 0.05, 0.4]))

    def forward(self, x):
        x = self.bn(self.fc(x.mean(axis=[2, 3])))
        if self.training:
            self.follow(x)
        return x - 0.25

    def follow(self, x):
        with paddle.no_grad():
            self.centre.set_value(0.9 * self.centre + 0.1 * x.abs().mean(axis=0))


class TorchCentred(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.bn = torch.nn.Linear(3, 5), torch.nn.BatchNorm1d(5)
        self.register_buffer("centre", torch.tensor([0.1, -0.2, 0.3, 0.05, 0.4]))

    def forward(self, x):
        x = self.norm(self.fc(x.mean(dim=(2, 3))))
        if self.training:
            self.follow(x)
        return x - 0.25

    def norm(self, x):
        return self.bn(x)

    @torch.no_grad()
    def follow(self, x):
        self.centre.copy_(0.9 * self.centre + 0.1 * x.abs().mean(0))


class InPlace(TorchCentred):
    @torch.no_grad()
    def follow(self, x):
        self.centre.mul_(0.9).add_(x.abs().mean(0), alpha=0.1)


class ThroughData(TorchCentred):
    def follow(self, x):
        self.centre.data.mul_(0.9).add_(x.detach().abs().mean(0), alpha=0.1)


class Replaced(TorchCentred):
    def follow(self, x):
        self.centre = 0.9 * self.centre + 0.1 * x.detach().abs().mean(0)


class Indexed(TorchCentred):
    @torch.no_grad()
    def follow(self, x):
        self.centre[...] = torch.lerp(self.centre, x.abs().mean(0), 0.1)


class Forgotten(TorchCentred):
    def follow(self, x):
        pass


class IntoACopy(TorchCentred):
    @torch.no_grad()
    def follow(self, x):
        self.centre.clone().mul_(0.9).add_(x.abs().mean(0), alpha=0.1)


class Faster(TorchCentred):
    @torch.no_grad()
    def follow(self, x):
        self.centre.copy_(0.8 * self.centre + 0.2 * x.abs().mean(0))


class StatisticsInACopy(TorchCentred):
    def norm(self, x):
        bn, copies = self.bn, (self.bn.running_mean.clone(), self.bn.running_var.clone())
        return F.batch_norm(x, *copies, bn.weight, bn.bias, True, 0.1, bn.eps)


class StatisticsNowhere(TorchCentred):
    def norm(self, x):
        return F.batch_norm(x, None, None, self.bn.weight, self.bn.bias, True, 0.1, self.bn.eps)


def check(torch_class, **options):
    paddle.seed(0)
    ours, theirs = torch_class(), PaddleCentred()
    state = ours.state_dict()
    for name, tensor in theirs.state_dict().items():
        value = torch.from_numpy(tensor.numpy())
        key = name.replace("_mean", "running_mean").replace("_variance", "running_var")
        state[key].copy_(value.T if value.ndim == 2 else value)
    return parity.check(theirs, ours, X, mode="train", further=False, **options)


@pytest.mark.parametrize("torch_class", [TorchCentred, InPlace, ThroughData, Replaced, Indexed])
def test_a_buffer_may_be_written_in_any_way(torch_class):
    report = check(torch_class)
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)


WRONG = {
    Forgotten: {"centre": (True, False)},
    IntoACopy: {"centre": (True, False)},
    Faster: {"centre": (True, True)},
}


@pytest.mark.parametrize("torch_class", WRONG)
def test_a_buffer_that_is_not_what_paddles_is_after_the_forward_is_a_finding(torch_class):
    report = check(torch_class)
    assert report.verdict is parity.Verdict.DIFFERENT, str(report)
    found = {f.attribute: (f.values["paddle"], f.values["torch"]) for f in report.findings}
    assert found == WRONG[torch_class]
    assert {(f.subject, f.shows) for f in report.findings} == {(Subject.STATISTIC, Shows.STATISTICS)}


@pytest.mark.parametrize("torch_class", [StatisticsInACopy, StatisticsNowhere])
def test_statistics_of_a_batch_norm_that_are_not_kept_are_said_once(torch_class):
    report = check(torch_class)
    assert report.verdict is parity.Verdict.DIFFERENT, str(report)
    assert {finding.subject for finding in report.findings} == {Subject.STATISTIC}
