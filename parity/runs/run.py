"""What the runs of both models yield, and how their values are measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from parity.capture.options import Nudge
from parity.capture.replay import Measurement, ReplayPlan
from parity.numbers.compare import Difference, difference, rounding
from parity.trace.trace import Trace
from parity.trace.values import Array, Stored, ValueStore


@dataclass
class Run:
    """One side's runs on one input: float64 decides, float32 is shown beside it."""

    trace: Trace
    store: ValueStore
    trace32: Trace | None = None
    store32: ValueStore | None = None

    def value(self, number: int) -> Stored | None:
        key = str(number)
        return self.store.stored(key) if key in self.store else None

    def value32(self, number: int) -> Stored | None:
        if self.store32 is None or not self.rounds:
            return None
        key = str(number)
        return self.store32.stored(key) if key in self.store32 else None

    @property
    def rounds(self) -> bool:
        """Whether the float32 run shows how values round: not if it goes another way. Without one it was measured while it ran."""
        return self.trace32 is None or len(self.trace32.ops) == len(self.trace.ops)


class Numbers(NamedTuple):
    """What is measured of one pair of values: the two runs against each other, and each side's own rounding."""

    float64: Difference
    float32: Difference | None = None
    noise_paddle: float = 0.0
    noise_torch: float = 0.0


Measure = Callable[[int, int], Numbers | None]
"""Numbers of a value of Paddle and one of torch; None unless both were recorded."""


def stored_numbers(paddle: Run, torch: Run) -> Measure:
    """Measure stored runs."""

    def measure(paddle_value: int, torch_value: int) -> Numbers | None:
        expected, actual = paddle.value(paddle_value), torch.value(torch_value)
        if expected is None or actual is None:
            return None
        wide = difference(actual, expected)
        expected32, actual32 = paddle.value32(paddle_value), torch.value32(torch_value)
        if expected32 is None or actual32 is None:
            return Numbers(wide)
        return Numbers(
            wide, difference(actual32, expected32), rounding(expected32, expected), rounding(actual32, actual)
        )

    return measure


Nudged = Callable[[Nudge], Mapping[str, tuple[Array, Array]]]
"""What both models return, by path, Paddle's and torch's; nothing where one of them cannot be run again."""

Replay = Callable[[ReplayPlan], list[Measurement] | None]
