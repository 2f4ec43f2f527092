"""Which torch parameter is which Paddle parameter, as far as names tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from convert.rosetta.layers import LAYERS
from parity.trace.values import Array

RENAMES: Mapping[str, str] = {
    p.paddle: p.torch
    for row in LAYERS.values()
    for p in row.parameters
    if p.paddle != p.torch and "." not in p.paddle
}
"""Last part of a Paddle parameter's name -> torch's, where they differ (from the Rosetta table)."""


def pair_names(
    paddle: Iterable[str], torch: Iterable[str], given: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Torch parameter name -> Paddle parameter name, as far as names tell.

    `given` (torch -> Paddle) comes first; the rest are equal after the Rosetta table's renames.
    """
    paddle_names = set(paddle)
    renamed = {_renamed(name): name for name in paddle_names}
    pairs: dict[str, str] = {}
    for name in torch:
        if given and name in given:
            pairs[name] = given[name]
        elif name in renamed:
            pairs[name] = renamed[name]
        elif name in paddle_names:
            pairs[name] = name
    return pairs


def _renamed(name: str) -> str:
    head, _, last = name.rpartition(".")
    new = RENAMES.get(last, last)
    return f"{head}.{new}" if head else new


def pointwise(
    names: Mapping[str, str], paddle: Mapping[str, Array], torch: Mapping[str, Array]
) -> tuple[set[str], set[str]]:
    """(Paddle's, torch's) kernels that are a Linear's matrix on the other side."""
    found: tuple[set[str], set[str]] = (set(), set())
    for torch_name, paddle_name in names.items():
        ranks = paddle[paddle_name].ndim, torch[torch_name].ndim
        if ranks[0] > ranks[1] == 2:
            found[0].add(paddle_name)
        elif ranks[1] > ranks[0] == 2:
            found[1].add(torch_name)
    return found
