"""A pickle reader that cannot run anything.

It knows the opcodes that `paddle.save`, `torch.save` and numpy emit (facts/checkpoints.md) and no others. A global
becomes a member of `Global` or is refused by name; a call is one of the few shapes in `pickle_calls`.
Array data is skipped, not read: only its place in the file is kept. What a hostile file can cost is
bounded by the number of opcodes it may use.

A hundred thousand tensors are three million opcodes, so those that every tensor has are dealt with in the loop itself, without a call.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct
from typing import ClassVar

from convert.checkpoint.pickle_calls import build, call
from convert.checkpoint.pickle_values import GLOBALS, Blob, Global, Place, Text, Value
from convert.checkpoint.source import SourceFile
from convert.errors import ConvertError
from convert.names import shown

NAME_LIMIT = 1024
"""Texts up to this many bytes are read at once; longer ones can only be array data."""
OPCODES_MOST = 6_000_000
"""Enough for a hundred thousand arrays with their names in any protocol; each may make an object of fifty bytes."""
_CALL, _PER_ITEM = 4, 2
"""What a call costs, and each item that it copies, in opcodes."""
_LETTERS_PER_OPCODE = 48
_GLOBAL_LIMIT = 256
_AHEAD = NAME_LIMIT + 16
"""Bytes that may be looked at without asking whether they are there: as many as any opcode has, but for array data."""
_NEVER_STORED = object()

_U2, _U4, _I4, _U8, _F8 = (Struct(code) for code in ("<H", "<I", "<i", "<Q", ">d"))
_NUMBERS = {ord("J"): _I4, ord("M"): _U2, ord("G"): _F8}
_BYTES = {ord("C"): Struct("<B"), ord("U"): Struct("<B"), ord("B"): _U4, ord("T"): _I4, 0x8E: _U8}
_EMPTY = {ord("}"): dict, ord("]"): list, 0x8F: list}  # a set, as a list
_PLAIN: Mapping[int, object] = {ord("N"): None, 0x88: True, 0x89: False, ord(")"): ()}


class HostilePickle(ConvertError):
    """The file asks for something that no checkpoint needs."""


class PickleMachine:
    """Runs one pickle of `source` and returns its value; see `pickle_values` for what that holds."""

    globals: ClassVar[Mapping[tuple[str, str], Value]] = GLOBALS
    needed_by: ClassVar[str] = "a checkpoint"
    instead: ClassVar[str] = ""
    """What to do where something else is refused."""

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self.protocol = 0
        self.end = 0
        """Offset just after the STOP opcode."""
        self.steps = 0
        """How many instructions were run, or made what as many would."""
        self.place = Place(str(source.path))

    def run(self) -> Value:  # noqa: PLR0915 (a call for each opcode takes longer than the opcode)
        """The pickled value; ConvertError when the file is damaged, HostilePickle when not plain data."""
        place, left = self.place, OPCODES_MOST
        base, at, safe, data = 0, 0, 0, b""
        stack: list[Value] = []  # above the last mark
        marks: list[list[Value]] = []  # what is below each mark
        memo: list[Value] = []
        u4 = _U4.unpack_from
        op = 0
        try:
            while left > 0:
                left -= 1
                if at >= safe:
                    base, at = base + at, 0
                    data, safe = self._window(base)
                op = data[at]
                at += 1
                if op == 0x94:  # MEMOIZE
                    memo.append(stack[-1])
                elif op == 0x72:  # LONG_BINPUT
                    (index,) = u4(data, at)
                    at += 4
                    left -= _put(memo, index, stack[-1])
                elif op == 0x68:  # BINGET
                    value = memo[data[at]]
                    at += 1
                    if value is _NEVER_STORED:
                        raise IndexError
                    stack.append(value)
                elif op == 0x4B:  # BININT1
                    stack.append(data[at])
                    at += 1
                elif op == 0x85:  # TUPLE1
                    stack[-1] = (stack[-1],)
                elif op == 0x28:  # MARK
                    marks.append(stack)
                    stack = []
                    left -= 1
                elif op == 0x74:  # TUPLE
                    values, stack = stack, marks.pop()
                    stack.append(tuple(values))
                elif op == 0x52:  # REDUCE
                    arguments = stack.pop()
                    place.at = base + at
                    left -= _copied(arguments)
                    stack[-1] = self.called(stack[-1], arguments)
                elif op == 0x62:  # BUILD
                    state = stack.pop()
                    place.at = base + at
                    left -= _PER_ITEM * len(state) if type(state) is dict else 0
                    self.built(stack[-1], state)
                elif op == 0x8C:  # SHORT_BINUNICODE
                    end = at + 1 + data[at]
                    stack.append(data[at + 1 : end].decode())
                    at = end
                    left -= 1
                elif op == 0x58:  # BINUNICODE
                    (length,) = u4(data, at)
                    at += 4
                    if length <= NAME_LIMIT:
                        stack.append(data[at : at + length].decode())
                    else:
                        stack.append(Text(self._skipped(base + at, length), length))
                    at += length
                    left -= 1
                elif op == 0x43:  # SHORT_BINBYTES
                    length = data[at]
                    at += 1
                    stack.append(Blob(self._skipped(base + at, length), length, encoded=False))
                    at += length
                elif op == 0x86:  # TUPLE2
                    stack[-2:] = [(stack[-2], stack[-1])]
                elif op == 0x87:  # TUPLE3
                    stack[-3:] = [(stack[-3], stack[-2], stack[-1])]
                elif op == 0x6A:  # LONG_BINGET
                    (index,) = u4(data, at)
                    at += 4
                    value = memo[index]
                    if value is _NEVER_STORED:
                        raise IndexError
                    stack.append(value)
                elif op == 0x71:  # BINPUT
                    left -= _put(memo, data[at], stack[-1])
                    at += 1
                elif op == 0x51:  # BINPERSID
                    place.at = base + at
                    stack[-1] = self.persistent(stack[-1])
                elif op == 0x75:  # SETITEMS
                    values, stack = stack, marks.pop()
                    place.at = base + at
                    self._set_items(stack[-1], values)
                elif op in (0x65, 0x90):  # APPENDS, ADDITEMS
                    values, stack = stack, marks.pop()
                    place.at = base + at
                    self._append(stack[-1], values)
                elif op == 0x91:  # FROZENSET
                    values, stack = stack, marks.pop()
                    stack.append(values)
                elif op == 0x30:  # POP
                    if stack or not marks:
                        stack.pop()
                    else:
                        stack = marks.pop()
                elif op == 0x2E:  # STOP
                    break
                else:
                    place.at = base + at
                    at = self._rare(op, stack, data, at)
                    left -= 1
            else:
                raise HostilePickle(
                    f"{self.source.path}: more pickle instructions than a checkpoint needs; "
                    "refused, because such a file can fill the memory"
                )
        except IndexError:
            place.at = base + at
            raise self.damaged(_ABSENT.get(op, "an instruction finds no value or no mark")) from None
        except UnicodeDecodeError:
            place.at = base + at
            raise self.damaged("a name is not UTF-8") from None
        self.end = place.at = base + at
        self.steps = OPCODES_MOST - left
        if len(stack) != 1 or marks:
            raise self.damaged(f"it ends with {len(stack) + sum(map(len, marks))} values instead of one")
        return stack[0]

    # reading

    def _window(self, start: int) -> tuple[bytes, int]:
        """Bytes from `start` on, and up to which of them an opcode may begin; zeros stand behind the end of the file."""
        if start >= self.source.size:
            raise self._cut_off()
        data = self.source.window(start)
        if start + len(data) == self.source.size:
            return data + bytes(_AHEAD), len(data)
        return data, len(data) - _AHEAD

    def _skipped(self, start: int, count: int) -> int:
        """`start`; ConvertError where `count` bytes from there on are not in the file."""
        if start + count > self.source.size:
            raise ConvertError(
                f"{self.source.path}: the file is cut off: an array at byte {start} needs {count} bytes, "
                f"{max(0, self.source.size - start)} are left; copy or download it again"
            )
        return start

    def _cut_off(self) -> ConvertError:
        return ConvertError(
            f"{self.source.path}: the file is cut off at byte {self.source.size}; copy or download it again"
        )

    def damaged(self, what: str) -> ConvertError:
        """The error for what a sound file does not have."""
        if self.place.at > self.source.size:
            return self._cut_off()
        return ConvertError(f"{self.source.path}: not a readable checkpoint at byte {self.place.at}: {what}")

    def _rare(self, op: int, stack: list[Value], data: bytes, at: int) -> int:  # noqa: PLR0915
        """An opcode that few tensors have; where the next one begins."""
        if op in _PLAIN:
            stack.append(_PLAIN[op])
        elif op in _NUMBERS:
            stack.append(_NUMBERS[op].unpack_from(data, at)[0])
            at += _NUMBERS[op].size
        elif op in _EMPTY:
            stack.append(_EMPTY[op]())
        elif op == 0x63:  # GLOBAL
            module, at = self._line(data, at)
            name, at = self._line(data, at)
            stack.append(self._global(module, name))
        elif op == 0x93:  # STACK_GLOBAL
            stack[-2:] = [self._global(stack[-2], stack[-1])]
        elif op in _BYTES:
            (length,) = _BYTES[op].unpack_from(data, at)
            at += _BYTES[op].size
            if length < 0:
                raise self.damaged("a negative length")
            begin = self.place.at + _BYTES[op].size
            stack.append(Blob(self._skipped(begin, length), length, encoded=False))
            at += length
        elif op == 0x8D:  # BINUNICODE8
            (length,) = _U8.unpack_from(data, at)
            at += 8
            if length <= NAME_LIMIT:
                stack.append(data[at : at + length].decode())
            else:
                stack.append(Text(self._skipped(self.place.at + 8, length), length))
            at += length
        elif op == 0x73:  # SETITEM
            self._set_items(stack[-3], stack[-2:])
            del stack[-2:]
        elif op == 0x61:  # APPEND
            self._append(stack[-2], stack[-1:])
            del stack[-1:]
        elif op == 0x8A:  # LONG1
            stack.append(int.from_bytes(data[at + 1 : at + 1 + data[at]], "little", signed=True))
            at += 1 + data[at]
        elif op == 0x95:  # FRAME: only a hint for buffering
            at += 8
        elif op == 0x81:  # NEWOBJ: of a Namespace, whose state follows
            if stack[-2] is not Global.RECORD or stack[-1] != ():
                raise self.damaged("an object of a class that a checkpoint has no need for")
            stack[-2:] = [{}]
        elif op == 0x80:  # PROTO
            self.protocol = data[at]
            if self.protocol not in (2, 3, 4, 5):
                raise self.damaged(f"pickle protocol {self.protocol}; Paddle writes 2, 3 and 4")
            at += 1
        else:
            raise self.damaged(f"opcode 0x{op:02x} is not one that Paddle writes")
        return at

    # globals and calls

    def _line(self, data: bytes, at: int) -> tuple[str, int]:
        end = data.find(b"\n", at, at + _GLOBAL_LIMIT + 1)
        if end < 0 and self.place.at + _GLOBAL_LIMIT >= self.source.size:
            raise self._cut_off()
        if end < 0:
            raise self.damaged("the name of a global is too long")
        return data[at:end].decode("utf-8", "replace"), end + 1

    def _global(self, module: object, name: object) -> Value:
        if not isinstance(module, str) or not isinstance(name, str):
            raise self.damaged("a global's name is not text")
        known = self.globals.get((module, name))
        if known is None:
            raise HostilePickle(
                f"{self.source.path}: refers to {shown(module)}.{shown(name)} "
                f"(byte {self.place.at}), which {self.needed_by} has no need for; "
                f"refused, and nothing was executed{self.instead}"
            )
        return known

    def called(self, function: Value, arguments: Value) -> Value:
        """REDUCE: the value of `function(*arguments)`, of which nothing is executed."""
        if not isinstance(function, Global) or not isinstance(arguments, tuple):
            raise self.damaged("a call of something that is not a function")
        return call(self.place, self.source, function, arguments)

    def built(self, target: Value, state: Value) -> None:
        """BUILD: give `target` its state."""
        build(self.place, self.source, target, state)

    def persistent(self, described: Value) -> Value:
        """BINPERSID: what a file holds beside its pickle."""
        raise self.damaged("opcode 0x51 is not one that Paddle writes")

    # containers

    def _append(self, target: Value, values: list[Value]) -> None:
        if not isinstance(target, list):
            raise self.damaged("an item for something that is not a list")
        target.extend(values)

    def _set_items(self, target: Value, values: list[Value]) -> None:
        if not isinstance(target, dict) or len(values) % 2:
            raise self.damaged("items for something that is not a dictionary")
        for given, value in zip(values[::2], values[1::2], strict=True):
            key = given if type(given) is str else self._key(given)
            if key in target:
                raise self.damaged(f"the key {shown(key)!r} stands twice in one dictionary")
            target[key] = value

    def _key(self, key: Value) -> Value:
        """`key` as a dictionary key: text or a number (never a container, whose hash may not end)."""
        if isinstance(key, Blob) and not key.encoded and key.length <= NAME_LIMIT:  # a Python 2 text
            return self.source.read(key.offset, key.length).decode("utf-8")
        if isinstance(key, Text):
            raise self.damaged(f"a name of {key.length} bytes, and names have at most {NAME_LIMIT}")
        if key is not None and not isinstance(key, (str, int, float)):
            raise self.damaged("a dictionary key that is neither text nor a number")
        return key


_ABSENT = {
    **dict.fromkeys(b"tue\x90\x91", "an instruction finds no mark"),
    **dict.fromkeys(b"qr", "an instruction finds no value, or gives it a number that is too high"),
    **dict.fromkeys(b"hj", "it refers back to a value that was never stored"),
}
"""What is wrong where an opcode finds nothing."""


def _put(memo: list[Value], index: int, value: Value) -> int:
    """Remember a value; what that costs in opcodes, where indices are left out (Python 2 begins with 1)."""
    gap = index - len(memo)
    if gap < 0:
        memo[index] = value
        return 0
    if gap >= OPCODES_MOST:
        raise IndexError
    if gap:
        memo += [_NEVER_STORED] * gap
    memo.append(value)
    return gap


def _copied(arguments: Value) -> int:
    """What a call makes of its arguments, in opcodes: one call may copy what thousands built."""
    cost = _CALL
    if type(arguments) is tuple:
        for value in arguments:
            if type(value) is list:
                cost += _PER_ITEM * len(value)
            elif type(value) is str:
                cost += len(value) // _LETTERS_PER_OPCODE
    return cost
