"""Where values stand in another layout, parameters are under watch as everywhere: their gradients, and what steps make of them."""

import numpy as np
import paddle
import pytest
import torch

import parity
from convert import convert_state_dict

IMAGES = np.random.default_rng(0).standard_normal((2, 3, 6, 6), dtype=np.float32)


class InPaddle(paddle.nn.Layer):
    """Scales and shifts tokens before they become an image again."""

    def __init__(self):
        super().__init__()
        self.conv, self.fc = paddle.nn.Conv2D(3, 8, 3, padding=1), paddle.nn.Linear(8, 8)
        self.scale = self.create_parameter([8], default_initializer=paddle.nn.initializer.Uniform(0.5, 1.5))
        self.out = paddle.nn.Conv2D(8, 2, 1)

    def forward(self, x):
        y = self.conv(x)
        tokens = y.flatten(2).transpose([0, 2, 1])
        z = self.fc(tokens) * self.scale
        return self.out(y + z.transpose([0, 2, 1]).reshape(y.shape))


class InTorch(torch.nn.Module):
    """Scales the image."""

    def __init__(self, held=lambda scale: scale):
        super().__init__()
        self.conv, self.fc = torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.Linear(8, 8)
        self.scale = torch.nn.Parameter(torch.ones(8))
        self.out, self.held = torch.nn.Conv2d(8, 2, 1), held

    def forward(self, x):
        y = self.conv(x)
        z = self.fc(y.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(y.shape)
        return self.out(y + z * self.held(self.scale).view(1, -1, 1, 1))


def check(torch_model, **options):
    paddle.seed(0)
    paddle_model = InPaddle()
    torch_model.load_state_dict(convert_state_dict(paddle_model.state_dict(), torch_model))
    return parity.check(paddle_model, torch_model, IMAGES, mode="train", further=False, **options)


def sgd(left_out=()):
    return (
        lambda model: paddle.optimizer.SGD(0.1, parameters=model.parameters()),
        lambda model: torch.optim.SGD([p for n, p in model.named_parameters() if n not in left_out], 0.1),
    )


def test_a_scale_on_the_other_side_of_a_transpose_is_equal_through_two_steps():
    report = check(InTorch(), steps=2, optimizers=sgd())
    assert report, str(report)
    assert report.worst < 1e-12


@pytest.mark.parametrize("held", [torch.Tensor.detach, lambda scale: scale.data])
def test_a_scale_without_a_gradient_there_is_one_finding_that_names_it(held):
    (finding,) = check(InTorch(held), gradients=True).findings
    assert "`scale`" in finding.cause


def test_a_scale_whose_gradient_is_another_is_found():
    class Doubled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, scale):
            return scale.clone()

        @staticmethod
        def backward(ctx, gradient):
            return gradient * 2

    assert not check(InTorch(Doubled.apply), gradients=True)


def test_a_scale_that_no_step_moves_is_found():
    report = check(InTorch(), steps=2, optimizers=sgd(left_out=("scale",)))
    assert any("scale" in f"{finding.cause}{finding.layer}{finding.attribute}" for finding in report.findings)


class PaddleSlopes(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc, self.act = paddle.nn.Linear(6, 6), paddle.nn.PReLU(6, data_format="NLC")

    def forward(self, x):
        return self.act(self.fc(x))


class TorchSlopes(torch.nn.Module):
    """No operator of torch has the slopes in the slot in which Paddle's has them."""

    def __init__(self):
        super().__init__()
        self.fc, self.slopes = torch.nn.Linear(6, 6), torch.nn.Parameter(torch.full((6,), 0.25))

    def forward(self, x):
        x = self.fc(x)
        return torch.where(x > 0, x, self.slopes * x)


@pytest.mark.parametrize("trained", [True, False])
def test_a_parameter_that_no_aligned_operators_share_is_trained_and_compared(trained):
    def in_torch(model):
        names = dict(model.named_parameters())
        return torch.optim.SGD([p for name, p in names.items() if trained or name != "slopes"], lr=0.5)

    report = parity.check(
        PaddleSlopes(),
        TorchSlopes(),
        np.random.default_rng(0).standard_normal((5, 4, 6), dtype=np.float32),
        randomize=True,
        pairs={"slopes": "act._weight"},
        steps=2,
        optimizers=(lambda m: paddle.optimizer.SGD(0.5, parameters=m.parameters()), in_torch),
        further=False,
    )
    assert bool(report) is trained, report
    assert trained or "slopes" in report.findings[0].cause


class PaddleLooks(paddle.nn.Layer):
    """Looks three times, each time where it has looked least; where it looked is no thing to learn by."""

    def __init__(self, kept):
        super().__init__()
        self.fc, self.kept = paddle.nn.Linear(4, 4), kept

    def forward(self, x):
        seen, found = paddle.zeros([x.shape[0], 4], dtype=x.dtype), []
        for _ in range(3):
            a = paddle.nn.functional.softmax(self.fc(x) - seen, axis=1)
            seen = 0.5 * seen + self.kept(a)
            found.append(a)
        return paddle.stack(found, axis=1)


class TorchLooks(torch.nn.Module):
    """The same with the columns in front, and minus what it has seen."""

    def __init__(self, kept):
        super().__init__()
        self.fc, self.kept = torch.nn.Linear(4, 4), kept

    def forward(self, x):
        unseen, found = x.new_zeros(4, x.size(0)), []
        for _ in range(3):
            a = (self.fc.weight @ x.T + self.fc.bias[:, None] + unseen).softmax(0)
            unseen = torch.sub(unseen, self.kept(a), alpha=2.0).mul(0.5)
            found.append(a.T)
        return torch.stack(found, 1)


def cut(value):
    return value.detach()


def whole(value):
    return value


@pytest.mark.parametrize("kept", [(cut, cut), (whole, whole), (cut, whole), (whole, cut)])
def test_a_detach_on_one_side_alone_is_found_where_nothing_pairs(kept):
    model, port = PaddleLooks(kept[0]), TorchLooks(kept[1])
    port.load_state_dict(convert_state_dict(model.state_dict(), port))
    report = parity.check(model, port, IMAGES[:, 0, :4, :4][0], mode="train", further=False, gradients=True)
    assert bool(report) == (kept[0] is kept[1]), str(report)
    if kept[0] is not kept[1]:
        (finding,) = report.findings
        side = "Paddle" if kept[0] is cut else "torch"
        assert f"detach only in {side}" in finding.cause
