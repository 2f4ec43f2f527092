"""Which parameters an exported program has: the names that `.pdiparams` itself does not hold.

A `.json` is the new program format (PIR), a `.pdmodel` the old one (a protobuf, read here by hand). Both list
the parameters; the data file has them in the order of their sorted names (paddle/static/io.py:1202).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from convert.checkpoint.bounded_json import BYTES_MOST, BadJson, parse
from convert.checkpoint.source import read_small
from convert.errors import ConvertError

PROTOBUF_MOST = 100_000_000
_FIELDS_MOST = 1_000_000
"""Fields of a protobuf that are looked at: a few for every parameter, and one for every operator."""
_DENSE_TENSOR = 7


def parameter_names(path: Path) -> list[str]:
    """The parameters' names, from a `.json` in the order in which their layers were made; ConvertError for no program.

    Such a program lists them backwards (seen with paddlepaddle 3.3.1); of an old one, whose order says nothing, they come
    sorted.
    """
    return names_in_program(read_small(path, BYTES_MOST), path)


def names_in_program(data: bytes, path: Path) -> list[str]:
    """`parameter_names` of a program that was read."""
    is_json = path.suffix == ".json"
    if not is_json and len(data) > PROTOBUF_MOST:
        raise ConvertError(f"{path}: has {len(data)} bytes, and at most {PROTOBUF_MOST} are read")
    try:
        names = list(_names_of_json(data) if is_json else _Protobuf().names(data))
    except BadJson as error:
        raise ConvertError(f"{path}: not a program that Paddle exported: it {error}") from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise ConvertError(f"{path}: not a program that Paddle exported, or damaged") from None
    return names[::-1] if is_json else sorted(names)


def _names_of_json(data: bytes) -> Iterator[str]:
    program = parse(data)["program"]
    for region in program["regions"]:
        for block in region["blocks"]:
            for operation in block["ops"]:
                if operation.get("#") == "p":
                    yield str(operation["A"][3])


class _Protobuf:
    """Reads the few fields that are wanted, and counts how many it looks at."""

    def __init__(self) -> None:
        self._left = _FIELDS_MOST

    def names(self, data: bytes) -> Iterator[str]:
        """ProgramDesc.blocks (1) -> BlockDesc.vars (3) -> VarDesc {1 name, 2 type {1 kind}, 3 persistable}."""
        for block in self._fields(data, 1):
            for variable in self._fields(block, 3):
                kinds = [kind for holder in self._fields(variable, 2) for kind in self._fields(holder, 1)]
                if kinds == [_DENSE_TENSOR] and any(self._fields(variable, 3)):
                    yield from (bytes(name).decode("utf-8") for name in self._fields(variable, 1))

    def _fields(self, data: Any, wanted: int) -> Iterator[Any]:
        """The values of field `wanted` of a message; ValueError when it is not one, or there are too many."""
        at = 0
        while at < len(data):
            self._left -= 1
            if self._left < 0:
                raise ValueError("too many fields")
            key, at = read_varint(data, at)
            field, wire = key >> 3, key & 7
            value: Any
            if wire == 0:
                value, at = read_varint(data, at)
            elif wire in (1, 5):
                size = 8 if wire == 1 else 4
                value, at = data[at : at + size], at + size
            elif wire == 2:
                size, at = read_varint(data, at)
                value, at = memoryview(data)[at : at + size], at + size
            else:
                raise ValueError(f"wire type {wire}")
            if at > len(data):
                raise ValueError("cut off")
            if field == wanted:
                yield value


def read_varint(data: Any, at: int) -> tuple[int, int]:
    """A protobuf integer and the offset after it; ValueError when it is longer than 64 bits or cut off."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("cut off")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("an integer of more than 64 bits")
