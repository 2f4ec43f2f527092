"""Reading `.pth`: the zip archive and the pickle that `torch.save` writes, again without executing anything.

Only what a state dict needs: stored entries, and `_rebuild_tensor_v2` over whole, contiguous storages.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from convert.checkpoint.checkpoint import Checkpoint, FileFacts, check_count, require_tensors, text_keys
from convert.checkpoint.payload import FileSpan
from convert.checkpoint.pdparams import beside
from convert.checkpoint.pickle_calls import build, call
from convert.checkpoint.pickle_machine import OPCODES, HostilePickle, PickleMachine
from convert.checkpoint.pickle_values import GLOBALS, PLAIN, DTypeValue, Global, Value
from convert.checkpoint.source import SourceFile, Span
from convert.checkpoint.tensor import TensorRef, plain_shape
from convert.dtypes import BY_STORAGE, DType
from convert.errors import ConvertError
from convert.names import listed, shown

_END = 0x06054B50
_END_64 = 0x06064B50
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

    opcodes = MappingProxyType({**OPCODES, ord("Q"): lambda machine: machine.persistent()})
    globals = _FUNCTIONS
    needed_by = "a torch state dict"
    instead = "; where the whole model was saved, save its state_dict()"

    def persistent(self) -> None:
        """BINPERSID: ('storage', class, key, device, count)."""
        match self._pop():
            case ("storage", DType() as kind, str() as key, str(), int()):
                self._stack.append(_Storage(key, kind))
            case _:
                raise self._damaged("a storage in a form that torch does not write")

    def _reduce(self) -> None:
        arguments = self._pop()
        function = self._pop()
        match function, arguments:
            case Global.ORDERED_DICT, ():
                self._stack.append({})
            case _Rebuild(), (
                _Storage() as storage,
                int() as offset,
                tuple() as shape,
                tuple() as strides,
                *_,
            ):
                self._stack.append(self._tensor(storage, offset, shape, strides))
            case _RebuildParameter(), (TensorRef() as tensor, *_):
                self._stack.append(tensor)
            case Global(), tuple():
                self._charge(arguments)
                self._stack.append(call(self._where(), self.source, function, arguments))
            case _:
                raise self._damaged("a call that torch does not write for a state dict")

    def _build(self) -> None:
        state, target = self._pop(), self._top()
        if target == {} and isinstance(state, dict) and "_metadata" not in state:  # a Namespace
            self._charged += len(state)
            target.update(state)
        elif isinstance(target, DTypeValue):
            build(self._where(), self.source, target, state)

    def _tensor(
        self, storage: _Storage, offset: int, shape: tuple[Value, ...], strides: tuple[Value, ...]
    ) -> TensorRef:
        sizes = plain_shape(shape)
        if sizes is None or storage.key not in self._storages:
            raise self._damaged("a tensor with an impossible shape or storage")
        start, length = self._storages[storage.key]
        nbytes = math.prod(sizes) * storage.kind.itemsize
        begin = offset * storage.kind.itemsize
        if offset < 0 or begin + nbytes > length:
            raise self._damaged(f"a tensor of {nbytes} bytes in a storage of {length}")
        if nbytes > _FREE_TO_SHARE:
            self._used[storage.key] = self._used.get(storage.key, 0) + nbytes
        if self._used.get(storage.key, 0) > _TIED_MOST * length:
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
    first = _OldTorchMachine(Span(source, at, source.size - at), {}, source)
    first.run()  # which storages there are
    keys = PickleMachine(Span(source, at + first.end, source.size - at - first.end))
    order = keys.run()
    texts = isinstance(order, list) and all(isinstance(name, str) for name in order)
    if not isinstance(order, list) or not texts or sorted(map(str, order)) != sorted(first.sizes):
        raise _damaged_pickles(source)
    place, storages = at + first.end + keys.end, {}
    for name in order:
        count, itemsize = first.sizes[str(name)]
        (stored,) = struct.unpack("<q", source.read(place, 8))
        if stored != count or place + 8 + count * itemsize > source.size:
            raise _damaged_pickles(source)
        storages[str(name)] = (place + 8, count * itemsize)
        place += 8 + count * itemsize
    value = _OldTorchMachine(Span(source, at, source.size - at), storages, source).run()
    return _checkpoint(source, value, key, "torch state dict of before torch 1.6")


class _OldTorchMachine(_TorchMachine):
    """Notes the storages as it goes: their places are known only afterwards."""

    def __init__(self, source: SourceFile, storages: dict[str, tuple[int, int]], file: SourceFile) -> None:
        self._places = dict(storages)
        super().__init__(source, self._places, file)
        self.sizes: dict[str, tuple[int, int]] = {}
        """Elements of each storage, and the bytes of one."""

    def persistent(self) -> None:
        """BINPERSID: ('storage', class, key, device, count, view), of which no view is written any more."""
        match self._pop():
            case ("storage", DType() as kind, str() as key, str(), int() as count, None) if count >= 0:
                self.sizes[key] = (count, kind.itemsize)
                self._places.setdefault(key, (0, count * kind.itemsize))
                self._stack.append(_Storage(key, kind))
            case _:
                raise self._damaged("a storage in a form that torch does not write")


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
    try:
        at, size = _directory(source)
        directory = source.read(at, size)
        position = 0
        while position < size:
            name, header, length, position = _entry(source, directory, position)
            if name in entries:
                raise _damaged(source)
            check_count(source.path, len(entries) - _OTHER_ENTRIES)
            data = _data_at(source, header, length)
            entries[name] = (data, length)
            spans.append((header, data + length))
    except (struct.error, UnicodeDecodeError):
        raise _damaged(source) from None
    spans.sort()
    if any(end > begin for (_, end), (begin, _) in pairwise([*spans, (at, at)])):
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
    (signature,) = struct.unpack_from("<I", directory, at)
    (method,) = struct.unpack_from("<H", directory, at + 10)
    packed, length, names, extras, comments = struct.unpack_from("<IIHHH", directory, at + 20)
    (header,) = struct.unpack_from("<I", directory, at + 42)
    if signature != 0x02014B50:
        raise _damaged(source)
    after = at + 46 + names + extras + comments
    wide = iter(_zip64(directory[at + 46 + names : after]))
    try:
        length = next(wide) if length == 0xFFFFFFFF else length
        packed = next(wide) if packed == 0xFFFFFFFF else packed
        header = next(wide) if header == 0xFFFFFFFF else header
    except StopIteration:
        raise _damaged(source) from None
    if method != 0 or packed != length:
        raise ConvertError(f"{source.path}: is a compressed zip archive, which torch.save does not write")
    return directory[at + 46 : at + 46 + names].decode("utf-8"), header, length, after


def _zip64(extra: bytes) -> tuple[int, ...]:
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            return struct.unpack_from(f"<{min(size // 8, 3)}Q", extra, at + 4)
        at += 4 + size
    return ()


def _data_at(source: SourceFile, header: int, length: int) -> int:
    if header + 30 > source.size:
        raise _damaged(source)
    local = source.read(header, 30)
    if not local.startswith(b"PK\x03\x04"):
        raise _damaged(source)
    names, extras = struct.unpack("<HH", local[26:])
    at = header + 30 + names + extras
    if at + length > source.size:
        raise _damaged(source)
    return int(at)


def _damaged(source: SourceFile) -> ConvertError:
    return ConvertError(f"{source.path}: the zip archive is damaged; copy or download it again")
