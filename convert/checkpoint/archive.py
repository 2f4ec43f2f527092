"""Checkpoints inside of tar, gzip and zip: read where they lie, or from a nameless temporary file; nothing is extracted.

Names in an archive are only looked at, never used as paths. A tar is walked by its headers (POSIX ustar, with the long
names of GNU and pax); what is compressed is decompressed once into a file that has no name on the disk.
"""

from __future__ import annotations

import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from convert.checkpoint.pdiparams import looks_like_pdiparams
from convert.checkpoint.signatures import ZIP
from convert.checkpoint.source import SourceFile, Span
from convert.errors import ConvertError
from convert.names import listed, shown

_BLOCK = 512
_MEMBERS_MOST = 100_000
_UNPACKED_FREE, _UNPACKED_MOST = 100_000_000, 50
"""What is compressed may unpack to so many bytes, and so many times its own; weights hardly become smaller at all."""
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    ValueError,
    struct.error,
    RuntimeError,
    EOFError,
    LookupError,
)
"""What `zipfile` raises for an archive that is none."""
_STEP = 1 << 20
SUFFIXES = (".pdparams", ".pdiparams", ".safetensors", ".pth", ".pt")
"""What is looked for, the likeliest first."""

Open = Callable[[SourceFile], SourceFile]
Members = dict[str, Callable[[], SourceFile]]
"""Name -> opens the member as a file."""


def members_of(source: SourceFile) -> Members | None:
    """What an archive holds; None for a single compressed file. ConvertError for a damaged one."""
    head = source.read(0, min(_BLOCK, source.size))
    if head.startswith(ZIP):
        return dict(_zip_members(source))
    if head[257:262] == b"ustar":
        return dict(_tar_members(source))
    return None


def checkpoint_in(source: SourceFile, members: Members) -> str:
    """The name of the one checkpoint among the members; ConvertError for none or several."""
    for suffix in SUFFIXES:
        found = [name for name in members if name.endswith(suffix)]
        if len(found) == 1:
            return found[0]
        if found:
            names = listed([shown(name) for name in found], 20)
            raise ConvertError(f"{source.path}: holds several checkpoints ({names}); unpack the one to read")
    names = listed([shown(name) for name in members]) or "nothing"
    kind = "zip" if source.read(0, 2) == ZIP[:2] else "tar"
    raise ConvertError(f"{source.path}: a {kind} archive without a checkpoint: it holds {names}")


def parameter_files(members: Members) -> dict[str, SourceFile]:
    """The members as a folder of Paddle 1.x, a file for every parameter; empty where they are anything else.

    The names are those of the files, without the folder that all are in.
    """
    names = {PurePosixPath(name).name: name for name in members if PurePosixPath(name).name != "__model__"}
    folders = {str(PurePosixPath(name).parent) for name in names.values()}
    if len(folders) != 1 or any(name.endswith(SUFFIXES) for name in members):
        return {}
    files = {}
    for name, member in names.items():
        files[name] = members[member]()
        if not looks_like_pdiparams(files[name].read(0, min(12, files[name].size))):
            return {}
    return files


def beside(members: Members, name: str, suffixes: tuple[str, ...]) -> tuple[str, SourceFile] | None:
    """The member of the same name but for its suffix."""
    stem = str(PurePosixPath(name).with_suffix(""))
    found = next((stem + suffix for suffix in suffixes if stem + suffix in members), None)
    return None if found is None else (found, members[found]())


def decompressed(source: SourceFile) -> SourceFile:
    """The contents of a gzip file."""

    def parts() -> Iterator[bytes]:
        machine, at = zlib.decompressobj(16 + zlib.MAX_WBITS), 0
        while at < source.size:
            data = source.read(at, min(_STEP, source.size - at))
            at += len(data)
            while data:
                yield machine.decompress(data, _STEP)
                data = machine.unconsumed_tail or machine.unused_data
                if machine.eof and data:
                    machine = zlib.decompressobj(16 + zlib.MAX_WBITS)
        if not machine.eof:
            raise ConvertError(f"{source.path}: the gzip file is cut off; copy or download it again")

    try:
        return _nameless(source.path, parts(), source.size)
    except zlib.error as error:
        raise ConvertError(f"{source.path}: the gzip file is damaged ({error})") from None


