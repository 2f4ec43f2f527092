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


class _PatchesInPaddle(paddle.nn.Layer):
    """Patches by a convolution, which leaves out what fills none."""

    def __init__(self, padding=0):
        super().__init__()
        self.conv = paddle.nn.Conv2D(2, 3, 4, 4, padding)

    def forward(self, x):
        return self.conv(x).flatten(2)


class _PatchesInTorch(torch.nn.Module):
    """Patches by a reshape, which takes sizes that they fill."""

    def __init__(self, conv, pad=0):
        super().__init__()
        self.conv, self.pad = torch.nn.Linear(32, 3), pad
        self.conv.weight.data = torch.tensor(conv.weight.numpy()).reshape(3, 32)
        self.conv.bias.data = torch.tensor(conv.bias.numpy())

    def forward(self, x):
        x = torch.nn.functional.pad(x, (self.pad,) * 4)
        n, c, h, w = x.shape
        x = x.reshape(n, c, h // 4, 4, w // 4, 4).permute(0, 2, 4, 1, 3, 5)
        return self.conv(x.reshape(n, -1, 32)).transpose(1, 2)


@pytest.mark.parametrize("pad", [0, 2])
def test_a_size_that_the_port_cannot_take_is_its_limit_only_where_paddle_leaves_out_what_is_more(pad):
    conv = _PatchesInPaddle(pad)
    report = parity.check(conv, _PatchesInTorch(conv.conv, pad), IMAGES)
    assert bool(report) is (pad == 0), str(report)
    limits = [note.text for note in report.notes if note.text.startswith("a limit of the port")]
    assert bool(limits) is (pad == 0)
