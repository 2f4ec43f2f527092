"""Zeros, equal and symmetric weights hide what is done with them: the given input is compared with others too."""

import warnings

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle
import torch

import parity
from parity.results.verdict import Verdict

X = np.random.default_rng(0).standard_normal((3, 4, 4)).astype(np.float32)
SYMMETRIC = (X[0] + X[0].T).astype(np.float32)


def make(array, trains=True):
    weight = paddle.create_parameter(
        list(array.shape), "float32", default_initializer=paddle.nn.initializer.Assign(array)
    )
    weight.stop_gradient = not trains
    return weight


class InPaddle(paddle.nn.Layer):
    def __init__(self, forward, trains, **weights):
        super().__init__()
        self.run = forward
        for name, array in weights.items():
            self.add_parameter(name, make(array, trains))

    def forward(self, x):
        return self.run(self, x)


class InTorch(torch.nn.Module):
    def __init__(self, forward, trains, **weights):
        super().__init__()
        self.run = forward
        for name, array in weights.items():
            self.register_parameter(name, torch.nn.Parameter(torch.tensor(array), requires_grad=trains))

    def forward(self, x):
        return self.run(self, x)


def compare(forward, wrong, weights, *, trains=True, names=None, **options):
    renamed = {(names or {}).get(name, name): array for name, array in weights.items()}
    models = InPaddle(forward, trains, **weights), InTorch(wrong, trains, **renamed)
    report = parity.check(*models, X, **options)
    for model, arrays in zip(models, (weights, renamed), strict=True):
        for name, array in arrays.items():
            assert np.array_equal(getattr(model, name).detach().numpy(), array)
    return report


def product(m, x):
    return x @ m.w


def branch(m, x):
    return x + m.scale * (x.flip(-1) if isinstance(x, torch.Tensor) else x.flip([-1]))


def tables(m, x):
    return x @ m.first + (x * x) @ m.second


TWINS = {"first": X[0], "second": X[0].copy()}

FAULTS = [
    pytest.param(product, lambda m, x: x @ m.w.T, {"w": SYMMETRIC}, id="symmetric"),
    pytest.param(
        branch, lambda m, x: x + m.scale * x.flip(-2), {"scale": np.zeros(4, np.float32)}, id="a zero scale"
    ),
    pytest.param(tables, lambda m, x: x @ m.second + (x * x) @ m.first, TWINS, id="twins"),
]


@pytest.mark.parametrize(("forward", "wrong", "weights"), FAULTS)
def test_what_the_given_weights_hide_shows_with_others(forward, wrong, weights):
    report = compare(forward, wrong, weights)
    assert report.verdict is Verdict.DIFFERENT, str(report)
    assert any("seen with other weights only" in finding.cause for finding in report.findings), str(report)
    right = compare(forward, forward, weights)
    assert right.verdict is Verdict.EQUIVALENT, str(right)
    assert right.cases[-1].name == "given input, other weights"
    assert not right.warnings


def test_a_gradient_that_a_zero_stops_is_compared_with_other_weights():
    def forward(m, x):
        return x.sum(-1) + (m.gate * (x @ m.w)).sum(-1)

    def cut(m, x):
        return x.sum(-1) + (m.gate * (x @ m.w.detach())).sum(-1)

    weights = {"w": X[1], "gate": np.zeros(1, np.float32)}
    report = compare(forward, cut, weights, gradients=True)
    assert report.verdict is Verdict.DIFFERENT, str(report)
    assert compare(forward, forward, weights, gradients=True).verdict is Verdict.EQUIVALENT


@pytest.mark.parametrize(
    "options", [{"trains": False}, {"names": {"w": "kernel"}}], ids=["frozen", "other names"]
)
def test_weights_of_which_it_is_not_known_what_they_may_be_stay_and_are_warned_of(options):
    report = compare(
        product, lambda m, x: x @ getattr(m, "w", getattr(m, "kernel", None)).T, {"w": SYMMETRIC}, **options
    )
    assert report.verdict is Verdict.EQUIVALENT, str(report)
    assert any("equal to their transpose" in warning for warning in report.warnings)
