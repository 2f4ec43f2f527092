"""Lines of the user's source around a place such as "net.py:83", read when the report is made.

A trace may come from another machine, so a place is a claim, not a fact: only Python source is opened (or a
notebook cell that Python itself remembers), and a file that is absent or too short gives no excerpt.
"""

from __future__ import annotations

import ast
import linecache
import os
import textwrap
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

CONTEXT = 3
"""Lines shown before and after the marked ones."""

LONGEST = 16
"""A statement of more lines is marked only where the place says."""


@dataclass(frozen=True)
class Excerpt:
    """Consecutive source lines without their common indentation.

    `marked` is the line that the place names, `statement` the first and last line of what it belongs to.
    """

    first: int
    lines: tuple[str, ...]
    marked: int
    statement: tuple[int, int]

    @property
    def numbered(self) -> list[tuple[int, str, bool]]:
        """(line number, text, whether it is marked)."""
        begin, end = self.statement
        return [(n, text, begin <= n <= end) for n, text in enumerate(self.lines, self.first)]


def split_place(place: str) -> tuple[str, int]:
    """ "file.py:83" as ("file.py", 83); line 0 if there is none."""
    file, colon, line = place.rpartition(":")
    if not colon or not line.isascii() or not line.isdigit():
        return place, 0
    return file, int(line)


def short_place(place: str) -> str:
    """The place as a person would write it here: relative to the working directory if it is inside."""
    file, line = split_place(place)
    try:
        relative = os.path.relpath(file) if os.path.isabs(file) else file
    except (OSError, ValueError):
        relative = file
    shown = file if relative.startswith("..") else relative
    return f"{shown}:{line}" if line else shown


def excerpt(place: str, context: int = CONTEXT) -> Excerpt | None:
    """The lines around a place, or None where they cannot be read."""
    file, marked = split_place(place)
    if not marked:
        return None
    lines = _lines(file)
    if marked > len(lines):
        return None
    begin, end = _statement("".join(lines), marked)
    first, last = max(1, begin - context), min(len(lines), end + context)
    text = [line.rstrip("\r\n").expandtabs(4) for line in lines[first - 1 : last]]
    while text and not text[-1].strip() and last > end:
        text, last = text[:-1], last - 1
    return Excerpt(first, tuple(textwrap.dedent("\n".join(text)).split("\n")), marked, (begin, end))


@lru_cache(maxsize=64)
def _statements(source: str) -> tuple[tuple[int, int], ...]:
    """First and last line of every statement that holds no other statements."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(
        (node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and not hasattr(node, "body")
    )


def _statement(source: str, line: int) -> tuple[int, int]:
    """The lines of the statement around a line; a very long one, or none, leaves the line alone."""
    for begin, end in _statements(source):
        if begin <= line <= end < begin + LONGEST:
            return begin, end
    return line, line


def _lines(file: str) -> list[str]:
    """All lines of a Python file, or of a cell that only `linecache` has; [] if there is no such thing."""
    if file in linecache.cache and not Path(file).exists():
        return linecache.getlines(file)
    if not file.endswith((".py", ".pyi")) or not Path(file).is_file():
        return []
    linecache.checkcache(file)
    return linecache.getlines(file)
