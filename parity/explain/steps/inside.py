"""Writes down what one operator does, step by step: values that a framework's kernel never hands out, and that the other side may write out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from parity.limits import KNOWN_NUMBERS
from parity.numbers.compare import difference
from parity.runs.run import Run
from parity.trace.trace import Op
from parity.trace.values import Array


class Step(Op):
    """What an operator does inside; `index` is the operator's own."""

    @property
    def role(self) -> str:
        return self.name.partition(": ")[2]


class Inside:
    """Writes the steps of one operator down: their numbers among the run's values, below all of its own."""

    def __init__(self, run: Run, op: Op, array: Callable[[int], Array | None]) -> None:
        self.run, self.op, self._array = run, op, array
        self.made: dict[int, Array] = {}
        self.steps: list[Step] = []

    def taken(self, slot: str) -> Array | None:
        """What comes in at a slot of the operator, in the shape in which it does."""
        value = self.op.inputs.get(slot)
        array = None if value is None else self._array(value)
        if array is None:
            return None
        shape = self.run.trace.values[self.run.trace.ops[self.op.index].inputs[slot]].shape
        return array.reshape(shape)

    def __call__(self, kind: str, role: str, numbers: Array, *inputs: int, **attributes: Any) -> int:
        """One step; role: what tells it from others of the operator, and is the same at every point in time, and of each layer and direction."""
        value = -1 - len(self.run.store.index) - len(self.made)
        self.made[value] = numbers
        op, names = self.op, "xyz" if len(inputs) < 4 else tuple(f"x[{i}]" for i in range(len(inputs)))
        slots = dict(zip(names, inputs, strict=False))
        self.steps.append(
            Step(op.index, kind, f"{op.name}: {role}", op.module, op.line, slots, (value,), attributes)
        )
        return value

    def comes_to(self, numbers: Array, result: int = 0) -> bool:
        """Whether this is the operator's result, or another of its results: else none of the steps counts."""
        expected = self._array(self.op.outputs[result])
        if expected is None or expected.shape != numbers.shape:
            return False
        return difference(numbers, expected).max_rel <= KNOWN_NUMBERS
