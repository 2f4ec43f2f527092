"""A notebook as a module: its imports, definitions and constants, without anything that trains, plots or downloads."""

from __future__ import annotations

import ast
import json
import linecache
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

from convert.errors import ConvertError

NOTEBOOK = ".ipynb"

_TAKEN = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def syntax(path: Path) -> ast.Module | None:
    """A file of code or a notebook as syntax; None where it cannot be read as such."""
    if path.suffix == NOTEBOOK:
        return ast.Module([node for _, cell in _cells(path) for node in cell.body], [])
    try:
        return _parsed(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError):
        return None


def code_of(path: Path) -> Iterator[CodeType]:
    """What is to be run of each cell. A place in one reads `net.ipynb[3]:12`: line 12 of the third code cell."""
    for name, cell in _cells(path):
        body = [node for node in cell.body if isinstance(node, _TAKEN) or _is_constant(node)]
        # One by one: an import that fails (of a package that draws, say) takes nothing else with it.
        for node in body:
            yield compile(ast.Module([node], []), name, "exec")


def _cells(path: Path) -> Iterator[tuple[str, ast.Module]]:
    try:
        cells = json.loads(path.read_bytes())["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConvertError(f"{path}: is not a notebook ({type(error).__name__})") from None
    for number, source in enumerate(sources, 1):
        name = f"{path}[{number}]"
        text = "" if source.lstrip().startswith("%%") else _without_magic(source)
        module = _parsed(text, name)
        if module is not None:
            lines = text.splitlines(keepends=True)
            linecache.cache[name] = (len(text), None, lines, name)
            yield name, module


def _without_magic(source: str) -> str:
    """Lines that are IPython's (`%matplotlib inline`, `!pip install`) become empty, so that the others keep their numbers."""
    lines = source.splitlines()
    return "\n".join("" if line.lstrip().startswith(("%", "!", "?")) else line for line in lines) + "\n"


def _parsed(text: str, name: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes, which importing it will tell
            return ast.parse(text, name)
    except (SyntaxError, ValueError):
        return None


def _is_constant(node: ast.stmt) -> bool:
    if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
        return False
    try:
        ast.literal_eval(node.value)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return False
    return True
