"""Both models at once: every pair of values is compared when its second half arrives, and then let go.

Keeping the values of a run until the other one has made its own costs more than the comparison itself: a
ResNet-50 makes 7 GB of them at batch 8. So a short run of each model, on a batch of one, tells first which value will
meet which; then both run side by side, torch in a thread of its own, and values meet: each
run may be one value ahead of what has been compared, and whoever has nothing else to do compares. What meets nobody in time
(branches that the models run in another order) is put aside in a file. Numbers do not depend on who came first.

Where numbers differ, Paddle runs once more and hands every value on to torch, whose operators each get Paddle's.

This is only a cheaper way to the numbers that stored runs give. Whatever does not go this way (`Apart`) goes that one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack, suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from parity.align.alignment import Alignment
from parity.capture.replay import Measurement, ReplayPlan
from parity.numbers.compare import Difference, difference, sample, sampled_rounding
from parity.runs.relay import Relay
from parity.runs.run import Measure, Numbers, Run, stored_numbers
from parity.sides.live import LiveSide
from parity.sides.side import Side, adapter
from parity.trace.trace import Framework, Trace
from parity.trace.values import Array, Stored, ValueStore

SMALLEST_BATCH = 4
"""Below it, the short runs would cost more than storing the values does."""

PATIENCE = 60.0
"""Seconds that a run waits for the other: models that lock each other out must not wait for ever."""

OTHER: Mapping[Framework, Framework] = {"paddle": "torch", "torch": "paddle"}

T = TypeVar("T")


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
        and len(batches) == 1
        and batches.pop() >= (SMALLEST_BATCH,)
        and can_run_at_once(paddle, torch)
    )


def can_run_at_once(paddle: Side, torch: Side) -> bool:
    """Whether both sides are here, and torch's thread would be like this one."""
    live = all(isinstance(side, LiveSide) and side.device == "cpu" for side in (paddle, torch))
    return live and bool(adapter("torch").plain_thread())


def outputs_at_once(
    paddle: Side, torch: Side, inputs: Mapping[str, Array], mode: str, scratch: Path, stack: ExitStack
) -> dict[Framework, ValueStore]:
    """The outputs of both models in float64; Apart where one of them does not run, or they cannot run at once."""
    if not can_run_at_once(paddle, torch):
        raise Apart("not both in this process")
    sides = {side.framework: side for side in (paddle, torch) if isinstance(side, LiveSide)}
    stores = {side: ValueStore(scratch / f"{side}-at-once") for side in sides}
    for store in stores.values():
        stack.callback(store.close)
    at_once(lambda side: sides[side].record(inputs, mode, "float64", stores[side], outputs_only=True))
    return stores


Look = Callable[[str, Array], None]
"""What is done with each value besides comparing it."""


class Meeting:
    """Where the values of two runs meet: each may be one value ahead of what has been compared."""

    def __init__(self, plan: Plan, scratch: Path, looks: Mapping[Framework, Look] | None = None) -> None:
        self.plan = plan
        self.found: dict[str, Difference] = {}
        """By torch's key."""
        self._looks = looks or {}
        self._aside = {side: ValueStore(scratch / f"{side}-aside") for side in OTHER}
        self._held: dict[Framework, tuple[str, Array]] = {}
        """The value that each side has brought and not yet got compared."""
        self._due: deque[Framework] = deque()
        """Whose values have found their partner: for the side that first has nothing else to do to compare."""
        self._comparing: set[Framework] = set()
        self._idle: set[Framework] = set()
        self._gone: set[Framework] = set()
        self._patient = True
        self._broken = False
        self._changed = threading.Condition()

    def bring(self, side: Framework, key: str, array: Array) -> None:
        """Have a value compared with its partner; until `settle`, its memory must stay as it is."""
        self.settle(side)
        other, partner = OTHER[side], self.plan.partners[side][key]
        with self._changed:
            self._held[side] = (key, array)
            if self._held.get(other, ("",))[0] != partner and partner not in self._aside[other]:
                return
            self._due.append(side)
            self._changed.notify_all()

    def settle(self, side: Framework) -> None:
        """Return when no value of this side is in use: it has been compared, or put aside."""
        other = OTHER[side]
        while True:
            with self._changed:
                if self._broken:
                    raise Apart("the other run failed")
                if side not in self._held:
                    return
                if not self._due:
                    alone = other in self._gone or other in self._idle or not self._patient
                    if alone and side not in self._comparing:
                        self._put_aside(side)
                        return
                    self._idle.add(side)
                    self._patient &= self._changed.wait_for(lambda: self._stirred(side), PATIENCE)
                    self._idle.discard(side)
                    continue
                compare = self._comparison(self._due.popleft())
            compare()

    def _stirred(self, side: Framework) -> bool:
        """Whether there is something to do for a side that waits."""
        return self._broken or bool(self._due) or side not in self._held or OTHER[side] in self._gone

    def _comparison(self, side: Framework) -> Callable[[], None]:
        """Take on the comparison of the value that `side` holds with its partner, wherever that is."""
        other = OTHER[side]
        key, array = self._held[side]
        partner = self.plan.partners[side][key]
        held = self._held.get(other, ("",))[0] == partner
        twin: Array | Stored = self._held[other][1] if held else self._aside[other].stored(partner)
        sides = {side, other} if held else {side}
        self._comparing |= sides

        def compare() -> None:
            try:
                self._look(side, key, array)
                if isinstance(twin, np.ndarray):
                    self._look(other, partner, twin)
                actual, expected = (array, twin) if side == "torch" else (twin, array)
                found = difference(actual, expected)
            except BaseException:
                self._break()  # nobody takes on this comparison again, so nobody may wait for it
                raise
            with self._changed:
                self.found[key if side == "torch" else partner] = found
                for done in sides:
                    del self._held[done]
                self._comparing -= sides
                self._idle -= sides
                self._changed.notify_all()

        return compare

    def _break(self) -> None:
        with self._changed:
            self._broken = True
            self._changed.notify_all()

    def _put_aside(self, side: Framework) -> None:
        key, array = self._held.pop(side)
        self._look(side, key, array)
        self._aside[side].put(key, array)

    def _look(self, side: Framework, key: str, array: Array) -> None:
        if side in self._looks:
            self._looks[side](key, array)

    def leave(self, side: Framework, failed: bool) -> None:
        """A run is over: nothing more comes from it."""
        try:
            if not failed:
                self.settle(side)
        finally:
            with self._changed:
                self._gone.add(side)
                self._broken = self._broken or failed
                self._changed.notify_all()

    def close(self) -> None:
        for store in self._aside.values():
            store.close()


