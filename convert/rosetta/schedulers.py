"""Learning rate schedulers."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source

ROWS: tuple[Row, ...] = (
    Row(
        Kind.SCHEDULER,
        "optimizer.lr.StepDecay",
        "optim.lr_scheduler.StepLR",
        Exactness.ALGEBRA,
        arguments=(
            Argument("learning_rate", None, note="the rate of torch's optimizer"),
            Argument("step_size", "step_size"),
            Argument("gamma", "gamma", paddle_default=0.1, torch_default=0.1),
        ),
        examples=(
            Example(
                {},
                "paddle.optimizer.lr.StepDecay(0.5, step_size=3, gamma=0.8)",
                "torch.optim.lr_scheduler.StepLR(optimizer(0.5), step_size=3, gamma=0.8)",
            ),
        ),
        source=Source("optimizer/lr.py: StepDecay", "optim/lr_scheduler.py: StepLR"),
        reason="rate * gamma ** (epoch // step_size)",
    ),
)
