"""What a user's module does while it is imported beside defining things: files that it writes, time that it takes.

A notebook that was exported to a .py file trains when it is imported, and may write over the checkpoint that is being
looked at. That cannot be undone, but it can be told.
"""

from __future__ import annotations

import builtins
import io
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from convert.names import listed

SECONDS = 10.0
"""A slower import is told: definitions take a fraction of it."""
_ENTRIES_MOST = 5000
"""Files whose dates are looked at before and after."""
ADVICE = "put what is no definition under `if __name__ == '__main__':`"


@contextmanager
def watched(reference: str, folder: Path, notes: list[str]) -> Iterator[None]:
    """Around the import of `reference`, whose files are in `folder`: adds to `notes` what should be told."""
    opened: set[str] = set()
    before = {path: _stamp(path) for path in {*_near(folder), *_near(Path())}}
    start = time.perf_counter()
    with _noted(opened):
        yield
    seconds = time.perf_counter() - start
    after = {*opened, *_near(folder), *_near(Path())}
    written = sorted(_shown(path) for path in after if _stamp(path) != before.get(path) and _is_told(path))
    if written:
        notes.append(f"importing {reference} wrote {listed(written)}; {ADVICE}")
    if seconds > SECONDS:
        notes.append(
            f"importing {reference} took {seconds:.0f} s, as if it trained or ran something; {ADVICE}"
        )


@contextmanager
def _noted(opened: set[str]) -> Iterator[None]:
    """Within, the path of each file that Python opens to write is added to `opened`.

    Not by an audit hook: it could never be taken away, and would be called for every `id()` of the run that follows.
    """
    plain, low = builtins.open, os.open

    def note(path: object) -> None:
        if isinstance(path, (str, bytes, os.PathLike)):
            opened.add(os.path.abspath(os.fsdecode(path)))

    def noting(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        if not set(mode).isdisjoint("wax+"):
            note(file)
        return plain(file, mode, *args, **options)

    def noting_low(path: Any, flags: int, *args: Any, **options: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            note(path)
        return low(path, flags, *args, **options)

    patches = ((builtins, noting, plain), (io, noting, plain), (os, noting_low, low))
    for module, wrapper, _ in patches:
        vars(module)["open"] = wrapper
    try:
        yield
    finally:
        for module, wrapper, own in patches:
            if vars(module)["open"] is wrapper:
                vars(module)["open"] = own


def _near(folder: Path) -> Iterator[str]:
    """The files in and below a folder, as many as are looked at: what is written by compiled code raises no event."""
    return islice(_files(folder), _ENTRIES_MOST)


def _files(folder: Path) -> Iterator[str]:
    for place, folders, names in os.walk(folder.resolve()):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        yield from (os.path.join(place, name) for name in names)


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _is_told(path: str) -> bool:
    """Whether a file is a user's: no cache, no device."""
    return os.path.isfile(path) and not any(part.startswith((".", "__")) for part in Path(path).parts[-3:])


def _shown(path: str) -> str:
    return os.path.relpath(path) if path.startswith(os.getcwd() + os.sep) else path
