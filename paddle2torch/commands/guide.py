"""`paddle2torch guide`: look up what a Paddle or torch name is in the other framework, and what goes wrong with it."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from enum import Enum
from typing import TYPE_CHECKING, Any

from convert.errors import ConvertError
from convert.rosetta.rows import Argument, Exactness, Example, Kind, Parameter, Row
from convert.rosetta.table import TABLE, find, nearest

if TYPE_CHECKING:
    from rich.console import Console

SPELLED: Mapping[str, str] = {
    "": "same",
    "f32": "f32(v)",
    "not": "not v",
    "1 - f32": "1 - f32(v)",
    "is not False": "v is not False",
}
"""`Argument.convert` as code of the value `v`; `f32(v)` is `float(numpy.float32(v))`."""

IN_FULL = 3
"""A name that more rows than this have is answered with a list of them."""

MEANING: Mapping[Exactness, str] = {
    Exactness.BIT: "every bit is the same",
    Exactness.ALGEBRA: "at most 1e-12 apart in float64",
    Exactness.F32: "at most 1e-12 apart in float64, once torch is given Paddle's float32 constants",
    Exactness.NEAR: "at most {within:.0e} apart in float64",
    Exactness.DISTRIBUTION: "random: one distribution, other numbers",
    Exactness.NONE: "torch has none",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "name", nargs="*", help="such as nn.AvgPool2D, F.pad, torch.split, Momentum; without one, an overview"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print the rows of one name, or the overview of the table."""
    rows = _rows(" ".join(args.name)) if args.name else TABLE
    if args.json:
        print(json.dumps([_plain(asdict(row)) for row in rows], indent=2))
        return 0
    from paddle2torch.console import stdout_console

    console = stdout_console()
    if not args.name:
        _overview(console)
    elif len(rows) > IN_FULL:
        _list(console, rows)
    else:
        for row in rows:
            _show(console, row)
    return 0


def _rows(name: str) -> tuple[Row, ...]:
    rows = find(name)
    if not rows:
        near = nearest(name)
        hint = f"did you mean {', '.join(near)}?" if near else "`paddle2torch guide` lists what there is"
        raise ConvertError(f"{name!r} is not in the table; {hint}")
    return rows


def _plain(value: Any) -> Any:
    """For JSON: enum members by what they say, keys as text."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def paddle_name(row: Row) -> str:
    """The full name, as one would import it; an idiom is words."""
    return row.paddle if row.kind is Kind.IDIOM else f"paddle.{row.paddle}"


def torch_name(row: Row) -> str:
    """The twin's full name; "no twin" if there is none."""
    if not row.torch:
        return "no twin"
    whole = row.kind is Kind.IDIOM or row.torch.startswith(("torchvision.", "PIL."))
    return row.torch if whole else f"torch.{row.torch}"


def _overview(console: Console) -> None:
    traps = Counter[Kind]()
    for row in TABLE:
        traps[row.kind] += len(row.traps)
    lines = []
    for kind in Kind:
        rows = sorted((row for row in TABLE if row.kind is kind), key=lambda row: -len(row.traps))
        lines.append(
            (kind.value, str(len(rows)), str(traps[kind]), ", ".join(row.paddle for row in rows[:3]))
        )
    title = f"The Rosetta table: {len(TABLE)} rows, each proven in both frameworks"
    _table(console, title, ("kind", "rows", "traps", "for example"), lines)
    console.print("look one up: paddle2torch guide nn.AvgPool2D", highlight=False)


def _list(console: Console, rows: tuple[Row, ...]) -> None:
    lines = [(paddle_name(row), torch_name(row), row.kind.value, row.exactness.value) for row in rows]
    _table(console, "", ("Paddle", "torch", "kind", "exactness"), lines)
    console.print(f"one of them: paddle2torch guide {rows[0].paddle}", highlight=False, soft_wrap=True)


def _table(console: Console, title: str, columns: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for line in lines:
        table.add_row(*map(Text, line))
    console.print(table)


def _show(console: Console, row: Row) -> None:
    from rich.markup import escape
    from rich.rule import Rule

    console.print(
        Rule(f"[bold]{escape(paddle_name(row))}[/] -> [bold]{escape(torch_name(row))}[/]", align="left")
    )
    meaning = MEANING[row.exactness].format(within=row.within)
    console.print(f"[bold]{row.exactness.value}[/]: {meaning}; {escape(row.reason)}", highlight=False)
    if row.remedy:
        console.print(f"[bold]instead[/]: {escape(row.remedy)}", highlight=False)
    if row.parameters or row.generated:
        _parameters(console, row)
    if row.arguments:
        _arguments(console, row.arguments)
    for trap in row.traps:
        right = row.case_of(trap).torch
        console.print(f"[bold red]trap[/]: {escape(trap.text)}", highlight=False)
        _code(console, "wrong", trap.naive)
        _code(console, "right", right)
    _example(console, row.examples[0])
    console.print(
        f"[dim]source: paddle {escape(row.source.paddle)}; torch {escape(row.source.torch)}[/]",
        highlight=False,
    )


def _parameters(console: Console, row: Row) -> None:
    lines = [
        *((entry.paddle, entry.torch, _what_happens(entry), entry.why) for entry in row.parameters),
        *(("", made.torch, f"generated: {made.value}", made.why) for made in row.generated),
        *((p.also, "", "dropped", f"the same tensor as {p.paddle}") for p in row.parameters if p.also),
    ]
    _table(console, "in the checkpoint", ("Paddle", "torch", "what happens", "why"), lines)


def _what_happens(entry: Parameter) -> str:
    renamed = "" if entry.paddle == entry.torch else "renamed, "
    return renamed + {"copy": "copied", "transpose": "transposed"}.get(entry.transform, entry.transform)


def _arguments(console: Console, arguments: tuple[Argument, ...]) -> None:
    lines = [
        (
            _with_default(argument.paddle, argument.paddle_default),
            _with_default(argument.torch, argument.torch_default),
            conversion(argument),
            argument.note,
        )
        for argument in arguments
    ]
    _table(console, "arguments", ("Paddle", "torch", "value", "note"), lines)


def _with_default(name: str | None, default: Any) -> str:
    if name is None:
        return "-"
    return name if default is None else f"{name}={default!r}"


def conversion(argument: Argument) -> str:
    """How the value changes, in a few words: "same", `not v`, `1 - f32(v)`, "'NCHW' only", "'tanh' for True"."""
    if argument.torch is None:
        return " or ".join(map(repr, argument.values)) + " only" if argument.values else ""
    if argument.paddle is None:
        return ""
    if argument.values:
        return "; ".join(f"{ours!r} for {theirs!r}" for theirs, ours in argument.values.items())
    return SPELLED.get(argument.convert, argument.convert)


def _example(console: Console, example: Example) -> None:
    given = ", ".join(f"{name}: {text}" for name, text in example.inputs.items())
    console.print("[bold]example[/]" + (f" ({given})" if given else ""), highlight=False)
    _code(console, "paddle", example.paddle)
    _code(console, "torch", example.torch)


def _code(console: Console, side: str, text: str) -> None:
    from rich.markup import escape

    style = {"wrong": "red", "right": "green"}.get(side, "cyan")
    for number, line in enumerate(text.splitlines()):
        head = f"[{style}]{side:>8}[/] " if number == 0 else " " * 9
        console.print(head + escape(line), highlight=False, soft_wrap=True)
