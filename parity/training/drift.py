"""How far two trainings are apart that run freely, each on its own weights."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from parity.limits import DRIFT, RECOMPUTED
from parity.training.record import Claim, Claims, Drift, Given, Record, Remark, StepRecord


def measured(given: Given, step: StepRecord) -> Drift:
    weights, statistics, plain = 0.0, 0.0, 0.0
    for twin in given.twins:
        e, a = twin.paddle.read(step.after), twin.torch.read(step.free_end)
        if e is None or a is None or not e.size:
            continue
        scale = float(np.abs(e).max()) or 1.0
        gap = float(np.abs(a - e).max()) / scale
        if given.trains(twin):
            weights = max(weights, gap)
        else:
            statistics = max(statistics, gap)
        unbiased = twin.torch.read(step.free.plain)
        if unbiased is not None:
            plain = max(plain, float(np.abs(unbiased - e).max()) / scale)
    return Drift((step.expected.loss, step.free.loss), weights, statistics, plain)


def explain(record: Record, claims: Claims) -> Iterator[Claim]:
    """What a user would see. details of the summary: steps, and by how much the trainings drift apart; None: they agree."""
    given, drifts = record.given, [step.drift for step in record.steps]
    losses = [abs(a - e) / (abs(e) or 1.0) for e, a in (drift.losses for drift in drifts)]
    parameters, statistics = [d.parameters for d in drifts], [d.statistics for d in drifts]
    worst = max((*losses, *parameters, *statistics), default=0.0)
    if not claims.faults and not given.faulty:
        yield Claim(
            Remark.TRAINED,
            evidence={
                "Paddle's losses": [drift.losses[0] for drift in drifts],
                "loss differs by": losses,
                "parameters differ by": parameters,
                "statistics differ by": statistics,
            },
            details=(len(drifts), worst if worst > max(DRIFT, given.gradient_share) else None),
        )
    plain = [drift.plain for drift in drifts]
    if max(plain, default=0.0) > RECOMPUTED:
        yield Claim(
            Remark.BIASED_VARIANCE, evidence={"relative difference after each step": plain}, details=plain
        )
