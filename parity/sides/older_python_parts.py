"""What rewritten code calls (`parity.sides.older_python`); Python 3.8 runs this file as it is, so nothing newer is in it."""
# ruff: noqa: B905, UP007

from __future__ import annotations

import functools
import itertools
import operator
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

cache = functools.lru_cache(maxsize=None)


def pairwise(values: Iterable[Any]) -> Iterator[Any]:
    """itertools.pairwise."""
    first, second = itertools.tee(values)
    next(second, None)
    return zip(first, second)


def zipped(strict: bool, *values: Iterable[Any]) -> Iterator[Any]:
    """zip(*values, strict=strict)."""
    held = [list(each) for each in values] if strict else values
    if strict and len({len(typing.cast("list[Any]", each)) for each in held}) > 1:
        raise ValueError("zip() arguments are not of one length")
    return zip(*held)


def removeprefix(text: str, prefix: str) -> str:
    """text.removeprefix(prefix)."""
    return text[len(prefix) :] if prefix and text.startswith(prefix) else text


def removesuffix(text: str, suffix: str) -> str:
    """text.removesuffix(suffix)."""
    return text[: -len(suffix)] if suffix and text.endswith(suffix) else text


def either(one: Any, other: Any) -> Any:
    """one | other: numbers and sets, dictionaries, or types."""
    try:
        return operator.or_(one, other)
    except TypeError:
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            return {**one, **other}
        return typing.Union[one, other]


def updated(target: Any, value: Any) -> Any:
    """target |= value."""
    if not isinstance(target, dict):
        target |= value
        return target
    target.update(value)
    return target


def without(mapping: Mapping[Any, Any], *keys: Any) -> dict[Any, Any]:
    """What a pattern {key: ..., **rest} calls the rest."""
    return {key: value for key, value in mapping.items() if key not in keys}
