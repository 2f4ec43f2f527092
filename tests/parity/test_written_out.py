"""A known function that one side writes out with tensor operators is that one operator, in either framework.

Each row is tried twice between two convolutions: right, it is EQUIVALENT without a word; wrong, with a second
mistake behind it, both are found, each at its own line and with its own cause.
"""

from __future__ import annotations

import linecache
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import paddle
import paddle.nn.functional as PF
import pytest
import torch
import torch.nn.functional as TF

import parity
from parity.setup.inputs import random_input

SHAPE = (2, 3, 6, 5)


@dataclass(frozen=True)
class Row:
    """Functions of (weights, x of [2, 8, 6, 5]): Paddle's, torch's right twins, and a wrong one.

    operator, cause and line tell what must be said of the wrong one; line is a part of its source line.
    """

    paddle: Callable
    right: tuple[Callable, ...]
    wrong: Callable
    operator: str
    cause: str
    line: str
    weights: tuple[str, ...] = ()
    mode: str = "eval"
    note: str = ""


def column(weight):
    return weight.reshape([1, -1, 1, 1])


def channels_first(m, x, *, eps=1e-6, axis=1, scale=True):
    mean = x.mean(axis, keepdim=True)
    variance = (x - mean).pow(2).mean(axis, keepdim=True)
    x = (x - mean) / torch.sqrt(variance + eps)
    return m.w[:, None, None] * x + m.b[:, None, None] if scale else x + m.b[:, None, None]


def by_var_mean(m, x, correction=0):
    variance, mean = torch.var_mean(x, dim=1, keepdim=True, correction=correction)
    return column(m.w) * ((x - mean) * torch.rsqrt(variance + 1e-6)) + column(m.b)


def by_deviation(m, x):
    x = (x - x.mean(1, keepdim=True)) / (x.std(1, keepdim=True, unbiased=False) + 1e-6)
    return column(m.w) * x + column(m.b)


def channels_last(m, x):
    return PF.layer_norm(x.transpose([0, 2, 3, 1]), 8, m.w, m.b, 1e-6).transpose([0, 3, 1, 2])


def paddle_channels_first(m, x):
    mean = x.mean(1, keepdim=True)
    variance = paddle.var(x, 1, unbiased=False, keepdim=True)
    return column(m.w) * ((x - mean) / paddle.sqrt(variance + 1e-6)) + column(m.b)


def torch_channels_last(m, x, eps=1e-6):
    return TF.layer_norm(x.movedim(1, -1), (8,), m.w, m.b, eps).movedim(-1, 1)


def by_hand_channels_last(m, x):
    x = x.movedim(1, -1)
    x = (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, unbiased=False) + 1e-6).sqrt()
    return (m.w * x + m.b).movedim(-1, 1)


def by_groups(m, x, *, groups=2, eps=1e-5):
    y = x.reshape(x.shape[0], groups, -1)
    y = (y - y.mean(-1, keepdim=True)) / (y.var(-1, keepdim=True, unbiased=False) + eps).sqrt()
    return y.reshape(x.shape) * column(m.w) + column(m.b)


def by_image(m, x, eps=1e-5):
    mean, square = x.mean((2, 3), keepdim=True), (x**2).mean((2, 3), keepdim=True)
    root = torch.sqrt(square - mean**2 + eps)
    return (x - mean) / root * column(m.w) + column(m.b)


def frozen(m, x, eps=1e-5):
    scale = column(m.w) * (column(m.v) + eps).rsqrt()
    return x * scale + (column(m.b) - column(m.m) * scale)


def by_batch(m, x, unbiased=False):
    mean = x.mean((0, 2, 3), keepdim=True)
    variance = x.var((0, 2, 3), keepdim=True, unbiased=unbiased)
    return (x - mean) / torch.sqrt(variance + 1e-5) * column(m.w) + column(m.b)


def root_mean_square(m, x, eps=1e-6):
    square = (x * x).sum(1, keepdim=True) / x.shape[1]
    return column(m.w) * (x * torch.rsqrt(square + eps))


def paddle_root_mean_square(m, x):
    return x / paddle.sqrt(x.pow(2).mean(1, keepdim=True) + 1e-6) * column(m.w)


def exponentials(x, axis=1):
    e = torch.exp(x - x.max(1, keepdim=True).values)
    return e / e.sum(axis, keepdim=True)


def tanh_gelu(x, cubic=0.044715):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + cubic * x**3)))


