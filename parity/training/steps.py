"""Optimizer steps on both sides: do the two networks learn the same, and if not, whose fault is it?

Three trainings run side by side in float64. Paddle's and torch's run freely, each on its own weights: what a user
would see. The third is torch again, but at every step it starts from Paddle's weights and statistics, and its
optimizer gets Paddle's gradients: its loss and gradients then judge the model, its step judges the optimizer,
and neither inherits the other's error or an earlier step's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from parity.align.alignment import Alignment
from parity.align.weights import WeightPair
from parity.capture.training import Trainer
from parity.errors import ParityError
from parity.limits import FORWARD_SHARE, RECOMPUTED
from parity.ops.table import float32_settings
from parity.results.finding import Finding, Subject
from parity.setup.drawn import Further
from parity.trace.values import Array
from parity.training import clipping, drift, model, schedule, settings, telling, updates
from parity.training.record import (
    FURTHER,
    Claim,
    Claims,
    Given,
    Measured,
    Record,
    Remark,
    StepRecord,
    TrainingJudgement,
)
from parity.training.update_rules import RULES, Parameter, Prediction, predicted

FURTHER_STEPS, LARGER = 4, 1000.0
"""An optimizer of the user's own steps so often beyond what was asked for, on other numbers, and the last time with gradients so many
times as large: what it does every fifth step, to rows that rest, or beyond a norm."""

EVERY_STEP: tuple[Callable[[Given, StepRecord, Claims], Iterator[Claim]], ...] = (
    model.gradients,
    model.loss,
    model.statistics,
    clipping.explain,
)

AT_THE_END: tuple[Callable[[Record, Claims], Iterator[Claim]], ...] = (
    settings.explain,
    schedule.explain,
    updates.explain,  # what no setting and no schedule explains
    drift.explain,
)


@dataclass(frozen=True)
class Trainers:
    """Three trainings. replay: torch's, which starts from Paddle's state at every step."""

    paddle: Trainer
    torch: Trainer
    replay: Trainer


def judge_training(
    paddle: Trainer,
    torch: Trainer,
    replay: Trainer,
    inputs: Mapping[str, Array],
    steps: int,
    twins: Sequence[WeightPair],
    alignment: Alignment,
    *,
    known: Sequence[Finding] = (),
    level: float = 0.0,
    constants: float = 0.0,
) -> TrainingJudgement:
    """Train `steps` steps and judge them. `torch` and `replay` are two copies of one model and optimizer.

    known: what forward and backward showed; a layer with a finding there is not blamed again. level: the largest
    relative difference of forward values, which float32 constants of a framework may explain. constants: of gradients in the
    first step, which such constants explained.
    """
    trainers = Trainers(paddle, torch, replay)
    first = paddle.settings(), replay.settings()
    for trainer in (torch, replay):
        trainer.round(float32_settings(first[0].name))
    given = Given(
        twins,
        alignment,
        *first,
        share=max(RECOMPUTED, FORWARD_SHARE * level),
        gradient_share=max(RECOMPUTED, FORWARD_SHARE * max(level, constants)),
        faulty=bool(known),
        rule=RULES.get(first[0].rule) if first[0].rule == first[1].rule else None,
    )
    claims = Claims(finding.layer for finding in known)
    for side in first:
        for text in side.notes:
            claims.add(Claim(Remark.OF_OPTIMIZER, details=text))
    record = Record(given, list(_trained(trainers, given, claims, inputs, steps)))
    for explain in AT_THE_END:
        for claim in explain(record, claims):
            claims.add(claim)
    if first[1].custom and not claims.faults:
        more = Record(given, list(_further(trainers, given, inputs, steps)))
        seen = [claim for claim in updates.explain(more, claims) if isinstance(claim.what, Subject)]
        if seen:
            claims.said[:] = [claim for claim in claims.said if claim.what is not Remark.OWN_CLASS]
            claims.said += (replace(claim, attribute=FURTHER) for claim in seen)
    if not claims.faults:
        for claim in schedule.explain(schedule.going_on(paddle, replay, record), claims):
            claims.add(claim)
    return TrainingJudgement(
        [telling.finding(claim, given) for claim in claims.faults],
        [telling.note(claim, given) for claim in claims.remarks],
    )


def _others(inputs: Mapping[str, Array], count: int) -> Iterator[Mapping[str, Array]]:
    """Other numbers of the given shapes; whole ones, of which nobody knows what they may be, in another order."""
    shapes = {name: array.shape for name, array in inputs.items()}
    for number in range(count):
        drawn = Further("", inputs, shapes, (number,), reduced=False).arrays()
        yield {
            name: drawn[name] if inputs[name].dtype.kind == "f" else _among(inputs[name], number)
            for name in inputs
        }


def _among(array: Array, seed: int) -> Array:
    """As many of an input's own numbers, drawn anew: some are left out."""
    return np.random.default_rng(seed).choice(array.reshape(-1), array.shape) if array.size else array


