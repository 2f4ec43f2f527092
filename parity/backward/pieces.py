"""Parameters that are cut or put together otherwise: which rows of which array are these, told by their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from parity.align.weights import constant
from parity.trace.values import Array


@dataclass(frozen=True)
class Sheet:
    """An array as rows along one of its axes; `whole`: as one, along an axis that it has not."""

    name: str
    rows: Array
    axis: int
    shape: tuple[int, ...]
    whole: bool = False

    def taken(self, start: int, count: int) -> Rows:
        """Some of the rows."""
        whole = self.whole or count == len(self.rows)
        return Rows(self.name, None, 0, 0) if whole else Rows(self.name, self.axis, start, start + count)

    @property
    def leading(self) -> bool:
        """Whether the rows stand one after the other in the array."""
        return set(self.shape[: self.axis]) <= {1}

    @property
    def trailing(self) -> bool:
        """Whether each row is a column of the array."""
        return set(self.shape[self.axis + 1 :]) <= {1}

    @property
    def beside(self) -> tuple[int, ...]:
        """The lengths of the other axes."""
        return self.shape[: self.axis] + self.shape[self.axis + 1 :]

    @property
    def flat(self) -> bool:
        """Whether it is a matrix at most, but for axes of length one."""
        return sum(length > 1 for length in self.shape) <= 2


@dataclass(frozen=True)
class Rows:
    """Consecutive ones of an array, along an axis."""

    name: str
    axis: int | None
    """None for the whole array, whatever its rows are."""
    start: int
    stop: int

    @property
    def index(self) -> tuple[slice, ...]:
        return () if self.axis is None else (*(slice(None),) * self.axis, slice(self.start, self.stop))


@dataclass(frozen=True)
class Piece:
    """Rows of an array that are rows of another one; turned: of its transpose."""

    ours: Rows
    theirs: Rows
    turned: bool


def sheets_of(name: str, array: Array) -> Iterator[Sheet]:
    """An array as rows along each of its axes, and as one row; of axes of length one, along the first and the last."""
    if not array.size:
        return
    for axis, length in enumerate(array.shape):
        if length > 1 or axis in (0, array.ndim - 1):
            yield Sheet(name, np.moveaxis(array, axis, 0).reshape(length, -1), axis, array.shape)
    if array.shape[:1] != (1,):
        yield Sheet(name, array.reshape(1, -1), 0, (1, *array.shape), whole=True)
    if array.ndim == 2 and array.shape[-1:] != (1,):
        yield Sheet(name, array.T.reshape(1, -1), 2, (*array.shape, 1), whole=True)


def pieces(own: Array, sheets: Sequence[Sheet]) -> tuple[Piece, ...]:
    """What an array is put together of, piece by piece along one of its axes; none if that is not one way alone."""
    for ours in sheets_of("", own):
        if found := tuple(_cover(ours, sheets)):
            return found
    return ()


def _cover(ours: Sheet, sheets: Sequence[Sheet]) -> list[Piece]:
    alike = [(sheet, turned) for sheet in sheets if (turned := _turned(ours, sheet)) is not None]
    found: list[Piece] = []
    at = 0
    while at < len(ours.rows):
        best: dict[Rows, bool] = {}
        longest = 0
        for sheet, turned in alike:
            for start in np.flatnonzero(sheet.rows[:, 0] == ours.rows[at, 0]):
                run = _run(ours.rows[at:], sheet.rows[start:])
                if run and run >= longest:
                    best, longest = (best if run == longest else {}), run
                    rows = sheet.taken(int(start), run)
                    best[rows] = best.get(rows, True) and turned
        if len(best) != 1 or not _telling(ours.rows[at : at + longest]):
            return []
        ((rows, turned),) = best.items()
        found.append(Piece(ours.taken(at, longest), rows, turned))
        at += longest
    return found


def _run(ours: Array, theirs: Array) -> int:
    """How many of the first rows are equal."""
    count = min(len(ours), len(theirs))
    same = (ours[:count] == theirs[:count]).all(axis=1)
    return count if same.all() else int(same.argmin())


def _turned(ours: Sheet, theirs: Sheet) -> bool | None:
    """Whether the rows of one are columns of the other; None if they cannot be the same numbers."""
    if ours.rows.shape[1] != theirs.rows.shape[1]:
        return None
    if (ours.leading and theirs.leading) or (ours.trailing and theirs.trailing):
        return False
    if ours.axis == theirs.axis and ours.beside == theirs.beside:
        return False
    return True if theirs.flat else None


def _telling(part: Array) -> bool:
    """Whether numbers can be recognised: they are not all one, or are a single one that nobody starts from."""
    return bool(part.flat[0] not in (0.0, 1.0)) if part.size == 1 else not constant(part)