class _Passing(ValueStore):
    """A store of what must stay; what has a partner passes by."""

    def __init__(
        self, path: Path, side: Framework, meeting: Meeting, again: Callable[[], ValueStore]
    ) -> None:
        """`again` makes a run like this one, all of which is kept."""
        super().__init__(path)
        self.side, self.meeting, self.again = side, meeting, again
        self.passed: dict[str, tuple[str, tuple[int, ...]]] = {}

    def put(self, key: str, array: Array) -> None:
        plan = self.meeting.plan
        if not key.isdigit() or key in plan.kept[self.side]:
            super().put(key, array)
        if key.isdigit():
            self.passed[key] = (array.dtype.str, array.shape)
            if key in plan.partners[self.side]:
                self.meeting.bring(self.side, key, array)

    def settle(self) -> None:
        self.meeting.settle(self.side)

    def __contains__(self, key: str) -> bool:
        """Whether `key` was recorded, kept or not."""
        return key in self.index or key in self.passed

    def stored(self, key: str) -> Stored:
        """What was kept; what has passed by comes from a run that is made again as soon as somebody reads it."""
        if key in self.index or key not in self.passed:
            return super().stored(key)
        dtype, shape = self.passed[key]
        return Stored(shape, np.dtype(dtype), lambda: self.again().place(key))


