"""Where in the user's source a layer is made: the line that usually needs the edit."""

from __future__ import annotations

import ast
import inspect
import linecache
import os
import sys
import textwrap
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from parity.capture.made import Made, made, placed

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OWN = tuple(os.path.join(_ROOT, package, "") for package in ("convert", "parity"))


@lru_cache(maxsize=1024)
def _made(cls: type) -> Made:
    """What a class's own source makes."""
    statement = definition(cls)
    return Made() if statement is None else made(statement)


def definition(cls: type) -> ast.ClassDef | None:
    """The class statement in its file, None where there is no source."""
    file = _file(cls)
    if not file:
        return None
    linecache.checkcache(file)
    lines = linecache.getlines(file, vars(sys.modules.get(cls.__module__, sys)))
    return _classes("".join(lines)).get(cls.__qualname__)


def _file(cls: type) -> str:
    """Where a class is defined, or ""; its own functions know best, as another module may have its module's name by now."""
    file = ""
    if cls.__module__ in sys.modules:
        try:
            file = inspect.getsourcefile(cls) or ""
        except (TypeError, OSError):  # made in a notebook or by exec
            return ""
    for value in vars(cls).values():
        code = getattr(inspect.unwrap(value), "__code__", None) if inspect.isfunction(value) else None
        own = code is not None and value.__qualname__ == f"{cls.__qualname__}.{value.__name__}"
        if code is not None and own and not code.co_filename.startswith("<"):  # as what `dataclass` writes
            return str(code.co_filename)
    return file


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


def constructor_line(owner: Any, attribute: str) -> str:
    """ "file:line" where `owner` makes its child `attribute`, or ""."""
    kind = type(getattr(owner, attribute, None)).__name__
    for cls in own_classes(owner):
        line = _made(cls).line(attribute, kind)
        if line is not None:
            return f"{_file(cls)}:{line}"
    return ""


def element_lines(
    owner: Any, attribute: str, container: Any, inside: Iterable[tuple[str, Any]]
) -> dict[str, str]:
    """Path below a container that `owner` makes as `attribute` -> "file:line" of that very child.

    inside: what is in the container, by path.
    """
    for cls in own_classes(owner):
        elements = _made(cls).elements(attribute, type(container).__name__)
        if elements:
            children = {path: type(child).__name__ for path, child in inside if path}
            file = _file(cls)
            return {path: f"{file}:{line}" for path, line in placed(elements, children)}
        if _made(cls).line(attribute, "") is not None:
            break
    return {}


def own_classes(owner: Any) -> Iterator[type]:
    """The classes of the user's that a module is made of; the frameworks' own model zoos are user code."""
    for cls in type(owner).__mro__[:-1]:
        if cls.__module__.split(".")[0] not in {"torch", "paddle"} or "vision.models" in cls.__module__:
            yield cls


@lru_cache(maxsize=1024)
def _return_line(cls: type) -> str:
    """ "file:line" of the last statement of a class's forward that returns, or ""."""
    try:
        file = inspect.getsourcefile(cls.forward)  # type: ignore[attr-defined]
        lines, start = inspect.getsourcelines(cls.forward)  # type: ignore[attr-defined]
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (AttributeError, OSError, TypeError, SyntaxError):
        return ""
    found = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Return)]
    return f"{file}:{start + max(found) - 1}" if found else ""


def return_line(module: Any) -> str:
    """Where a module of the user's returns its result; "" for the frameworks' own."""
    own = type(module).__module__.split(".")[0] in {"torch", "paddle"}
    if own and "vision.models" not in type(module).__module__:
        return ""
    cls: Any = type(module)
    return _return_line(cls)


def module_facts(module: Any) -> dict[str, str]:
    """A module's class, and the package that defines it ("torch.nn", "paddle.nn", the user's own)."""
    return {"type": type(module).__name__, "from": ".".join(type(module).__module__.split(".")[:2])}


def module_arguments(module: Any) -> dict[str, Any]:
    """What a layer of a framework's own was made with, where it keeps that as a plain value under the argument's name."""
    if not type(module).__module__.startswith(("torch.nn.", "paddle.nn.")):
        return {}
    cls: Any = type(module)
    given = {name: getattr(module, name, getattr(module, f"_{name}", ...)) for name in _parameters(cls)}
    return {
        name: value
        for name, value in given.items()
        if value is None or type(value) in (bool, int, float, str)
    }


@lru_cache(maxsize=1024)
def _parameters(cls: type) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(cls).parameters)
    except (TypeError, ValueError):
        return ()


@lru_cache(maxsize=4096)
def is_machinery(filename: str) -> bool:
    """Frames of the frameworks and of this package; the frameworks' own model zoos are user code."""
    if filename.startswith(("<", *OWN)):
        return True
    path = filename.replace(os.sep, "/")
    if "/paddle/vision/models/" in path or "/torchvision/models/" in path:
        return False
    return filename.startswith(_frameworks()) or (
        f"{os.sep}python3." in filename and "site-packages" not in filename
    )


def _frameworks() -> tuple[str, ...]:
    """The folders of the frameworks that are loaded, wherever they are installed."""
    files = [getattr(sys.modules.get(name), "__file__", None) for name in ("torch", "paddle")]
    return tuple(os.path.dirname(file) + os.sep for file in files if file)
