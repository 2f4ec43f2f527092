"""What the model zoos build with has a row: read from their source, so that a new layer asks for one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import paddle
import pytest

import paddle_models
from convert.rosetta.table import TABLE

ROWS = frozenset(row.paddle for row in TABLE)
ZOOS = [Path(paddle.vision.models.__file__).parent, Path(paddle_models.__file__).parent]
SOURCES = [path for zoo in ZOOS for path in sorted(zoo.glob("*.py"))]


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names that the module gives to what it imports: `F`, `paddle.nn.functional`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((a.asname or a.name, a.name) for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((a.asname or a.name, f"{node.module}.{a.name}") for a in node.names)


def used(source: str) -> set[str]:
    """The layers and functions of `paddle.nn` that a module uses, as the table spells them."""
    tree = ast.parse(source)
    known = dict(_imported(tree))
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Attribute, ast.Name)):
            continue
        head, _, rest = _dotted(node).partition(".")
        name = f"{known.get(head, head)}.{rest}".rstrip(".").removeprefix("paddle.")
        if name.startswith("nn.functional.") or (name.count(".") == 1 and _is_layer(name)):
            found.add(name)
    return found


def _is_layer(name: str) -> bool:
    value = getattr(paddle.nn, name.removeprefix("nn."), None)
    layer = paddle.nn.Layer
    return (
        name.startswith("nn.") and isinstance(value, type) and issubclass(value, layer) and value is not layer
    )


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_layers_and_functions_that_a_model_uses_have_a_row(path: Path) -> None:
    assert used(path.read_text(encoding="utf-8")) <= ROWS


def test_both_zoos_are_read() -> None:
    everything = set().union(*(used(path.read_text(encoding="utf-8")) for path in SOURCES))
    assert {"nn.Conv2D", "nn.BatchNorm2D", "nn.Hardswish", "nn.Swish", "nn.functional.relu"} <= everything


@pytest.mark.parametrize(
    "source",
    [
        "from paddle import nn\nnn.Conv2D(3, 4, 3)",
        "import paddle\npaddle.nn.Conv2D(3, 4, 3)",
        "from paddle.nn import Conv2D as C\nC(3, 4, 3)",
        "import paddle.nn as layers\ndef block(conv=layers.Conv2D): ...",
    ],
)
def test_every_way_of_importing_is_seen(source: str) -> None:
    assert used(source) == {"nn.Conv2D"}


@pytest.mark.parametrize(
    "source",
    [
        "import paddle.nn.functional as F\nF.no_such(x)",
        "from paddle.nn.functional import no_such\nno_such(x)",
        "import paddle\npaddle.nn.functional.no_such(x)",
    ],
)
def test_a_function_without_a_row_is_told(source: str) -> None:
    assert used(source) - ROWS == {"nn.functional.no_such"}
