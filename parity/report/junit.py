"""The report as JUnit XML, so that a CI system lists the layers: one suite a run, one test case a layer.

A layer fails with its finding's text, or is skipped with the reason why it has no number of its own. What
belongs to no layer (an output, a missing operator, a wrong registration) is a test case of its own, and so
is the verdict of each run; so some test case is red exactly when the report is not EQUIVALENT.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from parity.report.text import headline, local
from parity.results.judgement import Status
from parity.results.results import Case, Results

if TYPE_CHECKING:
    from parity.results.finding import Finding
    from parity.results.judgement import Row

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML file may hold, escaped or not."""

SKIPPED = {
    Status.INSIDE: "part of a fused operator on one side; compared through what it feeds",
    Status.NOT_COMPARED: "no value was recorded on one side",
}


def to_junit(report: Results) -> str:
    """The report as JUnit XML (the dialect of Jenkins, GitHub, GitLab)."""
    root = ElementTree.Element("testsuites", name=_text(f"parity {report.torch}"))
    for case in report.cases:
        _suite(root, report, case)
    if not report.cases:
        suite = ElementTree.SubElement(root, "testsuite", name="parity")
        _verdict(suite, report, None)
        _count(suite)
    for total in ("tests", "failures", "errors", "skipped"):
        root.set(total, str(sum(int(suite.get(total, "0")) for suite in root)))
    root.set("time", "0")
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _suite(root: ElementTree.Element, report: Results, case: Case) -> None:
    """One run; a finding stands in the run that showed it first."""
    suite = ElementTree.SubElement(root, "testsuite", name=_text(f"{case.name}, {case.mode}"))
    properties = ElementTree.SubElement(suite, "properties")
    shapes = {f"input {name}": "x".join(map(str, shape)) for name, shape in case.shapes.items()}
    for name, value in {"paddle model": report.paddle, **report.environment, **shapes}.items():
        ElementTree.SubElement(properties, "property", name=_text(name), value=_text(str(value)))
    numbers = {id(finding): n for n, group in enumerate(report.groups, 1) for finding in group}
    rest = [finding for finding in case.judgement.findings if id(finding) in numbers]
    width = len(str(len(case.judgement.rows)))
    for number, row in enumerate(case.judgement.rows, 1):
        own = [f for f in rest if number - 1 in f.rows]
        rest = [f for f in rest if not any(f is one for one in own)]
        layer = row.torch_layer or "(forward)"
        _layer(_testcase(suite, report, f"{number:0{width}} {layer} {row.operator}"), row, own)
    for finding in rest:
        layer = finding.layer or "(forward)"
        name = f"finding {numbers[id(finding)]} {layer} {finding.operator}"
        _failure(_testcase(suite, report, name), [finding])
    for path, d in case.judgement.outputs.items():
        made = _testcase(suite, report, f"output {path}")
        if not d.comparable:
            _problem(made, "failure", "output", d.problem, d.problem)
    _verdict(suite, report, case)
    remarks = [note.text for note in case.judgement.notes]
    if case is report.cases[0]:
        remarks = [*(note.text for note in report.before), *remarks, *report.warnings]
    if remarks:
        ElementTree.SubElement(suite, "system-out").text = _text("\n".join(remarks))
    _count(suite)


def _testcase(suite: ElementTree.Element, report: Results, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(
        suite, "testcase", name=_text(name), classname=_text(report.torch), time="0"
    )


def _layer(made: ElementTree.Element, row: Row, findings: list[Finding]) -> None:
    if findings:
        _failure(made, findings)
    elif row.status is Status.DIFFERENT:
        text = f"{row.operator} `{row.torch_layer}` differs"
        if row.float64 is not None:
            text += f": {row.float64.problem or f'{row.float64.max_rel:.1e} of its scale in float64'}"
        _problem(made, "failure", "difference", text, row.line)
    elif row.float64 is None and row.status is not Status.SAME:
        ElementTree.SubElement(made, "skipped", message=_text(SKIPPED.get(row.status, row.status.value)))


def _failure(made: ElementTree.Element, findings: Iterable[Finding]) -> None:
    """The findings about one layer; a test case has at most one failure."""
    found = list(findings)
    text = []
    for finding in found:
        lines = [str(finding), f"fix: {finding.fix}"]
        lines += [f"Paddle: {finding.where_paddle}"] if finding.where_paddle else []
        lines += [f"{name}: {value}" for name, value in finding.evidence.items()]
        text.append("\n".join(lines))
    _problem(made, "failure", found[0].operator, found[0].cause, "\n\n".join(text))


def _verdict(suite: ElementTree.Element, report: Results, case: Case | None) -> None:
    made = _testcase(suite, report, "verdict")
    reasons = report.inconclusive if case is None else case.judgement.inconclusive
    if case is not None and case.judgement.findings:
        _problem(made, "failure", "verdict", headline(report), "\n".join(map(str, case.judgement.findings)))
    elif reasons or case is None:
        _problem(made, "error", "inconclusive", headline(report), "\n".join(reasons))


def _problem(made: ElementTree.Element, tag: str, kind: str, message: str, text: str) -> None:
    problem = ElementTree.SubElement(made, tag, message=_text(message), type=_text(kind))
    problem.text = _text(local(text))


def _count(suite: ElementTree.Element) -> None:
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", "0")


def _text(text: str) -> str:
    """The text with what XML cannot hold spelled out."""
    return NOT_XML.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
