"""Going backward: what is cut, what is changed, and that a correct port raises no alarm."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import paddle
import pytest
import torch
import torch.nn.functional as F
from paddle.distributed.fleet.utils import recompute
from torch.utils.checkpoint import checkpoint

import parity
from convert import convert_state_dict
from tests.parity_training.networks import ENTROPY, PaddleNet, TorchNet, X, pair, state_of


def backward(torch_class=TorchNet, paddle_class=PaddleNet, *, change=None, **options):
    paddle_net, torch_net = pair(torch_class, paddle_class)
    if change is not None:
        change(paddle_net, torch_net)
    before = state_of(paddle_net, torch_net)
    report = parity.check(paddle_net, torch_net, X, gradients=True, further=False, **options)
    assert state_of(paddle_net, torch_net) == before
    return report


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_gradients_of_a_correct_port_agree_and_nothing_is_changed(mode):
    report = backward(mode=mode, losses=ENTROPY)
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)
    note = next(note for note in report.notes if note.text.startswith("gradients:"))
    assert note.evidence["worst relative difference"] < 1e-12


def test_the_pools_float32_constant_is_named_and_taken_out():
    report = backward()
    assert any("float32(1/k)" in note.text for note in report.notes)
    assert report.verdict is parity.Verdict.EQUIVALENT


class Dropout(TorchNet):
    def before_side(self, x):
        return self.side(F.dropout(x, 0.3, self.training))


class PaddleDropout(PaddleNet):
    def forward(self, x):
        x = paddle.nn.functional.relu(self.bn(self.conv(x)))
        x = self.pool(x).mean(axis=[2, 3])
        x = x + paddle.tanh(self.side(paddle.nn.functional.dropout(x, 0.3, training=self.training)))
        return self.fc(x)


def test_dropout_is_switched_off_and_said_so():
    report = backward(Dropout, PaddleDropout, mode="train")
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)
    assert any("dropout" in note.text and "p=0" in note.text for note in report.notes)


class Detached(TorchNet):
    def before_side(self, x):
        return self.side(x.detach())


class NoGrad(TorchNet):
    def before_side(self, x):
        with torch.no_grad():
            return self.side(x)


class Hooked(TorchNet):
    def before_side(self, x):
        result = self.side(x)
        if result.requires_grad:
            result.register_hook(lambda gradient: 3 * gradient)
        return result


class Half(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient / 2


class CustomBackward(TorchNet):
    def before_side(self, x):
        return self.side(Half.apply(torch.tanh(x)))


class FrozenConv(TorchNet):
    def __init__(self):
        super().__init__()
        self.conv.requires_grad_(False)


@pytest.mark.parametrize(
    ("network", "layer", "operator", "cause"),
    [
        (Detached, "", "detach", "detach only in torch"),
        (NoGrad, "side", "no_grad", "under no_grad"),
        (Hooked, "side", "Linear", "hook only in torch.*3 times"),
        (FrozenConv, "conv", "Conv2d", "frozen: .*conv.weight"),
    ],
)
def test_the_first_finding_names_the_operator_that_changes_the_gradient(network, layer, operator, cause):
    report = backward(network, mode="train")
    first = report.findings[0]
    assert (first.layer, first.operator) == (layer, operator)
    assert re.search(cause, first.cause), first.cause
    assert first.evidence
    assert len(report.findings) == 1, str(report)


def test_a_detach_is_found_on_its_line():
    finding = backward(Detached).findings[0]
    file, _, line = finding.where.rpartition(":")
    assert "x.detach()" in Path(file).read_text().splitlines()[int(line) - 1]


def test_a_backward_of_its_own_is_recognised():
    class PaddleScaled(PaddleNet):
        def forward(self, x):
            x = paddle.nn.functional.relu(self.bn(self.conv(x)))
            x = self.pool(x).mean(axis=[2, 3])
            x = x + paddle.tanh(self.side(paddle.tanh(x)))
            return self.fc(x)

    report = backward(CustomBackward, PaddleScaled)
    assert len(report.findings) == 1
    assert "0.5 times Paddle's" in report.findings[0].cause


class PaddleDetached(PaddleNet):
    def forward(self, x):
        x = paddle.nn.functional.relu(self.bn(self.conv(x)))
        x = self.pool(x).mean(axis=[2, 3])
        x = x + paddle.tanh(self.side(x.detach()))
        return self.fc(x)


class PaddleStopped(PaddleNet):
    def forward(self, x):
        x = paddle.nn.functional.relu(self.bn(self.conv(x)))
        x = self.pool(x).mean(axis=[2, 3])
        side = self.side(x)
        side.stop_gradient = True
        return self.fc(x + paddle.tanh(side))


@pytest.mark.parametrize(("network", "word"), [(PaddleDetached, "detach"), (PaddleStopped, "stopped")])
def test_a_cut_in_paddle_alone_is_found_too(network, word):
    finding = backward(paddle_class=network).findings[0]
    assert word in finding.cause
    assert "only in Paddle" in finding.cause


def test_the_same_cut_on_both_sides_is_no_difference():
    assert backward(Detached, PaddleDetached).verdict is parity.Verdict.EQUIVALENT


def test_a_parameter_frozen_in_paddle_alone_is_found():
    def freeze(paddle_net, torch_net):
        paddle_net.fc.bias.stop_gradient = True

    finding = backward(change=freeze).findings[0]
    assert finding.layer == "fc"
    assert "frozen only in Paddle" in finding.cause


def test_two_faults_are_both_reported_from_the_loss_down():
    class Two(Hooked):
        def __init__(self):
            super().__init__()
            self.conv.weight.requires_grad_(False)

    report = backward(Two)
    assert [finding.layer for finding in report.findings] == ["side", "conv"]


def test_a_straight_through_estimator_written_two_ways_agrees():
    class Torch(TorchNet):
        def before_side(self, x):
            return self.side(x + (torch.round(x * 4) / 4 - x).detach())

    class Paddle(PaddleNet):
        def forward(self, x):
            x = paddle.nn.functional.relu(self.bn(self.conv(x)))
            x = self.pool(x).mean(axis=[2, 3])
            x = x + paddle.tanh(self.side(x + (paddle.round(x * 4) / 4 - x).detach()))
            return self.fc(x)

    class Forgotten(TorchNet):
        def before_side(self, x):
            return self.side(torch.round(x * 4) / 4)

    assert backward(Torch, Paddle).verdict is parity.Verdict.EQUIVALENT
    assert backward(Forgotten, Paddle).verdict is parity.Verdict.DIFFERENT


def test_hooks_of_both_sides_that_do_the_same_agree():
    class Paddle(PaddleNet):
        def forward(self, x):
            x = paddle.nn.functional.relu(self.bn(self.conv(x)))
            x = self.pool(x).mean(axis=[2, 3])
            side = self.side(x)
            if not side.stop_gradient:
                side.register_hook(lambda gradient: gradient * 3)
            return self.fc(x + paddle.tanh(side))

    assert backward(Hooked, Paddle).verdict is parity.Verdict.EQUIVALENT


def summed(output):
    return F.cross_entropy(output, torch.tensor([0, 2, 1, 2, 0, 1]), reduction="sum")


def smoothed(output):
    labels = torch.tensor([0, 2, 1, 2, 0, 1])
    return F.cross_entropy(output, labels, label_smoothing=0.2)


def twice(output):
    return F.cross_entropy(output.softmax(1), torch.tensor([0, 2, 1, 2, 0, 1]))


@pytest.mark.parametrize(
    ("loss", "cause"), [(summed, "sums where Paddle averages"), (smoothed, "0.2"), (twice, "softmax")]
)
def test_a_wrong_loss_is_blamed_and_the_model_is_not(loss, cause):
    report = backward(losses=(ENTROPY[0], loss))
    assert [finding.layer for finding in report.findings] == ["loss"]
    assert cause in report.findings[0].cause
    assert "test_gradients.py" in report.findings[0].where


def test_a_loss_that_is_no_scalar_is_an_error_that_says_so():
    with pytest.raises(parity.ParityError, match="scalar"):
        backward(losses=(ENTROPY[0], lambda output: output))


def test_a_loss_that_raises_is_told_from_a_model_that_does():
    def broken(output):
        return output.no_such_attribute

    with pytest.raises(parity.ParityError, match="the torch loss raised AttributeError"):
        backward(losses=(ENTROPY[0], broken))


class _PaddleRecomputing(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.inner = paddle.nn.Linear(4, 4)
        self.head = paddle.nn.Linear(4, 3)

    def forward(self, x):
        return self.head(recompute(self.block, x, use_reentrant=False))

    def block(self, x):
        return paddle.nn.functional.relu(self.inner(x))


class _TorchRecomputing(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(4, 4)
        self.head = torch.nn.Linear(4, 3)

    def forward(self, x):
        return self.head(checkpoint(self.block, x, use_reentrant=False))

    def block(self, x):
        return torch.relu(self.inner(x))


class _TorchRecomputingCut(_TorchRecomputing):
    def block(self, x):
        return torch.relu(self.inner(x).detach())


class _TorchRecomputingByAnImportInside(_TorchRecomputing):
    reentrant = False

    def __init__(self):
        super().__init__()
        from torch.utils.checkpoint import checkpoint as kept

        self.again = lambda block, x: kept(block, x, use_reentrant=self.reentrant)

    def forward(self, x):
        return self.head(self.again(self.block, x))


class _TorchRecomputingReentrantly(_TorchRecomputingByAnImportInside):
    reentrant = True


@pytest.mark.parametrize(
    ("torch_class", "verdict"),
    [
        (_TorchRecomputing, "EQUIVALENT"),
        (_TorchRecomputingByAnImportInside, "EQUIVALENT"),
        (_TorchRecomputingReentrantly, "EQUIVALENT"),
        (_TorchRecomputingCut, "DIFFERENT"),
    ],
)
def test_a_block_that_is_recomputed_in_backward_is_seen_inside(torch_class, verdict):
    paddle.seed(0)  # a ReLU of which all is cut off would hide the detach
    paddle_net, torch_net = _PaddleRecomputing(), torch_class()
    torch_net.load_state_dict(convert_state_dict(paddle_net.state_dict(), torch_net))
    images = np.random.default_rng(0).standard_normal((8, 4), dtype=np.float32)
    report = parity.check(paddle_net, torch_net, images, gradients=True, mode="train", further=False)
    assert report.verdict.name == verdict, str(report)
    assert torch.utils.checkpoint.checkpoint is checkpoint


class PaddleFolded(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv, self.norm = paddle.nn.Conv2D(3, 8, 3), paddle.nn.BatchNorm2D(8)
        self.head = paddle.nn.Conv2D(8, 4, 1)

    def forward(self, x):
        return self.head(self.norm(self.conv(x)))


class TorchFolded(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.head = torch.nn.Conv2d(3, 8, 3), torch.nn.Conv2d(8, 4, 1)

    def forward(self, x):
        return self.head(self.conv(x))


def test_a_weight_that_holds_a_folded_norm_has_no_gradient_to_compare_and_that_is_said():
    expected, actual = PaddleFolded(), TorchFolded()
    expected.norm._mean.set_value(paddle.linspace(-0.2, 0.3, 8))
    scale = 1.0 / np.sqrt(expected.norm._variance.numpy() + 1e-5)
    with torch.no_grad():
        actual.conv.weight[:] = torch.tensor(expected.conv.weight.numpy() * scale[:, None, None, None])
        actual.conv.bias[:] = torch.tensor((expected.conv.bias.numpy() - expected.norm._mean.numpy()) * scale)
        for name in ("weight", "bias"):
            getattr(actual.head, name)[:] = torch.tensor(getattr(expected.head, name).numpy())
    x = np.random.default_rng(0).standard_normal((2, 3, 8, 8)).astype("float32")
    report = parity.check(expected, actual, inputs=x, gradients=True, further=False)
    assert not report.findings
    assert report.verdict is parity.Verdict.INCONCLUSIVE
    assert [text for text in report.inconclusive if "folded" in text] == [
        "Paddle's BatchNorms are folded into weights of torch, whose gradients are others and were not compared: "
        "`conv.weight`, `conv.bias`"
    ]


class PaddleSums(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = (paddle.nn.Linear(4, 4) for _ in range(3))

    def forward(self, x):
        return self.a(x) + self.b(x) + self.c(x)


class TorchSums(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = (torch.nn.Linear(4, 4) for _ in range(3))

    def forward(self, x):
        return self.c(x) + self.b(x) + self.a(x)


class TorchSumsCut(TorchSums):
    def forward(self, x):
        return self.c(x) + self.b(x).detach() + self.a(x)


@pytest.mark.parametrize(("torch_class", "operators"), [(TorchSums, []), (TorchSumsCut, ["detach"])])
def test_gradients_of_a_sum_in_another_order_are_compared_as_its_numbers_are(torch_class, operators):
    expected, actual = PaddleSums(), torch_class()
    actual.load_state_dict(convert_state_dict(expected.state_dict(), actual))
    x = np.random.default_rng(0).standard_normal((2, 4)).astype("float32")
    report = parity.check(expected, actual, inputs=x, gradients=True, further=False)
    assert [finding.operator for finding in report.findings] == operators
