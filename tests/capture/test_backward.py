"""Going backward through a recorded model shows what it does, and raises nothing that the plain model does not."""

from __future__ import annotations

import numpy as np
import pytest

from tests.capture.nets import checked, paddle, paddle2torch, torch

PF, TF = paddle.nn.functional, torch.nn.functional


def _iadd(a, b):
    a += b
    return a


def _set_column(net, x):
    y = net.a(x) * 2
    y[:, 0] = 0.0
    return net.b(y)


def _penalty_paddle(net, x):
    x = x.clone()
    x.stop_gradient = False
    with paddle.enable_grad():
        energy = paddle.tanh(net.a(x)).sum()
        (slope,) = paddle.grad(energy, x, create_graph=True)
    return (slope**2).sum() + energy


def _penalty_torch(net, x, power=2):
    with torch.enable_grad():
        x = x.clone().requires_grad_() if not x.requires_grad else x.clone()
        energy = torch.tanh(net.a(x)).sum()
        (slope,) = torch.autograd.grad(energy, x, create_graph=True)
    return (slope**power).sum() + energy


FORMS = {
    **{
        f"{name} in place": (
            lambda net, x, name=name: net.b(getattr(PF, name)(net.a(x) * 2.0)),
            lambda net, x, name=name: net.b(getattr(TF, name)(net.a(x) * 2.0, inplace=True)),
        )
        for name in ("hardswish", "relu", "silu", "leaky_relu", "hardsigmoid", "elu", "relu6", "mish")
    },
    "a sum in place": (lambda net, x: net.b(net.a(x) + x), lambda net, x: net.b(_iadd(net.a(x), x))),
    "a sum and a ReLU in place": (
        lambda net, x: net.b(PF.relu(net.a(x) + x)),
        lambda net, x: net.b(TF.relu(_iadd(net.a(x), x), inplace=True)),
    ),
    "the input itself in place": (
        lambda net, x: net.b(PF.relu_(x)),
        lambda net, x: net.b(TF.relu(x, inplace=True)),
    ),
    "Paddle's in place": (
        lambda net, x: net.b(net.a(x).clip_(-0.1, 0.1).scale_(3.0).add_(x)),
        lambda net, x: net.b(net.a(x).clamp(-0.1, 0.1) * 3.0 + x),
    ),
    "a column": (_set_column, _set_column),
    "a mask": (
        lambda net, x: net.b(paddle.where(x > 0, paddle.zeros_like(x), net.a(x))),
        lambda net, x: net.b(net.a(x).masked_fill_(x > 0, 0.0)),
    ),
    "a result without dimensions": (lambda net, x: net.b(x).sum(), lambda net, x: net.b(x).sum()),
    "a result and its mean": (
        lambda net, x: (net.b(x), net.b(x).mean()),
        lambda net, x: (net.b(x), net.b(x).mean()),
    ),
    "a largest number": (lambda net, x: net.a(x).max(), lambda net, x: net.a(x).max()),
    "a loss": (
        lambda net, x: PF.cross_entropy(net.b(x), paddle.to_tensor([0, 1, 2, 0])),
        lambda net, x: TF.cross_entropy(net.b(x), torch.tensor([0, 1, 2, 0])),
    ),
    "no dimensions in between": (
        lambda net, x: net.b(x) / net.a(x).norm(),
        lambda net, x: net.b(x) / net.a(x).norm(),
    ),
    "whole numbers beside": (
        lambda net, x: (net.b(x), net.b(x).argmax(-1), net.b(x) > 0),
        lambda net, x: (net.b(x), net.b(x).argmax(-1), net.b(x) > 0),
    ),
    "a matrix and a vector": (
        lambda net, x: paddle.matmul(x[0], net.a(x), transpose_y=True),
        lambda net, x: torch.matmul(x[0], net.a(x).t()),
    ),
    "two vectors": (
        lambda net, x: paddle.matmul(x[0], net.a(x)[0], transpose_x=True),
        lambda net, x: torch.dot(x[0], net.a(x)[0]),
    ),
    "second derivatives": (_penalty_paddle, _penalty_torch),
}


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize("form", FORMS)
def test_gradients_of_equal_models_are_equal(form, mode):
    report = checked(*FORMS[form], mode=mode, gradients=True)
    assert report.verdict.value == "EQUIVALENT", str(report)


