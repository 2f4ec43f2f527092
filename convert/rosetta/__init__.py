"""The Rosetta table: which torch name computes what a Paddle name computes, as rows of data with their proofs.

`TABLE` is all of it; `find(name)` looks a Paddle or torch name up. How to write a row: `convert.rosetta.rows`.
"""

from convert.rosetta.rows import Row
from convert.rosetta.table import MODULES, TABLE, find, nearest

__all__ = ["MODULES", "TABLE", "Row", "find", "nearest"]
