"""What every command prints through: one rich console for results, one for progress.

Results go to stdout; progress goes to stderr and only when stderr is a terminal, so that a pipe or a
log file holds results alone.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

PIPE_WIDTH = 160
"""Characters of a table of a report where nobody says how wide the screen is; sentences are not broken there."""
_EVERY = 0.1
"""Seconds between two looks of a progress bar; there may be a hundred thousand steps."""
PLAIN_FROM = 4_000_000
"""Bytes from which a progress bar is worth its start-up time: tens of thousands of small tensors, or some large ones."""


def stdout_console() -> Console:
    """A console for results, as wide as the terminal.

    In a pipe a sentence is one line: whoever asks for the last line gets the whole verdict.
    """
    from rich.console import Console

    if _bounded():
        return Console(highlight=False)
    return Console(width=PIPE_WIDTH, highlight=False, soft_wrap=True)


def table_width() -> int | None:
    """The room of a table; None in a pipe, where names and sentences are searched and not looked at."""
    return shutil.get_terminal_size().columns if _bounded() else None


def fitted(text: str, *, errors: bool = False) -> str:
    """A text whose lines a terminal does not have to break within a word; as it is in a pipe. errors: for stderr."""
    if not (sys.stderr.isatty() if errors else _bounded()):
        return text
    from convert.columns import cells, wrapped

    width = shutil.get_terminal_size().columns
    told = []
    for line in text.splitlines():
        indent = " " * (len(line) - len(line.lstrip()))
        fits = cells(line) <= width
        told += [line] if fits else [indent + part for part in wrapped(line, width - len(indent))]
    return "\n".join(told)


def _bounded() -> bool:
    # COLUMNS says nothing of a pipe: every program that loaded readline (pytest, a notebook) hands it to its children.
    return sys.stdout.isatty()


def progress_bar() -> Progress:
    """A progress bar on a terminal's stderr, silent elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # what is printed meanwhile goes to stderr then: not into a file
        disable=not sys.stderr.isatty(),
    )


class FileProgress:
    """A bar on a terminal's stderr for a file or folder that takes long enough; nothing otherwise."""

    def __init__(self, doing: str, source: str) -> None:
        path = Path(source)
        self._bar: Progress | None = None
        self._shown = 0.0
        if sys.stderr.isatty() and (path.is_dir() or (path.is_file() and path.stat().st_size >= PLAIN_FROM)):
            self._bar = progress_bar()
            self._task = self._bar.add_task(f"{doing} {path.name}", total=None)

    def __enter__(self) -> FileProgress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, done: int, total: int) -> None:
        """Show that `done` of `total` bytes are behind us."""
        now = time.monotonic()
        if self._bar is not None and (now - self._shown > _EVERY or done == total):
            self._shown = now
            self._bar.update(self._task, completed=done, total=total)


@contextmanager
def status() -> Iterator[Callable[[str], None]]:
    """A spinner, the time and the current step on a terminal's stderr; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("starting", total=None)
        yield lambda text: progress.update(task, description=text)
