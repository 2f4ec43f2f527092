"""Methods of tensors."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source, Trap

ROWS: tuple[Row, ...] = (
    Row(
        Kind.METHOD,
        "Tensor.split",
        "Tensor.split",
        Exactness.BIT,
        arguments=(Argument("num_or_sections", "split_size"), Argument("axis", "dim")),
        traps=(Trap("a number is how many parts in Paddle, how long a part in torch", naive="x.split(2)"),),
        examples=(
            Example({"x": "float 6,3"}, "x.split(2)", "x.chunk(2)"),
            Example({"x": "float 6,3"}, "x.split([1, 5])", "x.split([1, 5])"),
        ),
        source=Source("tensor/manipulation.py: split", "_tensor.py: split"),
        reason="views or copies of the parts",
    ),
    Row(
        Kind.METHOD,
        "Tensor.astype",
        "Tensor.to",
        Exactness.BIT,
        arguments=(Argument("dtype", "dtype"),),
        traps=(Trap("torch has no astype", naive="x.astype(torch.int64)"),),
        examples=(Example({"x": "float 6,3"}, "x.astype('int64')", "x.to(torch.int64)"),),
        source=Source("tensor/tensor.py: astype", "_tensor_docs.py: to"),
        reason="truncates towards zero",
    ),
)
