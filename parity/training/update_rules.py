"""Optimizers of one name whose update formulas differ by the frameworks' own doing.

No setting of torch's makes the two equal, so that an update which differs proves nothing by itself. Here both formulas
are computed from the gradients that were given: where each framework did what its formula says, the difference
is theirs and not the port's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity.ops.table import float32
from parity.trace.values import Array


@dataclass
class State:
    """What one side has accumulated for one parameter."""

    step: int = 0
    moment: Any = 0.0
    norm: Any = 0.0


Update = Callable[[State, Array, Array, Mapping[str, Any]], Array]
"""(state, weights, gradient, settings) -> what is added to the weights."""


@dataclass(frozen=True)
class Differing:
    """Both formulas of one rule, how they differ, and what makes torch's Paddle's."""

    paddle: Update
    torch: Update
    told: str
    remedy: str


def _adamax(norm: Callable[[Any, Array, float], Any]) -> Update:
    """Adamax with its own way to keep the norm from zero; Paddle keeps its betas in float32."""

    def update(state: State, weights: Array, gradient: Array, settings: Mapping[str, Any]) -> Array:
        beta1, beta2 = float32(settings["beta1"]), float32(settings["beta2"])
        gradient = gradient + settings["weight_decay"] * weights
        state.step += 1
        state.moment = beta1 * state.moment + (1.0 - beta1) * gradient
        state.norm = norm(beta2 * state.norm, np.abs(gradient), settings["eps"])
        return np.asarray(-settings["lr"] / (1.0 - beta1**state.step) * state.moment / state.norm)

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


@dataclass
class Prediction:
    """Both formulas followed through the steps of a training, parameter by parameter."""

    rule: Differing
    _states: dict[tuple[str, str], State] = field(default_factory=dict)

    def updates(
        self, name: str, weights: Array, gradient: Array, paddle: Mapping[str, Any], torch: Mapping[str, Any]
    ) -> tuple[Array, Array]:
        """(Paddle's, torch's) update of one parameter in the next step, both from Paddle's weights and gradient."""
        found = []
        for side, formula, settings in (
            ("paddle", self.rule.paddle, paddle),
            ("torch", self.rule.torch, torch),
        ):
            state = self._states.setdefault((side, name), State())
            found.append(formula(state, weights, gradient, settings))
        return found[0], found[1]