def _nameless(path: Path, parts: Iterator[bytes], packed: int) -> SourceFile:
    """A file without a name that holds `parts`, which were `packed` bytes; its messages speak of `path`."""
    most = _UNPACKED_FREE + _UNPACKED_MOST * packed
    handle, name = tempfile.mkstemp(prefix="paddle2torch-")
    try:
        with os.fdopen(handle, "wb") as out:
            count = 0
            for part in parts:
                count += out.write(part)
                if count > most:
                    raise ConvertError(f"{path}: unpacks to more than {most} bytes; refused")
        made = SourceFile(name)
    except OSError as error:
        raise ConvertError(f"{path}: cannot be decompressed ({error.strerror})") from error
    finally:
        os.unlink(name)
    made.path = path
    return made


def _tar_members(source: SourceFile) -> Iterator[tuple[str, Callable[[], SourceFile]]]:
    at, long = 0, ""
    for _ in range(_MEMBERS_MOST):
        if at + _BLOCK > source.size:
            return
        header = source.read(at, _BLOCK)
        if not any(header):
            return
        try:
            size = _octal(header[124:136])
        except ValueError:
            raise ConvertError(f"{source.path}: the tar archive is damaged at byte {at}") from None
        kind, begin = header[156:157], at + _BLOCK
        if begin + size > source.size:
            raise ConvertError(f"{source.path}: the tar archive is cut off; copy or download it again")
        if kind in (b"L", b"x"):
            long = _long_name(source.read(begin, min(size, 4096)), kind) or long
        else:
            if kind in (b"0", b"\0"):
                name = long or "/".join(filter(None, (_text(header[345:500]), _text(header[:100]))))
                yield name, lambda begin=begin, size=size: Span(source, begin, size)  # type: ignore[misc]
            long = ""
        at = begin + -(-size // _BLOCK) * _BLOCK
    raise ConvertError(f"{source.path}: a tar archive of more than {_MEMBERS_MOST} members; refused")


def _octal(field: bytes) -> int:
    if field[0] & 0x80:  # GNU: a large size in binary
        return int.from_bytes(field[1:], "big")
    return int(field.strip(b" \0") or b"0", 8)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")


def _long_name(data: bytes, kind: bytes) -> str:
    """The name of the next member, from GNU's long name or pax's `path` record."""
    if kind == b"L":
        return _text(data)
    for line in data.split(b"\n"):
        key, _, value = line.partition(b"=")
        if key.endswith(b" path"):
            return value.decode("utf-8", "replace")
    return ""


def _zip_members(source: SourceFile) -> Iterator[tuple[str, Callable[[], SourceFile]]]:
    try:
        with zipfile.ZipFile(source.path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    except _DAMAGED:
        raise ConvertError(f"{source.path}: the zip archive is damaged; copy or download it again") from None
    if len(entries) > _MEMBERS_MOST:
        raise ConvertError(f"{source.path}: a zip archive of more than {_MEMBERS_MOST} members; refused")
    for entry in entries:
        yield entry.filename, lambda entry=entry: _zip_member(source, entry)  # type: ignore[misc]


def _zip_member(source: SourceFile, entry: zipfile.ZipInfo) -> SourceFile:
    try:
        with zipfile.ZipFile(source.path) as archive, archive.open(entry) as stream:
            return _nameless(source.path, _pieces(stream), source.size)
    except ConvertError:
        raise
    except _DAMAGED as error:
        raise ConvertError(f"{source.path}: {shown(entry.filename)} cannot be read ({error})") from None


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(_STEP):
        yield piece
