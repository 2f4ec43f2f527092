"""Functions of the framework's root."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source

ROWS: tuple[Row, ...] = (
    Row(
        Kind.FUNCTION,
        "concat",
        "cat",
        Exactness.BIT,
        arguments=(Argument("x", "tensors"), Argument("axis", "dim", paddle_default=0, torch_default=0)),
        examples=(
            Example(
                {"x": "float 2,3", "y": "float 2,4"},
                "paddle.concat([x, y], axis=1)",
                "torch.cat([x, y], dim=1)",
            ),
        ),
        source=Source("tensor/manipulation.py: concat", "_torch_docs.py: cat"),
        reason="copies",
    ),
)
