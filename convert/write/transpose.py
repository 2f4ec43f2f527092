"""Transpose a matrix on its way from file to file, in flat memory and at the speed of memory.

A block of rows is read and turned: each of its columns is a short piece of one row of the target. Written where
they belong, tens of thousands of short pieces would take several times as long as the bytes do. So the target's
rows are taken in groups, and the pieces that a block has for a group are written beside each other into the
group's own place in the file. When all blocks are there, every group is read back, which puts its pieces in
order, and written once more.

A block and a group are as large as a thread's buffer, `BLOCK_BYTES`. Where the pieces are long, they go where they
belong at once. A matrix with few, very long rows is cut the other way: each block is a contiguous part of the target.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from convert.checkpoint.payload import FileSpan, Reader
from convert.checkpoint.tensor import TensorRef
from convert.dtypes import DType
from convert.write.atomic import AtomicFile, pieces
from convert.write.workers import THREADS, Job, Workspace

BLOCK_BYTES = 21 << 20
GROUP_BYTES = 8 << 20
_SCRATCH_BYTES = 2 << 20
_LONG_PIECE = 1 << 16
_CALL_PER_VIEW = 8
"""How many times longer a call to the system takes than one more view in a call."""
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


def transpose_jobs(
    out: AtomicFile, offset: int, matrix: Matrix, progress: Progress
) -> tuple[list[Job], list[Job]]:
    """What writes the transpose of `matrix` at `offset`: the second list may begin when the first is done."""
    rows, columns = matrix.rows, matrix.columns
    height = max(1, BLOCK_BYTES // (columns * matrix.kind.itemsize))
    width = max(1, BLOCK_BYTES // 2 // (rows * matrix.kind.itemsize))
    scattered_reads, pieces = rows * -(-columns // width), columns * -(-rows // height)
    span = matrix.source.payload
    if height < rows and scattered_reads * _CALL_PER_VIEW < pieces and isinstance(span, FileSpan):
        jobs: list[Job] = [
            partial(_turn_columns, out, offset, matrix, span, first, min(width, columns - first), progress)
            for first in range(0, columns, width)
        ]
        return jobs, []
    return _Blocks(out, offset, matrix, min(height, rows), progress).jobs()


class _Blocks:
    """A matrix that is turned by blocks of `height` rows."""

    def __init__(self, out: AtomicFile, offset: int, matrix: Matrix, height: int, progress: Progress) -> None:
        self._out, self._offset, self._matrix, self._height = out, offset, matrix, height
        self._progress = progress
        self._size = matrix.kind.itemsize
        if height == matrix.rows:
            self._group = matrix.columns
        elif height * self._size >= _LONG_PIECE:
            self._group = 1
        else:
            self._group = max(1, GROUP_BYTES // (matrix.rows * self._size))

    def jobs(self) -> tuple[list[Job], list[Job]]:
        """The blocks; then the groups."""
        rows, columns = self._matrix.rows, self._matrix.columns
        blocks = -(-rows // self._height)
        together = 1 if self._matrix.source.payload.seekable else -(-blocks // THREADS)
        turn: list[Job] = [
            partial(self._turn_blocks, first, min(first + together * self._height, rows))
            for first in range(0, rows, together * self._height)
        ]
        gather: list[Job] = [partial(self._gather, first) for first in range(0, columns, self._group)]
        return turn, gather if self._group > 1 and blocks > 1 else []

    def _turn_blocks(self, first: int, end: int, space: Workspace) -> None:
        """Every block of the rows from `first` up to `end`."""
        reader = self._matrix.source.payload.open(
            first * self._matrix.columns * self._matrix.source.kind.itemsize
        )
        for start in range(first, end, self._height):
            self._turn(reader, start, space)
        if end == self._matrix.rows:
            reader.finish()

    def _turn(self, reader: Reader, first: int, space: Workspace) -> None:
        """Read rows from `first` on, turn them, write their pieces group by group."""
        rows, columns, size = self._matrix.rows, self._matrix.columns, self._size
        count = min(self._height, rows - first)
        block = space.buffer("block", columns * count * size)
        _turn_rows(reader, self._matrix, block, count, space)
        for start in range(0, columns, self._group):
            width = min(self._group, columns - start)
            at = self._offset + (start * rows + first * width) * size
            self._out.write(block[start * count * size : (start + width) * count * size], at)
        self._progress(columns * count * size)

    def _gather(self, first: int, space: Workspace) -> None:
        """Put the pieces of the target's rows from `first` on in order."""
        rows, size = self._matrix.rows, self._size
        width = min(self._group, self._matrix.columns - first)
        at = self._offset + first * rows * size
        whole = space.buffer("block", width * rows * size)
        line = rows * size
        views = [
            whole[start : start + height * size]
            for row, height in pieces(rows, self._height)
            for start in range(row * size, width * line, line)
        ]
        self._out.read_into(views, at)
        self._out.write(whole, at)


def _turn_rows(reader: Reader, matrix: Matrix, block: memoryview, count: int, space: Workspace) -> None:
    """Fill `block` with the next `count` rows, as columns.

    The scratch's row length is not a power of two, or every row would fall on the same cache lines.
    """
    import numpy as np

    from convert.write.cast import cast_array

    source, columns = matrix.source.kind, matrix.columns
    row_bytes = columns * source.itemsize
    padded = row_bytes >= _PADDED_FROM
    step = row_bytes + (_LINE if padded and row_bytes % _PADDED_FROM == 0 else 0)
    most = min(count, max(1, _SCRATCH_BYTES // step))
    scratch = space.buffer("scratch", most * step)
    views = [scratch[i * step : i * step + row_bytes] for i in range(most)] if padded else []
    lines = np.frombuffer(scratch, np.uint8).reshape(most, step)[:, :row_bytes].view(_bits(source))
    turned = np.frombuffer(block, _bits(matrix.kind)).reshape(columns, count)
    for start in range(0, count, most):
        here = min(most, count - start)
        reader.read_into(views[:here] if padded else [scratch[: here * step]])
        part = lines[:here]
        if source != matrix.kind:
            part = cast_array(part.view(source.numpy), source, matrix.kind).view(turned.dtype)
        turned[:, start : start + here] = part.T


def _turn_columns(
    out: AtomicFile,
    offset: int,
    matrix: Matrix,
    span: FileSpan,
    first: int,
    count: int,
    progress: Progress,
    space: Workspace,
) -> None:
    """A piece of every one of few, very long rows: a contiguous part of the target."""
    import numpy as np

    from convert.write.cast import cast_array

    rows, columns, source, kind = matrix.rows, matrix.columns, matrix.source.kind, matrix.kind
    width = count * source.itemsize
    pieces = space.buffer("scratch", rows * width)
    for row in range(rows):
        at = span.offset + (row * columns + first) * source.itemsize
        span.source.read_into([pieces[row * width : (row + 1) * width]], at)
    part = np.frombuffer(pieces, _bits(source)).reshape(rows, count)
    if source != kind:
        part = cast_array(part.view(source.numpy), source, kind).view(_bits(kind))
    block = space.buffer("block", rows * count * kind.itemsize)
    np.frombuffer(block, _bits(kind)).reshape(count, rows)[:] = part.T
    out.write(block, offset + first * rows * kind.itemsize)
    progress(block.nbytes)


def _bits(kind: DType) -> str:
    """An integer type of the same width: moving bits never changes a NaN."""
    return _BITS[kind.itemsize]
