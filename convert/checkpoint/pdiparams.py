"""`.pdiparams`: the weights of a model exported for inference, back to back and without names.

Each tensor: u32 version 0; u64 number of level-of-detail tables, each u64 n and n bytes; u32 version 0; i32
length of a protobuf {1: dtype, 2: dims}; the data, little-endian (facts/checkpoints.md).
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType

from convert.checkpoint.checkpoint import Checkpoint, FileFacts, check_count, require_tensors
from convert.checkpoint.payload import FileSpan
from convert.checkpoint.pickle_machine import PickleMachine
from convert.checkpoint.program import parameter_names, read_varint
from convert.checkpoint.source import SourceFile
from convert.checkpoint.tensor import TensorRef, plain_shape
from convert.dtypes import BY_PROTO
from convert.errors import ConvertError
from convert.names import counted, shown

PROGRAM_SUFFIXES = (".json", ".pdmodel")
OLD_PROGRAM, OLD_PARAMETERS = "__model__", "__params__"
_DESCRIPTION_MOST = 1024
_LEVELS_MOST = 16


def looks_like_pdiparams(head: bytes) -> bool:
    """Whether a file that begins with `head` (12 bytes or more) may be one."""
    return len(head) >= 12 and head[:4] == bytes(4) and int.from_bytes(head[4:12], "little") <= _LEVELS_MOST


def open_pdiparams(source: SourceFile, *, names: Sequence[str] | None = None) -> Checkpoint:
    """Read a `.pdiparams`; the names come from the program beside it, unless they are given.

    `names` are parameter names in any order (the file has them sorted). Raises ConvertError when no
    names can be found, or when their number is not the number of tensors.
    """
    refs = _tensors(source)
    origin = "--names"
    if names is None:
        program = find_program(source.path)
        names = parameter_names(program)
        origin = program.name
    if len(names) != len(refs):
        raise ConvertError(
            f"{source.path}: has {counted(len(refs), 'tensor')}, but {origin} gives {counted(len(names), 'name')}"
        )
    ordered = sorted(names)
    structured = _structured_names(source.path)
    held = dict(zip(ordered, refs, strict=True))
    names = ordered if origin == "--names" else names
    tensors = {structured.get(name, name): held[name] for name in names}
    if len(tensors) != len(refs):
        raise ConvertError(f"{source.path}: {origin} has the same parameter twice")
    require_tensors(source.path, tensors)
    return Checkpoint(
        source.path,
        MappingProxyType(tensors),
        FileFacts("pdiparams", source.size, shape=f"exported for inference, names from {origin}"),
        MappingProxyType({structured.get(name, name): name for name in names}),
        MappingProxyType({}),
        (source.close,),
        (source.check_unchanged,),
    )


def is_old_folder(path: Path) -> bool:
    """Whether a folder is how Paddle 1.x saved a network: `__params__` beside `__model__`, or a file for every parameter."""
    if os.path.isfile(path / OLD_PARAMETERS):
        return True
    files = _old_files(path)
    return bool(files) and all(_begins_like_a_tensor(file) for file in files)


def open_old_folder(path: Path) -> Checkpoint:
    """Read such a folder; the names are those of the files, or those of the program `__model__`."""
    together = path / OLD_PARAMETERS
    if os.path.isfile(together):
        source = SourceFile(together)
        try:
            return open_pdiparams(source, names=parameter_names(path / OLD_PROGRAM))
        except BaseException:
            source.close()
            raise
    with ExitStack() as opened:
        files: dict[str, SourceFile] = {}
        for file in _old_files(path):
            files[file.name] = SourceFile(file)
            opened.callback(files[file.name].close)
        checkpoint = open_parameter_files(path, files)
        opened.pop_all()
        return checkpoint


def open_parameter_files(path: Path, files: Mapping[str, SourceFile]) -> Checkpoint:
    """A checkpoint of files that hold one parameter each, by their names."""
    tensors: dict[str, TensorRef] = {}
    for name, source in files.items():
        refs = _tensors(source)
        if len(refs) != 1:
            raise ConvertError(
                f"{source.path}: {shown(name)} holds {counted(len(refs), 'tensor')}, and is named like one parameter"
            )
        tensors[name] = refs[0]
    require_tensors(path, tensors)
    return Checkpoint(
        path,
        MappingProxyType(tensors),
        FileFacts("pdiparams", sum(file.size for file in files.values()), shape="a file for every parameter"),
        MappingProxyType({name: name for name in tensors}),
        MappingProxyType({}),
        tuple(file.close for file in files.values()),
        tuple(file.check_unchanged for file in files.values()),
    )


def _old_files(path: Path) -> list[Path]:
    found = (entry for entry in sorted(path.iterdir()) if not entry.name.startswith("."))
    return [entry for entry in found if entry.name != OLD_PROGRAM and os.path.isfile(entry)]


def _begins_like_a_tensor(path: Path) -> bool:
    source = SourceFile(path)
    try:
        return looks_like_pdiparams(source.read(0, min(12, source.size)))
    finally:
        source.close()


def find_program(path: Path) -> Path:
    """The exported program beside a `.pdiparams`."""
    for suffix in PROGRAM_SUFFIXES:
        program = path.with_suffix(suffix)
        if os.path.isfile(program):
            return program
    raise ConvertError(
        f"{path}: has no names in it; put {path.with_suffix('.json').name} or {path.with_suffix('.pdmodel').name} "
        "beside it, or give the parameter names with --names"
    )


def _structured_names(path: Path) -> dict[str, str]:
    """Parameter name -> structured name from the `.pdiparams.info` that the old format writes."""
    info = path.with_name(path.name + ".info")
    if not os.path.isfile(info):
        return {}
    source = SourceFile(info)
    try:
        table = PickleMachine(source).run()
    finally:
        source.close()
    names: dict[str, str] = {}
    for name, facts in table.items() if isinstance(table, dict) else ():
        match facts:
            case {"structured_name": str() as structured}:
                names[str(name)] = structured
    return names if len(set(names.values())) == len(names) else {}


def _tensors(source: SourceFile) -> list[TensorRef]:
    refs = []
    at = 0
    while at < source.size:
        ref, at = _tensor(source, at)
        refs.append(ref)
        check_count(source.path, len(refs))
    return refs


def _tensor(source: SourceFile, at: int) -> tuple[TensorRef, int]:
    start = at
    if _integer(source, at, 4) != 0:
        raise _damaged(source, start, "an unknown version")
    levels = _integer(source, at + 4, 8)
    if levels > _LEVELS_MOST:
        raise _damaged(source, start, "too many level-of-detail tables")
    at += 12
    for _ in range(levels):
        at += 8 + _integer(source, at, 8)
    if _integer(source, at, 4) != 0:
        raise _damaged(source, start, "an unknown tensor version")
    length = _integer(source, at + 4, 4)
    at += 8
    if length > _DESCRIPTION_MOST:
        raise _damaged(source, start, "an impossible description")
    code, shape = _description(source, start, _read(source, at, length))
    kind = BY_PROTO.get(code)
    if kind is None:
        raise ConvertError(
            f"{source.path} at byte {start}: a tensor of Paddle's type {code}, which is not supported"
        )
    at += length
    nbytes = math.prod(shape) * kind.itemsize
    if at + nbytes > source.size:
        raise ConvertError(
            f"{source.path}: the file is cut off: a tensor of shape {shape} at byte {start} needs {nbytes} bytes, "
            f"{source.size - at} are left"
        )
    return TensorRef(shape, kind, FileSpan(source, at, nbytes)), at + nbytes


def _description(source: SourceFile, start: int, data: bytes) -> tuple[int, tuple[int, ...]]:
    """Protobuf {1: dtype, 2: dims, one by one or packed}."""
    code, shape, at = -1, [], 0
    try:
        while at < len(data):
            key, at = read_varint(data, at)
            value, at = read_varint(data, at)
            if key == 0x08:
                code = value
            elif key == 0x10:
                shape.append(value)
            elif key == 0x12:
                end = at + value
                while at < end:
                    size, at = read_varint(data, at)
                    shape.append(size)
            else:
                raise ValueError("unknown field")
    except ValueError:
        raise _damaged(source, start, "a description that is not one") from None
    sizes = plain_shape(shape)
    if sizes is None:
        raise _damaged(source, start, "an impossible shape")
    return code, sizes


def _integer(source: SourceFile, at: int, size: int) -> int:
    return int.from_bytes(_read(source, at, size), "little")


def _read(source: SourceFile, at: int, size: int) -> bytes:
    if at + size > source.size:
        raise ConvertError(
            f"{source.path}: the file is cut off at byte {source.size}; copy or download it again"
        )
    return source.read(at, size)


def _damaged(source: SourceFile, at: int, what: str) -> ConvertError:
    return ConvertError(f"{source.path}: not a readable .pdiparams at byte {at}: {what}")
