"""One side's runs in one file, so that the two halves of a check need not meet on one machine.

The file is a safetensors file: the recorded arrays, the inputs and the parameters are its tensors, and its
metadata holds the traces as JSON. It is written and read here with numpy alone, array by array: a `ValueStore` of a
run that was read back points into the file, so memory holds one value at a time. A digest over all of it tells a file that was
damaged on its way from one that says DIFFERENT.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convert.names import shown
from convert.write.atomic import AtomicFile
from parity.errors import ParityError
from parity.trace.trace import TRACE_VERSION, Framework, Trace
from parity.trace.values import Array, ValueStore

FORMAT = "paddle2torch parity trace"

DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
NAMES = {dtype: name for name, dtype in DTYPES.items()}


@dataclass(frozen=True)
class Recording:
    """One run to be written: of which input, in which mode and precision; or the error that it ended in.

    whole: every value was kept, not the outputs alone.
    """

    case: str
    mode: str
    precision: str
    whole: bool
    trace: Trace | None = None
    values: ValueStore | None = None
    error: str = ""

    @property
    def key(self) -> str:
        return f"{self.case}/{self.mode}/{self.precision}"


def digest(arrays: Mapping[str, Array]) -> str:
    """A name for these very numbers, whatever the order in which they are given."""
    total = hashlib.blake2b(digest_size=16)
    for name in sorted(arrays):
        array = np.asarray(arrays[name], order="C")
        total.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        total.update(array.reshape(-1).view(np.uint8).data if array.size else b"")
    return total.hexdigest()


def write_trace_file(
    path: Path,
    *,
    force: bool,
    framework: Framework,
    name: str,
    weights: str,
    constants: Iterable[str],
    inputs: Mapping[str, Mapping[str, Array]],
    parameters: Mapping[str, Array],
    recordings: Iterable[Recording],
    gradients: bool = False,
) -> None:
    """Write a trace file, value by value; it appears complete or not at all.

    weights: digest of the Paddle weights that the model holds, "" where it came with its own. constants: entries of
    Paddle's state that belong to its definition. inputs: case -> arrays; the first case is the given one.
    """
    recordings = list(recordings)
    tensors: dict[str, tuple[str, tuple[int, ...], Any]] = {}
    for case, arrays in inputs.items():
        for key, array in arrays.items():
            tensors[f"input/{case}/{key}"] = (array.dtype.str, array.shape, array)
    for key, array in parameters.items():
        tensors[f"parameter/{key}"] = (array.dtype.str, array.shape, array)
    for run in recordings:
        for key, (_, dtype, shape) in run.values.index.items() if run.values is not None else ():
            tensors[f"value/{run.key}/{key}"] = (dtype, shape, (run.values, key))
    runs = [
        {
            "case": run.case,
            "mode": run.mode,
            "precision": run.precision,
            "whole": run.whole,
            "error": run.error,
            "trace": None if run.trace is None else run.trace.to_json(),
        }
        for run in recordings
    ]
    about = {
        "framework": framework,
        "name": name,
        "weights": weights,
        "constants": sorted(constants),
        "inputs": {case: digest(arrays) for case, arrays in inputs.items()},
        "gradients": gradients,
        "runs": runs,
    }
    header: dict[str, Any] = {
        "__metadata__": {
            "format": FORMAT,
            "version": str(TRACE_VERSION),
            "digest": "0" * 32,
            "about": json.dumps(about),
        }
    }
    end = 0
    for key, (dtype, shape, _) in tensors.items():
        size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
        header[key] = {"dtype": NAMES[dtype], "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    total = _begun(header)
    text = json.dumps(header).encode()
    start = 8 + len(text) + -len(text) % 8
    with AtomicFile(path, force=force, size=start + end) as file:
        for key, (_, _, source) in tensors.items():
            array = source[0].get(source[1]) if isinstance(source, tuple) else source
            data = np.ascontiguousarray(array).tobytes()
            total.update(data)
            file.write(data, start + header[key]["data_offsets"][0])
        header["__metadata__"]["digest"] = total.hexdigest()
        text = json.dumps(header).encode().ljust(start - 8)
        file.write(len(text).to_bytes(8, "little") + text, 0)


def _begun(header: Mapping[str, Any]) -> hashlib.blake2b:
    """The digest of a whole file as far as its header goes: of what that says, but for the digest itself."""
    metadata = {name: text for name, text in header["__metadata__"].items() if name != "digest"}
    return hashlib.blake2b(
        json.dumps({**header, "__metadata__": metadata}, sort_keys=True).encode(), digest_size=16
    )


class TraceFile:
    """A trace file that was read: its header is in memory, its arrays are not."""

    def __init__(self, path: Path) -> None:
        self.path = path
        header, self._start = _header(path)
        metadata = header.get("__metadata__", {})
        if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
            raise ParityError(f"{path} is no trace: make one with `paddle2torch parity capture`")
        if metadata.get("version") != str(TRACE_VERSION):
            raise ParityError(
                f"{path} is a trace of version {shown(metadata.get('version'), 20)}, and this tool reads version "
                f"{TRACE_VERSION}; capture it again with the same version of paddle2torch on both sides"
            )
        self._entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        end = self._start + _data_size(path, self._entries)
        if path.stat().st_size != end:
            raise ParityError(
                f"{path} is cut off or damaged: it has {path.stat().st_size} bytes and should have {end}; copy "
                "it again"
            )
        if metadata.get("digest") != digest_of(path, header, self._start):
            raise _damaged(path)
        try:
            about = json.loads(metadata["about"])
            self.framework: Framework = about["framework"]
            self.name: str = about["name"]
            self.weights: str = about["weights"]
            self.constants: list[str] = about["constants"]
            self.digests: dict[str, str] = about["inputs"]
            self.gradients: bool = about["gradients"]
            self.runs = {(run["case"], run["mode"], run["precision"]): run for run in about["runs"]}
            readable = self.framework in ("paddle", "torch") and bool(self.modes)
        except (LookupError, TypeError, ValueError, RecursionError, StopIteration):
            readable = False
        if not readable:
            raise _damaged(path)

    def trace(self, case: str, mode: str, precision: str) -> Trace:
        """What was recorded of a run."""
        try:
            return Trace.from_json(self.runs[case, mode, precision]["trace"])
        except (KeyError, TypeError, ValueError, AttributeError):
            raise _damaged(self.path) from None

    @property
    def modes(self) -> tuple[str, ...]:
        """Modes that the given input was run in."""
        first = next(iter(self.digests))
        return tuple(dict.fromkeys(mode for case, mode, _ in self.runs if case == first))

    def ran(self, case: str) -> bool:
        """Whether the model took an input, in some mode."""
        return any(run["case"] == case and not run["error"] for run in self.runs.values())

    def inputs(self) -> dict[str, Array]:
        """The given input."""
        return dict(self._arrays(f"input/{next(iter(self.digests))}/"))

    def parameters(self) -> dict[str, Array]:
        """Every parameter and buffer by name."""
        return dict(self._arrays("parameter/"))

    def state(self) -> dict[str, Array]:
        """The parameters and buffers that are in the model's state dict, by name."""
        known = {
            name
            for run in self.runs.values()
            for name, parameter in (run["trace"] or {"parameters": {}})["parameters"].items()
            if parameter["registered"]
        }
        return {name: self._read(f"parameter/{name}") for name in sorted(known)}

    def case_of(self, inputs: Mapping[str, Array]) -> str | None:
        """Which of the recorded inputs these are."""
        wanted = digest(inputs)
        return next((case for case, found in self.digests.items() if found == wanted), None)

    def values(self, case: str, mode: str, precision: str) -> ValueStore:
        """The values of a run, still in the file."""
        prefix = f"value/{case}/{mode}/{precision}/"
        index = {
            key.removeprefix(prefix): (
                self._start + entry["data_offsets"][0],
                DTYPES[entry["dtype"]],
                tuple(entry["shape"]),
            )
            for key, entry in self._entries.items()
            if key.startswith(prefix)
        }
        return ValueStore(self.path, index)

    def _arrays(self, prefix: str) -> Iterator[tuple[str, Array]]:
        for key in self._entries:
            if key.startswith(prefix):
                yield key.removeprefix(prefix), self._read(key)

    def _read(self, key: str) -> Array:
        entry = self._entries[key]
        count = int(np.prod(entry["shape"], dtype=np.int64))
        offset = self._start + entry["data_offsets"][0]
        return np.fromfile(self.path, DTYPES[entry["dtype"]], count, offset=offset).reshape(entry["shape"])


