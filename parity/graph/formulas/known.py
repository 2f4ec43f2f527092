"""What a piece of arithmetic turned out to compute, and how close is the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.graph import Node
from parity.probing import Probe, Statistic

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


def given(node: Node) -> tuple[int, ...]:
    """Reduced axes of a reduction as its operator saw the shape."""
    axes: tuple[int, ...] = node.attributes["axes"]
    if node.attributes.get("counted"):
        real = [axis for axis, size in enumerate(node.shapes["x"]) if size != 1]
        return tuple(real[axis] for axis in axes)
    return axes


def counted(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    """Axes counted from the end among the dimensions larger than 1: reshapes that merge leading ones keep them."""
    real = [axis for axis, size in enumerate(shape) if size != 1]
    return tuple(real.index(axis) - len(real) for axis in axes if axis in real)


def size_of(node: Node) -> int:
    """How many numbers a reduction makes one of."""
    return math.prod(node.shapes["x"][axis] for axis in given(node))


def rounded(eps: float) -> float:
    """An epsilon as it was written: what a difference of larger numbers leaves of it has few digits."""
    return 0.0 if abs(eps) < 1e-13 else float(f"{eps:.4g}")
