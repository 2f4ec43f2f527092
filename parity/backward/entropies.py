"""A cross entropy read from its gradient: labels, weights, smoothing, ignored rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from parity.backward.losses import Apart, In, Losses
from parity.limits import NO_EPSILON, READ, RECOMPUTED
from parity.numbers.same import ratio
from parity.trace.values import Array


@dataclass(frozen=True)
class _Entropy:
    """A cross entropy: for every row its weight, its label and the smoothing. A row of weight 0 is ignored."""

    weights: Array
    labels: Array
    smoothing: float


def _entropies(losses: Losses) -> Iterator[tuple[_Entropy, Array, Array, Array]]:
    """Paddle's entropy at an output, with torch's gradient, the scores and Paddle's gradient in rows of classes."""
    for key, (expected, actual) in losses.seeds.items():
        scores = losses.scores(f"output:{key.removeprefix('seed:')}")
        if (
            scores is None
            or scores.shape != expected.shape
            or expected.shape != actual.shape
            or scores.ndim < 2
        ):
            continue
        for axis in dict.fromkeys((1, scores.ndim - 1)):
            x, e, a = (
                np.moveaxis(v, axis, -1).reshape(-1, v.shape[axis]) for v in (scores, expected, actual)
            )
            found = _entropy(x, e)
            if found is not None and ratio(expected, actual) != 1:
                yield found, a, x, e
                break


def _entropy(scores: Array, gradient: Array) -> _Entropy | None:
    """The cross entropy of raw scores that has this gradient: c (softmax - (1 - s) label - s / classes)."""
    n, classes = scores.shape
    if classes < 3 or not gradient.any():
        return None
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    largest = float(np.abs(gradient).max())
    ignored = np.abs(gradient).max(axis=1) <= RECOMPUTED * largest
    labels = np.argmin(gradient, axis=1)
    others = np.ones_like(p, dtype=bool)
    others[np.arange(n), labels] = False
    q, g = p[others].reshape(n, -1), gradient[others].reshape(n, -1)
    # g = c q - c s / classes in every class but the label's: a line through the points of a row.
    centred = q - q.mean(axis=1, keepdims=True)
    spread = (centred**2).sum(axis=1)
    if (spread[~ignored] < NO_EPSILON).any():
        return None
    weights = np.where(ignored, 0.0, (centred * g).sum(axis=1) / np.where(spread, spread, 1.0))
    shift = (weights[:, None] * q - g).mean(axis=1)
    if (np.abs(weights[:, None] * q - shift[:, None] - g) > READ * largest).any() or (weights < 0).any():
        return None
    if (np.abs(gradient.sum(axis=1)) > READ * largest).any():
        return None
    shares = shift[~ignored] * classes / weights[~ignored]
    if float(np.ptp(shares)) > READ or not -READ < float(shares.mean()) < 1:
        return None
    return _Entropy(weights, labels, round(float(shares.mean()), 6) + 0.0)


def cross_entropy(losses: Losses) -> Apart | None:
    for theirs, gradient, scores, _ in _entropies(losses):
        ours = _entropy(scores, gradient)
        if ours is None:
            continue
        both = (ours.weights > 0) & (theirs.weights > 0)
        other = both & (ours.labels != theirs.labels)
        if other.any():
            row = int(np.argmax(other))
            return Apart(
                In.LABELS,
                "labels",
                (int(theirs.labels[row]), int(ours.labels[row])),
                (int(other.sum()), len(other), row),
            )
        if ours.smoothing != theirs.smoothing:
            return Apart(In.SMOOTHING, "label_smoothing", (theirs.smoothing, ours.smoothing))
        found = _ignored(ours, theirs) or _class_weights(ours, theirs)
        if found is not None:
            return found
    return None


def _ignored(ours: _Entropy, theirs: _Entropy) -> Apart | None:
    for torch, here, there in ((True, ours, theirs), (False, theirs, ours)):
        rows = (here.weights == 0) & (there.weights > 0)
        if rows.any():
            labels = sorted({int(v) for v in there.labels[rows]})
            return Apart(In.IGNORED, "ignore_index", details=(torch, int(rows.sum()), len(rows), labels))
    return None


def ignored_average(losses: Losses) -> Apart | None:
    """Both ignore the same rows, and one divides by the number of all of them: a factor that every batch has another of."""
    for expected, actual in losses.seeds.values():
        c = ratio(expected, actual)
        if c is None or expected.ndim < 2:
            continue
        for axis in dict.fromkeys((1, expected.ndim - 1)):
            counts = np.asarray(np.moveaxis(expected, axis, -1).reshape(-1, expected.shape[axis]).any(axis=1))
            share = counts.mean()
            if 0.0 < share < 1.0 and min(abs(c * share - 1), abs(c / share - 1)) < READ:
                return Apart(
                    In.IGNORED_AVERAGE, "ignore_index", details=(c > 1, int(counts.sum()), len(counts), c)
                )
    return None


def _class_weights(ours: _Entropy, theirs: _Entropy) -> Apart | None:
    both = (ours.weights > 0) & (theirs.weights > 0)
    labels = theirs.labels[both]
    found = {}
    for side, entropy in (("torch", ours), ("Paddle", theirs)):
        weights = entropy.weights[both] / entropy.weights[both].max()
        by_label = {int(v): weights[labels == v] for v in np.unique(labels)}
        if any(float(np.ptp(w)) > READ for w in by_label.values()):
            return None
        found[side] = {label: float(w[0]) for label, w in by_label.items()}
    uniform = {side: max(w.values()) - min(w.values()) < READ for side, w in found.items()}
    if all(uniform.values()):
        return Apart(In.AVERAGE, details=(float(theirs.weights.sum()), float(ours.weights.sum())))
    return Apart(
        In.CLASS_WEIGHTS,
        "weight",
        details={side: None if uniform[side] else weights for side, weights in found.items()},
    )


def scores_as_logarithms(losses: Losses) -> Apart | None:
    """torch's gradient is at the label alone: a likelihood of raw scores."""
    for theirs, gradient, _, _ in _entropies(losses):
        filled = np.abs(gradient) > RECOMPUTED * np.abs(gradient).max(initial=0.0)
        if gradient.any() and (filled.sum(axis=1) <= 1).all():
            at = np.argmax(filled, axis=1)
            if (at == theirs.labels)[filled.any(axis=1)].all():
                return Apart(In.LIKELIHOOD, "log_softmax", (True, False))
    return None
