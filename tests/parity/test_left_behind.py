"""What a forward leaves behind besides its result: the caller's tensors, and buffers, in eval mode too."""

import numpy as np
import paddle
import pytest
import torch

import paddle2torch
import parity
from parity import Verdict
from parity.results.finding import Subject

X = np.random.default_rng(0).standard_normal((2, 3)).astype(np.float32)


class InPaddle(paddle.nn.Layer):
    def __init__(self, forward=lambda x, n: x * 2):
        super().__init__()
        self.run = forward
        self.register_buffer("n", paddle.zeros([3]))

    def forward(self, x):
        return self.run(x, self.n)


class InTorch(torch.nn.Module):
    def __init__(self, forward=lambda x, n: x * 2):
        super().__init__()
        self.run = forward
        self.register_buffer("n", torch.zeros(3))

    def forward(self, x):
        return self.run(x, self.n)


def through_a_view(x, n):
    x[:, 1].mul_(2)
    return torch.stack([x[:, 0], x[:, 1] / 2, x[:, 2]], 1) * 2


def added(x, n):
    x += 1
    return x * 2 - 2


def added_in_paddle(x, n):
    x.add_(paddle.ones([1], x.dtype))
    return x * 2 - 2


def counted(x, n):
    n += 1
    return x * 2


def counted_in_paddle(x, n):
    n.set_value(n + 1)
    return x * 2


@pytest.mark.parametrize(
    ("pair", "told"),
    [
        ((InPaddle(), InTorch(added)), "forward writes into its input `0`"),
        ((InPaddle(), InTorch(through_a_view)), "forward writes into its input `0`"),
        ((InPaddle(added_in_paddle), InTorch()), "Paddle's forward writes into its input `0`"),
        (
            (InPaddle(added_in_paddle), InTorch(lambda x, n: x.add_(2) * 2 - 4 + 0)),
            "other numbers than in Paddle",
        ),
        ((InPaddle(counted_in_paddle), InTorch()), "the buffer `n` stays what it was"),
        ((InPaddle(), InTorch(counted)), "a forward in eval mode changes the buffer `n`"),
    ],
)
@pytest.mark.parametrize("gradients", [False, True])
def test_what_one_side_alone_writes_is_found(pair, told, gradients):
    given = X.copy()
    report = parity.check(*pair, X, gradients=gradients, further=False)
    assert report.verdict is Verdict.DIFFERENT, str(report)
    assert told in report.findings[0].cause
    assert np.array_equal(given, X)


@pytest.mark.parametrize(
    "pair", [(InPaddle(added_in_paddle), InTorch(added)), (InPaddle(counted_in_paddle), InTorch(counted))]
)
def test_what_both_sides_write_alike_is_no_difference(pair):
    report = parity.check(*pair, X, further=False)
    assert report.verdict is Verdict.EQUIVALENT, str(report)


class Queue:
    """Rows of a buffer are overwritten in turn."""

    def turn(self, x, step):
        at = self.place
        self.rows[at : at + len(x)] = x.detach()
        self.place = (at + step) % len(self.rows)
        return x * 2


