"""The inputs of an example, from its one-line descriptions (`float 2,3`; the list is in `convert.rosetta.rows`)."""

from __future__ import annotations

import ast
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.errors import ParityError

Draw = Callable[[np.random.Generator, tuple[int, ...]], NDArray[Any]]

KINDS: dict[str, Draw] = {
    "float": lambda random, shape: random.standard_normal(shape),
    "positive": lambda random, shape: random.uniform(0.1, 1.9, shape),
    "unit": lambda random, shape: random.uniform(-1, 1, shape),
    "probability": lambda random, shape: random.uniform(0.05, 0.95, shape),
    "distinct": lambda random, shape: (
        (random.permutation(math.prod(shape)).reshape(shape) - math.prod(shape) / 2) / 8.0 + 0.0625
    ),
    "zeros": lambda random, shape: np.zeros(shape),
    "ones": lambda random, shape: np.ones(shape),
    "empty": lambda random, shape: np.zeros(shape),
    "parameters": lambda random, shape: random.standard_normal(shape),
    "bool": lambda random, shape: random.random(shape) < 0.5,
    "pixels": lambda random, shape: random.integers(0, 256, shape, dtype=np.uint8),
    "image": lambda random, shape: random.integers(0, 256, (*shape, 3), dtype=np.uint8),
}


@dataclass(frozen=True)
class Input:
    """One input: its numbers (float64 where floating) and what the frameworks make of it."""

    kind: str
    values: NDArray[Any]
    gradient: bool

    @property
    def is_tensor(self) -> bool:
        return self.kind not in ("image", "pixels")


def make(name: str, description: str) -> Input:
    """The input `name` of an example; the same numbers on every machine.

    Floats are rounded to float32 first, so that both precisions see one problem.
    """
    if description.startswith("="):
        try:
            literal = eval(description[1:], {"__builtins__": {}}, {"nan": math.nan, "inf": math.inf})  # noqa: S307
        except Exception as error:
            raise ParityError(f"cannot read the input {name!r}: {description!r} ({error})") from error
        values = np.asarray(literal)
        return Input("literal", values, values.dtype.kind == "f")
    head, _, rest = description.partition(" ")
    size, _, flag = rest.partition(" ")
    shape = tuple(ast.literal_eval(f"({size},)")) if size else ()
    random = np.random.default_rng(zlib.crc32(name.encode()))
    if head.startswith("int<"):
        return Input("int", random.integers(0, int(head[4:]), shape), False)
    if head not in KINDS or flag not in ("", "constant"):
        raise ParityError(
            f"cannot read the input {name!r}: {description!r} is none of {', '.join(KINDS)}, int<N, = NUMBERS"
        )
    values = KINDS[head](random, shape)
    if values.dtype.kind == "f":
        values = values.astype("float32").astype("float64")
    differentiable = values.dtype.kind == "f" and head not in ("empty", "parameters")
    return Input(head, values, differentiable and not flag)
