"""`paddle2torch guide`: look up what a Paddle or torch name is in the other framework, and what goes wrong with it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from enum import Enum
from typing import Any

from convert.errors import ConvertError
from convert.rosetta.rows import Row
from convert.rosetta.table import TABLE, akin_chinese, find, find_chinese, mentioning, nearest

IN_FULL = 3
"""A name that more rows than this have is answered with a list of them."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "name",
        nargs="*",
        help="such as nn.AvgPool2D, F.pad, torch.split, Momentum, 平均池化; without one, an overview",
    )
    parser.add_argument(
        "--language", choices=("en", "zh"), help="of the answer; the question's unless it is given"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print the rows of one name, or the overview of the table."""
    name = " ".join(args.name)
    rows, called = _rows(name) if name else (TABLE, True)
    if args.json:
        print(json.dumps([_plain(asdict(row)) for row in rows], indent=2))
        return 0
    from paddle2torch.console import stdout_console
    from paddle2torch.guide.screen import Screen
    from paddle2torch.guide.words import Words

    words = Words(args.language or ("en" if name.isascii() else "zh"))
    console = stdout_console()
    screen = Screen(console, words)
    if not called:
        console.print(
            words("nothing is called {name!r}, but these rows speak of it:", name=name), markup=False
        )
    if not name:
        screen.overview()
    elif len(rows) > IN_FULL or not called:
        screen.list(rows)
    else:
        for row in rows:
            screen.row(row)
    return 0


def _rows(name: str) -> tuple[tuple[Row, ...], bool]:
    """The rows of a name, and whether they are called so, in either framework or in Chinese; else they only speak of it."""
    rows = find(name) or find_chinese(name)
    if rows:
        return rows, True
    near = nearest(name)
    rows = () if near else mentioning(name) or akin_chinese(name)
    if not rows:
        hint = f"did you mean {', '.join(near)}?" if near else "`paddle2torch guide` lists what there is"
        raise ConvertError(f"{name!r} is not in the table; {hint}")
    return rows, False


def _plain(value: Any) -> Any:
    """For JSON: enum members by what they say, keys as text."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
