"""Operators that only move numbers around, as one thing: an index map.

A permute, a slice, a split, an expand, a flip, a channel shuffle and any chain of them with reshapes in between take each
number of the result from one place of the source. Two chains are the same if those places are, however they are
spelled; so a chain is kept as the array of source positions and compared by content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]
Shape = tuple[int, ...]


def index_map(kind: str, attributes: Mapping[str, Any], shape: Shape, output: Shape) -> Indices | None:
    """Flat source position of every element of the result; None if `kind` is no pure move.

    `shape` is the operator's input, `output` its result.
    """
    count = int(np.prod(shape, dtype=np.int64))
    source = np.arange(count, dtype=np.int64).reshape(shape)
    moved = _moved(kind, attributes, source, output)
    return None if moved is None else np.ascontiguousarray(moved).reshape(-1)


def _moved(kind: str, a: Mapping[str, Any], source: Indices, output: Shape) -> Indices | None:
    if kind == "permute":
        return source.transpose(a["perm"])
    if kind == "getitem":
        if a["slices"] == ("advanced",):
            return None
        return source[tuple(s if isinstance(s, int) else _slice(s) for s in a["slices"])]
    if kind == "expand":
        return np.broadcast_to(source, output)
    if kind == "tile":
        extended = source.reshape((1,) * (len(output) - source.ndim) + source.shape)
        return np.tile(extended, [o // n for o, n in zip(output, extended.shape, strict=True)])
    if kind == "flip":
        return np.flip(source, a["axes"])
    if kind == "roll" and "shifts" in a:
        return np.roll(source, a["shifts"], a["axes"])
    if kind == "pixel_shuffle":
        n, c, h, w = source.shape
        r = int(a["factor"])
        return source.reshape(n, c // (r * r), r, r, h, w).transpose(0, 1, 4, 2, 5, 3)
    if kind == "channel_shuffle":
        n, c, h, w = source.shape
        groups = round(a["groups"])
        return source.reshape(n, groups, c // groups, h, w).swapaxes(1, 2)
    return None


def _slice(entry: tuple[int, int, int]) -> slice:
    start, stop, step = entry
    return slice(start, None if step < 0 and stop < 0 else stop, step)


def is_identity(indices: Indices, source: int) -> bool:
    """Whether the map takes every number once, in order."""
    return indices.size == source and bool((indices == np.arange(source)).all())


def digest(indices: Indices) -> str:
    """A short name of the map's content."""
    return hashlib.blake2b(indices.tobytes(), digest_size=8).hexdigest()


def transposes(indices: Indices, shape: Shape) -> bool:
    """Whether the map is the transpose of a matrix of this shape."""
    return len(shape) == 2 and bool(
        indices.size == shape[0] * shape[1]
        and (indices == np.arange(indices.size).reshape(shape).T.reshape(-1)).all()
    )


def row_order(indices: Indices, width: int) -> Indices | None:
    """The order that sorts the map's rows of `width` by where they begin; None if they are sorted."""
    if width < 1 or indices.size % width:
        return None
    order = np.argsort(indices.reshape(-1, width)[:, 0], kind="stable")
    return None if bool((order == np.arange(order.size)).all()) else order


def channel_range(indices: Indices, channels: int, inner: int) -> tuple[int, int, Indices] | None:
    """If the map reads one contiguous range of channels of [rows, channels, inner]: (first, last + 1, map
    into that range alone); None if it reads all of them or no such range.
    """
    channel = (indices // inner) % channels
    first, last = int(channel.min()), int(channel.max()) + 1
    width = last - first
    if width == channels or channels % width:
        return None
    row, rest = indices // (channels * inner), indices % inner
    return first, last, (row * width + (channel - first)) * inner + rest
