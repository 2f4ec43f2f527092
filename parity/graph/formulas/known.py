"""What a piece of arithmetic turned out to compute, and how close is the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity.graph.axes import counted, given
from parity.graph.formulas.pieces import Probe, Statistic
from parity.graph.node import Node, Spelling
from parity.limits import NO_EPSILON, SAME_FUNCTION


@dataclass(frozen=True)
class Known:
    """A function that a piece turned out to compute.

    parts: slot -> parameter. decided: attribute -> operator of the piece that decides it.
    """

    kind: str
    attributes: Mapping[str, Any]
    parts: Mapping[str, int]
    decided: Mapping[str, Node]
    spelling: Spelling = field(default_factory=Spelling)


def close(actual: Probe, expected: Probe) -> bool:
    return bool(np.allclose(actual, expected, rtol=SAME_FUNCTION, atol=SAME_FUNCTION))


def reduced(statistic: Statistic) -> tuple[int, ...]:
    """Reduced axes, counted from the end among the dimensions larger than 1."""
    return counted(statistic.node.shape("x"), given(statistic.node))


def rounded(eps: float) -> float:
    """An epsilon as it was written: what a difference of larger numbers leaves of it has few digits."""
    return 0.0 if abs(eps) < NO_EPSILON else float(f"{eps:.4g}")
