"""JUnit XML: valid, complete, and red exactly when the report is not EQUIVALENT."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from parity.results.finding import Finding
from parity.results.judgement import Status

# The schema that Jenkins publishes for its xunit plugin (junit-10.xsd), as far as we write it.
CHILDREN = {
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase", "system-out"],
    "properties": ["property"],
    "testcase": ["skipped", "error", "failure"],
}
ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time"},
    "property": {"name", "value"},
    "testcase": {"name", "classname", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
}
ALL = ["equivalent", "different", "hostile", "inconclusive", "two_modes"]


def validate(element: ElementTree.Element) -> None:
    assert set(element.attrib) == ATTRIBUTES.get(element.tag, set()), element.tag
    allowed = CHILDREN.get(element.tag, [])
    order = [allowed.index(child.tag) for child in element]
    assert order == sorted(order), element.tag
    if element.tag == "testcase":
        assert len(element) <= 1
    if element.tag in ("testsuite", "testsuites"):
        cases = element.findall(".//testcase")
        assert element.get("tests") == str(len(cases))
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert element.get(attribute) == str(sum(case.find(tag) is not None for case in cases))
    for child in element:
        validate(child)


def parse(report) -> ElementTree.Element:
    root = ElementTree.fromstring(report.to_junit().encode())
    validate(root)
    return root


@pytest.mark.parametrize("name", ALL)
def test_is_valid_and_red_exactly_when_not_equivalent(name, request):
    report = request.getfixturevalue(name)
    root = parse(report)
    red = int(root.get("failures")) + int(root.get("errors"))
    assert bool(red) == (not report)
    assert (root.get("errors") != "0") == (name == "inconclusive")


@pytest.mark.parametrize("name", ALL)
def test_every_operator_of_every_run_is_a_test_case(name, request):
    report = request.getfixturevalue(name)
    root = parse(report)
    for case, suite in zip(report.cases, root, strict=True):
        names = [made.get("name") for made in suite.iter("testcase")]
        assert len(names) == len(set(names))
        numbered = [n for n in names if re.match(r"\d+ ", n)]
        assert len(numbered) == len(case.judgement.rows)
        assert all(row.operator in n for row, n in zip(case.judgement.rows, numbered, strict=True))
        assert {made.get("classname") for made in suite.iter("testcase")} == {report.torch}


def test_the_layer_fails_with_its_findings_text(different):
    root = parse(different)
    (made,) = [c for c in root.iter("testcase") if "bn1" in c.get("name")]
    finding = next(f for f in different.findings if f.layer == "bn1")
    failure = made.find("failure")
    assert failure.get("message") == finding.cause
    assert finding.fix in failure.text
    assert "torch_net.py:" in failure.text
    assert "paddle_net.py:" in failure.text


def test_every_finding_is_somewhere(two_modes):
    text = " ".join(failure.text for failure in parse(two_modes).iter("failure"))
    assert all(finding.cause in text for finding in two_modes.findings)


def test_what_was_not_compared_is_skipped_with_the_reason(equivalent):
    case = equivalent.cases[0]
    rows = [
        replace(case.judgement.rows[0], float64=None, status=Status.NOT_COMPARED),
        *case.judgement.rows[1:],
    ]
    report = replace(equivalent, cases=(replace(case, judgement=replace(case.judgement, rows=rows)),))
    root = parse(report)
    (skipped,) = root.iter("skipped")
    assert "no value was recorded" in skipped.get("message")


def test_names_that_xml_cannot_hold_are_spelled_out(equivalent):
    case = equivalent.cases[0]
    evil = 'a\x00\x1b<b>&"\ud800\n]]>'
    finding = Finding(evil, evil, evil, evil, evil, {evil: evil})
    row = replace(case.judgement.rows[0], torch_layer=evil)
    judgement = replace(case.judgement, findings=[finding], rows=[row])
    root = parse(
        replace(equivalent, torch=evil, warnings=(evil,), cases=(replace(case, judgement=judgement),))
    )
    assert "\\x00\\x1b<b>&" in root.find(".//testcase").get("name")


def test_a_report_without_any_case_is_an_error(equivalent):
    assert parse(replace(equivalent, cases=())).get("errors") == "1"
