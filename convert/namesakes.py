"""A user's own modules that are called like one of our packages: `convert.py`, `parity/`, `torch_models/`.

Ours lie at the root of an installation under names that others use too, and a process has one module of a name.
While a user's file is imported, its own modules come first (`users_imports`); afterwards ours have their names back.
Whoever asks for theirs then (in a function, or after `import paddle2torch`) is told so in one sentence, which is
better than Python's "cannot import name". `paddle2torch.packages` is about the other direction: theirs came first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder

TYPE_CHECKING = False  # not typing's, which costs more to import than the rest
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

NAMES = ("convert", "parity", "paddle_models", "torch_models")
ROOT = os.path.realpath(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
"""The folder that holds our packages."""


def namesake(name: str) -> str:
    """The file or folder of a user's that `import name` would find if it were not for ours; "" if there is none."""
    elsewhere = [entry for entry in sys.path if os.path.realpath(entry or ".") != ROOT]
    return _place(PathFinder.find_spec(name, elsewhere))


def _place(spec: ModuleSpec | None) -> str:
    if spec is None:
        return ""
    return spec.origin or next(iter(spec.submodule_search_locations or ()), "")


def _is_ours(name: str, place: str) -> bool:
    return os.path.realpath(place).startswith(os.path.join(os.path.realpath(os.path.join(ROOT, name)), ""))


@contextmanager
def users_imports() -> Iterator[None]:
    """Within, `import convert` finds the user's module of that name, if it comes first on the path.

    Theirs stay among the loaded modules, where recorders look for operators to watch, under a name that nobody imports.
    """
    first = {name: _place(PathFinder.find_spec(name)) for name in NAMES}
    names = [name for name, place in first.items() if place and not _is_ours(name, place)]
    ours = _taken_out(names, "")
    sys.modules.update(_taken_out(names, ASIDE))
    try:
        yield
    finally:
        theirs = _taken_out(names, "")
        sys.modules.update({ASIDE + key: module for key, module in theirs.items()})
        sys.modules.update(ours)


ASIDE = "the user's "


def _taken_out(names: list[str], prefix: str) -> dict[str, ModuleType]:
    """The loaded modules of these packages, out of `sys.modules`, by their own names."""
    keys = [
        key
        for key in list(sys.modules)
        if key.startswith(prefix) and key[len(prefix) :].partition(".")[0] in names
    ]
    return {key[len(prefix) :]: sys.modules.pop(key) for key in keys}


def missing(package: str, name: str) -> Exception:
    """What a package of ours raises for an attribute that it lacks: the user may have meant a module of theirs."""
    unknown = AttributeError(f"module {package!r} has no attribute {name!r}", name=name)
    if name.startswith("__") or PathFinder.find_spec(f"{package}.{name}", sys.modules[package].__path__):
        return unknown
    place = namesake(package)
    return ImportError(_sentence(package, place), name=package) if place else unknown


def _sentence(package: str, place: str) -> str:
    return (
        f"here `{package}` is paddle2torch's own package, so your {place} cannot be imported under that name: rename yours "
        f"(in a file that the command line loads, `import {package}` at the top, outside of functions, finds yours)"
    )


class _Guard:
    """Last among the finders: a module that our packages lack, and that a namesake might have."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        package = name.partition(".")[0]
        place = namesake(package) if package in NAMES and path is not None else ""
        ours = getattr(sys.modules.get(package), "__file__", None)
        if place and ours and _is_ours(package, ours):
            raise ModuleNotFoundError(_sentence(package, place), name=name)


def guard() -> None:
    """Answer imports of what only a user's namesake has, from now on and in this process."""
    if _Guard not in sys.meta_path:
        sys.meta_path.append(_Guard)
