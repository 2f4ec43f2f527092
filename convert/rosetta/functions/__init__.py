"""Functions of `nn.functional` and of the framework's root, by subject."""

from __future__ import annotations

from convert.rosetta.functions import (
    activation,
    common,
    convolution,
    dropout,
    inplace,
    normalization,
    pooling,
    root,
    vision,
)
from convert.rosetta.rows import Row

ROWS: tuple[Row, ...] = (
    *convolution.ROWS,
    *common.ROWS,
    *normalization.ROWS,
    *pooling.ROWS,
    *activation.ROWS,
    *inplace.ROWS,
    *dropout.ROWS,
    *vision.ROWS,
    *root.ROWS,
)
