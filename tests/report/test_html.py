"""The page as text: complete, escaped, self-contained, and of a reasonable size."""

from __future__ import annotations

import copy
import inspect
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from parity.report.html import number
from parity.results.finding import Finding, Note, Subject
from parity.results.judgement import OneSided
from parity.results.verdict import Verdict
from tests.report.nets import torch_net

EDIT = inspect.getsource(torch_net).split("eps=1e-3")[0].count("\n") + 1
"""The line of the first mistake."""

VOID = {"meta", "link", "br", "input", "path", "img"}
OPTIONAL = {"td", "tr", "li", "option", "th"}
"""Elements whose end tag HTML lets out."""


class Reader(HTMLParser):
    """Text, tags and attributes, and what is not well nested."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.wrong: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        while self.open and self.open[-1] != tag and self.open[-1] in OPTIONAL:
            self.open.pop()
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())


@pytest.fixture
def read():
    return lambda report: Reader(report.to_html())


@pytest.mark.parametrize("name", ["equivalent", "different", "hostile", "inconclusive", "two_modes"])
def test_every_kind_of_report_is_well_formed(name, request, read):
    found = read(request.getfixturevalue(name))
    assert not found.wrong
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {a["href"][1:] for _, a in found.tags if a.get("href", "").startswith("#")}
    assert targets <= set(ids)


def test_verdict_comes_before_everything_else(different, read):
    words = read(different).words
    assert words.index("DIFFERENT") < words.index("Findings") < words.index("Layers")


def test_every_finding_shows_cause_fix_and_evidence(different, read):
    words = read(different).words
    assert len(different.findings) >= 3
    for finding in different.findings:
        assert finding.cause.replace("`", "") in words
        assert finding.fix.replace("`", "") in words
        assert all(name in words for name in finding.evidence)


def test_both_sources_are_quoted_around_the_marked_line(different):
    text = different.to_html()
    norm = next(f for f in different.findings if f.layer == "bn1")
    assert norm.where.endswith(f"torch_net.py:{EDIT}")
    assert re.search(r"<mark><i>\d+</i><b> *self\.bn1 = nn\.BatchNorm2d\(8, eps=1e-3\)</b></mark>", text)
    assert re.search(r"<mark><i>\d+</i><b> *self\.bn1 = nn\.BatchNorm2D\(8, epsilon=1e-5\)</b></mark>", text)


def test_names_from_models_are_escaped_everywhere(hostile):
    assert hostile.verdict is Verdict.DIFFERENT
    text = hostile.to_html()
    assert "&lt;script&gt;owned=1" in text
    assert "<script>owned" not in text
    assert "<img" not in text


def test_every_text_of_a_report_is_escaped(equivalent):
    evil = '"><script>owned=1</script><img src=x onerror=owned=1>`<b>`'
    finding = Finding(evil, evil, f"{evil}:3", evil, evil, {evil: {evil: evil}}, evil, f"{evil}:4")
    case = equivalent.cases[0]
    judgement = replace(
        case.judgement,
        findings=[finding],
        notes=[Note(evil)],
        inconclusive=[evil],
        outputs={evil: replace(next(iter(case.judgement.outputs.values())), problem=evil)},
        rows=[
            replace(row, torch_layer=evil, paddle_layer=f"{evil}2", operator=evil, line=evil, status=evil)
            for row in case.judgement.rows
        ],
    )
    hurt = replace(case, name=evil, mode=evil, shapes={evil: (1, 2)}, judgement=judgement)
    report = replace(
        equivalent,
        paddle=evil,
        torch=evil,
        cases=(hurt, replace(hurt, name=f"{evil}2")),
        environment={evil: evil},
        warnings=(evil,),
    )
    for text in (report.to_html(), report._repr_html_()):
        assert "<script>owned" not in text
        assert "<img" not in text
        assert "onerror=owned" in text
        assert not Reader(text).wrong


def test_the_page_asks_for_nothing_from_anywhere(different, read):
    found = read(different)
    assert not [a for _, a in found.tags if "src" in a]
    assert {a["href"] for tag, a in found.tags if tag == "link"} == {"data:,"}
    assert "http" not in different.to_html().replace("http-equiv", "")
    (policy,) = [a["content"] for _, a in found.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert not [name for _, a in found.tags for name in a if name.startswith("on")]


def test_what_comes_next_names_the_line_to_change(different, equivalent, inconclusive, read):
    assert f"Start with finding 1: change torch_net.py:{EDIT}" in read(different).words
    assert "Nothing to change" in read(equivalent).words
    words = read(inconclusive).words
    assert "What could not be compared" in words
    assert "the models return nothing that can be compared" in words


def test_warnings_and_environment_are_shown(equivalent, read):
    words = read(replace(equivalent, warnings=("all biases are zero",))).words
    assert "all biases are zero" in words
    assert "Read the warnings" in words
    for name, value in equivalent.environment.items():
        assert f"{name} {value}" in words.replace("\n", " ") or f"{name}{value}" in words


def test_a_report_without_any_case_still_makes_a_page(equivalent, read):
    assert "INCONCLUSIVE" in read(replace(equivalent, cases=())).words


def test_what_runs_on_one_side_only_leaves_a_gap_on_the_other(different):
    case = different.cases[0]
    judgement = copy.copy(case.judgement)
    missing = next(f for f in different.findings if f.subject is Subject.MISSING)
    assert [judgement.only[number].operator for number in missing.only] == ["ReLU"]
    judgement.only = [*judgement.only, OneSided("torch", "extra", "Identity", "", 99.0)]
    text = replace(different, cases=(replace(case, judgement=judgement),)).to_html()
    number_ = different.findings.index(missing) + 1
    assert re.search(
        r'<tr class="g-only found"><td><b>ReLU</b>\s*<td title="on one side only">\s*'
        rf'<a href="#finding-{number_}" aria-label="finding {number_}">{number_}</a>\s*'
        r"<td><i>nothing here</i></tr>",
        text,
    )
    assert "<td><i>nothing here</i><td" in text


def test_many_findings_show_the_first_and_fold_the_others(different):
    case = different.cases[0]
    findings = [replace(different.findings[0], layer=f"layer{i}", attribute=f"fault {i}") for i in range(150)]
    report = replace(different, cases=(replace(case, judgement=replace(case.judgement, findings=findings)),))
    found = Reader(report.to_html())
    assert not found.wrong
    assert "140 more" in found.words
    assert sum(a.get("class") == "finding" for _, a in found.tags) == 150
    assert sum(tag == "pre" for tag, _ in found.tags) == 2 * 100


def test_size_stays_below_two_megabytes_for_four_runs_of_a_resnet_152(large):
    assert len(large.to_html().encode()) < 2_000_000


def test_notebook_shows_the_verdict_and_a_frame_that_reaches_nothing(different):
    text = different._repr_html_()
    found = Reader(text)
    assert "DIFFERENT" in found.words
    ((_, frame),) = [t for t in found.tags if t[0] == "iframe"]
    assert frame["sandbox"] == "allow-scripts"
    assert frame["srcdoc"] == different.to_html()


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (1.23e-16, "1.2e-16"), (float("inf"), "∞"), (float("nan"), "NaN"), (True, "True"), (3, "3")],
)
def test_numbers_are_short(value, shown):
    assert number(value) == shown


def test_the_page_answers_whether_a_float32_difference_is_a_bug(equivalent, different):
    assert ": rounding, not a bug</li>" in equivalent.to_html()
    assert ": more than rounding, see the findings</li>" in different.to_html()
