"""What a file that is no checkpoint is instead, by its first bytes."""

from __future__ import annotations

TORCH_BEFORE_1_6 = bytes.fromhex("8a0a6cfc9c46f9206aa85019")
"""The number with which its pickles begin (torch/serialization.py: MAGIC_NUMBER)."""
GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
_SIGNATURES = (
    (b"<!doctype", "a web page, probably a failed download"),
    (b"<html", "a web page, probably a failed download"),
    (b"<?xml", "an answer in XML, probably of a failed download"),
    (b"version https://git-lfs", "a Git LFS pointer; fetch the real file with `git lfs pull`"),
    (b"\x89hdf", "an HDF5 file"),
)


def other_kind(head: bytes) -> str:
    """What a file that begins with `head` is, and what to do about it; empty when that is not known."""
    head = head.lower().lstrip()
    return next((meaning for signature, meaning in _SIGNATURES if head.startswith(signature)), "")


def is_archive(head: bytes) -> bool:
    """Whether a file that begins with `head` (512 bytes) is an archive that may hold a checkpoint, but for a zip."""
    return head.startswith(GZIP) or head[257:262] == b"ustar"


def is_torch_zip(head: bytes) -> bool:
    """Whether a zip archive is one that `torch.save` writes, as far as its first entry tells."""
    length = int.from_bytes(head[26:28], "little")
    return head[30 : 30 + length].endswith((b"/data.pkl", b"/byteorder", b"/version", b"/.format_version"))
