"""The given input with other weights: zeros, equal and symmetric ones hide what is done with them (`parity.setup.blind_spots`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parity.case import Question
from parity.errors import ParityError
from parity.explain.telling.further import with_other_weights
from parity.further import FURTHER_BATCH, Refused, quick_case, says_nothing
from parity.results.results import Case
from parity.setup.blind_spots import hiding
from parity.setup.drawn import Further
from parity.setup.refill import refilled
from parity.sides.live import LiveSide
from parity.sides.side import Side
from parity.trace.values import Array

NAME = "given input, other weights"


def on_other_weights(
    paddle: Side,
    torch: Side,
    inputs: Mapping[str, Array],
    mode: str,
    parameters: Mapping[str, Array],
    pairs: Mapping[str, str] | None,
    tell: Any,
    gradients: bool,
) -> Case | None:
    """Outputs with values that hide nothing where Paddle's hide something, and all of it where they differ; with `gradients` those too.

    None where nothing is hidden, or it is not known which weight of torch's is which of Paddle's. The weights are put back.
    """
    hidden = hiding(parameters)
    if not hidden or not isinstance(paddle, LiveSide) or not isinstance(torch, LiveSide):
        return None
    # What a zero scales has no gradient. (The arrays may be the models' own memory: asked before it is written.)
    backward = gradients and any(not parameters[name].any() for name in hidden)
    shapes = {name: array.shape for name, array in inputs.items()}
    as_given = Further(NAME, inputs, shapes, (0,), unusual=True, limit=True, fixed=frozenset(inputs))
    sides = paddle, torch
    # A model may be written for one size of batch: then the whole one.
    for batch in (FURTHER_BATCH, None):
        arrays = as_given.arrays(batch)
        try:
            with refilled(paddle, torch, arrays, pairs, hidden) as filled:
                if not filled:
                    return None
                case = _compared(sides, as_given, arrays, mode, pairs, tell, backward)
        except (ParityError, Refused):
            # Other weights may be none that such a model takes.
            continue
        if says_nothing(case.judgement):
            return None
        case.judgement.findings[:] = map(with_other_weights, case.judgement.findings)
        return case
    return None


def _compared(
    sides: tuple[Side, Side],
    as_given: Further,
    arrays: Mapping[str, Array],
    mode: str,
    pairs: Mapping[str, str] | None,
    tell: Any,
    backward: bool,
) -> Case:
    weights: dict[str, Mapping[str, Array]] = {side.framework: side.parameters() for side in sides}
    question = Question(*sides, NAME, arrays, mode, weights, pairs, tell)
    if backward:
        return question.answer(gradients=True)[0]
    case = quick_case(*sides, as_given, arrays, mode, tell, {})
    return question.answer()[0] if case.judgement.inconclusive else case
