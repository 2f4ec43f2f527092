"""What a model keeps from one call to the next is compared number by number, however it is laid out and whatever it is called."""

import linecache

import numpy as np
import paddle
import pytest
import torch

import paddle2torch
from parity import Verdict, check

FEATURES, QUEUE, BATCH = 6, 8, 2
IMAGES = np.random.default_rng(0).standard_normal((BATCH, FEATURES)).astype(np.float32)


class PaddleQueue(paddle.nn.Layer):
    """A slow copy of a layer, a queue of what it saw, and a pointer into it."""

    def __init__(self):
        super().__init__()
        self.fast = paddle.nn.Linear(FEATURES, FEATURES)
        self.slow = paddle.nn.Linear(FEATURES, FEATURES)
        for one in self.slow.parameters():
            one.stop_gradient = True
        self.register_buffer("queue", paddle.randn([FEATURES, QUEUE]))
        self.register_buffer("other", paddle.randn([FEATURES, QUEUE]))
        self.register_buffer("pointer", paddle.zeros([1], "int64"))

    def forward(self, x):
        with paddle.no_grad():
            for slow, fast in zip(self.slow.parameters(), self.fast.parameters(), strict=True):
                slow.set_value(slow * 0.75 + fast * 0.25)
        seen = self.slow(x)
        score = self.fast(x) @ self.queue.clone() + seen @ self.other.clone()
        at = self.pointer.item()
        with paddle.no_grad():
            self.queue[:, at : at + BATCH] = seen.T
            self.other[:, at : at + BATCH] = seen.T * 2
            self.pointer[0] = (at + BATCH) % QUEUE
        return score


class TorchQueue(torch.nn.Module):
    step, growth, as_number, share, sharpness = BATCH, 2.0, False, 0.25, 1.0

    def __init__(self):
        super().__init__()
        self.fast = torch.nn.Linear(FEATURES, FEATURES)
        self.slow = torch.nn.Linear(FEATURES, FEATURES).requires_grad_(False)
        self.register_buffer("bank", torch.zeros(2, QUEUE, FEATURES))
        if self.as_number:
            self.place = 0
        else:
            self.register_buffer("place", torch.tensor(0))

    def forward(self, x):
        with torch.no_grad():
            for slow, fast in zip(self.slow.parameters(), self.fast.parameters(), strict=True):
                slow.copy_(slow * (1 - self.share) + fast * self.share)
        seen = self.slow(x)
        score = self.sharpness * self.fast(x) @ self.bank[0].T.clone() + seen @ self.bank[1].T.clone()
        at = int(self.place)
        with torch.no_grad():
            self.bank[0, at : at + BATCH] = seen
            self.bank[1, at : at + BATCH] = seen * self.growth
            if self.as_number:
                self.place = (at + self.step) % QUEUE
            else:
                self.place.fill_((at + self.step) % QUEUE)
        return score


def loaded(port):
    paddle.seed(0)
    theirs, ours = PaddleQueue(), port()
    state = {name: value.numpy() for name, value in theirs.state_dict().items()}
    bank = np.stack([state.pop("queue").T, state.pop("other").T])
    del state["pointer"]
    carried = {name: value.T if value.ndim == 2 else value for name, value in state.items()}
    missing = ours.load_state_dict({n: torch.tensor(a) for n, a in (*carried.items(), ("bank", bank))}, False)
    assert set(missing.missing_keys) <= {"place"}
    return theirs, ours


def port(**settings):
    return type("Port", (TorchQueue,), settings)


@pytest.mark.parametrize("as_number", [False, True])
def test_queues_in_one_bank_and_a_pointer_of_another_name_are_the_same(as_number):
    report = check(*loaded(port(as_number=as_number)), IMAGES, mode="train")
    assert report.verdict is Verdict.EQUIVALENT, report


def test_a_slow_copy_is_the_same_after_steps_too():
    optimizers = (
        lambda model: paddle.optimizer.SGD(
            0.1, parameters=[p for p in model.parameters() if not p.stop_gradient]
        ),
        lambda model: torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.1),
    )
    report = check(*loaded(TorchQueue), IMAGES, mode="train", steps=2, optimizers=optimizers)
    assert report.verdict is Verdict.EQUIVALENT, report


def test_a_pointer_that_stays_is_told_by_its_name():
    (finding,) = check(*loaded(port(step=0)), IMAGES, mode="train").findings
    assert finding.attribute == "place"
    assert "pointer" in finding.cause


@pytest.mark.parametrize(("settings", "word"), [({"share": 0.5}, "slow"), ({"sharpness": 1.5}, "sharpness")])
def test_beside_a_slow_copy_that_torch_keeps_transposed_a_fault_is_told_alone(settings, word):
    (finding,) = check(*loaded(port(**settings)), IMAGES, mode="train", further=False).findings
    file, _, line = finding.where.rpartition(":")
    assert word in linecache.getline(file, int(line))


def test_a_part_of_a_bank_that_gets_other_numbers_is_told():
    (finding,) = check(*loaded(port(growth=2.5)), IMAGES, mode="train").findings
    assert finding.attribute == "bank"


