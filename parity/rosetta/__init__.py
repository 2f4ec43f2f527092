"""Proofs of the Rosetta table: every row's examples and traps, run in both frameworks and measured.

`prove(row)` runs one row; `python -m parity.rosetta NAME` prints it. The tests assert what it returns
and the documentation shows it, so no number of the table is written by hand.
"""

from parity.rosetta.prove import Measurement, Proof, prove

__all__ = ["Measurement", "Proof", "prove"]
