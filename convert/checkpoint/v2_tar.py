"""`params.tar` of Paddle v2: for every parameter its values, and beside them a `NAME.protobuf` that has the shape.

The values begin with `struct.pack("IIQ", 0, 4, size)`; the description is a ParameterConfig, of which the name (1), the
size (2) and the dims (9) matter. Source: python/paddle/v2/parameters.py (to_tar, serialize) and proto/ParameterConfig.proto.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from convert.checkpoint.checkpoint import Checkpoint, FileFacts, require_tensors
from convert.checkpoint.payload import FileSpan
from convert.checkpoint.program import read_varint
from convert.checkpoint.source import SourceFile
from convert.checkpoint.tensor import TensorRef, plain_shape
from convert.dtypes import by_name
from convert.errors import ConvertError
from convert.names import shown

SUFFIX = ".protobuf"
_HEADER = struct.Struct("<IIQ")
_DESCRIPTION_MOST = 1 << 16


def is_v2(names: Mapping[str, object]) -> bool:
    """Whether an archive's members are parameters with their descriptions, and nothing else."""
    values = [name for name in names if not name.endswith(SUFFIX)]
    return (
        bool(values) and all(f"{name}{SUFFIX}" in names for name in values) and len(names) == 2 * len(values)
    )


def open_v2(path: Path, members: Mapping[str, Callable[[], SourceFile]]) -> Checkpoint:
    """The parameters by name, not read; ConvertError where values and description do not agree."""
    tensors: dict[str, TensorRef] = {}
    size = 0
    for name in members:
        if not name.endswith(SUFFIX):
            source = members[name]()
            size += source.size
            tensors[name] = _tensor(path, name, source, _dims(path, name, members[name + SUFFIX]()))
    require_tensors(path, tensors)
    facts = FileFacts("pdiparams", size, shape="parameters of Paddle v2")
    return Checkpoint(path, MappingProxyType(tensors), facts, {name: name for name in tensors})


def _tensor(path: Path, name: str, source: SourceFile, dims: tuple[int, ...]) -> TensorRef:
    kind = by_name("float32")
    if source.size >= _HEADER.size:
        version, itemsize, count = _HEADER.unpack(source.read(0, _HEADER.size))
        shape = dims or (count,)
        if len(shape) == 2 and shape[0] == 1 and name.endswith("bias"):
            shape = shape[1:]  # v2 keeps a bias as a row
        whole = math.prod(shape) == count and source.size == _HEADER.size + count * itemsize
        if version == 0 and itemsize == kind.itemsize and whole:
            return TensorRef(shape, kind, FileSpan(source, _HEADER.size, count * itemsize))
    raise ConvertError(f"{path}: {shown(name)} is no parameter of Paddle v2, or the archive is damaged")


def _dims(path: Path, name: str, source: SourceFile) -> tuple[int, ...]:
    """The dims of a ParameterConfig; other fields are passed over."""
    data = source.read(0, min(source.size, _DESCRIPTION_MOST))
    dims: list[int] = []
    at = 0
    try:
        while at < len(data):
            key, at = read_varint(data, at)
            if key & 7 == 0:
                value, at = read_varint(data, at)
                dims += [value] * (key == 0x48)
            elif key & 7 == 2:
                length, at = read_varint(data, at)
                end = at + length
                while key == 0x4A and at < end:
                    value, at = read_varint(data, at)
                    dims.append(value)
                at = end
            elif key & 7 in (1, 5):
                at += 8 if key & 7 == 1 else 4
            else:
                raise ValueError
        shape = plain_shape(dims)
    except ValueError:
        shape = None
    if shape is None:
        raise ConvertError(f"{path}: the description of {shown(name)} is damaged")
    return shape
