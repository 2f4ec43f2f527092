"""Tensors that a model holds without having registered them: as attributes, in lists and dictionaries, in plain objects."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from typing import Any

OWN_REGISTERS = frozenset({"_modules", "_sub_layers", "_parameters", "_buffers"})
DEEPEST = 4
"""How many containers in each other are looked through."""

_NUMBERS_AND_NAMES = (str, int, float, type(None))
_FRAMEWORKS = ("torch", "paddle", "numpy", "builtins")


def held_tensors(
    owner: Any, is_tensor: Callable[[Any], bool], is_layer: Callable[[Any], bool]
) -> Iterator[tuple[str, Any]]:
    """Path below `owner` and tensor, each once: `tables[0]`, `anchors['p3']`, `coder.weights`."""
    seen: set[int] = set()

    def visit(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
        if is_tensor(value):
            if id(value) not in seen:
                seen.add(id(value))
                yield path, value
            return
        if depth == DEEPEST or id(value) in seen or is_layer(value):
            return
        if isinstance(value, (list, tuple)):
            items = [(f"{path}[{i}]", item) for i, item in enumerate(value)]
        elif isinstance(value, dict):
            items = [(f"{path}[{key!r}]", item) for key, item in value.items()]
        elif is_plain_object(value):
            items = [(f"{path}.{name}", item) for name, item in vars(value).items()]
        else:
            return
        seen.add(id(value))
        for label, item in items:
            yield from visit(item, label, depth + 1)

    for name, value in list(vars(owner).items()):
        if name not in OWN_REGISTERS and not isinstance(value, _NUMBERS_AND_NAMES):
            yield from visit(value, name, 0)


def is_plain_object(value: Any) -> bool:
    """An object of a class of the user's: a box coder, a generator of anchors."""
    if isinstance(value, (type, types.ModuleType, types.FunctionType, types.MethodType)):
        return False
    return hasattr(value, "__dict__") and type(value).__module__.partition(".")[0] not in _FRAMEWORKS
