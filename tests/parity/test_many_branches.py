"""Networks of many branches that meet in sums and concats, as HRNet and detection heads are: one fault, one finding."""

from __future__ import annotations

import numpy as np
import paddle
import torch

import parity
from tests.parity.pairs import fill, load_what_fits

F, G = torch.nn.functional, paddle.nn.functional
X = np.random.default_rng(0).standard_normal((2, 3, 8, 8)).astype(np.float32)


class PaddleNet(paddle.nn.Layer):
    """Three branches, each the sum of its own and the others in an order of its own, then joined."""

    def __init__(self, ahead=False):
        super().__init__()
        self.ahead = ahead
        for name in "abc":
            setattr(self, name, paddle.nn.Conv2D(3, 4, 3, padding=1))
        self.drop = paddle.nn.Dropout(0.2)
        self.head = paddle.nn.Conv2D(12, 2, 1)
        self.s, self.t = (self.create_parameter([1]) for _ in range(2))

    def forward(self, x):
        a, b, c = self.a(x), self.b(x), self.c(x)
        a2, b2, c2 = G.relu((a + b) + c), G.tanh((b + a) + c), G.sigmoid((c + a) + b)
        y = self.drop(paddle.concat([a2 * self.s, b2, c2 * self.t], 1))
        return G.interpolate(self.head(y), x.shape[2:], mode="bilinear", align_corners=self.ahead)


class TorchNet(torch.nn.Module):
    """The same sums from left to right, and one mistake."""

    def __init__(self, mistake="", p=0.2):
        super().__init__()
        self.mistake = mistake
        for name in "abc":
            setattr(self, name, torch.nn.Conv2d(3, 4, 3, padding=1))
        self.drop = torch.nn.Dropout(p)
        self.head = torch.nn.Conv2d(12, 2, 1)
        self.s, self.t = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))

    def forward(self, x):
        a, b, c = self.a(x), self.b(x), self.c(x)
        last = (F.relu(a) + F.relu(b)) + c if self.mistake == "relu" else (a + b) + c
        parts = [F.relu((a + b) + c) * self.s, torch.tanh((a + b) + c), torch.sigmoid(last)]
        if self.mistake == "unscaled":
            parts[2] = parts[2] * 1
        else:
            parts[2] = parts[2] * (self.s if self.mistake == "scale" else self.t)
        if self.mistake == "order":
            parts = parts[::-1]
        y = self.head(self.drop(torch.cat(parts, 1)))
        if self.mistake == "fixed":
            return F.interpolate(y, (8, 8), mode="bilinear")
        aligned = self.mistake in ("corners", "aligned")
        return F.interpolate(y, x.shape[2:], mode="bilinear", align_corners=aligned)


def checked(mistake="", p=0.2, **options):
    theirs, ours = PaddleNet(), TorchNet(mistake, p)
    fill(theirs, X)
    load_what_fits(theirs, ours)
    return parity.check(theirs, ours, X, **options)


def test_a_correct_port_has_no_finding():
    report = checked()
    assert report, report
    assert not report.findings


def test_joined_in_another_order_is_said_to_be_that():
    """Before, the sums of each branch were unknown and both sides were said to compute the very same chain."""
    (finding,) = checked("order").findings
    assert finding.operator == "concat"
    assert finding.cause.startswith("swapped inputs: concat takes")


def test_faulty_operands_of_a_sum_do_not_hide_which_sum_it_is():
    (finding,) = checked("relu").findings
    assert [one.cause for one in (finding, *finding.also)] == [
        "ReLU after Conv2d `a` only in torch",
        "ReLU after Conv2d `b` only in torch",
    ]


def test_a_product_is_told_by_its_parameter():
    (finding,) = checked("unscaled").findings
    assert finding.cause.startswith("mul by `t`")
    assert "only in Paddle" in finding.cause
    assert "mul by `t`" in finding.fix


def test_what_shows_in_no_output_comes_after_what_does():
    findings = checked("relu", p=0.5).findings
    assert [finding.silent for finding in findings] == [False, True], findings
    assert findings[-1].operator == "Dropout"


