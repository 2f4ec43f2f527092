"""Where in the user's source a layer is made: the line that usually needs the edit."""

from __future__ import annotations

import ast
import inspect
import linecache
import os
import sys
import textwrap
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OWN = tuple(os.path.join(_ROOT, package, "") for package in ("convert", "parity"))
ADDERS = {"add_sublayer", "add_module", "register_module", "add_parameter", "create_parameter"}


@lru_cache(maxsize=1024)
def _assignments(cls: type) -> dict[str, int]:
    """Line of `self.<name> = ...` (or of an `add_module("<name>", ...)`) in a class's own source.

    A name that is built at run time (`f"block{i}"`) is kept under its constant beginning plus "*". The elements of a
    container that is written out (`self.<name> = nn.Sequential(...)`) are there as "<name>.0", "<name>.1", ...
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
                    name, made = target.attr, node.lineno
                    if _is_none(node.value):
                        # What is None at first is made further down.
                        continue
                    found.setdefault(name, made)
                    for i, element in enumerate(_elements(node.value)):
                        found.setdefault(f"{name}.{i}", element.lineno)
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


def _is_none(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _elements(value: ast.expr | None) -> list[ast.expr]:
    """What a container is made of, if all of it is written out: arguments, or the items of a list that is the only one."""
    if not isinstance(value, ast.Call) or value.keywords:
        return []
    items: list[ast.expr] = list(value.args)
    if len(items) == 1 and isinstance(items[0], ast.List | ast.Tuple):
        items = items[0].elts
    whole = all(isinstance(item, ast.Call) for item in items)
    return items if whole else []


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
    for cls in _own_classes(owner):
        found = _assignments(cls)
        line = found.get(attribute)
        if line is None:
            line = next(
                (n for k, n in found.items() if k.endswith("*") and attribute.startswith(k[:-1])), None
            )
        if line is not None:
            return f"{_file(cls)}:{line}"
    return ""


def element_lines(owner: Any, attribute: str, container: Any) -> dict[str, str]:
    """Child of a container that `owner` writes out under `attribute` -> "file:line" of that very child."""
    for cls in _own_classes(owner):
        found = _assignments(cls)
        if attribute in found:
            lines = {name: found.get(f"{attribute}.{name}") for name, _ in container.named_children()}
            return {name: f"{_file(cls)}:{line}" for name, line in lines.items() if line}
    return {}


def _own_classes(owner: Any) -> Iterator[type]:
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
