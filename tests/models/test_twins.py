"""The two files of a network stay twins: reading their difference teaches porting and nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from .dialect import PASSAGES, ROWS, TORCH_ONLY_LINES, translate

ROOT = Path(__file__).parents[2]
FILES = sorted(path.name for path in (ROOT / "paddle_models").glob("*.py") if path.name != "__init__.py")


def source(framework: str, name: str) -> str:
    return (ROOT / f"{framework}_models" / name).read_text()


def without_torch_only_lines(torch_source: str) -> list[str]:
    return [line for line in torch_source.splitlines() if line.strip() and line not in TORCH_ONLY_LINES]


def outline(text: str) -> list[object]:
    """Classes, functions, their signatures and the attributes they assign, in order."""
    found: list[object] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            found.append(("class", node.name, [getattr(part, "name", None) for part in node.body]))
        elif isinstance(node, ast.FunctionDef):
            attributes = [
                target.attr
                for part in ast.walk(node)
                if isinstance(part, ast.Assign)
                for target in part.targets
                if isinstance(target, ast.Attribute)
            ]
            found.append(("def", node.name, ast.unparse(node.args), ast.get_docstring(node), attributes))
    return found


def test_both_folders_hold_the_same_files():
    torch_files = {path.name for path in (ROOT / "torch_models").glob("*.py")} - {"init.py"}
    assert torch_files == {*FILES, "__init__.py"}


@pytest.mark.parametrize("name", FILES)
def test_classes_attributes_signatures_and_order_are_equal(name):
    assert outline(source("torch", name)) == outline(source("paddle", name))


@pytest.mark.parametrize("name", FILES)
def test_translating_the_paddle_file_by_the_table_gives_the_torch_file(name):
    expected = [line for line in translate(source("paddle", name)).splitlines() if line.strip()]
    if any(passage.paddle in source("paddle", name) for passage in PASSAGES):
        expected = [line for line in expected if line not in TORCH_ONLY_LINES]
    assert without_torch_only_lines(source("torch", name)) == expected


def test_every_row_of_the_table_is_needed():
    text = "\n".join(source("paddle", name) for name in FILES)
    translated = {row.paddle: translate_all_but(row, text) != translate(text) for row in ROWS}
    assert all(translated.values()), [pattern for pattern, needed in translated.items() if not needed]


def translate_all_but(left_out, text):
    import re

    for passage in PASSAGES:
        text = text.replace(passage.paddle, passage.torch)
    lines = []
    for line in text.splitlines():
        for row in ROWS:
            if row is not left_out:
                line = re.sub(row.paddle, row.torch, line)  # noqa: PLW2901
        lines.append(line)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", FILES)
def test_no_definition_names_a_device(name):
    for framework in ("paddle", "torch"):
        for word in (".cuda(", ".to(", "device", "gpu"):
            assert word not in source(framework, name)


@pytest.mark.parametrize("name", FILES)
def test_every_network_file_says_which_paper_it_follows(name):
    docstring = ast.get_docstring(ast.parse(source("torch", name)))
    assert docstring
    assert any(f" {year}" in docstring for year in range(1998, 2020))
