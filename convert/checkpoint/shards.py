"""A `.safetensors` in shards: the index that lists them, as the Hugging Face libraries and `convert` itself write it."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType

from convert.checkpoint.checkpoint import Checkpoint, FileFacts, require_tensors
from convert.checkpoint.safetensors_file import HEADER_MOST, open_safetensors
from convert.checkpoint.source import SourceFile
from convert.errors import ConvertError
from convert.names import counted, shown


def open_shards(index: SourceFile) -> Checkpoint:
    """All shards of an index as one checkpoint; ConvertError where one is missing or holds other tensors than it lists.

    A shard is a file beside the index; no other place is read.
    """
    places = _weight_map(index)
    with ExitStack() as opened:
        opened.callback(index.close)
        shards = {
            name: opened.enter_context(_open_shard(index, name)) for name in dict.fromkeys(places.values())
        }
        for name, shard in shards.items():
            lost = next(
                (tensor for tensor, place in places.items() if place == name and tensor not in shard), None
            )
            if lost is not None:
                raise ConvertError(
                    f"{index.path}: {name} does not hold {shown(lost)!r}, which the index says it does"
                )
        tensors = {tensor: shards[place][tensor] for tensor, place in places.items()}
        require_tensors(index.path, tensors)
        close = opened.pop_all().close
    size = index.size + sum(shard.facts.size for shard in shards.values())
    return Checkpoint(
        index.path,
        MappingProxyType(tensors),
        FileFacts("safetensors", size, shape=f"safetensors in {counted(len(shards), 'shard')}"),
        _closers=(close,),
        _checks=(index.check_unchanged, *(shard.check_unchanged for shard in shards.values())),
    )


def _weight_map(index: SourceFile) -> dict[str, str]:
    """Tensor -> name of the file that holds it."""
    if index.size > HEADER_MOST:
        raise ConvertError(f"{index.path}: an index of {index.size} bytes is refused")
    try:
        found = json.loads(index.read(0, index.size))["weight_map"]
    except (ValueError, RecursionError, KeyError, TypeError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(place, str) for place in found.values()):
        raise ConvertError(f"{index.path}: not a readable index of safetensors: it has no weight_map")
    for place in found.values():
        if Path(place).name != place or not place.endswith(".safetensors"):
            raise ConvertError(
                f"{index.path}: {shown(place)!r} is not the name of a .safetensors beside it; refused"
            )
    return found


def _open_shard(index: SourceFile, name: str) -> Checkpoint:
    source = SourceFile(index.path.with_name(name))
    try:
        return open_safetensors(source)
    except BaseException:
        source.close()
        raise
