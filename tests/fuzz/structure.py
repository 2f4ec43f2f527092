"""Mutations that know what a file is made of: the damage is inside, and the reader gets past its first check."""

from __future__ import annotations

import io
import json
import pickletools
import random
import re
import zipfile
from collections.abc import Callable
from itertools import pairwise
from typing import Any

ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    -1,
    0,
    1,
    2**31,
    2**63 - 1,
    2**64,
    10**40,
    1.5,
    1e400,
    "",
    "x" * 2000,
    "\ud800",
    "a\x1b[31m\n",
    "../x",
    [],
    {},
    [[[[]]]],
    [0] * 50,
)
TOKENS = (
    "1" * 30,
    "-1",
    "0",
    "'",
    '"',
    "[",
    "]",
    "{",
    "}",
    "\n",
    ".",
    "=",
    "(",
    ")*",
    "{9999}",
    "\\",
    "é",
    "reshape:",
    "+",
)
_WORDS = re.compile(r"\w+|\s+|.", re.DOTALL)


def mutate_structure(content: bytes, random: random.Random) -> bytes | None:
    """`content` with a part of what it says changed; None where its form is not known."""
    if content.startswith(b"PK\x03\x04"):
        return _zip(content, random)
    if content[:1] == b"\x80":
        return _pickle(content, random)
    if content[:1] == b"{":
        return _json(content, random)
    if content[8:9] == b"{":
        return _safetensors(content, random)
    if content.startswith(b"\x93NUMPY"):
        return _npy(content, random)
    return _text(content, random)


def _safetensors(content: bytes, random: random.Random) -> bytes:
    length = int.from_bytes(content[:8], "little")
    header = _json(content[8 : 8 + length], random)
    return len(header).to_bytes(8, "little") + header + content[8 + length :]


def _json(content: bytes, random: random.Random) -> bytes:
    try:
        value = json.loads(content)
    except ValueError:
        return content
    text = json.dumps(_changed(value, random))
    if random.random() < 0.1 and '": ' in text:  # one entry twice
        at = text.index('"', random.randrange(text.rindex('": ')))
        entry = re.match(r'"[^"]*": [^,{}\[\]]+', text[at:])
        text = text[:at] + (entry[0] + ", " if entry else "") + text[at:]
    return text.encode()


def _changed(value: Any, random: random.Random) -> Any:
    """A copy in which one place, chosen by going down at random, is another."""
    if isinstance(value, (dict, list)) and value and random.random() < 0.85:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = random.choice(keys)
        if isinstance(value, str):
            return value
        changed = dict(value) if isinstance(value, dict) else list(value)
        way = random.random()
        if way < 0.75:
            changed[key] = _changed(value[key], random)
        elif way < 0.85:
            del changed[key]
        elif isinstance(changed, dict):
            changed[str(random.choice(ODD))] = changed.pop(key)
        else:
            changed.insert(key, changed[key])
        return changed
    if isinstance(value, str) and value and random.random() < 0.7:
        if value[0] == "{":  # the trace's own JSON inside of a text
            return _json(value.encode(), random).decode()
        return _text(value.encode(), random).decode("utf-8", "replace")
    if isinstance(value, int) and random.random() < 0.5:
        return value + random.choice((-1, 1, 4, -value, 1 << 20))
    return random.choice(ODD)


def _pickle(content: bytes, random: random.Random) -> bytes:
    try:
        places = [place for _, _, place in pickletools.genops(content)]
    except Exception:
        return content
    cuts = [*places, len(content)]
    parts = [content[a:b] for a, b in pairwise(cuts)]
    for _ in range(random.choice((1, 1, 2, 3))):
        at = random.randrange(len(parts))
        other = random.choice(parts)
        way = random.randrange(6)
        if way == 0:
            del parts[at]
        elif way == 1:
            parts.insert(at, other)
        elif way == 2:
            parts[at] = other
        elif way == 3:
            parts[at:at] = parts[at : at + random.randrange(1, 40)] * random.choice((1, 1, 50))
        elif way == 4 and len(parts[at]) > 1:
            opcode, rest = parts[at][:1], bytearray(parts[at][1:])
            rest[random.randrange(len(rest))] ^= 1 << random.randrange(8)
            parts[at] = opcode + bytes(rest)
        else:
            parts[at] = random.choice(
                (
                    b"h\x00",
                    b"h\x01",
                    b"K\xff",
                    b"N",
                    b"\x8a\x09" + b"\xff" * 8 + b"\x7f",
                    b"(",
                    b"}",
                    b"]",
                    b"\x85",
                )
            )
        if not parts:
            break
    return b"".join(parts)


def _zip(content: bytes, random: random.Random) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [(info.filename, archive.read(info)) for info in archive.infolist()]
    except Exception:
        return content
    if not entries:
        return content
    at = random.randrange(len(entries))
    name, data = entries[at]
    way = random.random()
    if way < 0.7:
        entries[at] = (name, mutate_structure(data, random) or data)
    elif way < 0.8:
        del entries[at]
    elif way < 0.9:
        entries.append((entries[0][0].partition("/")[0] + f"/data/{random.randrange(9)}", data))
    else:
        entries[at] = (random.choice(("a/data.pkl", "x" * 300, "/", "data.pkl")), data)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in entries:
            if name not in archive.namelist():
                archive.writestr(name, data)
    return out.getvalue()


def _npy(content: bytes, random: random.Random) -> bytes:
    length = int.from_bytes(content[8:10], "little")
    header = _text(content[10 : 10 + length], random)
    return content[:8] + (len(header) % 65536).to_bytes(2, "little") + header + content[10 + length :]


def _text(content: bytes, random: random.Random) -> bytes:
    words: list[str] = _WORDS.findall(content.decode("latin-1"))
    ways: tuple[Callable[[list[str], int], None], ...] = (
        lambda words, at: words.insert(at, random.choice(TOKENS) * random.choice((1, 1, 1, 40))),
        lambda words, at: words.__delitem__(at),
        lambda words, at: words.__setitem__(at, random.choice(words)),
        lambda words, at: words.__setitem__(at, random.choice(TOKENS)),
        lambda words, at: words.__setitem__(slice(at, at), words[at : at + 30] * 2),
    )
    for _ in range(random.choice((1, 1, 2))):
        if words:
            random.choice(ways)(words, random.randrange(len(words)))
    return "".join(words).encode("latin-1", "replace")