def _trained(
    trainers: Trainers, given: Given, claims: Claims, inputs: Mapping[str, Array], steps: int
) -> Iterator[Measured]:
    """Step after step; of each the arrays go as soon as they are looked at."""
    prediction = Prediction()
    for number in range(steps):
        step, prediction = _step(trainers, given, inputs, number, prediction)
        for explain in EVERY_STEP:
            for claim in explain(given, step, claims):
                claims.add(claim)
        yield _measured(given, step)


def _measured(given: Given, step: StepRecord) -> Measured:
    return Measured(
        updates.measured(given, step),
        schedule.measured(given, step.paddle, step.torch),
        drift.measured(given, step),
        clipping.room(step.paddle, step.torch, step.expected.gradients),
    )


def _further(trainers: Trainers, given: Given, inputs: Mapping[str, Array], steps: int) -> Iterator[Measured]:
    """Steps beyond those that were asked for, up to one that the models do not take."""
    prediction = Prediction()
    for number, arrays in enumerate(_others(inputs, FURTHER_STEPS)):
        times = LARGER if number == FURTHER_STEPS - 1 else 1.0
        try:
            step, prediction = _step(trainers, given, arrays, steps + number, prediction, times)
        except ParityError:
            return
        yield _measured(given, step)


def _step(
    trainers: Trainers,
    given: Given,
    inputs: Mapping[str, Array],
    number: int,
    prediction: Prediction,
    times: float = 1.0,
) -> tuple[StepRecord, Prediction]:
    paddle, torch, replay = trainers.paddle, trainers.torch, trainers.replay
    before = paddle.state()
    replay.load(_as_torch(given.twins, before, replay.state()))
    expected, free, alone = (trainer.backward(inputs) for trainer in (paddle, torch, replay))
    for passed in (expected, free, alone) if times != 1.0 else ():
        passed.gradients.update({name: times * gradient for name, gradient in passed.gradients.items()})
    theirs, ours = paddle.settings(), replay.settings()
    # After the pass: what it wrote into buffers belongs to no step of the optimizer.
    start = replay.state()
    as_torch = _gradients_as_torch(given.twins, expected.gradients, start)
    clipped = paddle.clipped(expected.gradients)
    # A step of the user's own may clip by itself: then it is compared as a whole.
    whole = ours.custom and not ours.hooks
    clippings = (
        []
        if whole
        else clipping.compared(
            given.twins, paddle, replay, (expected.gradients, as_torch), clipped, first=not number
        )
    )
    if given.rule is not None:
        parameters = _parameters(given, before, clipped, (theirs.parameters, ours.parameters))
        prediction = predicted(given.rule, prediction, parameters)
    replay.step(as_torch if whole else _gradients_as_torch(given.twins, clipped, start), raw=True)
    paddle.step(expected.gradients)
    torch.step(free.gradients)
    after, end, free_end = paddle.state(), replay.state(), torch.state()
    for trainer in (paddle, torch, replay):
        trainer.advance()
    record = StepRecord(
        number,
        expected=expected,
        free=free,
        alone=alone,
        paddle=theirs,
        torch=ours,
        clippings=clippings,
        before=before,
        after=after,
        start=start,
        end=end,
        free_end=free_end,
        predicted=prediction.updates,
    )
    return record, prediction


def _as_torch(
    twins: Sequence[WeightPair], paddle: Mapping[str, Array], torch: Mapping[str, Array]
) -> dict[str, Array]:
    """torch's state with Paddle's numbers in every weight that corresponds."""
    arrays = {name: np.ascontiguousarray(array) for name, array in torch.items()}
    for twin in twins:
        numbers = twin.paddle.read(paddle)
        if numbers is not None and twin.name in arrays:
            twin.torch.write(arrays, numbers)
    return arrays


def _gradients_as_torch(
    twins: Sequence[WeightPair], paddle: Mapping[str, Array], torch: Mapping[str, Array]
) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    for twin in twins:
        numbers = twin.paddle.read(paddle)
        if numbers is not None:
            arrays.setdefault(twin.name, np.zeros(torch[twin.name].shape))
            twin.torch.write(arrays, numbers)
    return arrays


def _parameters(
    given: Given,
    weights: Mapping[str, Array],
    gradients: Mapping[str, Array],
    settings: tuple[Mapping[str, Mapping[str, object]], Mapping[str, Mapping[str, object]]],
) -> Iterator[Parameter]:
    """What both formulas of an update rule need of every parameter."""
    for twin in given.twins:
        w, g = twin.paddle.read(weights), twin.paddle.read(gradients)
        theirs, ours = settings[0].get(twin.paddle.name), settings[1].get(twin.name)
        if w is not None and g is not None and theirs is not None and ours is not None:
            yield (twin.paddle, twin.torch), w, g, theirs, ours
