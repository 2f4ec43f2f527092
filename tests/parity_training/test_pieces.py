"""Parameters that a port cuts or puts together otherwise are told by their numbers, and their gradients compared."""

import numpy as np
import paddle
import pytest
import torch

from parity import Verdict, check
from parity.numbers.scattered import Numbers

rng = np.random.default_rng(0)
THEIRS = {
    "linear": rng.standard_normal((26, 3)),
    "conv": rng.standard_normal((12, 5, 3, 3)),
    "kernel": rng.standard_normal((12, 2, 3, 3)),
    "square": rng.standard_normal((4, 4)),
    "column": rng.standard_normal((9, 1)),
    "bias": rng.standard_normal(9),
    "ones": np.ones(6),
}
OURS = {
    "an output of a linear layer": (THEIRS["linear"].T[1:2], 1),
    "inputs of a linear layer": (THEIRS["linear"].T[:, 7:19], 1),
    "inputs of a convolution": (THEIRS["conv"][:, 1:4], 1),
    "channels in another order": (THEIRS["conv"][[5, 1, 2, 0]], 1),
    "channels last": (THEIRS["conv"].transpose(0, 2, 3, 1).reshape(12, 45), 1),
    "inputs of two convolutions, side by side": (
        np.concatenate([THEIRS["conv"][:, 1:3], THEIRS["kernel"]], 1),
        2,
    ),
    "a column and a bias as rows": (np.stack([THEIRS["column"][:, 0], THEIRS["bias"]]), 2),
    "a column and a bias as columns": (np.stack([THEIRS["column"][:, 0], THEIRS["bias"]], 1), 2),
    "a 1x1 convolution of a part": (THEIRS["linear"].T[:2].reshape(2, 26, 1, 1), 1),
    "numbers of which one is new": (np.append(THEIRS["bias"], 0.5), 0),
    "numbers that are all equal": (np.ones(3), 0),
}


@pytest.mark.parametrize("name", OURS)
def test_what_an_array_is_put_together_of_is_told_by_its_numbers(name):
    own, count = OURS[name]
    found = list(Numbers(THEIRS).parts(own))
    assert len({key for key, _, _ in found}) == count
    for key, ours, theirs in found:
        assert np.array_equal(THEIRS[key].reshape(-1)[theirs], own.reshape(-1)[ours])
    assert sum(len(ours) for _, ours, _ in found) == (own.size if count else 0)


def test_numbers_that_occur_twice_stand_where_their_neighbours_lead():
    theirs = rng.integers(0, 2000, (8, 6, 3, 3)).astype(np.float32)
    own = np.ascontiguousarray(theirs.transpose(0, 2, 3, 1)).reshape(8, -1)
    assert np.unique(theirs).size < 0.95 * theirs.size
    ((_, ours, places),) = Numbers({"kernel": theirs}).parts(own)
    assert np.array_equal(
        places, np.arange(theirs.size).reshape(theirs.shape).transpose(0, 2, 3, 1).reshape(-1)
    )
    assert np.array_equal(ours, np.arange(theirs.size))


class PaddleHead(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.mix, self.out = paddle.nn.Conv2D(5, 4, 3), paddle.nn.Linear(4 + 3, 2)

    def forward(self, x, y):
        x = paddle.tanh(self.mix(x)).mean([2, 3])
        return self.out(paddle.concat([x, y], 1))


class TorchHeads(torch.nn.Module):
    """Convolution and linear layer cut where their inputs are."""

    def __init__(self, detached=False):
        super().__init__()
        self.left, self.right = torch.nn.Conv2d(2, 4, 3), torch.nn.Conv2d(3, 4, 3, bias=False)
        self.deep, self.wide = torch.nn.Linear(4, 2), torch.nn.Linear(3, 2, bias=False)
        self.detached = detached

    def forward(self, x, y):
        x = torch.tanh(self.left(x[:, :2]) + self.right(x[:, 2:])).mean((2, 3))
        wide = torch.nn.functional.linear(y, self.wide.weight.detach() if self.detached else self.wide.weight)
        return self.deep(x) + wide

    def take(self, theirs):
        with torch.no_grad():
            for ours, part in (
                (self.left.weight, theirs.mix.weight.numpy()[:, :2]),
                (self.right.weight, theirs.mix.weight.numpy()[:, 2:]),
                (self.left.bias, theirs.mix.bias.numpy()),
                (self.deep.weight, theirs.out.weight.numpy()[:4].T),
                (self.wide.weight, theirs.out.weight.numpy()[4:].T),
                (self.deep.bias, theirs.out.bias.numpy()),
            ):
                ours.copy_(torch.from_numpy(np.ascontiguousarray(part)))
        return self


@pytest.mark.parametrize("detached", [False, True])
def test_the_gradients_of_layers_that_are_cut_at_unequal_widths_are_compared(detached):
    paddle.seed(0)
    theirs = PaddleHead()
    theirs.mix.bias.set_value(paddle.to_tensor([0.3, -0.2, 0.1, 0.5]))
    theirs.out.bias.set_value(paddle.to_tensor([0.7, -0.4]))
    inputs = tuple(rng.standard_normal(shape).astype(np.float32) for shape in ((2, 5, 6, 6), (2, 3)))
    report = check(theirs, TorchHeads(detached).take(theirs), inputs, gradients=True, further=False)
    assert report.verdict is (Verdict.DIFFERENT if detached else Verdict.EQUIVALENT), str(report)
