"""Two loss functions on the same outputs: do they agree, and if not, in what do they differ?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.backward.loss_readers import read
from parity.backward.losses import Apart, In, Losses
from parity.limits import EPS64, FLOAT32_LOSS, MARGIN, SHRINK, SOFTMAX_CUT
from parity.runs.run import Run
from parity.trace.trace import Op, Trace
from parity.trace.values import Array, ValueStore


@dataclass(frozen=True)
class LossDifference:
    """What is wrong with the loss, and where its last operator is called on either side."""

    apart: Apart
    where: str
    where_paddle: str
    evidence: Mapping[str, Any]
    by_constant: bool = False
    """Small enough for a number of Paddle's loss that it keeps in float32, and there is such a number."""


def compare_loss(paddle: Run, torch: Run, trace: Trace, store: ValueStore) -> LossDifference | None:
    """The difference between Paddle's loss and the torch run in `store`, or None if there is none.

    torch: the free runs, which know its rounding. Loss and gradients at the outputs must agree.
    """
    if "loss" not in paddle.store or "loss" not in store:
        return None
    expected, actual = _scalar(paddle.store), _scalar(store)
    if not (np.isfinite(expected) and np.isfinite(actual)):
        return LossDifference(
            Apart(In.NOT_FINITE, details=(expected, actual)),
            _line(trace),
            _line(paddle.trace),
            {"Paddle's loss": expected, "torch's loss": actual},
        )
    noise = sum(abs(_scalar(run.store32) - _scalar(run.store)) for run in (paddle, torch) if run.store32)
    seeds = {
        key: (paddle.store.get(key), store.get(key)) for key in paddle.store.index if _common(key, store)
    }
    apart = [key for key, (e, a) in seeds.items() if not _agree(e, a, _seed_noise(key, paddle, torch))]
    if abs(actual - expected) <= MARGIN * max(EPS64 * abs(expected), SHRINK * noise) and not apart:
        return None
    if not apart and softmax_is_cut(paddle):
        return None
    found = read(Losses(expected, actual, seeds, paddle, trace))
    constant = abs(actual - expected) <= FLOAT32_LOSS * abs(expected) and all(
        _within(*seeds[key], FLOAT32_LOSS) for key in seeds
    )
    return LossDifference(
        found,
        _line(trace),
        _line(paddle.trace),
        {
            "Paddle's loss": expected,
            "torch's loss": actual,
            "Paddle's operators": _told(_operators(paddle.trace)),
            "torch's operators": _told(_operators(trace)),
        },
        by_constant=constant and _has_constant(paddle.trace),
    )


def _within(expected: Array, actual: Array, share: float) -> bool:
    gap = float(np.abs(actual.reshape(expected.shape) - expected).max(initial=0.0))
    return gap <= share * float(np.abs(expected).max(initial=0.0))


def _has_constant(trace: Trace) -> bool:
    """Whether some operator of the loss is given a number that float32 cannot hold."""
    numbers = (
        float(text)
        for op in _operators(trace)
        for text in re.findall(r"\d+\.\d*(?:e-?\d+)?", str(dict(op.attributes)))
    )
    return any(float(np.float32(number)) != number for number in numbers)


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
