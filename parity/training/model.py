"""Loss, gradients and buffers of the two models at equal weights, step by step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from parity.align.weights import WeightPair
from parity.limits import GRADIENT_CONSTANTS
from parity.results.finding import Shows, Subject
from parity.training.record import Claim, Claims, Given, Remark, StepRecord


def gradients(given: Given, step: StepRecord, claims: Claims) -> Iterator[Claim]:
    """After the first step, which `judge_gradients` looked into."""
    for twin, gap, scale in _apart(given, step):
        if not claims.blames(twin.pair.torch.module):
            yield Claim(
                Subject.GRADIENT,
                twin,
                attribute=twin.name,
                shows=Shows.GRADIENTS,
                evidence={"max abs": gap, "scale": scale, "step": step.number + 1},
            )


def _apart(given: Given, step: StepRecord) -> Iterator[tuple[WeightPair, float, float]]:
    """(weight, largest difference of its gradients, their scale) where they differ."""
    if step.number == 0 or given.faulty or not given.complete:
        return
    largest = max((float(np.abs(g).max(initial=0.0)) for g in step.expected.gradients.values()), default=0.0)
    for twin in given.twins:
        e, a = twin.paddle.read(step.expected.gradients), twin.torch.read(step.alone.gradients)
        if e is None or a is None:
            continue
        gap, scale = float(np.abs(a - e).max(initial=0.0)), float(np.abs(e).max(initial=0.0))
        if gap > max(GRADIENT_CONSTANTS, given.gradient_share) * scale + given.gradient_share * largest:
            yield twin, gap, scale


def loss(given: Given, step: StepRecord, claims: Claims) -> Iterator[Claim]:
    """Losses at Paddle's weights; where only they differ, the training does not notice."""
    expected, actual = step.expected.loss, step.alone.loss
    if step.number == 0 or given.faulty or not given.complete or claims.of(Remark.LOSS_CUT):
        return
    apart = abs(actual - expected) > given.gradient_share * max(abs(expected), 1.0)
    if apart and next(_apart(given, step), None) is None:
        yield Claim(
            Remark.LOSS_CUT,
            values=(expected, actual),
            evidence={"Paddle's loss": expected, "torch's loss": actual, "step": step.number + 1},
        )


def statistics(given: Given, step: StepRecord, claims: Claims) -> Iterator[Claim]:
    """Buffers after one forward pass from Paddle's: a running mean, a running variance as Paddle keeps it."""
    for twin in given.twins:
        e, a = twin.paddle.read(step.expected.buffers), twin.torch.read(step.alone.buffers)
        if e is None or a is None or claims.blames(twin.pair.torch.module):
            continue
        scale = float(np.abs(e).max(initial=0.0))
        gap = float(np.abs(a - e).max(initial=0.0))
        if gap > given.share * scale:
            yield Claim(
                Subject.STATISTIC,
                twin,
                attribute=twin.name,
                shows=Shows.STATISTICS,
                evidence={"max abs": gap, "scale": scale, "step": step.number + 1},
            )
