"""Pieces of a network that was trained in tensor parallel (`model_state.tp00.pdparams`, `.tp01`, ...) as one checkpoint.

Every device saves its own slices under the whole tensor's name. Which axis was cut follows from the layer's part in the
network, which its usual names tell (`q_proj` is cut by its outputs, `o_proj` by its inputs; PaddleNLP's
`_get_tensor_parallel_mappings`), or from `--join`. What is equal in all pieces is whole in each. Fused projections are
never guessed: how they were cut, their names do not tell, and a wrong guess has the right shape.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType

from convert.checkpoint.checkpoint import Checkpoint
from convert.checkpoint.payload import ComputedPayload, read_all
from convert.checkpoint.tensor import TensorRef
from convert.errors import ConvertError
from convert.names import counted, listed, shown

PIECE = re.compile(r"(?P<stem>.+)\.tp(?P<number>\d+)\.pdparams")
BY_NAME = (
    (re.compile(r"(?:.*\.)?(?:[qkv]_proj|gate_proj|up_proj|linear1|fc1)\.weight"), 1),
    (re.compile(r"(?:.*\.)?(?:[qkv]_proj|gate_proj|up_proj|linear1|fc1)\.bias"), 0),
    (re.compile(r"(?:.*\.)?(?:o_proj|out_proj|down_proj|linear2|fc2)\.weight"), 0),
    (re.compile(r"(?:.*\.)?(?:embed_tokens|word_embeddings)\.weight"), 0),
)
"""Names of Paddle's and PaddleNLP's transformers -> the axis along which Paddle's tensor is cut."""
WAY = "--join 'PATTERN=AXIS', such as '*lm_head.weight=1', or =AXIS:PARTS for PARTS tensors in one"


@dataclass(frozen=True)
class Join:
    """How tensors whose names match `pattern` are put together: along `axis`, each of their `parts` by itself."""

    pattern: str
    axis: int
    parts: int = 1


def joins(texts: Sequence[str]) -> tuple[Join, ...]:
    """`PATTERN=AXIS` and `PATTERN=AXIS:PARTS` as a user writes them."""
    found = []
    for text in texts:
        match = re.fullmatch(r"(.+)=(\d)(?::([1-9]\d?))?", text)
        if match is None:
            raise ConvertError(f"--join {text}: write {WAY}")
        found.append(Join(match[1], int(match[2]), int(match[3] or 1)))
    return tuple(found)


def pieces_of(path: Path) -> list[Path]:
    """The pieces that a path stands for, in order: a folder of nothing else, one of them, or what their names begin with."""
    folder, stem = path.parent, path.name
    named = PIECE.fullmatch(path.name)
    if named is not None:
        stem = named["stem"]
    elif os.path.isdir(path):  # os.path's questions, which a name that no file can have answers with no
        folder, stem = path, ""
    elif os.path.exists(path):
        return []
    try:
        entries = sorted(entry for entry in folder.iterdir() if entry.name.endswith(".pdparams"))
    except (OSError, ValueError):
        return []
    found = [(entry, match) for entry in entries if (match := PIECE.fullmatch(entry.name))]
    stems = {match["stem"] for _, match in found}
    if not stem:
        if len(stems) != 1 or len(found) != len(entries):
            return []
        stem = min(stems)
    mine = {int(match["number"]): entry for entry, match in found if match["stem"] == stem}
    if not mine or mine.keys() == {0}:  # of one device
        return []
    lacking = set(range(max(mine) + 1)) - mine.keys()
    if lacking:
        raise ConvertError(
            f"{folder}: of the pieces of {stem}, number {min(lacking):02} is not there, and the last one is number {max(mine):02}"
        )
    return [mine[number] for number in sorted(mine)]


def open_pieces(
    paths: Sequence[Path], open_one: Callable[[Path], Checkpoint], given: Sequence[Join]
) -> Checkpoint:
    """All pieces as one checkpoint; ConvertError where they do not belong together, or how they do is not told."""
    with ExitStack() as opened:
        pieces = [opened.enter_context(open_one(path)) for path in paths]
        first = pieces[0]
        for piece in pieces:
            for name in piece.keys() ^ first.keys():
                raise ConvertError(
                    f"{piece.path}: {shown(name)!r} is not in every piece; do they belong together?"
                )
        for asked in given:
            if not any(fnmatchcase(name, asked.pattern) for name in first):
                raise ConvertError(f"--join {asked.pattern}={asked.axis}: no tensor has such a name")
        made: dict[str, TensorRef] = {}
        unknown: list[str] = []
        joined = 0
        for name in first:
            refs = [piece[name] for piece in pieces]
            join = _told(name, given)
            if join is None and not _equal(refs):
                unknown.append(name)
            made[name] = refs[0] if join is None else _joined(first.path, name, refs, join)
            joined += join is not None
        if unknown:
            raise ConvertError(
                f"{first.path}: the names of {counted(len(unknown), 'tensor')} do not tell how the pieces are joined: "
                f"{listed(unknown)}; say it with {WAY}"
            )
        close = opened.pop_all().close
    note = f"{counted(len(pieces), 'piece')} of tensor-parallel shards: {counted(joined, 'tensor')} joined, {len(made) - joined} whole"
    size = sum(piece.facts.size for piece in pieces)
    return replace(
        first,
        tensors=MappingProxyType(made),
        facts=replace(first.facts, size=size, notes=(*first.facts.notes, note)),
        _closers=(close,),
        _checks=tuple(check for piece in pieces for check in piece._checks),
    )


def _told(name: str, given: Sequence[Join]) -> Join | None:
    own = next((join for join in given if fnmatchcase(name, join.pattern)), None)
    if own is not None:
        return own
    return next((Join(name, axis) for pattern, axis in BY_NAME if pattern.fullmatch(name)), None)


def _equal(refs: Sequence[TensorRef]) -> bool:
    first = refs[0]
    if any((ref.shape, ref.dtype_name) != (first.shape, first.dtype_name) for ref in refs):
        return False
    data = read_all(first.payload)
    return all(read_all(ref.payload) == data for ref in refs[1:])


def _joined(path: Path, name: str, refs: Sequence[TensorRef], join: Join) -> TensorRef:
    """The whole tensor, put together when it is read."""
    first, axis = refs[0], join.axis
    others = {(ref.dtype_name, ref.shape[:axis], ref.shape[axis + 1 :]) for ref in refs}
    if len(others) != 1 or any(len(ref.shape) <= axis or ref.shape[axis] % join.parts for ref in refs):
        parts = f" of {join.parts} parts" if join.parts > 1 else ""
        sizes = ", ".join(str(list(ref.shape)) for ref in refs[:4])
        raise ConvertError(
            f"{path}: the pieces of {shown(name)!r} ({sizes}) cannot be joined along axis {axis}{parts}; say otherwise with {WAY}"
        )
    shape = (*first.shape[:axis], sum(ref.shape[axis] for ref in refs), *first.shape[axis + 1 :])

    def make() -> object:
        import numpy as np

        cut = [np.split(ref.numpy(), join.parts, axis) for ref in refs]
        return np.concatenate([piece[part] for part in range(join.parts) for piece in cut], axis)

    return TensorRef(shape, first.kind, ComputedPayload(math.prod(shape) * first.kind.itemsize, make))
