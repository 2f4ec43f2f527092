"""One function in two forms: a convolution of single pixels and a Linear, a fused recurrence and its cells, a loss by hand."""

from __future__ import annotations

import re

import numpy as np
import paddle
import paddle.nn.functional as PF
import pytest
import torch
import torch.nn.functional as F

import parity
from parity.setup.inputs import random_input
from tests.parity.pairs import fill
from tests.parity_training.networks import LABELS, X, pair

IMAGES = random_input((2, 4, 5, 6))


class PaddlePixels(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.pre, self.mix = paddle.nn.Conv2D(4, 4, 3, padding=1), paddle.nn.Conv2D(4, 4, 1)
        self.post = paddle.nn.Conv2D(4, 3, 3)

    def forward(self, x):
        return self.post(PF.relu(self.mix(self.pre(x))))


class TorchChannels(torch.nn.Module):
    """The same with a Linear between permutations."""

    def __init__(self, back=(0, 3, 1, 2), activation=F.relu, bias=True):
        super().__init__()
        self.pre, self.mix = torch.nn.Conv2d(4, 4, 3, padding=1), torch.nn.Linear(4, 4, bias=bias)
        self.post = torch.nn.Conv2d(4, 3, 3)
        self.back, self.activation = back, activation

    def forward(self, x):
        x = self.mix(self.pre(x).permute(0, 2, 3, 1)).permute(self.back).reshape(2, 4, 5, 6)
        return self.post(self.activation(x))


def pixels(torch_net, *, turned=False):
    paddle_net = PaddlePixels()
    fill(paddle_net, IMAGES)
    state = {name: torch.from_numpy(np.array(t.numpy())) for name, t in paddle_net.state_dict().items()}
    state["mix.weight"] = state["mix.weight"][:, :, 0, 0].T if turned else state["mix.weight"][:, :, 0, 0]
    torch_net.load_state_dict(state, strict=False)
    return paddle_net, torch_net


def test_a_linear_over_channels_is_a_convolution_of_pixels_forward_and_backward():
    report = parity.check(
        *pixels(TorchChannels()),
        IMAGES,
        mode="train",
        gradients=True,
        steps=1,
        optimizers=(
            lambda model: paddle.optimizer.SGD(0.1, parameters=model.parameters()),
            lambda model: torch.optim.SGD(model.parameters(), 0.1),
        ),
        further=False,
    )
    assert report, str(report)
    assert not any("written differently" in note.text for note in report.notes)


@pytest.mark.parametrize(
    ("change", "turned", "operator", "cause"),
    [
        ({"back": (0, 3, 2, 1)}, False, "permute/transpose", "order: torch has"),
        ({"activation": F.gelu}, False, "GELU", "torch runs GELU.* where Paddle runs ReLU"),
        ({"bias": False}, False, "Linear", "bias only in Paddle"),
        ({}, True, "Linear", "transposed"),
    ],
)
def test_a_fault_of_a_linear_over_channels_has_its_own_cause(change, turned, operator, cause):
    report = parity.check(*pixels(TorchChannels(**change), turned=turned), IMAGES, further=False)
    assert report.findings[0].operator == operator
    assert re.search(cause, report.findings[0].cause)


class PaddleSequence(paddle.nn.Layer):
    def __init__(self, kind):
        super().__init__()
        self.rnn, self.fc = getattr(paddle.nn, kind)(4, 6), paddle.nn.Linear(6, 3)

    def forward(self, x):
        return self.fc(self.rnn(x)[0])


class TorchSteps(torch.nn.Module):
    """The same step by step; `wrong` hands a state on as it should not."""

    def __init__(self, kind, wrong=False):
        super().__init__()
        self.cell, self.fc = getattr(torch.nn, f"{kind}Cell")(4, 6), torch.nn.Linear(6, 3)
        self.wrong = wrong

    def forward(self, x):
        h = c = x.new_zeros(len(x), 6)
        steps = []
        for t in range(x.shape[1]):
            if isinstance(self.cell, torch.nn.LSTMCell):
                h, c = self.cell(x[:, t], (c, h) if self.wrong else (h, c))
            else:
                h = self.cell(x[:, t], c if self.wrong else h)
            steps.append(h)
        return self.fc(torch.stack(steps, 1))


@pytest.mark.parametrize("wrong", [False, True])
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_a_loop_of_cells_is_the_fused_layer_and_a_wrong_state_is_told(kind, wrong):
    paddle_net, torch_net = PaddleSequence(kind), TorchSteps(kind, wrong)
    x = random_input((2, 5, 4))
    fill(paddle_net, x)
    state = {name: torch.from_numpy(np.array(t.numpy())) for name, t in paddle_net.state_dict().items()}
    state["fc.weight"] = state["fc.weight"].T
    names = {name: name.replace("cell.", "rnn.") for name in torch_net.state_dict()}
    torch_net.load_state_dict(
        {name: state[f"{told}_l0" if told.startswith("rnn.") else told] for name, told in names.items()}
    )
    report = parity.check(paddle_net, torch_net, x, further=False)
    assert report.verdict.name == ("DIFFERENT" if wrong else "EQUIVALENT"), str(report)
    if wrong:
        told = {"LSTM": "swapped from step to step", "GRU": "starts from a hidden state of zeros"}
        assert told[kind] in report.findings[0].cause
        assert report.findings[0].layer == ""  # the loop is in the model's own forward


def entropy(scores):
    return PF.cross_entropy(scores, paddle.to_tensor(LABELS))


def likelihood(scores):
    rows = PF.log_softmax(scores, axis=1)
    return -paddle.take_along_axis(rows, paddle.to_tensor(LABELS).unsqueeze(1), 1).mean()


def gathered(scores, reduce=torch.mean):
    return -reduce(F.log_softmax(scores, 1).gather(1, torch.from_numpy(LABELS)[:, None]))


@pytest.mark.parametrize(
    ("losses", "cause"),
    [
        ((entropy, gathered), ""),
        ((entropy, lambda y: F.nll_loss(F.log_softmax(y, 1), torch.from_numpy(LABELS))), ""),
        ((likelihood, lambda y: F.cross_entropy(y, torch.from_numpy(LABELS))), ""),
        ((entropy, lambda y: gathered(y, torch.sum)), "loss reduction: torch sums where Paddle averages"),
        ((likelihood, lambda y: F.cross_entropy(F.softmax(y, 1), torch.from_numpy(LABELS))), "a second softmax"),
        ((entropy, lambda y: F.nll_loss(F.softmax(y, 1), torch.from_numpy(LABELS))), "taken for logarithms"),
    ],
)  # fmt: skip
def test_a_cross_entropy_by_hand_is_the_ready_made_one(losses, cause):
    report = parity.check(*pair(), X, mode="train", gradients=True, losses=losses, further=False)
    assert bool(report) != bool(cause)
    assert [finding.layer for finding in report.findings] == ["loss"] * bool(cause), str(report)
    assert all(cause in finding.cause for finding in report.findings), str(report)


class PaddleMargin(paddle.nn.Layer):
    """Cosines between features and class centres, the centres as columns."""

    def __init__(self):
        super().__init__()
        self.fc, self.centres = paddle.nn.Linear(10, 6), self.create_parameter([6, 5])

    def forward(self, x):
        x = PF.normalize(self.fc(x), axis=1)
        return paddle.tanh(paddle.matmul(x, PF.normalize(self.centres, axis=0))) * 16.0


class TorchMargin(torch.nn.Module):
    """The same with the centres as rows."""

    def __init__(self, scale=16.0):
        super().__init__()
        self.fc, self.centres = torch.nn.Linear(10, 6), torch.nn.Parameter(torch.ones(5, 6))
        self.scale = scale

    def forward(self, x):
        return torch.tanh(F.linear(F.normalize(self.fc(x)), F.normalize(self.centres))) * self.scale


@pytest.mark.parametrize("scale", [16.0, 8.0])
def test_a_bare_matrix_may_be_kept_the_other_way_round(scale):
    paddle_net, torch_net = PaddleMargin(), TorchMargin(scale)
    x = random_input((4, 10))
    fill(paddle_net, x)
    state = {name: torch.from_numpy(np.array(t.numpy())) for name, t in paddle_net.state_dict().items()}
    torch_net.load_state_dict({name: v.T if v.dim() == 2 else v for name, v in state.items()})
    report = parity.check(paddle_net, torch_net, x, further=False)
    assert [finding.cause for finding in report.findings] == (
        [] if scale == 16.0 else ["scale: torch has 8, Paddle has 16"]
    )