def attention(m, x, scale=None):
    q = x.flatten(2)
    scores = q @ q.transpose(1, 2) * (scale or q.shape[-1] ** -0.5)
    e = torch.exp(scores)
    return (e / e.sum(-1, keepdim=True) @ q).reshape(x.shape)


def paddle_attention(m, x):
    q = x.flatten(2).unsqueeze(2)
    return PF.scaled_dot_product_attention(q, q, q).squeeze(2).reshape(x.shape)


def shuffled(x, order=(0, 1, 4, 2, 5, 3)):
    return x.reshape(2, 2, 2, 2, 6, 5).permute(order).reshape(2, 8, 6, 5)


NORM = ("w", "b")
ROWS = {
    "LayerNorm of channels": Row(
        channels_last,
        (channels_first, by_var_mean, torch_channels_last, by_hand_channels_last),
        lambda m, x: channels_first(m, x, eps=1e-5),
        "LayerNorm",
        "eps: torch has 1e-05, Paddle has 1e-06",
        "variance + eps",
        NORM,
    ),
    "LayerNorm over another axis": Row(
        channels_last,
        (),
        lambda m, x: channels_first(m, x, axis=2),
        "LayerNorm",
        "axes: torch has (-2,), Paddle has (-3,)",
        "pow(2).mean(axis",
        NORM,
    ),
    "LayerNorm without its scale": Row(
        channels_last,
        (),
        lambda m, x: channels_first(m, x, scale=False),
        "LayerNorm",
        "weight only in Paddle",
        "torch.sqrt",
        NORM,
    ),
    "LayerNorm with the unbiased variance": Row(
        channels_last,
        (),
        lambda m, x: by_var_mean(m, x, correction=1),
        "LayerNorm",
        "variance: torch has unbiased, Paddle has biased",
        "torch.var_mean",
        NORM,
    ),
    "LayerNorm with eps outside of the root": Row(
        channels_last,
        (),
        by_deviation,
        "LayerNorm",
        "denominator: torch has sqrt(variance) + eps, Paddle has sqrt(variance + eps)",
        "+ 1e-6)",
        NORM,
    ),
    "LayerNorm written out in Paddle": Row(
        paddle_channels_first,
        (torch_channels_last,),
        lambda m, x: torch_channels_last(m, x, 1e-3),
        "LayerNorm",
        "eps: torch has 0.001, Paddle has 1e-06",
        "TF.layer_norm",
        NORM,
    ),
    "GroupNorm": Row(
        lambda m, x: PF.group_norm(x, 2, 1e-5, m.w, m.b),
        (by_groups,),
        lambda m, x: by_groups(m, x, groups=4),
        "GroupNorm",
        "groups: torch has 4, Paddle has 2",
        "y.var(",
        NORM,
    ),
    "InstanceNorm": Row(
        lambda m, x: PF.instance_norm(x, weight=m.w, bias=m.b),
        (by_image,),
        lambda m, x: by_image(m, x, 1e-3),
        "InstanceNorm2d",
        "eps: torch has 0.001, Paddle has 1e-05",
        "- mean**2 + eps",
        NORM,
    ),
    "frozen BatchNorm": Row(
        lambda m, x: PF.batch_norm(x, m.m, m.v, m.w, m.b),
        (frozen,),
        lambda m, x: frozen(m, x, 1e-3),
        "BatchNorm2d",
        "eps: torch has 0.001, Paddle has 1e-05",
        "column(m.v) + eps",
        (*NORM, "m", "v"),
    ),
    "BatchNorm in training": Row(
        lambda m, x: PF.batch_norm(x, m.m, m.v, m.w, m.b, training=True),
        (by_batch,),
        lambda m, x: by_batch(m, x, unbiased=True),
        "BatchNorm2d",
        "variance: torch has unbiased, Paddle has biased",
        "x.var(",
        (*NORM, "m", "v"),
        "train",
    ),
    "RMSNorm": Row(
        paddle_root_mean_square,
        (
            root_mean_square,
            lambda m, x: TF.rms_norm(x.movedim(1, -1), (8,), m.w, 1e-6).movedim(-1, 1),
        ),
        lambda m, x: root_mean_square(m, x, eps=1e-3),
        "RMSNorm",
        "eps: torch has 0.001, Paddle has 1e-06",
        "square + eps",
        ("w",),
    ),
    "unit length": Row(
        lambda m, x: PF.normalize(x, axis=1),
        (
            lambda m, x: TF.normalize(x, dim=1),
            lambda m, x: x / x.norm(dim=1, keepdim=True),
            lambda m, x: x * torch.rsqrt((x * x).sum(1, keepdim=True) + 1e-12),
        ),
        lambda m, x: x / (x.norm(dim=2, keepdim=True) + 1e-12),
        "normalize",
        "axes: torch has (-2,), Paddle has (-3,)",
        "x.norm(dim=2",
    ),
    "GELU": Row(
        lambda m, x: PF.gelu(x),
        (
            lambda m, x: 0.5 * x * (1 + torch.erf(x / math.sqrt(2))),
            lambda m, x: x * ((torch.erf(x * 0.7071067811865476) + 1) / 2),
        ),
        lambda m, x: 0.5 * x * (1 + torch.erf(x / 2)),
        "GELU",
        "formula: torch has erf(0.5 * x), Paddle has the usual one",
        "torch.erf(x / 2)",
    ),
    "GELU by tanh": Row(
        lambda m, x: PF.gelu(x, approximate=True),
        (lambda m, x: tanh_gelu(x),),
        lambda m, x: tanh_gelu(x, 0.44715),
        "GELU",
        "formula: torch has tanh(0.797885 * (x + 0.44715 * x^3))",
        "cubic * x**3",
    ),
    "the other GELU": Row(
        lambda m, x: PF.gelu(x),
        (),
        lambda m, x: tanh_gelu(x),
        "GELU",
        "approximate: torch has True, Paddle has False",
        "cubic * x**3",
    ),
    "SiLU": Row(
        lambda m, x: PF.silu(x),
        (lambda m, x: x * torch.sigmoid(x), lambda m, x: x / (1 + torch.exp(-x))),
        lambda m, x: x * torch.sigmoid(1.702 * x),
        "SiLU",
        "beta: torch has 1.702, Paddle has 1",
        "1.702",
    ),
    "Hardswish": Row(
        lambda m, x: PF.hardswish(x),
        (lambda m, x: x * TF.relu6(x + 3) / 6, lambda m, x: x * torch.clamp(x / 6 + 0.5, 0, 1)),
        lambda m, x: x * TF.relu6(x + 3) / 3,
        "Hardswish",
        "formula: torch has x * 2 * clip(0.166667 * x + 0.5, 0, 1)",
        "/ 3",
    ),
    "Mish": Row(
        lambda m, x: PF.mish(x),
        (lambda m, x: x * torch.tanh(torch.log(1 + torch.exp(x))),),
        lambda m, x: x * torch.sigmoid(x),
        "SiLU",
        "torch runs SiLU where Paddle runs Mish",
        "torch.sigmoid",
    ),
    "LeakyReLU": Row(
        lambda m, x: PF.leaky_relu(x, 0.1),
        (lambda m, x: torch.where(x > 0, x, 0.1 * x), lambda m, x: torch.max(x, 0.1 * x)),
        lambda m, x: torch.where(x > 0, x, 0.2 * x),
        "LeakyReLU",
        "slope: torch has 0.2, Paddle has 0.1",
        "0.2 * x",
    ),
    "softmax": Row(
        lambda m, x: PF.softmax(x, 1),
        (
            lambda m, x: exponentials(x),
            lambda m, x: torch.exp(x) / torch.exp(x).sum(1, keepdim=True),
        ),
        lambda m, x: exponentials(x, 2),
        "Softmax",
        "axis: torch has -2, Paddle has -3",
        "e.sum(axis",
    ),
    "log_softmax": Row(
        lambda m, x: PF.log_softmax(x, 1),
        (lambda m, x: x - torch.logsumexp(x, 1, keepdim=True), lambda m, x: x.softmax(1).log()),
        lambda m, x: x - torch.logsumexp(x, 2, keepdim=True),
        "LogSoftmax",
        "axis: torch has -2, Paddle has -3",
        "torch.logsumexp(x, 2",
    ),
    "attention": Row(
        paddle_attention,
        (
            attention,
            lambda m, x: TF.scaled_dot_product_attention(*[x.flatten(2)] * 3).reshape(x.shape),
        ),
        lambda m, x: attention(m, x, 0.5),
        "matmul",
        "scale: torch has 0.5, Paddle has 0.1825",
        "scores = q @",
    ),
    "pixel shuffle": Row(
        lambda m, x: PF.pixel_shuffle(x, 2).reshape([2, 8, 6, 5]),
        (lambda m, x: shuffled(x),),
        lambda m, x: shuffled(x, (0, 1, 4, 3, 5, 2)),
        "permute",
        "order: torch has permute",
        "permute(order)",
    ),
    "channel shuffle": Row(
        lambda m, x: PF.channel_shuffle(x, 2),
        (lambda m, x: x.reshape(2, 2, 4, 6, 5).transpose(1, 2).reshape(2, 8, 6, 5),),
        lambda m, x: x.reshape(2, 4, 2, 6, 5).transpose(1, 2).reshape(2, 8, 6, 5),
        "permute",
        "order: torch has permute",
        "(2, 4, 2, 6, 5)",
    ),
    "global average pooling": Row(
        lambda m, x: PF.adaptive_avg_pool2d(x, 1),
        (lambda m, x: x.sum((2, 3), keepdim=True) / 30, lambda m, x: x.flatten(2).mean(2)[..., None, None]),
        lambda m, x: x.sum((2, 3), keepdim=True) / 31,
        "scale or shift",
        "x * 0.9677419355 after global average pooling (mean) only in torch",
        "/ 31",
    ),
}


