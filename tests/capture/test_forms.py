"""Einsum, patches laid out in rows and arithmetic of whole numbers, in the spellings in which ports have them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle
import torch

import paddle2torch

PF, TF = paddle.nn.functional, torch.nn.functional
IMAGE = np.random.default_rng(0).standard_normal((2, 3, 8, 8)).astype(np.float32)


class Paddle(paddle.nn.Layer):
    def __init__(self, forward):
        super().__init__()
        self.conv, self.rows = paddle.nn.Conv2D(3, 5, 4, 4), paddle.nn.Linear(48, 5)
        self.square, self.run = paddle.nn.Linear(8, 8), forward

    def forward(self, x):
        return self.run(self, x)


class Torch(torch.nn.Module):
    def __init__(self, forward):
        super().__init__()
        self.conv, self.rows = torch.nn.Conv2d(3, 5, 4, 4), torch.nn.Linear(48, 5)
        self.square, self.run = torch.nn.Linear(8, 8), forward

    def forward(self, x):
        return self.run(self, x)


def _attention(module, softmax):
    def forward(net, x):
        scores = module.einsum("bchi,bcwi->bchw", net.square(x), x)
        return module.einsum("bchw,bcwi->bchi", softmax(scores), x)

    return forward


def _positions(module, scale):
    def forward(net, x):
        return net.square(x) * module.exp(module.arange(8) * scale)

    return forward


# Paddle's forward, torch's, and torch's with a mistake.
FORMS = {
    "einsum in both": (
        _attention(paddle, lambda s: PF.softmax(s, -1)),
        _attention(torch, lambda s: torch.softmax(s, -1)),
        _attention(torch, lambda s: torch.softmax(s, -2)),
    ),
    "einsum and matmul": (
        lambda net, x: paddle.einsum("bcij,bcjk->bcik", net.square(x), x),
        lambda net, x: net.square(x) @ x,
        lambda net, x: net.square(x) @ x.transpose(-1, -2),
    ),
    "einsum as a linear layer": (
        lambda net, x: net.square(x),
        lambda net, x: torch.einsum("bchi,oi->bcho", x, net.square.weight) + net.square.bias,
        lambda net, x: torch.einsum("bchi,io->bcho", x, net.square.weight) + net.square.bias,
    ),
    "einsum that sums": (
        lambda net, x: paddle.einsum("bchw->bc", net.square(x)),
        lambda net, x: net.square(x).sum((2, 3)),
        lambda net, x: net.square(x).mean((2, 3)),
    ),
    "a patch embedding in rows": (
        lambda net, x: net.conv(x).flatten(2).transpose([0, 2, 1]),
        lambda net, x: TF.linear(
            TF.unfold(x, 4, stride=4).transpose(1, 2), net.conv.weight.flatten(1), net.conv.bias
        ),
        lambda net, x: TF.linear(
            TF.unfold(x, 4, stride=4).transpose(1, 2),
            net.conv.weight.transpose(2, 3).flatten(1),
            net.conv.bias,
        ),
    ),
    "rows on both sides": (
        lambda net, x: net.rows(PF.unfold(x, 4, strides=4).transpose([0, 2, 1])),
        lambda net, x: net.rows(
            x.unfold(2, 4, 4).unfold(3, 4, 4).permute(0, 2, 3, 1, 4, 5).reshape(2, 4, 48)
        ),
        lambda net, x: net.rows(
            x.unfold(2, 4, 4).unfold(3, 4, 4).permute(0, 3, 2, 1, 4, 5).reshape(2, 4, 48)
        ),
    ),
    "whole numbers times a fraction": (
        _positions(paddle, -0.3),
        _positions(torch, -0.3),
        _positions(torch, -0.31),
    ),
    "whole numbers and floats": (
        _positions(paddle, -0.3),
        lambda net, x: net.square(x) * torch.exp(torch.arange(8.0) * -0.3),
        lambda net, x: net.square(x) * torch.exp(torch.arange(1.0, 9.0) * -0.3),
    ),
    "a root of whole numbers": (
        lambda net, x: net.square(x) / paddle.sqrt(paddle.arange(1, 9).astype("float32")),
        lambda net, x: net.square(x) / torch.sqrt(torch.arange(1, 9)),
        lambda net, x: net.square(x) / torch.arange(1, 9),
    ),
}


def _checked(theirs, ours, **options):
    paddle.seed(0)
    one, other = Paddle(theirs), Torch(ours)
    other.load_state_dict(paddle2torch.convert_state_dict(one.state_dict(), other))
    return paddle2torch.check(one, other, IMAGE, further=False, **options)


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_forms_that_compute_the_same_are_equivalent(form, gradients):
    report = _checked(*FORMS[form][:2], gradients=gradients)
    assert report.verdict.value == "EQUIVALENT", str(report)


@pytest.mark.parametrize("form", FORMS)
def test_forms_with_a_mistake_are_not(form):
    report = _checked(FORMS[form][0], FORMS[form][2])
    assert report.verdict.value == "DIFFERENT", str(report)
