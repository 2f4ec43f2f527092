"""A cross entropy that is written out, tried with the mistakes that people make in it."""

from __future__ import annotations

import numpy as np

from parity.explain.hypotheses.hypothesis import Mistake
from parity.numbers.same import same
from parity.trace.values import Array


def _log_softmax(x: Array, axis: int = 1) -> Array:
    x = x - x.max(axis=axis, keepdims=True)
    return np.asarray(x - np.log(np.exp(x).sum(axis=axis, keepdims=True)))


def entropy_told(scores: Array, labels: Array, actual: Array, *, averaged: bool) -> Mistake | None:
    """The mistake with which a cross entropy of [rows, classes] that torch writes out gives torch's numbers."""
    rows = np.arange(len(scores))

    def of(logarithms: Array) -> Array:
        return np.asarray(-logarithms[rows, labels])

    def reduced(values: Array) -> Array:
        return np.asarray(values.mean()) if averaged else values

    logarithms = _log_softmax(scores)
    probabilities = np.exp(logarithms)
    right = reduced(of(logarithms))
    candidates = [
        ("its sign is turned", "put a minus before it", -right),
        (
            "no log_softmax: raw scores are taken for logarithms",
            "take log_softmax of the scores first",
            reduced(of(scores)),
        ),
        (
            "probabilities are taken for logarithms (softmax without log)",
            "write log_softmax for softmax",
            reduced(of(probabilities)),
        ),
        (
            "softmax is applied twice",
            "give log_softmax the scores, not probabilities",
            reduced(of(_log_softmax(probabilities))),
        ),
        (
            "log_softmax runs over the rows, not over the classes",
            "write log_softmax(..., dim=1)",
            reduced(of(_log_softmax(scores, 0))),
        ),
    ]
    if averaged:
        summed = of(logarithms).sum()
        candidates.insert(
            0, ("it sums over the rows where Paddle averages", "write mean() for sum()", summed)
        )
    for cause, fix, made in candidates:
        if made.size == actual.size and same(actual.reshape(-1), np.asarray(made).reshape(-1)):
            return Mistake(cause, fix)
    return _smoothed(right, reduced(-logarithms.mean(axis=1)), actual)


def _smoothed(right: Array, even: Array, actual: Array) -> Mistake | None:
    """A share of the entropy of an even distribution: label smoothing, if the share is a number that people write."""
    gap = (even - right).reshape(-1)
    if actual.size != gap.size or not gap.any():
        return None
    share = round(float((actual.reshape(-1) - right.reshape(-1)) @ gap / (gap @ gap)), 4)
    if not 0.0 < share < 1.0 or not same((right + share * (even - right)).reshape(-1), actual.reshape(-1)):
        return None
    return Mistake(f"label smoothing: torch's has {share:g}, Paddle's has none", "leave the smoothing out")