class PaddleNet(paddle.nn.Layer):
    def __init__(self, middle, weights):
        super().__init__()
        self.first = paddle.nn.Conv2D(3, 8, 3, padding=1)
        for name in weights:
            setattr(self, name, self.create_parameter([8]))
        self.last = paddle.nn.Conv2D(8, 4, 1)
        self.middle = middle

    def forward(self, x):
        return PF.leaky_relu(self.last(self.middle(self, self.first(x))), 0.01)


class TorchNet(torch.nn.Module):
    def __init__(self, middle, weights, slope=0.01):
        super().__init__()
        self.first = torch.nn.Conv2d(3, 8, 3, padding=1)
        for name in weights:
            setattr(self, name, torch.nn.Parameter(torch.empty(8)))
        self.last = torch.nn.Conv2d(8, 4, 1)
        self.middle, self.slope = middle, slope

    def forward(self, x):
        return TF.leaky_relu(self.last(self.middle(self, self.first(x))), self.slope)


def check(row: Row, middle: Callable, slope: float = 0.01) -> parity.Report:
    in_paddle, in_torch = PaddleNet(row.paddle, row.weights), TorchNet(middle, row.weights, slope)
    rng = np.random.default_rng(1)
    state = {
        name: (rng.uniform(0.5, 1.5, t.shape) if name in row.weights else rng.normal(0, 0.5, t.shape))
        for name, t in in_paddle.state_dict().items()
    }
    state = {name: array.astype(np.float32) for name, array in state.items()}
    in_paddle.set_state_dict(state)
    in_torch.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    return parity.check(in_paddle, in_torch, random_input(SHAPE), mode=row.mode, further=False)


