"""Gradients of parameters and inputs are what counts: compared whatever the port is written like, or named as not compared."""

import numpy as np
import paddle
import pytest
import torch

import parity
from parity import Verdict

X = np.random.default_rng(0).standard_normal((4, 6), dtype=np.float32)


def numbers(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


class PaddleScaled(paddle.nn.Layer):
    """Two branches with weights of their own, a scale each, joined."""

    def __init__(self):
        super().__init__()
        self.q, self.k = paddle.nn.Linear(6, 6), paddle.nn.Linear(6, 6)
        self.scales = paddle.nn.ParameterList(
            [
                paddle.create_parameter([1], "float32", default_initializer=paddle.nn.initializer.Constant(s))
                for s in (0.3, 0.7)
            ]
        )
        for i, layer in enumerate((self.q, self.k)):
            layer.weight.set_value(numbers(6, 6, seed=i))
            layer.bias.set_value(numbers(6, seed=5 + i))

    def forward(self, x):
        return paddle.tanh(self.q(x) * self.scales[0]) + paddle.sin(self.k(x) * self.scales[1])


class TorchScaled(torch.nn.Module):
    """The same with packed weights and one parameter of two scales; `wrong` says what is done wrongly."""

    def __init__(self, twin, wrong=""):
        super().__init__()
        self.packed = torch.nn.Linear(6, 12)
        with torch.no_grad():
            self.packed.weight.copy_(
                torch.from_numpy(np.concatenate([twin.q.weight.numpy().T, twin.k.weight.numpy().T]))
            )
            self.packed.bias.copy_(
                torch.from_numpy(np.concatenate([twin.q.bias.numpy(), twin.k.bias.numpy()]))
            )
        values = torch.tensor([0.3, 0.7])
        if wrong == "buffer":
            self.register_buffer("levels", values)
        else:
            self.levels = torch.nn.Parameter(values, requires_grad=wrong != "frozen")
        self.wrong = wrong

    def forward(self, x):
        levels = {"data": self.levels.data, "item": self.levels.detach().clone()}.get(self.wrong, self.levels)
        y = (self.packed(x).view(-1, 2, 6) * levels.view(1, 2, 1)).unbind(1)
        if self.wrong == "twice":
            y = (y[0] + (y[0] - y[0].detach()), y[1])
        return torch.tanh(y[0]) + torch.sin(y[1])


def check(wrong=""):
    twin = PaddleScaled()
    return parity.check(twin, TorchScaled(twin, wrong), X, gradients=True)


def test_packed_and_joined_parameters_are_compared_by_their_numbers():
    report = check()
    assert report.verdict is Verdict.EQUIVALENT, str(report)
    assert any("3 parameters, 1 inputs" in note.text for note in report.notes)


@pytest.mark.parametrize("wrong", ["buffer", "frozen", "data", "item"])
def test_a_parameter_that_gets_no_gradient_in_torch_is_found_whatever_it_is_called(wrong):
    report = check(wrong)
    assert report.verdict is Verdict.DIFFERENT, str(report)
    assert any("levels" in finding.cause for finding in report.findings), str(report)


def test_a_gradient_that_is_counted_twice_is_found():
    report = check("twice")
    assert report.verdict is Verdict.DIFFERENT, str(report)


class PaddlePair(paddle.nn.Layer):
    """One layer for two inputs at once."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = (paddle.nn.Linear(6, 6) for _ in range(3))

    def forward(self, x):
        y = paddle.nn.functional.gelu(self.a(paddle.concat([x, 2 * x], 0)))
        return self.b(y[:4]) + self.c(paddle.concat([y[:4], y[4:]], 1)[:, 6:])


class TorchPair(torch.nn.Module):
    """One after the other, and only what is needed of it."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = (torch.nn.Linear(6, 6) for _ in range(3))

    def forward(self, x):
        first, second = (torch.nn.functional.gelu(self.a(part)) for part in (x, 2 * x))
        return self.b(first) + self.c(second)


def test_values_inside_that_are_cut_otherwise_are_no_difference():
    from paddle2torch import convert_state_dict

    twin, port = PaddlePair(), TorchPair()
    port.load_state_dict(convert_state_dict(twin.state_dict(), port))
    report = parity.check(twin, port, X, gradients=True)
    assert report.verdict is Verdict.EQUIVALENT, str(report)


class TorchExtra(TorchPair):
    """A parameter more, which takes part."""

    def __init__(self):
        super().__init__()
        self.shift = torch.nn.Parameter(torch.zeros(6))

    def forward(self, x):
        return super().forward(x) + self.shift


def test_a_parameter_that_only_torch_trains_is_named():
    from paddle2torch import convert_state_dict

    twin, port = PaddlePair(), TorchExtra()
    state = convert_state_dict(twin.state_dict(), TorchPair())
    port.load_state_dict({**state, "shift": torch.zeros(6)})
    report = parity.check(twin, port, X, gradients=True)
    assert report.verdict is not Verdict.EQUIVALENT
    assert "shift" in str(report)


class PaddlePrototypes(paddle.nn.Layer):
    """Cosines to prototypes that are the columns of a parameter."""

    def __init__(self):
        super().__init__()
        self.weight = self.create_parameter([6, 5])
        self.weight.set_value(numbers(6, 5))

    def forward(self, x):
        weight = paddle.nn.functional.normalize(self.weight, axis=0)
        return paddle.nn.functional.linear(paddle.nn.functional.normalize(x, axis=1), weight)


class TorchPrototypes(torch.nn.Module):
    """The same with rows, divided by their norm."""

    def __init__(self, detached=False):
        super().__init__()
        self.rows = torch.nn.Parameter(torch.from_numpy(numbers(6, 5).T.copy()))
        self.detached = detached

    def forward(self, x):
        length = self.rows.norm(p=2, dim=1, keepdim=True).clamp_min(1e-12)
        rows = self.rows / (length.detach() if self.detached else length)
        return torch.nn.functional.linear(torch.nn.functional.normalize(x, dim=1), rows)


@pytest.mark.parametrize("detached", [False, True])
def test_a_parameter_that_is_kept_transposed_is_compared_that_way_round_though_its_uses_run_along_other_axes(
    detached,
):
    rate = 0.1
    report = parity.check(
        PaddlePrototypes(),
        TorchPrototypes(detached),
        X,
        mode="train",
        steps=2,
        gradients=True,
        optimizers=(
            lambda net: paddle.optimizer.SGD(rate, parameters=net.parameters()),
            lambda net: torch.optim.SGD(net.parameters(), rate),
        ),
        further=False,
    )
    assert report.verdict is (Verdict.DIFFERENT if detached else Verdict.EQUIVALENT), str(report)


class PaddleTies(paddle.nn.Layer):
    """A largest number of what a ReLU makes, whose equal zeros get gradients that the ReLU stops; a branch is cut off."""

    def __init__(self):
        super().__init__()
        self.fc, self.head = paddle.nn.Linear(6, 6), paddle.nn.Linear(6, 6)

    def forward(self, x):
        y = paddle.nn.functional.relu(self.fc(x) - 2.0)
        return y.max(axis=1), self.head(y), self.head(y.detach() ** 2)


class TorchTies(torch.nn.Module):
    """The same, with the branch not cut off if that is `lost`."""

    def __init__(self, lost):
        super().__init__()
        self.fc, self.head, self.lost = torch.nn.Linear(6, 6), torch.nn.Linear(6, 6), lost

    def forward(self, x):
        y = torch.relu(self.fc(x) - 2.0)
        return (
            y.max(dim=1).values,
            self.head(y),
            self.head((y if self.lost else y.detach()) ** 2),
        )


@pytest.mark.parametrize("lost", [False, True])
def test_gradients_that_no_user_sees_are_not_told_beside_a_detach_that_is_lost(lost):
    from paddle2torch import convert_state_dict

    twin, port = PaddleTies(), TorchTies(lost)
    port.load_state_dict(convert_state_dict(twin.state_dict(), port))
    report = parity.check(twin, port, X * 3, gradients=True, further=False)
    assert [finding.operator for finding in report.findings] == (["detach"] if lost else []), str(report)


class PaddleWords(paddle.nn.Layer):
    """A largest number of what a ReLU makes of embedded ids: which of equal zeros gets its gradient is each framework's own."""

    def __init__(self):
        super().__init__()
        self.embed, self.head = paddle.nn.Embedding(5, 6), paddle.nn.Linear(6, 6)

    def forward(self, ids):
        e = self.embed(ids)
        y = paddle.nn.functional.relu(e - 3.0)
        return y.max(axis=-1), self.head(e)


class TorchWords(torch.nn.Module):
    def __init__(self, padding):
        super().__init__()
        self.embed, self.head = torch.nn.Embedding(5, 6, padding_idx=padding), torch.nn.Linear(6, 6)

    def forward(self, ids):
        e = self.embed(ids)
        y = torch.relu(e - 3.0)
        return y.max(dim=-1).values, self.head(e)


@pytest.mark.parametrize("padding", [None, 1])
def test_gradients_that_no_user_sees_are_not_told_beside_a_row_that_gets_none(padding):
    from paddle2torch import convert_state_dict

    twin, port = PaddleWords(), TorchWords(padding)
    port.load_state_dict(convert_state_dict(twin.state_dict(), port))
    report = parity.check(twin, port, np.array([[1, 2, 3]]), gradients=True, further=False)
    assert [f.attribute for f in report.findings] == (["padding_idx"] if padding else []), str(report)


class PaddleEdges(paddle.nn.Layer):
    """A loss of the numbers and one of their edges, of which the target's get no gradient."""

    def __init__(self):
        super().__init__()
        self.fc = paddle.nn.Linear(6, 6)

    def forward(self, x, target):
        y = self.fc(x)
        edges = y[:, 1:] - y[:, :-1]
        wanted = target.detach()
        wanted = wanted[:, 1:] - wanted[:, :-1]
        return ((y - target) ** 2).mean() + (paddle.tanh(edges) - paddle.tanh(wanted)).abs().mean()


class TorchEdges(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(6, 6)

    def forward(self, x, target):
        y = self.fc(x)
        wanted = torch.tanh(torch.diff(target.detach(), dim=1))
        edges = torch.tanh(torch.diff(y.detach(), dim=1))
        return ((y - target) ** 2).mean() + (edges - wanted).abs().mean()


def test_of_two_places_that_cut_gradients_off_the_one_that_explains_them_is_told():
    from paddle2torch import convert_state_dict

    twin, port = PaddleEdges(), TorchEdges()
    port.load_state_dict(convert_state_dict(twin.state_dict(), port))
    report = parity.check(twin, port, (X, numbers(4, 6)), gradients=True, further=False)
    (finding,) = report.findings
    import linecache

    path, _, line = finding.where.rpartition(":")
    assert "y.detach()" in linecache.getline(path, int(line))


class _PaddleBoth(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.rnn = paddle.nn.LSTM(4, 3, direction="bidirect")

    def forward(self, x):
        return self.rnn(x)[0]


class _TorchEach(torch.nn.Module):
    """A layer for each direction."""

    def __init__(self, twin, detached=False):
        super().__init__()
        self.forth, self.back = (torch.nn.LSTM(4, 3, batch_first=True) for _ in range(2))
        state = {name: torch.from_numpy(value.numpy()) for name, value in twin.rnn.state_dict().items()}
        for layer, suffix in ((self.forth, ""), (self.back, "_reverse")):
            layer.load_state_dict({name: state[name + suffix] for name in layer.state_dict()})
        self.detached = detached

    def forward(self, x):
        back, _ = self.back(x.flip(1))
        back = back.detach() if self.detached else back
        return torch.cat([self.forth(x)[0], back.flip(1)], -1)


@pytest.mark.parametrize("detached", [False, True])
def test_weights_that_paddle_keeps_in_one_flat_array_too_are_told_by_their_numbers(detached):
    paddle.seed(0)
    twin = _PaddleBoth()
    x = numbers(2, 5, 4, seed=9)
    report = parity.check(twin, _TorchEach(twin, detached), x, mode="train", gradients=True, further=False)
    assert report.verdict is (Verdict.DIFFERENT if detached else Verdict.EQUIVALENT), str(report)


def test_gradients_that_differ_because_the_forward_does_are_not_said_to_agree():
    for activation, agree in ((torch.relu, False), (torch.nn.functional.gelu, True)):
        one, other = paddle.nn.Sequential(paddle.nn.Linear(6, 3), paddle.nn.GELU()), torch.nn.Linear(6, 3)
        with torch.no_grad():
            other.weight.copy_(torch.from_numpy(one[0].weight.numpy().T.copy()))
            other.bias.copy_(torch.from_numpy(one[0].bias.numpy()))
        other.register_forward_hook(lambda _, __, y, activation=activation: activation(y))
        report = parity.check(one, other, X, gradients=True, further=False)
        assert report.verdict is (Verdict.EQUIVALENT if agree else Verdict.DIFFERENT), str(report)
        assert any("all agree to rounding" in note.text for note in report.notes) is agree
