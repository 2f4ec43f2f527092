"""What a model returns: nested tuples, dictionaries and objects of tensors, numbers and texts."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable, ItemsView, KeysView, Mapping, ValuesView
from types import GeneratorType
from typing import Any

import numpy as np

from parity.capture.held import is_plain_object
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


def called(model: Callable[..., Any], given: Mapping[str, Any]) -> Any:
    """What a model returns, `drawn`, for inputs by name: "0", "1", ... are positional."""
    positional = [one for name, one in given.items() if name.isdigit()]
    named = {name: one for name, one in given.items() if not name.isdigit()}
    return drawn(model(*positional, **named))


def drawn(result: Any) -> Any:
    """A model's result with its generators and views of dictionaries as lists: what they yield is part of the run."""
    if isinstance(result, (GeneratorType, map, filter, zip, KeysView, ValuesView, ItemsView)):
        return [drawn(item) for item in result]
    if isinstance(result, tuple) and hasattr(result, "_fields"):
        return type(result)(*map(drawn, result))
    if type(result) in (list, tuple):
        return type(result)(map(drawn, result))
    if type(result) is dict:
        return {key: drawn(item) for key, item in result.items()}
    return result


def leaves_of(result: Any, is_tensor: Callable[[Any], bool]) -> dict[str, Any]:
    """Everything that a model returns, None left out, by a readable path.

    A single tensor is "output"; a tuple gives "output[0]", a dictionary "output['logits']", an object "output.scores".
    """
    found: dict[str, Any] = {}
    above: list[int] = []

    def visit(value: Any, path: str) -> None:
        if is_tensor(value):
            found[path] = value
            return
        if value is None or id(value) in above:
            return
        above.append(id(value))
        if isinstance(value, Mapping):
            for key in value:
                visit(value[key], f"{path}[{key!r}]")
        elif isinstance(value, (list, tuple)):
            for i, item in enumerate(value):
                visit(item, f"{path}[{i}]")
        elif hasattr(value, "__dataclass_fields__"):
            for key in value.__dataclass_fields__:
                visit(getattr(value, key), f"{path}.{key}")
        elif is_plain_object(value) and any(is_tensor(item) for item in vars(value).values()):
            for key, item in vars(value).items():
                visit(item, f"{path}.{key}")
        else:
            found[path] = value
        above.pop()

    visit(result, "output")
    return found


def flatten_outputs(result: Any, is_tensor: Callable[[Any], bool]) -> dict[str, Any]:
    """Every tensor of a model's result by its path."""
    return {path: leaf for path, leaf in leaves_of(result, is_tensor).items() if is_tensor(leaf)}


def as_array(leaf: Any) -> Array | None:
    """The numbers of what is returned and no tensor; None for what holds none that can be compared."""
    if isinstance(leaf, (bool, int, float, complex, np.generic, np.ndarray)):
        array = np.asarray(leaf)
        return array if array.dtype.kind in "biufc" else None
    return None
