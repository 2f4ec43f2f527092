"""The given input with other weights: zeros, equal and symmetric ones hide what is done with them (`parity.setup.blind_spots`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parity.case import Question
from parity.errors import NotRecordedError
from parity.explain.telling.further import with_other_weights
from parity.further import Refused, quick_case, says_nothing
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
    with refilled(paddle, torch, inputs, pairs, hidden) as filled:
        if not filled:
            return None
        both = {"paddle": paddle.parameters(), "torch": torch.parameters()}
        question = Question(paddle, torch, NAME, inputs, mode, both, pairs, tell)
        try:
            if backward:
                case = question.answer(gradients=True)[0]
            else:
                shapes = {name: array.shape for name, array in inputs.items()}
                as_given = Further(NAME, inputs, shapes, (0,), unusual=True, limit=True)
                case = quick_case(paddle, torch, as_given, dict(inputs), mode, tell, {})
                if case.judgement.inconclusive:
                    case = question.answer()[0]
        except (NotRecordedError, Refused):
            return None
    if says_nothing(case.judgement):
        return None
    case.judgement.findings[:] = map(with_other_weights, case.judgement.findings)
    return case
