"""A kernel of another size is told as that, once, with what was chosen for it; never as the arguments beside it."""

import paddle
import pytest
import torch

import parity
from parity.setup.inputs import random_input

P, T = paddle.nn, torch.nn


@pytest.mark.parametrize(
    ("in_paddle", "in_torch", "shape", "fix"),
    [
        (P.Conv2D(3, 4, (1, 5), padding=(0, 2)), T.Conv2d(3, 4, 5, padding=2), (2, 3, 1, 9), "kernel_size=(1, 5), padding=(0, 2)"),
        (P.Conv2D(3, 4, 3, padding=1), T.Conv2d(3, 4, 5, padding=2), (2, 3, 8, 8), "kernel_size=(3, 3), padding=1"),
        (P.Conv2D(3, 4, 3, stride=2), T.Conv2d(3, 4, 2, stride=2), (2, 3, 8, 8), "kernel_size=(3, 3))"),
        (P.Conv1D(3, 4, 3, padding=1), T.Conv1d(3, 4, 1), (2, 3, 8), "kernel_size=(3,), padding=1"),
        (
            P.Conv2DTranspose(3, 4, 2, stride=2),
            T.ConvTranspose2d(3, 4, 4, stride=2, padding=1),
            (2, 3, 8, 8),
            "kernel_size=(2, 2), padding=0",
        ),
    ],
)  # fmt: skip
def test_a_kernel_of_another_size_is_the_one_finding(in_paddle, in_torch, shape, fix):
    report = parity.check(P.Sequential(in_paddle), T.Sequential(in_torch), random_input(shape), further=False)
    (finding,) = report.findings
    assert (finding.layer, finding.attribute) == ("0", "kernel_size")
    assert fix in finding.fix


def test_a_pool_on_a_map_one_row_high_is_told_by_what_differs():
    pools = P.MaxPool2D((1, 2), stride=(1, 2)), T.MaxPool2d((1, 3), stride=(1, 2), padding=(0, 1))
    report = parity.check(*pools, random_input((2, 3, 1, 9)), further=False)
    (finding,) = report.findings
    assert finding.attribute == "kernel_size"
    assert "padding=" in finding.fix
    wide = P.MaxPool2D((1, 2)), T.MaxPool2d((3, 2), stride=(1, 2), padding=(1, 0))
    report = parity.check(*wide, -random_input((2, 3, 1, 8)) - 9, further=False)
    (finding,) = report.findings
    assert finding.attribute == "kernel_size"
    assert "padding=" in finding.fix
