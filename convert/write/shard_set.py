"""What a `.safetensors` target is on disk: one file, or an index and the shards that it lists.

The shards of a conversion have its digest in their names, so those of two conversions never take each other's place.
They appear first, then the index takes the old one's place in one step, then what nobody lists any more goes: whenever
a process is killed, the index names shards of one conversion, the old or the new one.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Sequence
from hashlib import blake2s
from itertools import count
from pathlib import Path

from convert.checkpoint.shards import weight_map
from convert.checkpoint.source import SourceFile
from convert.errors import ConvertError
from convert.write.atomic import AtomicFile, alone_in, check_target, remove_abandoned, same_file

_DIGITS = 8
_HIDDEN = re.compile(r"\.(.+?\.safetensors)(?:\.[0-9a-f]{8})?\.partial")
"""What a process that was killed while it wrote a shard may leave (see `AtomicFile`)."""


def index_of(whole: Path) -> Path:
    """The index that lists the shards of `whole`."""
    return whole.with_name(whole.name + ".index.json")


def check_set(whole: Path, *, force: bool) -> None:
    """Raise ConvertError where the target is there already, as one file or in shards."""
    for path in (whole, index_of(whole)):
        check_target(path, force=force)


def shard_names(whole: Path, contents: Iterable[bytes], number: int) -> list[str]:
    """Names for `number` shards, made of a digest of `contents` and such that no file has one of them."""
    digest = blake2s()
    for content in contents:
        digest.update(content)
    there = os.listdir(whole.parent)
    for attempt in count():
        salted = digest.copy()
        salted.update(str(attempt).encode())
        start = f"{whole.stem}-{salted.hexdigest()[:_DIGITS]}-"
        if not any(name.startswith(start) for name in there):
            break
    return [f"{start}{n:05}-of-{number:05}.safetensors" for n in range(1, number + 1)]


def publish_set(whole: Path, index: AtomicFile, shards: Sequence[AtomicFile]) -> None:
    """Let all shards appear, then the index; then earlier shards go, and a whole file of the same name."""
    with alone_in(whole.parent):
        appeared: list[Path] = []
        try:
            for shard in shards:
                shard.publish()
                appeared.append(shard.path)
            old = _listed(whole)
            index.publish()
        except BaseException:
            for path in appeared:
                _remove(path)
            raise
        _remove(whole)
        _remove_all(whole, old, keep={shard.path.name for shard in shards})


def publish_whole(out: AtomicFile) -> None:
    """Let the one file appear; an index and shards that stood for it go."""
    index = index_of(out.path)
    if not (out.force or os.path.lexists(index)):
        out.publish()
        return
    with alone_in(out.path.parent):
        old = _listed(out.path)
        out.publish()
        _remove(index)
        _remove_all(out.path, old, keep=set())


def may_be_replaced(whole: Path, source: Path) -> bool:
    """Whether writing `whole` may replace `source`, or take it away as one of its shards; its folder, which may be large, is not looked through."""
    names = {name for name in (source.name, Path(os.path.realpath(source)).name) if _is_shard(whole, name)}
    paths = [whole, index_of(whole), *map(whole.with_name, names | _listed(whole))]
    return any(same_file(source, path) for path in paths)


def shard_count(whole: Path) -> int:
    """In how many shards `whole` is; 0 where it is one file."""
    return len(_listed(whole))


def _listed(whole: Path) -> set[str]:
    """The shards that the index lists, those with a name such as is given to shards of `whole`."""
    if not os.path.lexists(index_of(whole)):
        return set()
    try:
        index = SourceFile(index_of(whole))
        try:
            return {name for name in weight_map(index).values() if _is_shard(whole, name, any_tool=True)}
        finally:
            index.close()
    except ConvertError:  # none, or none that can be read
        return set()


def _is_shard(whole: Path, name: str, *, any_tool: bool = False) -> bool:
    if not name.startswith(f"{whole.stem}-"):
        return False
    digest = rf"([0-9a-f]{{{_DIGITS}}}-)" + ("?" if any_tool else "")
    return re.fullmatch(rf"{re.escape(whole.stem)}-{digest}\d{{5}}-of-\d{{5}}\.safetensors", name) is not None


def _remove_all(whole: Path, listed: set[str], *, keep: set[str]) -> None:
    """Take shards away: those that the index listed, and those that a killed run left."""
    with contextlib.suppress(OSError):
        there = os.listdir(whole.parent)
        left = {name for name in there if _is_shard(whole, name)}
        for name in (listed | left) - keep:
            _remove(whole.with_name(name))
        for name in there:
            hidden = _HIDDEN.fullmatch(name) if name.startswith(f".{whole.stem}-") else None
            if hidden is not None and _is_shard(whole, hidden[1]):
                remove_abandoned(whole.with_name(name))


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
