"""Weights that are tied in torch: one tensor under several names, of which Paddle may list one, another, or all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from convert.layout import Slot
from convert.plan import Move

Moves = Mapping[str, Sequence[Move]]


def same_twice(slots: Iterable[Slot], moves: Moves) -> list[tuple[str, str]]:
    """Pairs of names of one tensor that different tensors fill, which must be the same then."""
    slots = list(slots)
    first = _first_filled(slots, moves)
    pairs = ((first[_tensor(slot)], slot.name) for slot in slots if slot.name in moves)
    return [pair for pair in pairs if _sources(moves[pair[0]]) != _sources(moves[pair[1]])]


def filled_by_another(slots: Iterable[Slot], moves: Moves) -> dict[str, list[Move]]:
    """What fills the names that have no tensor of their own, where another name of the same tensor has one."""
    slots = list(slots)
    first = _first_filled(slots, moves)
    found: dict[str, list[Move]] = {}
    for slot in slots:
        other = first.get(_tensor(slot))
        if slot.name not in moves and other is not None:
            why = f"the same tensor as {other} in torch (tied weights)"
            found[slot.name] = [
                replace(move, target=slot.name, why=why, found_by="tied") for move in moves[other]
            ]
    return found


def _first_filled(slots: Iterable[Slot], moves: Moves) -> dict[str, str]:
    """Of every tensor, the first of its names that is filled."""
    return {_tensor(slot): slot.name for slot in reversed(list(slots)) if slot.name in moves}


def _tensor(slot: Slot) -> str:
    return slot.tied or slot.name


def _sources(moves: Iterable[Move]) -> list[str]:
    return [move.source for move in moves]
