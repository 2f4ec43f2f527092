"""The CRC-32 of two texts behind each other from the CRCs of both, so that threads can share a long one.

A CRC is a polynomial over GF(2) modulo `_POLYNOMIAL`, bits reversed; appending n bytes multiplies it by x^(8n).
That is how zlib's `crc32_combine` does it (zlib 1.3, crc32.c), which Python does not offer.
"""

from __future__ import annotations

from functools import cache

_POLYNOMIAL = 0xEDB88320
_ONE = 1 << 31


def combine_crcs(first: int, second: int, length: int) -> int:
    """The CRC-32 of `a + b` from that of `a`, that of `b` and b's length in bytes."""
    return _multiply(_shift(length), first) ^ second if first else second


def _multiply(a: int, b: int) -> int:
    product = 0
    while a:
        if a & _ONE:
            product ^= b
        a = a << 1 & 0xFFFFFFFF
        b = b >> 1 ^ (_POLYNOMIAL if b & 1 else 0)
    return product


@cache
def _shift(length: int) -> int:
    """x^(8 * length)."""
    power, result = _ONE >> 8, _ONE
    while length:
        if length & 1:
            result = _multiply(power, result)
        power = _multiply(power, power)
        length >>= 1
    return result
