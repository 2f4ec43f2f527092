"""What `inspect`, `convert --dry-run` and `guide` show on terminals of 80, 100 and 120 columns, and in a pipe."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from convert.rosetta.table import TABLE, find
from paddle2torch import console
from paddle2torch.cli import COMMANDS, _module, _Parser, main

ROOT = Path(__file__).resolve().parents[2]
WIDTHS = (80, 100, 120)
NAMES = [f"backbone.stages.{n}.blocks.11.attention.relative_position_bias_table" for n in range(3)]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("screen") / "net.safetensors"
    save_file({name: np.full((512, 512), 0.1234567, np.float32) for name in NAMES}, path)
    return str(path)


def lines(capsys, monkeypatch, width, *words):
    monkeypatch.setattr(console, "_bounded", lambda: bool(width))
    monkeypatch.setenv("COLUMNS", str(width or 30))
    assert main(list(words)) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("width", WIDTHS)
def test_numbers_are_whole_and_names_keep_what_tells_them_apart(width, checkpoint, capsys, monkeypatch):
    told = [
        line
        for line in lines(capsys, monkeypatch, width, "inspect", checkpoint, "--stats")
        if "0.123457" in line
    ]
    assert len({line.split()[0] for line in told}) == 3
    assert all(line.startswith("back") and "_table" in line.split()[0] for line in told)
    assert all(line.split().count("0.123457") == 3 for line in told)
    assert max(map(len, told)) <= width


def test_sentences_are_not_broken_within_a_word(checkpoint, capsys, monkeypatch, tmp_path):
    words = ("convert", checkpoint, "--model", "none", "--layout", "paddle", "-o", str(tmp_path / "x.pth"))
    shown = lines(capsys, monkeypatch, 80, *words)
    assert max(len(line) for line in shown if " " in line) <= 80
    assert set(NAMES) <= set(" ".join(shown).replace(",", "").split())
    shown = lines(capsys, monkeypatch, 40, "inspect", checkpoint)
    assert max(len(line) for line in shown if " " in line.strip()) <= 40


@pytest.mark.parametrize("width", WIDTHS)
def test_a_plan_keeps_both_names_and_what_happens(width, checkpoint, capsys, monkeypatch):
    words = ("convert", checkpoint, "--model", "none", "--layout", "paddle", "--dry-run")
    shown = lines(capsys, monkeypatch, width, *words)
    head = next(i for i, line in enumerate(shown) if line.startswith("Paddle"))
    rows = [line.split() for line in shown[head + 2 : head + 5]]
    assert len({row[0] for row in rows}) == len({row[1] for row in rows}) == 3
    assert all("copy" in row for row in rows)
    assert max(map(len, shown[head:])) <= width


def test_a_pipe_has_every_column_and_every_name_whole(checkpoint, capsys, monkeypatch):
    shown = lines(capsys, monkeypatch, 0, "inspect", checkpoint, "--stats")
    assert [line.split()[0] for line in shown if line.startswith("backbone")] == NAMES
    assert {"name", "shape", "dtype", "bytes", "min", "max", "mean", "nan", "inf"} <= set(
        " ".join(shown).split()
    )
    plan = lines(
        capsys, monkeypatch, 0, "convert", checkpoint, "--model", "none", "--layout", "paddle", "--dry-run"
    )
    assert all(any(line.count(name) == 2 for line in plan) for name in NAMES)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "name", ["nn.AvgPool2D", "nn.BatchNorm2D", "nn.functional.interpolate", "nn.MultiHeadAttention"]
)
def test_the_guide_breaks_neither_words_nor_code(width, name, capsys, monkeypatch):
    shown = lines(capsys, monkeypatch, width, "guide", name)
    assert max(map(len, shown)) <= width
    said = set(" ".join(shown).split())
    (row,) = (row for row in find(name) if row.paddle == name)
    pieces = [*(trap.naive for trap in row.traps), *(example.torch for example in row.examples[:1])]
    pieces += [argument.note for argument in row.arguments]
    assert {word for piece in pieces for word in piece.split()} <= said
    assert any("f32(v): the float32 nearest to v" in line for line in shown) == ("f32(" in repr(row))


@pytest.mark.parametrize("width", WIDTHS)
def test_the_overview_and_lists_of_the_guide_fit(width, capsys, monkeypatch):
    many = next(row.torch for row in TABLE if len(find(row.torch)) > 3)
    for words in (("guide",), ("guide", many)):
        assert max(map(len, lines(capsys, monkeypatch, width, *words))) <= width + 40 * (len(words) > 1)


def test_nothing_advises_an_option_that_no_command_has():
    known = {"--parity-report", "--version"}  # pytest's, of our plugin; of the program
    for name in COMMANDS:
        parser = _Parser(prog=name)
        _module(name).configure(parser)
        known |= set(parser._option_string_actions)
    advised = {
        (option, path.name)
        for folder in ("convert", "parity", "paddle2torch")
        for path in (ROOT / folder).rglob("*.py")
        if "rosetta" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z](?![\w-]*\{)", node.value)
    }
    assert len(advised) > 50
    assert {
        (option, where) for option, where in advised if option not in known and option != "--sha"
    } == set()


def test_nothing_advises_a_package_that_no_index_has():
    for folder in ("convert", "parity", "paddle2torch", "docs"):
        for path in (p for p in (ROOT / folder).rglob("*") if p.suffix in (".py", ".md", ".ipynb")):
            assert "pip install 'paddle2torch" not in path.read_text(encoding="utf-8"), path
