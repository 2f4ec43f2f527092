"""Every public name and every row of the Rosetta table has its place in the reference, in both languages."""

from __future__ import annotations

import json
import re

import pytest

import paddle2torch
from convert.rosetta.chinese import TEXTS, texts
from convert.rosetta.table import MODULES, TABLE
from docs.tools import api, rosetta
from parity.results.finding import Shows, Subject


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_public_name_has_a_page_that_says_what_it_is(language):
    pages = api.pages(language)
    for name in paddle2torch.__all__:
        if name != "__version__":
            text = pages[f"{name}.md"]
            assert text.startswith(f"# {name}\n")
            assert len(text) > 80, text
            assert f"({name}.md)" in pages["index.md"]


def test_a_class_tells_what_it_inherits_and_which_values_its_fields_take():
    pages = api.pages("en")
    assert {"## `findings`", "## `verdict`", "## `to_json()`"} <= set(pages["Report.md"].splitlines())
    for member in (*Subject, *Shows):
        assert f"\n- `{member.value}`" in pages["Finding.md"]


def test_a_public_name_without_a_page_is_noticed(monkeypatch):
    monkeypatch.setattr(paddle2torch, "__all__", [*paddle2torch.__all__, "invented"])
    monkeypatch.setattr(paddle2torch, "invented", len, raising=False)
    assert "invented.md" in api.pages("en")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_row_has_a_heading_and_a_line_in_the_index(language):
    pages = rosetta.pages(language, {})
    for module, rows in MODULES.items():
        for row in rows:
            anchor = rosetta.anchor(row)
            assert pages[f"{module}.md"].count(f"{{#{anchor}}}") == 1
            assert f"]({module}.md#{anchor})" in pages["index.md"]


def test_a_chinese_reader_finds_a_row_by_what_it_is_called():
    pages = rosetta.pages("zh", {})

    def row(page: str, name: str) -> str:
        return pages[page].split(f"{{#{name}}}")[1].split("\n## ")[0]

    assert "平均池化" in row("layers.md", "nn-AvgPool2D")
    assert "平均池化" in row("functions.md", "nn-functional-avg_pool2d")
    assert "上采样" in row("layers.md", "nn-Upsample")
    assert "上采样" in row("functions.md", "nn-functional-interpolate")
    assert "上采样" in pages["index.md"]
    assert "平均池化" not in "".join(rosetta.pages("en", {}).values())


def test_reasons_notes_traps_and_idioms_are_in_chinese():
    english = {text for row in TABLE for text in texts(row)}
    translated = json.loads(TEXTS.read_text(encoding="utf-8"))
    assert sorted(translated.keys() - english) == [], "no row says this any more: take it out of chinese.json"
    words = [text for text in english if re.search(r"[a-z]{4,} [a-z]{2,} [a-z]{2,}", text)]  # no mere formula
    assert len(words) > 700
    missing = [text for text in words if text not in translated]
    assert len(missing) < len(words) / 20, missing
    assert [text for text, chinese in translated.items() if chinese == text] == []


def test_the_numbers_of_a_row_are_those_of_its_proof():
    row = TABLE[0]
    numbers = {"precision": "float64", "forward": 1.5e-3, "backward": None, "bits": False}
    proof = {
        "examples": [[numbers]] * len(row.examples),
        "traps": [{"text": t.text, "naive": 0.5, "mapped": 0.0, "raises": None} for t in row.traps],
    }
    text = rosetta.pages("en", {row.paddle: proof})["layers.md"]
    assert "float64: values 1.5e-03, gradients none" in text
    assert "1.5e-03" not in rosetta.pages("en", {})["layers.md"]
