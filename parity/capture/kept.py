"""What a forward changes in the plain attributes of its modules: a count, a cache, the last result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

State = Mapping[tuple[str, str], Any]


def attributes(modules: Iterable[tuple[str, Any]]) -> State:
    """(module path, attribute) -> what tells whether it was changed since: a number or text itself, else which object it is and how long."""
    found: dict[tuple[str, str], Any] = {}
    for path, module in modules:
        for name, value in vars(module).items():
            if name == "training":
                continue
            if isinstance(value, (int, float, str, bytes, bool, type(None))):
                found[path, name] = value
            else:
                found[path, name] = (
                    id(value),
                    len(value) if isinstance(value, (list, dict, set, tuple)) else 0,
                )
    return found


def changed(before: State, after: State) -> list[str]:
    """The modules with an attribute that is another one now."""
    return sorted({key[0] for key in {*before, *after} if before.get(key) != after.get(key)})


def counts(before: State, after: State) -> dict[str, float]:
    """The plain numbers that are other ones now, by the path of their attribute."""
    found: dict[str, float] = {}
    for key, value in after.items():
        was: Any = before.get(key)
        if type(value) in (int, float) and type(was) is type(value) and value != was:
            found[".".join(filter(None, key))] = value
    return found


def rewind(modules: Iterable[tuple[str, Any]], before: State) -> None:
    """Counts and places become what they were, so that every run starts alike and the model is left as it came.

    A cache stays: it may hold layers, and what says that they are there.
    """
    for path, module in modules:
        for name, value in vars(module).items():
            was = before.get((path, name))
            if type(value) in (int, float) and type(was) is type(value) and was != value:
                vars(module)[name] = was
