"""A cross entropy that is written out, tried with the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from parity.explain.hypotheses.hypothesis import Hypothesis, first_that_gives
from parity.trace.values import Array


@dataclass(frozen=True)
class Scores:
    """What a cross entropy is of: scores [rows, classes], labels [rows], and whether the rows are averaged."""

    x: Array
    labels: Array
    averaged: bool

    def of(self, logarithms: Array) -> Array:
        """The loss, were these the logarithms of the probabilities."""
        return self.reduced(-logarithms[np.arange(len(self.x)), self.labels])

    def reduced(self, values: Array) -> Array:
        return np.asarray(values.mean()) if self.averaged else values


def _log_softmax(x: Array, axis: int = 1) -> Array:
    x = x - x.max(axis=axis, keepdims=True)
    return np.asarray(x - np.log(np.exp(x).sum(axis=axis, keepdims=True)))


SUMMED = Hypothesis[Scores](
    "it sums over the rows where Paddle averages",
    "write mean() for sum()",
    lambda s: s.of(_log_softmax(s.x)) * len(s.x),
)


MISTAKES: tuple[Hypothesis[Scores], ...] = (
    Hypothesis("its sign is turned", "put a minus before it", lambda s: -s.of(_log_softmax(s.x))),
    Hypothesis(
        "no log_softmax: raw scores are taken for logarithms",
        "take log_softmax of the scores first",
        lambda s: s.of(s.x),
    ),
    Hypothesis(
        "probabilities are taken for logarithms (softmax without log)",
        "write log_softmax for softmax",
        lambda s: s.of(np.exp(_log_softmax(s.x))),
    ),
    Hypothesis(
        "softmax is applied twice",
        "give log_softmax the scores, not probabilities",
        lambda s: s.of(_log_softmax(np.exp(_log_softmax(s.x)))),
    ),
    Hypothesis(
        "log_softmax runs over the rows, not over the classes",
        "write log_softmax(..., dim=1)",
        lambda s: s.of(_log_softmax(s.x, 0)),
    ),
)


def mistake_in(scores: Scores, actual: Array) -> Hypothesis[Scores] | None:
    """The mistake with which a cross entropy of these scores gives torch's numbers."""
    summed = (SUMMED,) if scores.averaged else ()
    return first_that_gives(actual, scores, (*summed, *MISTAKES, *_smoothing(scores, actual)))


def _smoothing(scores: Scores, actual: Array) -> Iterator[Hypothesis[Scores]]:
    """A share of the entropy of an even distribution: label smoothing, if the share is a number that people write."""
    logarithms = _log_softmax(scores.x)
    right, even = scores.of(logarithms), scores.reduced(-logarithms.mean(axis=1))
    gap = (even - right).reshape(-1)
    if actual.size != gap.size or not gap.any():
        return
    share = round(float((actual.reshape(-1) - right.reshape(-1)) @ gap / (gap @ gap)), 4)
    if 0.0 < share < 1.0:
        yield Hypothesis(
            f"label smoothing: torch's has {share:g}, Paddle's has none",
            "leave the smoothing out",
            lambda _: right + share * (even - right),
        )
