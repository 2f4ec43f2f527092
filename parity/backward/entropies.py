"""A cross entropy read from its gradient: labels, weights, smoothing, ignored rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from parity.backward.losses import Losses, Told
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


def cross_entropy(losses: Losses) -> Told | None:
    for theirs, gradient, scores, _ in _entropies(losses):
        ours = _entropy(scores, gradient)
        if ours is None:
            continue
        both = (ours.weights > 0) & (theirs.weights > 0)
        other = both & (ours.labels != theirs.labels)
        if other.any():
            row = int(np.argmax(other))
            return (
                f"labels: {int(other.sum())} of {len(other)} rows have another label, the first is row {row}: "
                f"{ours.labels[row]} in torch, {theirs.labels[row]} in Paddle",
                "give both losses the same labels",
            )
        if ours.smoothing != theirs.smoothing:
            return (
                f"label smoothing: torch's loss has {ours.smoothing:g}, Paddle's has {theirs.smoothing:g}",
                f"label_smoothing={theirs.smoothing:g}",
            )
        told = _ignored(ours, theirs) or _class_weights(ours, theirs)
        if told is not None:
            return told
    return None


def _ignored(ours: _Entropy, theirs: _Entropy) -> Told | None:
    for side, here, there in (("torch", ours, theirs), ("Paddle", theirs, ours)):
        rows = (here.weights == 0) & (there.weights > 0)
        if rows.any():
            labels = sorted({int(v) for v in there.labels[rows]})
            told = ", ".join(str(v) for v in labels[:4])
            return (
                f"ignored labels: {side}'s loss leaves out {int(rows.sum())} of {len(rows)} rows that the other counts "
                f"(label {told}): ignore_index",
                f"ignore_index={labels[0]}" if side == "Paddle" else "leave ignore_index out of torch's loss",
            )
    return None


def _class_weights(ours: _Entropy, theirs: _Entropy) -> Told | None:
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
        ours_sum, theirs_sum = float(ours.weights.sum()), float(theirs.weights.sum())
        return (
            f"loss average: torch's rows weigh {ours_sum:.6g} in all, Paddle's {theirs_sum:.6g}: the two divide by another "
            "number of rows",
            "divide by what Paddle's loss divides by",
        )
    told = "; ".join(
        f"{side} has {'none' if uniform[side] else ', '.join(f'{k}: {v:.4g}' for k, v in list(w.items())[:5])}"
        for side, w in found.items()
    )
    fix = (
        "leave weight out of torch's loss"
        if uniform["Paddle"]
        else "weight=torch.tensor([...]) with Paddle's numbers"
    )
    return f"class weights differ (relative, by label): {told}", fix


def scores_as_logarithms(losses: Losses) -> Told | None:
    """torch's gradient is at the label alone: a likelihood of raw scores."""
    for theirs, gradient, _, _ in _entropies(losses):
        filled = np.abs(gradient) > RECOMPUTED * np.abs(gradient).max(initial=0.0)
        if gradient.any() and (filled.sum(axis=1) <= 1).all():
            at = np.argmax(filled, axis=1)
            if (at == theirs.labels)[filled.any(axis=1)].all():
                return (
                    "no log_softmax in torch: its loss takes the raw scores for logarithms of probabilities (nll_loss), "
                    "Paddle's is a cross entropy",
                    "F.cross_entropy, or F.nll_loss(F.log_softmax(x, 1), ...)",
                )
    return None
