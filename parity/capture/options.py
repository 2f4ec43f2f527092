"""How a run is made, and what goes with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity.limits import FEW_DIGITS, ROUND32
from parity.trace.values import Array, Stored

MARK = "_paddle2torch_value"
STOPPED = "_paddle2torch_trace"
"""Attribute of an exception that ended a run: the trace as far as it came."""


@dataclass
class Leaf:
    """A tensor the model owns: `value` is its number, `shadow` what the run uses in its place."""

    value: int
    name: str
    tensor: Any
    trainable: bool
    shadow: Any = None


@dataclass
class Forcing:
    """What a teacher-forced run hands in, and what it measured.

    `inputs[op][slot]`, `outputs[op]` and `looks[op][slot]`, which is only measured, are value numbers of the other framework's trace; `read` finds an
    array of its store by key, `has` tells whether there is one. `measure` receives (op, slot or None for the result, actual, expected) and
    tells whether they are the same, number by number; the model's own outputs come as op -1 with their path as slot. any_size: hand in arrays of another size too, so
    that behind a mistake of shape the run goes on with the other framework's shapes.
    """

    inputs: Mapping[int, Mapping[str, int]]
    outputs: Mapping[int, int]
    looks: Mapping[int, Mapping[str, int]]
    read: Callable[[str], Stored]
    has: Callable[[str], bool]
    measure: Callable[[int, str | None, Array, Stored], bool]
    any_size: bool = True


@dataclass
class Backward:
    """How a run with gradients goes backward.

    loss: takes the model's result and gives a scalar; None: a fixed weighting of the float outputs.
    given: value number -> key in the other framework's store of the gradient to go on with; with `read`,
    the loss is taken of the other framework's outputs, and its gradients there start the backward run.
    plain_variance: if given, torch's BatchNorms accumulate the biased variance, as Paddle's do; what they would hold
    otherwise is kept here, by name, from one run to the next.
    """

    loss: Callable[[Any], Any] | None = None
    given: Mapping[int, str] = field(default_factory=dict)
    read: Callable[[str], Array] | None = None
    plain_variance: dict[str, Any] | None = None


@dataclass(frozen=True)
class Nudge:
    """The numbers that a model holds or makes in float32, rounded otherwise: each half a step up or down.

    seed: which ones go up. kept: the names of the model's own tensors that stay as they are, because both models have them.
    """

    seed: int
    kept: frozenset[str]

    def applied(self, numbers: Array) -> Array:
        """Numbers that were rounded to float32, rounded otherwise; those of few digits (0.5, 3) were not rounded."""
        digits = np.frexp(numbers)[0] * FEW_DIGITS
        up = np.random.default_rng((self.seed, numbers.size)).integers(0, 2, numbers.shape)
        moved = numbers * (1.0 + np.where(up, ROUND32, -ROUND32))
        return np.where(np.isfinite(numbers) & (digits != np.rint(digits)), moved, numbers)

    def to_json(self) -> list[Any]:
        return [self.seed, sorted(self.kept)]

    @classmethod
    def from_json(cls, data: list[Any]) -> Nudge:
        return cls(data[0], frozenset(data[1]))


@dataclass
class Options:
    """How a run is made: `precision` is "float32" or "float64"; with `backward`, gradients are kept too."""

    precision: str = "float64"
    forcing: Forcing | None = None
    seed: int = 0
    outputs_only: bool = False
    before: Sequence[Mapping[str, Array]] = ()
    """Inputs of calls before the one that counts: what they leave in the model is there for it."""
    backward: Backward | None = None
    nudge: Nudge | None = None

    @property
    def gradients(self) -> bool:
        return self.backward is not None
