"""Transpose a matrix on its way from file to file, in flat memory and at the speed of memory.

Rows are read in order, some hundreds at a time, into a scratch whose row length is not a power of two (or
every row would fall on the same cache lines), and turned into a block of up to `BLOCK_BYTES`, by two
threads. A block's rows are then pieces of the target's rows: the larger the block, the fewer the writes.
A matrix with few, very long rows is cut the other way: each block is a contiguous part of the target.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from convert.checkpoint.payload import FileSpan, Reader
from convert.checkpoint.tensor import TensorRef
from convert.dtypes import DType
from convert.write.atomic import AtomicFile

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np

BLOCK_BYTES = 42 << 20
_SCRATCH_BYTES = 4 << 20
_ALONE = 4 << 20  # bytes up to which a second thread costs more than it gives
_ROWS_AT_ONCE = 256
_PADDED_FROM = 1024
_LINE = 64
_BITS = {1: "u1", 2: "<u2", 4: "<u4", 8: "<u8", 16: "<c16"}

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Matrix:
    """A matrix to turn: `rows` x `columns` elements in `source`'s payload, row by row; the result's type."""

    source: TensorRef
    rows: int
    columns: int
    kind: DType


def write_transposed(out: AtomicFile, offset: int, matrix: Matrix, progress: Progress) -> None:
    """Write the transpose of `matrix` at `offset`, in flat memory."""
    rows, columns, size = matrix.rows, matrix.columns, matrix.kind.itemsize
    height = max(1, BLOCK_BYTES // (columns * size))
    width = max(1, BLOCK_BYTES // (rows * size))
    scattered_writes = columns * -(-rows // height)
    scattered_reads = rows * -(-columns // width)
    span = matrix.source.payload
    if height < rows and scattered_reads < scattered_writes and isinstance(span, FileSpan):
        _by_columns(out, offset, matrix, span, width=width, progress=progress)
    else:
        _by_rows(out, offset, matrix, height=min(rows, height), progress=progress)


def _by_rows(out: AtomicFile, offset: int, matrix: Matrix, *, height: int, progress: Progress) -> None:
    import numpy as np

    rows, columns, size = matrix.rows, matrix.columns, matrix.kind.itemsize
    block = np.empty((columns, height), _bits(matrix.kind))
    view = block.reshape(-1).view(np.uint8).data
    with _Filler(matrix) as filler:
        for first in range(0, rows, height):
            count = min(height, rows - first)
            filler.fill(block, first, count)
            if count == rows:
                out.write(view, offset)
            else:  # every column of these rows is a piece of one row of the target
                step, stride = height * size, rows * size
                out.write_pieces(view, offset + first * size, length=count * size, step=step, stride=stride)
            progress(count * columns * size)


class _Filler:
    """Fills blocks with the next rows: where any row can be read at any time, on two threads."""

    def __init__(self, matrix: Matrix) -> None:
        self._matrix = matrix
        span = matrix.source.payload
        self._span = span if isinstance(span, FileSpan) else None
        self._reader = None if isinstance(span, FileSpan) else span.open()
        self._turners = [_Turner(matrix) for _ in range(1 if self._span is None else 2)]
        self._pool = _make_pool() if self._span is not None and matrix.source.nbytes > _ALONE else None

    def __enter__(self) -> _Filler:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True)
        if self._reader is not None and kind is None:
            self._reader.finish()

    def fill(self, block: np.ndarray, first: int, count: int) -> None:
        """Rows `first` to `first + count` become columns 0 to `count` of `block`."""
        if self._reader is not None:
            self._turners[0].turn(self._reader, block, count)
        elif self._pool is None:
            self._part(0, block, first, count)
        else:
            half = count // 2
            other = self._pool.submit(self._part, 1, block[:, half:], first + half, count - half)
            self._part(0, block, first, half)
            other.result()

    def _part(self, index: int, block: np.ndarray, first: int, count: int) -> None:
        span, width = self._span, self._matrix.columns * self._matrix.source.kind.itemsize
        if span is not None and count:
            rows = FileSpan(span.source, span.offset + first * width, count * width)
            self._turners[index].turn(rows.open(), block, count)


class _Turner:
    """Reads rows into a scratch of its own and writes them as columns of a block."""

    def __init__(self, matrix: Matrix) -> None:
        import numpy as np

        self._source, self._target, self._columns = matrix.source.kind, matrix.kind, matrix.columns
        row_bytes = self._columns * self._source.itemsize
        self._padded = row_bytes >= _PADDED_FROM
        length = self._columns + (_LINE // self._source.itemsize if row_bytes % _PADDED_FROM == 0 else 0)
        length = length if self._padded else self._columns
        most = min(_ROWS_AT_ONCE if self._padded else _SCRATCH_BYTES, matrix.rows)
        self._rows = max(1, min(most, _SCRATCH_BYTES // (length * self._source.itemsize)))
        self._scratch = np.empty((self._rows, length), _bits(self._source))
        whole = self._scratch.reshape(-1).view(np.uint8).data
        step = length * self._source.itemsize
        self._views = (
            [whole[i * step : i * step + row_bytes] for i in range(self._rows)] if self._padded else [whole]
        )

    def turn(self, reader: Reader, block: np.ndarray, count: int) -> None:
        """Fill columns 0 to `count` of `block` with the next `count` rows."""
        from convert.write.place import cast

        for start in range(0, count, self._rows):
            rows = min(self._rows, count - start)
            if self._padded:
                reader.read_into(self._views[:rows])
            else:
                reader.read_into([self._views[0][: rows * self._columns * self._source.itemsize]])
            part = self._scratch[:rows, : self._columns]
            if self._source != self._target:
                part = cast(part.view(self._source.numpy), self._source, self._target).view(block.dtype)
            block[:, start : start + rows] = part.T


def _by_columns(
    out: AtomicFile, offset: int, matrix: Matrix, span: FileSpan, *, width: int, progress: Progress
) -> None:
    """Few, very long rows: a piece of every row makes a contiguous part of the target."""
    import numpy as np

    from convert.write.place import cast

    rows, columns, source, kind = matrix.rows, matrix.columns, matrix.source.kind, matrix.kind
    size = source.itemsize
    scratch = np.empty((rows, width), _bits(source))
    view = scratch.reshape(-1).view(np.uint8).data
    for first in range(0, columns, width):
        count = min(width, columns - first)
        for row in range(rows):
            start = row * width * size
            at = span.offset + (row * columns + first) * size
            span.source.read_into([view[start : start + count * size]], at)
        part = scratch[:, :count]
        if source != kind:
            part = cast(np.ascontiguousarray(part).view(source.numpy), source, kind)
        turned = np.ascontiguousarray(part.T)
        out.write(turned.reshape(-1).view(np.uint8).data, offset + first * rows * kind.itemsize)
        progress(turned.nbytes)


def _make_pool() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(1)


def _bits(kind: DType) -> str:
    """An integer type of the same width: moving bits never changes a NaN."""
    return _BITS[kind.itemsize]
