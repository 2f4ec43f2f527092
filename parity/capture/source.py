"""Where in the user's source a layer is made: the line that usually needs the edit."""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
from functools import lru_cache
from typing import Any

ADDERS = {"add_sublayer", "add_module", "register_module", "add_parameter", "create_parameter"}


@lru_cache(maxsize=1024)
def _assignments(cls: type) -> dict[str, int]:
    """Line of `self.<name> = ...` (or of an `add_module("<name>", ...)`) in a class's own source.

    A name that is built at run time (`f"block{i}"`) is kept under its constant beginning plus "*".
    """
    definition = _definition(cls)
    if definition is None:
        return {}
    found: dict[str, int] = {}
    for node in ast.walk(definition):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                    found.setdefault(target.attr, node.lineno)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            if name in ADDERS or name == "setattr":
                for argument in node.args[:2]:
                    text = _constant_prefix(argument)
                    if text:
                        found.setdefault(text, node.lineno)
    return found


def _definition(cls: type) -> ast.ClassDef | None:
    """The class statement in its file, None where there is no source."""
    try:
        file = inspect.getsourcefile(cls)
    except TypeError:
        return None
    if file is None:
        return None
    linecache.checkcache(file)
    lines = linecache.getlines(file, vars(sys.modules.get(cls.__module__, sys)))
    return _classes("".join(lines)).get(cls.__qualname__)


@lru_cache(maxsize=64)
def _classes(source: str) -> dict[str, ast.ClassDef]:
    """Every class of a file by its qualified name; parsed once, which `inspect` does for each class anew."""
    found: dict[str, ast.ClassDef] = {}

    def visit(node: ast.AST, path: str) -> None:
        for child in ast.iter_child_nodes(node):
            name = getattr(child, "name", "")
            if isinstance(child, ast.ClassDef):
                found.setdefault(path + name, child)
                visit(child, f"{path}{name}.")
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                visit(child, f"{path}{name}.<locals>.")
            else:
                visit(child, path)

    try:
        visit(ast.parse(source), "")
    except SyntaxError:
        return {}
    return found


def _constant_prefix(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
        return f"{node.values[0].value!s}*"
    if (
        isinstance(node, ast.BinOp)
        and isinstance(node.left, ast.Constant)
        and isinstance(node.left.value, str)
    ):
        return str(node.left.value).split("%")[0] + "*"
    return ""


def constructor_line(owner: Any, attribute: str) -> str:
    """ "file:line" where `owner` makes its child `attribute`, or where its class begins, or ""."""
    for cls in type(owner).__mro__[:-1]:
        if cls.__module__.split(".")[0] in {"torch", "paddle"} and "vision.models" not in cls.__module__:
            continue
        found = _assignments(cls)
        line = found.get(attribute)
        if line is None:
            line = next(
                (n for k, n in found.items() if k.endswith("*") and attribute.startswith(k[:-1])), None
            )
        if line is not None:
            return f"{inspect.getsourcefile(cls)}:{line}"
    return ""


def module_facts(module: Any) -> dict[str, str]:
    """A module's class, and the package that defines it ("torch.nn", "paddle.nn", the user's own)."""
    return {"type": type(module).__name__, "from": ".".join(type(module).__module__.split(".")[:2])}