def test_a_wrong_power_of_a_gradient_penalty_is_a_difference():
    report = checked(_penalty_paddle, lambda net, x: _penalty_torch(net, x, power=4), gradients=True)
    assert report.verdict.value == "DIFFERENT", str(report)


def test_an_in_place_activation_that_differs_is_a_difference():
    report = checked(
        lambda net, x: net.b(PF.hardswish(net.a(x))),
        lambda net, x: net.b(TF.silu(net.a(x), inplace=True)),
        gradients=True,
    )
    assert report.verdict.value == "DIFFERENT"


class PaddleRecurrent(paddle.nn.Layer):
    def __init__(self, kind, **options):
        super().__init__()
        self.rnn, self.drop = getattr(paddle.nn, kind)(6, 5, **options), paddle.nn.Dropout(0.5)

    def forward(self, x):
        return self.drop(self.rnn(x)[0])


class TorchRecurrent(torch.nn.Module):
    def __init__(self, kind, scale=1.0, **options):
        super().__init__()
        self.rnn, self.drop = (
            getattr(torch.nn, kind)(6, 5, batch_first=True, **options),
            torch.nn.Dropout(0.5),
        )
        self.scale = scale

    def forward(self, x):
        y = self.drop(self.rnn(x)[0])
        return y.detach() + self.scale * (y - y.detach())


RECURRENT = [
    ("LSTM", "LSTM", {}, {}),
    ("GRU", "GRU", {"num_layers": 2, "dropout": 0.3}, {"num_layers": 2, "dropout": 0.3}),
    ("SimpleRNN", "RNN", {"direction": "bidirect"}, {"bidirectional": True}),
]


@pytest.mark.parametrize(("theirs", "ours", "p", "t"), RECURRENT)
def test_recurrent_layers_go_backward_in_eval_and_the_report_says_how(theirs, ours, p, t):
    x = np.random.default_rng(0).standard_normal((2, 3, 6)).astype(np.float32)
    paddle.seed(0)
    for scale, verdict in ((1.0, "EQUIVALENT"), (0.5, "DIFFERENT")):
        one, other = PaddleRecurrent(theirs, **p), TorchRecurrent(ours, scale, **t)
        other.load_state_dict(paddle2torch.convert_state_dict(one.state_dict(), other))
        report = paddle2torch.check(one, other, x, gradients=True, further=False)
        assert report.verdict.value == verdict, str(report)
        assert any("cannot go backward through one in eval" in note.text for note in report.notes)


class PaddleTokens(paddle.nn.Layer):
    def __init__(self, momentum=0.9):
        super().__init__()
        self.fc, self.bn = paddle.nn.Linear(6, 8), paddle.nn.BatchNorm1D(8, momentum=momentum)

    def forward(self, x):
        y = self.fc(x)
        return self.bn(y.reshape([-1, 8])).reshape(y.shape)


class TorchTokens(torch.nn.Module):
    def __init__(self, momentum=0.1):
        super().__init__()
        self.fc, self.bn = torch.nn.Linear(6, 8), torch.nn.BatchNorm1d(8, momentum=momentum)

    def forward(self, x):
        y = self.fc(x)
        return self.bn(y.view(-1, 8)).view_as(y)


@pytest.mark.filterwarnings("ignore:When training, we now always track")
def test_batch_norm_over_flattened_tokens_is_compared_in_train_mode():
    x = np.random.default_rng(0).standard_normal((2, 5, 6)).astype(np.float32)
    for momentum, verdict in ((0.1, "EQUIVALENT"), (0.3, "DIFFERENT")):
        report = paddle2torch.check(
            PaddleTokens(), TorchTokens(momentum), x, mode="train", randomize=True, further=False
        )
        assert report.verdict.value == verdict, str(report)
