"""The report as one HTML page that needs no network: what to change first, then everything it rests on.

All text comes from models and is escaped by the template engine. The page forbids every request and every
script but its own (by its digest), so that a name that slipped through would still do nothing.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from convert.names import counted
from parity.numbers.compare import Difference
from parity.report.outputs import answers
from parity.report.plot import Plot, answers_alone, plot
from parity.report.source import Excerpt, excerpt, short_place
from parity.report.text import headline, next_step
from parity.results.finding import Finding
from parity.results.judgement import Judgement, OneSided, Row, Status
from parity.results.results import REPORT_VERSION, Case, Results
from parity.results.verdict import Verdict

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

SIGN = {Verdict.EQUIVALENT: "≡", Verdict.DIFFERENT: "≠", Verdict.INCONCLUSIVE: "?"}

MEANING: Mapping[Status, str] = {
    Status.SAME: "the two sides agree in float64 as far as rounding allows",
    Status.DIFFERENT: "this operator itself is not the same on both sides",
    Status.INHERITED: "differs only because what it is given differs; alone, on Paddle's inputs, it agrees",
    Status.CONSTANTS: "a tiny difference that the framework's own float32 constant explains; no fault",
    Status.WRITTEN: "other operators, same numbers; no fault",
    Status.INSIDE: "part of a fused operator on one side, so there is no value of its own to compare",
    Status.NOT_COMPARED: "a value was not recorded on one side",
}
"""What the words in the result column say to someone who reads them for the first time."""

MARK: Mapping[str, str] = {
    Status.SAME: "=",
    Status.DIFFERENT: "≠",
    Status.INHERITED: "↓",
    Status.CONSTANTS: "≈",
    Status.WRITTEN: "≡",
    "only": "",
}


OPEN = 10
"""Findings that are shown at once; the others open on request."""

QUOTED = 100
"""Findings with code excerpts; whoever has more starts with the first."""


def to_html(report: Results) -> str:
    """The whole report as one self-contained page."""
    template = _environment().get_template("report.html.j2")
    script = _asset("report.js")
    findings = [_shown_finding(n, finding) for n, finding in enumerate(report.findings, 1)]
    return template.render(
        title=f"{report.verdict.value}: {report.torch} against {report.paddle}",
        report=report,
        verdict=report.verdict,
        sign=SIGN[report.verdict],
        sentence=_sentence(report),
        next_step=next_step(report, _file_and_line),
        figures=_figures(report),
        findings=findings[:OPEN],
        further=findings[OPEN:],
        answers=list(answers(report)),
        runs=_runs(report),
        cases=[_shown_case(n, case, report) for n, case in enumerate(report.cases) if case.judgement.rows],
        meaning=MEANING,
        style=_asset("report.css"),
        script=script,
        digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        report_version=REPORT_VERSION,
    )


def to_notebook(report: Results) -> str:
    """What a notebook shows: the verdict as text, and the page in a frame that can reach nothing around it."""
    template = _environment().get_template("notebook.html.j2")
    return template.render(
        verdict=report.verdict,
        sign=SIGN[report.verdict],
        sentence=_sentence(report),
        page=to_html(report),
        height=460 if report.verdict is Verdict.EQUIVALENT else 640,
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_asset),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, size=_size, place=short_place, named=_named)
    return environment


@cache
def _asset(name: str) -> str:
    """A file of `templates/` as text."""
    return (files("parity.report") / "templates" / name).read_text(encoding="utf-8")


# -- the top of the page ------------------------------------------------------------------------------


def _sentence(report: Results) -> str:
    """The headline without the word that stands beside it."""
    text = headline(report).removeprefix(f"{report.verdict.value}: ")
    return text[:1].upper() + text[1:] if report.verdict is Verdict.INCONCLUSIVE else text


def _figures(report: Results) -> list[tuple[str, str]]:
    rows = [row for case in report.cases for row in case.judgement.rows]
    compared, runs = (
        sum(row.float64 is not None for row in rows),
        sum(not case.quick for case in report.cases),
    )
    outputs32 = [d.max_rel for case in report.cases for d in case.judgement.outputs32.values()]
    outputs = [d.max_rel for case in report.cases for d in case.judgement.outputs.values()]
    found = [
        (str(len(report.findings)), "finding" if len(report.findings) == 1 else "findings"),
        (
            f"{compared:,}",
            f"operator{'s' if compared != 1 else ''} compared, {counted(runs, 'run')}",
        ),
    ]
    if outputs:
        found.append((number(max(outputs)), "worst output difference, float64, relative"))
    if outputs32:
        found.append((number(max(outputs32)), "worst output difference, float32, relative"))
    return found


# -- findings -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Side:
    """One side's place of a finding; `excerpt` is None where the file is not here."""

    name: str
    place: str
    layer: str
    excerpt: Excerpt | None
    edit: bool


