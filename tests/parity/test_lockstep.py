"""Two models side by side: the same report as from stored runs, whatever order values come in."""

import threading
from contextlib import suppress
from typing import ClassVar

import numpy as np
import paddle
import pytest
import torch

import parity
import parity.case
import parity.numbers.compare
import parity.runs.lockstep
from parity.case import Question
from parity.runs.lockstep import OTHER, Apart, Meeting, Plan, _Passing
from parity.runs.relay import Relay
from tests.parity.pairs import PaddleNet, TorchNet, small

BATCH = (parity.runs.lockstep.SMALLEST_BATCH, 3, 8, 8)


class PaddleBranches(PaddleNet):
    """Two branches, values that are overwritten after their use, a clip that a port may spell otherwise."""

    def __init__(self):
        super().__init__()
        self.left, self.right = (paddle.nn.Conv2D(6, 6, 3, padding=1) for _ in range(2))

    def forward(self, x):
        x = paddle.nn.functional.relu(self.bn(self.conv(x)))
        left = paddle.nn.functional.relu(self.left(x))
        right = self.right(x)
        total = left + right
        total.scale_(0.5)
        total = paddle.nn.functional.relu_(total)
        return self.dropout(self.fc(paddle.clip(total, 0.0, 6.0).mean([2, 3])))


class TorchBranches(TorchNet):
    """The branches in the other order, the same in other words."""

    def __init__(self):
        super().__init__()
        self.left, self.right = (torch.nn.Conv2d(6, 6, 3, padding=1) for _ in range(2))
        self.same = torch.nn.Identity()

    def forward(self, x):
        x = torch.nn.functional.relu(self.bn(self.conv(x)), inplace=True)
        right = self.right(x)
        left = self.same(self.left(x)).clamp_(min=0)
        left += right
        left /= 2.0
        return self.fc(torch.nn.functional.relu6(left.relu_()).mean(dim=(2, 3)))


class Negated(TorchBranches):
    """One operator more."""

    def forward(self, x):
        return -super().forward(x)


def both_ways(monkeypatch, pair, **options):
    """The report of a check side by side, and of the same with stored runs."""
    with monkeypatch.context() as patched:
        patched.setattr(Question, "stored", lambda *_: pytest.fail("not side by side"))
        met = parity.check(*pair, **options)
    with monkeypatch.context() as patched:
        patched.setattr(parity.case, "suits", lambda *_: False)
        return met, parity.check(*pair, **options)


def test_another_order_and_overwritten_values_give_the_report_of_stored_runs(monkeypatch):
    met, stored = both_ways(monkeypatch, small(TorchBranches, PaddleBranches, shape=BATCH))
    assert met.to_json() == stored.to_json()
    assert met, str(met)
    assert all(row.float64 and row.float32 for row in met.layers if row.status != "inside")


def test_faults_are_explained_in_step_as_by_stored_runs(monkeypatch):
    paddle_model, torch_model, inputs = small(Negated, PaddleBranches, shape=BATCH)
    with torch.no_grad():
        torch_model.left.weight.mul_(1.001)
        torch_model.fc.bias[0] += 1e-3
    met, stored = both_ways(monkeypatch, (paddle_model, torch_model, inputs))
    assert met.to_json() == stored.to_json()
    assert {finding.layer for finding in met.findings} == {"left", "fc", ""}
    assert met.cases[0].judgement.replayed


class PaddleByBatch(PaddleNet):
    def forward(self, x):
        return super().forward(x) if x.shape[0] == 1 else super().forward(x) * 2.0


class TorchByBatch(TorchNet):
    def forward(self, x):
        return super().forward(x) if x.shape[0] == 1 else super().forward(x) * 2.5


class TorchOneOnly(TorchNet):
    def forward(self, x):
        if len(x) > 1:
            raise ValueError("one at a time")
        return super().forward(x)


def test_what_a_batch_of_one_does_not_show_is_run_again_and_compared(monkeypatch):
    pair = small(TorchByBatch, PaddleByBatch, shape=BATCH)
    met, stored = both_ways(monkeypatch, pair, further=False)
    assert met.to_json() == stored.to_json()
    assert met.verdict is parity.Verdict.DIFFERENT
    assert "2.5" in str(met)


class PaddleOnce(PaddleNet):
    """Takes another way from its fifth forward on: that after the first, the short run, float32 and float64.

    It counts in its class: what it kept itself would be taken back after every run.
    """

    calls: ClassVar = []

    def forward(self, x):
        self.calls.append(x)
        return super().forward(x) if len(self.calls) < 5 else super().forward(-x)


def test_a_model_that_runs_otherwise_when_it_runs_again_goes_the_stored_way(monkeypatch):
    paddle_model, torch_model, inputs = small(TorchNet, PaddleOnce, shape=BATCH)
    with torch.no_grad():
        torch_model.conv.weight.mul_(1.001)
    ways = []
    stored = Question.stored
    monkeypatch.setattr(Question, "stored", lambda *a: (ways.append(1), stored(*a))[1])
    assert not parity.check(paddle_model, torch_model, inputs, further=False)
    assert ways


class PaddleFixedSize(PaddleNet):
    """Counts the images that come, and takes those of one size only."""

    seen: ClassVar = []

    def forward(self, x):
        self.seen.append(tuple(x.shape))
        if tuple(x.shape[2:]) != (8, 8):
            raise ValueError("8 x 8 only")
        return super().forward(x)


