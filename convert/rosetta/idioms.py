"""Ways of writing that have no single name."""

from __future__ import annotations

from convert.rosetta.rows import Exactness, Example, Kind, Row, Source, Trap

ROWS: tuple[Row, ...] = (
    Row(
        Kind.IDIOM,
        "reshape with 0",
        "",
        Exactness.NONE,
        remedy="write the size that 0 stands for",
        traps=(Trap("0 copies that dimension in Paddle, is a size in torch", naive="x.reshape(0, -1)"),),
        examples=(Example({"x": "float 4,3,2"}, "x.reshape([0, -1])", "x.reshape(x.shape[0], -1)"),),
        source=Source("tensor/manipulation.py: reshape", "_torch_docs.py: reshape"),
        reason="0 means: as the input has it",
    ),
)