@dataclass(frozen=True)
class ShownFinding:
    number: int
    finding: Finding
    sides: tuple[Side, ...]
    evidence: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    """Groups of (name, value) pairs; the group without a name comes first."""


def _shown_finding(number_: int, finding: Finding) -> ShownFinding:
    sides = [
        Side(name, place, layer, excerpt(place) if number_ <= QUOTED else None, name == "torch")
        for name, place, layer in (
            ("Paddle", finding.where_paddle, finding.layer_paddle),
            ("torch", finding.where, finding.layer),
        )
        if place
    ]
    return ShownFinding(number_, finding, tuple(sides), tuple(_evidence(finding.evidence)))


def _evidence(evidence: Mapping[str, Any]) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    plain = {key: value for key, value in evidence.items() if not isinstance(value, Mapping)}
    groups = {"": plain, **{key: value for key, value in evidence.items() if isinstance(value, Mapping)}}
    for name, values in groups.items():
        if values:
            yield str(name), tuple((str(key), _value(str(key), value)) for key, value in values.items())


def _value(name: str, value: Any) -> str:
    """A value of a tensor keeps its digits, a difference needs two."""
    if isinstance(value, float) and name.endswith("value"):
        return f"{value:.12g}"
    if isinstance(value, float) and math.isinf(value):
        return "not comparable"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_value(str(key), item)}" for key, item in value.items())
    return number(value)


# -- runs ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """One output of one case."""

    name: str
    mode: str
    shapes: str
    output: str
    float64: Difference | None
    float32: Difference | None
    quick: bool


def _runs(report: Results) -> list[Run]:
    found = []
    for case in report.cases:
        shapes = ", ".join(f"{name}: {_size(shape)}" for name, shape in case.shapes.items())
        judged = case.judgement
        for path, d in judged.outputs.items() or [("", None)]:
            found.append(Run(case.name, case.mode, shapes, path, d, judged.outputs32.get(path), case.quick))
    return found


# -- one case -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One line of the two graphs: what either side runs there, or nothing."""

    status: str
    mark: str
    paddle: tuple[str, str]
    torch: tuple[str, str]
    findings: tuple[int, ...] = ()


@dataclass(frozen=True)
class Block:
    """Consecutive lines of the two graphs; `fold` says what all of them do if they may be folded up."""

    fold: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class ShownRow:
    number: int
    row: Row
    status: str
    line: str
    line_paddle: str
    limit: str
    alone: str
    problem: str
    findings: tuple[int, ...]
    first: bool


@dataclass(frozen=True)
class ShownCase:
    id: str
    case: Case
    plot: Plot | None
    blocks: tuple[Block, ...]
    rows: tuple[ShownRow, ...]
    statuses: tuple[str, ...]
    has: Mapping[str, bool] = field(default_factory=dict)


FOLD = 7
"""So many equal operators in a row are shown as one line that opens."""


