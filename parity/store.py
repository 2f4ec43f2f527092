"""Arrays of a run, streamed to a file: memory holds one at a time, whatever the model's size.

The file is a plain sequence of raw little-endian arrays; the index (offset, dtype, shape) is kept in
memory while writing and saved beside it as JSON by `parity.capture` when the trace must travel.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from parity.errors import ParityError

Array = npt.NDArray[Any]


class ValueStore:
    """Append-only arrays by key (a value number, or a parameter's name)."""

    def __init__(self, path: Path, index: dict[str, tuple[int, str, tuple[int, ...]]] | None = None) -> None:
        self.path = path
        self.index = {} if index is None else index
        # What was written elsewhere may be a file that this user must not write.
        self._file = path.open("w+b" if index is None else "rb")
        self._end = self._file.seek(0, os.SEEK_END)

    def put(self, key: str, array: Array) -> None:
        """Append `array` under `key`; a key written twice keeps the newer array."""
        array = np.ascontiguousarray(array)
        self._file.seek(self._end)
        try:
            self._file.write(array.reshape(-1).view(np.uint8).data if array.size else b"")
        except OSError as error:
            raise ParityError(
                f"cannot write the recorded values to {self.path.parent}: {error.strerror}; "
                "set TMPDIR to a disk with more room, or use a smaller batch"
            ) from error
        self.index[key] = (self._end, array.dtype.str, array.shape)
        self._end += array.nbytes

    def get(self, key: str) -> Array:
        """The array stored under `key`, as a fresh copy; KeyError if there is none."""
        offset, dtype, shape = self.index[key]
        count = int(np.prod(shape, dtype=np.int64))
        self._file.flush()
        return np.fromfile(self.path, dtype=dtype, count=count, offset=offset).reshape(shape)

    def __contains__(self, key: str) -> bool:
        return key in self.index

    def to_json(self) -> dict[str, Any]:
        """The index, for a trace that travels."""
        self._file.flush()
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
    with tempfile.TemporaryDirectory(prefix="paddle2torch-") as name:
        yield Path(name)


def save_arrays(path: str | Path, arrays: Mapping[str, Array]) -> None:
    """Write arrays by name to an uncompressed .npz that `numpy.load` reads without pickle."""
    np.savez(path, allow_pickle=False, **dict(arrays))
