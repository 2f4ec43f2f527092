"""Where a tensor's bytes are: in the file as they are, in the file as UTF-8 text, in memory, in parts.

A payload knows its decoded size without being read. `open()` gives a reader that fills buffers in order,
from any byte on, so that a tensor of any size passes through flat memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from convert.checkpoint.latin1 import Latin1Reader
from convert.checkpoint.source import SourceFile, Span, total
from convert.errors import ConvertError


class Reader(Protocol):
    """Sequential access to one payload."""

    def read_into(self, views: Sequence[memoryview]) -> None:
        """Fill every view, in order, with the next bytes."""

    def finish(self) -> None:
        """Check that nothing is left, and let go of what was held."""


class Payload(Protocol):
    """Bytes of a tensor, wherever they are."""

    @property
    def nbytes(self) -> int:
        """Size when decoded."""

    @property
    def seekable(self) -> bool:
        """Whether opening at a later byte costs nothing."""

    def open(self, start: int = 0) -> Reader:
        """A fresh reader at byte `start`."""


class FileSpan:
    """`nbytes` bytes of a file, as they are."""

    __slots__ = ("nbytes", "offset", "source")
    seekable = True

    def __init__(self, source: SourceFile, offset: int, nbytes: int) -> None:
        if isinstance(source, Span):
            offset += source.offset
            source = source.base
        self.source, self.offset, self.nbytes = source, offset, nbytes

    def open(self, start: int = 0) -> Reader:
        return _FileReader(self, start)


class _FileReader:
    def __init__(self, span: FileSpan, start: int) -> None:
        self._span, self._position = span, start

    def read_into(self, views: Sequence[memoryview]) -> None:
        count = total(views)
        _check_left(self._position + count, self._span.nbytes)
        self._span.source.read_into(views, self._span.offset + self._position)
        self._position += count

    def finish(self) -> None:
        _check_all_read(self._position, self._span.nbytes)


class TextSpan:
    """Bytes that a protocol 2 pickle holds as text: Latin-1 characters, written in UTF-8.

    `nbytes` is what the tensor's shape says; the reader checks that the text decodes to just that.
    """

    __slots__ = ("encoded", "nbytes", "offset", "source")
    seekable = False

    def __init__(self, source: SourceFile, offset: int, encoded: int, nbytes: int) -> None:
        self.source, self.offset, self.encoded, self.nbytes = source, offset, encoded, nbytes

    def open(self, start: int = 0) -> Reader:
        return Latin1Reader(self.source, self.offset, self.encoded, self.nbytes, start)


class MemoryBytes:
    """Bytes already in memory (small payloads, and arrays made here)."""

    __slots__ = ("data", "nbytes")
    seekable = True

    def __init__(self, data: bytes | memoryview) -> None:
        self.data = memoryview(data).cast("B")
        self.nbytes = self.data.nbytes

    def open(self, start: int = 0) -> Reader:
        return _MemoryReader(self.data, start)


class _MemoryReader:
    def __init__(self, data: memoryview, start: int) -> None:
        self._data, self._position = data, start

    def read_into(self, views: Sequence[memoryview]) -> None:
        for view in views:
            end = self._position + view.nbytes
            _check_left(end, self._data.nbytes)
            view.cast("B")[:] = self._data[self._position : end]
            self._position = end

    def finish(self) -> None:
        _check_all_read(self._position, self._data.nbytes)


class JoinedPayload:
    """Several payloads back to back (Paddle's slices of very large arrays)."""

    __slots__ = ("nbytes", "parts")

    def __init__(self, parts: Sequence[Payload]) -> None:
        self.parts = tuple(parts)
        self.nbytes = sum(part.nbytes for part in parts)

    @property
    def seekable(self) -> bool:
        return all(part.seekable for part in self.parts)

    def open(self, start: int = 0) -> Reader:
        return _JoinedReader(self.parts, start)


class _JoinedReader:
    def __init__(self, parts: Sequence[Payload], start: int) -> None:
        self._parts: list[tuple[Reader, int]] = []
        for part in parts:
            skipped = min(start, part.nbytes)
            start -= skipped
            if skipped < part.nbytes or not part.nbytes:
                self._parts.append((part.open(skipped), part.nbytes - skipped))

    def read_into(self, views: Sequence[memoryview]) -> None:
        for view in views:
            rest = view.cast("B")
            while rest.nbytes:
                rest = rest[self._read_some(rest) :]

    def _read_some(self, view: memoryview) -> int:
        while self._parts and self._parts[0][1] == 0:
            self._parts.pop(0)[0].finish()
        _check_left(1, 1 if self._parts else 0)
        reader, left = self._parts[0]
        take = min(left, view.nbytes)
        reader.read_into([view[:take]])
        self._parts[0] = (reader, left - take)
        return take

    def finish(self) -> None:
        for reader, left in self._parts:
            _check_all_read(0, left)
            reader.finish()


class ComputedPayload:
    """Bytes of an array that is computed when the first of them are asked for."""

    __slots__ = ("_make", "nbytes")
    seekable = False

    def __init__(self, nbytes: int, make: Callable[[], Any]) -> None:
        self.nbytes, self._make = nbytes, make

    def open(self, start: int = 0) -> Reader:
        return _ComputedReader(self._make, start)


class _ComputedReader:
    def __init__(self, make: Callable[[], Any], start: int) -> None:
        self._make, self._start = make, start
        self._reader: Reader | None = None

    def read_into(self, views: Sequence[memoryview]) -> None:
        if self._reader is None:
            array = self._make()
            self._reader = MemoryBytes(array.reshape(-1).view("u1").data).open(self._start)
        self._reader.read_into(views)

    def finish(self) -> None:
        if self._reader is not None:
            self._reader.finish()


def read_all(payload: Payload) -> bytearray:
    """Everything in a payload."""
    data = bytearray(payload.nbytes)
    reader = payload.open()
    reader.read_into([memoryview(data)])
    reader.finish()
    return data


def _check_left(wanted: int, there: int) -> None:
    if wanted > there:
        raise ConvertError(f"a tensor's payload ended early: {there} bytes where {wanted} were declared")


def _check_all_read(position: int, there: int) -> None:
    if position != there:
        raise ConvertError(f"a tensor's payload is longer than its shape says: {there} bytes, not {position}")
