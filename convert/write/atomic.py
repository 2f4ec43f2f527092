"""A target file that appears complete or not at all.

Where the system allows it (Linux), the temporary file has no name until it is finished. Elsewhere, and for the moment
in which an old target is replaced, it is a hidden file beside the target, locked by its process: one that a killed
process left is not locked, and the next run takes it away.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from convert.checkpoint.source import fill_views
from convert.errors import ConvertError

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]


_T = TypeVar("_T")


class AtomicFile:
    """Positional writes to a file that takes `path`'s name when the `with` block ends without an error.

    Raises ConvertError when the target exists (unless `force`), cannot be written, or the disk is full.
    """

    def __init__(self, path: str | os.PathLike[str], *, force: bool = False, size: int = 0) -> None:
        self.path = Path(path)
        self.force = force
        check_target(self.path, force=force, size=size)
        self._name: Path | None = None
        self._published = False
        try:
            self.fd = self._open()
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def _open(self) -> int:
        unnamed = getattr(os, "O_TMPFILE", 0)
        if unnamed and os.path.isdir("/proc/self/fd"):
            with contextlib.suppress(OSError):  # not every file system has unnamed files
                return _locked(os.open(self.path.parent, unnamed | os.O_RDWR, 0o666))
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        return self._take_hidden_name(lambda name: _locked(os.open(name, flags, 0o666)))

    def _take_hidden_name(self, take: Callable[[Path], _T]) -> _T:
        """What `take` makes of a hidden name: the usual one, or another where a process that lives has that one."""
        usual = self.path.with_name(f".{self.path.name}.partial")
        remove_abandoned(usual)
        try:
            made = take(usual)
            self._name = usual
        except FileExistsError:
            other = self.path.with_name(f".{self.path.name}.{os.urandom(4).hex()}.partial")
            made = take(other)
            self._name = other
        return made

    def write(self, data: bytes | memoryview, offset: int) -> None:
        """Write all of `data` at `offset`."""
        view = memoryview(data).cast("B")
        try:
            while view.nbytes:
                done = _pwrite(self.fd, view, offset)
                view, offset = view[done:], offset + done
        except OSError as error:
            raise self.failed(error) from error

    def read_into(self, views: Sequence[memoryview], offset: int) -> None:
        """Fill every view, in order, with what was written from `offset` on."""
        if fill_views(self._read_some, views, offset) is not None:
            raise ConvertError(f"{self.path}: reading back what was written failed")

    def _read_some(self, views: list[memoryview], offset: int) -> int:
        if has_positional_io():
            return os.preadv(self.fd, views, offset)
        os.lseek(self.fd, offset, os.SEEK_SET)  # Windows; only one thread works
        data = os.read(self.fd, views[0].nbytes)
        views[0][: len(data)] = data
        return len(data)

    def failed(self, error: OSError) -> ConvertError:
        """The ConvertError for a failed write."""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return ConvertError(
                f"{self.path}: the disk is full, so nothing was written; free some space first"
            )
        if error.errno == errno.EFBIG:
            return ConvertError(
                f"{self.path}: a file of this size is not allowed here, so nothing was written"
            )
        return ConvertError(f"{self.path}: writing failed ({error.strerror}), so nothing was written")

    def __enter__(self) -> AtomicFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.publish()
        finally:
            with contextlib.suppress(OSError):
                os.close(self.fd)
            if self._name is not None:
                with contextlib.suppress(OSError):
                    os.unlink(self._name)

    def publish(self) -> None:
        """Give the file its name; the end of the `with` block does where that has not been done."""
        if self._published:
            return
        there = os.path.lexists(self.path)  # a link to nowhere is there too
        if there and not self.force:
            raise _exists(self.path)
        try:
            if self._name is None and not there:
                _give_name(self.fd, self.path)
                self._published = True
                return
            if self._name is None:
                self._take_hidden_name(lambda name: _give_name(self.fd, name))
            elif os.name == "nt":
                os.close(self.fd)  # Windows does not rename an open file
            assert self._name is not None
            os.replace(self._name, self.path)
            self._name, self._published = None, True
        except FileExistsError:
            raise _exists(self.path) from None  # it appeared this very moment
        except OSError as error:
            raise _unwritable(self.path, error) from error


def _give_name(fd: int, name: Path) -> None:
    """Link an unnamed file into its directory."""
    here = os.open(name.parent, os.O_RDONLY)
    try:  # with a directory's descriptor Python calls linkat, which follows the link in /proc
        os.link(f"/proc/self/fd/{fd}", name.absolute(), src_dir_fd=here, follow_symlinks=True)
    finally:
        os.close(here)


def _locked(fd: int) -> int:
    """`fd`, and as long as it is open its file is seen to be in use."""
    if fcntl is not None:
        with contextlib.suppress(OSError):  # not every file system has locks
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return fd


def remove_abandoned(name: Path) -> None:
    """Take a hidden file away whose process is gone."""
    if fcntl is None:
        return
    with contextlib.suppress(OSError):
        fd = os.open(name, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(fd), os.lstat(name)):
                os.unlink(name)
        finally:
            os.close(fd)


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Publish several files of a folder while no other process does."""
    fd = None
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        if fcntl is not None:
            fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if fd is not None:
            os.close(fd)


