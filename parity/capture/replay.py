"""A teacher-forced run, as data: it is planned by whoever compares and carried out beside torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from parity.capture.options import Forcing
from parity.numbers.compare import Difference, difference
from parity.numbers.observed import sized
from parity.trace.values import Array, Stored, ValueStore


@dataclass
class ReplayPlan:
    """`inputs[op][slot]` and `outputs[op]`: Paddle values that torch operators get, and hand on. `looks`: inputs that are only measured."""

    inputs: dict[int, dict[str, int]] = field(default_factory=dict)
    outputs: dict[int, int] = field(default_factory=dict)
    looks: dict[int, dict[str, int]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ReplayPlan:
        return cls(
            {int(op): dict(slots) for op, slots in data["inputs"].items()},
            {int(op): value for op, value in data["outputs"].items()},
            {int(op): dict(slots) for op, slots in data["looks"].items()},
        )


@dataclass(frozen=True)
class Measurement:
    """How far one operator's input (`slot`) or result (slot None) was from Paddle's, alone."""

    op: int
    slot: str | None
    difference: Difference


def forcing(plan: ReplayPlan, expected: ValueStore, *, any_size: bool) -> tuple[Forcing, list[Measurement]]:
    """What the recorder needs to carry out `plan`, and the list it fills."""
    measured: list[Measurement] = []

    def measure(op: int, slot: str | None, actual: Array, wanted: Stored) -> bool:
        found = difference(actual, wanted) if op >= 0 else sized(actual, wanted.load())
        measured.append(Measurement(op, slot, found))
        return found.max_abs == 0.0

    return Forcing(
        plan.inputs, plan.outputs, plan.looks, expected.stored, expected.__contains__, measure, any_size
    ), measured
