"""Short ways to write rows of large families: the names, sources and examples that follow from a class or function name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convert.rosetta.rows import Exactness, Example, Kind, Row, Source, Trap

Inputs = str | Mapping[str, str]
"""`float 3,4` alone is the input `x`."""
Texts = str | tuple[str, str]
"""Paddle's text and torch's; one where both are the same."""


def case(inputs: Inputs, texts: Texts, **options: Any) -> Example:
    """One example; `options` are those of `Example`."""
    paddle, torch = (texts, texts) if isinstance(texts, str) else texts
    return Example({"x": inputs} if isinstance(inputs, str) else inputs, paddle, torch, **options)


def cases(inputs: Inputs, *texts: Texts, **options: Any) -> tuple[Example, ...]:
    """Several examples with the same inputs."""
    return tuple(case(inputs, each, **options) for each in texts)


def trap(text: str, naive: str, inputs: Inputs, texts: Texts, *, argument: str = "", **options: Any) -> Trap:
    """A trap with a case of its own; `argument` is Paddle's name of what it is about."""
    return Trap(text, naive, case(inputs, texts, **options), argument)


def _source(folder: str, file: str, name: str) -> str:
    path = file if "." in file else f"{folder}/{file}.py"
    return f"{path}: {name}" if name else path


def layer(
    called: Texts,
    exactness: Exactness,
    reason: str,
    examples: tuple[Example, ...],
    *,
    files: Texts,
    **fields: Any,
) -> Row:
    """A row of `nn`: `files` are the modules of `nn/layer` and of `nn/modules` without `.py`, or paths."""
    paddle, torch = (called, called) if isinstance(called, str) else called
    ours, theirs = (files, files) if isinstance(files, str) else files
    return Row(
        Kind.LAYER,
        f"nn.{paddle}",
        f"nn.{torch}" if torch else "",
        exactness,
        examples=examples,
        reason=reason,
        source=Source(_source("nn/layer", ours, paddle), _source("nn/modules", theirs, torch)),
        **fields,
    )


def function(
    called: Texts,
    exactness: Exactness,
    reason: str,
    examples: tuple[Example, ...],
    *,
    file: str,
    **fields: Any,
) -> Row:
    """A row of `nn.functional`: `file` is Paddle's module of `nn/functional` without `.py`, or a path."""
    paddle, torch = (called, called) if isinstance(called, str) else called
    return Row(
        Kind.FUNCTION,
        f"nn.functional.{paddle}",
        f"nn.functional.{torch}" if torch else "",
        exactness,
        examples=examples,
        reason=reason,
        source=Source(_source("nn/functional", file, paddle), _source("nn", "functional", torch)),
        **fields,
    )
