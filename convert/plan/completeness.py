"""Parts must make the whole: every row of a target is filled once, every row of a source that is split is taken once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from convert.models.layout import Slot
from convert.plan.plan import Move
from convert.plan.transform import filled, taken, whole


def unfilled_targets(moves: Mapping[str, Sequence[Move]]) -> Iterator[tuple[str, str]]:
    """Targets that their parts do not fill once, and what is wrong."""
    for target, parts in moves.items():
        rows = [filled(move.transform) for move in parts]
        if rows[0] is None or whole([row for row in rows if row], parts[0].shape[0]):
            continue
        held = ", ".join(f"{move.source} ({move.transform})" for move in parts)
        yield target, f"{target} {list(parts[0].shape)} is not filled once by {held}"


def missing_rows(parts: Sequence[Move]) -> list[tuple[int, int]]:
    """The rows of a target that its parts leave open; none where two of them overlap."""
    found, at = [], 0
    for start, stop in sorted(rows for move in parts if (rows := filled(move.transform)) is not None):
        if start < at:
            return []
        if start > at:
            found.append((at, start))
        at = stop
    return [*found, (at, parts[0].shape[0])] if at < parts[0].shape[0] else found


def unfinished_sources(moves: Mapping[str, Sequence[Move]]) -> Iterator[tuple[str, str]]:
    """Sources that are split and of which not every row is taken once, and what is wrong."""
    split: dict[str, list[tuple[Move, tuple[int, int], int]]] = {}
    for move in (move for parts in moves.values() for move in parts):
        part = taken(move.source_shape, move.transform)
        if part is not None:
            split.setdefault(move.source, []).append((move, *part))
    for source, parts in split.items():
        if not whole([rows for _, rows, _ in parts], parts[0][2]):
            held = ", ".join(f"{move.target} ({move.transform})" for move, _, _ in parts)
            yield source, f"the rules do not take every row of {source} once: {held}"


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
