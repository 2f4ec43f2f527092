"""Paddle's model filled with values that hide no mistake."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from parity.sides.live import LiveSide
from parity.sides.random_weights import random_state, residual_scales, signed_scales
from parity.sides.side import adapter
from parity.trace.values import Array, Weights, scratch_directory


def fill(
    paddle: LiveSide,
    inputs: Mapping[str, Array],
    *,
    seed: int,
    vectors_only: bool = False,
    only: Collection[str] | None = None,
) -> Weights:
    """Give Paddle's model `random_state` values and return its state; one recorded run finds residual branches.

    only: the entries that get some, where not all do.
    """
    tools = adapter("paddle")
    with scratch_directory() as scratch:
        trace, values = paddle.capture(
            inputs, mode="eval", precision="float32", store=scratch / "values", outputs_only=True
        )
        values.close()
    before = tools.state(paddle.model)
    kept = set() if only is None else set(before) - set(only)
    state = random_state(
        before,
        seed=seed,
        damped=residual_scales(trace),
        signed=signed_scales(trace),
        constants=tools.constants(paddle.model) | kept,
        vectors_only=vectors_only,
    )
    tools.load_state(paddle.model, state, strict=True)
    # Read back: a tied weight has two names and one value.
    filled: Weights = tools.state(paddle.model)
    return filled
