"""Reading `.safetensors`: the header is checked here, the data is left where it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from convert.checkpoint.bounded_json import BYTES_MOST, BadJson, parse
from convert.checkpoint.checkpoint import Checkpoint, FileFacts, check_count, require_tensors
from convert.checkpoint.payload import FileSpan
from convert.checkpoint.signatures import other_kind
from convert.checkpoint.source import SourceFile
from convert.checkpoint.tensor import TensorRef, plain_shape
from convert.dtypes import BY_SAFETENSORS
from convert.errors import ConvertError
from convert.names import shown


def looks_like_safetensors(head: bytes, size: int) -> bool:
    """Whether a file that begins with `head` (9 bytes) and has `size` bytes may be one."""
    length = int.from_bytes(head[:8], "little")
    return len(head) >= 9 and head[8:9] == b"{" and 2 <= length <= size - 8


def open_safetensors(source: SourceFile) -> Checkpoint:
    """Read a `.safetensors`, such as `paddle.save(..., safetensors=True)` writes."""
    head = source.read(0, min(64, source.size))
    if not looks_like_safetensors(head, source.size):
        other = other_kind(head)
        raise ConvertError(
            f"{source.path}: not a safetensors file{f' but {other}' if other else ', or cut off'}"
        )
    length = int.from_bytes(head[:8], "little")
    if length > BYTES_MOST:
        raise _damaged(source, f"its header of {length} bytes is longer than {BYTES_MOST}")
    try:
        header = parse(source.read(8, length))
    except BadJson as error:
        raise _damaged(source, f"its header {error}") from None
    metadata = header.pop("__metadata__", {})
    check_count(source.path, len(header))
    tensors = {name: _tensor(source, name, entry, 8 + length) for name, entry in header.items()}
    require_tensors(source.path, tensors)
    _check_filled(source, tensors, 8 + length)
    return Checkpoint(
        source.path,
        MappingProxyType(tensors),
        FileFacts("safetensors", source.size, shape="safetensors"),
        extras=MappingProxyType(
            {str(k): str(v) for k, v in metadata.items()} if isinstance(metadata, dict) else {}
        ),
        _closers=(source.close,),
        _checks=(source.check_unchanged,),
    )


def _tensor(source: SourceFile, name: str, entry: Any, start: int) -> TensorRef:
    match entry:
        case {
            "dtype": str() as code,
            "shape": list() as sizes,
            "data_offsets": [int() as begin, int() as end],
        }:
            kind = BY_SAFETENSORS.get(code)
            if kind is None:
                raise ConvertError(
                    f"{source.path}: tensor {shown(name)!r} has dtype {shown(code)!r}, which is not supported"
                )
            shape = plain_shape(sizes)
            if shape is not None and 0 <= begin <= end <= source.size - start:
                if end - begin != math.prod(shape) * kind.itemsize:
                    raise _damaged(
                        source, f"tensor {shown(name)!r} has {end - begin} bytes for shape {shown(shape)}"
                    )
                return TensorRef(shape, kind, FileSpan(source, start + begin, end - begin))
    raise _damaged(source, f"the entry of tensor {shown(name)!r} is wrong, or lies past the end of the file")


def _check_filled(source: SourceFile, tensors: Mapping[str, TensorRef], start: int) -> None:
    """The tensors fill the file to its end, each byte once, as the safetensors library demands too."""
    end = start
    for offset, count in sorted((ref.payload.offset, ref.nbytes) for ref in tensors.values()):  # type: ignore[attr-defined]
        if offset != end:
            what = "overlap" if offset < end else "leave bytes between them that belong to none"
            raise _damaged(source, f"its tensors {what} (at byte {offset})")
        end = offset + count
    if end != source.size:
        raise _damaged(source, f"{source.size - end} bytes at its end belong to no tensor")


def _damaged(source: SourceFile, what: str) -> ConvertError:
    return ConvertError(f"{source.path}: not a readable safetensors file: {what}")
