"""The short form of an idiom's row."""

from __future__ import annotations

from convert.rosetta.rows import Exactness, Example, Kind, Row, Source, Trap
from convert.rosetta.tensors.common import Compare

LAYERS, MODULE = "nn/layer/layers.py: Layer", "nn/modules/module.py: Module"
NET = "n = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))\n"
SMALL = "float 2,3 constant"


def idiom(
    name: str,
    paddle: str,
    torch: str,
    reason: str,
    *traps: tuple[str, str],
    twin: str = "",
    remedy: str = "",
    exactness: Exactness | None = None,
    sources: tuple[str, str] = (LAYERS, MODULE),
    backward: bool = True,
    compare: Compare = "values",
    more: tuple[Example, ...] = (),
    modes: tuple[str, ...] = ("eval", "train"),
    **inputs: str,
) -> Row:
    """An idiom of one example; its traps are naive versions of that example's torch text."""
    first = Example(inputs, paddle, torch, backward=backward, compare=compare, modes=modes)
    return Row(
        Kind.IDIOM,
        name,
        twin,
        exactness or (Exactness.NONE if remedy else Exactness.BIT),
        remedy=remedy,
        traps=tuple(Trap(text, naive=naive) for text, naive in traps),
        examples=(first, *more),
        source=Source(*sources),
        reason=reason,
    )
