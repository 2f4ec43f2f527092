"""What the model zoo calls is in the table: functions of the root and methods of tensors."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import paddle
import pytest

import paddle_models
from convert.rosetta.rows import Kind
from convert.rosetta.table import TABLE

ZOO = Path(next(iter(paddle.vision.models.__path__)))
OURS = Path(next(iter(paddle_models.__path__)))
NO_TENSOR_METHODS = {
    "append",
    "extend",
    "insert",
    "pop",
    "update",
    "index",
    "format",
    "join",
    "values",
    "apply",
}
"""Names of lists, dicts, strings and layers that tensors have too."""
LAYER_METHODS = {name for name in dir(paddle.nn.Layer) if not name.startswith("_")}


def _calls(source: str) -> Iterator[tuple[str | None, str]]:
    """(name of the object if it is a plain name, attribute) of every call."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            yield (owner.id if isinstance(owner, ast.Name) else None), node.func.attr


def needed(source: str) -> set[str]:
    """Paddle's names of the functions of the root and the tensor methods that `source` calls."""
    names: set[str] = set()
    for owner, attribute in _calls(source):
        if owner == "paddle":
            names.add(attribute)
        elif (
            owner not in ("nn", "F", "self", "os", "math", "np", "warnings", "typing")
            and not attribute.startswith("_")
            and hasattr(paddle.Tensor, attribute)
            and attribute not in NO_TENSOR_METHODS | LAYER_METHODS
        ):
            names.add(f"Tensor.{attribute}")
    return names


def _told() -> set[str]:
    """Every name that a row or an idiom's example shows."""
    shown = {row.paddle for row in TABLE}
    for row in TABLE:
        if row.kind is Kind.IDIOM:
            for example in row.examples:
                shown |= needed(example.paddle)
    return shown


FILES = sorted(path for folder in (ZOO, OURS) for path in folder.glob("*.py") if path.name != "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_function_and_method_that_a_model_calls_has_a_row(path: Path) -> None:
    assert needed(path.read_text(encoding="utf-8")) - _told() == set()


def test_the_search_finds_functions_methods_and_nothing_else() -> None:
    source = (
        "y = paddle.concat([x, x.cumsum(0)]).flip(0)\nz = F.relu(y)\nself.fc(y)\nblocks.append(1)\nn.eval()"
    )
    assert needed(source) == {"concat", "Tensor.cumsum", "Tensor.flip"}


def test_a_call_without_a_row_is_missed() -> None:
    assert needed("paddle.shard_index(x, 1, 1, 0)") - _told() == {"shard_index"}
