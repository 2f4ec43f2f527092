"""What Paddle's recurrent layers hold that torch's do not: every weight under a second name, and biases that are switched off.

The cells' names (`0.cell.weight_ih`) are the ones to go by.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

from convert.rosetta.rows import Parameter

LAYERS = frozenset({"LSTM", "GRU", "RNN"})
CELLS = frozenset(f"{name}Cell" for name in LAYERS)
WHY_ZERO = "a bias that is switched off: Paddle's cell keeps it, as zeros"
_WEIGHTS, _BIASES = ("weight_ih", "weight_hh"), ("bias_ih", "bias_hh")
_FIRST = re.compile(r"weight_ih_l(\d+)(_reverse)?")


def second_names(
    layer: str, way: tuple[Parameter, ...], roles: Collection[str], lists: Callable[[str], bool]
) -> tuple[Parameter, ...]:
    """`way` to fill a slot of a torch `layer` that holds `roles`, with the second names that Paddle lists.

    Paddle hands the names of all cells, in one row, to the parameters of all cells, in one row (rnn.py: RNNBase). The row of names
    knows no projection and no bias that is switched off, while every cell has its biases: behind either, each name is that of
    another cell's parameter. `lists` says whether Paddle's layer has a name.
    """
    if layer not in LAYERS:
        return way
    cells = list(_cells(roles))
    listed = [bias for bias in _BIASES if f"{bias}_l0" in roles and lists(f"{bias}_l0")]
    held = (*_WEIGHTS, *_BIASES, *(["weight_ho"] if "weight_hr_l0" in roles else []))
    parameters = [f"{path}.{role}" for path, _ in cells for role in held]
    names = [f"{role}_{suffix}" for _, suffix in cells for role in (*_WEIGHTS, *listed)]
    second = dict(zip(parameters, names, strict=False))
    return tuple(replace(parameter, also=second.get(parameter.paddle, "")) for parameter in way)


def switched_off(layer: str, roles: Collection[str]) -> Mapping[str, str]:
    """Paddle's biases of a torch `layer` that has none, and the role of the weight that has as many rows."""
    if layer in CELLS and "bias_ih" not in roles:
        return dict.fromkeys(_BIASES, "weight_ih")
    if layer in LAYERS and "bias_ih_l0" not in roles:
        return {f"{path}.{bias}": f"weight_ih_{suffix}" for path, suffix in _cells(roles) for bias in _BIASES}
    return {}


def _cells(roles: Collection[str]) -> Iterator[tuple[str, str]]:
    """Paddle's path of every cell, and torch's suffix, in Paddle's order."""
    found = sorted((int(m[1]), m[2] or "") for m in map(_FIRST.fullmatch, roles) if m)
    both = any(reverse for _, reverse in found)
    for number, reverse in found:
        cell = "cell_bw" if reverse else "cell_fw" if both else "cell"
        yield f"{number}.{cell}", f"l{number}{reverse}"
