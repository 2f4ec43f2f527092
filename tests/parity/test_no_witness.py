"""No finding without something that a user can observe: what is written otherwise and shows nowhere is none."""

import numpy as np
import paddle
import paddle.nn.functional as PF
import pytest
import torch
import torch.nn.functional as TF

import parity
from parity import Verdict
from parity.results.finding import Shows, Subject

X = np.random.default_rng(0).standard_normal((4, 6, 5, 5), dtype=np.float32)


def check(twin, port, x=X, **options):
    from paddle2torch import convert_state_dict

    port.load_state_dict(convert_state_dict(twin.state_dict(), port))
    return parity.check(twin, port, x, **options)


class PaddleListed(paddle.nn.Layer):
    """Registered layers, called through plain containers of several kinds."""

    def __init__(self, hidden=False):
        super().__init__()
        nn = paddle.nn
        made = {name: nn.Conv2D(6, 6, 3, padding=1) for name in "abcd"}
        for name, layer in made.items():
            if not (hidden and name == "c"):
                self.add_sublayer(name, layer)
        self.stages = [nn.Sequential(made["a"], nn.ReLU()), nn.Sequential(made["b"])]
        self.named = {"c": made["c"]}
        self.pair = (made["d"], nn.Sigmoid())

    def forward(self, x):
        for layer in (*self.stages, *self.named.values(), *self.pair):
            x = layer(x)
        return x


class TorchListed(torch.nn.Module):
    def __init__(self):
        super().__init__()
        nn = torch.nn
        self.a, self.b, self.c, self.d = (nn.Conv2d(6, 6, 3, padding=1) for _ in range(4))
        self.order = [self.a, nn.ReLU(), self.b, self.c, self.d, nn.Sigmoid()]

    def forward(self, x):
        for layer in self.order:
            x = layer(x)
        return x


def test_plain_containers_of_registered_layers_hide_nothing():
    report = check(PaddleListed(), TorchListed())
    assert report.verdict is Verdict.EQUIVALENT, str(report)


def test_a_layer_that_is_in_no_state_dict_is_still_found():
    twin, port = PaddleListed(hidden=True), TorchListed()
    state = {name: torch.from_numpy(value.numpy()) for name, value in twin.state_dict().items()}
    state |= {
        f"c.{name}": torch.from_numpy(value.numpy()) for name, value in twin.named["c"].state_dict().items()
    }
    port.load_state_dict(state)
    report = parity.check(twin, port, X)
    assert report.verdict is Verdict.DIFFERENT
    assert {finding.subject for finding in report.findings} == {Subject.REGISTRATION}, str(report)


class Frozen(torch.nn.Module):
    """A BatchNorm as a function of its statistics."""

    def __init__(self, channels, momentum):
        super().__init__()
        self.momentum = momentum
        for name, value in (("weight", 1.0), ("bias", 0.0)):
            setattr(self, name, torch.nn.Parameter(torch.full((channels,), value)))
        for name, value in (("running_mean", 0.0), ("running_var", 1.0)):
            self.register_buffer(name, torch.full((channels,), value))

    def forward(self, x):
        statistics = self.running_mean, self.running_var
        return TF.batch_norm(x, *statistics, self.weight, self.bias, momentum=self.momentum)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 1.0])
def test_a_momentum_that_a_call_in_eval_never_uses_is_none(momentum):
    twin = paddle.nn.Sequential(paddle.nn.Conv2D(6, 4, 1), paddle.nn.BatchNorm2D(4))
    report = check(twin, torch.nn.Sequential(torch.nn.Conv2d(6, 4, 1), Frozen(4, momentum)))
    assert report.verdict is Verdict.EQUIVALENT, str(report)


def test_the_momentum_of_a_layer_that_trains_later_is_one():
    twin = paddle.nn.Sequential(paddle.nn.Conv2D(6, 4, 1), paddle.nn.BatchNorm2D(4))
    report = check(twin, torch.nn.Sequential(torch.nn.Conv2d(6, 4, 1), torch.nn.BatchNorm2d(4, momentum=0.9)))
    assert report.verdict is Verdict.DIFFERENT
    assert [finding.attribute for finding in report.findings] == ["momentum"]


class TorchNormed(torch.nn.Module):
    def __init__(self, momentum):
        super().__init__()
        self.a, self.b = torch.nn.Conv2d(6, 4, 1), torch.nn.BatchNorm2d(4, momentum=momentum)

    def forward(self, x):
        return TF.hardtanh(self.b(self.a(x)), 0, 5)


