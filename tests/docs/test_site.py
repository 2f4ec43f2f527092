"""The built site: links that lead somewhere, and what a person sees in a real browser."""

from __future__ import annotations

import time
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

BACKGROUND = "getComputedStyle(document.body).backgroundColor"
WIDE = """
[...document.querySelectorAll('article *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1
    && !e.closest('pre, .md-typeset__scrollwrap, .highlight, table')).map(e => e.outerHTML.slice(0, 80))
"""


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found[key] for key in ("id", "name") if found.get(key)}
        for key in ("href", "src"):
            if found.get(key) and found.get("rel") != "canonical":
                self.links.append(found[key])


def pages(site: Path) -> list[Path]:
    return sorted(path for path in site.rglob("*.html") if path.name != "404.html")


def broken_links(site: Path) -> list[str]:
    parsed = {path: _Page(path.read_text(encoding="utf-8")) for path in pages(site)}
    broken = []
    for path, page in parsed.items():
        for link in page.links:
            target, anchor = urldefrag(unquote(link))
            if target.startswith(("http://", "https://", "mailto:", "data:")):
                continue
            found = (path.parent / target).resolve() if target else path
            if found.is_dir():
                found /= "index.html"
            if not found.exists():
                broken.append(f"{path.relative_to(site)}: {link}")
            elif anchor and found in parsed and anchor not in parsed[found].anchors | {"__comments"}:
                broken.append(f"{path.relative_to(site)}: {link} has no such place")
    return broken


def test_every_internal_link_leads_somewhere(site):
    assert broken_links(site.resolve()) == []


def test_a_broken_link_is_noticed(tmp_path):
    (tmp_path / "index.html").write_text('<a href="other.html#here">x</a><a href="gone.html">y</a>')
    (tmp_path / "other.html").write_text("<h1 id=there>x</h1>")
    assert broken_links(tmp_path) == [
        "index.html: other.html#here has no such place",
        "index.html: gone.html",
    ]


def test_both_languages_have_the_same_pages(site):
    chinese = {path.relative_to(site / "zh") for path in pages(site / "zh")}
    assert chinese == {
        path.relative_to(site) for path in pages(site) if "zh" not in path.relative_to(site).parts
    }
    assert len(chinese) > 30


@pytest.mark.parametrize("language", ["", "zh/"])
def test_pages_load_without_errors_from_elsewhere_or_overflow_on_a_phone(language, site, address, browser):
    folder = site / language
    wrong = []
    for path in pages(folder):
        name = path.relative_to(folder).as_posix()
        if name.startswith(("zh/", "reference/api/")) and name != "reference/api/check.html":
            continue
        browser.open(f"{address}{language}{name}", width=375, height=800)
        wrong += [f"{name}: {error}" for error in browser.errors]
        wrong += [f"{name}: asks {r}" for r in browser.requests if not r.startswith((address, "data:"))]
        wrong += [f"{name}: {part} is too wide" for part in browser.run(WIDE)]
        if browser.run("document.documentElement.scrollWidth") != 375:
            wrong.append(f"{name}: scrolls sideways")
    assert wrong == []


def test_dark_mode_follows_the_system_and_the_button(address, browser):
    browser.open(f"{address}index.html")
    browser.run("localStorage.clear()")
    browser.open(f"{address}index.html", dark=True)
    dark = browser.run(BACKGROUND)
    browser.run("localStorage.clear()")
    browser.open(f"{address}index.html")
    light = browser.run(BACKGROUND)
    assert dark != light
    browser.click("form[data-md-component=palette] label:not([hidden])")
    assert browser.run(BACKGROUND) == dark
    browser.run("localStorage.clear()")


@pytest.mark.parametrize(("start", "other", "lang"), [("", "zh/", "zh"), ("zh/", "", "en")])
def test_the_language_switch_leads_to_the_same_page(start, other, lang, address, browser):
    browser.open(f"{address}{start}guide/port.html")
    target = browser.run(f"document.querySelector('.md-select__link[hreflang={lang}]').href")
    assert target == f"{address}{other}guide/port.html"
    browser.open(target)
    assert browser.run("document.documentElement.lang") == lang


@pytest.mark.parametrize(
    ("language", "word", "place"),
    [
        ("", "weight_decay", "guide/mistakes"),
        ("", "nn.AvgPool2D", "rosetta/layers"),
        ("zh/", "滑动方差", "guide/training"),
        ("zh/", "平均池化", "rosetta/layers"),
        ("zh/", "上采样", "rosetta/functions"),
    ],
)
def test_the_search_finds(language, word, place, address, browser):
    browser.open(f"{address}{language}index.html?q={word}")
    end = time.monotonic() + 20
    found: list[str] = []
    while time.monotonic() < end and not any(place in link for link in found):
        time.sleep(0.2)
        found = browser.run("[...document.querySelectorAll('.md-search-result__link')].map(a => a.href)")
    assert any(place in link for link in found), found
