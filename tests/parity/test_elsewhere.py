"""What shows elsewhere than on the given numbers: losses of larger results, hooks, equal rows, later steps and calls."""

import warnings

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle
import torch

import paddle2torch
import parity
from parity.results.verdict import Verdict

PF, TF = paddle.nn.functional, torch.nn.functional
X = np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32)


class PaddleNet(paddle.nn.Layer):
    def __init__(self, after=None):
        super().__init__()
        self.fc, self.after = paddle.nn.Linear(5, 3), after

    def forward(self, x):
        return self.fc(x) if self.after is None else self.after(self.fc(x))


class TorchNet(torch.nn.Module):
    def __init__(self, after=None):
        super().__init__()
        self.fc, self.after = torch.nn.Linear(5, 3), after

    def forward(self, x):
        return self.fc(x) if self.after is None else self.after(self.fc(x))


def pair(in_paddle=None, in_torch=None):
    models = PaddleNet(in_paddle), TorchNet(in_torch)
    models[0].fc.bias.set_value(np.full(3, 0.1, np.float32))
    models[1].load_state_dict(paddle2torch.convert_state_dict(models[0].state_dict(), models[1]))
    return models


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (lambda y: (1 - (-y.abs()).exp()).sum() * 0 + TF.mse_loss(y, y * 0) / 2, None),
        (lambda y: TF.smooth_l1_loss(y, y * 0, beta=1.0).clamp(max=3), None),
        (None, lambda y: torch.where(y.abs() < 1, y * y / 2, y.abs() - 0.5).mean()),
    ],
    ids=["squares", "cut off", "by hand"],
)
def test_losses_are_compared_on_larger_results_than_the_models_return(wrong, right):
    losses = lambda y: PF.smooth_l1_loss(y, y * 0, delta=1.0), wrong or right
    report = parity.check(*pair(), X / 10, gradients=True, losses=losses)
    assert report.verdict is (Verdict.DIFFERENT if wrong else Verdict.EQUIVALENT), str(report)
    assert not wrong or "the loss differs" in report.findings[0].cause


@pytest.mark.parametrize("both", [False, True])
def test_hooks_that_clip_large_gradients_alone_are_seen(both):
    models = pair()
    models[1].fc.weight.register_hook(lambda gradient: gradient.clamp(-20, 20))
    if both:
        models[0].fc.weight.register_hook(lambda gradient: gradient.clip(-20, 20))
    report = parity.check(*models, X / 10, gradients=True)
    assert report.verdict is (Verdict.EQUIVALENT if both else Verdict.DIFFERENT), str(report)
    assert both or "the gradient of `fc.weight`, after the hooks on it" in report.findings[0].cause


def test_a_gradient_that_is_nan_at_equal_numbers_in_torch_alone_is_seen():
    def guarded(y):
        square = y.square().sum(1, keepdim=True)
        none = square <= 0
        return y * paddle.where(none, square, paddle.where(none, paddle.ones_like(square), square).sqrt())

    def bare(y):
        return y * y.square().sum(1, keepdim=True).sqrt()

    models = pair(guarded, bare)
    models[0].fc.bias.set_value(np.zeros(3, np.float32))
    models[1].fc.bias.data.zero_()
    report = parity.check(*models, X, gradients=True)
    assert report.verdict is Verdict.DIFFERENT, str(report)
    assert "NaN or Inf on one side alone" in report.findings[0].cause


class ThirdTime(torch.optim.SGD):
    """Rests every third time."""

    times = 0

    def step(self, closure=None):
        self.times += 1
        return None if self.times % 3 == 0 else super().step(closure)


class OfItsOwn(torch.optim.SGD):
    def step(self, closure=None):
        return super().step(closure)


@pytest.mark.parametrize(("optimizer", "verdict"), [(ThirdTime, "DIFFERENT"), (OfItsOwn, "EQUIVALENT")])
def test_an_optimizer_of_the_users_own_steps_on(optimizer, verdict):
    optimizers = (
        lambda m: paddle.optimizer.SGD(0.1, parameters=m.parameters()),
        lambda m: optimizer(m.parameters(), 0.1),
    )
    report = parity.check(*pair(), X, mode="train", steps=2, optimizers=optimizers)
    assert report.verdict.name == verdict, str(report)
    assert report or "seen in further steps only" in report.findings[0].cause


class Streams(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.total, self.calls = None, 0

    def forward(self, x, new):
        self.calls += 1
        self.total = x if self.total is None else self.total * (1 - new).astype(x.dtype).unsqueeze(1) + x
        return self.total * 2


class PortedStreams(torch.nn.Module):
    def __init__(self, each):
        super().__init__()
        self.each, self.total, self.calls = each, None, 0

    def forward(self, x, new):
        self.calls += 1
        new = new if self.each else new.all().expand(len(new))
        self.total = x if self.total is None else self.total * (1 - new.to(x.dtype))[:, None] + x
        return self.total * 2


@pytest.mark.parametrize("each", [True, False])
def test_later_calls_have_masks_that_differ(each):
    report = parity.check(Streams(), PortedStreams(each), (X, np.ones(4, "int64")))
    assert report.verdict is (Verdict.EQUIVALENT if each else Verdict.DIFFERENT), str(report)
    assert not each or any("both models count their calls" in note.text for note in report.notes)


class Positions(torch.nn.Module):
    """Made for the first length, and stretched for others."""

    def __init__(self):
        super().__init__()
        self.table = None

    def forward(self, x):
        if self.table is None or self.table.dtype != x.dtype:
            self.table = torch.arange(x.shape[1], dtype=x.dtype) ** 2
        table = self.table
        if len(table) != x.shape[1]:
            table = TF.interpolate(table[None, None], x.shape[1], mode="linear")[0, 0]
        return x * table


class PaddlePositions(paddle.nn.Layer):
    def forward(self, x):
        return x * paddle.arange(x.shape[1]).astype(x.dtype) ** 2


def test_a_second_call_of_another_size_shows_what_was_made_at_the_first():
    report = parity.check(PaddlePositions(), Positions(), X)
    assert report.verdict is Verdict.DIFFERENT, str(report)
    assert report.cases[-1].name == "a second call, of another size"


def test_what_a_model_does_while_it_is_exported_is_named_as_not_compared():
    def after(y):
        return y * 2 if torch.jit.is_tracing() else y

    report = parity.check(*pair(lambda y: y, after), X)
    assert report.verdict is Verdict.EQUIVALENT
    assert any("while it is exported was not compared" in note.text for note in report.notes)