def test_a_size_that_paddles_model_refuses_is_tried_once():
    paddle_model, torch_model, inputs = small(TorchNet, PaddleFixedSize, shape=BATCH)
    report = parity.check(paddle_model, torch_model, inputs)
    assert not any("size" in case.name for case in report.cases)
    refused = [shape for shape in paddle_model.seen if shape[2:] != BATCH[2:]]
    assert refused
    assert len(refused) == len(set(refused))


def test_an_error_of_the_model_in_torchs_thread_is_the_ports_own():
    report = parity.check(*small(TorchOneOnly, shape=BATCH))
    assert report.verdict is parity.Verdict.DIFFERENT
    assert "one at a time" in str(report)
    assert "test_lockstep.py" in report.findings[0].where


def test_settings_that_torch_keeps_by_thread_keep_the_check_in_one(monkeypatch):
    monkeypatch.setattr(Question, "in_step", lambda *_: pytest.fail("another thread has other settings"))
    pair = small(shape=BATCH)
    with torch.autocast("cpu", enabled=True, cache_enabled=False):
        parity.check(*pair, further=False)
    with torch.device("meta"), suppress(parity.ParityError):
        parity.check(*pair, further=False)


def test_the_values_of_a_run_in_step_are_not_written(monkeypatch):
    monkeypatch.setattr(parity.numbers.compare, "BLOCK", 1 << 10)
    monkeypatch.setattr(parity.numbers.compare, "SAMPLE", 1 << 12)
    written = []
    put = parity.trace.values.ValueStore.put
    monkeypatch.setattr(
        parity.trace.values.ValueStore, "put", lambda s, k, a: (written.append(a.nbytes), put(s, k, a))[1]
    )
    pair = small(TorchBranches, PaddleBranches, shape=(16, 3, 64, 64))
    met, stored = both_ways(monkeypatch, pair, further=False)
    total = sum(written)
    written.clear()
    monkeypatch.setattr(parity.case, "suits", lambda *_: False)
    parity.check(*pair, further=False)
    assert (total - sum(written)) * 3 < sum(written)
    assert met.cases[0].judgement.rows == stored.cases[0].judgement.rows


# -- the meeting itself ----------------------------------------------------------------------------


def meet(tmp_path, orders, plan=None):
    """Let two threads bring the values 0.. in these orders; what was found, by torch's key."""
    count = max(max(order, default=0) for order in orders.values()) + 1
    same = {str(i): str(i) for i in range(count)}
    meeting = Meeting(plan or Plan({"paddle": same, "torch": same}, {"paddle": (), "torch": ()}), tmp_path)
    failed = []

    def go(side):
        store = _Passing(tmp_path / side, side, meeting, lambda: pytest.fail("nothing is made again"))
        array = np.empty(5)
        try:
            for i in orders[side]:
                store.settle()
                array[:] = i + (0.25 if side == "torch" else 0.0)
                store.put(str(i), array)
        except Apart as error:
            failed.append(error)
        finally:
            meeting.leave(side, False)
            store.close()

    threads = [threading.Thread(target=go, args=(side,)) for side in OTHER]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive(), "the two wait for each other"
    meeting.close()
    assert not failed
    return meeting.found


@pytest.mark.parametrize(
    "torch_order",
    [range(40), range(39, -1, -1), [*range(1, 40, 2), *range(0, 40, 2)]],
    ids=["same", "reversed", "odd ones first"],
)
def test_every_pair_meets_in_whatever_order_and_memory_is_reused(tmp_path, torch_order):
    found = meet(tmp_path, {"paddle": range(40), "torch": list(torch_order)})
    assert sorted(map(int, found)) == list(range(40))
    assert {one.max_abs for one in found.values()} == {0.25}
    assert {int(key): one.expected for key, one in found.items()} == {i: float(i) for i in range(40)}


def test_a_run_that_ends_early_leaves_nobody_waiting(tmp_path):
    assert len(meet(tmp_path, {"paddle": range(3), "torch": range(40)})) == 3


def test_models_that_lock_each_other_out_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(parity.runs.lockstep, "PATIENCE", 0.05)
    lock = threading.Lock()

    class Locked(PaddleNet):
        def forward(self, x):
            with lock:
                return super().forward(x)

    class TorchLocked(TorchNet):
        def forward(self, x):
            with lock:
                return super().forward(x)

    assert parity.check(*small(TorchLocked, Locked, shape=BATCH), further=False)


# -- from one run to the other ---------------------------------------------------------------------


def test_a_reader_waits_for_what_is_not_written_yet(tmp_path):
    relay = Relay(tmp_path / "relay", patience=60)
    read = []
    thread = threading.Thread(target=lambda: read.append(("2" in relay, relay.get("1"), "3" in relay)))
    thread.start()
    for key in "12":
        relay.put(key, np.full(4, float(key)))
    relay.complete()
    thread.join(20)
    ((two, one, three),) = read
    assert two
    assert not three
    assert one.tolist() == [1.0] * 4
    with pytest.raises(KeyError):
        relay.stored("3")
    relay.close()


def test_a_reader_does_not_wait_for_a_writer_that_waits_for_it(tmp_path):
    relay = Relay(tmp_path / "relay", patience=0.05)
    assert "1" not in relay
    relay.close()
