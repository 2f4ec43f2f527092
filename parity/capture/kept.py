"""What a forward changes in the attributes of its modules: a count, a state, a cache; told, and taken back once the run is over."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.capture.held import DEEPEST, OWN_REGISTERS

State = Mapping[tuple[str, str], Any]

_NUMBERS = (int, float)
_SCALARS = (int, float, str, bytes, bool, type(None))
_CONTAINERS = (list, tuple, dict, set, deque)


def attributes(modules: Iterable[tuple[str, Any]]) -> State:
    """(module path, attribute) -> what tells whether it was changed since: a number or text itself, else which object it is and how long."""
    found: dict[tuple[str, str], Any] = {}
    for path, module in modules:
        for name, value in vars(module).items():
            if name == "training":
                continue
            if isinstance(value, _SCALARS):
                found[path, name] = value
            else:
                found[path, name] = id(value), len(value) if isinstance(value, _CONTAINERS) else 0
    return found


def changed(before: State, after: State) -> list[str]:
    """The modules with an attribute that is another one now."""
    return sorted({key[0] for key in {*before, *after} if before.get(key) != after.get(key)})


def counts(before: State, after: State) -> dict[str, float]:
    """The plain numbers that are other ones now, by the path of their attribute."""
    found: dict[str, float] = {}
    for key, value in after.items():
        was: Any = before.get(key)
        if type(value) in _NUMBERS and type(was) is type(value) and value != was:
            found[".".join(filter(None, key))] = value
    return found


@dataclass(frozen=True)
class _Contents:
    """A container as it was: itself, and what was in it."""

    container: Any
    items: list[Any]

    def restore(self) -> Any:
        """The container, with its contents of then."""
        items = [item.restore() if isinstance(item, _Contents) else item for item in self.items]
        if isinstance(self.container, dict):
            self.container.clear()
            self.container.update(zip(items[::2], items[1::2], strict=True))
        elif not isinstance(self.container, tuple):
            self.container.clear()
            (self.container.update if isinstance(self.container, set) else self.container.extend)(items)
        return self.container


@dataclass(frozen=True)
class _Module:
    """A module before a run: its layers, the names of its buffers, its attributes."""

    module: Any
    layers: list[int]
    buffers: frozenset[str]
    attributes: dict[str, Any]


class Snapshot:
    """The attributes of a model's modules before a run, to be put back after it, so that every run starts alike and the model is left as it came.

    A module that got a layer, or an object of which nothing is known, keeps all but its counts: what says that they are there
    must stay with them.
    """

    def __init__(self, modules: Iterable[tuple[str, Any]], is_tensor: Callable[[Any], bool]) -> None:
        self._is_tensor = is_tensor
        self._before = [
            _Module(
                module,
                _layers(module),
                frozenset(module._buffers),
                {name: self._noted(value) for name, value in _own(module).items()},
            )
            for _, module in modules
        ]

    def _noted(self, value: Any, depth: int = 0) -> Any:
        if not isinstance(value, _CONTAINERS) or depth == DEEPEST:
            return value
        items = [item for pair in value.items() for item in pair] if isinstance(value, dict) else list(value)
        return _Contents(value, [self._noted(item, depth + 1) for item in items])

    def restore(self) -> None:
        for was in self._before:
            held, now = vars(was.module), _own(was.module)
            plain = was.layers == _layers(was.module) and all(
                self._is_plain(value)
                for name, value in now.items()
                if value is not _value(was.attributes.get(name))
            )
            for name, value in was.attributes.items():
                number = type(value) in _NUMBERS and type(now.get(name)) is type(value)
                if number or (plain and self._is_plain(_value(value)) and self._is_plain(now.get(name))):
                    held[name] = value.restore() if isinstance(value, _Contents) else value
            for name in now.keys() - was.attributes.keys() if plain else ():
                del held[name]
            # Paddle makes a buffer of a tensor that becomes an attribute.
            for name in held["_buffers"].keys() - was.buffers if plain else ():
                del held["_buffers"][name]
                held.get("_non_persistable_buffer_names_set", set()).discard(name)

    def _is_plain(self, value: Any, depth: int = 0) -> bool:
        """Whether a value is numbers through and through: tensors, arrays, texts, and what holds them."""
        if isinstance(value, (*_SCALARS, np.ndarray, np.generic)) or self._is_tensor(value):
            return True
        if not isinstance(value, _CONTAINERS) or depth == DEEPEST:
            return False
        items = (*value.keys(), *value.values()) if isinstance(value, dict) else value
        return all(self._is_plain(item, depth + 1) for item in items)


def _value(noted: Any) -> Any:
    return noted.container if isinstance(noted, _Contents) else noted


def _own(module: Any) -> dict[str, Any]:
    """A module's attributes, without its mode and what the framework registers."""
    return {
        name: value
        for name, value in vars(module).items()
        if name != "training" and name not in OWN_REGISTERS
    }


def _layers(module: Any) -> list[int]:
    """Which layers a module has, by identity."""
    held = vars(module)
    return [id(layer) for name in ("_modules", "_sub_layers") for layer in held.get(name, {}).values()]
