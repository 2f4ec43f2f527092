"""Writing `.safetensors`: a header that is known beforehand, then every tensor in its place.

A large checkpoint may be cut into shards with an index, in the form that the Hugging Face libraries read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from convert.checkpoint.shards import SHARDS_MOST
from convert.errors import ConvertError
from convert.write.atomic import AtomicFile
from convert.write.place import Placement, Progress, place_all, workers_for
from convert.write.shard_set import check_set, index_of, publish_set, publish_whole, shard_names
from convert.write.workers import Workers

_ALIGN = 64


def write_safetensors(
    path: str | os.PathLike[str],
    items: Sequence[Placement],
    metadata: Mapping[str, str],
    *,
    force: bool = False,
    progress: Progress = lambda _: None,
    before_publish: Progress = lambda _: None,
) -> int:
    """Write `items`; returns the file's size. Nothing appears at `path` unless everything was written.

    Shards that stood for `path` go when it appears.
    """
    shard = _Shard(items, metadata)
    check_set(Path(path), force=force)
    with AtomicFile(path, force=force, size=shard.size) as out:
        shard.fill(out, progress, workers_for(items))
        before_publish(shard.size)
        publish_whole(out)
    return shard.size


def write_shards(
    path: str | os.PathLike[str],
    items: Sequence[Placement],
    metadata: Mapping[str, str],
    *,
    shard_bytes: int,
    force: bool = False,
    progress: Progress = lambda _: None,
    before_publish: Progress = lambda _: None,
) -> int:
    """Write `items` as `name-<digest>-00001-of-00002.safetensors`, ... and `name.safetensors.index.json`.

    No shard holds more than `shard_bytes`, except one with a single larger tensor. Returns the size of
    all files. Nothing appears unless everything was written; the index appears last, and what it replaces goes.
    """
    whole = Path(path)
    check_set(whole, force=force)
    groups = _groups(items, shard_bytes)
    if len(groups) > SHARDS_MOST:
        raise ConvertError(
            f"{whole}: would be cut into {len(groups)} shards, and at most {SHARDS_MOST} are read; "
            "choose a larger --max-shard-size"
        )
    shards = [_Shard(group, metadata) for group in groups]
    names = shard_names(whole, (shard.header for shard in shards), len(groups))
    index = {
        "metadata": {**metadata, "total_size": sum(item.nbytes for item in items)},
        "weight_map": {item.name: name for name, group in zip(names, groups, strict=True) for item in group},
    }
    text = json.dumps(index, indent=2, ensure_ascii=False).encode("utf-8")
    total = sum(shard.size for shard in shards) + len(text)
    workers = workers_for(items)
    with ExitStack() as files:
        listing = files.enter_context(AtomicFile(index_of(whole), force=force, size=total))
        listing.write(text, 0)
        outs = [files.enter_context(AtomicFile(whole.with_name(name))) for name in names]
        for out, shard in zip(outs, shards, strict=True):
            shard.fill(out, progress, workers)
        before_publish(total)
        publish_set(whole, listing, outs)
    return total


class _Shard:
    """One file: its header and where everything goes."""

    def __init__(self, items: Sequence[Placement], metadata: Mapping[str, str]) -> None:
        self._items = sorted(items, key=lambda item: -item.kind.itemsize)  # each aligned to its type
        self.header, self._offsets = _header(self._items, metadata)
        self.size = len(self.header) + sum(item.nbytes for item in items)

    def fill(self, out: AtomicFile, progress: Progress, workers: Workers) -> None:
        out.write(self.header, 0)
        places = [
            (item, len(self.header) + offset) for item, offset in zip(self._items, self._offsets, strict=True)
        ]
        place_all(out, places, progress, workers)


def _groups(items: Sequence[Placement], shard_bytes: int) -> list[list[Placement]]:
    if shard_bytes < 1:
        raise ConvertError("a shard must hold at least one byte")
    groups: list[list[Placement]] = [[]]
    room = shard_bytes
    for item in items:
        if groups[-1] and item.nbytes > room:
            groups.append([])
            room = shard_bytes
        groups[-1].append(item)
        room -= item.nbytes
    return groups


def _header(items: Sequence[Placement], metadata: Mapping[str, str]) -> tuple[bytes, list[int]]:
    entries: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    offsets: list[int] = []
    at = 0
    for item in items:
        if item.kind.safetensors is None:
            raise ConvertError(f"{item.name}: safetensors has no {item.kind.name}; write a .pth file instead")
        if item.name == "__metadata__":
            raise ConvertError("a tensor called '__metadata__' cannot be stored in safetensors")
        offsets.append(at)
        entries[item.name] = {
            "dtype": item.kind.safetensors,
            "shape": list(item.shape),
            "data_offsets": [at, at + item.nbytes],
        }
        at += item.nbytes
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-(len(text) + 8) % _ALIGN)
    return len(text).to_bytes(8, "little") + text, offsets
