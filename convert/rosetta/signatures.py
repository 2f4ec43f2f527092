"""What each name of the table takes, as both frameworks say it: data, written by `python -m parity.rosetta.signatures`."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from convert.rosetta.forms import FORMS

FILE = Path(__file__).with_name("signatures.json")
REQUIRED = object()
"""In place of the default of an argument that has none."""
UNSAID = Ellipsis
"""In place of a default that is no plain value."""


@dataclass(frozen=True)
class Signature:
    """Names in order with their defaults; `keyword_only` are those behind a star, `rest` the name of `*args`."""

    defaults: Mapping[str, Any]
    keyword_only: frozenset[str] = frozenset()
    rest: str = ""
    others: bool = False
    """Whether there is a `**kwargs`."""

    @property
    def positional(self) -> tuple[str, ...]:
        return tuple(name for name in self.defaults if name not in self.keyword_only)


def named() -> Iterable[str]:
    """Paddle's names that only the forms have."""
    return (name for name in FORMS if " " not in name)


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return data


@cache
def attributes(of: str) -> frozenset[str]:
    """Of `paddle tensor`, `layer`, `optimizer`, `scheduler` or `scaler`, `torch tensor` or `layer`, or `elsewhere`: Python's own types,
    arrays, and Paddle's other objects."""
    return frozenset(_data().get(of, ()))


@cache
def signature(side: str, name: str) -> Signature | None:
    """What `name` takes; None where the framework does not say it."""
    text = _data().get(side, {}).get(name)
    return None if text is None else read(text)


def read(text: str) -> Signature:
    """`x, axis=0, *, name=None` as a signature."""
    function = ast.parse(f"def f({text}): ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    arguments = function.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    given = [REQUIRED] * (len(names) - len(arguments.defaults)) + [_value(d) for d in arguments.defaults]
    defaults = dict(zip(names, given, strict=True))
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        defaults[argument.arg] = REQUIRED if default is None else _value(default)
    return Signature(
        defaults,
        frozenset(a.arg for a in arguments.kwonlyargs),
        arguments.vararg.arg if arguments.vararg else "",
        arguments.kwarg is not None,
    )


def _value(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return UNSAID
