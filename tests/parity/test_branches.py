"""What of a model's code no input comes to is said: an EQUIVALENT has not compared it."""

import sys
import textwrap
import threading

import numpy as np
import paddle
import pytest
import torch

import paddle2torch
from parity.capture.branches import _branches

IMAGES = np.random.default_rng(0).standard_normal((2, 3, 5, 5)).astype(np.float32)


class PaddleNet(paddle.nn.Layer):
    def __init__(self, act=None):
        super().__init__()
        self.conv = paddle.nn.Conv2D(3, 4, 3)
        self.act = act

    def forward(self, x, mask=None):
        y = self.conv(x)
        if self.act is not None:
            y = self.act(y)
        if mask is not None:
            y = y * mask
        return y


class TorchNet(torch.nn.Module):
    def __init__(self, act=None):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)
        self.act = act

    def forward(self, x, mask=None):
        y = self.conv(x)
        if self.act is not None:
            y = self.act(y)
        if mask is not None:
            y = y * mask * 2
        if y.abs().max().item() > 1e30:
            y = y.clamp(-1, 1)
        return y


def loaded():
    paddle.seed(0)
    models = PaddleNet(), TorchNet()
    state = paddle2torch.convert_state_dict(models[0].state_dict(), models[1])
    models[1].load_state_dict(state)
    return models


def told(report):
    return [note.text for note in report.notes if "no input that was compared came to" in note.text]


def test_branches_that_nothing_entered_are_told_for_each_side():
    paddle_note, torch_note = told(paddle2torch.check(*loaded(), IMAGES))
    assert paddle_note.startswith("paddle: ")
    assert "`if mask is not None`" in paddle_note
    assert "`if mask is not None`" in torch_note
    assert "`if y.abs().max().item() > 1e+30`" in torch_note
    assert "self.act" not in paddle_note + torch_note  # how the model was made, which is the same next time


def test_a_branch_that_an_input_enters_is_compared_instead():
    report = paddle2torch.check(*loaded(), {"x": IMAGES, "mask": np.ones((1, 1, 3, 3), np.float32)})
    assert report.verdict.name == "DIFFERENT"
    assert told(report) == []


def test_nothing_is_said_while_a_debugger_watches_and_it_goes_on_watching():
    def watch(frame, event, argument):
        return None

    sys.settrace(watch)
    threading.settrace(watch)
    try:
        report = paddle2torch.check(*loaded(), IMAGES)
        left = sys.gettrace()
    finally:
        sys.settrace(None)
        threading.settrace(None)
    assert left is watch
    assert told(report) == []


FORWARD = """
class Net:
    def __init__(self, kind):
        if kind:
            self.kind = kind
        self.calls = 0

    def forward(self, x, mask=None):
        n = x.shape[0]
        depth = len(self.blocks)
        {question}
            x = x + 1
        return x

    def reset(self):
        self.calls = 0
"""


@pytest.mark.parametrize(
    "question",
    [
        "if mask is None:",
        "if n > 4:",
        "if self.calls > 3:",
        "if random.random() < 0.1:",
        "if torch.is_grad_enabled():",
        "if (x.sum() > 0 and\n            depth):",
    ],
)
def test_what_may_come_out_otherwise_is_a_branch(question):
    (branch,) = _branches(FORWARD.format(question=question))
    assert branch.method
    assert branch.told.startswith("11 (`if ")


@pytest.mark.parametrize(
    "question",
    [
        "if self.kind:",
        "if depth > 3:",
        "if isinstance(self.kind, str) and hasattr(self, 'blocks'):",
        "if self.training and n > 4:",
        "if torch.jit.is_scripting():",
        "for block in self.blocks:",
    ],
)
def test_how_the_model_was_made_and_its_mode_are_none(question):
    assert _branches(FORWARD.format(question=question)) == ()


def test_errors_are_no_branch_and_the_other_side_is():
    source = textwrap.dedent(
        """
        def helper(x):
            if x.ndim != 4:
                raise ValueError(x)
            if x.shape[1] == 3:
                return x
            elif x.shape[1] == 1:
                return x * 3
            else:
                return x + 1
        """
    )
    assert [branch.told for branch in _branches(source)] == [
        "5 (`if x.shape[1] == 3`)",
        "7 (`if x.shape[1] == 1`)",
        "10 (`else of if x.shape[1] == 1`)",
    ]
