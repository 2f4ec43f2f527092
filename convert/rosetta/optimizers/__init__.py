"""Optimizers and gradient clips: `parameters` after ten or more steps on a small loss."""

from __future__ import annotations

from convert.rosetta.optimizers import adaptive, clips, momentum, without_twin
from convert.rosetta.rows import Row

ROWS: tuple[Row, ...] = (*momentum.ROWS, *adaptive.ROWS, *without_twin.ROWS, *clips.ROWS)
