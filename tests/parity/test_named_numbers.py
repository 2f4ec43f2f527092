"""A model that treats a size apart names it in its code: that size is tried too."""

import numpy as np
import paddle
import pytest
import torch

from parity import Verdict, check
from parity.capture.named import numbers_named


class PaddlePlain(paddle.nn.Layer):
    def forward(self, x, count=None):
        return x * 2 if count is None or int(count.max()) <= 40 else x * 3


class ByWidth(torch.nn.Module):
    def forward(self, x):
        width = x.shape[3]
        return x.mT.mT * 2 if width % 48 else x.flip(-1) * 2


class ByLength(torch.nn.Module):
    def forward(self, x):
        return torch.where(torch.arange(x.shape[1]) > 95, 0.0, 2.0) * x if x.size(1) > 99 else x * 2


class ByBatch(torch.nn.Module):
    def forward(self, x):
        return (x.sum(0) * 2 + 0 * x) if len(x) == 7 else x * 2


class ByCount(torch.nn.Module):
    def forward(self, x, count):
        return x * 2 if count.max().item() <= 40 else x * 4


class ByTiles(torch.nn.Module):
    def forward(self, x):
        return x * 2 if x.shape[2] < 24 else torch.cat([part.flip(2) for part in x.split(24, 2)], 2) * 2


class UpTo(torch.nn.Module):
    def forward(self, x, count):
        return x * (2 if min(30, int(count.max())) < 30 else 3)


class OnEdge(torch.nn.Module):
    def forward(self, x):
        return torch.where(x == 12, 0, x * 2)


class ByChunk(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.most = 21

    def forward(self, x):
        return torch.cat([part.flip(0) for part in x.split(self.most)]).flip(0) * 2


class ByDefault(torch.nn.Module):
    def forward(self, x, *, beyond=14):
        return x * 2 if len(x) <= beyond else x.cumsum(0)


class Asserting(torch.nn.Module):
    def forward(self, x):
        if x.shape[1] > 90:
            raise ValueError("at most 90")
        return x * 2


class TheSame(torch.nn.Module):
    def forward(self, x, count):
        return x * 2 if int(count.max()) < 41 else x * 3


def numbers(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


COUNT = np.array([3, 5])
CASES = [
    pytest.param(ByWidth, (numbers(1, 2, 8, 8),), Verdict.DIFFERENT, id="a multiple of a width"),
    pytest.param(ByLength, (numbers(2, 6),), Verdict.DIFFERENT, id="beyond a length"),
    pytest.param(ByBatch, (numbers(2, 3, 4),), Verdict.DIFFERENT, id="a batch"),
    pytest.param(ByCount, (numbers(2, 3, 4), COUNT), Verdict.DIFFERENT, id="a number that is asked for"),
    pytest.param(ByTiles, (numbers(1, 2, 8, 8),), Verdict.DIFFERENT, id="a second tile"),
    pytest.param(UpTo, (numbers(2, 3, 4), COUNT), Verdict.DIFFERENT, id="a number that is cut off"),
    pytest.param(OnEdge, (numbers(2, 6),), Verdict.DIFFERENT, id="an edge"),
    pytest.param(ByChunk, (numbers(2, 6),), Verdict.DIFFERENT, id="samples at a time"),
    pytest.param(ByDefault, (numbers(2, 6),), Verdict.DIFFERENT, id="a default"),
    pytest.param(Asserting, (numbers(2, 6),), Verdict.EQUIVALENT, id="a limit of the port"),
    pytest.param(TheSame, (numbers(2, 3, 4), COUNT), Verdict.EQUIVALENT, id="the same from there on"),
]


@pytest.mark.parametrize(("port", "inputs", "verdict"), CASES)
def test_what_is_done_from_a_number_on_that_the_code_names_is_compared(port, inputs, verdict):
    report = check(PaddlePlain(), port(), inputs)
    assert report.verdict is verdict, str(report)


def test_numbers_of_the_layer_itself_and_of_its_rank_are_not_sizes():
    class Asks(torch.nn.Module):
        def __init__(self, width):
            super().__init__()
            self.width = width if width > 77 else 78

        def forward(self, x):
            if self.width == 33 or x.ndim == 4 or x.dim() > 4:
                return x
            return x if x.shape[0] <= 12 else -x

    assert numbers_named(Asks(5)) == {13, 25}
    assert not numbers_named(torch.nn.MultiheadAttention(4, 2))
