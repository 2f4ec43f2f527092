"""What is configured otherwise in one case: arguments, slots and weights of pairs, and inputs that stand for each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeVar

from parity.align.alignment import Alignment, Pair
from parity.explain.configuration import (
    AttributeDifference,
    SlotDifference,
    attribute_differences,
    slot_differences,
)
from parity.explain.weights import ParameterDifference, compare_parameters
from parity.runs.run import Run
from parity.trace.values import Array

LONGEST_CIRCLE = 4
"""Of how many values that stand in each other's place at most."""


@dataclass(eq=False, repr=False)
class Configured:
    """Two runs that are aligned, and what differs between their operators before any number is looked at."""

    paddle: Run
    torch: Run
    paddle_parameters: Mapping[str, Array]
    torch_parameters: Mapping[str, Array]
    alignment: Alignment

    @cached_property
    def attributes(self) -> Mapping[int, tuple[AttributeDifference, ...]]:
        """Pair, by identity -> attributes that differ."""
        return _by_pair(attribute_differences(self.alignment))

    @cached_property
    def slots(self) -> Mapping[int, tuple[SlotDifference, ...]]:
        return _by_pair(slot_differences(self.alignment))

    @cached_property
    def weights(self) -> Mapping[int, tuple[ParameterDifference, ...]]:
        return _by_pair(compare_parameters(self.alignment, self.paddle_parameters, self.torch_parameters))

    @cached_property
    def configured_otherwise(self) -> frozenset[int]:
        """torch's operators that make up a pair with another attribute, weight or set of inputs."""
        kinds: tuple[Mapping[int, object], ...] = (self.attributes, self.slots, self.weights)
        return frozenset(
            raw
            for pair in self.alignment.pairs
            if any(id(pair) in found for found in kinds)
            for raw in pair.torch.raw
        )

    @cached_property
    def exchanged(self) -> Mapping[tuple[int, int], frozenset[int]]:
        """(value that torch takes, value that Paddle takes) -> all that are taken for each other, two or more in a circle."""
        same = self.alignment.same
        taken = {
            (same[edge.torch_value], edge.paddle_value)
            for edge in (*self.alignment.edges, *self.alignment.output_edges.values())
            if edge.torch_value in same and not edge.only_paddle and not edge.only_torch
        }
        return {pair: circle for pair in taken if (circle := _circle(taken, pair))}


def _circle(taken: set[tuple[int, int]], pair: tuple[int, int]) -> frozenset[int]:
    """The values from the one that is taken, by what is taken for it and so on, to the one that it is taken for."""
    ways = [[pair[0]]]
    for _ in range(LONGEST_CIRCLE - 1):
        ways = [
            [*way, ours] for way in ways for ours, theirs in taken if theirs == way[-1] and ours not in way
        ]
        closed = next((way for way in ways if way[-1] == pair[1]), None)
        if closed is not None:
            return frozenset(closed)
    return frozenset()


class _OfPair(Protocol):
    @property
    def pair(self) -> Pair: ...


Found = TypeVar("Found", bound=_OfPair)


def _by_pair(found: Iterable[Found]) -> dict[int, tuple[Found, ...]]:
    grouped: dict[int, tuple[Found, ...]] = {}
    for item in found:
        grouped[id(item.pair)] = (*grouped.get(id(item.pair), ()), item)
    return grouped
