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
GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
SUFFIXES = (".pdparams", ".pdiparams", ".safetensors", ".pth", ".pt")
"""What is looked for, the likeliest first."""

Open = Callable[[SourceFile], SourceFile]
Members = dict[str, Callable[[], SourceFile]]
"""Name -> opens the member as a file."""


def is_archive(head: bytes) -> bool:
    """Whether a file that begins with `head` (512 bytes) is an archive that may hold a checkpoint, but for a zip."""
    return head.startswith(GZIP) or head[257:262] == b"ustar"


def is_torch_zip(source: SourceFile) -> bool:
    """Whether a zip archive is one that `torch.save` writes, as far as its first entry tells."""
    head = source.read(0, min(512, source.size))
    length = int.from_bytes(head[26:28], "little")
    return head[30 : 30 + length].endswith((b"/data.pkl", b"/byteorder", b"/version", b"/.format_version"))


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
    raise ConvertError(f"{source.path}: an archive without a checkpoint: it holds {names}")


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
