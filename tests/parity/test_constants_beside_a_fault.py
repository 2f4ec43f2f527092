"""A table that one side rounds to float32 and the other does not is no second fault beside a real one."""

import linecache

import numpy as np
import paddle
import torch

from parity import Verdict, check

WORDS = np.random.default_rng(0).standard_normal((2, 6, 8)).astype(np.float32)


def angles(length, width):
    rates = np.exp(np.arange(0, width, 2) * (-np.log(10000.0) / width))
    return np.arange(length)[:, None] * rates


class PaddleWords(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        table = np.zeros((6, 8), np.float32)
        table[:, 0::2], table[:, 1::2] = np.sin(angles(6, 8)), np.cos(angles(6, 8))
        self.register_buffer("order", paddle.to_tensor(table), persistable=False)
        self.first, self.last = paddle.nn.Linear(8, 8), paddle.nn.Linear(8, 8)

    def forward(self, x):
        y = paddle.tanh(self.first(x + self.order))
        return self.last(y + self.order).transpose([0, 2, 1])


class TorchWords(torch.nn.Module):
    slope = 1.0

    def __init__(self):
        super().__init__()
        self.first, self.last = torch.nn.Linear(8, 8), torch.nn.Linear(8, 8)

    def table(self, x):
        place = torch.arange(6).to(x)
        rates = torch.pow(torch.tensor(10000.0).to(x), -torch.arange(0, 8, 2).to(x) / 8)
        turned = torch.outer(place, rates)
        return torch.stack([turned.sin(), turned.cos()], 2).flatten(1)

    def forward(self, x):
        table = self.table(x)
        y = torch.tanh(self.slope * self.first(x + table))
        return torch.einsum("bij,kj->bki", y + table, self.last.weight) + self.last.bias[:, None]


def loaded(**settings):
    paddle.seed(0)
    theirs, ours = PaddleWords(), type("Port", (TorchWords,), settings)()
    state = {name: value.numpy() for name, value in theirs.state_dict().items()}
    ours.load_state_dict({n: torch.tensor(a.T if a.ndim == 2 else a) for n, a in state.items()})
    return theirs, ours


def test_such_a_table_is_no_fault():
    assert check(*loaded(), WORDS).verdict is Verdict.EQUIVALENT


def test_beside_a_fault_it_is_none_either():
    (finding,) = check(*loaded(slope=1.1), WORDS).findings
    file, _, line = finding.where.rpartition(":")
    assert "self.slope" in linecache.getline(file, int(line))
