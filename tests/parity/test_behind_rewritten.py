"""Layers right behind a part that is written differently: their arguments are under watch as all others', and the part is not blamed."""

import paddle
import pytest
import torch

import parity
from parity.setup.inputs import random_input

P, T = paddle.nn, torch.nn


class InPaddle(P.Layer):
    """Pads by a row and a column too many on either side, and cuts them off."""

    def __init__(self, norm):
        super().__init__()
        self.conv, self.norm, self.head = P.Conv2D(3, 4, 3, padding=1, stride=1), norm, P.Conv2D(4, 2, 1)

    def forward(self, x):
        return self.head(paddle.tanh(self.norm(self.conv(x)[:, :, 1:, :-1])))


class InTorch(T.Module):
    """Pads where it is needed."""

    def __init__(self, norm):
        super().__init__()
        self.conv, self.norm, self.head = T.Conv2d(3, 4, 3), norm, T.Conv2d(4, 2, 1)

    def forward(self, x):
        return self.head(torch.tanh(self.norm(self.conv(T.functional.pad(x, (1, 0, 0, 1))))))


def check(in_paddle, in_torch, mode):
    models = InPaddle(in_paddle), InTorch(in_torch)
    return parity.check(*models, random_input((4, 3, 7, 7)), mode=mode, randomize=True, further=False)


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize(
    ("in_paddle", "in_torch", "attribute"),
    [
        (lambda: P.BatchNorm2D(4), lambda: T.BatchNorm2d(4), ""),
        (lambda: P.BatchNorm2D(4, momentum=0.99), lambda: T.BatchNorm2d(4), "momentum"),
        (lambda: P.BatchNorm2D(4, epsilon=1e-3), lambda: T.BatchNorm2d(4), "eps"),
        (lambda: P.GroupNorm(2, 4), lambda: T.GroupNorm(4, 4), "groups"),
        (lambda: P.AvgPool2D(3, 1, 1), lambda: T.AvgPool2d(3, 1, 1), "exclusive"),
    ],
)
def test_what_is_configured_otherwise_behind_it_is_the_one_finding(in_paddle, in_torch, attribute, mode):
    report = check(in_paddle(), in_torch(), mode)
    assert [f.attribute for f in report.findings] == ([attribute] if attribute else []), str(report)
    assert report.verdict is not parity.Verdict.INCONCLUSIVE
