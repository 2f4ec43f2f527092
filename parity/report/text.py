"""The report in a terminal: verdict, findings, the layer table, notes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parity.numbers.compare import Difference
from parity.results.finding import Finding
from parity.results.judgement import Row, Status
from parity.results.results import Case, Results
from parity.results.verdict import Verdict

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

STYLE = {Verdict.EQUIVALENT: "bold green", Verdict.DIFFERENT: "bold red", Verdict.INCONCLUSIVE: "bold yellow"}
LEGEND = (
    "f64, f32: torch against Paddle, each run freely in that precision; rel: over the tensor's largest value; "
    "alone: the torch operator\non Paddle's inputs, float64 (only if something differs); at: index of the largest "
    "difference; inherited: differs only as its inputs do"
)
TELLING = (Status.DIFFERENT, Status.CONSTANTS, Status.WRITTEN)
SHOWN = 10
"""Findings, and runs of differing rows, shown unless everything is asked for."""

NAMED = 8
"""Layers of one finding that are named; the report file has all."""

CONTEXT = 3
"""Rows shown around each row that is not "same" when the table is shortened."""


def headline(report: Results) -> str:
    """The verdict in one sentence."""
    compared = sum(1 for row in report.layers if row.float64 is not None)
    if report.verdict is Verdict.EQUIVALENT:
        quick = sum(case.quick for case in report.cases)
        inputs = f", outputs on {quick} further input{'s' if quick > 1 else ''}" if quick else ""
        return (
            f"EQUIVALENT: {report.torch} computes what {report.paddle} computes; {compared} operators compared{inputs}, "
            f"worst float64 difference {report.worst:.1e} of the tensor's scale"
        )
    if report.verdict is Verdict.DIFFERENT:
        count = len(report.findings)
        return (
            f"DIFFERENT: {count} finding{'s' if count > 1 else ''} in {report.torch} against {report.paddle}"
        )
    return f"INCONCLUSIVE: {report.inconclusive[0] if report.inconclusive else 'nothing was compared'}"


def next_step(report: Results, place: Callable[[str], str]) -> str:
    """What to do now, in a sentence or two; `place` shortens a "file:line"."""
    if report.verdict is Verdict.DIFFERENT:
        first = report.findings[0]
        start = f"change `{place(first.where)}`" if first.where else "make the change it names"
        if len(report.findings) == 1:
            return f"One thing to change, see the finding: {start}. Then run the check again."
        places = {finding.where or finding.cause for finding in report.findings}
        apart = (
            "each is a fault of its own"
            if len(places) == len(report.findings)
            else f"they name {len(places)} place{'s' if len(places) > 1 else ''}"
        )
        return (
            f"Start with finding 1: {start}. Findings are in the order in which the data meets them, and {apart}. "
            "Then run the check again."
        )
    if report.verdict is Verdict.INCONCLUSIVE:
        return (
            "Nothing is claimed, neither equal nor different: remove what could not be compared, and run the check "
            "again."
        )
    if report.warnings:
        return "Nothing to change. Read the warnings: they say what these weights or inputs cannot show."
    return "Nothing to change: the port computes the same function on every input that was tried."


def summary(report: Results, limit: int = 3) -> str:
    """A few lines: what an assertion shows."""
    lines = [headline(report)]
    for number, finding in enumerate(report.findings[:limit], 1):
        lines.append(f"  {number}. {local(str(finding))}")
        lines.append(f"     fix: {finding.fix}")
    if len(report.findings) > limit:
        lines.append(f"  ... and {len(report.findings) - limit} more")
    return "\n".join(lines)


def local(text: str) -> str:
    """`text` with the paths below the current directory made relative to it."""
    return re.sub(re.escape(str(Path.cwd())) + r"[/\\](?=[^\s:]*:\d)", "", text)


def show(report: Results, console: Console, *, every_layer: bool = False, more: str = "") -> None:
    """Print the whole report; the verdict is the last line. `more` follows what to do next."""
    from rich.text import Text

    full = [case for case in report.cases if not case.quick]
    for case in full:
        console.print(layer_table(case, every_layer=every_layer))
    if full:
        console.print(Text(LEGEND, style="dim"))
    findings = report.findings if every_layer else report.findings[:SHOWN]
    for number, finding in enumerate(findings, 1):
        _show_finding(console, number, finding)
    if len(findings) < len(report.findings):
        console.print(
            Text(
                f"... and {len(report.findings) - len(findings)} more findings, in the order of the data: correct the first "
                "ones and run again, or see all with --all-layers or in the report file"
            )
        )
    for note in report.notes:
        console.print(Text.assemble(("note: ", "cyan"), note.text))
    for warning in report.warnings:
        console.print(Text.assemble(("warning: ", "yellow"), warning))
    for case in report.cases:
        for path, d in case.judgement.outputs.items():
            console.print(Text(f"{case.name} ({case.mode}) {path}: " + _output_line(case, path, d)))
    for reason in report.inconclusive:
        console.print(Text.assemble(("not compared: ", "yellow"), reason))
    if not report or report.warnings:
        step = next_step(report, local).replace("`", "") + more
        console.print(Text.assemble(("next: ", "bold"), step))
    console.print(Text(headline(report), style=STYLE[report.verdict]))


def _output_line(case: Case, path: str, d: Difference) -> str:
    if not d.comparable:
        return d.problem
    line = f"float64 max abs {d.max_abs:.1e}, max rel {d.max_rel:.1e}"
    d32 = case.judgement.outputs32.get(path)
    return line + (
        f"; float32 max abs {d32.max_abs:.1e}, max rel {d32.max_rel:.1e}" if d32 is not None else ""
    )


def _show_finding(console: Console, number: int, finding: Finding) -> None:
    from rich.text import Text

    place = f"`{finding.layer}`" if finding.layer else "in the model's own forward"
    if "traceback" in finding.evidence:
        console.print(Text(finding.evidence["traceback"].rstrip(), style="dim"))
    console.print(Text.assemble((f"{number}. {finding.operator} {place}", "bold red"), f": {finding.cause}"))
    for label, text, style in (
        ("layers:", _layers(finding), ""),
        ("torch:", local(finding.where), ""),
        ("Paddle:", local(finding.where_paddle), ""),
        ("fix:", finding.fix, "green"),
        ("seen:", _evidence(finding.evidence), "dim"),
        ("more:", f"paddle2torch guide {finding.guide}" if finding.guide else "", "dim"),
    ):
        if text:
            lines = Text(text, style=style).wrap(console, max(20, console.width - 12))
            for i, line in enumerate(lines):
                line.rstrip()
                console.print(Text.assemble(f"   {label if i == 0 else '':<9}", line))


def _layers(finding: Finding) -> str:
    """All layers of a finding that is about several."""
    if not finding.also:
        return ""
    told = ", ".join(finding.layers[:NAMED])
    return told + (f" and {len(finding.layers) - NAMED} more" if len(finding.layers) > NAMED else "")


def _evidence(evidence: Any) -> str:
    parts = []
    for key, value in evidence.items():
        if key == "traceback":
            continue
        shown = _number(key, value)
        if isinstance(value, dict):
            shown = ", ".join(f"{k} {_number(k, v)}" for k, v in value.items())
        parts.append(f"{key}: {shown}")
    return "; ".join(parts)


def _number(key: str, value: Any) -> str:
    """Sizes of differences in two digits; values of tensors in as many as tell them apart."""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.10g}" if "value" in key else f"{value:.1e}"


def layer_table(case: Case, *, every_layer: bool = False) -> Table:
    """The aligned operators of a case; the first difference is marked."""
    from rich.table import Table
    from rich.text import Text

    shapes = ", ".join(f"{name}: {list(shape)}" for name, shape in case.shapes.items())
    rows = case.judgement.rows
    table = Table(title=f"{case.name}, {case.mode}, input {shapes}", title_justify="left", expand=False)
    for column in ("#", "layer", "operator", "shape"):
        table.add_column(column, no_wrap=column != "layer")
    for column in ("f64 max abs", "f64 max rel", "f32 max rel", "alone", "at"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    first = next((i for i, row in enumerate(rows) if row.status is Status.DIFFERENT), None)
    shown = range(len(rows)) if every_layer else sorted(_interesting(rows))
    previous = -1
    for i in shown:
        if i != previous + 1:
            table.add_row("", _left_out(rows[previous + 1 : i]), style="dim")
        previous = i
        row = rows[i]
        marker = (
            "<- first difference" if i == first else ("" if row.status is Status.SAME else row.status.value)
        )
        style = "bold red" if i == first else ("red" if row.status is Status.DIFFERENT else None)
        table.add_row(
            str(i + 1),
            Text(row.torch_layer or "(forward)"),
            Text(row.operator),
            "x".join(map(str, row.shape)),
            *_cells(row),
            marker,
            style=style,
        )
    if previous + 1 < len(rows):
        table.add_row("", _left_out(rows[previous + 1 :]), style="dim")
    return table


def _left_out(rows: list[Row]) -> str:
    differing = sum(row.status in (Status.DIFFERENT, Status.INHERITED) for row in rows)
    return f"... {len(rows)} more, {f'{differing} of them differ' if differing else 'all same'}"


def _cells(row: Row) -> tuple[str, ...]:
    if row.float64 is None:
        return ("", "", "", "", row.status.value)
    if not row.float64.comparable:
        return ("", row.float64.problem, "", "", "")
    f32 = f"{row.float32.max_rel:.1e}" if row.float32 is not None else ""
    alone = f"{row.local.max_rel:.1e}" if row.local is not None else ""
    at = ",".join(map(str, row.float64.index)) if row.float64.max_abs else ""
    return (f"{row.float64.max_abs:.1e}", f"{row.float64.max_rel:.1e}", f32, alone, at)


def _interesting(rows: list[Row]) -> set[int]:
    """The first and last rows, and the neighbourhood of the first of every run of differing rows."""
    keep = set(range(min(CONTEXT, len(rows)))) | set(range(max(0, len(rows) - CONTEXT), len(rows)))
    compared = [(row.float64.max_rel, i) for i, row in enumerate(rows) if row.float64 is not None]
    if compared:
        keep.add(max(compared)[1])
    telling = [i for i, row in enumerate(rows) if row.status in TELLING]
    for i in telling[:SHOWN]:
        keep.update(j for j in range(i - 1, i + 2) if 0 <= j < len(rows))
    return keep
