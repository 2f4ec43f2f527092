"""Rows as columns that fit a width: a terminal of 80, a pipe of any.

Every table of the command line is made here, so that all of them give way alike where the line is too short: sentences go on in the
next line, what a column may miss is left out, names are cut in their middle. A word, a number or a piece of code is never broken.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

GAP = "  "

COMFORTABLE = 24
"""Characters that a column of sentences keeps before other columns are left out for it."""

SHARES = (0.33, 0.5, 0.67, 0.2, 0.8)
"""How much of what is left of a name may be its beginning; it is the end more than the beginning that tells names apart."""

LAST = 1
"""`Column.leaves` of what is left out only where nothing else does."""

WIDEST = 80
"""Characters of a column where the line has no end; a longer text pushes its own line alone."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    right: numbers, which stand at the right. words: sentences, which go on in further lines. least: characters that are left of a name
    that is cut in its middle, and its share beside other names; 0: it is never cut. leaves: left out where the line is too short, the highest first, and before names
    are cut; 1: only where cutting them does not do; 0: never.
    """

    title: str
    right: bool = False
    words: bool = False
    least: int = 0
    leaves: int = 0


Line = str | Sequence[str]
"""A row's cells, or a text that stands for itself across all columns."""


@dataclass(frozen=True)
class Table:
    """The lines of the titles, and those of each row; `titles` of the columns that found room."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    titles: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """All of it."""
        return [*self.head, *(line for row in self.rows for line in row)]


def aligned(columns: Sequence[Column], rows: Sequence[Line], width: int | None) -> Table:
    """The rows as a table of at most `width` characters a line; None: nothing gives way. Columns without any text are left out.

    Where even that is too little, every row is a paragraph: its first cell, and below it the others with their titles.
    """
    kept = [i for i in range(len(columns)) if any(not isinstance(row, str) and row[i] for row in rows)]
    if not kept:
        return Table((), tuple((row,) if isinstance(row, str) else () for row in rows))
    if width is None:
        sizes = [min(WIDEST, _natural(columns[i], rows, i)[0]) for i in kept]
        return _table([columns[i] for i in kept], rows, kept, sizes, None)
    leaving = sorted((i for i in kept if columns[i].leaves), key=lambda i: -columns[i].leaves)
    while True:
        widths = _widths([columns[i] for i in kept], [_natural(columns[i], rows, i) for i in kept], width)
        if not leaving or (
            widths is not None
            and (columns[leaving[0]].leaves == LAST or not _cramped(columns, rows, kept, widths))
        ):
            break
        kept.remove(leaving.pop(0))
    if widths is None:
        return _paragraphs([columns[i] for i in kept], rows, kept, width)
    return _table([columns[i] for i in kept], rows, kept, widths, width)


def _table(
    columns: Sequence[Column], rows: Sequence[Line], kept: list[int], sizes: Sequence[int], width: int | None
) -> Table:
    names = [[row[i] for row in rows if not isinstance(row, str)] for i in kept]
    fronts = [
        _front(column, size) if width is not None and columns[n].least else SHARES[0]
        for n, (column, size) in enumerate(zip(names, sizes, strict=True))
    ]

    def lines(row: Line) -> tuple[str, ...]:
        if isinstance(row, str):
            return (row,) if width is None else tuple(wrapped(row, width))
        texts = [row[i] for i in kept]
        if width is None:
            return (_line(columns, texts, sizes),)
        short = [
            text if column.words else cut(text, size, front)
            for column, text, size, front in zip(columns, texts, sizes, fronts, strict=True)
        ]
        return _row(columns, short, sizes)

    rule = GAP.join("─" * size for size in sizes)
    titles = tuple(column.title for column in columns)
    return Table((_line(columns, titles, sizes), rule), tuple(map(lines, rows)), titles)


def cells(text: str) -> int:
    """Places that a text takes in a terminal: Chinese letters take two."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def cut(text: str, most: int, front: float = SHARES[0]) -> str:
    """A name without its middle, at most `most` long; `front` of what is left is its beginning."""
    if cells(text) <= most:
        return text
    first = int((most - 1) * front)
    return f"{text[:first]}…{text[len(text) - (most - 1 - first) :]}"


