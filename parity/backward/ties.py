"""Weights that are one parameter on one side and several on the other: they agree until they are trained."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from parity.align.alignment import Alignment, Pair
from parity.align.weights import WeightPair
from parity.graph.node import Node
from parity.trace.trace import Trace
from parity.trace.values import Array


@dataclass(frozen=True)
class Tie:
    """One such weight. values: torch's numbers of it, whose gradients it explains; pair or node: where it is used."""

    one: str
    """The parameter of the side where it is one."""
    names: tuple[str, ...]
    """Those of the other side."""
    parameters: tuple[int, int]
    """How many parameters (Paddle's, torch's) hold it."""
    values: frozenset[int]
    pair: Pair | None = None
    node: Node | None = None
    uses: int = 0
    """How often Paddle uses it, where only that told of it; `names` are torch's parameters then."""


def find_ties(
    paddle: Trace,
    torch: Trace,
    alignment: Alignment,
    twins: Sequence[WeightPair],
    numbers: Mapping[str, Array],
) -> Iterator[Tie]:
    """Every weight that is tied on one side only; `numbers` are torch's parameters by name."""
    yield from _shared(twins)
    yield from _copied(paddle, torch, alignment, twins, numbers)


def _shared(twins: Sequence[WeightPair]) -> Iterator[Tie]:
    """Among the weights that correspond: the same numbers of one parameter, in two of the other side."""
    for side in ("Paddle", "torch"):
        shared: dict[str, list[WeightPair]] = defaultdict(list)
        for twin in twins:
            shared[(twin.paddle if side == "Paddle" else twin.torch).name].append(twin)
        for name, found in shared.items():
            there = {(t.torch if side == "Paddle" else t.paddle).name: t for t in found}
            places = [(t.paddle if side == "Paddle" else t.torch).positions for t in found]
            if len(there) < 2 or not np.intersect1d(places[0], places[-1]).size:
                continue
            names = tuple(there)
            yield Tie(
                name,
                names,
                (1, len(names)) if side == "Paddle" else (len(names), 1),
                frozenset(t.pair.torch.inputs[t.slot] for t in found),
                pair=there[names[-1]].pair,
            )


def _copied(
    paddle: Trace,
    torch: Trace,
    alignment: Alignment,
    twins: Sequence[WeightPair],
    numbers: Mapping[str, Array],
) -> Iterator[Tie]:
    """A weight without a counterpart that holds the numbers of one which Paddle uses in more places than torch."""
    known = {twin.name: twin for twin in twins}
    for name, parameter in torch.parameters.items():
        users = [node for node, _ in alignment.torch.consumers.get(parameter.value, [])]
        if not parameter.trainable or not users or name in known or name not in numbers:
            continue
        for twin in known.values():
            uses = _uses(paddle, twin.paddle.name), _uses(torch, twin.name)
            if (
                numbers[name].size < 2
                or uses[0] <= uses[1]
                or not np.array_equal(numbers[name], numbers[twin.name])
            ):
                continue
            yield Tie(
                twin.paddle.name,
                (twin.name, name),
                (1, 2),
                frozenset({parameter.value, twin.pair.torch.inputs[twin.slot]}),
                node=users[0],
                uses=uses[0],
            )
            break


def _uses(trace: Trace, name: str) -> int:
    """How many operators take this parameter."""
    value = trace.parameters[name].value
    return sum(value in op.inputs.values() for op in trace.ops)
