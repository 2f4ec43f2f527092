"""Optimizers of one name whose update formulas differ by the frameworks' own doing.

No setting of torch's makes the two equal, so that an update which differs proves nothing by itself. Here both formulas
are computed from the gradients that were given: where each framework did what its formula says, the difference
is theirs and not the port's.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity.ops.table import float32
from parity.trace.values import Array


@dataclass(frozen=True)
class State:
    """What one side has accumulated for one parameter."""

    step: int = 0
    moment: Any = 0.0
    norm: Any = 0.0


Formula = Callable[[State, Array, Array, Mapping[str, Any]], tuple[Array, State]]
"""(state, weights, gradient, settings) -> what is added to the weights, and the state after it."""


@dataclass(frozen=True)
class Differing:
    """Both formulas of one rule, how they differ, and what makes torch's Paddle's."""

    paddle: Formula
    torch: Formula
    told: str
    remedy: str


def _adamax(norm: Callable[[Any, Array, float], Any]) -> Formula:
    """Adamax with its own way to keep the norm from zero; Paddle keeps its betas in float32."""

    def update(
        state: State, weights: Array, gradient: Array, settings: Mapping[str, Any]
    ) -> tuple[Array, State]:
        beta1, beta2 = float32(settings["beta1"]), float32(settings["beta2"])
        gradient = gradient + settings["weight_decay"] * weights
        after = State(
            state.step + 1,
            beta1 * state.moment + (1.0 - beta1) * gradient,
            norm(beta2 * state.norm, np.abs(gradient), settings["eps"]),
        )
        added = -settings["lr"] / (1.0 - beta1**after.step) * after.moment / after.norm
        return np.asarray(added), after

    return update


RULES: Mapping[str, Differing] = {
    "adamax": Differing(
        paddle=_adamax(lambda kept, new, eps: np.maximum(new, kept + eps)),
        torch=_adamax(lambda kept, new, eps: np.maximum(kept, new + eps)),
        told="Paddle adds eps to the decayed infinity norm, torch to the new gradient's size",
        remedy="parity.remedies.torch_adamax.Adamax, an optimizer that steps as Paddle does",
    )
}
"""Rule (`parity.capture.training.Settings.rule`) -> what is known of it."""


@dataclass(frozen=True)
class Prediction:
    """Both formulas after one more step: (Paddle's, torch's) update by weight, and what either has accumulated."""

    updates: Mapping[Hashable, tuple[Array, Array]] = field(default_factory=dict)
    states: Mapping[Hashable, tuple[State, State]] = field(default_factory=dict)


Parameter = tuple[Hashable, Array, Array, Mapping[str, Any], Mapping[str, Any]]
"""Which weight it is (a packed parameter holds several), Paddle's weights, Paddle's gradient, Paddle's settings, torch's settings."""


def predicted(rule: Differing, before: Prediction, parameters: Iterable[Parameter]) -> Prediction:
    """The next step of both formulas, from Paddle's weights and gradients."""
    updates, states = {}, dict(before.states)
    for key, weights, gradient, paddle, torch in parameters:
        theirs, ours = states.get(key, (State(), State()))
        expected, theirs = rule.paddle(theirs, weights, gradient, paddle)
        actual, ours = rule.torch(ours, weights, gradient, torch)
        updates[key], states[key] = (expected, actual), (theirs, ours)
    return Prediction(updates, states)
