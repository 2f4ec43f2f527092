"""What two optimizers make of equal weights and equal gradients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from parity.limits import EPS64, MARGIN, RECOMPUTED
from parity.results.finding import Subject
from parity.trace.values import Array
from parity.training.record import Claim, Claims, Given, Record, Remark, StepRecord, Update


def measured(given: Given, step: StepRecord) -> dict[str, Update]:
    """The two steps from equal weights with equal gradients: differences as a share of the larger update."""
    found: dict[str, Update] = {}
    for twin in given.twins:
        w, e = twin.paddle.read(step.before), twin.paddle.read(step.after)
        s, a = twin.torch.read(step.start), twin.torch.read(step.end)
        if w is None or e is None or s is None or a is None or not given.trains(twin):
            continue
        expected, actual = e - w, a - s
        rounding = MARGIN * EPS64 * float(np.abs(e).max(initial=0.0))
        largest = max(float(np.abs(update).max(initial=0.0)) for update in (expected, actual))
        share = _apart([expected], [actual], largest, rounding)
        formulas = step.predicted.get((twin.paddle, twin.torch))
        off = 1.0 if formulas is None else _apart(formulas, (expected, actual), largest, rounding)
        update = Update(share, off)
        found[twin.name] = update.worse(found[twin.name]) if twin.name in found else update
    return found


def _apart(expected: Sequence[Array], actual: Sequence[Array], scale: float, rounding: float) -> float:
    """How far updates are from those that are expected, as a share of their scale."""
    worst = max(float(np.abs(a - e).max(initial=0.0)) for e, a in zip(expected, actual, strict=True))
    return 0.0 if worst <= rounding else worst / scale


def explain(record: Record, claims: Claims) -> Iterator[Claim]:
    """Updates that differ although every setting agrees."""
    left = {name: update for name, update in record.updates.items() if not claims.explains(name)}
    if record.given.rule is not None:
        formulas = _by_formula(record, left)
        if formulas:
            shares = [update.share for update in formulas.values()]
            yield Claim(
                Remark.TWO_FORMULAS,
                evidence={"update differs by": max(shares), "parameters": len(shares)},
                details=(record.given.rule, len(record.updates)),
            )
        left = {name: update for name, update in left.items() if name not in formulas}
    apart = {name: update.share for name, update in left.items() if update.share > record.room}
    slight = [update.share for update in left.values() if RECOMPUTED < update.share <= record.room]
    if apart:
        yield Claim(
            Subject.UPDATE,
            evidence={"update differs by": max(apart.values()), "parameters": len(apart)},
            details=(list(apart), len(record.updates)),
        )
    elif slight:
        yield Claim(Remark.SLIGHT_UPDATE, details=max(slight))


def _by_formula(record: Record, left: Mapping[str, Update]) -> dict[str, Update]:
    """The differing updates that both frameworks' own formulas give."""
    return {
        name: update
        for name, update in left.items()
        if update.share > record.room and update.off <= record.room
    }
