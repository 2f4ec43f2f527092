"""Two losses on the same outputs: what sets them apart is read from their gradients, however they are written."""

from __future__ import annotations

import numpy as np
import paddle
import paddle.nn.functional as PF
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import parity
from parity.results.finding import Subject
from tests.parity_training.networks import ENTROPY, LABELS, PaddleNet, TorchNet, X, paddle_entropy, pair

TARGETS = (np.arange(18).reshape(6, 3) % 2).astype(np.float32)
WEIGHTS = np.array([0.5, 1.0, 2.5])


def compare(paddle_loss, torch_loss, torch_class=TorchNet, paddle_class=PaddleNet):
    paddle_net, torch_net = pair(torch_class, paddle_class)
    return parity.check(
        paddle_net, torch_net, X, gradients=True, losses=(paddle_loss, torch_loss), further=False
    )


def entropy(**options):
    return lambda x: F.cross_entropy(x, torch.from_numpy(LABELS), **options)


def weighted(x):
    return F.cross_entropy(x, torch.from_numpy(LABELS), weight=torch.from_numpy(WEIGHTS).to(x))


def paddle_focal(x):
    return ((1 - PF.softmax(x)[:, 1]) ** 2 * -PF.log_softmax(x)[:, 1]).mean()


def torch_focal(x):
    return (((1 - x.softmax(1)[:, 1]) ** 2).detach() * -x.log_softmax(1)[:, 1]).mean()


def paddle_binary(x):
    return PF.binary_cross_entropy_with_logits(
        x, paddle.to_tensor(TARGETS).astype(x.dtype), pos_weight=paddle.full([3], 3.0).astype(x.dtype)
    )


def torch_binary(x):
    return F.binary_cross_entropy_with_logits(x, torch.from_numpy(TARGETS).to(x))


SEQUENCE_LABELS = np.array([[1], [2], [1], [2], [2], [1]], np.int32)


def paddle_ctc(x, reduction="sum"):
    steps = paddle.stack([x, 2 * x, x + x**2], 0)
    lengths = paddle.full([6], 3, "int64"), paddle.full([6], 1, "int64")
    return PF.ctc_loss(steps, paddle.to_tensor(SEQUENCE_LABELS), *lengths, blank=0, reduction=reduction)


def ctc(blank=0, reduction="sum", logarithms=True):
    def loss(x):
        steps = torch.stack([x, 2 * x, x + x**2], 0)
        steps = steps.log_softmax(2) if logarithms else steps
        lengths = torch.full((6,), 3), torch.full((6,), 1)
        labels = torch.from_numpy(SEQUENCE_LABELS).long()
        return F.ctc_loss(steps, labels, *lengths, blank=blank, reduction=reduction)

    return loss


def paddle_dice(x):
    p, t = PF.sigmoid(x), paddle.to_tensor(TARGETS).astype(x.dtype)
    return 1 - 2 * (p * t).sum() / (p.sum() + t.sum() + 1e-6)


def torch_dice(x):
    p, t = x.sigmoid(), torch.from_numpy(TARGETS).to(x)
    return 1 - 2 * (p * t).sum() / (p.sum() + t.sum() + 1.0)


def paddle_huber(x):
    return PF.smooth_l1_loss(x, paddle.to_tensor(TARGETS).astype(x.dtype), delta=0.5)


def torch_smooth(x):
    return F.smooth_l1_loss(x, torch.from_numpy(TARGETS).to(x), beta=0.5)


def paddle_distilled(x):
    teacher = PF.softmax(paddle.to_tensor(TARGETS).astype(x.dtype), axis=1)
    return PF.kl_div(PF.log_softmax(x, axis=1), teacher, reduction="batchmean")


def distilled(student=F.log_softmax, average=6):
    return lambda x: (
        F.kl_div(student(x, dim=1), torch.from_numpy(TARGETS).to(x).softmax(1), reduction="sum") / average
    )


