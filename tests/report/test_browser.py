"""The page in a real headless Chromium: what a person sees and can do."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.timeout(120)]

COLUMN = (
    "[...document.querySelectorAll('#c0-table tbody tr:not([hidden])')].map(r => r.cells[{}].textContent)"
)
SORTED = "document.querySelectorAll('#c0-table th')[{}].getAttribute('aria-sort')"
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
CONTRAST = """
(() => {
  const channel = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(channel);
                       return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
                        if (!c.endsWith(', 0)')) return c; } return 'rgb(255,255,255)'; };
  const bad = [];
  for (const e of document.querySelectorAll('body *')) {
    if (!e.checkVisibility() || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(`${e.tagName}.${e.className} ${e.textContent.slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return bad;
})()
"""


def as_number(text: str) -> float:
    return float(text.replace("∞", "inf"))


@pytest.mark.parametrize("name", ["equivalent", "different", "hostile", "inconclusive", "two_modes", "large"])
@pytest.mark.parametrize("width", [375, 1280])
def test_loads_without_errors_requests_or_anything_cut_off(name, width, request, browser, page):
    browser.open(page(request.getfixturevalue(name)), width=width)
    assert browser.errors == []
    assert len(browser.requests) == 1
    assert browser.run("document.documentElement.scrollWidth") == width
    assert browser.run("typeof owned") == "undefined"
    assert browser.run("[...document.querySelectorAll('.box')].every(b => b.scrollWidth <= b.clientWidth)")


def test_the_policy_stops_a_script_that_is_not_the_pages_own(browser, page, equivalent):
    path = page(equivalent)
    path.write_text(
        path.read_text().replace("<main>", "<main><script>owned=1</script><b onclick='owned=1'>x</b>")
    )
    browser.open(path)
    browser.click("main > b")
    assert browser.run("typeof owned") == "undefined"
    assert any("Content Security Policy" in error for error in browser.errors)


@pytest.mark.parametrize("width", [375, 1200])
@pytest.mark.parametrize("name", ["equivalent", "different", "inconclusive"])
def test_the_verdict_is_visible_without_scrolling(name, width, request, browser, page):
    report = request.getfixturevalue(name)
    browser.open(page(report), width=width, height=640)
    text, bottom = browser.run(
        "(h => [h.innerText, h.getBoundingClientRect().bottom])(document.querySelector('#verdict'))"
    )
    assert report.verdict.value in text
    assert 0 < bottom < 640


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_contrast_in_both_colour_schemes(dark, browser, page, two_modes):
    browser.open(page(two_modes), dark=dark)
    browser.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert browser.run(CONTRAST) == []


def test_dark_mode_applies(browser, page, different):
    path = page(different)
    browser.open(path)
    light = browser.run(BACKGROUND)
    browser.open(path, dark=True)
    assert light == "rgb(255, 255, 255)"
    assert browser.run(BACKGROUND) == "rgb(20, 23, 27)"


def test_a_click_sorts_and_a_second_one_turns_round(browser, page, different):
    browser.open(page(different))
    before = [int(n) for n in browser.run(COLUMN.format(0))]
    browser.click("#c0-table th:nth-child(5) button")
    values = [as_number(v) for v in browser.run(COLUMN.format(4))]
    assert values == sorted(values, reverse=True)
    assert browser.run(SORTED.format(4)) == "descending"
    browser.click("#c0-table th:nth-child(5) button")
    values = [as_number(v) for v in browser.run(COLUMN.format(4))]
    assert values == sorted(values)
    assert browser.run(SORTED.format(4)) == "ascending"
    browser.click("#c0-table th:nth-child(1) button")
    assert [int(n) for n in browser.run(COLUMN.format(0))] == before == sorted(before)
    assert browser.run(SORTED.format(4)) is None


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_keyboard_sorts(key, browser, page, different):
    browser.open(page(different))
    browser.run("document.querySelector('#c0-table').closest('.box').focus()")
    for _ in range(3):
        browser.press("Tab")
    assert browser.run("document.activeElement.textContent") == "layer"
    browser.press(key)
    names = browser.run(COLUMN.format(2))
    assert names == sorted(names, key=str.lower)
    assert browser.run(SORTED.format(2)) == "ascending"


def test_rows_without_a_number_sort_last_both_ways(browser, page, equivalent):
    browser.open(page(equivalent))
    browser.run("document.querySelector('#c0-table tbody tr').cells[4].textContent = ''")
    for _ in range(2):
        browser.click("#c0-table th:nth-child(5) button")
        assert browser.run(COLUMN.format(4))[-1] == ""


def test_filters_by_text_and_by_result(browser, page, different):
    browser.open(page(different))
    all_rows = len(browser.run(COLUMN.format(0)))
    browser.run("document.querySelector('[data-find]').focus()")
    browser.send("Input.insertText", text="CONV1")
    assert browser.run(COLUMN.format(2)) == ["conv1"]
    assert browser.run("document.querySelector('[data-count]').textContent") == f"1 of {all_rows}"
    browser.run("document.querySelector('[data-find]').value = ''")
    browser.run(
        "(s => { s.value = 'different'; s.dispatchEvent(new Event('input')); })"
        "(document.querySelector('[data-pick]'))"
    )
    shown = browser.run(COLUMN.format(1))
    assert 0 < len(shown) < all_rows
    assert all(text.startswith("different") for text in shown)


def test_a_word_of_the_result_column_is_explained_where_it_stands(browser, page, different):
    browser.open(page(different))
    x, y = browser.run(
        "(s => { s.scrollIntoView({block: 'center', behavior: 'instant'}); const b = s.getBoundingClientRect();"
        " return [b.x + 2, b.y + 2]; })(document.querySelector('.layers .s-inherited'))"
    )
    browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    assert "only because what it is given differs" in browser.run(
        "document.querySelector('.layers .s-inherited').title"
    )


def test_the_plot_tells_what_is_under_the_pointer_and_the_arrow_keys(browser, page, different):
    browser.open(page(different))
    readout = "document.querySelector('.readout').textContent"
    explained = browser.run(readout)
    box = browser.run(
        "(c => { c.scrollIntoView({block: 'center', behavior: 'instant'}); const b = c.getBoundingClientRect();"
        " return [b.x, b.y, b.width]; })(document.querySelector('.canvas'))"
    )
    browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=box[0] + 3, y=box[1] + 9)
    assert browser.run(readout).startswith("1. Conv2d conv1: same")
    browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=2, y=2)
    assert browser.run(readout) == explained
    browser.run("document.querySelector('.canvas').previousElementSibling.tabIndex = 0")
    browser.run("document.querySelector('.canvas').previousElementSibling.focus()")
    browser.press("Tab")
    browser.press("ArrowRight")
    text = browser.run(readout)
    assert text.startswith("2. BatchNorm2d bn1: different")
    assert "alone" in text
    value = browser.run("document.querySelector('.canvas').getAttribute('aria-valuetext')")
    assert value.startswith("2. BatchNorm2d bn1")
    browser.press("Enter")
    assert browser.run("document.querySelector('tr.at').id") == "c0r2"


def test_several_runs_are_tabs_that_the_arrow_keys_change(browser, page, two_modes):
    browser.open(page(two_modes))
    panels = "[...document.querySelectorAll('[role=tabpanel]')].map(p => p.hidden)"
    assert browser.run(panels) == [False, True]
    browser.run("document.querySelector('[role=tab]').focus()")
    browser.press("ArrowRight")
    assert browser.run(panels) == [True, False]
    assert browser.run("document.activeElement.textContent") == "given input, train"
    browser.click("[role=tab]")
    assert browser.run(panels) == [False, True]


def test_long_runs_of_agreeing_operators_fold_and_open(browser, page, large):
    browser.open(page(large))
    assert browser.errors == []
    hidden = "document.querySelector('tbody.fold').hidden"
    button = "document.querySelector('.more button')"
    assert browser.run(hidden) is True
    assert browser.run(f"{button}.getAttribute('aria-expanded')") == "false"
    browser.click(".more button")
    assert browser.run(hidden) is False
    assert browser.run(f"{button}.getAttribute('aria-expanded')") == "true"


def test_long_tables_fold_what_agrees_until_somebody_looks(browser, page, large, different):
    browser.open(page(large))
    shown = "[...document.querySelectorAll('#c0-table tbody tr:not([hidden]):not(.more)')].length"
    folded = "document.querySelectorAll('#c0-table tr.more').length"
    assert browser.run(shown) < 200
    assert browser.run(folded) > 5
    browser.run("document.querySelector('#c0-table tr.more button').click()")
    assert 200 > browser.run(shown) > 100
    browser.run("document.querySelector('#c0-table th button').click()")
    assert browser.run(shown) == 514
    assert browser.run(folded) == 0
    browser.open(page(different))
    assert browser.run(folded) == 0


def test_a_link_to_a_folded_finding_opens_it(browser, page, different):
    case = different.cases[0]
    one = different.findings[0]
    findings = [
        replace(one, layer=f"layer{i}", where=f"net.py:{i + 1}", operator=f"Operator{i}") for i in range(15)
    ]
    judgement = replace(case.judgement, findings=findings)
    browser.open(page(replace(different, cases=(replace(case, judgement=judgement),))))
    visible = "document.querySelector('#finding-14').checkVisibility()"
    assert not browser.run(visible)
    browser.run(
        "new Promise(done => { addEventListener('hashchange', done); location.hash = 'finding-14'; })"
        ".then(() => 0)"
    )
    assert browser.run(visible)


def test_everything_is_printed(browser, page, two_modes):
    path = page(two_modes)
    browser.open(path)
    browser.send("Emulation.setEmulatedMedia", media="print", features=[])
    assert browser.run("[...document.querySelectorAll('.case')].every(c => c.offsetHeight > 0)")
    assert browser.run("getComputedStyle(document.querySelector('.tall')).maxHeight") == "none"


def test_the_notebooks_frame_shows_the_verdict(browser, tmp_path, different):
    path = tmp_path / "cell.html"
    path.write_text(f"<!doctype html><meta charset=utf-8>{different._repr_html_()}", encoding="utf-8")
    browser.open(path)
    shown = browser.run_in_frame("document.querySelector('#verdict').innerText")
    assert "DIFFERENT" in shown
    assert browser.run_in_frame("document.documentElement.scrollWidth <= innerWidth")
    assert browser.errors == []
