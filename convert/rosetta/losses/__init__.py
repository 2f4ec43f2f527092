"""Losses, as layers and as functions."""

from __future__ import annotations

from convert.rosetta.losses import binary, classification, distance
from convert.rosetta.rows import Row

ROWS: tuple[Row, ...] = (*classification.ROWS, *binary.ROWS, *distance.ROWS)
