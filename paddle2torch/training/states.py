"""The optimizer's state of a torch checkpoint, as Paddle keeps it: the way back that `convert` has for weights alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from convert import open_checkpoint
from convert.apply.checkpoint import plan_for
from convert.plan.transform import apply_transform
from convert.training.optimizers import POWERS, STATE, find_optimizer
from paddle2torch.training.recipe import Recipe
from paddle2torch.training.weights import way_back

Array = np.ndarray[Any, np.dtype[Any]]


OF_ADAM = ("beta1_pow_acc", "beta2_pow_acc")
"""What Adam and AdamW keep of their steps."""


def torchs_state(
    path: Path, recipe: Recipe, parameters: Sequence[Sequence[str]]
) -> dict[tuple[str, str], Array]:
    """(Paddle's parameter, Paddle's accumulator) -> its numbers.

    parameters: torch's names in each group of the optimizer, in its order.
    """
    from paddle2torch.training.network_torch import optimizer_arrays

    with open_checkpoint(path) as checkpoint:
        plan, _ = plan_for(checkpoint, back=True, **way_back(path, recipe.network))
    moves = {move.source: move for move in plan.require().moves}
    row = find_optimizer(recipe.optimizer)
    called = {theirs: ours for ours, theirs in STATE[row.torch].items()}
    found: dict[tuple[str, str], Array] = {}
    names = [name for group in parameters for name in group]
    for index, entry in optimizer_arrays(path).items():
        move = moves[names[index]]
        for kind, array in entry.items():
            if kind in called:
                found[move.target, called[kind]] = apply_transform(array, move.transform)
        if "step" in entry and "betas" in row.options:
            kind_of_weights = next(array.dtype for kind, array in entry.items() if kind in called)
            for accumulator in OF_ADAM:
                beta, ahead = POWERS[accumulator]
                exponent = int(entry["step"]) + ahead
                found[move.target, accumulator] = _power(
                    row.options["betas"][beta], exponent, kind_of_weights
                )
    return found


def _power(beta: float, exponent: int, kind: np.dtype[Any]) -> Array:
    """beta to a power, multiplied up as Paddle does, so that it is rounded as often."""
    factors = np.full(exponent, beta, dtype=kind)
    found: Array = np.multiply.accumulate(factors)[-1:]
    return found
