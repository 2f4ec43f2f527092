"""A port that raises where Paddle's model does not is DIFFERENT: the operator, its shapes, and what they come from."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
import torch

import parity
from parity.setup.inputs import random_input
from tests.parity.pairs import fill, load_what_fits


class PaddleNet(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.one = paddle.nn.Conv2D(3, 8, 3, padding=1)
        self.two = paddle.nn.Conv2D(8, 8, 3, padding=2, dilation=2)
        self.pool = paddle.nn.MaxPool2D(2, 2)
        self.fc = paddle.nn.Linear(8 * 16, 5)

    def forward(self, x):
        x = self.one(x)
        x = self.pool(x + self.two(x))
        return self.fc(x.flatten(1))


class TorchNet(torch.nn.Module):
    def __init__(self, dilation=2, ceil_mode=False):
        super().__init__()
        self.one = torch.nn.Conv2d(3, 8, 3, padding=1)
        self.two = torch.nn.Conv2d(8, 8, 3, padding=2, dilation=dilation)
        self.pool = torch.nn.MaxPool2d(2, 2, ceil_mode=ceil_mode)
        self.fc = torch.nn.Linear(8 * 16, 5)

    def between(self, x):
        return x

    def forward(self, x):
        x = self.one(x)
        x = self.pool(x + self.two(x))
        return self.fc(self.between(x).flatten(1))


class Sliced(TorchNet):
    def between(self, x):
        return x[..., :3]


class GivesUp(TorchNet):
    def between(self, x):
        raise LookupError("gave up")


class Recovers(TorchNet):
    """Tries what cannot be, and goes on."""

    def between(self, x):
        try:
            return x + torch.zeros(7)
        except RuntimeError:
            return x


class OutOfMemory(TorchNet):
    def between(self, x):
        raise MemoryError("no room")


class OnlyInFloat64(TorchNet):
    def between(self, x):
        if x.dtype is torch.float64:
            raise TypeError("not this wide")
        return x


def check(torch_model, **options) -> parity.Report:
    paddle_model, inputs = PaddleNet(), random_input((2, 3, 9, 9))
    fill(paddle_model, inputs)
    load_what_fits(paddle_model, torch_model)
    return parity.check(paddle_model, torch_model, inputs, further=False, **options)


@pytest.mark.parametrize(
    ("make", "first", "shapes"),
    [
        (
            lambda: TorchNet(dilation=1),
            "dilation: torch has (1, 1), Paddle has (2, 2)",
            "add is given [2, 8, 9, 9] and [2, 8, 11, 11] in torch, [2, 8, 9, 9] and [2, 8, 9, 9] in Paddle",
        ),
        (
            lambda: TorchNet(ceil_mode=True),
            "ceil_mode: torch has True, Paddle has False",
            "Linear is given [2, 200] in torch, [2, 128] in Paddle",
        ),
        (Sliced, "slice", "Linear is given [2, 96] in torch, [2, 128] in Paddle"),
    ],
)
def test_the_reason_is_the_one_finding_and_says_what_raises_because_of_it(make, first, shapes):
    report = check(make())
    assert report.verdict is parity.Verdict.DIFFERENT
    (reason,) = report.findings
    assert first in reason.cause
    assert (
        "so, on an input of 2x3x9x9, which Paddle's model takes, the torch model raised RuntimeError"
        in reason.cause
    )
    assert shapes in reason.cause
    assert "Traceback" in reason.evidence["traceback"]


def test_what_differs_but_makes_no_other_shape_is_not_the_reason():
    class Both(Sliced):
        def forward(self, x):
            return super().forward(x * 1.5)

    wrong, raised = check(Both()).findings
    assert "1.5" in wrong.cause
    assert raised.operator == "Linear"


def test_statistics_that_the_error_undoes_are_no_finding():
    class Theirs(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.norm, self.after = paddle.nn.BatchNorm2D(3), paddle.nn.BatchNorm2D(3)

        def forward(self, x):
            return self.after(self.norm(x))

    class Ours(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.after = torch.nn.BatchNorm2d(3), torch.nn.BatchNorm2d(3)

        def forward(self, x):
            return self.after(self.norm(x).reshape(2, 3, 7, -1))

    images = np.random.default_rng(0).random((2, 3, 4, 4), dtype=np.float32)
    (raised,) = parity.check(Theirs(), Ours(), images, mode="train").findings
    assert raised.operator == "reshape"


def test_gradients_are_no_hindrance():
    assert "dilation" in check(TorchNet(dilation=1), gradients=True).findings[0].cause


def test_code_of_the_models_own_that_raises_is_named_with_its_line():
    (raised,) = check(GivesUp()).findings
    assert "raised LookupError: gave up" in raised.cause
    with open(__file__) as file:
        line = next(number for number, text in enumerate(file, 1) if "LookupError(" in text)
    assert raised.where == f"{__file__}:{line}"


def test_an_operator_that_the_model_lets_fail_is_no_finding():
    assert check(Recovers())


@pytest.mark.parametrize(("model", "name"), [(OutOfMemory, "MemoryError"), (OnlyInFloat64, "TypeError")])
def test_what_is_not_the_ports_doing_is_an_error_not_a_verdict(model, name):
    with pytest.raises(parity.ParityError, match=f"the torch model raised {name}"):
        check(model())


def test_an_input_that_neither_takes_is_an_error():
    with pytest.raises(parity.ParityError, match="the paddle model raised"):
        parity.check(PaddleNet(), TorchNet(), np.zeros((2, 4, 9, 9), np.float32))
