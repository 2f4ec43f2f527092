"""A recurrence or a cross entropy that torch writes out says which of the well-known mistakes it makes."""

from functools import cache
from pathlib import Path

import numpy as np
import paddle
import pytest
import torch

import parity

STEPS = 5


class PaddleSequence(paddle.nn.Layer):
    def __init__(self, kind, way):
        super().__init__()
        self.rnn = getattr(paddle.nn, kind)(4, 3, direction=way)
        self.fc = paddle.nn.Linear(6 if way == "bidirect" else 3, 2)

    def forward(self, x):
        return self.fc(self.rnn(x)[0])


class TorchSteps(torch.nn.Module):
    """The layer's loop, written out; `wrong` names one mistake in it."""

    def __init__(self, kind, way, wrong=""):
        super().__init__()
        both = way == "bidirect"
        self.rnn = getattr(torch.nn, kind)(4, 3, batch_first=True, bidirectional=both)
        self.fc = torch.nn.Linear(6 if both else 3, 2)
        self.both, self.wrong = both, wrong

    def lstm(self, x, h, c, s):
        w = self.wrong
        gates = self.part(x, "ih", s) + self.part(h, "hh", s)
        if w == "gates":
            i, f, o, g = gates.chunk(4, 1)
        else:
            i, f, g, o = gates.chunk(4, 1)
        if w == "twice":
            i = i * torch.sigmoid(f)
        c = torch.sigmoid(i if w == "one gate" else f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * (c if w == "bare" else torch.tanh(c)), c

    def gru(self, x, h, c, s):
        w = self.wrong
        xr, xz, xn = self.part(x, "ih", s).chunk(3, 1)
        hr, hz, hn = self.part(h, "hh", s).chunk(3, 1)
        if w == "state gates":
            hz, hr, hn = self.part(h, "hh", s).split(3, 1)
        r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz - hz if w == "minus" else xz + hz)
        n = torch.tanh(r * (xn + hn) if w == "reset" else xn + r * hn)
        return (z * n + (1 - z) * h if w == "blend" else (1 - z) * n + z * h), c

    def part(self, x, name, s):
        bias = getattr(self.rnn, f"bias_{name}_l0{s}")
        weight = getattr(self.rnn, f"weight_{name}_l0{s}")
        return torch.nn.functional.linear(x, weight, None if self.wrong == f"no {name}" else bias)

    def loop(self, x, s=""):
        step = self.lstm if isinstance(self.rnn, torch.nn.LSTM) else self.gru
        h = c = x.new_zeros(len(x), 3)
        found = []
        for t in reversed(range(STEPS)) if self.wrong == "last first" else range(STEPS):
            late = h
            h, c = step(x[:, t], c, h, s) if self.wrong == "exchanged" else step(x[:, t], h, c, s)
            found.append({"late": late, "cells": c}.get(self.wrong, h))
        return torch.stack(found[::-1] if self.wrong == "flipped" else found, 1)

    def forward(self, x):
        y = self.loop(x)
        if self.both:
            back = self.loop(x if self.wrong == "both forward" else x.flip(1), "_reverse")
            back = back if self.wrong == "not turned back" else back.flip(1)
            y = torch.cat([back, y] if self.wrong == "halves" else [y, back], 2)
        return self.fc(y)


@cache
def check(kind, way, wrong):
    x = np.random.default_rng(0).standard_normal((2, STEPS, 4)).astype(np.float32)
    paddle.seed(0)
    return parity.check(
        PaddleSequence(kind, way), TorchSteps(kind, way, wrong), x, randomize=True, further=False
    )


@pytest.mark.parametrize("way", ["forward", "bidirect"])
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_the_right_loop_is_the_layer(kind, way):
    report = check(kind, way, "")
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)


MISTAKES = [
    ("LSTM", "forward", "last first", "in reverse, the last one first", "for t in reversed(range(STEPS))"),
    ("GRU", "forward", "flipped", "put together in reverse", "torch.stack(found[::-1]"),
    ("LSTM", "forward", "late", "one step late", "found.append("),
    ("LSTM", "forward", "exchanged", "hidden and the cell state are swapped", "step(x[:, t], c, h, s)"),
    ("LSTM", "forward", "cells", "cell states are the result", "found.append("),
    ("LSTM", "forward", "bare", "without the tanh of the cell state", "torch.tanh(c)), c"),
    (
        "LSTM",
        "forward",
        "gates",
        "in the order input, forget, output, candidate",
        "i, f, o, g = gates.chunk(4, 1)",
    ),
    ("LSTM", "forward", "no hh", "bias_hh is left out", "None if self.wrong"),
    ("GRU", "forward", "blend", "the update gate works the other way round", "return (z * n + (1 - z) * h"),
    ("GRU", "forward", "reset", "multiplies the input's part", "n = torch.tanh(r * (xn + hn)"),
    ("GRU", "bidirect", "halves", "joined the other way round", "torch.cat([back, y]"),
    ("GRU", "bidirect", "not turned back", "not turned back to the order", "back.flip(1)"),
    ("LSTM", "bidirect", "both forward", "reads the sequence forward", "back = self.loop(x if"),
]
"""Kind, direction and mistake -> what is said of it, and the line that makes it."""

