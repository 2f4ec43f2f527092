"""Where a function is known by a name of its own: `from paddle import matmul` binds it once more, in a module of the user's."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any, NamedTuple, TypeVar
from weakref import ref

INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
"""Folders of packages, whose modules are looked through again only where they have got more names or fewer."""

Found = TypeVar("Found")
_CHECKS: list[dict[str, tuple[int, Any]]] = []


@contextmanager
def one_check() -> Iterator[None]:
    """Within it, what `once` has found stays: a check runs a model about ten times, and to look costs more than a small one."""
    _CHECKS.append({})
    try:
        yield
    finally:
        _CHECKS.pop()


def once(what: str, look: Callable[[], Found]) -> Found:
    """What `look` finds, for all runs of a check in which nothing is imported; outside of one, each time."""
    kept = _CHECKS[-1] if _CHECKS else {}
    if what not in kept or kept[what][0] != len(sys.modules):
        found = look()
        kept[what] = (len(sys.modules), found)
    return kept[what][1]  # type: ignore[no-any-return]


class Seen(NamedTuple):
    module: ref[ModuleType]
    size: int
    """How many names it had."""
    names: tuple[str, ...]
    """Those that were one of the functions."""


class Places:
    """Finds every name of some functions. A recording asks each time, and thousands of modules are loaded."""

    def __init__(self) -> None:
        self._functions: frozenset[int] = frozenset()
        self._seen: dict[str, Seen] = {}

    def of(self, functions: Mapping[int, Any]) -> list[tuple[ModuleType, str, int]]:
        """(module, name, key) wherever a loaded module holds one of the functions, which are given (and alive) by their `id`."""
        if functions.keys() != self._functions:
            self._functions, self._seen = frozenset(functions), {}
        places: list[tuple[ModuleType, str, int]] = []
        for path, module in list(sys.modules.items()):
            if not isinstance(module, ModuleType):
                continue
            seen, held = self._seen.get(path), vars(module)
            if (
                seen is None
                or seen.module() is not module
                or seen.size != len(held)
                or (seen.names and any(id(held.get(name)) not in functions for name in seen.names))
            ):
                seen = self._look(path, module, functions)
            places += [(module, name, id(held[name])) for name in seen.names]
        return places

    def _look(self, path: str, module: ModuleType, functions: Mapping[int, Any]) -> Seen:
        held = vars(module)
        names = tuple(name for name, value in list(held.items()) if id(value) in functions)
        seen = Seen(ref(module), len(held), names)
        if path in sys.builtin_module_names or str(getattr(module, "__file__", "")).startswith(INSTALLED):
            self._seen[path] = seen
        return seen
