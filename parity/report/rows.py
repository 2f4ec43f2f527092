"""The layer table of a terminal: the operators of one case, as lines that fit its width."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from convert.columns import Column, aligned
from parity.results.judgement import Row, Status
from parity.results.results import Case

WORST = 3
"""Rows of a case that are shown unless all are asked for."""

COLUMNS = (
    Column("layer", least=24),
    Column("operator", least=12),
    Column("shape", leaves=5),
    Column("f64 abs", right=True, leaves=3),
    Column("f64 rel", right=True),
    Column("rounding", right=True, leaves=1),
    Column("f32 rel", right=True),
    Column("alone", right=True, leaves=1),
    Column("at", right=True, leaves=4),
    Column(""),
)

MEANING: Mapping[str, str] = {
    "f64 rel": "largest difference of torch from Paddle, over the tensor's largest value, each model run freely in float64; f32: in float32",
    "rounding": "what rounding explains of f64 rel",
    "alone": "f64 rel of torch's operator on Paddle's own inputs",
    "at": "index of the largest difference",
}
"""A column that its title does not explain -> what it holds."""

WORDS: Mapping[Status, str] = {
    Status.DIFFERENT: "differs on equal inputs, too",
    Status.INHERITED: "differs only because what it is given differs",
    Status.CONSTANTS: "as far apart as a constant that one framework keeps in float32 makes it, no fault of the port",
    Status.WRITTEN: "another operator that computes the same numbers",
    Status.INSIDE: "part of an operator that the other side runs as one, so it has no number of its own; what comes out of that is compared",
    Status.NOT_COMPARED: "without a number: it was not recorded on both sides, or not looked at any more",
}


@dataclass
class Shown:
    """Lines with their styles; `titles` and `states` gather which words the legend has to explain."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    titles: set[str] = field(default_factory=set)
    states: set[Status] = field(default_factory=set)


def table(case: Case, width: int, shown: Shown, *, every_layer: bool = False) -> None:
    """Add the rows of a case: all of them, or the three that are furthest beyond their rounding."""
    rows = case.judgement.rows
    chosen = list(range(len(rows))) if every_layer else worst(rows)
    first = next((i for i, row in enumerate(rows) if row.status is Status.DIFFERENT), None)
    made = aligned(COLUMNS, [_cells(rows[i]) for i in chosen], width)
    part = "" if len(chosen) == len(rows) else f", the {len(chosen)} worst of {len(rows)} operators"
    shown.lines.append((title(case) + part, "bold"))
    shown.lines += ((line, "dim") for line in made.head)
    for i, lines in zip(chosen, made.rows, strict=True):
        style = "bold red" if i == first else "red" if rows[i].status is Status.DIFFERENT else ""
        shown.lines += ((line, style) for line in lines)
        number = rows[i].float64
        if number is not None and not number.comparable:
            shown.lines.append((f"    {number.problem}", style))
    rest = [row for i, row in enumerate(rows) if i not in set(chosen)]
    if rest:
        shown.lines.append((f"{_left_out(rest)}; --all-layers shows each", "dim"))
    shown.titles |= set(made.titles)
    shown.states |= {rows[i].status for i in chosen} | {row.status for row in rest}


def title(case: Case) -> str:
    """Which run it is, and of what."""
    shapes = ", ".join(f"{name}: {list(shape)}" for name, shape in case.shapes.items())
    return f"{case.name}, {case.mode}, input {shapes}"


def repeats(case: Case, other: Case) -> str:
    """A sentence instead of a table that says of every row what the other one says; "" where they part."""
    mine, theirs = case.judgement.rows, other.judgement.rows
    if [(row.torch_layer, row.operator, row.status) for row in mine] != [
        (row.torch_layer, row.operator, row.status) for row in theirs
    ]:
        return ""
    which = f"every one of the {len(mine)} operators" if len(mine) > 1 else "the operator"
    return f"{title(case)}: {which} as in {other.mode}, worst f64 rel {case.judgement.worst:.1e}"


def worst(rows: Sequence[Row], most: int = WORST) -> list[int]:
    """The numbers of the rows that are told: those that differ by themselves, then those furthest beyond their rounding."""

    def beyond(i: int) -> tuple[bool, float, int]:
        row = rows[i]
        size = -1.0 if row.float64 is None else row.float64.max_rel / row.limit
        return row.status is not Status.DIFFERENT, -size, i

    differing = [i for i, row in enumerate(rows) if row.status is Status.DIFFERENT]
    if len(differing) >= most:
        return differing[:most]
    return sorted(sorted(range(len(rows)), key=beyond)[:most])


def legend(shown: Shown) -> Iterator[str]:
    """The words of the tables, explained: those that were used."""
    for name, meaning in MEANING.items():
        if name in shown.titles:
            yield f"{name}: {meaning}"
    for status, meaning in WORDS.items():
        if status in shown.states:
            yield f"{status}: {meaning}"


def _left_out(rows: Collection[Row]) -> str:
    counts = Counter(row.status for row in rows)
    if set(counts) == {Status.SAME}:
        return f"{len(rows)} more, all same"
    return f"{len(rows)} more: " + ", ".join(
        f"{counts[status]} {status}" for status in Status if counts[status]
    )


def _cells(row: Row) -> tuple[str, ...]:
    state = "" if row.status is Status.SAME else str(row.status)
    names = (row.torch_layer or "(forward)", row.operator, "x".join(map(str, row.shape)))
    if row.float64 is None or not row.float64.comparable:
        return (*names, "", "", "", "", "", "", state)
    return (
        *names,
        f"{row.float64.max_abs:.1e}",
        f"{row.float64.max_rel:.1e}",
        f"{row.limit:.1e}",
        f"{row.float32.max_rel:.1e}" if row.float32 is not None else "",
        f"{row.local.max_rel:.1e}" if row.local is not None else "",
        ",".join(map(str, row.float64.index)) if row.float64.max_abs else "",
        state,
    )
