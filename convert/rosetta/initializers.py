"""Initializers."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source, Trap

ROWS: tuple[Row, ...] = (
    Row(
        Kind.INITIALIZER,
        "nn.initializer.KaimingNormal",
        "nn.init.kaiming_normal_",
        Exactness.DISTRIBUTION,
        arguments=(
            Argument("nonlinearity", "nonlinearity", paddle_default="relu", torch_default="leaky_relu"),
        ),
        traps=(
            Trap(
                "on a Linear weight Paddle's fan_in is its first dimension, torch's the second",
                naive="nn.init.kaiming_normal_(w, nonlinearity='relu')",
                example=Example(
                    {"w": "empty 32,256"},
                    "nn.initializer.KaimingNormal()",
                    "nn.init.kaiming_normal_(w, mode='fan_out', nonlinearity='relu')",
                    compare="distribution",
                ),
            ),
        ),
        examples=(
            Example(
                {"w": "empty 64,32,3,3"},
                "nn.initializer.KaimingNormal()",
                "nn.init.kaiming_normal_(w, nonlinearity='relu')",
                compare="distribution",
            ),
        ),
        source=Source("nn/initializer/kaiming.py: KaimingNormal", "nn/init.py: kaiming_normal_"),
        reason="N(0, sqrt(2 / fan_in))",
    ),
    Row(
        Kind.INITIALIZER,
        "nn.initializer.Constant",
        "nn.init.constant_",
        Exactness.BIT,
        arguments=(Argument("value", "val", paddle_default=0.0),),
        examples=(
            Example({"w": "empty 2,3"}, "nn.initializer.Constant(0.25)", "nn.init.constant_(w, 0.25)"),
        ),
        source=Source("nn/initializer/constant.py: Constant", "nn/init.py: constant_"),
        reason="fills",
    ),
)
