"""The architecture page and its pictures say what the contracts and a real check say."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import threading
from xml.etree import ElementTree

import numpy as np
import paddle
import pytest

import paddle2torch
from docs.tools import house
from docs.tools.pages import DOCS, ROOT, twin

PAGE = DOCS / "architecture.md"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", house.pictures())
def test_a_picture_is_what_the_contracts_give(name):
    drawn = (house.ASSETS / name).read_text(encoding="utf-8")
    assert drawn == house.pictures()[name], "run python -m docs.tools.house"


@pytest.mark.parametrize("name", house.pictures())
def test_a_picture_fits_a_phone_and_its_letters_fit_their_boxes(name):
    root = ElementTree.fromstring(house.pictures()[name])
    assert float(root.attrib["viewBox"].split()[2]) <= 375
    boxes = [rect for rect in root.iter(f"{SVG}rect") if rect.get("class") != "paper"]
    labels = [text for text in root.iter(f"{SVG}text") if text.get("class") != "title"]
    assert len(boxes) == len(labels)
    for box, label in zip(boxes, labels, strict=True):
        # Half an em is what a letter of a sans serif needs on average.
        assert 0.5 * 11 * len(label.text) <= float(box.get("width")) + 4, label.text


def test_a_room_without_a_floor_in_the_picture_is_noticed(monkeypatch):
    floors = house.contracts()
    floors["parity"][0].append("attic")
    monkeypatch.setattr(house, "contracts", lambda: floors)
    assert "attic" in house.house() != (house.ASSETS / "house.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [PAGE, twin(PAGE)], ids=["en", "zh"])
def test_the_page_has_a_row_for_every_room(page):
    floors = house.contracts()
    rows = re.findall(r"^\| (`.*?) \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    told = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(told) == sorted(
        room for package in ("parity", "convert") for floor in floors[package] for room in floor
    )


@pytest.mark.parametrize("page", [PAGE, twin(PAGE)], ids=["en", "zh"])
def test_every_module_that_the_page_names_is_there(page):
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:parity|convert|docs|paddle2torch)/[\w/.*-]*)`", text))
    assert len(named) > 30
    assert [path for path in sorted(named) if not list(ROOT.glob(path.rstrip("/")))] == []
    passed = {f"{module}.py" for modules in house.WAYS.values() for module in modules}
    assert passed - named == set()


@pytest.fixture(scope="module")
def entered():
    """The files of every function that a check of the page's example enters."""

    sys.path.insert(0, str(DOCS / "example"))
    try:
        for name in ("net", "port"):  # of another test's
            sys.modules.pop(name, None)
        net, port = (importlib.import_module(name) for name in ("net", "port"))
    finally:
        sys.path.remove(str(DOCS / "example"))
    paddle.seed(0)
    expected, actual = net.Net(), port.Net()
    actual.load_state_dict(paddle2torch.convert_state_dict(expected.state_dict(), actual))
    images = np.random.default_rng(0).random((2, 3, 32, 32), dtype=np.float32)
    found = set()

    def watch(frame, event, _):
        # A module or a class that is only imported is no function.
        if event == "call" and frame.f_code.co_flags & inspect.CO_OPTIMIZED:
            found.add(frame.f_code.co_filename)

    before = sys.getprofile()
    threading.setprofile(watch)
    sys.setprofile(watch)
    try:
        str(paddle2torch.check(expected, actual, images))
    finally:
        sys.setprofile(before)
        threading.setprofile(None)
    return found


@pytest.mark.parametrize("what", house.WAYS)
def test_a_check_of_the_example_passes_every_module_of_the_picture(what, entered):
    assert [m for m in house.WAYS[what] if str(ROOT / f"{m}.py") not in entered] == []
