"""Protocol 2's byte strings: Latin-1 text kept as UTF-8, decoded at the speed numpy allows.

A pickle of protocol 2 has no bytes type, so numpy writes an array's data as text, one character a byte.
In UTF-8 a byte below 0x80 is itself and any other is two: 0xC2 or 0xC3, then 0x80 to 0xBF. Decoding
drops the first of each pair and adds 0x40 to a byte that follows 0xC3. CPython's codec does that
byte by byte with a branch that float data makes unpredictable; numpy's `compress` does it without one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from convert.checkpoint.source import SourceFile
from convert.errors import ConvertError

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    import numpy as np

CHUNK = 64 * 1024  # encoded bytes decoded at once: fewer and numpy's calls cost, more and the cache is left
_TASK = 1 << 18  # encoded bytes a thread takes at once
_THREADS = 2
_AHEAD = 12  # tasks decoded while the consumer writes
_SMALL = 4096  # below this, CPython's codec is faster than setting numpy up


def decode(encoded: bytes | memoryview, where: str) -> bytes:
    """The bytes that a UTF-8 encoded Latin-1 text stands for; ConvertError if it is not one."""
    if len(encoded) < _SMALL:
        try:
            return str(encoded, "utf-8").encode("latin-1")
        except UnicodeError:
            raise _not_latin1(where) from None
    return b"".join(part.tobytes() for part in _decode_parts(encoded, where))


def _decode_parts(encoded: bytes | memoryview, where: str) -> list[np.ndarray]:
    """`encoded` decoded chunk by chunk; it must begin and end on character boundaries."""
    import numpy as np

    data = np.frombuffer(encoded, np.uint8)
    parts = []
    start = 0
    while start < data.size:
        end = min(start + CHUNK, data.size)
        if end < data.size and data[end - 1] >= 0xC0:
            end -= 1
        parts.append(_decode_chunk(data[start:end], where))
        start = end
    return parts


def _decode_chunk(data: np.ndarray, where: str) -> np.ndarray:
    import numpy as np

    lead = data >= 0xC0
    pairs = np.count_nonzero(lead)
    follows = (data ^ 0x80) < 0x40
    well_formed = (
        not lead[-1]
        and not follows[0]
        and np.count_nonzero(lead[:-1] != follows[1:]) == 0
        and np.count_nonzero(data >= 0xC2) == pairs
        and data.max() <= 0xC3
    )
    if not well_formed:
        raise _not_latin1(where)
    added = np.zeros(data.size + 8 & ~7, np.uint8)
    np.equal(data, 0xC3, out=added[: data.size].view(bool))
    eight = added.view(np.uint64)
    np.left_shift(eight, np.uint64(6), out=eight)  # every byte is 0 or 1, so none runs into its neighbour
    added[1 : data.size] = added[: data.size - 1] + data[1:]
    added[0] = data[0]
    np.logical_not(lead, out=lead)
    result: np.ndarray = np.compress(lead, added[: data.size])
    return result


class Latin1Reader:
    """Decodes a span of a file in order, ahead of its consumer, on two threads."""

    def __init__(self, source: SourceFile, offset: int, encoded: int, nbytes: int) -> None:
        self._source, self._nbytes = source, nbytes
        self._next, self._end = offset, offset + encoded
        self._where = f"{source.path} at byte {offset}"
        self._ready: deque[memoryview] = deque()
        self._given = 0
        self._queue: deque[Future[list[np.ndarray]]] = deque()
        self._pool = _make_pool() if encoded > _TASK else None

    def read_into(self, views: Sequence[memoryview]) -> None:
        for view in views:
            rest = view.cast("B")
            while rest.nbytes:
                if not self._ready and not self._fetch():
                    raise self._wrong_length()
                part = self._ready.popleft()
                take = min(part.nbytes, rest.nbytes)
                rest[:take] = part[:take]
                rest = rest[take:]
                self._given += take
                if take < part.nbytes:
                    self._ready.appendleft(part[take:])

    def finish(self) -> None:
        try:
            if self._given != self._nbytes or self._ready or self._fetch():
                raise self._wrong_length()
        finally:
            self.close()

    def close(self) -> None:
        """Stop the threads."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def __del__(self) -> None:
        self.close()

    def _fetch(self) -> bool:
        """Make more decoded bytes ready; False at the end."""
        while self._next < self._end and len(self._queue) < _AHEAD and not self._ready:
            self._submit()
        if self._ready or not self._queue:
            return bool(self._ready)
        parts = self._queue.popleft().result()
        self._ready.extend(part.data for part in parts if part.size)
        return bool(self._ready) or self._fetch()

    def _submit(self) -> None:
        data = memoryview(bytearray(min(_TASK, self._end - self._next)))
        self._source.read_into([data], self._next)
        if self._next + len(data) < self._end and data[-1] >= 0xC0:
            data = data[:-1]
        self._next += len(data)
        if self._pool is not None:
            self._queue.append(self._pool.submit(_decode_parts, data, self._where))
        else:
            self._ready.append(memoryview(decode(data, self._where)))

    def _wrong_length(self) -> ConvertError:
        return ConvertError(
            f"{self._where}: the text of an array does not decode to the {self._nbytes} bytes of its shape"
        )


def _make_pool() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(_THREADS)


def _not_latin1(where: str) -> ConvertError:
    return ConvertError(f"{where}: the data of an array is not Latin-1 text, so the file is damaged")
