"""The shape of the Rosetta table's rows; the rows themselves are in `layers.py` and its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

COPY = "copy"
TRANSPOSE = "transpose"
RESHAPE = "reshape"
"""To the target's shape, same elements in the same order; a plan writes it as `reshape:3,4`."""


@dataclass(frozen=True)
class Parameter:
    """One parameter or buffer of a layer: Paddle's attribute, torch's, what to do and why."""

    paddle: str
    torch: str
    transform: str = COPY
    why: str = "same name, same layout"


@dataclass(frozen=True)
class Generated:
    """A torch buffer that Paddle has no counterpart of."""

    torch: str
    value: int
    dtype: str
    why: str


@dataclass(frozen=True)
class Dropped:
    """A Paddle entry that torch has no counterpart of."""

    paddle: str
    why: str


@dataclass(frozen=True)
class Argument:
    """One constructor argument.

    `torch=None` means that torch has no such argument. `paddle=None`, that Paddle has none.
    `values` maps Paddle's values to torch's where they differ, and `convert` names the function where a
    table cannot say it (`f32`: `float(numpy.float32(v))`; `1 - f32`; `not`; `is not False`).
    Defaults are written when they differ or when leaving the argument out is a trap.
    """

    paddle: str | None
    torch: str | None
    values: Mapping[Any, Any] = field(default_factory=dict)
    convert: str = ""
    paddle_default: Any = None
    torch_default: Any = None
    trap: str = ""


@dataclass(frozen=True)
class LayerRow:
    """One Paddle layer class and the torch module class that computes the same."""

    paddle: str
    torch: str
    parameters: tuple[Parameter, ...] = ()
    generated: tuple[Generated, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    arguments: tuple[Argument, ...] = ()
    traps: tuple[str, ...] = ()
    reason: str = ""
    """Why these two are the same layer, or how far they are not."""
    names: tuple[str, ...] = ()
    """How Paddle begins the automatic names of its parameters: `linear` in `linear_0.w_0`."""
