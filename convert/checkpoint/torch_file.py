"""Reading `.pth`: the zip archive and the pickle that `torch.save` writes, again without executing anything.

Only what a state dict needs: stored entries, and `_rebuild_tensor_v2` over whole, contiguous storages.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from convert.checkpoint.checkpoint import Checkpoint, FileFacts, check_count, require_tensors, text_keys
from convert.checkpoint.payload import FileSpan
from convert.checkpoint.pdparams import beside
from convert.checkpoint.pickle_calls import build, call
from convert.checkpoint.pickle_machine import HostilePickle, PickleMachine
from convert.checkpoint.pickle_values import GLOBALS, PLAIN, DTypeValue, Global, Value
from convert.checkpoint.source import WINDOW, SourceFile, Span
from convert.checkpoint.tensor import TensorRef, plain_shape
from convert.dtypes import BY_STORAGE, DType
from convert.errors import ConvertError
from convert.names import listed, shown

_END = 0x06054B50
_END_64 = 0x06064B50
_ENTRY = struct.Struct("<I6xH8xIIHHH8xI")
_HEADER = struct.Struct("<4s22xHH")
_OTHER_ENTRIES = 100
"""Entries of an archive that are no tensors."""
_DIRECTORY_MOST = 32_000_000
_TIED_MOST = 8
_FREE_TO_SHARE = 16


@dataclass(frozen=True)
class _Storage:
    key: str
    kind: DType


class _Rebuild:
    """Stands for `torch._utils._rebuild_tensor_v2`."""


class _RebuildParameter:
    """Stands for `torch._utils._rebuild_parameter`."""


_OF_SCALARS = (Global.SCALAR, Global.DTYPE, Global.ENCODE)
"""What numpy's numbers are made of, such as a best accuracy beside the weights."""
_FUNCTIONS: Mapping[tuple[str, str], object] = MappingProxyType(
    {
        ("torch._utils", "_rebuild_tensor_v2"): _Rebuild(),
        ("torch._utils", "_rebuild_parameter"): _RebuildParameter(),
        ("collections", "OrderedDict"): Global.ORDERED_DICT,
        **{name: known for name, known in GLOBALS.items() if known in _OF_SCALARS},
        **{("torch", storage): kind for storage, kind in BY_STORAGE.items()},
        **PLAIN,
    }
)


class _TorchMachine(PickleMachine):
    """The same machine, with torch's persistent storages and its few functions."""

    def __init__(self, source: SourceFile, storages: Mapping[str, tuple[int, int]], file: SourceFile) -> None:
        super().__init__(source)
        self._storages, self._file = storages, file
        self._used: dict[str, int] = {}
        """Bytes of the tensors of each storage."""

    globals = _FUNCTIONS
    needed_by = "a torch state dict"
    instead = "; where the whole model was saved, save its state_dict()"

    def persistent(self, described: Value) -> Value:
        """BINPERSID: ('storage', class, key, device, count)."""
        match described:
            case ("storage", DType() as kind, str() as key, str(), int()):
                return _Storage(key, kind)
        raise self.damaged("a storage in a form that torch does not write")

    def called(self, function: Value, arguments: Value) -> Value:
        """REDUCE, of what torch writes for a state dict."""
        match function, arguments:
            case Global.ORDERED_DICT, ():
                return {}
            case _Rebuild(), (
                _Storage() as storage,
                int() as offset,
                tuple() as shape,
                tuple() as strides,
                *_,
            ):
                return self._tensor(storage, offset, shape, strides)
            case _RebuildParameter(), (TensorRef() as tensor, *_):
                return tensor
            case Global(), tuple():
                return call(self.place, self.source, function, arguments)
        raise self.damaged("a call that torch does not write for a state dict")

    def built(self, target: Value, state: Value) -> None:
        """BUILD, of a Namespace or a numpy dtype; what a module keeps of itself is passed over."""
        if target == {} and isinstance(state, dict) and "_metadata" not in state:
            target.update(state)
        elif isinstance(target, DTypeValue):
            build(self.place, self.source, target, state)

    def _tensor(
        self, storage: _Storage, offset: int, shape: tuple[Value, ...], strides: tuple[Value, ...]
    ) -> TensorRef:
        sizes = plain_shape(shape)
        if sizes is None or storage.key not in self._storages:
            raise self.damaged("a tensor with an impossible shape or storage")
        start, length = self._storages[storage.key]
        nbytes = math.prod(sizes) * storage.kind.itemsize
        begin = offset * storage.kind.itemsize
        if offset < 0 or begin + nbytes > length:
            raise self.damaged(f"a tensor of {nbytes} bytes in a storage of {length}")
        if nbytes > _FREE_TO_SHARE:
            used = self._used[storage.key] = self._used.get(storage.key, 0) + nbytes
            if used > _TIED_MOST * length:
                raise HostilePickle(
                    f"{self.source.path}: the tensors of one storage have more than {_TIED_MOST} times its bytes; refused"
                )
        fortran = _order(sizes, strides)
        if fortran is None:
            raise ConvertError(
                f"{self.source.path}: holds a tensor of shape {sizes} that is a strided view; save it contiguous"
            )
        return TensorRef(sizes, storage.kind, FileSpan(self._file, start + begin, nbytes), fortran)


