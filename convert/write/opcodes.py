"""The pickle opcodes that both `.pth` and `.pdparams` are written with."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from convert.errors import ConvertError


class PickleText:
    """Grows a protocol 2 pickle, value by value; containers are written by the subclasses' `value`."""

    def __init__(self, protocol: int = 2) -> None:
        self.data = bytearray((0x80, protocol))

    def plain(self, value: object) -> bool:
        """Write `value` if it is a plain Python literal or container; False when it is something else."""
        if value is None:
            self.data += b"N"
        elif isinstance(value, bool):
            self.data += b"\x88" if value else b"\x89"
        elif isinstance(value, int):
            self.integer(value)
        elif isinstance(value, float):
            self.data += b"G" + struct.pack(">d", value)
        elif isinstance(value, str):
            self.text(value)
        elif isinstance(value, Mapping):
            self._mapping(value)
        elif isinstance(value, tuple):
            self.tuple(value)
        elif isinstance(value, list):
            self.data += b"]("
            for item in value:
                self.value(item)
            self.data += b"e"
        else:
            return False
        return True

    def value(self, value: object) -> None:
        """Write any value this format knows."""
        if not self.plain(value):
            raise ConvertError(f"a value of type {type(value).__name__} cannot be written to a checkpoint")

    def _mapping(self, value: Mapping[object, object]) -> None:
        self.data += b"}("
        for key, item in value.items():
            self.value(key)
            self.value(item)
        self.data += b"u"

    def tuple(self, values: tuple[object, ...]) -> None:
        """A tuple of any values."""
        self.data += b"("
        for item in values:
            self.value(item)
        self.data += b"t"

    def integer(self, value: int) -> None:
        """An integer of up to 255 bytes."""
        if 0 <= value < 256:
            self.data += b"K" + bytes((value,))
        elif -(1 << 31) <= value < 1 << 31:
            self.data += b"J" + value.to_bytes(4, "little", signed=True)
        else:
            size = (value.bit_length() // 8) + 1
            self.data += b"\x8a" + bytes((size,)) + value.to_bytes(size, "little", signed=True)

    def text(self, value: str) -> None:
        """A text."""
        encoded = value.encode("utf-8")
        self.data += b"X" + len(encoded).to_bytes(4, "little") + encoded

    def glob(self, module: str, name: str) -> None:
        """A reference to a class or function."""
        self.data += f"c{module}\n{name}\n".encode()

    def finish(self) -> bytes:
        """The whole pickle."""
        return bytes(self.data) + b"."
