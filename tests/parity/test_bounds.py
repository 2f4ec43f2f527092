"""What rounding and constants explain is derived, and completeness is asked first: in real networks."""

import re
from pathlib import Path

import numpy as np
import paddle
import pytest
import torch

import parity
from parity import Verdict

IMAGES = np.random.default_rng(0).standard_normal((2, 3, 16, 16), dtype=np.float32)


def numbers(*shape):
    return np.random.default_rng(1).standard_normal(shape, dtype=np.float32)


def loaded(paddle_model, torch_model):
    from paddle2torch import convert_state_dict

    torch_model.load_state_dict(convert_state_dict(paddle_model.state_dict(), torch_model))
    return paddle_model, torch_model


class PaddleMasked(paddle.nn.Layer):
    def __init__(self, fill):
        super().__init__()
        self.fc, self.out, self.fill = paddle.nn.Linear(8, 8), paddle.nn.Linear(8, 6), fill

    def forward(self, x):
        x = self.out(paddle.nn.functional.gelu(self.fc(x)))
        return paddle.where(paddle.arange(6) < 3, x, paddle.full_like(x, self.fill))


class TorchMasked(torch.nn.Module):
    def __init__(self, fill, activation):
        super().__init__()
        self.fc, self.out, self.fill = torch.nn.Linear(8, 8), torch.nn.Linear(8, 6), fill
        self.activation = activation

    def forward(self, x):
        x = self.out(self.activation(self.fc(x)))
        return x.masked_fill(torch.arange(6) >= 3, self.fill)


@pytest.mark.parametrize("fill", [-1e30, -1e9, 1e16])
@pytest.mark.parametrize("gradients", [False, True])
def test_a_missing_activation_beside_masked_logits_is_found(fill, gradients):
    pair = loaded(PaddleMasked(fill), TorchMasked(fill, torch.nn.Identity()))
    report = parity.check(*pair, numbers(5, 8), gradients=gradients)
    assert report.verdict is Verdict.DIFFERENT, str(report)
    assert "GELU" in report.findings[0].cause


@pytest.mark.parametrize("fill", [-1e30, -1e9, 1e16])
def test_a_right_port_with_masked_logits_is_equivalent(fill):
    pair = loaded(PaddleMasked(fill), TorchMasked(fill, torch.nn.functional.gelu))
    report = parity.check(*pair, numbers(5, 8))
    assert report.verdict is Verdict.EQUIVALENT, str(report)


class PaddleTwoNorms(paddle.nn.Layer):
    """BatchNorm, 1x1 convolution, BatchNorm: the second's batch mean is zero in exact arithmetic."""

    def __init__(self, kind):
        super().__init__()
        nn = paddle.nn
        self.a = nn.BatchNorm2D(3) if kind == "images" else nn.BatchNorm1D(3)
        self.b = nn.Conv2D(3, 8, 1, bias_attr=False) if kind == "images" else nn.Linear(3, 8, bias_attr=False)
        self.c = nn.BatchNorm2D(8) if kind == "images" else nn.BatchNorm1D(8)

    def forward(self, x):
        return self.c(self.b(self.a(x)))


class TorchTwoNorms(torch.nn.Module):
    def __init__(self, kind, momentum=0.1):
        super().__init__()
        nn = torch.nn
        norm = nn.BatchNorm2d if kind == "images" else nn.BatchNorm1d
        self.a = norm(3)
        self.b = nn.Conv2d(3, 8, 1, bias=False) if kind == "images" else nn.Linear(3, 8, bias=False)
        self.c = norm(8, momentum=momentum)

    def forward(self, x):
        return self.c(self.b(self.a(x)))


@pytest.mark.parametrize("kind", ["images", "rows"])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_a_running_mean_of_rounding_alone_is_no_difference(kind, offset):
    x = numbers(4, 3, 6, 6) if kind == "images" else numbers(16, 3)
    report = parity.check(
        *loaded(PaddleTwoNorms(kind), TorchTwoNorms(kind)), x + np.float32(offset), mode="train"
    )
    assert report.verdict is Verdict.EQUIVALENT, str(report)


