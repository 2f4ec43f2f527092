"""Writing `.pth`: the zip archive that `torch.save` writes, without torch and in flat memory.

An entry's local header comes before its data and holds the data's CRC, so the header is written last.
The CRCs are read back from the file, piece by piece on all threads. Entries are stored, not compressed, and begin on
64-byte boundaries, so that `torch.load(mmap=True)` maps them.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from convert.errors import ConvertError
from convert.write.atomic import AtomicFile, pieces
from convert.write.crc import combine_crcs
from convert.write.opcodes import PickleText
from convert.write.place import Placement, Progress, place_all, workers_for
from convert.write.workers import Workers, Workspace

ZIP64_FROM = 0xFFFFFFFF
_ALIGN = 64
_READ_BACK = 1 << 20
_CRC_PIECE = 16 << 20
_VERSION = b"3\n"
_DATE = (0, 0x21)  # 1980-01-01, as a reproducible file has


@dataclass(frozen=True)
class Tensor:
    """Marks the place of `items[index]` in the structure that is pickled."""

    index: int


@dataclass
class _Entry:
    name: bytes
    size: int
    header_at: int
    data_at: int
    crc: int = 0
    zip64: bool = False


def write_torch(
    path: str | os.PathLike[str],
    items: Sequence[Placement],
    structure: object,
    *,
    force: bool = False,
    progress: Progress = lambda _: None,
    before_publish: Progress = lambda _: None,
    zip64_from: int = ZIP64_FROM,
) -> int:
    """Write `structure` (plain values, `Tensor(i)` where `items[i]` belongs); the file's size."""
    text = _TorchPickle(items)
    text.value(structure)
    small = {
        b"archive/data.pkl": text.finish(),
        b"archive/byteorder": b"little",
        b"archive/version": _VERSION,
    }
    at = 0
    entries: list[_Entry] = []
    for name, size in [(name, len(data)) for name, data in small.items()] + [
        (f"archive/data/{index}".encode(), item.nbytes) for index, item in enumerate(items)
    ]:
        entry = _entry(name, size, at, zip64_from)
        entries.append(entry)
        at = entry.data_at + size
    tail_size = sum(len(_central(entry)) for entry in entries) + 200
    with AtomicFile(path, force=force, size=at + tail_size) as out:
        for entry, data in zip(entries, small.values(), strict=False):
            out.write(data, entry.data_at)
        workers = workers_for(items)
        places = [(item, entry.data_at) for item, entry in zip(items, entries[len(small) :], strict=True)]
        place_all(out, places, progress, workers)
        _finish(out, entries, workers)
        end = _directory(entries, at, zip64_from)
        out.write(end, at)
        before_publish(at + len(end))
    return at + len(end)


def state_structure(items: Sequence[Placement]) -> dict[str, Tensor]:
    """The structure of a plain state dict."""
    return {item.name: Tensor(index) for index, item in enumerate(items)}


class _TorchPickle(PickleText):
    def __init__(self, items: Sequence[Placement]) -> None:
        super().__init__(2)
        self._items = items
        self._known: dict[tuple[str, tuple[int, ...]], tuple[bytes, bytes]] = {}

    def value(self, value: object) -> None:
        if isinstance(value, Tensor):
            self._tensor(value.index)
        else:
            super().value(value)

    def _tensor(self, index: int) -> None:
        item = self._items[index]
        if item.kind.storage is None:
            raise ConvertError(f"{item.name}: a .pth file has no {item.kind.name}; write safetensors instead")
        known = self._known.get((item.kind.storage, item.shape))
        if known is None:
            known = _around(item.kind.storage, item.shape, item.source.size)
            self._known[item.kind.storage, item.shape] = known
        before, after = known
        self.data += before
        self.text(str(index))
        self.data += after


def _around(storage: str, shape: tuple[int, ...], size: int) -> tuple[bytes, bytes]:
    """What stands before and behind the number of a tensor's storage: the same for all of one type and shape."""
    before, after = PickleText(), PickleText()
    begin = len(before.data)
    before.glob("torch._utils", "_rebuild_tensor_v2")
    before.data += b"(("
    before.text("storage")
    before.glob("torch", storage)
    after.text("cpu")
    after.integer(size)
    after.data += b"tQ"
    after.integer(0)
    after.tuple(shape)
    after.tuple(_strides(shape))
    after.data += b"\x89"
    after.glob("collections", "OrderedDict")
    after.data += b")RtR"
    return bytes(before.data[begin:]), bytes(after.data[begin:])


def _strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    strides: list[int] = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(1, size)
    return tuple(reversed(strides))