BUGS = {
    "blank": (paddle_ctc, ctc(blank=2), "blank of the CTC loss: torch has 2", "blank=0"),
    "CTC of raw scores": (
        paddle_ctc,
        ctc(logarithms=False),
        "log_softmax only in Paddle, inside the loss",
        "apply log_softmax",
    ),
    "smooth part": (paddle_dice, torch_dice, "add(1) in torch where Paddle has add(1e-06)", "there"),
    "beta": (paddle_huber, torch_smooth, "divides by beta=0.5", "huber_loss(..., delta=0.5)"),
    "batchmean": (
        paddle_distilled,
        distilled(average=18),
        "averages over the 3 numbers of a sample",
        "batchmean",
    ),
    "probabilities": (
        paddle_distilled,
        distilled(student=F.softmax),
        "probabilities are taken for logarithms",
        "log_softmax",
    ),
    "samples": (
        lambda x: (x**4).sum(),
        lambda x: ((x**4).sum(1) * torch.arange(1, 7).to(x)).sum(),
        "weigh 1, 2, 3, 4, 5, 6 times what they do in Paddle",
        "reduce the losses of the samples",
    ),
    "left out": (
        lambda x: (x**4).sum(),
        lambda x: (x[:, :2] ** 4).sum(),
        "does not depend on `output` at 2 of its 3 places along axis 1",
        "lengths and masks",
    ),
    "class weights": (paddle_entropy, weighted, "class weights differ", "leave weight out"),
    "ignored label": (
        paddle_entropy,
        entropy(ignore_index=2),
        "leaves out 2 of 6 rows",
        "leave ignore_index out",
    ),
    "average over all rows": (
        lambda x: PF.cross_entropy(x, paddle.to_tensor(LABELS), ignore_index=2, reduction="sum") / 6,
        entropy(ignore_index=2),
        "both ignore 2 of 6 rows (ignore_index), and torch divides by the 4 that count, Paddle by all 6",
        "then / labels.numel()",
    ),
    "average over rows that count": (
        lambda x: PF.cross_entropy(x, paddle.to_tensor(LABELS), ignore_index=2),
        lambda x: entropy(ignore_index=2, reduction="sum")(x) / 6,
        "torch divides by all 6, Paddle by the 4 that count",
        "then / (labels != ignore_index).sum()",
    ),
    "other labels": (
        paddle_entropy,
        lambda x: F.cross_entropy(x, torch.from_numpy((LABELS + 1) % 3)),
        "6 of 6 rows have another label",
        "same labels",
    ),
    "raw scores": (
        paddle_entropy,
        lambda x: F.nll_loss(x, torch.from_numpy(LABELS)),
        "raw scores for logarithms",
        "cross_entropy",
    ),
    "detached factor": (paddle_focal, torch_focal, "detach only in torch's loss", "remove the detach"),
    "positives": (paddle_binary, torch_binary, "pos_weight", "pos_weight=3"),
    "a number": (
        lambda x: (x * x).sum() / ((x * x).sum() + 1.0),
        lambda x: (x * x).sum() / ((x * x).sum() + 1e-5),
        "add(1e-05) in torch where Paddle has add(1)",
        "compare the two losses there",
    ),
    "not finite": (lambda x: (x * np.nan).sum(), lambda x: (x * np.nan).sum(), "not finite", "finite"),
}


VALUES = {
    "blank": ("blank", 0, 2),
    "CTC of raw scores": ("log_softmax", True, False),
    "batchmean": ("reduction", "batchmean", "mean"),
    "probabilities": ("log_softmax", "log_softmax", "softmax"),
    "other labels": ("labels", 0, 1),
    "detached factor": ("detach", False, True),
}


@pytest.mark.parametrize("name", VALUES)
def test_what_sets_two_losses_apart_is_told_to_programs_too(name):
    (finding,) = compare(*BUGS[name][:2]).findings
    attribute, of_paddle, of_torch = VALUES[name]
    assert finding.subject is Subject.LOSS
    assert (finding.attribute, finding.values) == (attribute, {"paddle": of_paddle, "torch": of_torch})


def test_a_sum_for_an_average_and_another_smoothing_are_told_with_both_values():
    (summed,) = compare(paddle_entropy, entropy(reduction="sum")).findings
    assert (summed.attribute, summed.values) == ("reduction", {"paddle": "mean", "torch": "sum"})
    (smoothed,) = compare(paddle_entropy, entropy(label_smoothing=0.2)).findings
    assert (smoothed.attribute, smoothed.values) == ("label_smoothing", {"paddle": 0.0, "torch": 0.2})


@pytest.mark.parametrize("name", BUGS)
def test_what_sets_two_losses_apart_is_named(name):
    paddle_loss, torch_loss, cause, fix = BUGS[name]
    report = compare(paddle_loss, torch_loss)
    assert report.verdict is parity.Verdict.DIFFERENT
    assert [f.layer for f in report.findings] == ["loss"], str(report)
    assert cause in report.findings[0].cause
    assert fix in report.findings[0].fix


class PaddleHeads(PaddleNet):
    def forward(self, x):
        x = self.pool(self.conv(x)).mean(axis=[2, 3])
        return self.fc(x), self.side(x)


class TorchHeads(TorchNet):
    def forward(self, x):
        x = self.pool(self.conv(x)).mean(dim=(2, 3))
        return self.fc(x), self.side(x)


def paddle_sum(outputs):
    return paddle_entropy(outputs[0]) + 0.5 * (outputs[1] ** 2).mean()


