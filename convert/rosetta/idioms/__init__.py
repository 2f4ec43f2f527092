"""Ways of writing that have no single name: how a port registers, trains, freezes, saves and feeds a model."""

from __future__ import annotations

from convert.rosetta.idioms import data, parameters, structure, training
from convert.rosetta.rows import Row

ROWS: tuple[Row, ...] = (*structure.ROWS, *parameters.ROWS, *training.ROWS, *data.ROWS)