def test_a_wrong_momentum_there_is_still_found():
    report = parity.check(
        *loaded(PaddleTwoNorms("images"), TorchTwoNorms("images", momentum=0.9)),
        numbers(4, 3, 6, 6),
        mode="train",
    )
    assert report.verdict is Verdict.DIFFERENT
    assert report.findings[0].layer == "c"


class PaddleGate(paddle.nn.Layer):
    """A hardsigmoid, whose slope is a float32 literal, with more behind it."""

    def __init__(self):
        super().__init__()
        self.fc, self.gate, self.out = (paddle.nn.Linear(8, 8) for _ in range(3))

    def forward(self, x):
        x = self.fc(x)
        return self.out(paddle.exp(x * paddle.nn.functional.hardsigmoid(self.gate(x), slope=0.2)))


class TorchGate(torch.nn.Module):
    def __init__(self, extra=0.0):
        super().__init__()
        self.fc, self.gate, self.out = (torch.nn.Linear(8, 8) for _ in range(3))
        self.extra = extra

    def forward(self, x):
        x = self.fc(x)
        x = x * torch.clamp(0.2 * self.gate(x) + 0.5, 0, 1)
        return self.out(torch.exp(x + self.extra))


def test_a_float32_constant_is_told_and_carried_to_the_output():
    pair = loaded(PaddleGate(), TorchGate())
    report = parity.check(*pair, numbers(4, 8))
    assert report.verdict is Verdict.EQUIVALENT, str(report)


def test_a_shift_as_small_as_a_constant_is_not_excused_by_it():
    """5e-8 is what the hardsigmoid's slope may make; it is not what makes this difference."""
    report = parity.check(*loaded(PaddleGate(), TorchGate(extra=5e-8)), numbers(4, 8))
    assert report.verdict is Verdict.DIFFERENT, str(report)


class PaddleFolded(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv, self.bn = paddle.nn.Conv2D(3, 4, 3), paddle.nn.BatchNorm2D(4)

    def forward(self, x):
        return self.bn(self.conv(x))


class TorchFolded(torch.nn.Module):
    def __init__(self, model, eps, shift=3.0):
        super().__init__()
        state = {name: torch.from_numpy(value.numpy()).double() for name, value in model.state_dict().items()}
        scale = state["bn.weight"] / torch.sqrt(state["bn._variance"] + eps)
        self.conv = torch.nn.Conv2d(3, 4, 3)
        self.conv.weight.data = (state["conv.weight"] * scale[:, None, None, None]).float()
        bias = (state["conv.bias"] - state["bn._mean"]) * scale + state["bn.bias"]
        self.conv.bias.data = bias.float()

    def forward(self, x):
        return self.conv(x)


@pytest.mark.parametrize(
    ("eps", "verdict"), [(1e-5, Verdict.EQUIVALENT), (2e-5, Verdict.DIFFERENT), (0.0, Verdict.DIFFERENT)]
)
def test_a_norm_is_folded_with_its_own_epsilon(eps, verdict):
    model = PaddleFolded()
    model.bn.weight.set_value(numbers(4))
    model.bn._mean.set_value(numbers(4) * 100)
    model.bn._variance.set_value(np.abs(numbers(4)) + 0.5)
    report = parity.check(model, TorchFolded(model, eps), IMAGES)
    assert report.verdict is verdict, str(report)


def test_no_other_module_holds_a_bound():
    """Small numbers that decide stand in `parity/limits.py`; defaults of signatures and texts are not meant."""
    root = Path(parity.__file__).parent
    literal = re.compile(r"(?:<|>|<=|>=|tol=|max\()\s*-?\d+(?:\.\d+)?e-\d+|\d(?:\.\d+)?\s*\*\*\s*-\d+")
    found = {
        f"{path.relative_to(root)}: {line.strip()}"
        for path in root.rglob("*.py")
        if path.name != "limits.py" and "rosetta" not in path.parts
        for line in path.read_text().splitlines()
        if literal.search(line.split("#")[0]) and '"' not in line
    }
    assert {line for line in found if "FLOAT32_STEP" not in line} == set()