def check_target(path: Path, *, force: bool, size: int = 0) -> None:
    """Raise ConvertError when `path` cannot become a file of `size` bytes, before anything is computed."""
    try:
        _check_target(path, force=force, size=size)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise _unwritable(path, error) from None


def _check_target(path: Path, *, force: bool, size: int) -> None:
    there = os.lstat(path) if os.path.lexists(path) else None
    if path.is_dir():
        raise ConvertError(f"{path}: is a directory; name a file in it")
    if there is not None and not force:
        raise _exists(path)
    if there is not None and not (stat.S_ISREG(there.st_mode) or stat.S_ISLNK(there.st_mode)):
        raise ConvertError(f"{path}: not a regular file, so it is not replaced; name another target")
    parent = path.parent
    if not parent.is_dir():
        raise ConvertError(f"{path}: the directory {parent} does not exist; create it first")
    if not os.access(parent, os.W_OK):
        raise ConvertError(f"{path}: the directory {parent} is not writable")
    if size and hasattr(os, "statvfs"):
        status = os.statvfs(parent)
        free = status.f_bavail * status.f_frsize
        if status.f_blocks and free < size:  # some virtual file systems count no blocks
            raise ConvertError(
                f"{path}: needs {size} bytes and the disk has {free} free; nothing was written"
            )


def write_text(path: str | os.PathLike[str], text: str, *, force: bool = False) -> None:
    """Write a small text file, whole or not at all."""
    with AtomicFile(path, force=force) as out:
        out.write(text.encode("utf-8"), 0)


def same_file(one: str | os.PathLike[str], two: str | os.PathLike[str]) -> bool:
    """Whether two paths are one existing file."""
    try:
        return os.path.samefile(one, two)
    except (OSError, ValueError):  # one of them is not there, or can be nowhere
        return False


def _exists(path: Path) -> ConvertError:
    return ConvertError(f"{path}: already exists; use --force to replace it")


def _unwritable(path: Path, error: OSError | ValueError) -> ConvertError:
    return ConvertError(f"{path}: cannot be written ({getattr(error, 'strerror', None) or error})")


def has_positional_io() -> bool:
    """Whether reads and writes can name their place (Linux, macOS), so that threads do not disturb each other."""
    return hasattr(os, "preadv") and hasattr(os, "pwrite")


def _pwrite(fd: int, data: memoryview, offset: int) -> int:
    if hasattr(os, "pwrite"):
        return os.pwrite(fd, data, offset)
    os.lseek(fd, offset, os.SEEK_SET)  # Windows; only one thread writes
    return os.write(fd, data)


def pieces(total: int, size: int) -> Sequence[tuple[int, int]]:
    """`total` cut into (start, count) pieces of at most `size`."""
    return [(start, min(size, total - start)) for start in range(0, total, size)]
