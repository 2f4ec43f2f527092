"""Which parameters an exported program has: the names that `.pdiparams` itself does not hold.

A `.json` is the new program format (PIR), a `.pdmodel` the old one (a protobuf, read here by hand). Both list
the parameters; the data file has them in the order of their sorted names (paddle/static/io.py:1202).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from convert.errors import ConvertError

PROGRAM_MOST = 1 << 30
_DENSE_TENSOR = 7


def parameter_names(path: Path) -> list[str]:
    """The parameters' names, sorted; ConvertError when the program cannot be read."""
    try:
        if path.stat().st_size > PROGRAM_MOST:
            raise ConvertError(f"{path}: too large for a program ({path.stat().st_size} bytes)")
        data = path.read_bytes()
    except OSError as error:
        raise ConvertError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        names = list(_names_of_json(data) if path.suffix == ".json" else _names_of_protobuf(data))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise ConvertError(f"{path}: not a program that Paddle exported, or damaged") from None
    return sorted(names)


def _names_of_json(data: bytes) -> Iterator[str]:
    program = json.loads(data)["program"]
    for region in program["regions"]:
        for block in region["blocks"]:
            for operation in block["ops"]:
                if operation.get("#") == "p":
                    yield str(operation["A"][3])


def _names_of_protobuf(data: bytes) -> Iterator[str]:
    """ProgramDesc.blocks (1) -> BlockDesc.vars (3) -> VarDesc {1 name, 2 type {1 kind}, 3 persistable}."""
    for block in _fields(data, 1):
        for variable in _fields(block, 3):
            kinds = [kind for holder in _fields(variable, 2) for kind in _fields(holder, 1)]
            persistable = any(_fields(variable, 3))
            if persistable and kinds == [_DENSE_TENSOR]:
                yield from (bytes(name).decode("utf-8") for name in _fields(variable, 1))


def _fields(data: Any, wanted: int) -> Iterator[Any]:
    """The values of field `wanted` of a protobuf message; ValueError when it is not one."""
    at = 0
    while at < len(data):
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