def _front(names: Sequence[str], most: int) -> float:
    """The share at which the most names that differ still do: what tells them apart may stand anywhere."""
    long = {name for name in names if cells(name) > most}
    return max(
        SHARES, key=lambda share: (len({cut(name, most, share) for name in long}), -SHARES.index(share))
    )


_WIDE = "\u2e80-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60"
_WORD = re.compile(rf"[（《【「『〈“]*(?:[{_WIDE}]|[^\s{_WIDE}]+)[、。，．：；？！）》】」』〉”]*")
"""Chinese is broken between any two letters, but no line begins with a stop or ends with a bracket that opens."""


def wrapped(text: str, width: int) -> list[str]:
    """The lines of a text, broken between words only."""
    lines = [""]
    for found in _WORD.finditer(text):
        word = found[0]
        blank = " " * (lines[-1] != "" and text[found.start() - 1].isspace())
        longer = f"{lines[-1]}{blank}{word}"
        if cells(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _natural(column: Column, rows: Sequence[Line], at: int) -> tuple[int, int]:
    """(what it would like to have, what it needs at least)."""
    texts = [column.title, *(row[at] for row in rows if not isinstance(row, str))]
    most = max(map(cells, texts))
    if column.words:
        return most, max(cells(word) for text in texts for word in (_WORD.findall(text) or [""]))
    return most, min(most, max(column.least, cells(column.title))) if column.least else most


def _widths(columns: Sequence[Column], wanted: Sequence[tuple[int, int]], width: int) -> list[int] | None:
    """How wide each column becomes; None where they cannot all stand in one line."""
    sizes = [most for most, _ in wanted]
    over = sum(sizes) + len(GAP) * (len(sizes) - 1) - width
    for kind in (True, False):  # sentences give way first, then names
        least = [max(1, columns[i].least) for i in range(len(sizes))]
        while over > 0:
            room = [
                (size / least[i], i)
                for i, size in enumerate(sizes)
                if columns[i].words is kind and size > wanted[i][1]
            ]
            if not room:
                break
            sizes[max(room)[1]] -= 1
            over -= 1
    return None if over > 0 else sizes


def _cramped(columns: Sequence[Column], rows: Sequence[Line], kept: list[int], widths: list[int]) -> bool:
    """Whether a column that stays gives way although others could be left out for it."""
    for i, size in zip(kept, widths, strict=True):
        most, _ = _natural(columns[i], rows, i)
        if size < (min(most, COMFORTABLE) if columns[i].words else most):
            return True
    return False


def _row(columns: Sequence[Column], texts: Sequence[str], widths: Sequence[int]) -> tuple[str, ...]:
    parts = [
        wrapped(text, size) if column.words else [text]
        for column, text, size in zip(columns, texts, widths, strict=True)
    ]
    return tuple(
        _line(columns, [part[n] if n < len(part) else "" for part in parts], widths)
        for n in range(max(map(len, parts)))
    )


def _line(columns: Sequence[Column], texts: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        _padded(text, size, right=column.right)
        for column, text, size in zip(columns, texts, widths, strict=True)
    ]
    return GAP.join(padded).rstrip()


def _padded(text: str, size: int, *, right: bool) -> str:
    blank = " " * (size - cells(text))
    return blank + text if right else text + blank


def _paragraphs(columns: Sequence[Column], rows: Sequence[Line], kept: list[int], width: int) -> Table:
    indent = " " * 4

    def lines(row: Line) -> tuple[str, ...]:
        if isinstance(row, str):
            return tuple(wrapped(row, width))
        first, *others = (row[i] for i in kept)
        found = [first]
        for column, text in zip(columns[1:], others, strict=True):
            if text:
                told = wrapped(f"{column.title}: {text}", width - len(indent))
                found += [indent + told[0], *(indent * 2 + line for line in told[1:])]
        return tuple(found)

    return Table((), tuple(map(lines, rows)), tuple(column.title for column in columns))
