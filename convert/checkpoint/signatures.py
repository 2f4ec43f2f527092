"""What a file that is no checkpoint is instead, by its first bytes."""

from __future__ import annotations

TORCH_BEFORE_1_6 = bytes.fromhex("8a0a6cfc9c46f9206aa85019")
"""The number with which its pickles begin (torch/serialization.py: MAGIC_NUMBER)."""
_SIGNATURES = (
    (b"\x1f\x8b", "compressed with gzip; unpack it first"),
    (b"<!doctype", "a web page, probably a failed download"),
    (b"<html", "a web page, probably a failed download"),
    (b"<?xml", "an answer in XML, probably of a failed download"),
    (b"version https://git-lfs", "a Git LFS pointer; fetch the real file with `git lfs pull`"),
    (b"\x89hdf", "an HDF5 file"),
)


def other_kind(head: bytes) -> str:
    """What a file that begins with `head` is, and what to do about it; empty when that is not known."""
    if head[257:262] == b"ustar":
        return "a tar archive; unpack it first"
    if TORCH_BEFORE_1_6 in head[:32]:
        return (
            "a torch file from before torch 1.6, in a form that is not read; save it once more with a torch of today: "
            "torch.save(torch.load(...), ...)"
        )
    head = head.lower().lstrip()
    return next((meaning for signature, meaning in _SIGNATURES if head.startswith(signature)), "")
