"""A file that is read and never trusted: exact positional reads, and a clear word when it changes.

Reads are `preadv` calls rather than a memory map: a file truncated under a map kills the process with
SIGBUS, and mapped pages count as the process's memory. Here a short read is a `ConvertError`.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Sequence
from operator import attrgetter
from pathlib import Path

from convert.errors import ConvertError
from convert.names import counted, did_you_mean

WINDOW = 64 * 1024
_MAX_VIEWS = 1000  # Linux's IOV_MAX is 1024


class SourceFile:
    """One open, read-only file; safe to read from several threads.

    Raises ConvertError when the file is missing, a directory, unreadable, or changes while open.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._fd, status = _open(self.path)
        self.size = status.st_size
        self._stamp = (status.st_size, status.st_mtime_ns)
        self._lock = threading.Lock()
        self._closed = False

    @property
    def fd(self) -> int:
        """The descriptor, for kernel-side copies."""
        if self._closed:
            raise ConvertError(f"{self.path}: this checkpoint was closed; open it again to read tensors")
        return self._fd

    def read(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes from `offset`; a `count` that the file does not have takes no memory."""
        if offset + count > self.size:
            raise ConvertError(
                f"{self.path}: the file is cut off: {counted(count, 'byte')} are needed at byte {offset}, "
                f"{max(0, self.size - offset)} are left; copy or download it again"
            )
        data = bytearray(count)
        self.read_into([memoryview(data)], offset)
        return bytes(data)

    def window(self, offset: int) -> bytes:
        """Up to `WINDOW` bytes from `offset`; fewer only at the end of the file."""
        return self.read(offset, max(0, min(WINDOW, self.size - offset)))

    def read_into(self, views: Sequence[memoryview], offset: int) -> None:
        """Fill every view, in order, from `offset` on."""
        ended = fill_views(self._read_some, views, offset)
        if ended is not None:
            raise ConvertError(
                f"{self.path}: the file ended at byte {ended}, earlier than when it was opened"
            )

    def _read_some(self, views: list[memoryview], offset: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self.fd, views, offset)
        with self._lock:  # Windows: no positional reads
            os.lseek(self.fd, offset, os.SEEK_SET)
            data = os.read(self.fd, views[0].nbytes)
            views[0][: len(data)] = data
            return len(data)

    def check_unchanged(self) -> None:
        """Raise ConvertError if the file was written to since it was opened."""
        status = os.fstat(self.fd)
        if (status.st_size, status.st_mtime_ns) != self._stamp:
            raise ConvertError(f"{self.path}: the file changed while it was being read; convert it again")

    def close(self) -> None:
        """Close the descriptor; tensors can no longer be read."""
        if not self._closed:
            self._closed = True
            os.close(self._fd)


def _open(path: Path) -> tuple[int, os.stat_result]:
    """A descriptor of a regular file, and its status; a pipe is not waited for."""
    wait_for_nothing = getattr(os, "O_NONBLOCK", 0)
    try:
        if stat.S_ISREG(os.stat(path).st_mode):
            fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | wait_for_nothing)
            status = os.fstat(fd)
            if stat.S_ISREG(status.st_mode):
                return fd, status
            os.close(fd)
    except FileNotFoundError:
        if path.is_symlink():
            raise ConvertError(f"{path}: is a link to a file that does not exist") from None
        raise ConvertError(f"{path}: no such file{_neighbours(path)}") from None
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise ConvertError(
            f"{path}: cannot be opened ({getattr(error, 'strerror', None) or error})"
        ) from None
    raise ConvertError(f"{path}: not a regular file")


class Span(SourceFile):
    """A part of a file that is read as if it were the whole; it is closed with the file."""

    def __init__(self, base: SourceFile, offset: int, size: int) -> None:
        self.path, self.size = base.path, size
        self.base, self.offset = base, offset

    @property
    def fd(self) -> int:
        """Not the part's own: whoever copies by it must add `offset`."""
        raise ConvertError(f"{self.path}: a part of a file has no descriptor of its own")

    def read_into(self, views: Sequence[memoryview], offset: int) -> None:
        """Fill every view, in order, from `offset` of the part on."""
        self.base.read_into(views, self.offset + offset)

    def check_unchanged(self) -> None:
        """Raise ConvertError if the file was written to since it was opened."""
        self.base.check_unchanged()

    def close(self) -> None:
        """Close the file."""
        self.base.close()


def read_small(path: str | os.PathLike[str], most: int) -> bytes:
    """All of a file that is small; ConvertError when it has more than `most` bytes or cannot be read."""
    source = SourceFile(path)
    try:
        if source.size > most:
            raise ConvertError(f"{path}: has {source.size} bytes, and at most {most} are read")
        return source.read(0, source.size)
    finally:
        source.close()


def read_text(path: str | os.PathLike[str], most: int) -> str:
    """`read_small` as UTF-8 text."""
    try:
        return read_small(path, most).decode("utf-8")
    except UnicodeDecodeError:
        raise ConvertError(f"{path}: is not text in UTF-8") from None


def sha256_of(*paths: Path) -> str:
    """Of what files hold, one behind the other."""
    import hashlib

    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


def fill_views(
    read_some: Callable[[list[memoryview], int], int], views: Sequence[memoryview], offset: int
) -> int | None:
    """Fill every view by `read_some(views, offset)`, which may fill less; where the file ended too early, or None."""
    for start in range(0, len(views), _MAX_VIEWS):
        rest = [view for view in views[start : start + _MAX_VIEWS] if view.nbytes]
        left = total(rest)
        while left:
            got = read_some(rest, offset)
            if got == 0:
                return offset
            offset += got
            left -= got
            if left:
                _pass_over(rest, got)
    return None


def total(views: Sequence[memoryview]) -> int:
    """Bytes of all views (without a step of Python for each: a matrix has tens of thousands)."""
    return sum(map(attrgetter("nbytes"), views))


def _pass_over(views: list[memoryview], count: int) -> None:
    """Take the first `count` bytes away."""
    filled = 0
    while count >= views[filled].nbytes:
        count -= views[filled].nbytes
        filled += 1
    del views[:filled]
    views[0] = views[0][count:]


def _neighbours(path: Path) -> str:
    """The files beside it that were perhaps meant."""
    try:
        return did_you_mean(path.name, (entry.name for entry in path.parent.iterdir()))
    except OSError:
        return ""
