"""Arrays of a run, streamed to a file: memory holds one at a time, whatever the model's size.

The file is a plain sequence of raw little-endian arrays; the index (offset, dtype, shape) is kept in
memory while writing and saved beside it as JSON by `parity.capture` when the trace must travel. A comparison
reads both files block by block (`Stored`), so that it holds no array at all.
"""

from __future__ import annotations

import math
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from parity.errors import ParityError

Array = npt.NDArray[Any]


class Weights(dict[str, Array]):
    """A state dict of Paddle's as arrays. `parameter_names`: the automatic names of its tensors (`linear_0.w_0`), which tell a
    conversion of what layer a square matrix is."""

    def __init__(self, arrays: Mapping[str, Array], parameter_names: Mapping[str, str]) -> None:
        super().__init__(arrays)
        self.parameter_names = parameter_names


CHUNK = 1 << 20
"""Bytes written at once: the kernel takes a large write into new pages of a file five times slower (ext4, 6.18)."""


@dataclass(frozen=True)
class Stored:
    """An array in a store's file: what it looks like is known, its numbers are read where they are needed."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    _place: Callable[[], tuple[int, int]]
    """The file's descriptor, and where in it the numbers begin."""

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def reshape(self, shape: tuple[int, ...]) -> Stored:
        """The same numbers in another shape of the same size."""
        return replace(self, shape=shape)

    def read(self, start: int, out: Array) -> None:
        """Fill `out`, flat and of this dtype, with the elements from `start` on."""
        file, offset = self._place()
        view, offset = out.view(np.uint8).data, offset + start * self.dtype.itemsize
        while view:
            count = os.preadv(file, [view], offset)
            if not count:
                raise ParityError("the file of recorded values is shorter than its index says; run again")
            view, offset = view[count:], offset + count

    def load(self) -> Array:
        """The whole array, as a fresh copy."""
        array: Array = np.empty(self.shape, self.dtype)
        if array.size:
            self.read(0, array.reshape(-1))
        return array


class ValueStore:
    """Append-only arrays by key (a value number, or a parameter's name)."""

    def __init__(self, path: Path, index: dict[str, tuple[int, str, tuple[int, ...]]] | None = None) -> None:
        self.path = path
        self.index = {} if index is None else index
        # What was written elsewhere may be a file that this user must not write.
        mode = "rb" if index is not None else "r+b" if path.exists() else "w+b"
        self._file = path.open(mode, buffering=0)
        self._end = self._file.seek(0, os.SEEK_END)

    def put(self, key: str, array: Array) -> None:
        """Append `array` under `key`; a key written twice keeps the newer array."""
        array = np.asarray(array, order="C")
        view = array.reshape(-1).view(np.uint8).data if array.size else memoryview(b"")
        end = self._end
        with _room_for("recorded values", self.path):
            if self._file.mode == "rb":
                # A worker wrote it; what is added is for whoever is handed the index from now on.
                self._file.close()
                self._file = self.path.open("r+b", buffering=0)
            while view:
                count = os.pwrite(self._file.fileno(), view[:CHUNK], end)
                view, end = view[count:], end + count
        self.index[key] = (self._end, array.dtype.str, array.shape)
        self._end = end

    def settle(self) -> None:
        """Be done with the memory of what was put: it is about to change."""

    def stored(self, key: str) -> Stored:
        """The array under `key`, unread; valid while the store is open. KeyError if there is none."""
        _, dtype, shape = self.index[key]
        return Stored(shape, np.dtype(dtype), lambda: self.place(key))

    def place(self, key: str) -> tuple[int, int]:
        """The file's descriptor, and where in it the array under `key` begins."""
        return self._file.fileno(), self.index[key][0]

    def get(self, key: str) -> Array:
        """The array stored under `key`, as a fresh copy; KeyError if there is none."""
        return self.stored(key).load()

    def __contains__(self, key: str) -> bool:
        return key in self.index

    def to_json(self) -> dict[str, Any]:
        """The index, for a trace that travels."""
        return {key: [offset, dtype, list(shape)] for key, (offset, dtype, shape) in self.index.items()}

    @classmethod
    def from_json(cls, path: Path, index: dict[str, Any]) -> ValueStore:
        """Open a store written elsewhere, with the index it came with."""
        return cls(
            path, {key: (offset, dtype, tuple(shape)) for key, (offset, dtype, shape) in index.items()}
        )

    def close(self) -> None:
        self._file.close()


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """A temporary directory for stores, removed afterwards whatever happens."""
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=os.environ.get(PLACE)) as name:
        yield Path(name)


PREFIX = "paddle2torch-"
PLACE = "PADDLE2TORCH_SCRATCH"
"""Environment variable of a command and its workers: the folder that holds all their temporary ones."""


@contextmanager
def shared_scratch() -> Iterator[Path]:
    """One place for the temporary directories of this process and its workers, which remove it if this process is killed."""
    with scratch_directory() as place, placed_in(place):
        yield place


@contextmanager
def placed_in(place: Path) -> Iterator[None]:
    """Within, temporary directories are made in a place that workers which start now remove if this process is killed."""
    before = os.environ.get(PLACE)
    os.environ[PLACE] = str(place)
    try:
        yield
    finally:
        if before is None:
            del os.environ[PLACE]
        else:
            os.environ[PLACE] = before


def save_arrays(path: str | Path, arrays: Mapping[str, Array]) -> None:
    """Write arrays by name to an uncompressed .npz that `numpy.load` reads without pickle."""
    # numpy before 2.1 would take savez's `allow_pickle` for the name of one more array.
    with _room_for("weights", Path(path)), zipfile.ZipFile(path, "w", allowZip64=True) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)


@contextmanager
def _room_for(what: str, path: Path) -> Iterator[None]:
    """ParityError for a write that fails, a full disk above all."""
    try:
        yield
    except OSError as error:
        raise ParityError(
            f"cannot write the {what} to {path.parent}: {error.strerror}; "
            "set TMPDIR to a disk with more room, or use a smaller batch"
        ) from error