def open_torch(source: SourceFile, *, key: str | None = None) -> Checkpoint:
    """Read a `.pth` that holds a state dict, or a dictionary of which `key` names one."""
    entries = _entries(source)
    pickles = [name for name in entries if name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise ConvertError(f"{source.path}: a zip archive, but not one that torch.save writes")
    folder = pickles[0].removesuffix("data.pkl")
    storages = {
        name.removeprefix(folder + "data/"): span
        for name, span in entries.items()
        if name.startswith(folder + "data/")
    }
    order = entries.get(folder + "byteorder")
    if order is not None and source.read(order[0], min(order[1], 8)) == b"big":
        raise ConvertError(
            f"{source.path}: was saved on a big-endian machine, which is not read; save it on a little-endian one"
        )
    machine = _TorchMachine(Span(source, *entries[pickles[0]]), storages, source)
    return _checkpoint(source, machine.run(), key, "torch state dict")


def open_torch_before_1_6(source: SourceFile, *, key: str | None = None) -> Checkpoint:
    """Read a `.pth` of torch before 1.6: pickles one after the other, then the storages (torch/serialization.py: _legacy_load).

    The pickles are a number, a version, the sizes of the machine's integers, what was saved, and the keys of the storages; each
    storage is its number of elements and their bytes.
    """
    at = 0
    for wanted in (int, int, dict):
        machine = PickleMachine(Span(source, at, source.size - at))
        value = machine.run()
        if not isinstance(value, wanted):
            raise _damaged_pickles(source)
        if isinstance(value, dict) and value.get("little_endian") is not True:
            raise ConvertError(f"{source.path}: was saved on a big-endian machine, which is not read")
        at += machine.end
    machine = _OldTorchMachine(Span(source, at, source.size - at), {}, source)
    value = machine.run()
    keys = PickleMachine(Span(source, at + machine.end, source.size - at - machine.end))
    order = keys.run()
    texts = isinstance(order, list) and all(isinstance(name, str) for name in order)
    if not isinstance(order, list) or not texts or sorted(map(str, order)) != sorted(machine.sizes):
        raise _damaged_pickles(source)
    place = at + machine.end + keys.end
    for name in order:
        count, itemsize = machine.sizes[str(name)]
        (stored,) = struct.unpack("<q", source.read(place, 8))
        if stored != count or place + 8 + count * itemsize > source.size:
            raise _damaged_pickles(source)
        for span in machine.spans.get(str(name), ()):
            span.offset += place + 8
        place += 8 + count * itemsize
    return _checkpoint(source, value, key, "torch state dict of before torch 1.6")


class _OldTorchMachine(_TorchMachine):
    """Notes the storages and what lies in them: where they are is known only afterwards."""

    def __init__(self, source: SourceFile, storages: dict[str, tuple[int, int]], file: SourceFile) -> None:
        super().__init__(source, storages, file)
        self._places = storages
        self.sizes: dict[str, tuple[int, int]] = {}
        """Elements of each storage, and the bytes of one."""
        self.spans: dict[str, list[FileSpan]] = {}
        """Where in each storage its tensors are."""

    def _tensor(
        self, storage: _Storage, offset: int, shape: tuple[Value, ...], strides: tuple[Value, ...]
    ) -> TensorRef:
        made = super()._tensor(storage, offset, shape, strides)
        if isinstance(made.payload, FileSpan):
            self.spans.setdefault(storage.key, []).append(made.payload)
        return made

    def persistent(self, described: Value) -> Value:
        """BINPERSID: ('storage', class, key, device, count, view), of which no view is written any more."""
        match described:
            case ("storage", DType() as kind, str() as key, str(), int() as count, None) if count >= 0:
                self.sizes[key] = (count, kind.itemsize)
                self._places.setdefault(key, (0, count * kind.itemsize))
                return _Storage(key, kind)
        raise self.damaged("a storage in a form that torch does not write")


def _damaged_pickles(source: SourceFile) -> ConvertError:
    return ConvertError(f"{source.path}: the torch file is damaged or cut off; copy or download it again")


def _checkpoint(source: SourceFile, value: Value, key: str | None, shape: str) -> Checkpoint:
    state, chosen = _choose(source, value, key)
    require_tensors(source.path, state)
    return Checkpoint(
        source.path,
        MappingProxyType(state),
        FileFacts("pth", source.size, shape=shape, key=chosen),
        extras=MappingProxyType(beside(value)),
        _closers=(source.close,),
        _checks=(source.check_unchanged,),
    )


def _choose(source: SourceFile, value: Value, key: str | None) -> tuple[dict[str, TensorRef], str]:
    found: dict[str, dict[str, TensorRef]] = {}
    if isinstance(value, dict):
        for name, held in [("", value), *text_keys(source.path, value)]:
            if isinstance(held, dict):
                tensors = {k: v for k, v in text_keys(source.path, held) if isinstance(v, TensorRef)}
                if tensors:
                    found[name] = tensors
    there = listed([shown(name) or "(top level)" for name in found], 20) or "none"
    if key is None and len(found) != 1:
        raise ConvertError(f"{source.path}: which state dict? choose one with --key; there are: {there}")
    chosen = next(iter(found)) if key is None else key
    if chosen not in found:
        raise ConvertError(f"{source.path}: no state dict at key {shown(chosen)!r}; there are: {there}")
    return found[chosen], chosen


def _order(shape: tuple[int, ...], strides: tuple[Value, ...]) -> bool | None:
    """False for row-major, True for column-major, None for anything else."""
    rows = _contiguous(shape)
    if strides == rows:
        return False
    same = [(a, b) for a, b, size in zip(strides, rows, shape, strict=False) if size > 1]
    if len(strides) == len(shape) and (all(a == b for a, b in same) or 0 in shape):
        return False
    columns = _contiguous(shape[::-1])[::-1]
    same = [(a, b) for a, b, size in zip(strides, columns, shape, strict=False) if size > 1]
    return True if len(strides) == len(shape) and all(a == b for a, b in same) else None


def _contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    steps, step = [], 1
    for size in reversed(shape):
        steps.append(step)
        step *= max(1, size)
    return tuple(reversed(steps))


def _entries(source: SourceFile) -> dict[str, tuple[int, int]]:
    """Name -> (offset, size) of every stored entry, by the archive's directory; no byte belongs to two of them."""
    entries: dict[str, tuple[int, int]] = {}
    spans: list[tuple[int, int]] = []
    headers = _Headers(source)
    try:
        at, size = _directory(source)
        directory = source.read(at, size)
        position = 0
        while position < size:
            name, header, length, position = _entry(source, directory, position)
            if name in entries:
                raise _damaged(source)
            check_count(source.path, len(entries) - _OTHER_ENTRIES)
            data = headers.end_of(header)
            if data + length > source.size:
                raise _damaged(source)
            entries[name] = (data, length)
            spans.append((header, data + length))
    except (struct.error, UnicodeDecodeError):
        raise _damaged(source) from None
    spans.sort()
    last = 0
    for begin, end in spans:
        if begin < last:
            raise HostilePickle(f"{source.path}: the zip archive has entries that overlap; refused")
        last = end
    if last > at:
        raise HostilePickle(f"{source.path}: the zip archive has entries that overlap; refused")
    return entries


def _directory(source: SourceFile) -> tuple[int, int]:
    """Where the archive's directory begins, and its size."""
    tail_at = max(0, source.size - 66_000)
    tail = source.read(tail_at, source.size - tail_at)
    end = tail.rfind(struct.pack("<I", _END))
    if end < 0 or len(tail) - end < 22:
        raise ConvertError(f"{source.path}: the zip archive is cut off; copy or download it again")
    size, at = struct.unpack_from("<II", tail, end + 12)
    if 0xFFFFFFFF in (size, at):
        end_64 = tail.rfind(struct.pack("<I", _END_64), 0, end)
        if end_64 < 0:
            raise _damaged(source)
        size, at = struct.unpack_from("<QQ", tail, end_64 + 40)
    if at + size > source.size or size > _DIRECTORY_MOST:
        raise _damaged(source)
    return at, size


def _entry(source: SourceFile, directory: bytes, at: int) -> tuple[str, int, int, int]:
    """One entry of the directory: name, offset of its header, size, and where the next one begins."""
    signature, method, packed, length, names, extras, comments, header = _ENTRY.unpack_from(directory, at)
    if signature != 0x02014B50:
        raise _damaged(source)
    behind = at + 46 + names
    after = behind + extras + comments
    if 0xFFFFFFFF in (length, packed, header):
        wide = iter(_zip64(directory[behind:after]))
        try:
            length = next(wide) if length == 0xFFFFFFFF else length
            packed = next(wide) if packed == 0xFFFFFFFF else packed
            header = next(wide) if header == 0xFFFFFFFF else header
        except StopIteration:
            raise _damaged(source) from None
    if method != 0 or packed != length:
        raise ConvertError(f"{source.path}: is a compressed zip archive, which torch.save does not write")
    return directory[at + 46 : behind].decode("utf-8"), header, length, after


def _zip64(extra: bytes) -> tuple[int, ...]:
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            return struct.unpack_from(f"<{min(size // 8, 3)}Q", extra, at + 4)
        at += 4 + size
    return ()


class _Headers:
    """The entries' own headers, read many at once where the entries are small."""

    def __init__(self, source: SourceFile) -> None:
        self._source = source
        self._data, self._begin = b"", 0

    def end_of(self, header: int) -> int:
        """Where the data of the entry begins whose header is at `header`."""
        at = header - self._begin
        if not 0 <= at <= len(self._data) - _HEADER.size:
            if header + _HEADER.size > self._source.size:
                raise _damaged(self._source)
            near = 0 <= at < WINDOW
            self._begin, at = header, 0
            self._data = self._source.window(header) if near else self._source.read(header, _HEADER.size)
        signature, names, extras = _HEADER.unpack_from(self._data, at)
        if signature != b"PK\x03\x04":
            raise _damaged(self._source)
        return header + _HEADER.size + int(names) + int(extras)


def _damaged(source: SourceFile) -> ConvertError:
    return ConvertError(f"{source.path}: the zip archive is damaged; copy or download it again")