@pytest.mark.parametrize(
    ("torch_sum", "cause"),
    [
        (lambda o: ENTROPY[1](o[0]) + 0.4 * (o[1] ** 2).mean(), "the term of `output[1]` weighs 0.8 times"),
        (lambda o: ENTROPY[1](o[0]) + 0.5 * (o[1] ** 2).sum(), "torch sums where Paddle averages"),
        (lambda o: ENTROPY[1](o[0]), "does not depend on `output[1]`"),
    ],
)
def test_of_two_terms_the_one_that_differs_is_named(torch_sum, cause):
    report = compare(paddle_sum, torch_sum, TorchHeads, PaddleHeads)
    assert len(report.findings) == 1, str(report)
    assert cause in report.findings[0].cause


@pytest.mark.parametrize(
    ("paddle_loss", "torch_loss"),
    [
        (paddle_ctc, ctc()),
        (
            lambda x: PF.cross_entropy(x, paddle.to_tensor(LABELS), label_smoothing=0.1),
            entropy(label_smoothing=0.1),
        ),
        (paddle_entropy, lambda x: -x.log_softmax(1).gather(1, torch.from_numpy(LABELS)[:, None]).mean()),
        (
            lambda x: PF.cross_entropy(
                x, paddle.to_tensor(LABELS), weight=paddle.to_tensor(WEIGHTS).astype(x.dtype)
            ),
            weighted,
        ),
    ],
)
def test_a_loss_written_differently_raises_no_alarm(paddle_loss, torch_loss):
    report = compare(paddle_loss, torch_loss)
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)


# -- gradients that stop -------------------------------------------------------------------------


class WeightData(TorchNet):
    def before_side(self, x):
        return F.linear(x, self.side.weight.data, self.side.bias)


class DetachedBias(TorchNet):
    def before_side(self, x):
        return F.linear(x, self.side.weight, self.side.bias.detach())


@pytest.mark.parametrize(("net", "name"), [(WeightData, "side.weight"), (DetachedBias, "side.bias")])
def test_a_weight_that_no_gradient_reaches_is_found(net, name):
    report = compare(*ENTROPY, net)
    assert report.verdict is parity.Verdict.DIFFERENT
    assert len(report.findings) == 1, str(report)
    assert f"`{name}`" in report.findings[0].cause
    assert report.findings[0].operator == "detach"


class PaddleTargets(PaddleHeads):
    def forward(self, x):
        scores, target = super().forward(x)
        return scores, target.detach()


def test_a_result_that_is_detached_on_one_side_is_found_at_the_result():
    report = compare(
        paddle_sum, lambda o: ENTROPY[1](o[0]) + 0.5 * (o[1] ** 2).mean(), TorchHeads, PaddleTargets
    )
    assert "detach only in Paddle" in report.findings[0].cause
    assert "output[1]" in report.findings[0].cause
    assert len(report.findings) == 1, str(report)


class PaddleTied(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc = paddle.nn.Linear(9, 9)

    def forward(self, x):
        return paddle.matmul(paddle.tanh(self.fc(x)), self.fc.weight, transpose_y=True)


class TorchUntied(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(9, 9)
        self.out = nn.Parameter(torch.zeros(9, 9))

    def forward(self, x):
        return torch.tanh(self.fc(x)) @ self.out


def test_a_tied_weight_that_became_two_parameters_is_found():
    paddle_net, torch_net = PaddleTied(), TorchUntied()
    weight = torch.from_numpy(paddle_net.fc.weight.numpy().T.copy())
    bias = torch.from_numpy(paddle_net.fc.bias.numpy())
    torch_net.load_state_dict({"fc.weight": weight, "fc.bias": bias, "out": weight.clone()})
    report = parity.check(paddle_net, torch_net, X, gradients=True, further=False)
    assert "tied only in Paddle" in report.findings[0].cause, str(report)


class PaddleTeacher(PaddleNet):
    def __init__(self):
        super().__init__()
        for parameter in self.side.parameters():
            parameter.stop_gradient = True

    def forward(self, x):
        x = self.pool(self.conv(x)).mean(axis=[2, 3])
        return self.fc(x), paddle.tanh(self.side(x)).detach()


class TorchTeacher(TorchNet):
    def __init__(self):
        super().__init__()
        self.side.requires_grad_(False)

    def forward(self, x):
        x = self.pool(self.conv(x)).mean(dim=(2, 3))
        scores = self.fc(x)
        with torch.no_grad():
            return scores, torch.tanh(self.side(x))


def test_no_grad_where_the_other_side_detaches_the_result_is_no_fault():
    report = compare(lambda o: paddle_entropy(o[0]), lambda o: ENTROPY[1](o[0]), TorchTeacher, PaddleTeacher)
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)
