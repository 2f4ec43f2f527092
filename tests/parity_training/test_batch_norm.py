"""The BatchNorm that accumulates Paddle's running variance: equal to Paddle's over many steps, and known to the check."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
import torch
from torch import nn

import parity
from parity.remedies.torch_batch_norm import (
    BiasedBatchNorm1d,
    BiasedBatchNorm2d,
    BiasedBatchNorm3d,
    use_biased_variance,
)
from tests.parity_training.networks import ENTROPY, X, pair

LAYERS = {
    1: (paddle.nn.BatchNorm1D, BiasedBatchNorm1d, (5, 4)),
    2: (paddle.nn.BatchNorm2D, BiasedBatchNorm2d, (2, 4, 3, 3)),
    3: (paddle.nn.BatchNorm3D, BiasedBatchNorm3d, (2, 4, 2, 3, 2)),
}


@pytest.mark.parametrize("dimensions", LAYERS)
def test_statistics_outputs_and_gradients_are_paddles_in_float64(dimensions):
    paddle_class, torch_class, shape = LAYERS[dimensions]
    expected = paddle_class(4)
    expected.to(dtype="float64")
    share = 1.0 - float(np.float32(0.9))
    actual = torch_class(4, eps=float(np.float32(1e-5)), momentum=share).double()
    rng = np.random.default_rng(0)
    for _ in range(6):
        x = rng.normal(1.0, 2.0, shape)
        given, ours = paddle.to_tensor(x, stop_gradient=False), torch.tensor(x, requires_grad=True)
        left, right = expected(given), actual(ours)
        (left**3).sum().backward()
        (right**3).sum().backward()
        np.testing.assert_allclose(right.detach().numpy(), left.numpy(), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(ours.grad.numpy(), given.grad.numpy(), rtol=1e-10, atol=1e-10)
        for name, twin in (("running_mean", "_mean"), ("running_var", "_variance")):
            np.testing.assert_allclose(
                getattr(actual, name).numpy(), getattr(expected, twin).numpy(), rtol=1e-12, atol=1e-12
            )
    assert int(actual.num_batches_tracked) == 6


def test_torchs_own_layer_does_not_agree():
    plain, biased = nn.BatchNorm2d(3), BiasedBatchNorm2d(3)
    x = torch.randn(2, 3, 2, 2)
    plain(x), biased(x)
    assert torch.equal(plain.running_mean, biased.running_mean)
    assert (plain.running_var - biased.running_var).abs().max() > 1e-3


def test_eval_and_layers_without_statistics_behave_as_torchs():
    x = torch.randn(4, 3, 2, 2)
    for options in ({}, {"track_running_stats": False}, {"affine": False}):
        plain, biased = nn.BatchNorm2d(3, **options).eval(), BiasedBatchNorm2d(3, **options).eval()
        assert torch.equal(plain(x), biased(x))


def test_a_cumulative_average_is_accumulated_biased_too():
    biased = BiasedBatchNorm2d(3, momentum=None)
    batches = [torch.randn(4, 3, 2, 2, dtype=torch.float32) for _ in range(3)]
    for batch in batches:
        biased(batch)
    expected = torch.stack([b.var(dim=(0, 2, 3), unbiased=False) for b in batches]).mean(0)
    torch.testing.assert_close(biased.running_var, expected)


def test_layers_are_exchanged_in_place_with_their_state_hooks_and_modes():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Sequential(nn.BatchNorm1d(4)))
    model[1].eval()
    names, weight = list(model.state_dict()), model[1].weight
    assert use_biased_variance(model) is model
    assert [type(m).__name__ for m in (model[1], model[2][0])] == ["BiasedBatchNorm2d", "BiasedBatchNorm1d"]
    assert list(model.state_dict()) == names
    assert model[1].weight is weight
    assert not model[1].training
    assert type(use_biased_variance(nn.BatchNorm3d(2))) is BiasedBatchNorm3d


def report_of(paddle_net, torch_net):
    return parity.check(
        paddle_net,
        torch_net,
        X,
        mode="train",
        steps=3,
        losses=ENTROPY,
        optimizers=(
            lambda m: paddle.optimizer.SGD(0.1, parameters=m.parameters()),
            lambda m: torch.optim.SGD(m.parameters(), 0.1),
        ),
        further=False,
    )


def test_the_difference_of_torchs_layer_is_a_note_with_its_size_and_remedy():
    report = report_of(*pair())
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)
    note = next(note for note in report.notes if "use_biased_variance" in note.text)
    sizes = note.evidence["relative difference after each step"]
    assert 1e-5 < sizes[0] < sizes[2] < 1e-1


def test_the_remedy_leaves_nothing_to_note():
    paddle_net, torch_net = pair()
    report = report_of(paddle_net, use_biased_variance(torch_net))
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)
    assert not any("use_biased_variance" in note.text for note in report.notes)


class _Paddle(paddle.nn.Layer):
    def __init__(self, way):
        super().__init__()
        self.bn = paddle.nn.BatchNorm1D(4, bias_attr=False if way == "no bias" else None)
        if way == "frozen":
            self.bn.bias.stop_gradient = True
        elif way == "weight":
            self.bn.weight.stop_gradient = True

    def forward(self, x):
        return self.bn(x)


class _Torch(nn.Module):
    """What people write for it; zeros that stay are no bias."""

    def __init__(self, way, *, trained=False):
        super().__init__()
        self.bn = nn.BatchNorm1d(4)
        if not trained:
            (self.bn.weight if way == "weight" else self.bn.bias).requires_grad_(False)

    def forward(self, x):
        return self.bn(x)


BESIDE = np.random.default_rng(3).standard_normal((6, 4), dtype=np.float32)


@pytest.mark.parametrize("way", ["no bias", "frozen", "weight"])
def test_a_batch_norm_of_which_paddle_trains_neither_parameter_is_told_as_that(way):
    assert parity.check(_Paddle(way), _Torch(way), BESIDE).verdict is parity.Verdict.EQUIVALENT
    report = parity.check(_Paddle(way), _Torch(way), BESIDE, mode="train", gradients=True)
    (finding,) = report.findings
    learns = "bn.bias" if way == "weight" else "bn.weight"
    assert finding.layer == "bn"
    assert f"`{learns}` learns in torch and stays what it is in Paddle" in finding.cause
    assert f"{learns}.requires_grad_(False)" in finding.fix


def test_a_bias_that_learns_in_torch_alone_is_a_finding_whose_fix_keeps_the_weight():
    report = parity.check(_Paddle("no bias"), _Torch("no bias", trained=True), BESIDE)
    (finding,) = report.findings
    assert (finding.subject.value, finding.attribute) == ("slot", "bias")
    assert "bias=False" in finding.fix
