"""Layers: which torch module is which Paddle layer, parameter by parameter and argument by argument.

Conversion reads `parameters`, `generated` and `names`; the audit and the source porter read
`arguments` and `traps`. Layers of one family share a module.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from convert.rosetta.layers import (
    activation,
    attention,
    container,
    convolution,
    dropout,
    linear,
    normalization,
    padding,
    pooling,
    recurrent,
    vision,
)
from convert.rosetta.rows import CONCAT, Parameter, Row

_ROWS = (
    *convolution.ROWS,
    *linear.ROWS,
    *normalization.ROWS,
    *pooling.ROWS,
    *activation.ROWS,
    *dropout.ROWS,
    *padding.ROWS,
    *vision.ROWS,
    *recurrent.ROWS,
    *attention.ROWS,
    *container.ROWS,
)

LAYERS: Mapping[str, Row] = MappingProxyType({row.paddle_class: row for row in _ROWS})
"""Rows by Paddle's class name."""


def _by_torch() -> dict[str, tuple[Row, ...]]:
    table: dict[str, tuple[Row, ...]] = {}
    for row in (row for row in _ROWS if row.torch):
        table[row.torch_class] = (*table.get(row.torch_class, ()), row)
    return table


BY_TORCH: Mapping[str, tuple[Row, ...]] = MappingProxyType(_by_torch())
"""Rows by torch's class name; more than one Paddle layer may be the same torch module."""

BARE = "a bare parameter is copied as it is"


@lru_cache(maxsize=1 << 12)
def ways_to_fill(layer: str, role: str) -> tuple[tuple[Parameter, ...], ...]:
    """How `role` of the torch layer is made in Paddle: alternatives, each the parameters that fill it together.

    A plain copy when the table says nothing.
    """
    alternatives: list[tuple[Parameter, ...]] = []
    parts: list[Parameter] = []
    for row in BY_TORCH.get(layer, ()):
        for parameter in filter(None, (entry.of(role) for entry in row.parameters)):
            if CONCAT in parameter.transform:
                parts.append(parameter)
            else:
                alternatives.append((parameter,))
    if parts:
        alternatives.append(tuple(parts))
    return tuple(alternatives) or ((Parameter(role, role, why=BARE),),)


def chosen_way(ways: Sequence[tuple[Parameter, ...]], roles: Container[str]) -> tuple[Parameter, ...]:
    """The first of `ways` that a layer has in Paddle which holds `roles` in torch."""
    fitting = (way for way in ways if all(not entry.beside or entry.beside in roles for entry in way))
    return next(fitting, ways[0])


_BY_NAME = {name: row for row in _ROWS for name in row.names}


# The order in which Paddle's layers create parameters: what `w_0`, `b_0`, `w_1` and `w_2` are.
_CREATED = {"w_0": "weight", "b_0": "bias", "w_1": "_mean", "w_2": "_variance"}


def role_of_parameter_name(name: str) -> str | None:
    """What an automatic parameter name is in its layer: `batch_norm2d_0.w_1` -> `_mean`; None if unknown."""
    row = layer_of_parameter_name(name)
    role = _CREATED.get(name.rpartition(".")[2])
    if row is None or role is None:
        return None
    if row.paddle_class.startswith("InstanceNorm") and role == "weight":
        return "scale"
    return "_weight" if row.paddle_class == "PReLU" else role


def layer_of_parameter_name(name: str) -> Row | None:
    """The Paddle layer that an automatic parameter name belongs to: `linear_3.w_0` -> Linear.

    None when the name was chosen by the user or the layer is not in the table.
    """
    prefix, _, rest = name.partition(".")
    kind, _, number = prefix.rpartition("_")
    return _BY_NAME.get(kind) if rest and number.isdigit() else None
