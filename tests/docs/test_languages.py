"""The two languages say the same things in the same order, and type the same commands."""

from __future__ import annotations

import re

import nbformat
import pytest
import yaml

from docs.tools.blocks import blocks
from docs.tools.pages import NOTEBOOKS, PAGES, ROOT, headings, twin
from docs.tools.refresh import synchronized

CHINESE = re.compile(r"[\u4e00-\u9fff]")
LINK = re.compile(r"\]\(([^)]+)\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_chinese_page_has_the_same_headings_blocks_and_links(page):
    english, chinese = (path.read_text(encoding="utf-8") for path in (page, twin(page)))
    assert headings(chinese) == headings(english)
    assert blocks(chinese) == blocks(english)
    assert sorted(LINK.findall(chinese)) == sorted(LINK.findall(english))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_paragraph_of_the_chinese_page_is_chinese(page):
    text = re.sub(r"^```.*?^```$", "", twin(page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    paragraphs = [p for p in re.split(r"\n\s*\n", text) if len(re.sub(r"`[^`]*`", "", p)) > 60]
    assert paragraphs
    assert [p for p in paragraphs if not CHINESE.search(p)] == []


def test_a_heading_or_command_that_only_one_language_has_is_noticed():
    english = "# A\n\n## B\n\n```console\n$ one\n# no heading\n```\n"
    assert headings(english) == [1, 2]
    assert headings(english.replace("## B", "B")) != headings(english)
    assert blocks(english.replace("$ one", "$ two")) != blocks(english)
    with pytest.raises(ValueError, match="0 code blocks"):
        synchronized("# 一\n", english)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_chinese_notebook_has_the_same_code(path):
    english, chinese = (nbformat.read(p, as_version=4).cells for p in (path, twin(path)))
    assert [cell.cell_type for cell in chinese] == [cell.cell_type for cell in english]
    for one, other in zip(english, chinese, strict=True):
        if one.cell_type == "code":
            assert other.source == one.source
        else:
            assert CHINESE.search(other.source)
            assert headings(other.source) == headings(one.source)


def test_every_entry_of_the_navigation_is_translated():
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    (plugin,) = (p["i18n"] for p in config["plugins"] if isinstance(p, dict) and "i18n" in p)
    (chinese,) = (each for each in plugin["languages"] if each["locale"] == "zh")

    def titles(entries):
        for entry in entries:
            for title, value in entry.items():
                yield title
                if isinstance(value, list):
                    yield from titles(value)

    assert set(titles(config["nav"])) == set(chinese["nav_translations"])


def test_the_chinese_readme_is_level_with_the_english_one():
    english, chinese = (
        (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md")
    )

    def said(page: str) -> tuple[object, ...]:
        prose = re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
        links = [
            link.replace(".zh.md", ".md").replace("README.zh-CN", "README") for link in LINK.findall(prose)
        ]
        numbers = re.findall(r"\d+(?:[.,]\d+)*", prose)
        return (
            headings(page),
            blocks(page),
            sorted(numbers),
            set(links),
            set(re.findall(r"`([^`\n]+)`", prose)),
        )

    assert said(chinese) == said(english)
