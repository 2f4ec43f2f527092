"""Other sizes than the given one: several are tried, and what was refused is said."""

import paddle
import pytest
import torch

import parity
from parity.setup.inputs import random_input


class _Upsampled:
    """Half the size and back: by the other map's size, or by a factor; `takes` says which sizes it is made for."""

    def __init__(self, takes=None, exact=True):
        super().__init__()
        self.takes, self.exact = takes or (lambda height, width: True), exact

    def forward(self, x):
        height, width = x.shape[2:]
        if not self.takes(height, width):
            raise ValueError(f"{height}x{width} is no size for this")
        small = self.pool(x, 3, 2, 1)
        return self.up(
            small, **({"size": (height, width)} if self.exact else {"scale_factor": 2}), mode="bilinear"
        )[..., :height, :width]


class _InPaddle(_Upsampled, paddle.nn.Layer):
    pool, up = staticmethod(paddle.nn.functional.max_pool2d), staticmethod(paddle.nn.functional.interpolate)


class _InTorch(_Upsampled, torch.nn.Module):
    pool, up = staticmethod(torch.nn.functional.max_pool2d), staticmethod(torch.nn.functional.interpolate)


IMAGES = random_input((1, 2, 12, 12))


@pytest.mark.parametrize(
    ("takes", "compared"),
    [
        (lambda height, width: height < 13, "11x13"),
        (lambda height, width: height == width, "13x13"),
        (lambda height, width: height % 2 == 0, "14x10"),
        (lambda height, width: height % 4 == 0, "24x24"),
    ],
)
def test_a_size_that_paddle_refuses_is_said_and_another_is_tried(takes, compared):
    report = parity.check(_InPaddle(takes), _InTorch(), IMAGES)
    assert report
    assert any("x".join(map(str, case.shapes["0"][2:])) == compared for case in report.cases)
    (note,) = (note.text for note in report.notes if "does not take" in note.text)
    assert "does not take an input of 1x2x13x11" in note
    assert note.endswith(f"compared on 1x2x{compared}")


def test_a_fault_on_the_second_size_is_found():
    report = parity.check(_InPaddle(lambda height, width: height < 13), _InTorch(exact=False), IMAGES)
    assert report.verdict is parity.Verdict.DIFFERENT
    assert "seen on an input of 1x2x11x13 (another odd size) only" in report.findings[0].cause


def test_a_model_for_one_size_alone_says_that_no_other_was_compared():
    report = parity.check(_InPaddle(lambda *size: size == (12, 12)), _InTorch(), IMAGES)
    assert report
    assert any(note.text.startswith("only the given size was compared") for note in report.notes)


def test_a_size_that_the_port_itself_refuses_is_its_limit_and_no_difference():
    report = parity.check(_InPaddle(), _InTorch(lambda height, width: height < 13), IMAGES)
    assert report
    (note,) = (note.text for note in report.notes if note.text.startswith("a limit of the port"))
    assert "13x11 is no size for this" in note
    assert (11, 13) in [case.shapes["0"][2:] for case in report.cases]