def test_what_nothing_of_torch_is_known_to_be_leaves_the_verdict_open():
    report = check(*loaded(port(as_number=True, step=3)), IMAGES, mode="train", further=False)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert any("keeps `pointer`" in text for text in report.inconclusive)


class PaddleRecurrent(paddle.nn.Layer):
    """Keeps its last state in an attribute, and adds what it was given three calls ago."""

    def __init__(self):
        super().__init__()
        self.layer, self.state, self.given = paddle.nn.Linear(FEATURES, FEATURES), None, []

    def forward(self, x):
        before = paddle.zeros_like(x) if self.state is None else self.state
        late = self.given[-3] if len(self.given) > 2 else paddle.zeros_like(x)
        self.state = paddle.tanh(self.layer(x) + before / 2)
        self.given.append(x)
        return self.state + late


class TorchRecurrent(torch.nn.Module):
    late, keep = 3, 0.5

    def __init__(self):
        super().__init__()
        self.layer, self.given = torch.nn.Linear(FEATURES, FEATURES), ()

    def forward(self, x):
        before = self.state if hasattr(self, "state") else 0.0
        late = self.given[-self.late] if len(self.given) >= self.late else 0.0
        self.state = torch.tanh(self.layer(x) + before * self.keep)
        self.given = (*self.given, x)
        return self.state + late


def recurrent(**settings):
    theirs, ours = PaddleRecurrent(), type("Port", (TorchRecurrent,), settings)()
    ours.load_state_dict(paddle2torch.convert_state_dict(theirs.state_dict(), ours))
    return theirs, ours


@pytest.mark.parametrize("options", [{}, {"gradients": True}, {"mode": "train"}])
def test_a_state_in_an_attribute_is_none_of_the_next_run_and_is_taken_back(options):
    theirs, ours = recurrent()
    report = check(theirs, ours, np.tile(IMAGES, (2, 1)), **options)
    assert report.verdict is Verdict.EQUIVALENT, report
    assert theirs.state is None
    assert theirs.given == []
    assert not hasattr(ours, "state")
    assert ours.given == ()


@pytest.mark.parametrize("settings", [{"late": 2}, {"keep": 0.6}])
def test_what_a_later_call_makes_of_the_state_is_compared(settings):
    report = check(*recurrent(**settings), IMAGES)
    assert report.verdict is Verdict.DIFFERENT
    assert "calls in a row" in report.findings[0].cause


def test_a_layer_that_forward_makes_stays_and_so_does_what_says_that_it_is_there():
    class Lazy(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.made, self.calls = None, 0

        def forward(self, x):
            if self.made is None:
                self.made, self.layer = True, torch.nn.Identity()
            self.calls += 1
            return self.layer(x) * 2

    class Plain(paddle.nn.Layer):
        def forward(self, x):
            return x * 2

    ours = Lazy()
    assert check(Plain(), ours, IMAGES, further=False).verdict is Verdict.EQUIVALENT
    assert ours.made is True
    assert ours.calls == 0


class PaddleTeacher(paddle.nn.Layer):
    """A teacher whose statistics follow the student's, before it takes a batch itself."""

    def __init__(self):
        super().__init__()
        self.student, self.teacher = paddle.nn.BatchNorm1D(FEATURES), paddle.nn.BatchNorm1D(FEATURES)
        self.student._mean.set_value(paddle.linspace(1, 2, FEATURES))

    def forward(self, x):
        y = self.student(x)
        with paddle.no_grad():
            mean = self.teacher._mean
            mean.set_value(mean * 0.75 + self.student._mean * 0.25)
        return y + self.teacher(x).detach()


class TorchTeacher(torch.nn.Module):
    follows = True

    def __init__(self):
        super().__init__()
        self.a, self.b = torch.nn.BatchNorm1d(FEATURES), torch.nn.BatchNorm1d(FEATURES)

    def forward(self, x):
        y = self.a(x)
        if self.follows:
            self.b.running_mean.lerp_(self.a.running_mean, 0.25)
        return y + self.b(x).detach()


@pytest.mark.parametrize("follows", [True, False])
def test_statistics_that_forward_itself_moves_are_compared(follows):
    theirs, ours = PaddleTeacher(), type("Port", (TorchTeacher,), {"follows": follows})()
    ours.a.running_mean.copy_(torch.linspace(1, 2, FEATURES))
    report = check(
        theirs, ours, np.tile(IMAGES, (4, 1)) * np.arange(1, 9)[:, None].astype("f4"), mode="train"
    )
    assert report.verdict is (Verdict.EQUIVALENT if follows else Verdict.DIFFERENT), report
    assert follows or {finding.attribute for finding in report.findings} == {"b.running_mean"}


def test_what_torchs_batch_norm_counts_is_no_state_that_takes_more_calls():
    images = np.random.default_rng(0).standard_normal((2, 3, 5, 5)).astype(np.float32)
    report = check(paddle.nn.BatchNorm2D(3), torch.nn.BatchNorm2d(3), images, mode="train")
    assert report.verdict is Verdict.EQUIVALENT, report
    names = {case.name for case in report.cases}
    assert any(name.startswith("a second call") for name in names)
    assert not any("in a row" in name for name in names)
