"""Maps that are joined step by step or anew each time: one form; a wrong order is one finding where the list goes wrong."""

import paddle
import pytest
import torch

import parity
from parity.results.finding import Subject
from parity.setup.inputs import random_input

P, T = paddle.nn, torch.nn


class InPaddle(P.Layer):
    """Newest first, as published dense blocks have it."""

    def __init__(self):
        super().__init__()
        self.layers = P.LayerList([P.Linear(3 + 2 * i, 2) for i in range(5)])
        self.out = P.Linear(13, 3)

    def forward(self, x):
        for layer in self.layers:
            x = paddle.concat([paddle.tanh(layer(x)), x], -1)
        return self.out(x)


class InTorch(T.Module):
    def __init__(self, wrong=None, half=False):
        super().__init__()
        self.layers = T.ModuleList([T.Linear(3 + 2 * i, 2) for i in range(5)])
        self.out, self.wrong, self.half = T.Linear(13, 3), wrong, half

    def forward(self, x):
        parts = [x]
        for i, layer in enumerate(self.layers):
            y = torch.tanh(layer(torch.cat(parts, -1)))
            parts = [*parts, y] if i == self.wrong else [y, *parts]
            if self.half and i == 2:
                parts = [torch.cat(parts, -1)]
        return self.out(torch.cat(parts, -1))


def check(torch_model, **options):
    return parity.check(
        InPaddle(), torch_model, random_input((4, 3)), randomize=True, further=False, **options
    )


@pytest.mark.parametrize("half", [False, True])
def test_both_spellings_are_equivalent_with_gradients(half):
    report = check(InTorch(half=half), gradients=True)
    assert report, str(report)


@pytest.mark.parametrize("wrong", [1, 3, 4])
def test_a_list_that_goes_wrong_once_is_one_finding(wrong):
    (finding,) = check(InTorch(wrong)).findings
    assert (finding.operator, finding.subject) == ("concat", Subject.ORDER)
