"""Statements of the user's source around a line: the loop, the block, the call that sets a flag. "" where the source cannot be read."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator

WITHOUT_GRADIENT = frozenset({"no_grad", "inference_mode", "set_grad_enabled"})


def loop_around(line: str) -> str:
    """The line that begins the innermost loop around a line."""
    path, number = _parts(line)
    return _innermost(path, (n for n in _around(path, number) if isinstance(n, ast.For)))


def block_around(line: str, calls: frozenset[str]) -> str:
    """The line of the innermost `with` around a line that calls one of these."""
    path, number = _parts(line)
    blocks = (n for n in _around(path, number) if isinstance(n, ast.With))
    return _innermost(path, (n for n in blocks if any(_calls(item.context_expr, calls) for item in n.items)))


def flag_set(made: str, path: str, calls: frozenset[str]) -> str:
    """The line that calls one of these on what a layer is kept as, in the class that makes the layer on the line `made`."""
    file, number = _parts(made)
    name = path.rpartition(".")[2]
    classes = [n for n in _around(file, number) if isinstance(n, ast.ClassDef)]
    for node in ast.walk(classes[-1]) if classes else ():
        if _calls(node, calls) and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner: ast.AST = node.func.value
            while isinstance(owner, ast.Attribute):
                if owner.attr == name:
                    return f"{file}:{node.lineno}"
                owner = owner.value
    return ""


def _parts(line: str) -> tuple[str, int]:
    path, _, number = line.rpartition(":")
    return path, int(number) if number.isdigit() else 0


def _around(path: str, number: int) -> Iterator[ast.stmt]:
    """Statements that hold a line, and do not begin with it; outer ones first."""
    try:
        tree = ast.parse("".join(linecache.getlines(path)))
    except (SyntaxError, ValueError):
        return
    found = (
        n for n in ast.walk(tree) if isinstance(n, ast.stmt) and n.lineno < number <= (n.end_lineno or 0)
    )
    yield from sorted(found, key=lambda node: node.lineno)


def _innermost(path: str, found: Iterator[ast.stmt]) -> str:
    nodes = list(found)
    return f"{path}:{nodes[-1].lineno}" if nodes else ""


def _calls(node: ast.AST, names: frozenset[str]) -> bool:
    called = node.func if isinstance(node, ast.Call) else None
    if isinstance(called, ast.Attribute):
        return called.attr in names
    return isinstance(called, ast.Name) and called.id in names
