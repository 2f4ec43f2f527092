"""A factor that belongs to a formula stays with it, whatever moves behind it: what is wrong beside it is told alone."""

import paddle
import pytest
import torch

import parity
from convert import convert_state_dict
from parity.setup.inputs import random_input

F = torch.nn.functional


class InPaddle(paddle.nn.Layer):
    def __init__(self, activation, factor=1.0):
        super().__init__()
        self.conv, self.fc = paddle.nn.Conv2D(3, 4, 3), paddle.nn.Linear(4, 5)
        self.activation, self.factor = activation, factor

    def forward(self, x):
        x = self.activation(self.conv(x)) * self.factor
        return self.fc(x.flatten(2).transpose([0, 2, 1]))


class InTorch(torch.nn.Module):
    def __init__(self, activation, factor=1.0):
        super().__init__()
        self.conv, self.fc = torch.nn.Conv2d(3, 4, 3), torch.nn.Linear(4, 5)
        self.activation, self.factor = activation, factor

    def forward(self, x):
        x = self.activation(self.conv(x)) * self.factor
        return self.fc(x.flatten(2).permute(0, 2, 1))


BY_HAND = {
    "hardswish": (paddle.nn.Hardswish(), lambda x: x * F.relu6(x + 3) / 6),
    "gelu": (paddle.nn.GELU(), lambda x: x * (1 + torch.erf(x / 2**0.5)) * 0.5),
    "tanh gelu": (
        paddle.nn.GELU(approximate=True),
        lambda x: x * (1 + torch.tanh(0.7978845608028654 * (x + 0.044715 * x**3))) / 2,
    ),
    "hardsigmoid": (lambda x: paddle.nn.functional.hardsigmoid(x), lambda x: (x + 3).clamp(0, 6) / 6),
}


def check(paddle_model, torch_model):
    torch_model.load_state_dict(convert_state_dict(paddle_model.state_dict(), torch_model))
    return parity.check(paddle_model, torch_model, random_input((2, 3, 6, 6)), further=False)


@pytest.mark.parametrize("factors", [(0.9, 1.0), (1.0, 0.5), (0.8, 0.7)])
@pytest.mark.parametrize("name", BY_HAND)
def test_an_activation_by_hand_is_not_blamed_for_the_factor_behind_it(name, factors):
    ours, theirs = BY_HAND[name]
    (finding,) = check(InPaddle(ours, factors[0]), InTorch(theirs, factors[1])).findings
    assert finding.operator == "scale or shift by a number", finding
    assert str(factors[0] if factors[0] != 1.0 else factors[1]) in f"{finding.cause} {finding.fix}"
