"""Recurrent layers and cells between two Linears: right ports are EQUIVALENT, each classic mistake has its cause."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import paddle
import paddle.nn.functional as PF
import pytest
import torch
import torch.nn.functional as TF

import parity
from parity.setup.inputs import random_input


@dataclass(frozen=True)
class Row:
    """A layer of 4 features and 5 hidden ones: Paddle's and torch's, and how each is called on [2, 5, 4]."""

    paddle: Callable
    torch: Callable
    in_paddle: Callable
    in_torch: Callable
    width: int = 5


def sequence(layer, x):
    return layer(x)[0]


def last_step(layer, x):
    return layer(x)[0][:, -1]


def last_state(layer, x):
    return layer(x)[1][-1]


def last_hidden(layer, x):
    return layer(x)[1][0][-1]


def last_cell(layer, x):
    return layer(x)[1][1][-1]


def turned_by_hand(layer, x):
    return layer(x.transpose(0, 1))[0][-1]


def started_in_paddle(layer, x):
    return layer(x, (x.mean() + paddle.ones([1, 2, 5]), x.mean() * paddle.ones([1, 2, 5])))[0]


def started_in_torch(layer, x):
    return layer(x, (x.mean() + torch.ones(1, 2, 5), x.mean() * torch.ones(1, 2, 5)))[0]


def one_step(layer, x):
    return layer(x[:, 0])


def first_of_one_step(layer, x):
    return layer(x[:, 0])[0]


def new_cell(layer, x):
    state = layer(x[:, 0])[-1]
    return state[1] if isinstance(state, tuple) else state


def steps_in_paddle(cell, x):
    states = None
    for step in range(x.shape[1]):
        out, states = cell(x[:, step], states)
    return out


def steps_in_torch(cell, x):
    states = None
    for step in range(x.shape[1]):
        states = cell(x[:, step], states)
    return states[0]


def paddle_lstm(**options):
    return lambda: paddle.nn.LSTM(4, 5, **options)


def torch_lstm(**options):
    return lambda: torch.nn.LSTM(4, 5, **{"batch_first": True, **options})


def both(name: str, *functions: Callable, **options) -> Row:
    in_paddle, in_torch = functions * 2 if len(functions) == 1 else functions
    return Row(
        lambda: getattr(paddle.nn, name)(4, 5, **options),
        lambda: getattr(torch.nn, name.replace("Simple", ""))(4, 5),
        in_paddle,
        in_torch,
    )


RIGHT = {
    "LSTM": Row(paddle_lstm(), torch_lstm(), sequence, sequence),
    "LSTM, last step": Row(paddle_lstm(), torch_lstm(), last_step, last_step),
    "LSTM, last state alone": Row(paddle_lstm(), torch_lstm(), last_hidden, last_hidden),
    "LSTM, time first": Row(paddle_lstm(time_major=True), torch_lstm(batch_first=False), sequence, sequence),
    "LSTM, turned by hand": Row(paddle_lstm(), torch_lstm(batch_first=False), last_step, turned_by_hand),
    "LSTM, given states": Row(paddle_lstm(), torch_lstm(), started_in_paddle, started_in_torch),
    "LSTM, two layers both ways": Row(
        paddle_lstm(num_layers=2, direction="bidirect", dropout=0.3),
        torch_lstm(num_layers=2, bidirectional=True, dropout=0.3),
        sequence,
        sequence,
        10,
    ),
    "GRU": Row(
        lambda: paddle.nn.GRU(4, 5, direction="bidirect"),
        lambda: torch.nn.GRU(4, 5, bidirectional=True, batch_first=True),
        last_state,
        last_state,
    ),
    "RNN": Row(
        lambda: paddle.nn.SimpleRNN(4, 5, activation="relu"),
        lambda: torch.nn.RNN(4, 5, nonlinearity="relu", batch_first=True),
        sequence,
        sequence,
    ),
    "LSTMCell": both("LSTMCell", first_of_one_step),
    "LSTMCell, its cell state": both("LSTMCell", new_cell),
    "LSTMCell, step by step": both("LSTMCell", steps_in_paddle, steps_in_torch),
    "GRUCell": both("GRUCell", first_of_one_step, one_step),
    "RNNCell": both("SimpleRNNCell", first_of_one_step, one_step),
}


def gates_exchanged(state):
    for name in [name for name in state if name.startswith("layer.weight_ih")]:
        i, f, g, o = state[name].chunk(4)
        state[name] = torch.cat([i, f, o, g])


def twice(layer, x):
    y = layer(x)[0]
    return torch.cat([y, y], -1)


WRONG = {
    "time and batch exchanged": (
        Row(paddle_lstm(), torch_lstm(batch_first=False), sequence, sequence),
        None,
        ("LSTM", "time_major: torch has True, Paddle has False", "batch_first=True"),
    ),
    "one direction": (
        Row(paddle_lstm(direction="bidirect"), torch_lstm(), sequence, twice, 10),
        None,
        ("LSTM", "bidirectional: torch has False, Paddle has True", "bidirectional=True"),
    ),
    "too few layers": (
        Row(paddle_lstm(num_layers=2), torch_lstm(), sequence, sequence),
        None,
        ("LSTM", "num_layers: torch has 1, Paddle has 2", "num_layers=2"),
    ),
    "no bias": (
        Row(paddle_lstm(), torch_lstm(bias=False), sequence, sequence),
        None,
        ("LSTM", "bias only in Paddle", "bias=True"),
    ),
    "another dropout": (
        Row(paddle_lstm(num_layers=2, dropout=0.3), torch_lstm(num_layers=2), sequence, sequence),
        None,
        ("LSTM", "dropout: torch has 0, Paddle has 0.3", "dropout=0.3"),
    ),
    "no states": (
        Row(paddle_lstm(), torch_lstm(), started_in_paddle, sequence),
        None,
        ("LSTM", "h_0 only in Paddle: the torch layer is called without it", "pass h_0"),
    ),
    "gates in another order": (
        Row(paddle_lstm(), torch_lstm(), sequence, sequence),
        gates_exchanged,
        ("LSTM", "four parts of axis 0 in the order (0, 1, 3, 2) (gates?)", "weight_ih_l0"),
    ),
    "cell state for hidden state": (
        Row(paddle_lstm(), torch_lstm(), last_hidden, last_cell),
        None,
        ("last cell state", "torch runs last cell state where Paddle runs last hidden state", "replace"),
    ),
    "another activation": (
        Row(
            lambda: paddle.nn.SimpleRNN(4, 5),
            lambda: torch.nn.RNN(4, 5, nonlinearity="relu", batch_first=True),
            sequence,
            sequence,
        ),
        None,
        ("RNN (ReLU)", "where Paddle runs RNN (tanh)", "RNN (tanh)"),
    ),
    "another layer": (
        Row(
            paddle_lstm(),
            lambda: torch.nn.GRU(4, 5, batch_first=True),
            sequence,
            sequence,
        ),
        None,
        ("GRU", "where Paddle runs LSTM", "LSTM"),
    ),
    "gates of a cell in another order": (
        RIGHT["LSTMCell"],
        gates_exchanged,
        ("Linear", "four parts of axis 0 in the order (0, 1, 3, 2) (gates?)", "layer.weight_ih"),
    ),
}


class PaddleNet(paddle.nn.Layer):
    def __init__(self, row):
        super().__init__()
        self.first = paddle.nn.Linear(6, 4)
        self.layer = row.paddle()
        self.last = paddle.nn.Linear(row.width, 3)
        self.call = row.in_paddle

    def forward(self, x):
        return PF.leaky_relu(self.last(self.call(self.layer, self.first(x))), 0.01)


class TorchNet(torch.nn.Module):
    def __init__(self, row, slope):
        super().__init__()
        self.first = torch.nn.Linear(6, 4)
        self.layer = row.torch()
        self.last = torch.nn.Linear(row.width, 3)
        self.call, self.slope = row.in_torch, slope

    def forward(self, x):
        return TF.leaky_relu(self.last(self.call(self.layer, self.first(x))), self.slope)


def check(row: Row, change: Callable | None = None, slope: float = 0.01) -> parity.Report:
    in_paddle, in_torch = PaddleNet(row), TorchNet(row, slope)
    rng = np.random.default_rng(2)
    for tensor in in_paddle.state_dict().values():
        tensor.set_value(rng.normal(0, 0.5, tensor.shape).astype(np.float32))
    state = {}
    for name, tensor in in_torch.state_dict().items():
        array = in_paddle.state_dict().get(name)
        if array is not None:
            array = array.numpy().T if name in ("first.weight", "last.weight") else array.numpy()
            if array.shape == tuple(tensor.shape):
                state[name] = torch.from_numpy(array.copy())
    if change is not None:
        change(state)
    in_torch.load_state_dict(state, strict=False)
    return parity.check(in_paddle, in_torch, random_input((2, 5, 6)), further=False)


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_port_of_a_recurrent_layer_is_equivalent(name):
    report = check(RIGHT[name])
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)
    assert not report.notes, report.notes


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_in_a_recurrent_layer_and_one_behind_it_are_found(name):
    row, change, (operator, cause, fix) = WRONG[name]
    report = check(row, change, slope=0.2)
    # In the order of the data, but what shows in no output comes last.
    finding, slope = report.findings[0], report.findings[-1]
    if slope.silent:
        finding, slope = slope, finding
    assert (finding.layer, finding.operator) == ("layer", operator), str(report)
    assert cause in finding.cause
    assert fix in finding.fix
    assert slope.cause == "slope: torch has 0.2, Paddle has 0.01"
    assert {f.layer for f in report.findings} <= {"layer", ""}
    assert finding.where.endswith(f":{line_of('self.layer = row.torch()')}")


def line_of(text: str) -> int:
    with open(__file__) as file:
        return next(number for number, line in enumerate(file, 1) if text in line)
