"""All rows together, and looking a name up as people write it: `F.relu`, `paddle.nn.Conv2D`, `torch.split`, `adamw`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from convert.rosetta import (
    functions,
    idioms,
    initializers,
    layers,
    losses,
    methods,
    metrics,
    optimizers,
    schedulers,
    tensors,
    transforms,
    vision_ops,
)
from convert.rosetta.chinese import called, chinese, texts
from convert.rosetta.rows import Kind, Row

MODULES: Mapping[str, tuple[Row, ...]] = MappingProxyType(
    {
        "layers": tuple(layers.LAYERS.values()),
        "functions": functions.ROWS,
        "tensors": tensors.ROWS,
        "losses": losses.ROWS,
        "optimizers": optimizers.ROWS,
        "schedulers": schedulers.ROWS,
        "initializers": initializers.ROWS,
        "transforms": transforms.ROWS,
        "vision_ops": vision_ops.ROWS,
        "metrics": metrics.ROWS,
        "methods": methods.ROWS,
        "idioms": idioms.ROWS,
    }
)
"""The rows of each module, in the order of the reference pages."""

TABLE: tuple[Row, ...] = tuple(row for rows in MODULES.values() for row in rows)
"""Every row."""

_ABBREVIATIONS = (
    ("f.", "nn.functional."),
    ("functional.", "nn.functional."),
    ("lr.", "optimizer.lr."),
    ("t.", "vision.transforms."),
    ("transforms.", "vision.transforms."),
    ("init.", "nn.init."),
    ("x.", "tensor."),
)


def _spellings(name: str) -> set[str]:
    """The full name and every tail of it, lower case: `nn.functional.relu`, `functional.relu`, `relu`."""
    parts = name.lower().split(".")
    return {".".join(parts[i:]) for i in range(len(parts))} if " " not in name else {name.lower()}


def _written(name: str) -> str:
    """What the user wrote, without framework, call and abbreviation."""
    word = name.strip().lower().removesuffix("()").removeprefix("paddle.").removeprefix("torch.")
    for short, full in _ABBREVIATIONS:
        if word.startswith(short):
            return full + word.removeprefix(short)
    return word


def _names(row: Row) -> tuple[str, ...]:
    return tuple(name for name in (row.paddle, row.torch) if name)


def find(name: str) -> tuple[Row, ...]:
    """The rows of a Paddle or torch name, as it is written in either framework; none if it is in no row.

    Case and prefixes do not matter. Rows whose whole name it is come alone; else all whose name ends in it.
    """
    word = _written(name)
    whole = tuple(row for row in TABLE if word in (n.lower() for n in _names(row)))
    if whole:
        return whole
    tails = tuple(row for row in TABLE if any(word in _spellings(n) for n in _names(row)))
    if tails:
        return tails
    idioms = (row for row in TABLE if row.kind is Kind.IDIOM and word)
    return tuple(row for row in idioms if any(word in name.lower() for name in _names(row)))


def find_chinese(words: str) -> tuple[Row, ...]:
    """The rows that are called so in Chinese: those of exactly that name first, then those whose name has all the words in it."""
    rows = [
        (row, names)
        for row, names in _chinese_names()
        if all(word in " ".join(names) for word in words.split())
    ]
    return tuple(row for row, names in sorted(rows, key=lambda pair: words not in pair[1]))


def akin_chinese(words: str) -> tuple[Row, ...]:
    """The rows whose Chinese name says more (自适应池化 is 自适应平均池化), else those with a name that the words end with or hold."""
    if words.isascii():
        return ()
    more = re.compile(".*".join(map(re.escape, words)))
    rows = tuple(row for row, names in _chinese_names() if any(map(more.fullmatch, names)))
    held = {name for _, names in _chinese_names() for name in names if name in words and len(name) > 1}
    best = max(held, key=lambda name: (words.endswith(name), len(name)), default="")
    return rows or tuple(row for row, names in _chinese_names() if best in names)


@cache
def _chinese_names() -> tuple[tuple[Row, list[str]], ...]:
    def said(row: Row) -> str:
        return f"{called(row)} {chinese(row.paddle) if row.kind is Kind.IDIOM else ''}"

    return tuple((row, said(row).split()) for row in TABLE)


def mentioning(words: str) -> tuple[Row, ...]:
    """The rows whose reasons, notes or traps say these words, in English or Chinese; for what is nobody's name."""
    phrase = r"\s+".join(map(re.escape, words.split()))
    said = re.compile(rf"\b{phrase}\b" if words.isascii() else phrase, re.IGNORECASE)
    return tuple(
        row for row in TABLE if any(said.search(text) or said.search(chinese(text)) for text in texts(row))
    )


def nearest(name: str, count: int = 5) -> tuple[str, ...]:
    """The table's names most like `name`, Paddle's and torch's, for "did you mean"."""
    last = _written(name).rpartition(".")[2]
    spelled: dict[str, str] = {}
    for row in TABLE:
        for full in _names(row):
            spelled.setdefault(full.rpartition(".")[2].lower(), full)
    return tuple(spelled[word] for word in difflib.get_close_matches(last, spelled, count, 0.6))
