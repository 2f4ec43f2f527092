"""A pickle reader that cannot run anything.

It knows the opcodes that `paddle.save` and numpy emit (facts/checkpoints.md) and no others. A global
becomes a member of `Global` or is refused by name; a call is one of the few shapes in `pickle_calls`.
Array data is skipped, not read: only its place in the file is kept. What a hostile file can cost is
bounded by the number of opcodes it may use.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from convert.checkpoint.pickle_calls import build, call
from convert.checkpoint.pickle_values import GLOBALS, MARK, Blob, Global, Text, Value
from convert.checkpoint.source import SourceFile
from convert.errors import ConvertError
from convert.names import shown

NAME_LIMIT = 1024
"""Texts up to this many bytes are read at once; longer ones can only be array data."""
OPCODES_MOST = 3_300_000
"""Enough for a hundred thousand arrays with their names; each instruction may make an object of some hundred bytes."""
_GLOBAL_LIMIT = 256
_CALL = 3
_LETTERS_PER_OPCODE = 16


class HostilePickle(ConvertError):
    """The file asks for something that no checkpoint needs."""


class PickleMachine:
    """Runs one pickle of `source` and returns its value; see `pickle_values` for what that holds."""

    opcodes: ClassVar[Mapping[int, Callable[[Any], None]]]
    globals: ClassVar[Mapping[tuple[str, str], Value]] = GLOBALS
    needed_by: ClassVar[str] = "a checkpoint"
    instead: ClassVar[str] = ""
    """What to do where something else is refused."""

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self._path = str(source.path)
        self.protocol = 0
        self.end = 0
        """Offset just after the STOP opcode."""
        self.steps = 0
        """How many instructions were run."""
        self._buffer = b""
        self._base = 0
        self._at = 0
        self._stack: list[Value] = []
        self._memo: dict[int, Value] = {}
        self._charged = 0
        """Instructions' worth of what calls have copied."""

    def run(self) -> Value:
        """The pickled value; ConvertError when the file is damaged, HostilePickle when not plain data."""
        left = OPCODES_MOST
        opcodes = self.opcodes
        while True:
            if self._at >= len(self._buffer):
                self._refill(1)
            opcode = self._buffer[self._at]
            self._at += 1
            if opcode == _STOP:
                break
            action = opcodes.get(opcode)
            if action is None:
                raise self._damaged(f"opcode 0x{opcode:02x} is not one that Paddle writes")
            action(self)
            left -= 1
            if left <= self._charged:
                raise HostilePickle(
                    f"{self.source.path}: more pickle instructions than a checkpoint needs; "
                    "refused, because such a file can fill the memory"
                )
        self.end = self._base + self._at
        self.steps = OPCODES_MOST - left
        if len(self._stack) != 1:
            raise self._damaged(f"it ends with {len(self._stack)} values instead of one")
        return self._pop()

    # reading

    def _refill(self, count: int) -> None:
        start = self._base + self._at
        if start + count > self.source.size:
            raise ConvertError(
                f"{self.source.path}: the file is cut off at byte {self.source.size}; "
                "copy or download it again"
            )
        self._base, self._at = start, 0
        self._buffer = self.source.window(start)

    def _take(self, count: int) -> bytes:
        if self._at + count > len(self._buffer):
            self._refill(count)
        data = self._buffer[self._at : self._at + count]
        self._at += count
        return data

    def _byte(self) -> int:
        if self._at >= len(self._buffer):
            self._refill(1)
        self._at += 1
        return self._buffer[self._at - 1]

    def _integer(self, count: int, *, signed: bool = False) -> int:
        return int.from_bytes(self._take(count), "little", signed=signed)

    def _skip(self, count: int) -> int:
        """Pass over `count` bytes; the offset where they begin."""
        start = self._base + self._at
        if start + count > self.source.size:
            raise ConvertError(
                f"{self.source.path}: the file is cut off: an array at byte {start} needs {count} bytes, "
                f"{self.source.size - start} are left; copy or download it again"
            )
        self._at += count
        return start

    def _damaged(self, what: str) -> ConvertError:
        return ConvertError(
            f"{self.source.path}: not a readable checkpoint at byte {self._base + self._at}: {what}"
        )

    # stack

    def _pop(self) -> Value:
        if not self._stack or self._stack[-1] is MARK:
            raise self._damaged("an instruction finds no value")
        return self._stack.pop()

    def _top(self) -> Value:
        if not self._stack or self._stack[-1] is MARK:
            raise self._damaged("an instruction finds no value")
        return self._stack[-1]

    def _pop_to_mark(self) -> list[Value]:
        stack = self._stack
        for index in range(len(stack) - 1, -1, -1):
            if stack[index] is MARK:
                values = stack[index + 1 :]
                del stack[index:]
                return values
        raise self._damaged("an instruction finds no mark")

    # texts and bytes

    def _text(self, width: int) -> None:
        length = self._byte() if width == 1 else self._integer(width)
        if length <= NAME_LIMIT:
            try:
                self._stack.append(self._take(length).decode("utf-8"))
            except UnicodeDecodeError:
                raise self._damaged("a name is not UTF-8") from None
        else:
            self._stack.append(Text(self._skip(length), length))

    def _bytes(self, width: int, *, signed: bool = False) -> None:
        length = self._byte() if width == 1 else self._integer(width, signed=signed)
        if length < 0:
            raise self._damaged("a negative length")
        self._stack.append(Blob(self._skip(length), length, encoded=False))

    def _line(self) -> str:
        data = bytearray()
        while (byte := self._take(1)) != b"\n":
            data += byte
            if len(data) > _GLOBAL_LIMIT:
                raise self._damaged("the name of a global is too long")
        return data.decode("utf-8", "replace")

    # globals and calls

    def _global(self, module: object, name: object) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise self._damaged("a global's name is not text")
        known = self.globals.get((module, name))
        if known is None:
            raise HostilePickle(
                f"{self.source.path}: refers to {shown(module)}.{shown(name)} "
                f"(byte {self._base + self._at}), which {self.needed_by} has no need for; "
                f"refused, and nothing was executed{self.instead}"
            )
        self._stack.append(known)

    def _stack_global(self) -> None:
        name = self._pop()
        self._global(self._pop(), name)

    def _reduce(self) -> None:
        arguments = self._pop()
        function = self._pop()
        if not isinstance(function, Global) or not isinstance(arguments, tuple):
            raise self._damaged("a call of something that is not a function")
        self._charge(arguments)
        self._stack.append(call(self._where(), self.source, function, arguments))

    def _charge(self, arguments: tuple[Value, ...]) -> None:
        """Count what a call makes of its arguments: one instruction may copy what thousands built."""
        self._charged += _CALL
        for value in arguments:
            if isinstance(value, list):
                self._charged += len(value)
            elif isinstance(value, str):
                self._charged += len(value) // _LETTERS_PER_OPCODE

    def _new_object(self) -> None:
        """NEWOBJ: of a Namespace, whose state follows."""
        arguments, function = self._pop(), self._pop()
        if function is not Global.RECORD or arguments != ():
            raise self._damaged("an object of a class that a checkpoint has no need for")
        self._stack.append({})

    def _frozen(self) -> None:
        self._stack.append(self._pop_to_mark())

    def _build(self) -> None:
        state = self._pop()
        if isinstance(state, dict):
            self._charged += len(state)
        build(self._where(), self.source, self._top(), state)

    def _where(self) -> str:
        return f"{self._path} at byte {self._base + self._at}"

    # containers

    def _append(self, values: list[Value]) -> None:
        target = self._top()
        if not isinstance(target, list):
            raise self._damaged("an item for something that is not a list")
        target.extend(values)

    def _set_items(self, values: list[Value]) -> None:
        target = self._top()
        if not isinstance(target, dict) or len(values) % 2:
            raise self._damaged("items for something that is not a dictionary")
        for key, value in zip(map(self.key, values[::2]), values[1::2], strict=True):
            if key in target:
                raise self._damaged(f"the key {shown(key)!r} stands twice in one dictionary")
            target[key] = value

    def key(self, key: Value) -> Value:
        """`key` as a dictionary key: text or a number (never a container, whose hash may not end)."""
        if isinstance(key, Blob) and not key.encoded and key.length <= NAME_LIMIT:
            try:  # a Python 2 text
                return self.source.read(key.offset, key.length).decode("utf-8")
            except UnicodeDecodeError:
                raise self._damaged("a name is not UTF-8") from None
        if isinstance(key, Text):
            raise self._damaged(f"a name of {key.length} bytes, and names have at most {NAME_LIMIT}")
        if key is not None and not isinstance(key, (str, int, float)):
            raise self._damaged("a dictionary key that is neither text nor a number")
        return key

    # memo

    def _get(self, index: int) -> None:
        try:
            self._stack.append(self._memo[index])
        except KeyError:
            raise self._damaged(f"it refers back to value {index}, which was never stored") from None

    def _put(self, index: int) -> None:
        self._memo[index] = self._top()

    def _tuple(self, count: int) -> None:
        values = self._stack[-count:]
        if len(values) < count or MARK in values:
            raise self._damaged("an instruction finds no value")
        self._stack[-count:] = [tuple(values)]

    def _long(self) -> None:
        self._stack.append(self._integer(self._integer(1), signed=True))

    def _float(self) -> None:
        self._stack.append(struct.unpack(">d", self._take(8))[0])

    def _proto(self) -> None:
        self.protocol = self._integer(1)
        if self.protocol not in (2, 3, 4, 5):
            raise self._damaged(f"pickle protocol {self.protocol}; Paddle writes 2, 3 and 4")

    def _pop_mark_or_value(self) -> None:
        if not self._stack:
            raise self._damaged("an instruction finds no value")
        self._stack.pop()


