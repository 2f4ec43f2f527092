"""Both models at once: every pair of values is compared when its second half arrives, and then let go.

Keeping the values of a run until the other one has made its own costs more than the comparison itself: a
ResNet-50 makes 7 GB of them at batch 8. So a short run of each model, on a batch of one, tells first which value will
meet which; then both run side by side, torch in a thread of its own, and whichever comes first to a pair waits
there, its value untouched in memory, until the other has come and compared. What meets nobody in time (branches that the
models run in another order) is put aside in a file. Numbers do not depend on who came first.

This is only a cheaper way to the numbers that stored runs give. Whatever does not go this way (`Apart`) goes that one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from parity.align import Alignment
from parity.compare import Difference, difference, sample, sampled_rounding
from parity.judgement import Numbers
from parity.sides import LiveSide, Side, adapter
from parity.store import Array, ValueStore
from parity.trace import Framework, Trace

SMALLEST_BATCH = 4
"""Below it, the short runs would cost more than storing the values does."""

PATIENCE = 60.0
"""Seconds that a run waits for the other: models that lock each other out must not wait for ever."""

OTHER: Mapping[Framework, Framework] = {"paddle": "torch", "torch": "paddle"}


class Apart(Exception):
    """These runs do not go in step, or a value is asked for that has passed by: compare stored runs."""


class Plan(NamedTuple):
    """Which value meets which: `partners[side][key]` is the key on the other side; `kept[side]` is stored whole."""

    partners: Mapping[Framework, Mapping[str, str]]
    kept: Mapping[Framework, Collection[str]]


def suits(paddle: Side, torch: Side, inputs: Mapping[str, Array], mode: str) -> bool:
    """Whether two sides can run at once, and on inputs that are worth it."""
    batches = {array.shape[:1] for array in inputs.values()}
    return (
        mode == "eval"
        and all(isinstance(side, LiveSide) and side.device == "cpu" for side in (paddle, torch))
        and len(batches) == 1
        and batches.pop() >= (SMALLEST_BATCH,)
        and bool(adapter("torch").plain_thread())
    )


class Meeting:
    """Where the values of two runs meet."""

    def __init__(self, plan: Plan, scratch: Path) -> None:
        self.plan = plan
        self.found: dict[str, Difference] = {}
        """By torch's key."""
        self._aside = {side: ValueStore(scratch / f"{side}-aside") for side in OTHER}
        self._waiting: dict[Framework, tuple[str, Array]] = {}
        self._gone: set[Framework] = set()
        self._patient = True
        self._broken = False
        self._changed = threading.Condition()

    def bring(self, side: Framework, key: str, array: Array) -> None:
        """Compare a value with its partner, now or when that comes; returns when `array` is no longer needed."""
        other, partner = OTHER[side], self.plan.partners[side][key]
        with self._changed:
            if self._broken:
                raise Apart("the other run failed")
            waiting = self._waiting.get(other)
            if waiting is not None and waiting[0] == partner:
                twin = waiting[1]
            elif partner in self._aside[other]:
                twin = self._aside[other].stored(partner)
            else:
                # One that waits for another value waits on: only this run can bring it.
                if waiting is not None or not self._fetched(side, key, array):
                    self._aside[side].put(key, array)
                return
        actual, expected = (array, twin) if side == "torch" else (twin, array)
        found = difference(actual, expected)
        with self._changed:
            self.found[key if side == "torch" else partner] = found
            if self._waiting.get(other) is waiting:
                self._waiting.pop(other, None)
                self._changed.notify_all()

    def _fetched(self, side: Framework, key: str, array: Array) -> bool:
        """Wait until the other run has compared this value; False if it will not come."""
        if OTHER[side] in self._gone or not self._patient:
            return False
        self._waiting[side] = (key, array)
        there = self._changed.wait_for(
            lambda: side not in self._waiting or OTHER[side] in self._gone or self._broken, PATIENCE
        )
        self._patient = self._patient and there
        if self._broken:
            raise Apart("the other run failed")
        return self._waiting.pop(side, None) is None

    def leave(self, side: Framework, *, failed: bool = False) -> None:
        """A run is over: nothing more comes from it."""
        with self._changed:
            self._gone.add(side)
            self._broken = self._broken or failed
            self._changed.notify_all()

    def close(self) -> None:
        for store in self._aside.values():
            store.close()


class _Passing(ValueStore):
    """A store of what must stay; what has a partner passes by, after a look at it (`note`)."""

    def __init__(
        self, path: Path, side: Framework, meeting: Meeting, note: Callable[[str, Array], None]
    ) -> None:
        super().__init__(path)
        self.side, self.meeting, self.note = side, meeting, note
        self.passed: set[str] = set()

    def put(self, key: str, array: Array) -> None:
        plan = self.meeting.plan
        if not key.isdigit() or key in plan.kept[self.side]:
            super().put(key, array)
        if key.isdigit():
            self.passed.add(key)
            if key in plan.partners[self.side]:
                self.note(key, array)
                self.meeting.bring(self.side, key, array)

    def __contains__(self, key: str) -> bool:
        """Whether `key` is stored; Apart if it was recorded but has passed by."""
        if key in self.index:
            return True
        if key in self.passed:
            raise Apart(f"value {key} of {self.side} was not kept")
        return False