class PaddleNormed(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.a, self.b = paddle.nn.Conv2D(6, 4, 1), paddle.nn.BatchNorm2D(4)

    def forward(self, x):
        return PF.relu(self.b(self.a(x)))


@pytest.mark.parametrize("momentum", [0.1, 0.9])
def test_what_no_given_number_shows_is_looked_for_on_others(momentum):
    """Also where a buffer is as long as the batch, and beside a finding that needs no number."""
    first, *rest = check(PaddleNormed(), TorchNormed(momentum), X / 10).findings
    assert not first.silent
    assert "very large numbers" in first.cause
    told = [(finding.attribute, finding.shows) for finding in rest]
    assert told == [("momentum", Shows.TRAINING)] * (momentum == 0.9)


class Biased(torch.nn.BatchNorm2d):
    """Paddle's running variance, updated by hand in one of several ways; `wrong` says what is not."""

    def __init__(self, channels, way, wrong=""):
        super().__init__(channels)
        self.way, self.wrong = way, wrong

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        with torch.no_grad():
            mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
            share = 0.9 if self.wrong == "momentum" else self.momentum
            if self.way == "lerp":
                self.running_mean.lerp_(mean, share)
                self.running_var.lerp_(variance, share)
            else:
                self.running_mean.copy_((1 - share) * self.running_mean + share * mean)
                self.running_var.mul_(1 - share).add_(variance * share)
            if self.wrong == "mean":
                self.running_mean.add_(0.01)
        return TF.batch_norm(x, None, None, self.weight, self.bias, training=True, eps=self.eps)


def normalized(norm):
    twin = paddle.nn.Sequential(paddle.nn.Conv2D(6, 4, 1), paddle.nn.BatchNorm2D(4), paddle.nn.ReLU())
    return check(twin, torch.nn.Sequential(torch.nn.Conv2d(6, 4, 1), norm, torch.nn.ReLU()), mode="train")


@pytest.mark.parametrize("way", ["lerp", "copy"])
def test_statistics_that_are_kept_by_hand_as_paddle_keeps_them_are_equal(way):
    report = normalized(Biased(4, way))
    assert report.verdict is Verdict.EQUIVALENT, str(report)


@pytest.mark.parametrize("wrong", ["momentum", "mean"])
@pytest.mark.parametrize("way", ["lerp", "copy"])
def test_statistics_that_are_kept_by_hand_otherwise_are_found(way, wrong):
    report = normalized(Biased(4, way, wrong))
    assert report.verdict is Verdict.DIFFERENT, str(report)
    assert {finding.subject for finding in report.findings} == {Subject.STATISTIC}, str(report)


class PaddleDropped(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.a, self.b = paddle.nn.Conv2D(6, 8, 1), paddle.nn.Linear(8, 3)

    def forward(self, x):
        x = PF.dropout(self.a(x), 0.3, mode="downscale_in_infer", training=self.training)
        return self.b(x.flatten(2).transpose([0, 2, 1]))


class TorchDropped(torch.nn.Module):
    def __init__(self, factor, early):
        super().__init__()
        self.a, self.b = torch.nn.Conv2d(6, 8, 1), torch.nn.Linear(8, 3)
        self.factor, self.early = factor, early

    def forward(self, x):
        x = self.a(x)
        if self.early:
            return self.b((x * self.factor).flatten(2).mT)
        return self.b(x.flatten(2).mT.contiguous() * self.factor)


@pytest.mark.parametrize("early", [True, False])
def test_the_factor_of_a_dropout_in_eval_may_stand_on_either_side_of_a_transpose(early):
    report = check(PaddleDropped(), TorchDropped(0.7, early))
    assert report.verdict is Verdict.EQUIVALENT, str(report)


@pytest.mark.parametrize("early", [True, False])
def test_another_factor_is_found_on_either_side(early):
    report = check(PaddleDropped(), TorchDropped(0.3, early))
    assert report.verdict is Verdict.DIFFERENT
    assert len(report.findings) == 1, str(report)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (paddle.nn.Hardtanh(-0.3, 0.7), torch.nn.Hardtanh(-0.3, 0.7)),
        (paddle.nn.Softshrink(0.3), torch.nn.Softshrink(0.3)),
    ],
    ids=["hardtanh", "softshrink"],
)
def test_a_bound_that_paddle_keeps_in_float32_is_told_and_carried(theirs, ours):
    twin = paddle.nn.Sequential(paddle.nn.Linear(6, 6), theirs, paddle.nn.Linear(6, 3), paddle.nn.Sigmoid())
    port = torch.nn.Sequential(torch.nn.Linear(6, 6), ours, torch.nn.Linear(6, 3), torch.nn.Sigmoid())
    report = check(twin, port, X[0, :, 0].T.copy())
    assert report.verdict is Verdict.EQUIVALENT, str(report)