def _pusher(value: Value) -> Callable[[PickleMachine], None]:
    return lambda machine: machine._stack.append(value)


def _single_item(machine: PickleMachine) -> None:
    value = machine._pop()
    key = machine._pop()
    machine._set_items([key, value])


def _single_append(machine: PickleMachine) -> None:
    value = machine._pop()
    machine._append([value])


def _dup_free_tuple(machine: PickleMachine) -> None:
    machine._stack.append(tuple(machine._pop_to_mark()))


_STOP = ord(".")

OPCODES: Mapping[int, Callable[[Any], None]] = MappingProxyType(
    {
        0x80: PickleMachine._proto,
        0x95: lambda m: _ignore(m._take(8)),  # FRAME: only a hint for buffering
        0x94: lambda m: m._put(len(m._memo)),  # MEMOIZE
        ord("q"): lambda m: m._put(m._byte()),
        ord("r"): lambda m: m._put(m._integer(4)),
        ord("h"): lambda m: m._get(m._byte()),
        ord("j"): lambda m: m._get(m._integer(4)),
        ord("("): _pusher(MARK),
        ord("}"): lambda m: m._stack.append({}),
        ord("]"): lambda m: m._stack.append([]),
        ord(")"): _pusher(()),
        ord("t"): _dup_free_tuple,
        0x85: lambda m: m._tuple(1),
        0x86: lambda m: m._tuple(2),
        0x87: lambda m: m._tuple(3),
        ord("s"): _single_item,
        ord("u"): lambda m: m._set_items(m._pop_to_mark()),
        ord("a"): _single_append,
        ord("e"): lambda m: m._append(m._pop_to_mark()),
        ord("N"): _pusher(None),
        0x88: _pusher(True),
        0x89: _pusher(False),
        ord("J"): lambda m: m._stack.append(m._integer(4, signed=True)),
        ord("K"): lambda m: m._stack.append(m._byte()),
        ord("M"): lambda m: m._stack.append(m._integer(2)),
        0x8A: PickleMachine._long,
        ord("G"): PickleMachine._float,
        0x8C: lambda m: m._text(1),
        ord("X"): lambda m: m._text(4),
        0x8D: lambda m: m._text(8),
        ord("C"): lambda m: m._bytes(1),
        ord("B"): lambda m: m._bytes(4),
        0x8E: lambda m: m._bytes(8),
        ord("U"): lambda m: m._bytes(1),
        ord("T"): lambda m: m._bytes(4, signed=True),
        0x81: PickleMachine._new_object,
        0x8F: lambda m: m._stack.append([]),  # a set, as a list
        0x90: lambda m: m._append(m._pop_to_mark()),
        0x91: PickleMachine._frozen,
        0x93: PickleMachine._stack_global,
        ord("c"): lambda m: m._global(m._line(), m._line()),
        ord("R"): lambda m: m._reduce(),
        ord("b"): lambda m: m._build(),
        ord("0"): PickleMachine._pop_mark_or_value,
    }
)


PickleMachine.opcodes = OPCODES


def _ignore(_: object) -> None:
    return None
