"""Factors: of a dropout behind an activation, of a steep sigmoid, of a gate, of a model's own; and what is told of them."""

import numpy as np
import paddle
import paddle.nn.functional as PF
import pytest
import torch
import torch.nn.functional as F

import parity

X = np.random.default_rng(0).standard_normal((2, 4, 6)).astype(np.float32)


class PaddleNet(paddle.nn.Layer):
    def __init__(self, function):
        super().__init__()
        self.first, self.second, self.last = (paddle.nn.Linear(6, 6) for _ in range(3))
        self.gamma = self.create_parameter([6])
        self.function = function

    def forward(self, x):
        return self.last(self.function(self, self.first(x), self.second(x)))


class TorchNet(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.first, self.second, self.last = (torch.nn.Linear(6, 6) for _ in range(3))
        self.gamma = torch.nn.Parameter(torch.zeros(6))
        self.function = function

    def forward(self, x):
        return self.last(self.function(self, self.first(x), self.second(x)))


def check(paddle_function, torch_function):
    paddle.seed(0)
    return parity.check(
        PaddleNet(paddle_function), TorchNet(torch_function), X, randomize=True, further=False
    )


def dropped(m, a, b):
    return PF.dropout(PF.hardswish(a), 0.2, training=False, mode="downscale_in_infer") + b


def step(m, a, b):
    return paddle.reciprocal(1 + paddle.exp(-50 * (a - b)))


def scaled(m, a, b):
    return m.gamma * a + b


def gate(m, a, b):
    return (a - b) * PF.sigmoid(a + b) + b


def torch_gate(m, a, b):
    z = torch.sigmoid(a + b)
    return z * a + (1 - z) * b


def torch_gate_turned(m, a, b):
    z = torch.sigmoid(a + b)
    return (1 - z) * a + z * b


EQUAL = {
    "hard swish and dropout": (dropped, lambda m, a, b: F.hardswish(a) * 0.8 + b),
    "steep step": (step, lambda m, a, b: torch.sigmoid(50 * (a - b))),
    "steep step by hand": (step, lambda m, a, b: 1 / (1 + torch.exp(-50 * (a - b)))),
    "gate": (gate, torch_gate),
    "gate from above": (gate, lambda m, a, b: b - torch.sigmoid(a + b) * (b - a)),
}

DIFFERENT = {
    "no factor": (dropped, lambda m, a, b: F.hardswish(a) + b, "only in Paddle", "factor of 0.8 in eval"),
    "gentle step": (
        step,
        lambda m, a, b: torch.sigmoid(10 * (a - b)),
        "scale: torch has 10, Paddle has 50",
        "write x * 50 here",
    ),
    "other sign": (
        step,
        lambda m, a, b: 1 / (1 + torch.exp(50 * (a - b))),
        "scale: torch has 50, Paddle has -50",
        "write x * -50 here",
    ),
    "step the other way": (
        step,
        lambda m, a, b: torch.sigmoid(50 * (b - a)),
        "swapped inputs",
        "exchange the two values",
    ),
    "no gamma": (scaled, lambda m, a, b: a + b, "mul by `gamma`", "add mul by `gamma`"),
    "gate the other way": (
        gate,
        torch_gate_turned,
        "swapped inputs",
        "exchange the two values",
    ),
}


@pytest.mark.parametrize("name", EQUAL)
def test_one_function_with_its_factor_elsewhere_is_equivalent(name):
    report = check(*EQUAL[name])
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_wrong_factor_is_the_only_finding(name):
    paddle_function, torch_function, cause, fix = DIFFERENT[name]
    report = check(paddle_function, torch_function)
    assert len(report.findings) == 1, str(report)
    assert cause in report.findings[0].cause
    assert fix in report.findings[0].fix