KNOWN = {
    "not turned back": "where the directions are joined is named",
    "both forward": "the slice of a step is named, not what the loop is given",
}
"""Mistakes whose line is told wrongly, and why. One that gets right fails until its entry is gone."""


NAMELESS = [
    ("LSTM", "forward", "one gate", "c = torch.sigmoid(i if"),
    ("LSTM", "bidirect", "one gate", "c = torch.sigmoid(i if"),
    ("GRU", "bidirect", "minus", "torch.sigmoid(xz - hz if"),
    ("LSTM", "forward", "twice", "i = i * torch.sigmoid(f)"),
    ("GRU", "bidirect", "state gates", "hz, hr, hn ="),
]
"""Mistakes that have no name, and their lines: only the numbers inside the layer tell them."""


def test_every_mistake_has_one_line():
    port = Path(__file__).read_text().partition("MISTAKES = [")[0].splitlines()
    lines = [row[-1] for row in (*MISTAKES, *NAMELESS)]
    assert {text: sum(text in line for line in port) for text in lines} == dict.fromkeys(lines, 1)


@pytest.mark.parametrize(("kind", "way", "wrong", "line"), NAMELESS)
def test_a_mistake_in_a_loop_that_has_no_name_is_told_at_its_line(kind, way, wrong, line):
    (finding,) = check(kind, way, wrong).findings
    path, _, number = finding.where.rpartition(":")
    assert line in Path(path).read_text().splitlines()[int(number) - 1], str(finding)


@pytest.mark.parametrize(("kind", "way", "wrong", "cause", "line"), MISTAKES)
def test_the_mistake_in_a_loop_is_named(kind, way, wrong, cause, line):
    report = check(kind, way, wrong)
    assert report.verdict is parity.Verdict.DIFFERENT
    assert cause in report.findings[0].cause, str(report)


@pytest.mark.parametrize(
    ("kind", "way", "wrong", "cause", "line"),
    [
        pytest.param(
            *row, marks=pytest.mark.xfail(reason=KNOWN[row[2]], strict=True) if row[2] in KNOWN else ()
        )
        for row in MISTAKES
    ],
)
def test_the_line_of_the_mistake_in_a_loop_is_named(kind, way, wrong, cause, line):
    path, _, number = check(kind, way, wrong).findings[0].where.rpartition(":")
    assert path
    assert line in Path(path).read_text().splitlines()[int(number) - 1]


class PaddleEntropy(paddle.nn.Layer):
    """A model that returns its loss."""

    def __init__(self):
        super().__init__()
        self.fc = paddle.nn.Linear(4, 5)
        self.register_buffer("labels", paddle.to_tensor([1, 0, 2, 4]))

    def forward(self, x):
        return paddle.nn.functional.cross_entropy(self.fc(x), self.labels)


class TorchEntropy(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.fc = torch.nn.Linear(4, 5)
        self.register_buffer("labels", torch.tensor([1, 0, 2, 4]))
        self.function = function

    def forward(self, x):
        return self.function(self.fc(x), self.labels[:, None])


@pytest.mark.parametrize(
    ("function", "cause"),
    [
        (lambda x, at: -x.log_softmax(1).gather(1, at).mean(), ""),
        (lambda x, at: -x.log_softmax(1).gather(1, at).sum(), "sums over the rows"),
        (lambda x, at: x.log_softmax(1).gather(1, at).mean(), "sign is turned"),
        (lambda x, at: -x.gather(1, at).mean(), "raw scores are taken for logarithms"),
        (lambda x, at: -x.softmax(1).gather(1, at).mean(), "probabilities are taken for logarithms"),
        (lambda x, at: -x.softmax(1).log_softmax(1).gather(1, at).mean(), "softmax is applied twice"),
        (lambda x, at: -x.log_softmax(0).gather(1, at).mean(), "over the rows, not over the classes"),
        (
            lambda x, at: -0.9 * x.log_softmax(1).gather(1, at).mean() - 0.1 * x.log_softmax(1).mean(),
            "label smoothing: torch's has 0.1",
        ),
    ],
)
def test_the_mistake_in_a_loss_inside_the_model_is_named(function, cause):
    x = np.random.default_rng(0).standard_normal((4, 4)).astype(np.float32)
    paddle.seed(0)
    report = parity.check(PaddleEntropy(), TorchEntropy(function), x, randomize=True, further=False)
    assert report.verdict.name == ("DIFFERENT" if cause else "EQUIVALENT"), str(report)
    assert not cause or cause in report.findings[0].cause, str(report)
