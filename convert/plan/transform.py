"""What may happen to a tensor's elements on the way, as the text of plans and rules: steps joined by `+`.

    copy            nothing
    transpose       a matrix [in, out] becomes [out, in]
    reshape:3,4     other sizes, the same elements in the same order
    split:0:64      rows 0 to 63 of it (split:1/3: the first of three equal parts)
    concat:0:64     it becomes rows 0 to 63 of the target (concat:1/3: the first of three equal parts)

Steps go from left to right; `concat` is the last: `transpose+concat:0:64`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from convert.errors import ConvertError
from convert.rosetta.rows import CONCAT, COPY, RESHAPE, SPLIT, TRANSPOSE

if TYPE_CHECKING:
    import numpy as np

Shape = tuple[int, ...]
Rows = tuple[int, int]
"""First row, and the one after the last."""
_KNOWN = 1 << 12
"""Answers that are kept: many tensors are of few shapes."""

HOW = (
    "copy, transpose, reshape:<sizes>, split:<rows> or concat:<rows>, joined by + (rows are 0:64, or 1/3 for the "
    "first of three equal parts; concat comes last)"
)
_SIZE, _COUNT = r"[0-9]{1,18}", r"[1-9][0-9]{0,17}"
_STEP = re.compile(
    rf"{COPY}|{TRANSPOSE}|{RESHAPE}(?::(?:{_SIZE}(?:,{_SIZE}){{0,31}})?)?"
    rf"|(?:{SPLIT}|{CONCAT}):(?:{_SIZE}:{_SIZE}|{_COUNT}/{_COUNT})"
)


def is_transform(text: str) -> bool:
    """Whether `text` is a transform, its parts in an order that makes sense."""
    steps = text.split("+")
    return all(_STEP.fullmatch(step) for step in steps) and not any(
        step.startswith(CONCAT) for step in steps[:-1]
    )


def reshape_to(shape: Shape) -> str:
    """The transform that gives a tensor `shape`: `reshape:3,4`."""
    return f"{RESHAPE}:{','.join(map(str, shape))}"


def then(*steps: str) -> str:
    """Steps as one transform, without those that do nothing."""
    return "+".join(step for step in steps if step != COPY) or COPY


@lru_cache(maxsize=_KNOWN)
def concrete(transform: str, shape: Shape, target: Shape) -> str:
    """`transform` of a tensor of `shape` with every size said: parts as rows, a bare reshape to `target`'s shape.

    ConvertError where that is not possible.
    """
    steps: list[str] = []
    for step in transform.split("+"):
        steps.append(_concrete(step, shape, target))
        shape = _after(shape, steps[-1])
    return then(*steps)


def _concrete(step: str, shape: Shape, target: Shape) -> str:
    kind, _, rest = step.partition(":")
    if step == RESHAPE:
        return COPY if shape == target else reshape_to(target)
    if "/" in rest:
        start, stop = _part(rest, target if kind == CONCAT else shape)
        return f"{kind}:{start}:{stop}"
    return step


def result_shape(shape: Shape, transform: str) -> Shape:
    """The shape after `transform`; ConvertError for an unknown transform or one that does not apply."""
    for step in transform.split("+"):
        shape = _after(shape, step)
    return shape


@lru_cache(maxsize=_KNOWN)
def fits(shape: Shape, transform: str, target: Shape) -> bool:
    """Whether a tensor of `shape` becomes one of `target`, or the rows of it that `transform` names."""
    try:
        result = result_shape(shape, transform)
    except ConvertError:
        return False
    rows = filled(transform)
    if rows is None:
        return result == target
    return bool(target) and rows[1] <= target[0] and result == (rows[1] - rows[0], *target[1:])


def shape_before(transform: str, shape: Shape) -> Shape:
    """The shape of what `transform`, of the table or of a plan, makes into `shape`, which is all that it fills.

    What was reshaped was a matrix if it was transposed first, else without dimensions to speak of: flat.
    """
    steps = transform.split("+")
    for index, step in reversed(list(enumerate(steps))):
        kind, _, rest = step.partition(":")
        if kind == CONCAT:
            start, stop = _part(rest, shape) if "/" in rest else _rows(rest)
            shape = (stop - start, *shape[1:])
        elif kind == TRANSPOSE and len(shape) == 2:
            shape = shape[::-1]
        elif kind == RESHAPE:
            matrix = bool(shape) and TRANSPOSE in steps[:index]
            shape = (shape[0], math.prod(shape[1:])) if matrix else (math.prod(shape),)
    return shape


@lru_cache(maxsize=_KNOWN)
def filled(transform: str) -> Rows | None:
    """The rows of the target that `transform` fills; None for all of them."""
    kind, _, rest = transform.rpartition("+")[2].partition(":")
    return _rows(rest) if kind == CONCAT else None


def taken(shape: Shape, transform: str) -> tuple[Rows, int] | None:
    """The rows that `transform` takes of a tensor of `shape`, and of how many; None for all of them."""
    for step in transform.split("+"):
        if step.startswith(SPLIT):
            return _rows(step.partition(":")[2]), shape[0]
        shape = _after(shape, step)
    return None


def whole(parts: Iterable[Rows], count: int) -> bool:
    """Whether `parts` cover `count` rows, each once."""
    at = 0
    for start, stop in sorted(parts):
        if start != at:
            return False
        at = stop
    return at == count


def apply_transform(array: np.ndarray, transform: str) -> np.ndarray:
    """`array` after `transform`, as a view where that is possible; of a `concat`, the part (see `assemble`)."""
    for step in transform.split("+"):
        shape = _after(array.shape, step)
        if step == TRANSPOSE:
            array = array.T
        elif step.startswith(SPLIT):
            start, stop = _rows(step.partition(":")[2])
            array = array[start:stop]
        else:
            array = array.reshape(shape)
    return array


def assemble(
    moves: Iterable[tuple[str, str, str]], read: Callable[[str], np.ndarray]
) -> dict[str, np.ndarray]:
    """The targets of `moves` (source, target, transform), each made of all its parts; `read` gives a source."""
    parts: dict[str, list[tuple[int, np.ndarray]]] = {}
    for source, target, transform in moves:
        start = (filled(transform) or (0, 0))[0]
        parts.setdefault(target, []).append((start, apply_transform(read(source), transform)))
    return {target: _joined(held) for target, held in parts.items()}


def laid_into(base: np.ndarray, joined: np.ndarray, rows: Iterable[Rows]) -> np.ndarray:
    """`base` with `rows` of it replaced by what `assemble` joined of them."""
    at = 0
    for start, stop in sorted(rows):
        base[start:stop] = joined[at : at + stop - start]
        at += stop - start
    return base


def inverse(transform: str, shape: Shape) -> str:
    """The transform that undoes `transform` on a tensor whose shape was `shape`."""
    undone = []
    for step in transform.split("+"):
        kind, _, rest = step.partition(":")
        opposite = {SPLIT: f"{CONCAT}:{rest}", CONCAT: f"{SPLIT}:{rest}", RESHAPE: reshape_to(shape)}
        undone.append(opposite.get(kind, step))
        shape = _after(shape, step)
    return then(*reversed(undone))


def _joined(parts: list[tuple[int, np.ndarray]]) -> np.ndarray:
    if len(parts) == 1:
        return parts[0][1]
    import numpy as np

    return np.concatenate([part for _, part in sorted(parts, key=lambda pair: pair[0])])


def _after(shape: Shape, step: str) -> Shape:
    kind, _, rest = step.partition(":")
    if kind == TRANSPOSE:
        if len(shape) != 2:
            raise ConvertError(f"only a matrix can be transposed, and this tensor has shape {shape}")
        return shape[::-1]
    if kind == RESHAPE:
        wanted = tuple(int(size) for size in rest.split(",")) if rest else ()
        if math.prod(wanted) != math.prod(shape):
            raise ConvertError(f"a tensor of shape {shape} cannot be reshaped to {wanted}")
        return wanted
    if kind == SPLIT:
        start, stop = _rows(rest)
        if not shape or not start < stop <= shape[0]:
            raise ConvertError(f"a tensor of shape {shape} has no rows {start} to {stop}")
        return (stop - start, *shape[1:])
    if kind in (COPY, CONCAT):
        return shape
    raise ConvertError(f"unknown transform {step!r}: use {HOW}")


def _rows(text: str) -> Rows:
    start, _, stop = text.partition(":")
    return int(start), int(stop)


def _part(text: str, shape: Shape) -> Rows:
    """The rows of `1/3` of a tensor of `shape`."""
    number, count = (int(word) for word in text.split("/"))
    if number > count or not shape or shape[0] % count:
        raise ConvertError(f"a tensor of shape {shape} has no part {text}")
    size = shape[0] // count
    return (number - 1) * size, number * size
