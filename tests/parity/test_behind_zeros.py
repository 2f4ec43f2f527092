"""A scale of zeros hides what is in front of it: in a port of another layout that is compared all the same, or named."""

import numpy as np
import paddle
import pytest
import torch

import paddle2torch

X = np.random.default_rng(0).standard_normal((2, 4, 5, 6)).astype(np.float32)


class _Paddle(paddle.nn.Layer):
    def __init__(self, scale):
        super().__init__()
        self.a, self.b = paddle.nn.Conv2D(4, 4, 1), paddle.nn.Conv2D(4, 4, 1)
        self.scale = self.create_parameter([4], default_initializer=paddle.nn.initializer.Constant(scale))

    def forward(self, x):
        x = self.a(x)
        return x + self.scale.reshape([1, 4, 1, 1]) * paddle.nn.functional.gelu(self.b(x))


class _Torch(torch.nn.Module):
    """The branch with its channels last."""

    def __init__(self, activation):
        super().__init__()
        self.a, self.b = torch.nn.Conv2d(4, 4, 1), torch.nn.Linear(4, 4)
        self.scale, self.activation = torch.nn.Parameter(torch.zeros(4)), activation

    def forward(self, x):
        x = self.a(x)
        y = self.activation(self.b(x.permute(0, 2, 3, 1)))
        return x + (y * self.scale).permute(0, 3, 1, 2)


def _checked(scale, weight=lambda w: w, activation=torch.nn.functional.gelu):
    paddle.seed(0)
    one, other = _Paddle(scale), _Torch(activation)
    state = {name: torch.tensor(value.numpy()) for name, value in one.state_dict().items()}
    state["b.weight"] = weight(state["b.weight"][:, :, 0, 0])
    other.load_state_dict(state)
    return paddle2torch.check(one, other, X, further=False)


WRONG = {
    "transposed": lambda w: w.T.contiguous(),
    "rows exchanged": lambda w: w[[1, 0, 2, 3]],
    "never loaded": lambda w: torch.linspace(-1, 1, w.numel()).reshape(w.shape),
}


@pytest.mark.parametrize("scale", [0.0, 1e-6, 0.5])
@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_weights_in_front_of_zeros_are_told_in_another_layout_too(scale, wrong):
    report = _checked(scale, WRONG[wrong])
    assert report.verdict.value == "DIFFERENT", str(report)
    assert "`b.weight`" in report.findings[0].cause


@pytest.mark.parametrize("scale", [0.0, 0.5])
def test_the_right_weights_there_are_equivalent(scale):
    assert _checked(scale).verdict.value == "EQUIVALENT"


def test_another_operator_in_front_of_zeros_is_not_equivalent():
    report = _checked(0.0, activation=torch.nn.functional.relu)
    assert report.verdict.value == "INCONCLUSIVE", str(report)
    (reason,) = report.inconclusive
    assert "`scale` is zero" in reason
    assert "`randomize`" in reason
    assert _checked(0.5, activation=torch.nn.functional.relu).verdict.value == "DIFFERENT"