def _shown_case(number_: int, case: Case, report: Results) -> ShownCase:
    rows = case.judgement.rows
    first = next((i for i, row in enumerate(rows) if row.status is Status.DIFFERENT), None)
    at = _places(case, report, lambda finding: finding.rows)
    alone = _places(case, report, lambda finding: finding.only)
    shown = tuple(
        ShownRow(
            number=i + 1,
            row=row,
            status=row.status,
            line=_file_and_line(row.line),
            line_paddle=_file_and_line(row.line_paddle),
            limit=number(row.limit) if row.float64 is not None else "",
            alone=number(row.local.max_rel) if row.local is not None and answers_alone(row) else "",
            problem=row.float64.problem if row.float64 is not None and row.status is Status.DIFFERENT else "",
            findings=tuple(at.get(i, ())),
            first=i == first,
        )
        for i, row in enumerate(rows)
    )
    return ShownCase(
        id=f"c{number_}",
        case=case,
        plot=plot(rows),
        blocks=tuple(_blocks(list(_lines(case.judgement, at, alone)))),
        rows=shown,
        statuses=tuple(dict.fromkeys(row.status for row in rows)),
        has={
            "float32": any(row.float32 is not None for row in rows),
            "alone": any(row.local is not None for row in rows),
            "line_paddle": any(row.line_paddle for row in shown),
        },
    )


def _places(case: Case, report: Results, places: Callable[[Finding], Iterable[int]]) -> dict[int, list[int]]:
    """Place -> numbers of the report's findings about it, in order."""
    found: dict[int, set[int]] = {}
    for finding in case.judgement.findings:
        for place in places(finding):
            found.setdefault(place, set()).add(report.number_of(finding))
    return {place: sorted(numbers) for place, numbers in found.items()}


def _lines(
    judgement: Judgement, at: Mapping[int, Sequence[int]], alone: Mapping[int, Sequence[int]]
) -> Iterator[Line]:
    """Aligned operators in Paddle's order, and between them what runs on one side only."""
    loose = sorted(enumerate(judgement.only), key=lambda one: one[1].order)
    for i, row in enumerate(judgement.rows):
        while loose and loose[0][1].order < row.order:
            index, one = loose.pop(0)
            yield _gap(one, alone.get(index, ()))
        paddle, slash, torch = row.operator.partition(" / ")
        yield Line(
            status=row.status,
            mark=MARK.get(row.status, "·"),
            paddle=(paddle, row.paddle_layer),
            torch=(torch if slash else paddle, row.torch_layer),
            findings=tuple(at.get(i, ())),
        )
    for index, one in loose:
        yield _gap(one, alone.get(index, ()))


def _gap(one: OneSided, findings: Sequence[int]) -> Line:
    """An operator that has nothing opposite."""
    there, nothing = (one.operator, one.layer), ("", "")
    left, right = (there, nothing) if one.side == "paddle" else (nothing, there)
    return Line("only", "", left, right, tuple(findings))


def _blocks(lines: list[Line]) -> Iterator[Block]:
    """Runs of lines that agree, or that only inherit a difference, fold up but for their ends."""
    start = 0
    for i in range(1, len(lines) + 1):
        if i == len(lines) or _fold(lines[i]) != _fold(lines[start]):
            run, word = tuple(lines[start:i]), _fold(lines[start])
            if word and len(run) >= FOLD + 2:
                yield Block("", run[:1])
                yield Block(word, run[1:-1])
                yield Block("", run[-1:])
            else:
                yield Block("", run)
            start = i


def _fold(line: Line) -> str:
    if line.findings:
        return ""
    if line.status in (Status.SAME, Status.INSIDE):
        return "agree"
    return "only inherit a difference" if line.status is Status.INHERITED else ""


# -- words and numbers ------------------------------------------------------------------------------------------


def number(value: Any) -> str:
    """A number as the tables show it: two significant digits, exact zero as 0."""
    if isinstance(value, bool) or not isinstance(value, float):
        return str(value)
    if value == 0:
        return "0"
    return f"{value:.1e}" if math.isfinite(value) else ("NaN" if math.isnan(value) else "∞")


def _size(shape: Sequence[int]) -> str:
    return "\u00d7".join(map(str, shape)) or "scalar"


def _file_and_line(place: str) -> str:
    """ "net.py:83": enough where the full path stands elsewhere."""
    return place.replace("\\", "/").rpartition("/")[2]


def _named(text: str) -> Markup:
    """A sentence with the names between `backticks` set as code; everything is escaped."""
    from markupsafe import Markup, escape

    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup().join(
        Markup("<code>{}</code>").format(part) if i % 2 else escape(part)
        for i, part in enumerate(parts)
        if part
    )