@dataclass
class Lockstep:
    """Two live sides on one input, side by side."""

    paddle: LiveSide
    torch: LiveSide
    inputs: Mapping[str, Array]
    mode: str
    scratch: Path
    stack: ExitStack
    rounding: dict[Framework, dict[str, float]] = field(default_factory=lambda: {"paddle": {}, "torch": {}})
    samples: dict[Framework, ValueStore] = field(default_factory=dict)
    met: dict[str, Meeting] = field(default_factory=dict)
    passed: dict[Framework, set[str]] = field(default_factory=dict)

    def plan(self, aligned: Callable[[Trace, Trace], Alignment]) -> Plan:
        """Run both on a batch of one, in float32, and pair what they did."""
        first = {name: array[:1] for name, array in self.inputs.items()}
        meeting = Meeting(Plan({}, {}), self._folder("first"))
        self.stack.callback(meeting.close)
        traces = self._at_once(
            meeting, lambda side: self._side(side).record(first, self.mode, "float32", None)
        )
        return plan_of(aligned(traces["paddle"], traces["torch"]))

    def run(self, precision: str, plan: Plan) -> tuple[dict[Framework, Trace], dict[Framework, ValueStore]]:
        """Run both in one precision. Float32 goes first: float64 looks at what was sampled of it."""
        folder = self._folder(precision)
        meeting = self.met[precision] = Meeting(plan, folder)
        self.stack.callback(meeting.close)
        stores: dict[Framework, ValueStore] = {}
        for side in OTHER:
            note = self._sampling(side) if precision == "float32" else self._rounding(side)
            stores[side] = _Passing(folder / side, side, meeting, note)
            self.stack.callback(stores[side].close)
        traces = self._at_once(
            meeting, lambda side: self._side(side).record(self.inputs, self.mode, precision, stores[side])
        )
        self.passed = {side: store.passed for side, store in stores.items() if isinstance(store, _Passing)}
        return traces, stores

    def numbers(self, paddle_value: int, torch_value: int) -> Numbers | None:
        """What met: the numbers of one pair; None if one of the two was not recorded. Apart if they did not meet."""
        keys: dict[Framework, str] = {"paddle": str(paddle_value), "torch": str(torch_value)}
        if any(key not in self.passed[side] for side, key in keys.items()):
            return None
        wide, narrow = self.met["float64"], self.met["float32"]
        if wide.plan.partners["torch"].get(keys["torch"]) != keys["paddle"]:
            raise Apart("a pair that the short runs did not show")
        try:
            noise = [self.rounding[side][key] for side, key in keys.items()]
            return Numbers(wide.found[keys["torch"]], narrow.found[keys["torch"]], *noise)
        except KeyError:
            raise Apart("a value did not come in both precisions") from None

    def _side(self, side: Framework) -> LiveSide:
        return self.paddle if side == "paddle" else self.torch

    def _folder(self, name: str) -> Path:
        (self.scratch / name).mkdir()
        return self.scratch / name

    def _sampling(self, side: Framework) -> Callable[[str, Array], None]:
        samples = self.samples[side] = ValueStore(self.scratch / f"{side}-samples")
        self.stack.callback(samples.close)
        return lambda key, array: samples.put(key, sample(array))

    def _rounding(self, side: Framework) -> Callable[[str, Array], None]:
        samples, rounding = self.samples[side], self.rounding[side]

        def note(key: str, array: Array) -> None:
            found = sampled_rounding(samples.stored(key), array) if key in samples else None
            if found is not None:
                rounding[key] = found

        return note

    @staticmethod
    def _at_once(meeting: Meeting, record: Callable[[Framework], Trace]) -> dict[Framework, Trace]:
        """Paddle in this thread, torch in another; Apart if either fails, for a stored run to say why."""
        traces: dict[Framework, Trace] = {}
        context = copy_context()

        def go(side: Framework) -> None:
            try:
                traces[side] = record(side)
            finally:
                meeting.leave(side, failed=side not in traces)

        def aside() -> None:
            try:
                context.run(go, "torch")
            except Exception:
                # Only that there is no trace counts: the stored run shows the error where the user can see it.
                return

        thread = threading.Thread(target=aside, name="parity-torch")
        thread.start()
        try:
            go("paddle")
        except Exception as error:
            raise Apart("Paddle's run failed") from error
        finally:
            thread.join()
        if "torch" not in traces:
            raise Apart("torch's run failed")
        return traces


def plan_of(alignment: Alignment) -> Plan:
    """Pairs meet; what flows along an edge that is not the same on both sides is kept, for a look at it later."""
    torch_to_paddle: dict[str, str] = {}
    taken: set[str] = set()
    for pair in alignment.pairs:
        ours, theirs = str(pair.torch.output), str(pair.paddle.output)
        if ours not in torch_to_paddle and theirs not in taken:
            torch_to_paddle[ours] = theirs
            taken.add(theirs)
    edges = [*alignment.edges, *alignment.output_edges.values()]
    return Plan(
        {"torch": torch_to_paddle, "paddle": {theirs: ours for ours, theirs in torch_to_paddle.items()}},
        {
            "torch": frozenset(str(edge.torch_value) for edge in edges),
            "paddle": frozenset(str(edge.paddle_value) for edge in edges),
        },
    )
