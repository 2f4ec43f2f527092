"""Pads of lines, images and volumes: told as F.pad takes them, whatever dimensions the frameworks pad through."""

import paddle
import pytest
import torch

import parity
from parity.setup.inputs import random_input

P, T = paddle.nn, torch.nn
SHAPES = {1: (2, 3, 8), 2: (2, 3, 5, 8), 3: (2, 3, 4, 4, 4)}


@pytest.mark.parametrize(
    ("in_paddle", "in_torch", "told"),
    [
        (P.Pad1D((1, 2)), T.ConstantPad1d((1, 2), 0.0), ""),
        (P.Pad1D((1, 1)), T.ConstantPad1d((2, 0), 0.0), "pads: torch has (2, 0), Paddle has (1, 1)"),
        (P.Pad1D((1, 1)), T.ConstantPad1d((1, 2), 0.0), "pads: torch has (1, 2), Paddle has (1, 1)"),
        (P.Pad1D((1, 1), mode="reflect"), T.ReplicationPad1d((1, 1)), "mode: torch has edge, Paddle has reflect"),
        (P.Pad2D((1, 1, 0, 0)), T.ConstantPad2d((1, 1, 0, 0), 0.0), ""),
        (P.Pad2D((1, 1, 0, 0)), T.ConstantPad2d((1, 1, 0, 1), 0.0), "pads: torch has (1, 1, 0, 1), Paddle has (1, 1)"),
        (P.Pad3D((1, 1, 0, 0, 1, 0)), T.ConstantPad3d((1, 1, 0, 0, 0, 1), 0.0), "Paddle has (1, 1, 0, 0, 1, 0)"),
    ],
)  # fmt: skip
def test_a_pad_is_told_as_torch_takes_it(in_paddle, in_torch, told):
    rank = int(type(in_paddle).__name__[3])
    models = P.Sequential(P.Sigmoid(), in_paddle, P.Tanh()), T.Sequential(T.Sigmoid(), in_torch, T.Tanh())
    report = parity.check(*models, random_input(SHAPES[rank]), further=False)
    assert len(report.findings) == bool(told), str(report)
    assert not told or told in report.findings[0].cause


def test_a_pad_before_a_convolution_on_a_map_one_row_high_is_its_padding():
    in_torch = T.Sequential(T.Sequential(T.ZeroPad2d((1, 1, 0, 0)), T.Conv2d(3, 4, 3, padding=(1, 0))))
    report = parity.check(
        P.Sequential(P.Conv2D(3, 4, 3, padding=1)),
        in_torch,
        random_input((2, 3, 1, 8)),
        randomize=True,
        pairs={f"0.1.{name}": f"0.{name}" for name in ("weight", "bias")},
        further=False,
    )
    assert report, str(report)
    assert not any("written differently" in note.text for note in report.notes)


@pytest.mark.parametrize("pads", [(2, 0), (0, 2)])
def test_a_pad_before_a_convolution_of_lines_is_its_padding(pads):
    models = (
        lib.Sequential(lib.Sequential(pad, conv))
        for lib, pad, conv in (
            (P, P.Pad1D((2, 0)), P.Conv1D(3, 4, 3)),
            (T, T.ConstantPad1d(pads, 0.0), T.Conv1d(3, 4, 3)),
        )
    )
    report = parity.check(*models, random_input((2, 3, 8)), randomize=True, further=False)
    wrong = [("padding", {"paddle": ((2, 0),), "torch": (pads,)})] if pads != (2, 0) else []
    assert [(f.attribute, f.values) for f in report.findings] == wrong, str(report)


def test_a_pool_that_is_padded_with_zeros_before_is_one_finding():
    models = (
        P.Sequential(P.Conv2D(3, 4, 1), P.MaxPool2D(3, 2, 1)),
        T.Sequential(T.Conv2d(3, 4, 1), T.ZeroPad2d(1), T.MaxPool2d(3, 2)),
    )
    report = parity.check(*models, random_input((2, 3, 7, 7)), randomize=True, further=False)
    (finding,) = report.findings
    assert "value: torch has 0, Paddle has -inf" in finding.cause
    assert 'value=float("-inf")' in finding.fix
