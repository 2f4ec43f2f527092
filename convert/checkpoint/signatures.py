"""What a file that is no checkpoint is instead, by its first bytes."""

from __future__ import annotations

_SIGNATURES = (
    (b"\x1f\x8b", "compressed with gzip; unpack it first"),
    (b"<!doctype", "a web page, probably a failed download"),
    (b"<html", "a web page, probably a failed download"),
    (b"version https://git-lfs", "a Git LFS pointer; fetch the real file with `git lfs pull`"),
    (b"\x89hdf", "an HDF5 file"),
)


def other_kind(head: bytes) -> str:
    """What a file that begins with `head` is, and what to do about it; empty when that is not known."""
    head = head.lower().lstrip()
    return next((meaning for signature, meaning in _SIGNATURES if head.startswith(signature)), "")
