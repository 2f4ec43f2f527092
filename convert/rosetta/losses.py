"""Losses, as layers and as functions."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source, Trap

ROWS: tuple[Row, ...] = (
    Row(
        Kind.LOSS,
        "nn.CrossEntropyLoss",
        "nn.CrossEntropyLoss",
        Exactness.ALGEBRA,
        arguments=(
            Argument("weight", "weight"),
            Argument("ignore_index", "ignore_index", paddle_default=-100, torch_default=-100),
            Argument("reduction", "reduction", paddle_default="mean", torch_default="mean"),
        ),
        traps=(
            Trap(
                "labels of shape [N, 1] are Paddle's, torch wants [N]",
                naive="F.cross_entropy(x, y)",
                example=Example(
                    {"x": "float 6,4", "y": "int<4 6,1"},
                    "F.cross_entropy(x, y)",
                    "F.cross_entropy(x, y.squeeze(1))",
                ),
            ),
            Trap(
                "with such labels reduction='none' gives [N, 1]",
                naive="F.cross_entropy(x, y.squeeze(1), reduction='none')",
                example=Example(
                    {"x": "float 6,4", "y": "int<4 6,1"},
                    "F.cross_entropy(x, y, reduction='none')",
                    "F.cross_entropy(x, y.squeeze(1), reduction='none').unsqueeze(1)",
                ),
            ),
        ),
        examples=(
            Example({"x": "float 6,4", "y": "int<4 6"}, "nn.CrossEntropyLoss()", "nn.CrossEntropyLoss()"),
            Example(
                {"x": "float 6,4", "y": "int<4 6"},
                "nn.CrossEntropyLoss(reduction='sum')",
                "nn.CrossEntropyLoss(reduction='sum')",
            ),
        ),
        source=Source("nn/layer/loss.py: CrossEntropyLoss", "nn/modules/loss.py: CrossEntropyLoss"),
        reason="log-softmax and the negative logarithm of the label's share",
    ),
)
