"""What a model returns: nested tuples, dictionaries and dataclasses of tensors."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from parity.trace.values import Array


def fixed_weights(path: str, shape: tuple[int, ...]) -> Array:
    """Standard normal numbers for the output called `path`: the loss of a check that is given none."""
    rng = np.random.default_rng(zlib.crc32(path.encode()))
    return rng.standard_normal(int(np.prod(shape, dtype=np.int64))).reshape(shape)


def replaced(value: Any, tensors: Mapping[int, Any]) -> Any:
    """A model's result with some of its tensors (by id) exchanged; what holds no tensor is kept as it is."""
    if id(value) in tensors:
        return tensors[id(value)]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(replaced(item, tensors) for item in value))
    if isinstance(value, (list, tuple)):
        return type(value)(replaced(item, tensors) for item in value)
    if isinstance(value, dict):
        twin = copy.copy(value)
        twin.update({key: replaced(item, tensors) for key, item in value.items()})
        return twin
    if hasattr(value, "__dataclass_fields__"):
        twin = copy.copy(value)
        for key in value.__dataclass_fields__:
            object.__setattr__(twin, key, replaced(getattr(value, key), tensors))
        return twin
    return value


def told(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return f"a {type(value).__name__}" + (f" of shape {list(shape)}" if shape is not None else "")


def flatten_outputs(result: Any, is_tensor: Callable[[Any], bool]) -> dict[str, Any]:
    """Every tensor of a model's result by a readable path; other leaves (None, numbers) are left out.

    A single tensor is "output"; a tuple gives "output[0]", a dictionary "output['logits']".
    """
    found: dict[str, Any] = {}

    def visit(value: Any, path: str) -> None:
        if is_tensor(value):
            found[path] = value
        elif isinstance(value, Mapping):
            for key in value:
                visit(value[key], f"{path}[{key!r}]")
        elif isinstance(value, (list, tuple)):
            for i, item in enumerate(value):
                visit(item, f"{path}[{i}]")
        elif hasattr(value, "__dataclass_fields__"):
            for key in value.__dataclass_fields__:
                visit(getattr(value, key), f"{path}.{key}")

    visit(result, "output")
    return found
