"""Parts must make the whole: every row of a target is filled once, every row of a source that is split is taken once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from convert.plan import Move
from convert.transform import filled, taken, whole


def unfilled_targets(moves: Mapping[str, Sequence[Move]]) -> Iterator[tuple[str, str]]:
    """Targets that their parts do not fill once, and what is wrong."""
    for target, parts in moves.items():
        rows = [filled(move.transform) for move in parts]
        if rows[0] is None or whole([row for row in rows if row], parts[0].shape[0]):
            continue
        held = ", ".join(f"{move.source} ({move.transform})" for move in parts)
        yield target, f"{target} {list(parts[0].shape)} is not filled once by {held}"


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