def _entry(name: bytes, size: int, at: int, zip64_from: int) -> _Entry:
    zip64 = size >= zip64_from or at >= zip64_from
    begin = at + 30 + len(name) + (20 if zip64 else 0)
    begin += 4  # the padding's own header
    return _Entry(name, size, at, begin + (-begin % _ALIGN), zip64=zip64)


def _local(entry: _Entry) -> bytes:
    extra = struct.pack("<HHQQ", 1, 16, entry.size, entry.size) if entry.zip64 else b""
    padding = entry.data_at - entry.header_at - 30 - len(entry.name) - len(extra) - 4
    extra += struct.pack("<HH", 0x4246, padding) + b"Z" * padding  # "FB", as torch pads
    size = 0xFFFFFFFF if entry.zip64 else entry.size
    fields = (0x04034B50, 45 if entry.zip64 else 20, 0x800, 0, *_DATE, entry.crc, size, size)
    return struct.pack("<IHHHHHIIIHH", *fields, len(entry.name), len(extra)) + entry.name + extra


def _central(entry: _Entry) -> bytes:
    extra = struct.pack("<HHQQQ", 1, 24, entry.size, entry.size, entry.header_at) if entry.zip64 else b""
    size = 0xFFFFFFFF if entry.zip64 else entry.size
    at = 0xFFFFFFFF if entry.zip64 else entry.header_at
    version = 45 if entry.zip64 else 20
    head = (
        0x02014B50,
        version,
        version,
        0x800,
        0,
        *_DATE,
        entry.crc,
        size,
        size,
        len(entry.name),
        len(extra),
    )
    return struct.pack("<IHHHHHHIIIHHHHHII", *head, 0, 0, 0, 0, at) + entry.name + extra


def _directory(entries: list[_Entry], at: int, zip64_from: int) -> bytes:
    central = b"".join(_central(entry) for entry in entries)
    count, size = len(entries), len(central)
    large = at >= zip64_from or count >= 0xFFFF
    end = b""
    if large:
        end += struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, size, at)
        end += struct.pack("<IIQI", 0x07064B50, 0, at + size, 1)
    number = 0xFFFF if large else count
    end += struct.pack(
        "<IHHHHIIH",
        0x06054B50,
        0,
        0,
        number,
        number,
        0xFFFFFFFF if large else size,
        0xFFFFFFFF if large else at,
        0,
    )
    return central + end


def _finish(out: AtomicFile, entries: Sequence[_Entry], workers: Workers) -> None:
    """Read entries back that are written, note their CRCs, and write their headers: of neighbours that are small at once."""
    crcs: dict[tuple[int, int], int] = {}

    def compute(number: int, first: int, count: int, space: Workspace) -> None:
        crc = 0
        buffer = space.buffer("scratch", min(count, _READ_BACK))
        for start, length in pieces(count, _READ_BACK):
            out.read_into([buffer[:length]], entries[number].data_at + first + start)
            crc = zlib.crc32(buffer[:length], crc)
        crcs[number, first] = crc

    runs, large = _runs(entries)
    cut = [
        (number, first, count)
        for number in large
        for first, count in pieces(entries[number].size, _CRC_PIECE)
    ]
    workers.run(
        [partial(_finish_run, out, run) for run in runs] + [partial(compute, *piece) for piece in cut]
    )
    for number, first, count in cut:
        entries[number].crc = combine_crcs(entries[number].crc, crcs[number, first], count)
    for number in large:
        out.write(_local(entries[number]), entries[number].header_at)


def _runs(entries: Sequence[_Entry]) -> tuple[list[list[_Entry]], list[int]]:
    """Neighbours that fit into one buffer together, and the numbers of the entries that are too large for that."""
    runs: list[list[_Entry]] = []
    large: list[int] = []
    run: list[_Entry] = []
    for number, entry in enumerate(entries):
        end = entry.data_at + entry.size
        if end - entry.header_at > _READ_BACK:
            large.append(number)
            run = []
            continue
        if not run or end - run[0].header_at > _READ_BACK:
            run = []
            runs.append(run)
        run.append(entry)
    return runs, large


def _finish_run(out: AtomicFile, run: Sequence[_Entry], space: Workspace) -> None:
    begin = run[0].header_at
    held = space.buffer("scratch", run[-1].data_at + run[-1].size - begin)
    out.read_into([held], begin)
    for entry in run:
        data_at = entry.data_at - begin
        entry.crc = zlib.crc32(held[data_at : data_at + entry.size])
        held[entry.header_at - begin : data_at] = _local(entry)
    out.write(held, begin)