class PaddleBiased(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc = paddle.nn.Linear(5, 4, bias_attr=False)
        start = paddle.nn.initializer.Normal()
        self.shift = self.create_parameter([4], default_initializer=start)

    def forward(self, x):
        y = self.fc(x)
        return PF.gelu(y + self.shift) * y


class TorchBiased(torch.nn.Module):
    """The shift as the layer's bias, taken away again where the bare product is meant."""

    def __init__(self, twin, value=None):
        super().__init__()
        self.fc = torch.nn.Linear(5, 4)
        shift = torch.from_numpy(twin.shift.numpy())
        with torch.no_grad():
            self.fc.weight.copy_(torch.from_numpy(twin.fc.weight.numpy().T))
            self.fc.bias.copy_(shift if value is None else torch.full((4,), value))

    def forward(self, x):
        return TF.gelu(self.fc(x)) * TF.linear(x, self.fc.weight)


def test_a_bias_that_the_other_side_adds_elsewhere_is_no_difference():
    twin = PaddleBiased()
    report = parity.check(twin, TorchBiased(twin), X[:, 0])
    assert report.verdict is Verdict.EQUIVALENT, str(report)


def test_a_bias_with_other_numbers_is_one():
    twin = PaddleBiased()
    assert parity.check(twin, TorchBiased(twin, 0.5), X[:, 0]).verdict is Verdict.DIFFERENT


def test_a_bias_of_zeros_that_paddle_lacks_is_told():
    twin, port = paddle.nn.Linear(5, 4, bias_attr=False), torch.nn.Linear(5, 4)
    with torch.no_grad():
        port.weight.copy_(torch.from_numpy(twin.weight.numpy().T))
        port.bias.zero_()
    report = parity.check(twin, port, X[:, 0])
    assert report.verdict is Verdict.DIFFERENT
    assert [finding.attribute for finding in report.findings] == ["bias"]


class Called(torch.nn.Module):
    def __init__(self, forward):
        super().__init__()
        self.run = forward

    def forward(self, x):
        return self.run(x)


class CalledInPaddle(paddle.nn.Layer):
    def __init__(self, forward):
        super().__init__()
        self.run = forward

    def forward(self, x):
        return self.run(x)


def called(theirs, ours):
    return parity.check(CalledInPaddle(theirs), Called(ours), X[:, :, 0, 0], further=False)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (PF.sigmoid, lambda x: x.sigmoid().clamp(-0.5, 1.0)),
        (lambda x: PF.relu6(PF.tanh(x) * 3), lambda x: TF.relu(x.tanh() * 3)),
        (lambda x: PF.leaky_relu(PF.relu(x), 0.1), lambda x: TF.leaky_relu(x.relu(), 0.3)),
        (paddle.abs, lambda x: torch.where(x >= 0, x, -x)),
        (
            lambda x: x + paddle.arange(x.shape[1]).astype(x.dtype),
            lambda x: x + torch.arange(x.shape[1]).clamp(0, 31).to(x.dtype),
        ),
    ],
    ids=["clip", "relu6", "slope", "abs", "places"],
)
def test_what_no_number_can_show_is_no_difference(theirs, ours):
    report = called(theirs, ours)
    assert report.verdict is Verdict.EQUIVALENT, str(report)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (PF.sigmoid, lambda x: x.sigmoid().clamp(0.01, 1.0)),
        (lambda x: PF.relu6(PF.tanh(x) * 7), lambda x: TF.relu(x.tanh() * 7)),
        (lambda x: PF.leaky_relu(PF.relu(x) - 1e-3, 0.1), lambda x: TF.leaky_relu(x.relu() - 1e-3, 0.3)),
        (lambda x: PF.relu6(x * 0.1), lambda x: TF.relu(x * 0.1)),
    ],
    ids=["clip", "relu6", "slope", "far"],
)
def test_what_some_number_could_show_is_one(theirs, ours):
    assert called(theirs, ours).verdict is Verdict.DIFFERENT


def test_a_vmapped_function_is_what_it_does_to_every_sample():
    twin, port = paddle.nn.Linear(6, 4), torch.nn.Linear(6, 4)

    def samples(x):
        return torch.vmap(lambda v: port.weight @ v + port.bias, out_dims=1)(x).T

    vmapped = Called(samples)
    vmapped.fc = port
    twin_named = paddle.nn.Layer()
    twin_named.fc = twin
    twin_named.forward = lambda x: twin(x)
    for gradients in (False, True):
        report = parity.check(twin_named, vmapped, X[:, :, 0, 0], gradients=gradients, pairs={})
        assert report.verdict is Verdict.DIFFERENT  # other weights
        port.weight.data.copy_(torch.from_numpy(twin.weight.numpy().T))
        port.bias.data.copy_(torch.from_numpy(twin.bias.numpy()))
        report = parity.check(twin_named, vmapped, X[:, :, 0, 0], gradients=gradients)
        assert report.verdict is Verdict.EQUIVALENT, str(report)
        port.bias.data.add_(1)
