"""Reading `.safetensors`: the header is checked here, the data is left where it is."""

from __future__ import annotations

import json
import math
from types import MappingProxyType
from typing import Any

from convert.checkpoint.checkpoint import Checkpoint, FileFacts, require_tensors
from convert.checkpoint.payload import FileSpan
from convert.checkpoint.source import SourceFile
from convert.checkpoint.tensor import TensorRef
from convert.dtypes import BY_SAFETENSORS
from convert.errors import ConvertError
from convert.names import shown

HEADER_MOST = 100_000_000
"""The limit that the safetensors library itself sets."""


def looks_like_safetensors(head: bytes, size: int) -> bool:
    """Whether a file that begins with `head` (9 bytes) and has `size` bytes may be one."""
    length = int.from_bytes(head[:8], "little")
    return len(head) >= 9 and head[8:9] == b"{" and 2 <= length <= min(HEADER_MOST, size - 8)


def open_safetensors(source: SourceFile) -> Checkpoint:
    """Read a `.safetensors`, such as `paddle.save(..., safetensors=True)` writes."""
    length = int.from_bytes(source.read(0, 8), "little")
    try:
        header = json.loads(source.read(8, length))
    except (ValueError, RecursionError):
        raise _damaged(source, "its header is not JSON") from None
    if not isinstance(header, dict):
        raise _damaged(source, "its header is not a table")
    metadata = header.pop("__metadata__", {})
    tensors: dict[str, TensorRef] = {}
    spans: list[tuple[int, int]] = []
    for name, entry in header.items():
        tensors[name] = _tensor(source, name, entry, 8 + length)
        spans.append((tensors[name].payload.offset, tensors[name].nbytes))  # type: ignore[attr-defined]
    _check_disjoint(source, spans)
    require_tensors(source.path, tensors)
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
            "shape": list() as shape,
            "data_offsets": [int() as begin, int() as end],
        }:
            kind = BY_SAFETENSORS.get(code)
            if kind is None:
                raise ConvertError(
                    f"{source.path}: tensor {shown(name)!r} has dtype {shown(code)!r}, which is not supported"
                )
            whole = all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in shape)
            if whole and 0 <= begin <= end <= source.size - start:
                if end - begin != math.prod(shape) * kind.itemsize:
                    raise _damaged(
                        source, f"tensor {shown(name)!r} has {end - begin} bytes for shape {shape}"
                    )
                return TensorRef(tuple(shape), kind, FileSpan(source, start + begin, end - begin))
    raise _damaged(source, f"the entry of tensor {shown(name)!r} is wrong, or lies past the end of the file")


def _check_disjoint(source: SourceFile, spans: list[tuple[int, int]]) -> None:
    end = 0
    for offset, count in sorted(spans):
        if offset < end:
            raise _damaged(source, "its tensors overlap")
        end = offset + count


def _damaged(source: SourceFile, what: str) -> ConvertError:
    return ConvertError(f"{source.path}: not a readable safetensors file: {what}")
