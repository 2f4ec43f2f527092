"""The values that the command line fills models with: they show mistakes and do not amplify rounding."""

import numpy as np
import paddle
import pytest
import torch
import torch.nn.functional as F

import parity
from parity.setup.inputs import random_input
from parity.sides.live import LiveSide
from parity.sides.random_weights import DAMPING, random_state, residual_scales, signed_scales
from parity.trace.values import scratch_directory


def scales_of(model, shape, which=residual_scales) -> set[str]:
    with scratch_directory() as scratch:
        trace, values = LiveSide("paddle", model).capture(
            {"0": random_input(shape)},
            mode="eval",
            precision="float32",
            store=scratch / "v",
            outputs_only=True,
        )
        values.close()
    return which(trace)


def test_the_branch_of_a_resnet_block_is_damped_and_its_shortcut_is_not():
    from paddle_models.resnet import resnet50

    found = scales_of(resnet50(), (1, 3, 32, 32))
    assert len(found) == 3 + 4 + 6 + 3
    assert all(name.endswith(".conv2._batch_norm.weight") for name in found)


class Gated(paddle.nn.Layer):
    """x + gate * norm(conv(x)), called by names that tell nothing; the sum is written in either order."""

    def __init__(self, *, branch_first):
        super().__init__()
        self.a, self.b, self.c = (
            paddle.nn.Conv2D(4, 4, 1),
            paddle.nn.BatchNorm2D(4),
            paddle.nn.Conv2D(4, 4, 1),
        )
        self.branch_first = branch_first

    def forward(self, x):
        y = self.b(self.a(x))
        y = y * paddle.nn.functional.sigmoid(self.c(y.mean([2, 3], keepdim=True)))
        return y + x if self.branch_first else x + y


@pytest.mark.parametrize("branch_first", [True, False])
def test_a_gated_branch_is_found_whatever_the_names_and_the_order_of_the_sum(branch_first):
    assert scales_of(Gated(branch_first=branch_first), (1, 4, 4, 4)) == {"b.weight"}


class Plain(paddle.nn.Layer):
    """No sum of two branches: a convolution's bias and a shift by a number are no residuals."""

    def __init__(self):
        super().__init__()
        self.conv, self.bn = paddle.nn.Conv2D(4, 4, 1), paddle.nn.BatchNorm2D(4)
        self.shift = self.create_parameter([4, 1, 1])

    def forward(self, x):
        return self.bn(self.conv(x)) + self.shift + 1.0


def test_a_network_without_residuals_is_not_damped():
    assert scales_of(Plain(), (1, 4, 4, 4)) == set()


def test_random_values_are_the_same_for_the_same_seed_and_never_neutral():
    state = {
        "bn.weight": np.ones(50, np.float32),
        "bn.bias": np.zeros(50, np.float32),
        "bn._mean": np.zeros(50, np.float32),
        "bn._variance": np.ones(50, np.float32),
        "fc.weight": np.zeros((50, 3), np.float32),
        "steps": np.array(3),
    }
    first, again, other = random_state(state), random_state(state), random_state(state, seed=1)
    for name, array in first.items():
        assert array.dtype == state[name].dtype
        assert np.array_equal(array, again[name])
        if name != "steps":
            assert not np.isclose(array, 0).any()
            assert not np.array_equal(array, other[name])
    assert first["steps"] == 3
    assert (first["bn._variance"] > 0).all()


def test_damping_shrinks_exactly_the_named_scales():
    state = {"a.weight": np.ones(8, np.float32), "b.weight": np.ones(8, np.float32)}
    plain, damped = random_state(state), random_state(state, damped={"b.weight"})
    assert np.array_equal(plain["a.weight"], damped["a.weight"])
    assert np.allclose(damped["b.weight"], DAMPING * plain["b.weight"])


class Scaled(paddle.nn.Layer):
    """Scales of every kind: multiplied by, normalised with, weighed with after a ReLU; and numbers that must be positive."""

    def __init__(self):
        super().__init__()
        self.bn = paddle.nn.BatchNorm2D(4)
        self.gamma, self.share, self.power = (self.create_parameter([n]) for n in (4, 2, 1))
        self.factor = self.create_parameter([1])

    def forward(self, x):
        x = self.bn(x) * self.gamma.reshape([1, -1, 1, 1]) * self.factor
        share = paddle.nn.functional.relu(self.share)
        return (x.abs() + 1.0) ** self.power * share[0] + x * share[1]


def test_scales_that_work_with_either_sign_are_found_by_how_they_are_used():
    found = scales_of(Scaled(), (1, 4, 4, 4), signed_scales)
    assert found == {"bn.weight", "gamma", "factor"}


def test_a_signed_scale_has_a_negative_entry_and_never_loses_them_all():
    state = {name: np.ones(n, np.float32) for name, n in (("one", 1), ("two", 2), ("many", 9))}
    values = random_state(state, signed=set(state))
    assert {name: int((array < 0).sum()) for name, array in values.items()} == {"one": 1, "two": 1, "many": 3}
    assert all(np.array_equal(np.abs(array), random_state(state)[name]) for name, array in values.items())


class PaddleScaled(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv, self.bn = paddle.nn.Conv2D(3, 4, 3), paddle.nn.BatchNorm2D(4)
        self.scale = self.create_parameter([1])

    def forward(self, x):
        x = paddle.nn.functional.relu(self.scale * self.conv(x))
        return paddle.nn.functional.max_pool2d(self.bn(x), 2)


class TorchScaled(torch.nn.Module):
    def __init__(self, *, relu_first, pool_first):
        super().__init__()
        self.conv, self.bn = torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)
        self.scale = torch.nn.Parameter(torch.ones(1))
        self.relu_first, self.pool_first = relu_first, pool_first

    def forward(self, x):
        x = self.conv(x)
        x = self.scale * F.relu(x) if self.relu_first else F.relu(self.scale * x)
        return self.bn(F.max_pool2d(x, 2)) if self.pool_first else F.max_pool2d(self.bn(x), 2)


@pytest.mark.parametrize(
    ("change", "operator"),
    [({}, ""), ({"relu_first": True}, "mul"), ({"pool_first": True}, "BatchNorm2d")],
)
def test_an_order_that_only_a_positive_scale_permits_is_seen(change, operator):
    torch_model = TorchScaled(**{"relu_first": False, "pool_first": False} | change)
    report = parity.check(
        PaddleScaled(), torch_model, random_input((2, 3, 8, 8)), randomize=True, further=False
    )
    assert [f.operator for f in report.findings[:1]] == [operator] * bool(operator), str(report)
