"""Paddle's dropout that does not scale in training, against ports of it, in both modes: on average both keep 1 - p."""

import numpy as np
import paddle
import paddle.nn.functional as PF
import pytest
import torch
import torch.nn.functional as F

from parity import Verdict, check
from parity.results.finding import Subject
from torch_models.like_paddle import DownscaledDropout

x = np.random.default_rng(0).standard_normal((4, 6, 5)).astype(np.float32)


class PaddleDrops(paddle.nn.Layer):
    def __init__(self, way):
        super().__init__()
        self.a, self.b = paddle.nn.Linear(5, 8), paddle.nn.Linear(8, 3)
        self.drop, self.way = paddle.nn.Dropout(0.4, mode="downscale_in_infer"), way

    def forward(self, x):
        x = paddle.tanh(self.a(x))
        if self.way == "layer":
            return self.b(self.drop(x))
        axis = [0, 1, 2] if self.way == "every axis" else None
        return self.b(PF.dropout(x, 0.4, axis, self.training, mode="downscale_in_infer"))


FORMS = {
    "our own class": lambda x, m: m.drop(x),
    "scaled behind": lambda x, m: F.dropout(x, 0.4, m.training) * (1 - 0.4),
    "scaled before": lambda x, m: F.dropout(0.6 * x, 0.4, m.training),
    "scaled behind a transpose": lambda x, m: (F.dropout(x, 0.4, m.training).mT * 0.6).mT,
}
WRONG = {
    "not scaled": lambda x, m: F.dropout(x, 0.4, m.training),
    "scaled in eval alone": lambda x, m: F.dropout(x, 0.4) if m.training else x * 0.6,
    "another rate": lambda x, m: F.dropout(x, 0.2, m.training) * 0.6,
}


class TorchDrops(torch.nn.Module):
    def __init__(self, form):
        super().__init__()
        self.a, self.b = torch.nn.Linear(5, 8), torch.nn.Linear(8, 3)
        self.drop, self.form = DownscaledDropout(0.4), form

    def forward(self, x):
        return self.b(self.form(torch.tanh(self.a(x)), self))


WAYS = [*((form, "layer") for form in FORMS), ("scaled behind", "function"), ("scaled behind", "every axis")]


@pytest.mark.parametrize(("form", "way"), WAYS)
def test_a_dropout_that_scales_in_eval_is_equal_to_its_ports_in_training_too(form, way):
    model = TorchDrops(FORMS[form])
    report = check(PaddleDrops(way), model, x, mode="train", gradients=True, randomize=True, further=False)
    assert report, str(report)


@pytest.mark.parametrize("form", WRONG)
def test_a_share_that_is_not_kept_in_training_is_found(form):
    model = TorchDrops(WRONG[form])
    report = check(PaddleDrops("layer"), model, x, mode="train", randomize=True, further=False)
    assert report.verdict is Verdict.DIFFERENT, str(report)
    assert any(finding.subject is Subject.ATTRIBUTE for finding in report.findings), str(report)


def test_a_rate_that_is_given_by_place_keeps_its_factor_in_eval():
    assert check(PaddleDrops("function"), TorchDrops(FORMS["our own class"]), x, randomize=True)
