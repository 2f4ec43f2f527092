"""`paddle2torch guide`: look up what a Paddle or torch name is in the other framework, and what goes wrong with it."""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from enum import Enum
from typing import TYPE_CHECKING, Any

from convert.columns import Column, aligned, wrapped
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

RULE = 80
"""Characters of the line below a row's name."""

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
    columns = (
        Column("kind"),
        Column("rows", right=True),
        Column("traps", right=True),
        Column("for example", words=True),
    )
    console.print(f"The Rosetta table: {len(TABLE)} rows, each proven in both frameworks")
    _table(columns, lines)
    console.print("look one up: paddle2torch guide nn.AvgPool2D")


def _list(console: Console, rows: tuple[Row, ...]) -> None:
    lines = [(paddle_name(row), torch_name(row), row.kind.value, row.exactness.value) for row in rows]
    columns = (
        Column("Paddle"),
        Column("torch", words=True),
        Column("kind", leaves=1),
        Column("exactness", leaves=2),
    )
    _table(columns, lines)
    console.print(f"one of them: paddle2torch guide {rows[0].paddle}", soft_wrap=True)


def _table(columns: tuple[Column, ...], lines: Sequence[tuple[str, ...]]) -> None:
    from paddle2torch.console import table_width

    for line in aligned(columns, lines, table_width()).lines():
        print(line)


def _show(console: Console, row: Row) -> None:
    from rich.markup import escape

    console.print(f"[bold]{escape(paddle_name(row))}[/] -> [bold]{escape(torch_name(row))}[/]")
    console.print("─" * min(console.width, RULE), style="dim")
    meaning = MEANING[row.exactness].format(within=row.within)
    console.print(f"[bold]{row.exactness.value}[/]: {meaning}; {escape(row.reason)}")
    if row.remedy:
        console.print(f"[bold]instead[/]: {escape(row.remedy)}")
    if row.versions:
        console.print(f"[bold]version[/]: {escape(row.versions)}")
    if row.parameters or row.generated:
        _parameters(console, row)
    if row.arguments:
        _arguments(console, row.arguments)
    for trap in row.traps:
        right = row.case_of(trap).torch
        console.print(f"[bold red]trap[/]: {escape(trap.text)}")
        _code(console, "wrong", trap.naive)
        _code(console, "right", right)
    _example(console, row.examples[0])
    if "f32(" in repr(row):
        console.print(
            "[dim]f32(v): the float32 nearest to v, float(numpy.float32(v)), which is what Paddle keeps[/]"
        )
    console.print(f"[dim]source: paddle {escape(row.source.paddle)}; torch {escape(row.source.torch)}[/]")


def _parameters(console: Console, row: Row) -> None:
    lines = [
        *((entry.paddle, entry.torch, _what_happens(entry), entry.why) for entry in row.parameters),
        *(("", made.torch, f"generated: {made.value}", made.why) for made in row.generated),
        *((p.also, "", "dropped", f"the same tensor as {p.paddle}") for p in row.parameters if p.also),
    ]
    console.print("[bold]in the checkpoint[/]")
    _table((Column("Paddle"), Column("torch"), Column("what happens"), Column("why", words=True)), lines)
    console.print()


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
    console.print("[bold]arguments[/]")
    columns = (Column("Paddle"), Column("torch"), Column("value", words=True), Column("note", words=True))
    _table(columns, lines)
    if any(re.search(r"\bv\b", value) for _, _, value, _ in lines):
        console.print("[dim]value: what torch is given where Paddle is given v[/]")
    console.print()


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
    console.print("[bold]example[/]" + (f" ({given})" if given else ""))
    _code(console, "paddle", example.paddle)
    _code(console, "torch", example.torch)


def _code(console: Console, side: str, text: str) -> None:
    """Code as it is written; a line that is too long for the terminal goes on, further in, behind a space."""
    from rich.markup import escape

    from paddle2torch.console import table_width

    style = {"wrong": "red", "right": "green"}.get(side, "cyan")
    head = f"[{style}]{side:>8}[/] "
    for line in text.splitlines():
        indent = " " * (9 + len(line) - len(line.lstrip()))
        width = table_width()
        parts = [line] if width is None else _broken(line, width - len(indent))
        for number, part in enumerate(parts):
            console.print(
                (head + indent[9:] if head else indent) + "    " * bool(number) + escape(part.lstrip()),
                soft_wrap=True,
            )
            head = ""


def _broken(line: str, width: int) -> list[str]:
    return [line] if len(line.lstrip()) <= width else wrapped(line, width - 4)
