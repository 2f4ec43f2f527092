"""One layer of Paddle's that runs in two places, and two of torch's of which one was never loaded: they should be one."""

import paddle
import pytest
import torch

import parity
from parity.setup.inputs import random_input


class InPaddle(paddle.nn.Layer):
    """A head for maps of two sizes."""

    def __init__(self):
        super().__init__()
        self.stem, self.head = paddle.nn.Conv2D(3, 4, 3, padding=1), paddle.nn.Conv2D(4, 2, 1)

    def forward(self, x):
        x = paddle.tanh(self.stem(x))
        small = self.head(paddle.nn.functional.max_pool2d(x, 2))
        return paddle.tanh(self.head(x)), paddle.tanh(small)


class InTorch(torch.nn.Module):
    def __init__(self, tied):
        super().__init__()
        self.stem, head = torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.Conv2d(4, 2, 1)
        self.towers = torch.nn.ModuleList([head, head if tied else torch.nn.Conv2d(4, 2, 1)])

    def forward(self, x):
        x = torch.tanh(self.stem(x))
        small = self.towers[1](torch.nn.functional.max_pool2d(x, 2))
        return torch.tanh(self.towers[0](x)), torch.tanh(small)


@pytest.mark.parametrize("tied", [True, False])
def test_a_head_that_should_be_the_same_one_is_told_as_that(tied):
    source, target = InPaddle(), InTorch(tied)
    state = {name: torch.from_numpy(tensor.numpy()) for name, tensor in source.state_dict().items()}
    renamed = {name.replace("head", "towers.0"): tensor for name, tensor in state.items()}
    target.load_state_dict(renamed, strict=False)
    report = parity.check(source, target, random_input((2, 3, 4, 4)), further=False)
    if tied:
        assert report, str(report)
    else:
        (finding,) = report.findings
        assert (finding.layer, finding.subject.value) == ("towers.1", "tie")
        assert "towers.1 = towers.0" in finding.fix
