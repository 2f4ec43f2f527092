"""Mutations that damage a file in the ways that matter to a reader."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from tests.fuzz.structure import mutate_structure

INTERESTING = (0, 1, 2, 0x7F, 0x80, 0xFF)
# Opcodes of the reader and of the unpickler it must not be, and what they are followed by.
FRAGMENTS = (
    b"cos\nsystem\n",
    b"c__builtin__\neval\n",
    b"\x8c\x05posix\x8c\x06system\x93",
    b"(S'x'\ntR.",
    b"h\x00",
    b"h\x01\x94",
    b"}",
    b"](",
    b"\x85" * 50,
    b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"X\xff\xff\xff\x7f",
    b"B\xff\xff\xff\xff",
    b"\x8a\xff",
    b"M\xff\xff\x85",
    b"J\xff\xff\xff\xff",
    b"\x93",
    b"R",
    b"b",
    b"u",
    b"e",
    b"0",
    b".",
    b"(" * 30,
)


def _flip(data: bytearray, random: random.Random) -> None:
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _set(data: bytearray, random: random.Random) -> None:
    data[random.randrange(len(data))] = random.choice(INTERESTING)


def _random(data: bytearray, random: random.Random) -> None:
    data[random.randrange(len(data))] = random.randrange(256)


def _number(data: bytearray, random: random.Random) -> None:
    at = random.randrange(len(data))
    size = random.choice((1, 2, 4, 8))
    value = random.choice((0, 1, 255, 2**15, 2**31 - 1, 2**32 - 1, 2**63 - 1, random.randrange(2**32)))
    data[at : at + size] = (value % 256**size).to_bytes(size, "little")


def _cut(data: bytearray, random: random.Random) -> None:
    del data[random.randrange(len(data)) :]


def _remove(data: bytearray, random: random.Random) -> None:
    at = random.randrange(len(data))
    del data[at : at + random.randrange(1, 40)]


def _repeat(data: bytearray, random: random.Random) -> None:
    at = random.randrange(len(data))
    data[at:at] = data[at : at + random.randrange(1, 200)] * random.choice((1, 1, 2, 30))


def _insert(data: bytearray, random: random.Random) -> None:
    at = random.randrange(len(data))
    data[at:at] = random.choice(FRAGMENTS)


def _swap(data: bytearray, random: random.Random) -> None:
    one, two = sorted(random.randrange(len(data)) for _ in range(2))
    size = random.randrange(1, 60)
    data[one : one + size], data[two : two + size] = data[two : two + size], data[one : one + size]


WAYS: Sequence[Callable[[bytearray, random.Random], None]] = (
    _flip,
    _set,
    _random,
    _number,
    _number,
    _cut,
    _remove,
    _repeat,
    _insert,
    _insert,
    _swap,
)


def mutate(content: bytes, random: random.Random) -> bytes:
    """`content` after one to four mutations of its bytes, or one of what it says."""
    if random.random() < 0.5:
        changed = mutate_structure(content, random)
        if changed is not None:
            return changed
    data = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 4))):
        if data:
            random.choice(WAYS)(data, random)
    return bytes(data)
