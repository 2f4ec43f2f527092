"""Runs an example's text: statements that end in an expression, in a namespace of given names."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray


@dataclass
class Outcome:
    """What one framework made of an example, as arrays.

    `values` in the order of the result, `gradients` by the name of the input or of torch's parameter.
    """

    values: list[NDArray[Any]] = field(default_factory=list)
    dtypes: list[str] = field(default_factory=list)
    gradients: dict[str, NDArray[Any]] = field(default_factory=dict)
    module: Any = None
    """The torch module, where one was built: it says into which layout gradients are turned."""


def run(text: str, names: Mapping[str, Any]) -> Any:
    """The value of the last expression of `text`. The text is the table's own, never a user's."""
    tree = ast.parse(text.strip())
    last = tree.body.pop()
    if not isinstance(last, ast.Expr):
        raise SyntaxError(f"an example ends in an expression: {text!r}")
    namespace = dict(names)
    exec(compile(tree, "<example>", "exec"), namespace)  # noqa: S102
    return eval(compile(ast.Expression(last.value), "<example>", "eval"), namespace)  # noqa: S307


def leaves(value: Any) -> list[Any]:
    """Tensors, arrays, images and numbers of a nested result, in order."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [leaf for key in sorted(value) for leaf in leaves(value[key])]
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def cotangent(index: int, shape: tuple[int, ...]) -> NDArray[Any]:
    """What a result is multiplied with before it is summed and differentiated: fixed, no two entries alike."""
    import numpy as np

    drawn: NDArray[Any] = np.random.default_rng(97 + index).uniform(0.5, 1.5, shape).astype("float32")
    return drawn.astype("float64")