@dataclass
class Lockstep:
    """Two live sides on one input, side by side. `rounded`: also measure each side's own rounding."""

    paddle: LiveSide
    torch: LiveSide
    inputs: Mapping[str, Array]
    mode: str
    scratch: Path
    stack: ExitStack
    rounded: bool = True
    rounding: dict[Framework, dict[str, float]] = field(default_factory=lambda: {"paddle": {}, "torch": {}})
    samples: dict[Framework, ValueStore] = field(default_factory=dict)
    met: dict[str, Meeting] = field(default_factory=dict)
    traces: dict[tuple[Framework, str], Trace] = field(default_factory=dict)
    repeated: dict[tuple[Framework, str], ValueStore] = field(default_factory=dict)
    passing: dict[tuple[Framework, str], ValueStore] = field(default_factory=dict)

    def plan(self, aligned: Callable[[Trace, Trace], Alignment]) -> Plan:
        """Run both on a batch of one, in float32, and pair what they did."""
        first = {name: array[:1] for name, array in self.inputs.items()}
        traces = at_once(lambda side: self._side(side).record(first, self.mode, "float32", None))
        if any(trace.doubts for trace in traces.values()):
            raise Apart("they share the generators that they draw from")
        return plan_of(aligned(traces["paddle"], traces["torch"]))

    def run(self, precision: str, plan: Plan) -> tuple[dict[Framework, Trace], dict[Framework, ValueStore]]:
        """Run both in one precision. Float32 goes first: float64 looks at what was sampled of it."""
        folder = self._folder(precision)
        looks = {side: self._look(side, precision) for side in OTHER} if self.rounded else {}
        meeting = self.met[precision] = Meeting(plan, folder, looks)
        self.stack.callback(meeting.close)
        stores = {
            side: _Passing(folder / side, side, meeting, partial(self.again, side, precision))
            for side in OTHER
        }
        for side, store in stores.items():
            self.stack.callback(store.close)
            self.passing[side, precision] = store
        traces = at_once(
            lambda side: self._side(side).record(self.inputs, self.mode, precision, stores[side]),
            meeting.leave,
        )
        self.traces.update({(side, precision): trace for side, trace in traces.items()})
        return traces, dict(stores)

    def again(self, side: Framework, precision: str) -> ValueStore:
        """Every value of one side in one precision, for what was not known to be needed."""
        if (side, precision) not in self.repeated:
            store = ValueStore(self._folder(f"{side}-{precision}") / "again")
            self.stack.callback(store.close)
            self._repeat(side, precision, store)
        return self.repeated[side, precision]

    def replay(self, plan: ReplayPlan) -> list[Measurement]:
        """Run torch once more in float64, on Paddle's numbers; the first time, Paddle beside it, to make them."""
        expected = self.repeated.get(("paddle", "float64"))
        if expected is not None:
            made = self.passing["paddle", "float64"]
            for key in made.index:
                # What was made of Paddle's values since: the same in another layout, say.
                if key.startswith("-") and key not in expected:
                    expected.put(key, made.get(key))
            return self.torch.replay(self.inputs, mode=self.mode, plan=plan, expected=expected)
        relay = Relay(self._folder("relay") / "paddle", PATIENCE)
        self.stack.callback(relay.close)

        def run(side: Framework) -> list[Measurement]:
            if side == "torch":
                return self.torch.replay(self.inputs, mode=self.mode, plan=plan, expected=relay)
            self._repeat(side, "float64", relay)
            return []

        return at_once(run, lambda side, failed: relay.complete() if side == "paddle" else None)["torch"]

    def numbers(self, runs: Mapping[Framework, Run]) -> Measure:
        """Measure pairs of values: what met, or what is stored of a pair that the short runs did not show."""
        stored = stored_numbers(runs["paddle"], runs["torch"])
        return lambda paddle, torch: self._met(str(paddle), str(torch)) or stored(paddle, torch)

    def _met(self, paddle: str, torch: str) -> Numbers | None:
        """What is known of two values that met in both precisions."""
        wide, narrow = self.met["float64"], self.met["float32"]
        if wide.plan.partners["torch"].get(torch) != paddle:
            return None
        with suppress(KeyError):
            noise = self.rounding["paddle"][paddle], self.rounding["torch"][torch]
            return Numbers(wide.found[torch], narrow.found[torch], *noise)
        return None

    def _repeat(self, side: Framework, precision: str, store: ValueStore) -> None:
        trace = self._side(side).record(self.inputs, self.mode, precision, store)
        if len(trace.ops) != len(self.traces[side, precision].ops):
            raise Apart("a run is not like the one before")
        self.repeated[side, precision] = store

    def _side(self, side: Framework) -> LiveSide:
        return self.paddle if side == "paddle" else self.torch

    def _folder(self, name: str) -> Path:
        (self.scratch / name).mkdir()
        return self.scratch / name

    def _look(self, side: Framework, precision: str) -> Look:
        if precision == "float32":
            kept = self.samples[side] = ValueStore(self.scratch / f"{side}-samples")
            self.stack.callback(kept.close)
            return lambda key, array: kept.put(key, sample(array))
        samples, rounding = self.samples[side], self.rounding[side]

        def round_off(key: str, array: Array) -> None:
            found = sampled_rounding(samples.stored(key), array) if key in samples else None
            if found is not None:
                rounding[key] = found

        return round_off


def at_once(
    run: Callable[[Framework], T], left: Callable[[Framework, bool], None] | None = None
) -> dict[Framework, T]:
    """Paddle in this thread, torch in another; Apart if either fails, for a stored run to say why.

    left: called as soon as a side is done, with whether it failed.
    """
    results: dict[Framework, T] = {}
    context = copy_context()

    def go(side: Framework) -> None:
        try:
            results[side] = run(side)
        finally:
            if left is not None:
                left(side, side not in results)

    def aside() -> None:
        try:
            context.run(go, "torch")
        except Exception:
            # Only that there is no result counts: the stored run shows the error where the user can see it.
            return

    thread = threading.Thread(target=aside, name="parity-torch")
    thread.start()
    try:
        go("paddle")
    except Exception as error:
        raise Apart("Paddle's run failed") from error
    finally:
        thread.join()
    if "torch" not in results:
        raise Apart("torch's run failed")
    return results


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
