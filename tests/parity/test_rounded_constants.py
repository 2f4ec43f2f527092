"""Numbers that a model writes down in float32: where they stand in another way, the results differ by their rounding, and that is no fault."""

import math

import numpy as np
import paddle
import pytest
import torch

from parity import Verdict, check
from parity.capture.options import Nudge
from parity.sides.live import LiveSide

IMAGES = np.random.default_rng(0).random((2, 3, 8, 9)).astype(np.float32)


def pair(theirs, ours):
    class PaddleNet(paddle.nn.Layer):
        def forward(self, x):
            return theirs(x)

    class TorchNet(torch.nn.Module):
        def forward(self, x):
            return ours(x)

    return PaddleNet(), TorchNet()


RIGHT = {
    "means as tensors, and as numbers": (
        lambda x: (x - paddle.to_tensor([0.485])) / paddle.to_tensor([0.229]),
        lambda x: (x - 0.485) / 0.229,
    ),
    "means that are multiplied out": (
        lambda x: (x - 0.485) / 0.229,
        lambda x: x / 0.229 - torch.tensor(0.485 / 0.229),
    ),
    "a grid by its ends": (
        lambda x: x * ((paddle.arange(9, dtype="float32") + 0.5) / 9 * 2 - 1),
        lambda x: x * torch.linspace(-1 + 1 / 9, 1 - 1 / 9, 9),
    ),
    "a grid in the input's type": (
        lambda x: (x * paddle.linspace(0.1, 3, 9, dtype=x.dtype)).sum(-1),
        lambda x: torch.einsum("nchw,w->nch", x, torch.linspace(0.1, 3, 9)),
    ),
    "steps of a tenth": (
        lambda x: x * paddle.arange(0, 0.9, 0.1),
        lambda x: x * torch.arange(0, 0.9, 0.1),
    ),
    "a window": (
        lambda x: x * (0.5 - 0.5 * paddle.cos(2 * math.pi * paddle.arange(9, dtype="float32") / 9)),
        lambda x: x * torch.hann_window(9),
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_another_way_to_write_a_constant_is_no_fault(name):
    report = check(*pair(*RIGHT[name]), IMAGES)
    assert report.verdict is Verdict.EQUIVALENT, report


WRONG = {
    "a mean in its fifth digit": (
        lambda x: (x - paddle.to_tensor([0.485])) / paddle.to_tensor([0.229]),
        lambda x: (x - 0.48501) / 0.229,
    ),
    "a mean in its seventh digit": (
        lambda x: (x - paddle.to_tensor([0.485])) / paddle.to_tensor([0.229]),
        lambda x: (x - 0.4850003) / 0.229,
    ),
    "another eps beside such a mean": (
        lambda x: paddle.rsqrt((x - paddle.to_tensor([0.485])) ** 2 + 1e-3),
        lambda x: torch.rsqrt((x - 0.485) ** 2 + 1.01e-3),
    ),
    "a number without rounding": (
        lambda x: x * paddle.to_tensor([0.5]),
        lambda x: x * (0.5 + 1e-8),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_constant_that_is_another_number_is_found(name):
    assert check(*pair(*WRONG[name]), IMAGES).verdict is Verdict.DIFFERENT


def test_the_report_says_that_rounding_of_constants_is_all():
    report = check(*pair(*RIGHT["means as tensors, and as numbers"]), IMAGES, further=False)
    assert any("where they are rounded otherwise" in note.text for note in report.notes)


def test_only_numbers_that_were_rounded_move_and_by_half_a_step():
    numbers = np.array([0.5, 3.0, 0.0, 1000.0, np.inf, -np.inf, *np.float32([0.1, -0.3])], np.float64)
    moved = Nudge(1, frozenset()).applied(numbers)
    np.testing.assert_array_equal(moved[:6], numbers[:6])
    np.testing.assert_allclose(np.abs(moved[6:] / numbers[6:] - 1), 2.0**-24, rtol=1e-6)


def test_an_eps_that_paddle_keeps_in_float32_is_rounded_otherwise_too(tmp_path):
    side = LiveSide("paddle", paddle.nn.LayerNorm(9, epsilon=1e-3))
    results = []
    for number, nudge in enumerate((None, Nudge(1, frozenset()))):
        store = side.capture(
            {"0": IMAGES * 0.01},
            mode="eval",
            precision="float64",
            store=tmp_path / str(number),
            outputs_only=True,
            nudge=nudge,
        )[1]
        results.append(store.get("output:output"))
        store.close()
    apart = np.abs(results[0] - results[1]).max() / np.abs(results[0]).max()
    assert 1e-10 < apart < 1e-6
