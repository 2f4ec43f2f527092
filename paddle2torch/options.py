"""Values of options that several commands take, read the same way everywhere."""

from __future__ import annotations

import json
from typing import Any

from convert.errors import ConvertError

NAMES_MOST = 20_000_000
"""Bytes of a list of names."""


def json_object(text: str, option: str) -> dict[str, Any]:
    """Keyword arguments written as JSON; ConvertError says how to write them."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConvertError(
            f"{option} is not JSON ({error}); write e.g. {option} '{{\"num_classes\": 10}}'"
        ) from None
    if not isinstance(value, dict):
        raise ConvertError(
            f"{option} must be a JSON object of keyword arguments, such as '{{\"num_classes\": 10}}', not {text}"
        )
    return value


def shape_of(text: str) -> tuple[int, ...]:
    """`2,3,224,224` as sizes."""
    try:
        shape = tuple(int(n) for n in text.replace("x", ",").split(","))
    except ValueError:
        raise ConvertError(f"--shape {text}: write sizes with commas, e.g. 2,3,224,224") from None
    if min(shape) < 1:
        raise ConvertError(f"--shape {text}: every size must be at least 1")
    return shape


def names_in(path: str | None) -> list[str] | None:
    """The parameter names that a file lists, one a line; None without a file."""
    if path is None:
        return None
    from convert.checkpoint.source import read_text

    return list(filter(None, map(str.strip, read_text(path, NAMES_MOST).splitlines())))
