"""Writing `.pdparams`: the pickle of protocol 4 that `paddle.save` writes for a state dict, without Paddle."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from convert.dtypes import DType
from convert.errors import ConvertError
from convert.write.atomic import AtomicFile
from convert.write.opcodes import PickleText
from convert.write.place import Placement, Progress, place_all, workers_for


@dataclass(frozen=True)
class _Piece:
    """Pickle text up to where a tensor's data begins."""

    text: bytes
    item: Placement


def write_pdparams(
    path: str | os.PathLike[str],
    items: Sequence[Placement],
    *,
    force: bool = False,
    progress: Progress = lambda _: None,
    before_publish: Progress = lambda _: None,
) -> int:
    """Write a state dict that `paddle.load` reads; returns the file's size."""
    pieces, tail = _pieces(items)
    offsets: list[int] = []
    at = 0
    for piece in pieces:
        at += len(piece.text)
        offsets.append(at)
        at += piece.item.nbytes
    size = at + len(tail)
    with AtomicFile(path, force=force, size=size) as out:
        place_all(out, list(zip(items, offsets, strict=True)), progress, workers_for(items))
        for piece, offset in zip(pieces, offsets, strict=True):
            out.write(piece.text, offset - len(piece.text))
        out.write(tail, at)
        before_publish(size)
    return size


def _pieces(items: Sequence[Placement]) -> tuple[list[_Piece], bytes]:
    pickle = PickleText(4)
    pickle.data += b"}("
    pieces: list[_Piece] = []
    for item in items:
        pickle.text(item.name)
        pickle.glob("numpy.core.multiarray", "_reconstruct")
        pickle.data += b"("
        pickle.glob("numpy", "ndarray")
        pickle.tuple((0,))
        pickle.data += b"C\x01btR("
        pickle.integer(1)
        pickle.tuple(item.shape)
        _dtype(pickle, item.name, item.kind)
        pickle.data += b"\x89\x8e" + item.nbytes.to_bytes(8, "little")  # not Fortran; BINBYTES8
        pieces.append(_Piece(bytes(pickle.data), item))
        pickle.data = bytearray(b"tb")
    pickle.data += b"u"
    return pieces, pickle.finish()


def _dtype(pickle: PickleText, name: str, kind: DType) -> None:
    if kind.name.startswith(("float8", "uint32", "uint64")):
        raise ConvertError(f"{name}: a .pdparams file cannot hold {kind.name}")
    pickle.glob("numpy", "dtype")
    pickle.tuple((kind.numpy[1:], False, True))
    pickle.data += b"R"
    pickle.tuple((3, kind.numpy[0], None, None, None, -1, -1, 0))
    pickle.data += b"b"
