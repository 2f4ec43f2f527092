"""JSON of unknown origin, in bounded memory: the header of safetensors, an index of shards, an exported program.

A few characters of JSON can become a hundred times as many bytes of objects, so what makes objects is counted before
it is parsed. The limits are far above what a hundred thousand tensors need.
"""

from __future__ import annotations

import json
from typing import Any

from convert.names import shown

BYTES_MOST = 20_000_000
_CONTAINERS_MOST = 500_000
_ITEMS_MOST = 2_000_000


class BadJson(ValueError):
    """Not JSON, or not such as is read: the message says what the text does, and its subject is still to be put."""


def parse(data: bytes) -> Any:
    """The value of a JSON text; BadJson when it is none, has one key twice, or would fill the memory."""
    if len(data) > BYTES_MOST:
        raise BadJson(f"has {len(data)} bytes, and at most {BYTES_MOST} are read")
    if data.count(b"[") + data.count(b"{") > _CONTAINERS_MOST or data.count(b",") > _ITEMS_MOST:
        raise BadJson("has more entries than any checkpoint needs")
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_unique)
    except BadJson:
        raise
    except (ValueError, RecursionError):
        raise BadJson("is not JSON") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object; BadJson where a key stands twice, because one of its values would be lost."""
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise BadJson(f"has {shown(twice)!r} twice")
    return made
