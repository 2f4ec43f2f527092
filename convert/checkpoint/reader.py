"""`open_checkpoint`: find out what a path is, and read it with the right reader."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from convert.checkpoint.checkpoint import Checkpoint
from convert.checkpoint.pdparams import open_pdopt, open_pdparams
from convert.checkpoint.quantised import without_quantisation
from convert.checkpoint.safetensors_file import looks_like_safetensors, open_safetensors
from convert.checkpoint.shards import INDEX_SUFFIX, open_shards
from convert.checkpoint.signatures import other_kind
from convert.checkpoint.source import SourceFile
from convert.errors import ConvertError
from convert.names import listed

_USUAL_SUFFIXES = (".pdparams", ".pdiparams", ".safetensors")
_FACTORY = re.compile(r"(?:[^\W\d]\w*(?:\.[^\W\d]\w*)*|.+\.py):[^\W\d][\w.]*")
_PROGRAM_SUFFIXES = (".json", ".pdmodel")


def open_checkpoint(
    path: str | os.PathLike[str],
    *,
    key: str | None = None,
    names: Sequence[str] | None = None,
    raw: bool = False,
) -> Checkpoint:
    """Open a Paddle checkpoint lazily: names, shapes and dtypes are read, tensors are not.

    PyTorch's `.pth` and `.safetensors` are read too, for the way back.

    `path` is a file, or a directory that holds one. `key` chooses one state dict of a file that nests
    several (`model`, `optimizer.master_weights`); `names` are the parameters of a `.pdiparams` that has no
    program beside it. Of a quantised network it gives the weights that it stands for, unless `raw`. Raises ConvertError
    when there is nothing there, or it is damaged or hostile.
    """
    source = SourceFile(locate(Path(path)))
    try:
        opened = _open(source, key, names)
        return opened if raw else without_quantisation(opened)
    except BaseException:
        source.close()
        raise


def open_optimizer_state(path: str | os.PathLike[str]) -> tuple[Checkpoint, Checkpoint | None]:
    """Open a `.pdopt` lazily: its accumulators, with `LR_Scheduler` in `extras`, and its master weights if any."""
    source = SourceFile(Path(path))
    try:
        if source.read(0, min(1, source.size)) != b"\x80":
            raise ConvertError(f"{path}: not a .pdopt, which is a pickle by paddle.save")
        return open_pdopt(source)
    except BaseException:
        source.close()
        raise


def is_factory(source: str) -> bool:
    """Whether `source` names a model to build (`package.module:factory`, `file.py:factory`) and not a file."""
    return _FACTORY.fullmatch(source) is not None and not os.path.exists(source)


def locate(path: Path) -> Path:
    """The data file that a directory, an exported program or a name without suffix stands for; else the path."""
    # os.path's questions, which a name that no file can have answers with no
    if os.path.isdir(path):
        entries = _entries(path)
        indexes = [entry for entry in entries if entry.name.endswith(INDEX_SUFFIX)]
        if len(indexes) == 1:
            whole = indexes[0].name.removesuffix(".index.json")
            if os.path.exists(path / whole):
                raise ConvertError(f"{path}: holds both {whole} and {indexes[0].name}; name the one to read")
            return indexes[0]
        for suffix in _USUAL_SUFFIXES:
            found = [entry for entry in entries if entry.suffix == suffix and os.path.isfile(entry)]
            if len(found) == 1:
                return found[0]
            if found:
                names = listed([entry.name for entry in found], 20)
                raise ConvertError(f"{path}: holds several checkpoints; name one of: {names}")
        raise ConvertError(f"{path}: a directory without {', '.join(_USUAL_SUFFIXES)}")
    index = Path(f"{str(path).removesuffix('.safetensors')}{INDEX_SUFFIX}")
    if not os.path.exists(path) and os.path.isfile(index):
        return index
    if not os.path.exists(path):
        # Paddle's own functions name an export by its prefix.
        named = [other for suffix in _USUAL_SUFFIXES if os.path.isfile(other := Path(f"{path}{suffix}"))]
        if len(named) == 1:
            return named[0]
    if path.suffix in _PROGRAM_SUFFIXES and os.path.isfile(path.with_suffix(".pdiparams")):
        return path.with_suffix(".pdiparams")
    return path


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise ConvertError(f"{folder}: the folder cannot be read ({error.strerror})") from None


def _open(source: SourceFile, key: str | None, names: Sequence[str] | None) -> Checkpoint:
    from convert.checkpoint.pdiparams import looks_like_pdiparams, open_pdiparams

    head = source.read(0, min(512, source.size))
    if not head:
        raise ConvertError(f"{source.path}: the file is empty")
    if names is not None and not looks_like_pdiparams(head):
        raise ConvertError(
            f"{source.path}: --names is for .pdiparams files, and this one has names of its own"
        )
    # Asked first: the length of its header may begin like a pickle.
    is_safetensors = looks_like_safetensors(head, source.size)
    if head[0] == 0x80 and not is_safetensors and not other_kind(head):
        return open_pdparams(source, key=key)
    if head.startswith(b"PK\x03\x04"):
        from convert.checkpoint.torch_file import open_torch

        return open_torch(source, key=key)
    if key is not None:
        raise ConvertError(f"{source.path}: --key is for nested pickles, and this is not a pickle")
    if source.path.name.endswith(INDEX_SUFFIX):
        return open_shards(source)
    if is_safetensors:
        return open_safetensors(source)
    if looks_like_pdiparams(head):
        return open_pdiparams(source, names=names)
    other = other_kind(head)
    if other:
        raise ConvertError(f"{source.path}: not a Paddle checkpoint but {other}")
    raise ConvertError(
        f"{source.path}: not a Paddle checkpoint: it begins with {head[:4]!r}, "
        "neither a pickle nor safetensors nor .pdiparams"
    )
