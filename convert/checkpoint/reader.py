"""`open_checkpoint`: find out what a path is, and read it with the right reader."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from convert.checkpoint.checkpoint import Checkpoint
from convert.checkpoint.pdparams import open_pdopt, open_pdparams
from convert.checkpoint.quantised import without_quantisation
from convert.checkpoint.safetensors_file import looks_like_safetensors, open_safetensors
from convert.checkpoint.shards import INDEX_SUFFIX, open_shards
from convert.checkpoint.signatures import TORCH_BEFORE_1_6, ZIP, is_archive, is_torch_zip, other_kind
from convert.checkpoint.source import SourceFile, Span
from convert.checkpoint.tensor_parallel import joins, open_pieces, pieces_of
from convert.errors import ConvertError
from convert.names import listed, shown

_USUAL_SUFFIXES = (".pdparams", ".pdiparams", ".safetensors")
_FACTORY = re.compile(r"(?:[^\W\d]\w*(?:\.[^\W\d]\w*)*|.+\.py):[^\W\d][\w.]*")
_PROGRAM_SUFFIXES = (".json", ".pdmodel")


def open_checkpoint(
    path: str | os.PathLike[str],
    *,
    key: str | None = None,
    names: Sequence[str] | None = None,
    raw: bool = False,
    join: Sequence[str] = (),
) -> Checkpoint:
    """Open a Paddle checkpoint lazily: names, shapes and dtypes are read, tensors are not.

    PyTorch's `.pth` and `.safetensors` are read too, for the way back.

    `path` is a file, or a directory that holds one. `key` chooses one state dict of a file that nests
    several (`model`, `optimizer.master_weights`); `names` are the parameters of a `.pdiparams` that has no
    program beside it. Of a quantised network it gives the weights that it stands for, unless `raw`, which shows what is there,
    be it no tensors at all. Pieces of tensor-parallel shards (`x.tp00.pdparams`) are one checkpoint; `join` says how those are
    put together whose names do not tell. Raises ConvertError
    when there is nothing there, or it is damaged or hostile.
    """
    folder = Path(path)
    pieces = pieces_of(folder)
    if pieces:
        return open_pieces(pieces, lambda piece: _open_file(piece, key, names, raw=raw), joins(join))
    if join:
        raise ConvertError(
            f"{path}: --join is for the pieces of tensor-parallel shards, and this is none of several"
        )
    if os.path.isdir(folder) and not any(entry.suffix in _USUAL_SUFFIXES for entry in _entries(folder)):
        from convert.checkpoint.pdiparams import is_old_folder, open_old_folder

        if is_old_folder(folder):
            return open_old_folder(folder)
    return _open_file(locate(folder), key, names, raw=raw)


def _open_file(path: Path, key: str | None, names: Sequence[str] | None, *, raw: bool) -> Checkpoint:
    source = SourceFile(path)
    try:
        opened = _open(source, key, names, empty=raw)
        return opened if raw else without_quantisation(opened)
    except BaseException:
        source.close()
        raise


def open_optimizer_state(
    path: str | os.PathLike[str], parameters: Collection[str]
) -> tuple[Checkpoint, Checkpoint | None]:
    """Open a `.pdopt` lazily: its accumulators, with `LR_Scheduler` in `extras`, and its master weights if any.

    Of a file that holds more than an optimizer, it is the state of the `parameters`.
    """
    source = SourceFile(Path(path))
    try:
        source = _optimizer_in_archive(source)
        if source.read(0, min(1, source.size)) != b"\x80":
            raise ConvertError(f"{path}: not a .pdopt, which is a pickle by paddle.save")
        return open_pdopt(source, parameters)
    except BaseException:
        source.close()
        raise


def _optimizer_in_archive(source: SourceFile, *, depth: int = 0) -> SourceFile:
    """The one `.pdopt` of an archive, or else its one checkpoint, which may hold an optimizer too; what is no archive, as it is."""
    from convert.checkpoint.archive import checkpoint_in, decompressed, members_of

    head = source.read(0, min(512, source.size))
    if depth > 1 or not (is_archive(head) or (head.startswith(ZIP) and not is_torch_zip(head))):
        return source
    members = members_of(source)
    if members is None:
        inner = decompressed(source)
    else:
        found = [name for name in members if name.endswith(".pdopt")]
        if len(found) > 1:
            names = listed([shown(name) for name in found], 20)
            raise ConvertError(f"{source.path}: holds several .pdopt ({names}); unpack the one to read")
        inner = members[found[0] if found else checkpoint_in(source, members)]()
    if not isinstance(inner, Span):
        source.close()
    return _optimizer_in_archive(inner, depth=depth + 1)


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


def _open(
    source: SourceFile, key: str | None, names: Sequence[str] | None, *, empty: bool = False
) -> Checkpoint:
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
    if head[0] == 0x80 and TORCH_BEFORE_1_6 in head[:32]:
        from convert.checkpoint.torch_file import open_torch_before_1_6

        return open_torch_before_1_6(source, key=key)
    if head[0] == 0x80 and not is_safetensors:
        return open_pdparams(source, key=key, empty=empty)
    if head.startswith(ZIP):
        from convert.checkpoint.torch_file import open_torch

        if is_torch_zip(head):
            return open_torch(source, key=key)
    if head.startswith(ZIP) or is_archive(head):
        return _open_archive(source, key)
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


def _open_archive(source: SourceFile, key: str | None, *, depth: int = 0) -> Checkpoint:
    """The one checkpoint in a tar, a zip or a compressed file (which may be a tar)."""
    from convert.checkpoint.archive import beside, checkpoint_in, decompressed, members_of, parameter_files
    from convert.checkpoint.program import PROTOBUF_MOST, names_in_program

    members = members_of(source)
    if members is None:
        if depth:
            raise ConvertError(f"{source.path}: compressed twice; unpack it first")
        whole = decompressed(source)
        source.close()
        if is_archive(whole.read(0, min(512, whole.size))):
            return _open_archive(whole, key, depth=1)
        return _open(whole, key, None)
    from convert.checkpoint.v2_tar import is_v2, open_v2

    if is_v2(members):
        return open_v2(source.path, members)
    files = parameter_files(members)
    if files:
        from convert.checkpoint.pdiparams import open_parameter_files

        try:
            return open_parameter_files(source.path, files)
        except ConvertError as error:
            raise ConvertError(f"{error} (of a tar or zip archive with a file for every parameter)") from None
    name = checkpoint_in(source, members)
    inner = members[name]()
    names = None
    program = beside(members, name, (".json", ".pdmodel")) if name.endswith(".pdiparams") else None
    if program is not None:
        text = program[1].read(0, min(program[1].size, PROTOBUF_MOST))
        names = names_in_program(text, Path(program[0]))
        if not isinstance(program[1], Span):
            program[1].close()
    if not isinstance(inner, Span):
        source.close()
    head = inner.read(0, min(512, inner.size))
    if is_archive(head) or (head.startswith(ZIP) and not is_torch_zip(head)):
        raise ConvertError(f"{source.path}: {shown(name)} is an archive itself; unpack it first")
    opened = _open(inner, key, names)
    facts = replace(opened.facts, notes=(*opened.facts.notes, f"read inside of the archive: {shown(name)}"))
    return replace(opened, facts=facts)
