"""A `.safetensors` in shards: the index that lists them, as the Hugging Face libraries and `convert` itself write it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType

from convert.checkpoint.bounded_json import BYTES_MOST, BadJson, parse
from convert.checkpoint.checkpoint import Checkpoint, FileFacts, check_count, require_tensors
from convert.checkpoint.safetensors_file import open_safetensors
from convert.checkpoint.source import SourceFile
from convert.checkpoint.tensor import TensorRef
from convert.errors import ConvertError
from convert.names import counted, shown

INDEX_SUFFIX = ".safetensors.index.json"
SHARDS_MOST = 500


def open_shards(index: SourceFile) -> Checkpoint:
    """All shards of an index as one checkpoint; ConvertError where one is missing or holds other tensors than it lists.

    A shard is a file beside the index; no other place is read.
    """
    listed: dict[str, set[str]] = {}
    places = weight_map(index)
    for tensor, place in places.items():
        listed.setdefault(place, set()).add(tensor)
    if len(listed) > SHARDS_MOST:
        raise ConvertError(f"{index.path}: lists {len(listed)} shards, and at most {SHARDS_MOST} are read")
    with ExitStack() as opened:
        opened.callback(index.close)
        shards: dict[str, Checkpoint] = {}
        for name, expected in listed.items():
            shards[name] = opened.enter_context(_open_shard(index, name))
            _check_listed(index, name, shards[name], expected)
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


def weight_map(index: SourceFile) -> dict[str, str]:
    """Tensor -> name of the file that holds it; ConvertError where the index is not one."""
    if index.size > BYTES_MOST:
        raise ConvertError(f"{index.path}: an index of {index.size} bytes is refused")
    try:
        content = parse(index.read(0, index.size))
    except BadJson as error:
        raise ConvertError(f"{index.path}: not a readable index of safetensors: it {error}") from None
    found = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(found, dict) or not all(isinstance(place, str) for place in found.values()):
        raise ConvertError(f"{index.path}: not a readable index of safetensors: it has no weight_map")
    check_count(index.path, len(found))
    for place in found.values():
        if Path(place).name != place or not place.endswith(".safetensors"):
            raise ConvertError(
                f"{index.path}: {shown(place)!r} is not the name of a .safetensors beside it; refused"
            )
    return found


def _check_listed(index: SourceFile, name: str, held: Mapping[str, TensorRef], expected: set[str]) -> None:
    for wrong, what in (
        (expected - held.keys(), "does not hold {!r}, which the index says it does"),
        (held.keys() - expected, "holds {!r}, which the index does not list"),
    ):
        if wrong:
            raise ConvertError(f"{index.path}: {shown(name)} {what.format(shown(min(wrong)))}")


def _open_shard(index: SourceFile, name: str) -> Checkpoint:
    source = SourceFile(index.path.with_name(name))
    try:
        return open_safetensors(source)
    except BaseException:
        source.close()
        raise
