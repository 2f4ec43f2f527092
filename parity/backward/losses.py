"""Two losses on the same outputs, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from parity.ops.kinds import IDENTITY_KINDS
from parity.runs.run import Run
from parity.trace.trace import Op, Trace
from parity.trace.values import Array

SILENT = frozenset(
    {*IDENTITY_KINDS, "reshape", "permute", "constant", "one_hot", "broadcast_tensors", "expand"}
)
"""Kinds that say nothing about which loss it is."""


class In(Enum):
    """In what two losses differ."""

    NOT_FINITE = "one of them is no number"
    REDUCTION = "one sums where the other averages"
    SAMPLE_MEAN = "one averages over the numbers of a sample too"
    BETA = "one divides by its beta"
    FACTOR = "the whole loss weighs otherwise"
    TERMS = "the term of an output weighs otherwise"
    DETACH = "one cuts a gradient off"
    POSITIVES = "positive labels weigh otherwise"
    ACTIVATION = "one has an activation more"
    PROBABILITIES = "one takes probabilities for logarithms"
    LIKELIHOOD = "one takes raw scores for logarithms"
    LABELS = "other labels"
    SMOOTHING = "another label smoothing"
    IGNORED = "one leaves out labels"
    IGNORED_AVERAGE = "one divides by the rows that count, the other by all"
    AVERAGE = "the two divide by another number of rows"
    CLASS_WEIGHTS = "other class weights"
    BLANK = "another blank label"
    LEFT_OUT = "one does not look at some places"
    SAMPLES = "samples weigh otherwise"
    UNKNOWN = "nothing that has a name here"


@dataclass(frozen=True)
class Apart:
    """What sets two losses apart, as data. values: (Paddle's, torch's). details: what else its sentence needs; `telling` says what."""

    what: In
    attribute: str = ""
    values: tuple[Any, Any] | None = None
    details: Any = None


@dataclass(frozen=True)
class OneSided:
    """Operators of the losses that are not the same. exchanged: (torch's, Paddle's) with other numbers; torch, paddle: what one side alone has."""

    exchanged: tuple[tuple[str, str], ...]
    torch: tuple[str, ...]
    paddle: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.exchanged or self.torch or self.paddle)


@dataclass(frozen=True)
class Losses:
    """Both losses on the same outputs: values, gradients at the outputs (Paddle's, torch's), and who computed them."""

    expected: float
    actual: float
    seeds: Mapping[str, tuple[Array, Array]]
    paddle: Run
    trace: Trace

    def operators(self, side: str) -> list[Op]:
        trace = self.trace if side == "torch" else self.paddle.trace
        return trace.ops[trace.loss_at :] if trace.loss_at >= 0 else []

    def scores(self, key: str) -> Array | None:
        """The output that a gradient belongs to."""
        return self.paddle.store.get(key) if key in self.paddle.store else None
