"""Weights that are not Paddle's and right all the same: what the rest of the port makes up for is no finding, and nothing else is."""

import numpy as np
import paddle
import pytest
import torch

import parity
from parity.setup.inputs import random_input

IMAGES = random_input((2, 4, 6, 6))


class Branches(paddle.nn.Layer):
    """What a re-parameterised block trains: a 3x3 and a 1x1 convolution, and the input itself; then another layer."""

    def __init__(self):
        super().__init__()
        self.wide, self.narrow = paddle.nn.Conv2D(4, 4, 3, padding=1), paddle.nn.Conv2D(4, 4, 1)
        self.act, self.head = paddle.nn.ReLU(), paddle.nn.Conv2D(4, 2, 1)

    def forward(self, x):
        return self.head(self.act(self.wide(x) + self.narrow(x) + x))


class Plain(torch.nn.Module):
    """What is deployed: one convolution."""

    def __init__(self):
        super().__init__()
        self.rep, self.head = torch.nn.Conv2d(4, 4, 3, padding=1), torch.nn.Conv2d(4, 2, 1)

    def forward(self, x):
        return self.head(torch.relu(self.rep(x)))


def pair(*, without: str = "", order=(0, 1, 2, 3)):
    """Models with the branches fused exactly. without: a branch that is forgotten; order: of the channels in between."""
    paddle.seed(0)
    source, target = Branches(), Plain().double()
    state = {name: value.numpy().astype(np.float64) for name, value in source.state_dict().items()}
    weight, bias = state["wide.weight"].copy(), state["wide.bias"].copy()
    if without != "narrow":
        weight[:, :, 1, 1] += state["narrow.weight"][:, :, 0, 0]
        bias += state["narrow.bias"]
    if without != "input":
        weight[:, :, 1, 1] += np.eye(4)
    order = list(order)
    fused = {"rep.weight": weight[order], "rep.bias": bias[order]}
    rest = {"head.weight": state["head.weight"][:, order], "head.bias": state["head.bias"]}
    target.load_state_dict({name: torch.from_numpy(array) for name, array in {**fused, **rest}.items()})
    return source, target


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 0, 3, 1)])
def test_branches_that_are_fused_exactly_and_channels_in_another_order_are_equivalent(order):
    report = parity.check(*pair(order=order), IMAGES)
    assert report, str(report)
    assert any("written differently" in note.text and "rep" in note.text for note in report.notes)


@pytest.mark.parametrize("without", ["narrow", "input"])
def test_a_branch_that_is_forgotten_is_different(without):
    assert parity.check(*pair(without=without), IMAGES).verdict is parity.Verdict.DIFFERENT


def test_a_weight_that_the_results_do_not_show_is_still_found():
    """The layer behind it takes nothing: with Paddle's numbers the results would be no others."""
    source, target = pair()
    source.head.weight.set_value(paddle.zeros_like(source.head.weight))
    with torch.no_grad():
        target.head.weight.zero_()
    assert "rep.weight" in parity.check(source, target, IMAGES).findings[0].cause