def _damaged(path: Path) -> ParityError:
    return ParityError(
        f"{path} is damaged, or was changed after it was written; copy it again, or capture it again"
    )


def digest_of(path: Path, header: Mapping[str, Any], start: int) -> str:
    """The digest of a trace file with this header, whose data begins at `start`."""
    total = _begun(header)
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        while block := file.read(1 << 22):
            total.update(block)
    return total.hexdigest()


def _data_size(path: Path, entries: Mapping[str, Any]) -> int:
    """Bytes of all arrays; ParityError unless each entry is one that `write_trace_file` writes, in their order."""
    end = 0
    for entry in entries.values():
        match entry:
            case {
                "dtype": str() as dtype,
                "shape": list() as shape,
                "data_offsets": [int() as begin, int() as stop],
            }:
                whole = dtype in DTYPES and all(type(size) is int and size >= 0 for size in shape)
                if (
                    whole
                    and begin == end
                    and stop - begin == math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize
                ):
                    end = stop
                    continue
        raise _damaged(path)
    return end


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """The JSON header and where the data begins; ParityError for what is no safetensors file."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if size > os.fstat(file.fileno()).st_size - 8:
                raise ParityError(f"{path} is cut off, or is no trace: its header says {size} bytes")
            header = json.loads(file.read(size))
    except OSError as error:
        raise ParityError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError):
        raise ParityError(f"{path} is no trace: make one with `paddle2torch parity capture`") from None
    if not isinstance(header, dict):
        raise ParityError(f"{path} is no trace: make one with `paddle2torch parity capture`")
    return header, 8 + size