@pytest.mark.filterwarnings("ignore:When training, we now always track")
@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.right])
def test_a_function_that_is_written_out_is_the_operator_itself(name):
    row = ROWS[name]
    for right in row.right:
        report = check(row, right)
        assert report.verdict is parity.Verdict.EQUIVALENT, str(report)
        told = [note.text for note in report.notes if "running variance" not in note.text]
        # A float32 constant of Paddle's is told; nothing is ever left as a stretch that is written differently.
        assert all("Paddle keeps eps in float32" in text for text in told), told


@pytest.mark.filterwarnings("ignore:When training, we now always track")
@pytest.mark.parametrize("name", ROWS)
def test_a_mistake_inside_and_one_behind_are_both_found(name):
    row = ROWS[name]
    report = check(row, row.wrong, slope=0.2)
    assert len(report.findings) == 2, str(report)
    inside, behind = report.findings
    assert row.operator in inside.operator
    assert row.cause in inside.cause
    file, _, line = inside.where.rpartition(":")
    assert row.line in linecache.getline(file, int(line))
    assert (behind.operator, behind.cause) == ("LeakyReLU", "slope: torch has 0.2, Paddle has 0.01")


def test_a_function_that_nobody_knows_is_a_stretch_of_its_own():
    """No guess: what computes nothing known stays what it is, and what stands behind it is still judged."""
    row = Row(lambda m, x: PF.mish(x), (), lambda m, x: x * torch.tanh(torch.exp(x)), "", "", "")
    inside, behind = check(row, row.wrong, slope=0.2).findings
    assert "exp -> Tanh -> mul where Paddle computes Mish" in inside.cause
    assert behind.operator == "LeakyReLU"
