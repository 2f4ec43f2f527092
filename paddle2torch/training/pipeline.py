"""Batches of images, made by worker processes, the same whatever the framework and however many workers.

The order of an epoch depends on the seed and the epoch; what a transform draws for an image, on the seed, the epoch and
the image's place. So a run can go on in the middle of an epoch, and both frameworks see the same numbers.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any
from uuid import uuid4

import numpy as np

from paddle2torch.training.errors import TrainingError
from paddle2torch.training.sources import Source
from paddle2torch.training.transforms import Pipeline

Array = np.ndarray[Any, np.dtype[Any]]

AHEAD = 2
"""Batches a worker that are made before they are asked for."""


@dataclass(frozen=True)
class Batch:
    """images: [N, C, H, W] (or [N, 10, C, H, W]) float32; labels: [N] int64; indices: places in the source."""

    images: Array
    labels: Array
    indices: Array


@dataclass(frozen=True)
class Maker:
    """Makes batches of a source; what a worker process is given once."""

    source: Source
    pipeline: Pipeline
    seed: int

    def batch(self, epoch: int, indices: Array) -> Batch:
        """The images at some places."""
        images = [self._one(epoch, int(index)) for index in indices]
        odd = next((i for i, image in enumerate(images) if image.shape != images[0].shape), None)
        if odd is not None:
            raise TrainingError(
                f"{self.source.names[indices[odd]]} comes out as {list(images[odd].shape)}, and others of its batch as "
                f"{list(images[0].shape)}; end the transforms with a crop or a resize to one size, such as center-crop:224"
            )
        return Batch(np.stack(images), self.source.labels[indices], indices)

    def _one(self, epoch: int, index: int) -> Array:
        image = self.source.image(index)
        if isinstance(image, np.ndarray):
            return image.astype(np.float32)
        try:
            return self.pipeline(image, np.random.default_rng((self.seed, epoch, index)))
        except TrainingError as error:
            raise TrainingError(f"{self.source.names[index]}: {error}") from None


def processes() -> BaseContext:
    """How workers are started: a fork of a process in which a framework has threads may hang."""
    return multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")


def leave_ctrl_c() -> None:
    """In a worker: Ctrl-C is for the parent, which ends the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


_maker: Maker | None = None  # of a worker process, which has one


def _start(maker: Maker) -> None:
    global _maker  # noqa: PLW0603 - so that the source travels once and not with every batch
    _maker = maker
    leave_ctrl_c()


def _make(epoch: int, indices: Array, place: str) -> Batch | Kept:
    """A batch; its images in a file in memory where `place` is a folder for that, as a pipe copies them four times."""
    assert _maker is not None
    batch = _maker.batch(epoch, indices)
    if not place:
        return batch
    path = f"{place}/{uuid4().hex}.npy"
    try:
        np.save(path, batch.images)
    except OSError:  # little room there, as in many containers
        with suppress(OSError):
            os.unlink(path)
        return batch
    return Kept(path, batch.labels, batch.indices)


@dataclass(frozen=True)
class Kept:
    """A batch whose images are in a file."""

    path: str
    labels: Array
    indices: Array

    def taken(self) -> Batch:
        """The batch; the file goes, and what is mapped of it stays until nobody holds it."""
        images = np.asarray(np.load(self.path, mmap_mode="c"))
        os.unlink(self.path)
        return Batch(images, self.labels, self.indices)


IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it


class Batches:
    """The batches of a source, epoch by epoch; a context manager that ends the workers.

    shuffle: a new order in every epoch. workers: processes; 0 makes batches in this one. Images of one batch must
    come out in one size.
    """

    def __init__(
        self,
        source: Source,
        pipeline: Pipeline,
        size: int,
        *,
        seed: int = 0,
        shuffle: bool = False,
        workers: int = 0,
    ) -> None:
        self.source, self.size, self.shuffle, self.seed = source, size, shuffle, seed
        self._maker = Maker(source, pipeline, seed)
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None
        self._folder: TemporaryDirectory[str] | None = None

    def __len__(self) -> int:
        """Batches of an epoch; the last one may be smaller."""
        return len(range(0, len(self.source), self.size))

    def order(self, epoch: int) -> list[Array]:
        """The places of the images of every batch of an epoch."""
        count = len(self.source)
        order = (
            np.random.default_rng((self.seed, epoch)).permutation(count) if self.shuffle else np.arange(count)
        )
        return [order[start : start + self.size] for start in range(0, count, self.size)]

    def epoch(self, epoch: int = 0, *, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from the one numbered `start` on."""
        wanted = self.order(epoch)[start:]
        if self._workers == 0:
            for indices in wanted:
                yield self._maker.batch(epoch, indices)
            return
        coming: deque[Future[Batch | Kept]] = deque()
        rest = iter(wanted)
        try:
            for indices in rest:
                coming.append(self._executor().submit(_make, epoch, indices, self._place()))
                if len(coming) >= AHEAD * self._workers:
                    break
            while coming:
                made = coming.popleft().result()
                batch = made.taken() if isinstance(made, Kept) else made
                for indices in rest:
                    coming.append(self._executor().submit(_make, epoch, indices, self._place()))
                    break
                yield batch
        except BrokenProcessPool:
            raise TrainingError(
                "a process that reads images was ended from outside (out of memory?); use fewer --workers"
            ) from None
        finally:
            for future in coming:
                future.cancel()

    def _place(self) -> str:
        """A folder in memory for batches on their way; "" where there is none."""
        if self._folder is None and IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK):
            self._folder = TemporaryDirectory(prefix="paddle2torch-", dir=IN_MEMORY)
        return "" if self._folder is None else self._folder.name

    def _executor(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self._workers, processes(), _start, (self._maker,))
        return self._pool

    def __enter__(self) -> Batches:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        if self._folder is not None:
            self._folder.cleanup()