def test_a_finding_on_a_further_input_says_so():
    finding = checked("fixed").findings[0]
    assert finding.operator == "interpolate"
    assert "seen on an input of" in finding.cause
    assert "odd size" in finding.cause
    assert "follow the input" in finding.fix
    assert "size=(" in finding.fix


def test_a_scalar_that_stands_for_another_is_swapped():
    theirs, ours = PaddleNet(), TorchNet()
    fill(theirs, X)
    load_what_fits(theirs, ours)
    with torch.no_grad():
        s, t = ours.s.clone(), ours.t.clone()
        ours.s.copy_(t)
        ours.t.copy_(s)
    (finding,) = parity.check(theirs, ours, X).findings
    assert [one.cause for one in (finding, *finding.also)] == [
        "s and t are swapped: `s` holds Paddle's `t` instead of `s`",
        "t and s are swapped: `t` holds Paddle's `s` instead of `t`",
    ]


def test_a_scalar_that_nobody_loaded_is_not_called_constant():
    theirs, ours = PaddleNet(), TorchNet()
    fill(theirs, X)
    load_what_fits(theirs, ours)
    with torch.no_grad():
        ours.s.fill_(0.25)
    (finding,) = parity.check(theirs, ours, X).findings
    assert finding.cause.startswith("`s` is 0.25, Paddle's `s` is ")


class PaddleMoved(paddle.nn.Layer):
    def forward(self, x):
        return paddle.concat([x.transpose([0, 2, 3, 1]).reshape([2, -1, 3])], 1) * 2


class TorchMoved(torch.nn.Module):
    def forward(self, x):
        return torch.cat([x.permute(0, 3, 2, 1).reshape(2, -1, 3)], 1) * 2


def test_moves_that_nothing_measured_are_not_said_to_have_no_effect():
    report = parity.check(PaddleMoved(), TorchMoved(), X)
    assert "no effect" not in report.findings[0].cause


class PaddleDeep(paddle.nn.Layer):
    """Paddle computes the places of aligned corners in float32; in training BatchNorms enlarge what that changes."""

    def __init__(self):
        super().__init__()
        self.convs = paddle.nn.LayerList([paddle.nn.Conv2D(3, 3, 3, padding=1) for _ in range(8)])
        self.norms = paddle.nn.LayerList([paddle.nn.BatchNorm2D(3) for _ in range(8)])

    def forward(self, x):
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = G.relu(norm(conv(x)))
        return G.interpolate(x, (64, 64), mode="bilinear", align_corners=True)


class TorchDeep(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.convs = torch.nn.ModuleList([torch.nn.Conv2d(3, 3, 3, padding=1) for _ in range(8)])
        self.norms = torch.nn.ModuleList([torch.nn.BatchNorm2d(3) for _ in range(8)])

    def forward(self, x):
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.relu(norm(conv(x)))
        return F.interpolate(x, (64, 64), mode="bilinear", align_corners=True)


class PaddleLarge(paddle.nn.Layer):
    def forward(self, x):
        return G.interpolate(x, (150, 150), mode="bilinear", align_corners=True)


class TorchLarge(torch.nn.Module):
    def forward(self, x):
        return F.interpolate(x, (150, 150), mode="bilinear", align_corners=True)


def test_places_in_a_large_image_are_rounded_by_more():
    x = np.random.default_rng(0).standard_normal((1, 2, 128, 128)).astype(np.float32)
    report = parity.check(PaddleLarge(), TorchLarge(), x, further=False)
    assert report, report
    assert not report.findings


def test_gradients_through_aligned_corners_are_told_apart_from_a_fault():
    theirs, ours = PaddleDeep(), TorchDeep()
    fill(theirs, X)
    load_what_fits(theirs, ours)
    x = np.random.default_rng(0).standard_normal((2, 3, 24, 24)).astype(np.float32)
    report = parity.check(theirs, ours, x, mode="train", gradients=True, further=False)
    assert report, report
    assert not report.findings
