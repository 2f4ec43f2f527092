"""What forward writes in place into a tensor of its own is seen, in whatever form and float width it is written."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle
import torch

import paddle2torch

X = np.random.default_rng(0).standard_normal((4, 4)).astype(np.float32)
TABLE = np.linspace(0.5, 2.0, 16, dtype=np.float32).reshape(4, 4)
MASK = np.eye(4, dtype=bool)


class Paddle(paddle.nn.Layer):
    def __init__(self, make, write):
        super().__init__()
        self.fc, self.make, self.write = paddle.nn.Linear(4, 4), make, write
        self.attribute = paddle.to_tensor(TABLE)
        self.listed = [paddle.to_tensor(TABLE)]
        self.register_buffer("kept", paddle.to_tensor(TABLE))

    def forward(self, x):
        y = self.fc(x)
        m = self.make(self)
        back = self.write(m, y)
        return paddle.matmul(y, m if back is None else back)


class Torch(torch.nn.Module):
    def __init__(self, make, write):
        super().__init__()
        self.fc, self.make, self.write = torch.nn.Linear(4, 4), make, write
        self.attribute = torch.tensor(TABLE)
        self.listed = [torch.tensor(TABLE)]
        self.register_buffer("kept", torch.tensor(TABLE))

    def forward(self, x):
        y = self.fc(x)
        m = self.make(self)
        back = self.write(m, y)
        return torch.matmul(y, m if back is None else back)


MADE = {
    "zeros": (
        lambda _: paddle.zeros([4, 4], dtype="float32"),
        lambda _: torch.zeros(4, 4, dtype=torch.float32),
    ),
    "a numpy table": (lambda _: paddle.to_tensor(TABLE.copy()), lambda _: torch.from_numpy(TABLE.copy())),
    "an arange": (
        lambda _: paddle.arange(16, dtype="float32").reshape([4, 4]),
        lambda _: torch.arange(16, dtype=torch.float32).view(4, 4),
    ),
    "float16": (
        lambda _: paddle.ones([4, 4], dtype="float16"),
        lambda _: torch.ones(4, 4, dtype=torch.float16),
    ),
    "a buffer": (lambda net: net.kept, lambda net: net.kept),
    "an attribute": (lambda net: net.attribute, lambda net: net.attribute),
    "a tensor in a list": (lambda net: net.listed[0], lambda net: net.listed[0]),
}


def _paddle_places(m, v):
    for i in range(4):
        m[i, i] = v + i


def _torch_places(m, v):
    for i in range(4):
        m[i, i] = v + i


def _index(module, *numbers):
    return module.to_tensor(list(numbers)) if module is paddle else module.tensor(list(numbers))


def _set(m, item, value):
    m[item] = value


def _iadd(m, value):
    m += value
    return m


# Each takes the matrix, the activation and a number; the last differs in a wrong port.
WRITTEN = {
    "places in a loop": (lambda m, y, v: _paddle_places(m, v), lambda m, y, v: _torch_places(m, v)),
    "a slice": (lambda m, y, v: _set(m, slice(1, 3), v), lambda m, y, v: _set(m, slice(1, 3), v)),
    "a slice of an activation": (
        lambda m, y, v: _set(m, (slice(None), 1), y[:, 2] * v),
        lambda m, y, v: _set(m, (slice(None), 1), y[:, 2] * v),
    ),
    "a mask": (
        lambda m, y, v: _set(m, paddle.to_tensor(MASK), v),
        lambda m, y, v: _set(m, torch.tensor(MASK), v),
    ),
    "rows by index": (
        lambda m, y, v: _set(m, _index(paddle, 0, 2), v),
        lambda m, y, v: _set(m, _index(torch, 0, 2), v),
    ),
    "fill_": (lambda m, y, v: _set(m, (), m.fill_(v) * 0 + v), lambda m, y, v: _set(m, (), m.fill_(v))),
    "fill_ in a loop": (
        lambda m, y, v: [m.fill_(v) for _ in range(2)][-1],
        lambda m, y, v: [m.fill_(v) for _ in range(2)][-1],
    ),
    "zero_ and add_": (
        lambda m, y, v: (m.zero_(), m.add_(paddle.full([4, 4], v)), None)[-1],
        lambda m, y, v: (m.zero_(), m.add_(v), None)[-1],
    ),
    "masked_fill_": (
        lambda m, y, v: (m.masked_fill_(paddle.to_tensor(MASK), v), None)[-1],
        lambda m, y, v: (m.masked_fill_(torch.tensor(MASK), v), None)[-1],
    ),
    "index_put_": (
        lambda m, y, v: (
            m.index_put_((_index(paddle, 0, 2), _index(paddle, 1, 3)), paddle.full([2], v, m.dtype)),
            None,
        )[-1],
        lambda m, y, v: (
            m.index_put_(
                (_index(torch, 0, 2), _index(torch, 1, 3)), torch.full((2,), v, dtype=torch.float32).to(m)
            ),
            None,
        )[-1],
    ),
    "scatter_": (
        lambda m, y, v: (
            m.put_along_axis_(paddle.zeros([1, 4], "int64"), paddle.full([1, 4], v, m.dtype), 0),
            None,
        )[-1],
        lambda m, y, v: (m.scatter_(0, torch.zeros(1, 4, dtype=torch.int64), v), None)[-1],
    ),
    "copy_ and assign": (
        lambda m, y, v: (paddle.assign(y * v, output=m), None)[-1],
        lambda m, y, v: (m.copy_(y * v), None)[-1],
    ),
    "assign of an array": (
        lambda m, y, v: (paddle.assign(TABLE * v, output=m), None)[-1],
        lambda m, y, v: (m.copy_(torch.from_numpy(TABLE * np.float32(v))), None)[-1],
    ),
    "set_value": (
        lambda m, y, v: (m.set_value(TABLE * v), None)[-1],
        lambda m, y, v: (m.copy_(torch.tensor(TABLE * np.float32(v))), None)[-1],
    ),
    "out=": (
        lambda m, y, v: (m.copy_(paddle.multiply(y, paddle.full([4, 4], v, y.dtype)), True), None)[-1],
        lambda m, y, v: (torch.mul(y, torch.full((4, 4), v).to(y), out=m), None)[-1],
    ),
    "+=": (lambda m, y, v: m + v, lambda m, y, v: _iadd(m, v)),
    "*= from an activation": (
        lambda m, y, v: (m + 1) * (y + v),
        lambda m, y, v: (m.add_(1), m.mul_(y + v))[1],
    ),
    "a view": (
        lambda m, y, v: _set(m, 1, v),
        lambda m, y, v: (m[1].fill_(v), None)[-1],
    ),
    "a view of a view": (
        lambda m, y, v: _set(m, (1, slice(2)), y[0, :2] * v),
        lambda m, y, v: (m.view(16)[4:8][:2].copy_(y[0, :2] * v), None)[-1],
    ),
    "the diagonal": (
        lambda m, y, v: (m.fill_diagonal_(v), None)[-1],
        lambda m, y, v: (m.fill_diagonal_(v), None)[-1],
    ),
    ".data": (
        lambda m, y, v: m * 0 + v,
        lambda m, y, v: (setattr(m, "data", torch.full((4, 4), v).to(m)), None)[-1],
    ),
}


def _pair(made, written, wrong, **options):
    make, write = MADE[made], WRITTEN[written]
    theirs = Paddle(make[0], lambda m, y: write[0](m, y, 1.5))
    ours = Torch(make[1], lambda m, y: write[1](m, y, 1.75 if wrong else 1.5))
    ours.fc.load_state_dict(
        {"weight": torch.tensor(theirs.fc.weight.numpy().T), "bias": torch.tensor(theirs.fc.bias.numpy())}
    )
    return paddle2torch.check(theirs, ours, X, further=False, **options)


CASES = [
    *((made, "places in a loop") for made in MADE),
    *(("zeros", written) for written in WRITTEN),
    ("a buffer", "fill_ in a loop"),
    ("an attribute", "a view"),
    ("a tensor in a list", "a view"),
    ("a numpy table", "a slice of an activation"),
]


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize(("made", "written"), CASES)
def test_the_same_numbers_written_in_place_are_equivalent(made, written, mode):
    report = _pair(made, written, wrong=False, mode=mode)
    assert report.verdict.value == "EQUIVALENT", str(report)


@pytest.mark.parametrize(("made", "written"), CASES)
def test_another_number_written_in_place_is_a_difference(made, written):
    report = _pair(made, written, wrong=True)
    assert report.verdict.value == "DIFFERENT", str(report)