class QueueInPaddle(Queue, paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.register_buffer("rows", paddle.zeros([8, 3]))
        self.place = 0

    def forward(self, x):
        return self.turn(x, len(x))


class QueueInTorch(Queue, torch.nn.Module):
    def __init__(self, step):
        super().__init__()
        self.register_buffer("rows", torch.zeros(8, 3))
        self.place, self.step = 0, step

    def forward(self, x):
        return self.turn(x, len(x) if self.step else 0)


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_what_only_a_second_call_shows_is_found(mode):
    twin = QueueInPaddle()
    report = parity.check(twin, QueueInTorch(False), X, mode=mode)
    assert report.verdict is Verdict.DIFFERENT, str(report)
    assert "calls in a row the buffer `rows` differs" in report.findings[0].cause
    assert twin.place == 0
    assert parity.check(twin, QueueInTorch(True), X, mode=mode).verdict is Verdict.EQUIVALENT


def test_a_cache_that_is_asked_for_the_shape_alone_is_found():
    class Cached(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.cache = {}

        def forward(self, x):
            return x * self.cache.setdefault((x.shape, x.dtype), (x > 0).to(x.dtype))

    report = parity.check(InPaddle(lambda x, n: x * (x > 0).astype(x.dtype)), Cached(), X)
    assert report.verdict is Verdict.DIFFERENT, str(report)


def test_weights_that_are_one_in_torch_alone_are_found_without_gradients():
    class Two(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.a, self.b = paddle.nn.Linear(3, 3), paddle.nn.Linear(3, 3)
            self.b.weight.set_value(self.a.weight)

        def forward(self, x):
            return self.b(self.a(x).tanh())

    class One(torch.nn.Module):
        def __init__(self, tied):
            super().__init__()
            self.a, self.b = torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)
            if tied:
                self.b.weight = self.a.weight

        def forward(self, x):
            return self.b(self.a(x).tanh())

    twin = Two()
    for is_one in (True, False):
        port = One(is_one)
        port.load_state_dict(paddle2torch.convert_state_dict(twin.state_dict(), port))
        report = parity.check(twin, port, X, further=False)
        assert bool(report) is not is_one, str(report)
        assert [finding.subject for finding in report.findings] == [Subject.TIE] * is_one


def test_what_batch_norms_keep_is_the_frameworks_own_after_a_second_call_too():
    class Named(torch.nn.Module):
        """Paddle's names, so that buffers are compared by them."""

        def __init__(self):
            super().__init__()
            for name, value in (("weight", 1.0), ("bias", 0.0)):
                setattr(self, name, torch.nn.Parameter(torch.full((3,), value)))
            self.register_buffer("_mean", torch.zeros(3))
            self.register_buffer("_variance", torch.ones(3))

        def forward(self, x):
            return torch.nn.functional.batch_norm(
                x, self._mean, self._variance, self.weight, self.bias, self.training
            )

    report = parity.check(
        paddle.nn.BatchNorm1D(3), Named(), np.tile(X, (2, 1)) + X[:1] * [[1], [2], [3], [4]], mode="train"
    )
    assert report.verdict is Verdict.EQUIVALENT, str(report)
    assert any(case.name.endswith("in a row") for case in report.cases)


def test_a_parameter_of_paddles_that_is_a_plain_tensor_in_torch_is_found():
    class Scaled(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.w = self.create_parameter([3])
            self.w.set_value(X[0])

        def forward(self, x):
            return x * self.w

    class Plain(torch.nn.Module):
        def __init__(self, register):
            super().__init__()
            self.w = torch.nn.Parameter(torch.from_numpy(X[0])) if register else torch.from_numpy(X[0])

        def forward(self, x):
            return x * self.w.to(x.dtype)

    for register in (False, True):
        report = parity.check(Scaled(), Plain(register), X, further=False)
        assert bool(report) is register, str(report)
        assert [finding.subject for finding in report.findings] == [Subject.REGISTRATION] * (not register)


@pytest.mark.parametrize("narrow", [lambda x: x.half().float(), lambda x: x * 1.0003], ids=["half", "factor"])
def test_what_float32_alone_does_to_few_numbers_is_seen_on_more(narrow):
    def narrowed(x, n):
        return (narrow(x) if x.dtype == torch.float32 else x).sum(-1)

    twin = InPaddle(lambda x, n: x.sum(-1))
    assert parity.check(twin, InTorch(narrowed), X).verdict is Verdict.INCONCLUSIVE
    assert parity.check(twin, InTorch(lambda x, n: x.sum(-1)), X).verdict is Verdict.EQUIVALENT


def test_whole_numbers_of_another_width_are_a_note():
    report = parity.check(
        InPaddle(lambda x, n: x.argmax(-1)), InTorch(lambda x, n: x.argmax(-1).int()), X, further=False
    )
    assert report.verdict is Verdict.EQUIVALENT
    assert "`output` is int32 in torch, int64 in Paddle: the same numbers" in [
        note.text for note in report.notes
    ]


def test_a_result_that_the_next_call_writes_over_is_found():
    class Static(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.out = {}

        def forward(self, x):
            y = x * 2
            return self.out.setdefault((y.shape, y.dtype), torch.empty_like(y)).copy_(y)

    report = parity.check(InPaddle(), Static(), X)
    assert report.verdict is Verdict.DIFFERENT, str(report)
