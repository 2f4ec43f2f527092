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


class Normed(paddle.nn.Layer):
    """A layer and its BatchNorm, whose eps is not the usual one."""

    def __init__(self, layer, norm):
        super().__init__()
        self.layer, self.norm = layer, norm(4, epsilon=1e-3)

    def forward(self, x):
        return paddle.tanh(self.norm(self.layer(x)))


LAYERS = {
    "conv": (paddle.nn.Conv2D, torch.nn.Conv2d, (4, 4, 3), paddle.nn.BatchNorm2D, (-1, 1, 1, 1)),
    "linear": (paddle.nn.Linear, torch.nn.Linear, (6, 4), paddle.nn.BatchNorm1D, (-1, 1)),
}


@pytest.mark.parametrize("eps", [1e-3, 1e-5, 0.0, 2.5e-3])
@pytest.mark.parametrize("name", LAYERS)
def test_a_batch_norm_that_is_folded_with_another_eps_is_told_by_its_eps(name, eps):
    in_paddle, in_torch, sizes, norm, shape = LAYERS[name]
    paddle.seed(0)
    source, target = Normed(in_paddle(*sizes), norm), torch.nn.Sequential(in_torch(*sizes), torch.nn.Tanh())
    for tensor in source.state_dict().values():
        tensor.set_value(paddle.rand(tensor.shape) + 0.1)
    state = {name: tensor.numpy() for name, tensor in source.state_dict().items()}
    scale = state["norm.weight"] / np.sqrt(state["norm._variance"] + np.float32(eps))
    weight = state["layer.weight"].T if name == "linear" else state["layer.weight"]
    folded = {
        "0.weight": weight * scale.reshape(shape),
        "0.bias": (state["layer.bias"] - state["norm._mean"]) * scale + state["norm.bias"],
    }
    target.load_state_dict({name: torch.from_numpy(array) for name, array in folded.items()})
    inputs = IMAGES if name == "conv" else random_input((5, 6))
    report = parity.check(source, target, inputs, further=False)
    if eps == 1e-3:
        assert report, str(report)
    else:
        (finding,) = report.findings
        assert finding.attribute == "eps"
        assert finding.values["torch"] == pytest.approx(eps, rel=1e-2, abs=1e-6)
