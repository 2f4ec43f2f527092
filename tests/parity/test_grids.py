"""Places of a grid in a head that decodes boxes: x and y that are exchanged are one finding, where they are joined."""

import paddle
import pytest
import torch

import parity
from parity.setup.inputs import random_input


class InPaddle(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.head = paddle.nn.Conv2D(3, 2, 1)

    def forward(self, x):
        y, x_ = paddle.meshgrid(paddle.arange(x.shape[2]), paddle.arange(x.shape[3]))
        grid = paddle.stack([x_, y], -1).reshape([1, -1, 2]).astype(x.dtype)
        return (self.head(x).flatten(2).transpose([0, 2, 1]) + grid) * 8


class InTorch(torch.nn.Module):
    def __init__(self, join):
        super().__init__()
        self.head, self.join = torch.nn.Conv2d(3, 2, 1), join

    def forward(self, x):
        y, x_ = torch.meshgrid(torch.arange(x.shape[2]), torch.arange(x.shape[3]), indexing="ij")
        grid = self.join(x_, y).reshape(1, -1, 2).to(x.dtype)
        return (self.head(x).flatten(2).permute(0, 2, 1) + grid) * 8


@pytest.mark.parametrize(
    ("join", "wrong"),
    [  # each on a line of its own, which the finding names
        (lambda x, y: torch.stack([x, y], -1), False),
        (lambda x, y: torch.cat([x.reshape(-1, 1), y.reshape(-1, 1)], 1), False),
        (lambda x, y: torch.stack([y, x], -1), True),
        (lambda x, y: torch.cat([y.reshape(-1, 1), x.reshape(-1, 1)], 1), True),
    ],
)
def test_axes_of_a_grid_that_are_exchanged_are_one_finding(join, wrong):
    models = InPaddle(), InTorch(join)
    report = parity.check(*models, random_input((2, 3, 4, 6)), randomize=True, further=False)
    assert len(report.findings) == wrong, str(report)
    for finding in report.findings:
        assert "exchanged" in finding.cause
        assert finding.where == f"{__file__}:{join.__code__.co_firstlineno}"


def test_two_values_that_are_called_alike_are_told_apart_by_their_lines():
    class P(paddle.nn.Layer):
        def forward(self, x):
            low = paddle.clip(x, -1.0, 0.2)
            high = paddle.clip(x + 3.0, 0.5, 2.0)
            return paddle.concat([low, high], -1)

    class T(torch.nn.Module):
        def forward(self, x):
            low = torch.clamp(x, -1.0, 0.2)
            high = torch.clamp(x + 3.0, 0.5, 2.0)
            return torch.cat([high, low], -1)

    (finding,) = parity.check(P(), T(), random_input((2, 5)), further=False).findings
    assert finding.values["paddle"] != finding.values["torch"]
    assert finding.cause.count("test_grids.py:") == 2


@pytest.mark.parametrize("offset", [0.5, 0.0])
def test_an_offset_that_is_missing_before_a_grid_is_one_finding(offset):
    class P(paddle.nn.Layer):
        def forward(self, x):
            rows, columns = (paddle.arange(end=n) + 0.5 for n in x.shape[2:])
            y, x_ = paddle.meshgrid(rows, columns)
            return x.flatten(2).mean(2).sum() + paddle.stack([x_, y], -1).astype(x.dtype).reshape([-1, 2])

    class T(torch.nn.Module):
        def forward(self, x):
            rows, columns = (torch.arange(n, dtype=x.dtype) + offset for n in x.shape[2:])
            y, x_ = torch.meshgrid(rows, columns, indexing="ij")
            return x.flatten(2).mean(2).sum() + torch.stack([x_, y], -1).reshape(-1, 2)

    report = parity.check(P(), T(), random_input((2, 3, 4, 6)), further=False)
    assert len(report.findings) == (not offset), str(report)


class PaddleBoxes(paddle.nn.Layer):
    """Sides of boxes as means of a distribution, (side, bin) in the channels, from the places of a grid."""

    def __init__(self):
        super().__init__()
        self.conv = paddle.nn.Conv2D(3, 12, 1)
        self.register_buffer("bins", paddle.arange(3).astype("float32"))

    def forward(self, x):
        height, width = x.shape[2:]
        y = self.conv(x).reshape([-1, 4, 3, height * width]).transpose([0, 2, 3, 1])
        y = (paddle.nn.functional.softmax(y, axis=1) * self.bins.reshape([1, -1, 1, 1])).sum(axis=1)
        grid = paddle.meshgrid(paddle.arange(end=height) + 0.5, paddle.arange(end=width) + 0.5)
        grid = paddle.stack(grid[::-1], -1).astype(x.dtype).reshape([-1, 2])
        return paddle.concat([grid - y[..., :2], grid + y[..., 2:]], -1)


class TorchBoxes(torch.nn.Module):
    """The same, with (bin, side) read out of the channels."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 12, 1)
        self.register_buffer("bins", torch.arange(3).float())

    def forward(self, x):
        height, width = x.shape[2:]
        y = self.conv(x).reshape(-1, 3, 4, height * width).permute(0, 1, 3, 2)
        y = (torch.softmax(y, dim=1) * self.bins.view(1, -1, 1, 1)).sum(dim=1)
        places = (torch.arange(n, dtype=x.dtype) + 0.5 for n in (height, width))
        grid = torch.stack(torch.meshgrid(*places, indexing="ij")[::-1], -1).reshape(-1, 2)
        return torch.cat([grid - y[..., :2], grid + y[..., 2:]], -1)


def test_where_no_operator_can_be_blamed_the_one_at_which_the_numbers_part_is_told():
    report = parity.check(
        PaddleBoxes(), TorchBoxes(), random_input((2, 3, 3, 4)), randomize=True, further=False
    )
    (finding,) = report.findings
    assert finding.operator == "Softmax"
    assert "in another order" in finding.cause
