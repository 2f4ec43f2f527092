"""Where a function is known by a name of its own: `from paddle import matmul` binds it once more, in a module of the user's."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NamedTuple
from weakref import ref

INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
"""Folders of packages, whose modules are looked through again only where they have got more names or fewer."""


@dataclass
class _Check:
    """What is entered until a check ends. entered: name -> how many modules were loaded then, and what leaves it."""

    entered: dict[str, tuple[int, ExitStack]] = field(default_factory=dict)

    def leave(self, what: str) -> None:
        if what in self.entered:
            self.entered.pop(what)[1].close()


_CHECKS: list[_Check] = []


@contextmanager
def one_check() -> Iterator[None]:
    """Within it, what is entered by `throughout` stays: a check runs a model about ten times, and to look costs more than a small one."""
    check = _Check()
    _CHECKS.append(check)
    try:
        yield
    finally:
        _CHECKS.pop()
        for what in list(check.entered):
            check.leave(what)


def throughout(what: str, enter: Callable[[], AbstractContextManager[None]]) -> AbstractContextManager[None]:
    """A context that a check enters once and leaves at its end, and enters anew where something was imported; outside of one, it itself."""
    if not _CHECKS:
        return enter()
    check, loaded = _CHECKS[-1], len(sys.modules)
    if what in check.entered and check.entered[what][0] != loaded:
        check.leave(what)
    if what not in check.entered:
        stack = ExitStack()
        stack.enter_context(enter())
        check.entered[what] = loaded, stack
    return nullcontext()


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
        # A copy is made at once; a list may run the garbage collector, and that may import.
        for path, module in sys.modules.copy().items():
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
        names = tuple(name for name, value in held.copy().items() if id(value) in functions)
        seen = Seen(ref(module), len(held), names)
        if path in sys.builtin_module_names or str(getattr(module, "__file__", "")).startswith(INSTALLED):
            self._seen[path] = seen
        return seen


@contextmanager
def patched(places: Iterable[tuple[Any, str, Any, Any]]) -> Iterator[None]:
    """Within, names hold something else. places: (owner, name, what it holds, what it is to hold)."""
    done = []
    try:
        for place in places:
            owner, name, _, other = place
            setattr(owner, name, other)
            done.append(place)
        yield
    finally:
        for owner, name, held, _ in done:
            setattr(owner, name, held)
