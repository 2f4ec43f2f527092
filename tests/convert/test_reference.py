"""What is told of a factory before its framework is imported; nothing of the file runs for it."""

from __future__ import annotations

import json

import pytest

from convert.adapters.factory import load_factory
from convert.adapters.reference import check_reference
from convert.errors import ConvertError

FILE = """
import os
from os import path as where
from collections import *

if os.name:
    class Chosen: pass

class Net:
    def __init__(self, depth, *, width, heads=4): pass

class Plain(Net):
    pass

class Model(Net):
    def forward(self, x): return x

class Maker:
    def __init__(self, size): self.size = size
    def forward(self): pass
    def __call__(self): return Net(self.size, width=2)

def make(size, scale=2): return Net(size, width=scale)

@where.join
def wrapped(size): return size

net = Model(1, width=2)
maker = Maker(3)
one, two = 1, 2
raise SystemExit("this file was run")
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(FILE.replace("from collections import *", ""))
    (tmp_path / "open.py").write_text(FILE)
    (tmp_path / "lazy.py").write_text("import sys\nsys.modules[__name__] = object()\n")
    (tmp_path / "late.py").write_text('globals()["Net"] = int\n')
    (tmp_path / "broken.py").write_text("def Net(:\n")
    return tmp_path


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("nett.py:Net", "nett.py: no such file (nearest: net.py"),
        ("net.py:Nett", "net.py has no 'Nett' (nearest: Net"),
        ("net.py:Net", 'net.py:Net needs depth, width: give --torch-args \'{"depth": ..., "width": ...}\''),
        ("net.py:make", "net.py:make needs size: give --torch-args '{\"size\": ...}'"),
        (
            "net.py:net",
            "net.py:net is a Model that is built already, and each side builds its own: name what makes it, such as net.py:Model",
        ),
        ("no_such_package.models:Net", "there is no module 'no_such_package'"),
        ("models/net:Net", "a file is named with its ending: models/net.py:Net"),
        ("net.py", "write package.module:factory or path/to/file.py:factory"),
    ],
)
def test_what_cannot_be_a_factory_is_told_in_one_sentence(here, reference, sentence):
    with pytest.raises(ConvertError) as refused:
        check_reference(reference, (), "--torch-args")
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "reference",
    [
        *(
            "net.py:maker",
            "lazy.py:Net",
            "net.py:Chosen",
            "net.py:Plain",
            "net.py:wrapped",
            "net.py:where",
            "net.py:two",
            "net.py:Net.build",
        ),
        *("open.py:Anything", "late.py:Anything", "broken.py:Net", "collections.abc:Mapping", "net:Net"),
    ],
)
def test_what_may_be_one_is_left_to_the_import(here, reference):
    check_reference(reference, (), "--torch-args")


def test_arguments_that_are_given_are_not_missing(here):
    check_reference("net.py:Net", {"depth": 1, "width": 2}, "--torch-args")
    with pytest.raises(ConvertError, match="needs width: give"):
        check_reference("net.py:Net", {"depth": 1}, "--torch-args")


CELLS = [
    ("markdown", "# A network"),
    (
        "code",
        "%matplotlib inline\n!pip install nothing\nimport math\nimport no_such_package_to_draw_with\nWIDTH = 3\n",
    ),
    ("code", "%%bash\nrm -rf nothing"),
    ("code", "class Net:\n    width = WIDTH\n\n    def area(self):\n        return math.pi * self.width\n"),
    (
        "code",
        "net = Net()\nopen('trained', 'w').write('x')\nfor epoch in range(3):\n    raise SystemExit('trains')\n",
    ),
    ("code", "def not_code(:"),
]


@pytest.fixture
def notebook(here):
    cells = [{"cell_type": kind, "source": text.splitlines(keepends=True)} for kind, text in CELLS]
    (here / "net.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4, "metadata": {}}))
    return here


def test_a_class_comes_straight_from_a_notebook_and_nothing_of_it_trains(notebook, capsys):
    check_reference("net.ipynb:Net", (), "--torch-args")
    made = load_factory("net.ipynb:Net")()
    assert made.area() == pytest.approx(9.42477796)
    assert not (notebook / "trained").exists()
    assert "no_such_package_to_draw_with" in capsys.readouterr().err


def test_a_place_in_a_notebook_is_a_cell_and_a_line(notebook):
    import inspect

    area = load_factory("net.ipynb:Net").area
    assert area.__code__.co_filename == "net.ipynb[3]"
    assert area.__code__.co_firstlineno == 4
    assert "return math.pi * self.width" in inspect.getsource(area)


@pytest.mark.parametrize(("text", "name"), [("{}", "Net"), ("not json", "Net")])
def test_a_file_that_is_no_notebook_is_told(here, text, name):
    (here / "x.ipynb").write_text(text)
    with pytest.raises(ConvertError, match=r"x\.ipynb: is not a notebook"):
        check_reference(f"x.ipynb:{name}")
    (here / "y.ipynb").write_text(json.dumps({"cells": []}))
    with pytest.raises(ConvertError, match=r"y\.ipynb has no 'Net'"):
        check_reference("y.ipynb:Net")
