"""Two courses of the learning rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from parity.capture.training import Settings, Trainer
from parity.errors import ParityError
from parity.ops.attributes import same_value
from parity.results.finding import Subject
from parity.training.record import NO_DRIFT, Claim, Claims, Given, Measured, Record

Rates = Sequence[tuple[float, float]]
"""(Paddle's, torch's) learning rate of one parameter in every step."""


LATER = 100
"""So many steps a schedule goes on alone: a milestone, the end of a warm-up or of a decay shows in no first few steps."""


def measured(given: Given, paddle: Settings, torch: Settings) -> dict[str, tuple[float, float]]:
    found = {}
    for twin in given.twins:
        expected, actual = paddle.parameters.get(twin.paddle.name), torch.parameters.get(twin.name)
        # A class that is written by hand may keep its rate where nobody else does.
        if expected is not None and actual is not None and "lr" in expected and "lr" in actual:
            found[twin.name] = expected["lr"], actual["lr"]
    return found


def otherwise_scheduled(rates: Rates) -> bool:
    """Whether a rate that changes from step to step is not just another one of the same course."""
    moving = any(rate != rates[0] for rate in rates)
    (e_0, a_0) = rates[0] if rates else (0.0, 0.0)
    return moving and not all(same_value(e * a_0, a * e_0) for e, a in rates)


def going_on(paddle: Trainer, torch: Trainer, record: Record) -> Record:
    """The record with the rates of the steps behind it, of which nothing else is made; up to where a schedule ends."""
    given, steps = record.given, list(record.steps)
    scheduled = [getattr(trainer, "scheduler", trainer) is not None for trainer in (paddle, torch)]
    while any(scheduled) and len(steps) < LATER:
        rates = measured(given, paddle.settings(), torch.settings())
        steps.append(Measured({}, rates, NO_DRIFT, 0.0))
        try:
            for trainer in (paddle, torch):
                trainer.advance()
        except ParityError:
            break
    return Record(given, steps)


def explain(record: Record, claims: Claims) -> Iterator[Claim]:
    """Learning rates that start equal and part later. details: the step, from 0, where the first one parts."""
    parted = {}
    for name in dict.fromkeys(twin.name for twin in record.given.twins):
        rates = record.rates(name)
        late = [i for i, (e, a) in enumerate(rates) if not same_value(e, a)]
        if late and (late[0] > 0 or otherwise_scheduled(rates)):
            parted[name] = late[0]
    if not parted:
        return
    name, step = next(iter(parted.items()))
    expected, actual = [e for e, _ in record.rates(name)], [a for _, a in record.rates(name)]
    yield Claim(
        Subject.SCHEDULE,
        attribute="lr",
        values=(expected, actual),
        entails=tuple(parted),
        evidence={
            "Paddle's rates": expected,
            "torch's rates": actual,
            "of": name,
            "update differs by": record.worst(list(parted)),
        },
        details=step,
    )
