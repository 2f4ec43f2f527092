"""The two files of a network stay twins; that one is the other's port is `tests/port/test_mirror.py`."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path.name for path in (ROOT / "paddle_models").glob("*.py") if path.name != "__init__.py")


def source(framework: str, name: str) -> str:
    return (ROOT / f"{framework}_models" / name).read_text()


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
    torch_files = {path.name for path in (ROOT / "torch_models").glob("*.py")}
    assert torch_files == {*FILES, "__init__.py"}


@pytest.mark.parametrize("name", FILES)
def test_classes_attributes_signatures_and_order_are_equal(name):
    assert outline(source("torch", name)) == outline(source("paddle", name))


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
