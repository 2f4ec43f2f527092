"""What can be told of a factory that a user names before its framework is imported: that takes seconds, a wrong path should not.

Only files are read, as syntax; nothing of them is run. Where that does not tell, nothing is said, and `convert.adapters.factory` will.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from convert.adapters.notebook import NOTEBOOK, syntax
from convert.errors import ConvertError
from convert.names import did_you_mean, listed

PIP = {"paddle": "paddlepaddle", "torch": "torch"}
"""Framework -> the package that is it."""


def check_reference(reference: str, given: Collection[str] = (), option: str = "") -> None:
    """ConvertError if `reference` cannot be a factory that these keyword arguments are enough for.

    option: how the user gives arguments.
    """
    place, colon, name = reference.rpartition(":")
    if not colon or not place or not name:
        raise ConvertError(f"{reference!r}: write package.module:factory or path/to/file.py:factory")
    if not place.endswith((".py", NOTEBOOK)):
        package = place.partition(".")[0]
        if not package.isidentifier() or not _is_module(package):
            raise ConvertError(
                f"there is no module {package!r} (asked for {place}){_file_meant(place, name)}"
            )
        return
    path = Path(place)
    if not path.is_file():
        raise ConvertError(f"{path}: no such file{_beside(path)}")
    module = syntax(path)
    if module is not None:
        _check_name(module, reference, place, name.split("."), given, option)


def frameworks_of(reference: str) -> list[str]:
    """Which frameworks the file of a reference imports; [] where that is not plain to see."""
    path = Path(reference.rpartition(":")[0])
    module = syntax(path) if path.is_file() else None
    names = set(_imported(module)) if module is not None else set()
    return sorted(names & set(PIP))


def _imported(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def check_installed(framework: str) -> None:
    """ConvertError with the pip command if a framework is not here."""
    if framework not in sys.modules and not _is_module(framework):
        raise ConvertError(not_installed(framework))


def not_installed(framework: str) -> str:
    """What to do about it; of an index's own packages, as this one is none."""
    return f"{framework} is not installed here: run `{sys.executable} -m pip install {PIP[framework]}`"


def lacks_arguments(reference: str, missing: Sequence[str], option: str) -> str:
    """What to type for a factory that was called with too little."""
    example = ", ".join(f'"{name}": ...' for name in missing)
    return f"{reference} needs {listed(missing)}: give {option} '{{{example}}}', or name a function that needs nothing"


def built_already(reference: str, kind: str) -> str:
    """What to say of an instance."""
    place = reference.rpartition(":")[0]
    return (
        f"{reference} is a {kind} that is built already, and each side builds its own: name what makes it, such as "
        f"{place}:{kind}"
    )


def _check_name(
    module: ast.Module, reference: str, place: str, parts: list[str], given: Collection[str], option: str
) -> None:
    defined = dict(_defined(module))
    found = defined.get(parts[0])
    if found is None:
        if "*" not in defined and "__getattr__" not in defined:
            raise ConvertError(f"{place} has no {parts[0]!r}{did_you_mean(parts[0], defined)}")
        return
    if len(parts) > 1:
        return
    if isinstance(found, ast.Call) and isinstance(found.func, ast.Name):
        made = defined.get(found.func.id)
        # One with a `__call__` of its own may make models, too.
        if isinstance(made, ast.ClassDef) and _method(made, "forward") and not _method(made, "__call__"):
            raise ConvertError(built_already(reference, made.name))
    missing = [name for name in _required(found) if name not in given]
    if missing and option:
        raise ConvertError(lacks_arguments(reference, missing, option))


_DYNAMIC = {"globals": "*", "setattr": "*", "exec": "*"}
"""Functions that make names which no syntax shows."""


def _defined(module: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Names of the module's own level with what defines them; "*" stands for names that are not known."""
    for node in ast.iter_child_nodes(module):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name, node
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0], node
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                for part in ast.walk(target):
                    if isinstance(part, ast.Name):
                        yield _DYNAMIC.get(part.id, part.id), node.value if part is target else node
                    elif (
                        isinstance(part, ast.Attribute) and part.attr == "modules"
                    ):  # another module in its place
                        yield "*", node
        elif isinstance(node, ast.stmt):
            for inner in ast.walk(node):  # if, try, with, for, and calls such as globals()["Net"] = ...
                if isinstance(inner, (ast.FunctionDef, ast.ClassDef)):
                    yield inner.name, node
                elif isinstance(inner, ast.Name):
                    yield _DYNAMIC.get(inner.id, inner.id), node
                elif isinstance(inner, ast.alias):
                    yield inner.asname or inner.name.partition(".")[0], node


def _method(cls: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    return next((part for part in cls.body if isinstance(part, ast.FunctionDef) and part.name == name), None)


def _required(found: ast.AST) -> list[str]:
    """Arguments without a default; [] where that is not plain to see."""
    if isinstance(found, ast.ClassDef):
        made = None if found.decorator_list else _method(found, "__init__")
        own = 1
    else:
        made = found if isinstance(found, ast.FunctionDef) else None
        own = 0
    if made is None or made.decorator_list:
        return []
    asked = made.args
    plain = [*asked.posonlyargs, *asked.args]
    needed = plain[own : len(plain) - len(asked.defaults)]
    only = [arg for arg, default in zip(asked.kwonlyargs, asked.kw_defaults, strict=True) if default is None]
    return [arg.arg for arg in (*needed, *only)]


def _is_module(package: str) -> bool:
    """Whether a package can be imported, without importing it; the current directory counts."""
    if package in sys.modules:
        return True
    try:
        found = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return True  # something else will say what is wrong
    return found is not None or os.path.isdir(package) or os.path.isfile(f"{package}.py")


def _file_meant(place: str, name: str) -> str:
    """`net:Net` where there is a `net.py` elsewhere is no mistake of ours to guess; a path with slashes is."""
    return f"; a file is named with its ending: {place}.py:{name}" if "/" in place else ""


def _beside(path: Path) -> str:
    try:
        names = [entry.name for entry in os.scandir(path.parent) if entry.name.endswith((".py", NOTEBOOK))]
    except OSError:
        return ""
    return did_you_mean(path.name, names)
