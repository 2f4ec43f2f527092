"""Functions of `nn.functional` and of the framework's root, by subject."""

from __future__ import annotations

from convert.rosetta.functions import activation, convolution, dropout, pooling, root, vision
from convert.rosetta.rows import Row

ROWS: tuple[Row, ...] = (
    *convolution.ROWS,
    *activation.ROWS,
    *dropout.ROWS,
    *pooling.ROWS,
    *vision.ROWS,
    *root.ROWS,
)
