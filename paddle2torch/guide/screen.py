"""Rows of the Rosetta table as they are shown on a terminal."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from convert.columns import Column, aligned, wrapped
from convert.rosetta.rows import Argument, Example, Kind, Parameter, Row
from convert.rosetta.table import TABLE
from paddle2torch.guide.words import Words

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


@dataclass(frozen=True)
class Screen:
    """Shows rows on a console, in the language of `words`."""

    console: Console
    words: Words

    def overview(self) -> None:
        """How many rows there are of each kind."""
        traps = Counter[Kind]()
        for row in TABLE:
            traps[row.kind] += len(row.traps)
        lines = []
        for kind in Kind:
            rows = sorted((row for row in TABLE if row.kind is kind), key=lambda row: -len(row.traps))
            some = ", ".join(self.words.text(row.paddle) for row in rows[:3])
            lines.append((self.words(kind.value), str(len(rows)), str(traps[kind]), some))
        columns = (
            self._column("kind"),
            self._column("rows", right=True),
            self._column("traps", right=True),
            self._column("for example", words=True),
        )
        self.console.print(
            self.words("The Rosetta table: {rows} rows, each proven in both frameworks", rows=len(TABLE))
        )
        _table(columns, lines)
        self.console.print(self.words("look one up: paddle2torch guide {name}", name="nn.AvgPool2D"))

    def list(self, rows: Sequence[Row]) -> None:
        """A line a row."""
        words = self.words
        lines = [
            (
                words.paddle_name(row),
                words.called(row),
                words.torch_name(row),
                words(row.kind.value),
                words.level(row),
            )
            for row in rows
        ]
        columns = (
            Column("Paddle"),
            Column("", leaves=3),
            Column("torch", words=True),
            self._column("kind", leaves=1),
            self._column("exactness", leaves=2),
        )
        _table(columns, lines)
        self.console.print(
            words("one of them: paddle2torch guide {name}", name=rows[0].paddle), soft_wrap=True
        )

    def row(self, row: Row) -> None:
        """All that one says."""
        from rich.markup import escape

        words = self.words
        colon = words(": ")
        called = f"  {words.called(row)}" if words.called(row) else ""
        self.console.print(
            f"[bold]{escape(words.paddle_name(row))}[/] -> [bold]{escape(words.torch_name(row))}[/]{called}"
        )
        self.console.print("─" * min(self.console.width, RULE), style="dim")
        self._sentence(words.level(row), f"{words.meaning(row)}{words('; ')}{words.text(row.reason)}")
        if row.remedy:
            self._sentence(words("instead"), words.text(row.remedy))
        if row.versions:
            self._sentence(words("version"), words.text(row.versions))
        if row.parameters or row.generated:
            self._parameters(row)
        if row.arguments:
            self._arguments(row.arguments)
        for trap in row.traps:
            right = row.case_of(trap).torch
            self._sentence(words("trap"), words.text(trap.text), style="bold red")
            self._code("wrong", trap.naive)
            self._code("right", right)
        self._example(row.examples[0])
        if "f32(" in repr(row):
            meant = "f32(v): the float32 nearest to v, float(numpy.float32(v)), which is what Paddle keeps"
            self._dim(words(meant))
        self._dim(f"{words('source')}{colon}paddle {row.source.paddle}; torch {row.source.torch}")

    def _column(self, title: str, **how: Any) -> Column:
        return Column(self.words(title), **how)

    def _sentence(self, head: str, text: str, style: str = "bold") -> None:
        from rich.markup import escape

        from paddle2torch.console import table_width

        width = table_width()
        line = f"{head}{self.words(': ')}{text}"
        for number, part in enumerate([line] if width is None else wrapped(line, width)):
            shown = escape(part)
            if number == 0:
                shown = f"[{style}]{escape(head)}[/]{escape(part.removeprefix(head))}"
            self.console.print(shown, soft_wrap=True)

    def _dim(self, text: str) -> None:
        from rich.markup import escape

        self.console.print(f"[dim]{escape(text)}[/]")

    def _parameters(self, row: Row) -> None:
        words = self.words
        lines = [
            *(
                (entry.paddle, entry.torch, self._what_happens(entry), words.text(entry.why))
                for entry in row.parameters
            ),
            *(
                ("", made.torch, words("generated: {value}", value=made.value), words.text(made.why))
                for made in row.generated
            ),
            *(
                (p.also, "", words("dropped"), words("the same tensor as {name}", name=p.paddle))
                for p in row.parameters
                if p.also
            ),
        ]
        self.console.print(f"[bold]{words('in the checkpoint')}[/]")
        columns = (
            Column("Paddle"),
            Column("torch"),
            self._column("what happens"),
            self._column("why", words=True),
        )
        _table(columns, lines)
        self.console.print()

    def _what_happens(self, entry: Parameter) -> str:
        done = self.words({"copy": "copied", "transpose": "transposed"}.get(entry.transform, entry.transform))
        return done if entry.paddle == entry.torch else self.words(", ").join((self.words("renamed"), done))

    def _arguments(self, arguments: Sequence[Argument]) -> None:
        lines = [
            (
                _with_default(argument.paddle, argument.paddle_default),
                _with_default(argument.torch, argument.torch_default),
                self._conversion(argument),
                self.words.text(argument.note),
            )
            for argument in arguments
        ]
        self.console.print(f"[bold]{self.words('arguments')}[/]")
        columns = (
            Column("Paddle"),
            Column("torch"),
            self._column("value", words=True),
            self._column("note", words=True),
        )
        _table(columns, lines)
        if any(re.search(r"\bv\b", value) for _, _, value, _ in lines):
            self._dim(self.words("value: what torch is given where Paddle is given v"))
        self.console.print()

    def _conversion(self, argument: Argument) -> str:
        """How the value changes, in a few words: "same", `not v`, `1 - f32(v)`, "'NCHW' only", "'tanh' for True"."""
        words = self.words
        if argument.torch is None:
            values = words(" or ").join(map(repr, argument.values))
            return words("{values} only", values=values) if values else ""
        if argument.paddle is None:
            return ""
        if argument.values:
            return words("; ").join(
                words("{torch!r} for {paddle!r}", torch=ours, paddle=theirs)
                for theirs, ours in argument.values.items()
            )
        return words(SPELLED.get(argument.convert, argument.convert))

    def _example(self, example: Example) -> None:
        given = ", ".join(f"{name}: {text}" for name, text in example.inputs.items())
        self.console.print(f"[bold]{self.words('example')}[/]" + (f" ({given})" if given else ""))
        self._code("paddle", example.paddle)
        self._code("torch", example.torch)

    def _code(self, side: str, text: str) -> None:
        """Code as it is written; a line that is too long for the terminal goes on, further in, behind a space."""
        from rich.markup import escape

        from convert.columns import cells
        from paddle2torch.console import table_width

        style = {"wrong": "red", "right": "green"}.get(side, "cyan")
        label = self.words(side)
        head = f"[{style}]{' ' * (8 - cells(label))}{label}[/] "
        for line in text.splitlines():
            indent = " " * (9 + len(line) - len(line.lstrip()))
            width = table_width()
            parts = [line] if width is None else _broken(line, width - len(indent))
            for number, part in enumerate(parts):
                self.console.print(
                    (head + indent[9:] if head else indent) + "    " * bool(number) + escape(part.lstrip()),
                    soft_wrap=True,
                )
                head = ""


def _table(columns: Sequence[Column], lines: Sequence[tuple[str, ...]]) -> None:
    from paddle2torch.console import table_width

    for line in aligned(columns, lines, table_width()).lines():
        print(line)


def _with_default(name: str | None, default: Any) -> str:
    if name is None:
        return "-"
    return name if default is None else f"{name}={default!r}"


def _broken(line: str, width: int) -> list[str]:
    return [line] if len(line.lstrip()) <= width else wrapped(line, width - 4)
