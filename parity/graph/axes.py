"""Shapes and axes, for whoever reads or rewrites operators."""

from __future__ import annotations

import math

from parity.graph.node import Node


def given(node: Node) -> tuple[int, ...]:
    """Reduced axes of a reduction as its operator saw the shape."""
    axes: tuple[int, ...] = node.attributes["axes"]
    if node.spelling.counted:
        real = [axis for axis, size in enumerate(node.shape("x")) if size != 1]
        return tuple(real[axis] for axis in axes)
    return axes


def counted(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    """Axes counted from the end among the dimensions larger than 1: reshapes that merge leading ones keep them."""
    real = [axis for axis, size in enumerate(shape) if size != 1]
    return tuple(real.index(axis) - len(real) for axis in axes if axis in real)


def size_of(node: Node) -> int:
    """How many numbers a reduction makes one of."""
    return math.prod(node.shape("x")[axis] for axis in given(node))


def count(shape: tuple[int, ...]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total
