"""Move tensors' bytes from a checkpoint to their places in the target file, in flat memory.

Three ways, by what has to happen: the kernel copies a plain span of a file; a transpose goes through
blocks; anything else streams through a small buffer.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING

from convert.checkpoint.payload import FileSpan
from convert.checkpoint.tensor import TensorRef
from convert.dtypes import DType
from convert.rosetta.rows import TRANSPOSE
from convert.write.atomic import AtomicFile, has_positional_io, pieces
from convert.write.transpose import Matrix, transpose_jobs
from convert.write.workers import THREADS, Job, Workers, Workspace

if TYPE_CHECKING:
    import numpy as np


STREAM_BYTES = 1 << 20


_SMALL = 1 << 15
"""Bytes below which a tensor is copied together with its neighbours: a read and a write for each take longer than its bytes."""


_KERNEL_COPY_FROM = 1 << 16


_NO_KERNEL_COPY = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF, errno.EPERM}


_ALONE = 4 << 20
"""Bytes up to which a second thread costs more than it gives."""


Progress = Callable[[int], None]


@dataclass(frozen=True)
class Placement:
    """One tensor of the target: where it comes from, what happens to it, where it goes."""

    name: str
    shape: tuple[int, ...]
    kind: DType
    """The element type in the target."""
    source: TensorRef
    transform: str

    @property
    def nbytes(self) -> int:
        """Bytes in the target."""
        return self.source.size * self.kind.itemsize

    @property
    def turned(self) -> bool:
        """Whether the stored order of the elements changes."""
        return (self.transform == TRANSPOSE) != (self.source.fortran and len(self.source.shape) == 2)

    @property
    def plain(self) -> bool:
        """Whether the target's bytes are the source's, in the same order."""
        return not self.turned and self.kind == self.source.kind and not _needs_memory(self.source)


def workers_for(items: Iterable[Placement]) -> Workers:
    """One thread for little work, and where reads and writes cannot name their place."""
    return Workers(THREADS if has_positional_io() and sum(item.nbytes for item in items) > _ALONE else 1)


def place_all(
    out: AtomicFile, places: Sequence[tuple[Placement, int]], progress: Progress, workers: Workers
) -> None:
    """Write every tensor at its offset in `out`; ConvertError if the source is damaged or the disk is full.

    `progress` gets the bytes that were done, from one thread at a time. What belongs between two tensors is written afterwards:
    small ones are written in one piece, and with anything between them.
    """
    lock = threading.Lock()

    def report(count: int) -> None:
        with lock:
            progress(count)

    runs, others = _runs(places)
    copies: list[Job] = [partial(_copy_run, out, run, report) for run in runs]
    first: list[Job] = []
    then: list[Job] = []
    for item, offset in sorted(others, key=lambda place: -place[0].nbytes):  # what takes long begins early
        if item.plain and isinstance(item.source.payload, FileSpan):
            copies.append(partial(_copy_span, out, offset, item.source.payload, report))
        elif _needs_memory(item.source):
            first.append(partial(_write_in_memory, out, offset, item, report))
        elif item.turned and min(item.source.shape) > 1:
            shape = item.source.shape[::-1] if item.source.fortran else item.source.shape
            matrix = Matrix(item.source, shape[0], shape[1], item.kind)
            jobs = transpose_jobs(out, offset, matrix, report)
            first += jobs[0]
            then += jobs[1]
        else:
            first.append(partial(_stream, out, offset, item, report))
    if any(item.turned or item.kind != item.source.kind for item, _ in others):
        copies.insert(0, _load_numpy)  # one thread does, while the other begins to copy
    workers.run(copies + first)
    workers.run(then)


def _load_numpy(_: Workspace) -> None:
    import numpy  # noqa: F401


def _needs_memory(source: TensorRef) -> bool:
    """Column-major with more than two dimensions: rare enough to be put in order in memory."""
    return source.fortran and len(source.shape) > 2


def _write_in_memory(out: AtomicFile, offset: int, item: Placement, progress: Progress, _: Workspace) -> None:
    array = item.source.numpy()
    if item.kind != item.source.kind:
        from convert.write.cast import cast_array

        array = cast_array(array, item.source.kind, item.kind)
    out.write(array.reshape(-1).view("u1").data, offset)
    progress(item.nbytes)


Run = list[tuple[int, FileSpan]]
"""Places in the target, and what goes there."""


def _runs(
    places: Sequence[tuple[Placement, int]],
) -> tuple[list[Run], list[tuple[Placement, int]]]:
    """Small tensors that are neighbours in the target, and lie near each other in the source; and all other tensors."""
    runs: list[Run] = []
    others: list[tuple[Placement, int]] = []
    run: Run = []
    low = high = 0
    for item, offset in sorted(places, key=itemgetter(1)):
        span = item.source.payload
        if not (type(span) is FileSpan and 0 < span.nbytes < _SMALL and item.plain):
            others.append((item, offset))
            run = []
            continue
        end = span.offset + span.nbytes
        low, high = (min(low, span.offset), max(high, end)) if run else (span.offset, end)
        if (
            not run
            or high - low > STREAM_BYTES
            or offset + span.nbytes - run[0][0] > STREAM_BYTES
            or span.source is not run[0][1].source
        ):
            run, low, high = [], span.offset, end
            runs.append(run)
        run.append((offset, span))
    return runs, others


def _copy_run(out: AtomicFile, run: Run, progress: Progress, space: Workspace) -> None:
    """Copy neighbours by one read and one write."""
    low = min(span.offset for _, span in run)
    high = max(span.offset + span.nbytes for _, span in run)
    begin, (last, span) = run[0][0], run[-1]
    held = space.buffer("run", high - low)
    made = space.buffer("scratch", last + span.nbytes - begin)
    span.source.read_into([held], low)
    for offset, span in run:
        made[offset - begin : offset - begin + span.nbytes] = held[
            span.offset - low : span.offset - low + span.nbytes
        ]
    out.write(made, begin)
    progress(sum(span.nbytes for _, span in run))


def _copy_span(out: AtomicFile, offset: int, span: FileSpan, progress: Progress, space: Workspace) -> None:
    done = 0
    if span.nbytes >= _KERNEL_COPY_FROM and hasattr(os, "copy_file_range"):
        done = _kernel_copy(out, offset, span, progress)
    buffer = space.buffer("scratch", min(STREAM_BYTES, span.nbytes - done))
    for start, count in pieces(span.nbytes - done, STREAM_BYTES):
        span.source.read_into([buffer[:count]], span.offset + done + start)
        out.write(buffer[:count], offset + done + start)
        progress(count)


def _kernel_copy(out: AtomicFile, offset: int, span: FileSpan, progress: Progress) -> int:
    """Copy without the bytes passing through this process; how many were copied (0: not possible)."""
    done = 0
    while done < span.nbytes:
        count = min(span.nbytes - done, 64 << 20)
        try:
            copied = os.copy_file_range(span.source.fd, out.fd, count, span.offset + done, offset + done)
        except OSError as error:
            if error.errno in _NO_KERNEL_COPY:
                return done
            raise out.failed(error) from error
        if copied == 0:
            return done  # the plain copy will say why
        done += copied
        progress(copied)
    return done


def _stream(out: AtomicFile, offset: int, item: Placement, progress: Progress, space: Workspace) -> None:
    """Same order, perhaps another type."""
    source = item.source
    reader = source.payload.open()
    step = max(1, STREAM_BYTES // source.kind.itemsize)
    buffer = space.buffer("scratch", min(source.size, step) * source.kind.itemsize)
    for _, count in pieces(source.size, step):
        chunk = buffer[: count * source.kind.itemsize]
        reader.read_into([chunk])
        if item.kind != source.kind:
            from convert.write.cast import cast_array

            chunk = cast_array(_as_array(chunk, source.kind), source.kind, item.kind).data.cast("B")
        out.write(chunk, offset)
        offset += chunk.nbytes
        progress(chunk.nbytes)
    reader.finish()


def _as_array(data: memoryview, kind: DType) -> np.ndarray:
    import numpy as np

    return np.frombuffer(data, kind.numpy)
