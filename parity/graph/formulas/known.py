"""What a piece of arithmetic turned out to compute, and how close is the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.graph.axes import counted, given
from parity.graph.formulas.pieces import Probe, Statistic
from parity.graph.node import Node

CLOSE = 1e-9
"""Relative difference up to which two functions are one: constants are written with ten digits."""


EXACT = 1e-11
"""The same for a normalization, which is arithmetic with few constants."""


@dataclass(frozen=True)
class Known:
    """A function that a piece turned out to compute.

    parts: slot -> parameter. decided: attribute -> operator of the piece that decides it.
    """

    kind: str
    attributes: Mapping[str, Any]
    parts: Mapping[str, int]
    decided: Mapping[str, Node]


def close(actual: Probe, expected: Probe) -> bool:
    return bool(np.allclose(actual, expected, rtol=CLOSE, atol=CLOSE))


def reduced(statistic: Statistic) -> tuple[int, ...]:
    """Reduced axes, counted from the end among the dimensions larger than 1."""
    return counted(statistic.node.shapes["x"], given(statistic.node))


def rounded(eps: float) -> float:
    """An epsilon as it was written: what a difference of larger numbers leaves of it has few digits."""
    return 0.0 if abs(eps) < 1e-13 else float(f"{eps:.4g}")
