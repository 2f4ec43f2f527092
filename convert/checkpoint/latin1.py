"""Protocol 2's byte strings: Latin-1 text kept as UTF-8, decoded at the speed numpy allows.

A pickle of protocol 2 has no bytes type, so numpy writes an array's data as text, one character a byte.
In UTF-8 a byte below 0x80 is itself and any other is two: 0xC2 or 0xC3, then 0x80 to 0xBF. Decoding
drops the first of each pair and adds 0x40 to a byte that follows 0xC3. CPython's codec does that
byte by byte with a branch that float data makes unpredictable; numpy's `compress` does it without one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from convert.checkpoint.source import SourceFile
from convert.errors import ConvertError

if TYPE_CHECKING:
    import numpy as np

CHUNK = 256 * 1024
"""Encoded bytes decoded at once: fewer, and two threads wait for each other; more, and the cache is left."""
_SMALL = 4096  # below this, CPython's codec is faster than setting numpy up


def decode(encoded: bytes | memoryview, where: str) -> bytes:
    """The bytes that a UTF-8 encoded Latin-1 text stands for; ConvertError if it is not one."""
    if len(encoded) < _SMALL:
        try:
            return str(encoded, "utf-8").encode("latin-1")
        except UnicodeError:
            raise _not_latin1(where) from None
    decoder = _Decoder(where)
    return b"".join(decoder.decode(encoded[start:end]).tobytes() for start, end in _chunks(encoded))


def _chunks(encoded: bytes | memoryview) -> Iterator[tuple[int, int]]:
    """Where to cut `encoded` so that no character is."""
    start = 0
    while start < len(encoded):
        end = min(start + CHUNK, len(encoded))
        if end < len(encoded) and encoded[end - 1] >= 0xC0:
            end -= 1
        yield start, end
        start = end


class _Decoder:
    """Decodes chunks of whole characters, in arrays that it uses again and again."""

    def __init__(self, where: str) -> None:
        import numpy as np

        self._where = where
        self._kept, self._following, self._scratch = (np.empty(CHUNK, bool) for _ in range(3))
        self._added = np.empty(CHUNK + 8, np.uint8)
        self._result = np.empty(CHUNK, np.uint8)

    def decode(self, chunk: bytes | memoryview) -> np.ndarray:
        """What `chunk` stands for, until the next call; ConvertError if it is not Latin-1 in UTF-8."""
        import numpy as np

        data = np.frombuffer(chunk, np.uint8)
        size = data.size
        kept = np.less(data, 0xC0, out=self._kept[:size])
        following = np.less(data.view(np.int8), -64, out=self._following[:size])  # 0x80 to 0xBF
        scratch = self._scratch[:size]
        if following[0] or not kept[-1] or np.equal(kept[:-1], following[1:], out=scratch[:-1]).any():
            raise _not_latin1(self._where)
        leads = np.count_nonzero(np.equal(data, 0xC2, out=scratch))
        after_c3 = self._added[:size]
        leads += np.count_nonzero(np.equal(data, 0xC3, out=after_c3.view(bool)))
        eight = self._added[: size + 7 & ~7].view(np.uint64)
        np.left_shift(eight, 6, out=eight)  # every byte is 0 or 1, so none runs into its neighbour
        shifted = scratch.view(np.uint8)
        shifted[0] = data[0]
        np.add(after_c3[:-1], data[1:], out=shifted[1:])
        result = self._result[: size - leads]
        try:
            np.compress(kept, shifted, out=result)
        except ValueError:  # more bytes than these were dropped: others began a character
            raise _not_latin1(self._where) from None
        return result

    def skipped(self, chunk: bytes | memoryview) -> int:
        """How many bytes `chunk` stands for, unchecked."""
        import numpy as np

        data = np.frombuffer(chunk, np.uint8)
        return int(np.count_nonzero(np.less(data, 0xC0, out=self._kept[: data.size])))


class Latin1Reader:
    """Decodes a span of a file in order, from its decoded byte `start` on."""

    def __init__(self, source: SourceFile, offset: int, encoded: int, nbytes: int, start: int = 0) -> None:
        self._source, self._nbytes = source, nbytes
        self._next, self._end = offset, offset + encoded
        self._where = f"{source.path} at byte {offset}"
        self._decoder = _Decoder(self._where)
        self._buffer = memoryview(bytearray(min(CHUNK, encoded)))
        self._ready = memoryview(b"")
        self._at = 0
        """How much of what is ready was given."""
        self._given = 0
        self._skip(start)

    def _skip(self, count: int) -> None:
        while self._given < count:
            before = self._next
            chunk = self._chunk()
            length = self._decoder.skipped(chunk)
            if not length:
                raise self._wrong_length()
            if self._given + length > count:
                self._next = before
                self._ready = self._decoder.decode(self._chunk()).data[count - self._given :]
                length = count - self._given
            self._given += length

    def read_into(self, views: Sequence[memoryview]) -> None:
        for view in views:
            done, size = 0, view.nbytes
            while done < size:
                if self._at == self._ready.nbytes and not self._fetch():
                    raise self._wrong_length()
                take = min(self._ready.nbytes - self._at, size - done)
                view[done : done + take] = self._ready[self._at : self._at + take]
                done, self._at = done + take, self._at + take
            self._given += size

    def finish(self) -> None:
        if self._given != self._nbytes or self._at != self._ready.nbytes or self._fetch():
            raise self._wrong_length()

    def _fetch(self) -> bool:
        """Make more decoded bytes ready; False at the end."""
        chunk = self._chunk()
        if chunk.nbytes:
            self._ready, self._at = self._decoder.decode(chunk).data, 0
        return bool(chunk.nbytes)

    def _chunk(self) -> memoryview:
        """The next encoded bytes, cut between characters; empty at the end."""
        chunk = self._buffer[: min(CHUNK, self._end - self._next)]
        self._source.read_into([chunk], self._next)
        if self._next + len(chunk) < self._end and chunk[-1] >= 0xC0:
            chunk = chunk[:-1]
        self._next += len(chunk)
        return chunk

    def _wrong_length(self) -> ConvertError:
        return ConvertError(
            f"{self._where}: the text of an array does not decode to the {self._nbytes} bytes of its shape"
        )


def _not_latin1(where: str) -> ConvertError:
    return ConvertError(f"{where}: the data of an array is not Latin-1 text, so the file is damaged")
