"""Functions of the framework's root, by what they do to tensors."""

from __future__ import annotations

from convert.rosetta.rows import Row
from convert.rosetta.tensors import (
    creation,
    elementwise,
    further,
    indexing,
    linalg,
    manipulation,
    parts,
    random,
    reduction,
)

ROWS: tuple[Row, ...] = (
    *creation.ROWS,
    *random.ROWS,
    *manipulation.ROWS,
    *parts.ROWS,
    *indexing.ROWS,
    *elementwise.ROWS,
    *reduction.ROWS,
    *linalg.ROWS,
    *further.ROWS,
)
