"""What the run that was asked for does not show: compared all the same, or named as not compared."""

import numpy as np
import paddle
import pytest
import torch

import paddle2torch
from parity import Verdict, check
from parity.results.finding import Shows

x = np.random.default_rng(0).standard_normal((4, 3, 5)).astype(np.float32)


class PaddleHeads(paddle.nn.Layer):
    def __init__(self, frozen=False):
        super().__init__()
        self.norm = paddle.nn.BatchNorm1D(3, use_global_stats=frozen or None)
        self.out, self.spare, self.table = (
            paddle.nn.Linear(5, 5),
            paddle.nn.Linear(5, 5),
            paddle.nn.Embedding(4, 4),
        )

    def forward(self, x):
        return self.out(self.norm(x))


class TorchHeads(torch.nn.Module):
    asks = None

    def __init__(self):
        super().__init__()
        self.norm = torch.nn.BatchNorm1d(3)
        self.out, self.spare, self.table = (
            torch.nn.Linear(5, 5),
            torch.nn.Linear(5, 5),
            torch.nn.Embedding(4, 4),
        )

    def forward(self, x):
        if self.asks is not None and self.asks():
            x = x * 1
        return self.out(self.norm(x))


class KeptInEval(TorchHeads):
    """As Paddle's use_global_stats."""

    def train(self, mode=True):
        super().train(mode)
        self.norm.eval()
        return self


def ported(theirs, ours):
    ours.load_state_dict(paddle2torch.convert_state_dict(theirs.state_dict(), ours))
    return theirs, ours


@pytest.mark.parametrize("kept", [True, False])
def test_a_batch_norm_that_uses_its_statistics_in_training_in_paddle_alone_is_found_in_eval(kept):
    report = check(
        *ported(PaddleHeads(frozen=True), KeptInEval() if kept else TorchHeads()), x, further=False
    )
    if kept:
        assert report, str(report)
        return
    assert [finding.attribute for finding in report.findings] == ["use_global_stats"], str(report)
    assert report.findings[0].layer == "norm"


@pytest.mark.parametrize("wrong", ["", "spare.weight", "spare.bias", "table.weight"])
def test_weights_that_forward_does_not_read_are_compared(wrong):
    theirs, ours = ported(PaddleHeads(), TorchHeads())
    theirs.spare.bias.set_value(paddle.arange(5, dtype="float32"))
    ours.spare.bias.data = torch.arange(5.0)
    with torch.no_grad():
        for name, parameter in ours.named_parameters():
            if name == wrong:
                parameter.copy_(parameter.T.clone() if name == "spare.weight" else parameter * 2)
    report = check(theirs, ours, x, further=False)
    assert [(finding.attribute, finding.shows) for finding in report.findings] == (
        [(wrong, Shows.WEIGHTS)] if wrong else []
    ), str(report)


@pytest.mark.parametrize("name", ["is_grad_enabled", "is_inference_mode_enabled"])
def test_a_forward_that_asks_who_calls_it_is_not_compared_by_half(name):
    theirs, ours = ported(PaddleHeads(), TorchHeads())
    asked = getattr(torch, name)
    ours.asks = lambda: getattr(torch, name)()
    report = check(theirs, ours, x, further=False)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert name in report.inconclusive[0], report.inconclusive
    assert getattr(torch, name) is asked
    ours.asks = lambda: torch.is_grad_enabled() and False
    assert check(theirs, ours, x, gradients=True), "both positions are run with gradients"


class Clipped(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient.clamp(-50, 50)


@pytest.mark.parametrize("way", ["function", "hook", "none"])
def test_gradients_that_are_clipped_where_they_are_large_are_found(way):
    class Clips(TorchHeads):
        def forward(self, x):
            x = super().forward(Clipped.apply(x) if way == "function" else x)
            if way == "hook" and x.requires_grad:
                x.register_hook(lambda gradient: gradient * min(1.0, 90 / float(gradient.norm())))
            return x

    report = check(*ported(PaddleHeads(), Clips()), x, gradients=True)
    assert report.verdict is (Verdict.EQUIVALENT if way == "none" else Verdict.DIFFERENT), str(report)
    assert all(finding.shows is Shows.GRADIENTS for finding in report.findings)


class PaddleCounts(PaddleHeads):
    def __init__(self, counts):
        super().__init__()
        self.calls, self.counts = 0, counts

    def forward(self, x):
        self.calls += self.counts
        return super().forward(x)


class TorchCounts(TorchHeads):
    def __init__(self):
        super().__init__()
        self.calls, self.height = 0, 0

    def forward(self, x):
        self.calls, self.height = self.calls + 1, x.shape[1]
        return super().forward(x) * (1 if self.calls < 100 else 2)


@pytest.mark.parametrize("counts", [0, 1])
def test_calls_that_one_side_alone_counts_are_named_as_not_compared(counts):
    report = check(*ported(PaddleCounts(counts), TorchCounts()), x)
    assert report.verdict is (Verdict.EQUIVALENT if counts else Verdict.INCONCLUSIVE), str(report)
    assert counts or "`calls`" in report.inconclusive[0]
