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
    for without in ("narrow", ""):
        source, target = pair(without=without)
        source.head.weight.set_value(paddle.zeros_like(source.head.weight))
        with torch.no_grad():
            target.head.weight.zero_()
        report = parity.check(source, target, IMAGES, further=False)
        # Fused rightly, it makes what Paddle's three operators make, whoever takes it.
        assert bool(report) is not bool(without), str(report)


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


class Sums(paddle.nn.Layer):
    """Two layers side by side, each with its BatchNorm."""

    def __init__(self):
        super().__init__()
        self.left, self.right = paddle.nn.Linear(5, 5, bias_attr=False), paddle.nn.Linear(5, 5)
        self.left_norm, self.right_norm = paddle.nn.BatchNorm1D(5), paddle.nn.BatchNorm1D(5)

    def forward(self, x):
        return paddle.tanh(self.left_norm(self.left(x)) + self.right_norm(self.right(x)))


def fused_in_float32(depth, *, eps=1e-5):
    """Blocks of two layers each, and torch's with one layer each. eps: of the last BatchNorm of all, as torch's weights hold it."""
    paddle.seed(0)
    source = paddle.nn.Sequential(*(Sums() for _ in range(depth)))
    for tensor in source.state_dict().values():
        tensor.set_value(paddle.rand(tensor.shape) + 0.2)
    layers = []
    for number, block in enumerate(source):
        weight, bias = np.zeros((5, 5), np.float32), np.zeros(5, np.float32)
        for layer, norm in ((block.left, block.left_norm), (block.right, block.right_norm)):
            held = eps if number == depth - 1 and norm is block.right_norm else 1e-5
            scale = norm.weight.numpy() / np.sqrt(norm._variance.numpy() + np.float32(held))
            weight += layer.weight.numpy().T * scale[:, None]
            bias += norm.bias.numpy() - norm._mean.numpy() * scale
            bias += 0 if layer.bias is None else layer.bias.numpy() * scale
        layers += [torch.nn.Linear(5, 5), torch.nn.Tanh()]
        layers[-2].load_state_dict({"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)})
    return source, torch.nn.Sequential(*layers)


def test_layers_that_are_fused_in_float32_are_equivalent_where_one_operator_makes_what_several_do():
    report = parity.check(*fused_in_float32(1), random_input((4, 5)), further=False)
    assert report, str(report)


def test_a_network_that_is_fused_in_float32_throughout_is_no_difference():
    report = parity.check(*fused_in_float32(4), random_input((4, 5)), further=False)
    assert not report.findings, str(report)


@pytest.mark.parametrize("depth", [1, 4])
def test_layers_that_are_fused_in_float32_with_another_eps_are_different(depth):
    report = parity.check(*fused_in_float32(depth, eps=3e-5), random_input((4, 5)), further=False)
    assert report.verdict is parity.Verdict.DIFFERENT, str(report)


class LastAxis(paddle.nn.Layer):
    """Images whose channels are the last axis throughout, as many as there are columns."""

    def __init__(self):
        super().__init__()
        self.a = paddle.nn.Conv2D(3, 8, 3, padding=1, data_format="NHWC")
        self.norm = paddle.nn.BatchNorm2D(8, data_format="NHWC")
        self.b = paddle.nn.Conv2DTranspose(8, 8, 2, stride=2, data_format="NHWC")

    def forward(self, x):
        return self.b(paddle.nn.functional.relu(self.norm(self.a(x))))


class SecondAxis(torch.nn.Module):
    def __init__(self, wrong):
        super().__init__()
        self.a, self.norm = torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.BatchNorm2d(8)
        self.b, self.wrong = torch.nn.ConvTranspose2d(8, 8, 2, stride=2, bias=not wrong), wrong

    def forward(self, x):
        return self.b(torch.relu(self.norm(self.a(x.permute(0, 3, 1, 2))))).permute(0, 2, 3, 1)


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("wrong", [False, True])
def test_the_bias_of_a_layer_whose_channels_are_the_last_axis_is_its_bias(mode, wrong):
    options = {"mode": mode, "gradients": mode == "train", "randomize": not wrong}
    report = parity.check(LastAxis(), SecondAxis(wrong), random_input((2, 8, 8, 3)), further=False, **options)
    assert report.verdict is (parity.Verdict.DIFFERENT if wrong else parity.Verdict.EQUIVALENT), str(report)
