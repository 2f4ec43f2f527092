"""Two loss functions on the same outputs: do they agree, and if not, in what do they differ?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.compare import EPS64, MARGIN, SHRINK
from parity.judge import Run
from parity.store import Array, ValueStore
from parity.trace import Op, Trace

SOFTMAX_CUT = 64.0
"""Paddle's CPU softmax raises scores to 64 below the largest one (ValueClip in phi/kernels/funcs/softmax_impl.h)."""


@dataclass(frozen=True)
class LossDifference:
    """What is wrong with the loss, and where its first operator is called on either side."""

    cause: str
    fix: str
    where: str
    where_paddle: str
    evidence: Mapping[str, Any]


def compare_loss(paddle: Run, torch: Run, trace: Trace, store: ValueStore) -> LossDifference | None:
    """The difference between Paddle's loss and the torch run in `store`, or None if there is none.

    torch: the free runs, which know its rounding. Loss and gradients at the outputs must agree.
    """
    if "loss" not in paddle.store or "loss" not in store:
        return None
    expected, actual = _scalar(paddle.store), _scalar(store)
    noise = sum(abs(_scalar(run.store32) - _scalar(run.store)) for run in (paddle, torch) if run.store32)
    seeds = {
        key: (paddle.store.get(key), store.get(key)) for key in paddle.store.index if _common(key, store)
    }
    apart = [key for key, (e, a) in seeds.items() if not _agree(e, a, _seed_noise(key, paddle, torch))]
    if abs(actual - expected) <= MARGIN * max(EPS64 * abs(expected), SHRINK * noise) and not apart:
        return None
    if not apart and softmax_is_cut(paddle):
        return None
    cause, fix = _diagnose(expected, actual, seeds, paddle, trace)
    return LossDifference(
        cause,
        fix,
        _line(trace),
        _line(paddle.trace),
        {
            "Paddle's loss": expected,
            "torch's loss": actual,
            "Paddle's operators": _told(_operators(paddle.trace)),
            "torch's operators": _told(_operators(trace)),
        },
    )


def softmax_is_cut(paddle: Run) -> bool:
    """Whether some output is so certain that Paddle's softmax cuts it off: a cross entropy of it stops at 64."""
    for key in paddle.store.index:
        if key.startswith("output:"):
            scores = paddle.store.get(key)
            axes = {1, scores.ndim - 1} if scores.ndim > 1 else set()
            if scores.size and any(float(np.ptp(scores, axis=axis).max()) > SOFTMAX_CUT for axis in axes):
                return True
    return False


def _scalar(store: ValueStore | None) -> float:
    return float(store.get("loss").reshape(-1)[0]) if store is not None and "loss" in store else 0.0


def _common(key: str, store: ValueStore) -> bool:
    return key.startswith("seed:") and key in store


def _seed_noise(key: str, *runs: Run) -> float:
    total = 0.0
    for run in runs:
        if run.store32 is not None and key in run.store32 and key in run.store:
            total += float(np.abs(run.store32.get(key) - run.store.get(key)).max(initial=0.0))
    return total


def _agree(expected: Array, actual: Array, noise: float) -> bool:
    if expected.size != actual.size:
        return False
    gap = float(np.abs(actual.reshape(expected.shape) - expected).max(initial=0.0))
    return gap <= MARGIN * max(EPS64 * float(np.abs(expected).max(initial=0.0)), SHRINK * noise)


def _operators(trace: Trace) -> list[Op]:
    return trace.ops[trace.loss_at :] if trace.loss_at >= 0 else []


def _told(ops: list[Op]) -> str:
    return ", ".join(op.name for op in ops) or "(a fixed weighting)"


def _line(trace: Trace) -> str:
    ops = _operators(trace)
    return ops[-1].line if ops else ""


def _diagnose(
    expected: float, actual: float, seeds: Mapping[str, tuple[Array, Array]], paddle: Run, trace: Trace
) -> tuple[str, str]:
    """Cause and fix, as far as the numbers and the operators of the two losses tell."""
    ratio = _factor(expected, actual, seeds)
    if ratio is not None:
        sizes = {size for e, _ in seeds.values() for size in (e.shape[0] if e.ndim else 1, e.size)}
        if any(abs(ratio - size) < 1e-6 * size for size in sizes if size > 1):
            return (
                f"loss reduction: torch sums where Paddle averages: its loss is {ratio:.6g} times Paddle's",
                "reduction='mean'",
            )
        if any(abs(1 / ratio - size) < 1e-6 * size for size in sizes if size > 1):
            return (
                f"loss reduction: torch averages where Paddle sums: its loss is {ratio:.6g} times Paddle's",
                "reduction='sum'",
            )
        return f"torch's loss is {ratio:.6g} times Paddle's", "give both losses the same weight"
    smoothing = _smoothing(seeds, paddle)
    if smoothing:
        return smoothing
    ours, theirs = (Counter(op.kind for op in _operators(side)) for side in (trace, paddle.trace))
    for kind in ("softmax", "log_softmax", "sigmoid"):
        if ours[kind] > theirs[kind]:
            return (
                f"the loss applies {kind} only in torch, before a loss that expects raw scores or has its own: "
                f"a second {kind}",
                f"remove the {kind} from torch's loss",
            )
        if theirs[kind] > ours[kind] and not _has_entropy(trace):
            return f"the loss applies {kind} only in Paddle", f"apply {kind} in torch's loss too"
    return (
        f"the loss differs on the same outputs: {actual:.9g} in torch, {expected:.9g} in Paddle",
        "compare the two losses: reduction, label smoothing, class weights, ignored labels",
    )


def _has_entropy(trace: Trace) -> bool:
    return any("entropy" in op.name for op in _operators(trace))


def _factor(expected: float, actual: float, seeds: Mapping[str, tuple[Array, Array]]) -> float | None:
    """c if torch's loss and all its gradients are c times Paddle's."""
    if not expected:
        return None
    c = actual / expected
    for e, a in seeds.values():
        if e.size != a.size or np.abs(a.reshape(e.shape) - c * e).max(initial=0.0) > 1e-9 * abs(c) * np.abs(
            e
        ).max(initial=0.0):
            return None
    return c


def _smoothing(seeds: Mapping[str, tuple[Array, Array]], paddle: Run) -> tuple[str, str] | None:
    """Label smoothing, read from the gradients of a cross entropy: (softmax - target) / batch."""
    for key, (expected, actual) in seeds.items():
        output = f"output:{key.removeprefix('seed:')}"
        if expected.ndim != 2 or expected.shape != actual.shape or output not in paddle.store:
            continue
        scores = paddle.store.get(output)
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        targets = [p - g * len(p) for g in (expected, actual)]
        found = []
        for target in targets:
            off = np.sort(target, axis=1)[:, :-1]
            spread = float(off.max() - off.min())
            if spread > 1e-6 or abs(target.sum() - len(p)) > 1e-6 * len(p):
                break
            found.append(float(off.mean()) * p.shape[1])
        if len(found) == 2 and abs(found[0] - found[1]) > 1e-6:
            theirs, ours = (round(f, 6) + 0.0 for f in found)
            return (
                f"label smoothing: torch's loss has {ours:g}, Paddle's has {theirs:g}",
                f"label_smoothing={theirs:g}",
            )
    return None
