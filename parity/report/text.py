"""The report in a terminal: verdict, findings, outputs, the worst layers, notes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.names import counted
from parity.report.outputs import answers
from parity.report.rows import Shown, legend, repeats, table
from parity.results.finding import Finding
from parity.results.grouping import alike
from parity.results.results import Case, Results
from parity.results.verdict import Verdict

if TYPE_CHECKING:
    from rich.console import Console

STYLE = {Verdict.EQUIVALENT: "bold green", Verdict.DIFFERENT: "bold red", Verdict.INCONCLUSIVE: "bold yellow"}
SHOWN = 10
"""Findings that are shown unless everything is asked for."""

NAMED = 8
"""Layers of one finding that are named; the report file has all."""


def headline(report: Results) -> str:
    """The verdict in one sentence."""
    compared = sum(1 for row in report.layers if row.float64 is not None)
    if report.verdict is Verdict.EQUIVALENT:
        quick = sum(case.quick for case in report.cases)
        inputs = f", outputs on {quick} further input{'s' if quick > 1 else ''}" if quick else ""
        return (
            f"EQUIVALENT: {report.torch} computes what {report.paddle} computes; {counted(compared, 'operator')} compared{inputs}, "
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


def brief(report: Results) -> str:
    """Three lines: the verdict, what it rests on, and where there is more. What an interpreter shows of a report."""
    first = next(iter(report.findings), None)
    said = next(answers(report), "no output was compared")
    return "\n".join(
        (
            headline(report),
            f"  {said}" if first is None else f"  1. {local(str(first))}",
            "  print(report) has the fixes, report.findings and report.layers are data, report.to_html() is a page",
        )
    )


def local(text: str) -> str:
    """`text` with the paths below the current directory made relative to it."""
    return re.sub(re.escape(str(Path.cwd())) + r"[/\\](?=[^\s:]*:\d)", "", text)


def show(
    report: Results,
    console: Console,
    *,
    every_layer: bool = False,
    more: str = "",
    also: Callable[[], Iterable[str]] = tuple,
) -> None:
    """Print the report: the verdict first and last, findings, outputs, the worst layers, notes.

    every_layer: all of it. more: follows what to do next. also: does what is left to do, and says so, before the last line.
    """
    from rich.text import Text

    def say(text: str, style: str = "", label: str = "", color: str = "") -> None:
        console.print(Text.assemble((label, color), Text(text, style=style)))

    say(headline(report), STYLE[report.verdict])
    findings = report.findings if every_layer else report.findings[:SHOWN]
    for number, finding in enumerate(findings, 1):
        console.print()
        _show_finding(console, number, finding)
    if len(findings) < len(report.findings):
        say(
            f"... and {len(report.findings) - len(findings)} more findings, in the order of the data: correct the first "
            "ones and run again, or see all with --all-layers or in the report file"
        )
    console.print()
    for text in _once(report.inconclusive, every_layer):
        say(text, label="not compared: ", color="yellow")
    for text in answers(report, every=every_layer):
        say(text)
    _show_tables(report, console, every_layer=every_layer)
    console.print()
    for text in _once([note.text for note in report.notes], every_layer):
        say(text, label="note: ", color="cyan")
    for warning in report.warnings:
        say(warning, label="warning: ", color="yellow")
    if not report or report.warnings:
        say(next_step(report, local).replace("`", "") + more, label="next: ", color="bold")
    for text in also():
        say(text)
    say(headline(report), STYLE[report.verdict])


def _once(texts: list[str], every: bool) -> Iterator[str]:
    """What is said of many layers, of the first alone and with their number."""
    for text, count in [(text, 1) for text in texts] if every else alike(texts):
        more = f" (and {count - 1} more like it: --all-layers shows each)" if count > 1 else ""
        yield text + more


def _show_tables(report: Results, console: Console, *, every_layer: bool) -> None:
    from rich.text import Text

    shown = Shown()
    before: list[Case] = []
    for case in report.cases:
        if case.quick or not case.judgement.rows:
            continue
        same = "" if every_layer else next(filter(None, (repeats(case, other) for other in before)), "")
        if same:
            shown.lines.append((same, ""))
        else:
            table(case, console.width, shown, every_layer=every_layer)
        before.append(case)
    if shown.lines:
        console.print()
    for line, style in shown.lines:
        console.print(Text(line, style=style))
    for line in legend(shown):
        console.print(Text(line, style="dim"))


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
    if len(finding.layers) == 1:
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
