"""Loss and accuracy of logits, in numpy and float64: the same for both frameworks, whatever their own losses round."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
TOP = 5
"""Answers among which an image counts as told right, where there are more classes than that."""


def probabilities(logits: Array) -> Array:
    """[N, classes] of logits [N, classes]; one logit is two classes' (sigmoid of the second)."""
    logits = np.asarray(logits, dtype=np.float64)
    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: Array = shifted / shifted.sum(axis=1, keepdims=True)
    return found


def predicted(logits: Array) -> Array:
    """[N] the most probable class; the first of equal ones."""
    found: Array = (logits[:, 0] > 0).astype(np.int64) if logits.shape[1] == 1 else logits.argmax(axis=1)
    return found


def losses(logits: Array, labels: Array) -> Array:
    """[N] cross entropy; of one logit, binary cross entropy."""
    logits = np.asarray(logits, dtype=np.float64)
    found: Array
    if logits.shape[1] == 1:
        z = logits[:, 0]
        found = np.maximum(z, 0) - z * labels + np.log1p(np.exp(-np.abs(z)))
    else:
        highest = logits.max(axis=1)
        total = np.log(np.exp(logits - highest[:, None]).sum(axis=1)) + highest
        found = total - logits[np.arange(len(labels)), labels]
    return found


def in_top(logits: Array, labels: Array, most: int) -> int:
    """Of how many images the class is among the `most` most probable."""
    if logits.shape[1] <= most:
        return len(labels) if logits.shape[1] > 1 or most > 1 else right(logits, labels)
    best = np.argsort(-logits, axis=1, kind="stable")[:, :most]
    return int((best == labels[:, None]).any(axis=1).sum())


def right(logits: Array, labels: Array) -> int:
    """How many images are told right."""
    return int((predicted(logits) == labels).sum())


@dataclass(frozen=True)
class Score:
    """Of `count` images: mean loss, and the shares that are told right by the first and by the first five answers."""

    count: int
    loss: float
    accuracy: float
    top5: float

    @property
    def error(self) -> float:
        """Standard error of the accuracy."""
        return float(np.sqrt(self.accuracy * (1 - self.accuracy) / max(1, self.count)))


def score(parts: Iterable[tuple[Array, Array]]) -> Score:
    """Of (logits, labels) of every batch."""
    count = first = five = 0
    loss = 0.0
    for logits, labels in parts:
        count += len(labels)
        loss += float(losses(logits, labels).sum())
        first += right(logits, labels)
        five += in_top(logits, labels, TOP)
    return Score(count, loss / count, first / count, five / count)
