"""Learning rates over a run, as one formula for both frameworks.

A schedule gives the share of the base rate at a step. Both frameworks multiply by it themselves (Paddle's LambdaDecay,
torch's LambdaLR), so the rates are the same to the last bit. Within an epoch the rate stays; the warm-up counts steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Schedule:
    """kind: a key of `SHARES`. epochs, steps_per_epoch: of the whole run. step_size, milestones: in epochs. warmup: in steps."""

    kind: str = "constant"
    epochs: int = 1
    steps_per_epoch: int = 1
    step_size: int = 30
    milestones: tuple[int, ...] = ()
    gamma: float = 0.1
    warmup: int = 0

    def share(self, step: int) -> float:
        """Of the base rate, at the step numbered `step` from 0; from 0 to 1."""
        if step < self.warmup:
            return step / self.warmup
        return SHARES[self.kind](self, step // self.steps_per_epoch)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Schedule:
        return cls(**{**data, "milestones": tuple(data["milestones"])})


SHARES: Mapping[str, Callable[[Schedule, int], float]] = {
    "constant": lambda of, epoch: 1.0,
    "step": lambda of, epoch: of.gamma ** (epoch // of.step_size),
    "multistep": lambda of, epoch: of.gamma ** sum(epoch >= milestone for milestone in of.milestones),
    "cosine": lambda of, epoch: (1 + math.cos(math.pi * epoch / of.epochs)) / 2,
}
"""Kind -> share of the base rate in an epoch, as StepDecay, MultiStepDecay and CosineAnnealingDecay give it."""
