"""Functions of `nn.functional`, by subject."""

from __future__ import annotations

from convert.rosetta.functions import (
    activation,
    common,
    convolution,
    dropout,
    inplace,
    normalization,
    pooling,
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
)
