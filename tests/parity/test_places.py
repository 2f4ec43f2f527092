"""The line that a finding names is the one to edit: where a value is handed in, where an operator is missing."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import paddle
import pytest
import torch

import parity
from parity.setup.inputs import random_input
from tests.parity.pairs import fill, load_what_fits


class PaddleBlock(paddle.nn.Layer):
    def __init__(self, cin, cout, dilation, act):
        super().__init__()
        self.conv = paddle.nn.Conv2D(cin, cout, 3, padding=dilation, dilation=dilation)
        self.tail = paddle.nn.Sequential(
            paddle.nn.BatchNorm2D(cout),
            act(),
            paddle.nn.AvgPool2D(3, 1, 1, exclusive=False),
        )

    def forward(self, x):
        y = paddle.nn.functional.relu(self.conv(x))
        y = self.tail(y)
        return y + x


class PaddleNet(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.one = PaddleBlock(3, 3, 1, paddle.nn.ReLU6)
        self.two = PaddleBlock(3, 3, 2, paddle.nn.Hardswish)
        self.norm = paddle.nn.GroupNorm(3, 3)

    def forward(self, x):
        early = self.one(x)
        late = self.two(early)
        return paddle.concat([self.norm(late), early], 1)


class TorchBlock(torch.nn.Module):
    def __init__(self, cin, cout, dilation, act):
        super().__init__()
        self.conv = torch.nn.Conv2d(cin, cout, 3, padding=dilation, dilation=dilation)
        self.tail = torch.nn.Sequential(
            torch.nn.BatchNorm2d(cout),
            act(),
            torch.nn.AvgPool2d(3, 1, 1),
        )

    def forward(self, x):
        y = torch.nn.functional.relu(self.conv(x))
        y = self.tail(y)
        return y + x


class TorchNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.one = TorchBlock(3, 3, 1, torch.nn.ReLU6)
        self.two = TorchBlock(3, 3, 2, torch.nn.Hardswish)
        self.norm = torch.nn.GroupNorm(3, 3)

    def forward(self, x):
        early = self.one(x)
        late = self.two(early)
        return torch.cat([self.norm(late), early], 1)


EDITS = {
    "a literal of a block": (
        "torch.nn.AvgPool2d(3, 1, 1),",
        "torch.nn.AvgPool2d(3, 1, 1, count_include_pad=False),",
        "",
    ),
    "what a block is given": (
        "self.two = TorchBlock(3, 3, 2, torch.nn.Hardswish)",
        "self.two = TorchBlock(3, 3, 3, torch.nn.Hardswish)",
        "",
    ),
    "a class that a block is given": (
        "self.one = TorchBlock(3, 3, 1, torch.nn.ReLU6)",
        "self.one = TorchBlock(3, 3, 1, torch.nn.ReLU)",
        "",
    ),
    "a block that drops what it is given": (
        "padding=dilation, dilation=dilation)\n        self.tail = torch",
        "padding=1, dilation=1)\n        self.tail = torch",
        "padding=1, dilation=1",
    ),
    "a call that is missing round another": (
        "y = torch.nn.functional.relu(self.conv(x))",
        "y = self.conv(x)",
        "",
    ),
    "an operator that is missing from the result": (
        "        return y + x\n\n\nclass TorchNet",
        "        return y\n\n\nclass TorchNet",
        "        return y\n",
    ),
    "a layer that is missing from the result": (
        "torch.cat([self.norm(late), early], 1)",
        "torch.cat([late, early], 1)",
        "",
    ),
    "an element that is missing from a Sequential": (
        "            act(),\n            torch.nn.AvgPool2d(3, 1, 1),",
        "            torch.nn.AvgPool2d(3, 1, 1),",
        "self.tail = torch.nn.Sequential(",
    ),
    "a value that is handed on": ("late = self.two(early)", "late = self.two(x)", ""),
}
"""What is edited -> (old, new, text of the line that must be named: the new one if empty)."""


@pytest.mark.parametrize("what", EDITS)
def test_the_line_to_edit_is_named(tmp_path, what):
    old, new, named = EDITS[what]
    source = Path(__file__).read_text().partition("EDITS = {")[0]
    file = tmp_path / "port.py"
    file.write_text(source.replace(old, new))
    spec = importlib.util.spec_from_file_location("port", file)
    port = sys.modules["port"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(port)
    finding = check(port.TorchNet()).findings[0]
    path, _, line = finding.where.rpartition(":")
    text = Path(path).read_text().splitlines()[int(line) - 1]
    assert path == str(file)
    assert (named or new).strip() in text, f"{finding}: {text}"


def check(torch_model):
    paddle_model, inputs = PaddleNet(), random_input((2, 3, 9, 9))
    fill(paddle_model, inputs)
    load_what_fits(paddle_model, torch_model)
    return parity.check(paddle_model, torch_model, inputs, further=False)


def test_the_right_port_is_equivalent():
    assert check(TorchNet())


class Around(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Conv2d(3, 3, 3, padding=1), torch.nn.BatchNorm2d(3))

    def forward(self, x):
        return torch.relu(self.body(x))


class PaddleAround(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.body = paddle.nn.Sequential(paddle.nn.Conv2D(3, 3, 3, padding=1), paddle.nn.BatchNorm2D(3))

    def forward(self, x):
        return paddle.nn.functional.relu(self.body(x) + x)


class Affine(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.gain, self.bias = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return torch.addcmul(self.bias, x, self.gain)


class PaddleAffine(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.gain, self.bias = self.create_parameter([1]), self.create_parameter([1], is_bias=True)

    def forward(self, x):
        return self.gain * x + self.bias


class Deep(Around):
    def __init__(self):
        super().__init__()
        self.tail = torch.nn.Sequential(torch.nn.Sequential(torch.nn.Conv2d(3, 3, 1), Affine()))
        self.last = torch.nn.Conv2d(3, 2, 1)

    def forward(self, x):
        return self.last(self.around(torch.relu(self.body(x))))

    def around(self, x):
        return self.tail(x)


class PaddleDeep(PaddleAround):
    def __init__(self):
        super().__init__()
        self.tail = paddle.nn.Sequential(paddle.nn.Sequential(paddle.nn.Conv2D(3, 3, 1), PaddleAffine()))
        self.last = paddle.nn.Conv2D(3, 2, 1)

    def forward(self, x):
        x = paddle.nn.functional.relu(self.body(x))
        return self.last(self.tail(x) + x)


def test_a_sum_that_is_missing_around_a_sequential_belongs_where_that_is_called():
    paddle_model, torch_model, inputs = PaddleAround(), Around(), random_input((2, 3, 5, 5))
    fill(paddle_model, inputs)
    load_what_fits(paddle_model, torch_model)
    (finding,) = parity.check(paddle_model, torch_model, inputs, further=False).findings
    line = int(finding.where.rpartition(":")[2])
    assert "torch.relu(self.body(x))" in Path(__file__).read_text().splitlines()[line - 1]


def test_a_sum_that_is_missing_behind_a_layer_deep_inside_belongs_where_both_numbers_are_at_hand():
    paddle_model, torch_model, inputs = PaddleDeep(), Deep(), random_input((2, 3, 5, 5))
    fill(paddle_model, inputs)
    load_what_fits(paddle_model, torch_model)
    (finding,) = parity.check(paddle_model, torch_model, inputs, further=False).findings
    line = int(finding.where.rpartition(":")[2])
    assert any(
        text in Path(__file__).read_text().splitlines()[line - 1] for text in ("self.around(", "self.tail(x)")
    )
