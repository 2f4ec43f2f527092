"""Parameters that are cut up and laid out in any way: where each of their numbers stands in Paddle's parameters, told by the number itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np

from parity.trace.values import Array

MOST = 2**24
"""So many numbers are looked through at most: sorting them takes seconds and some hundred megabytes."""

SEVERAL = 0.25
"""The largest part of a parameter's numbers that may occur more than once, so that only their neighbours tell where they stand.

Chosen: of a million float32 numbers that were drawn, one in twenty occurs again.
"""

NEIGHBOURS = ((-1, -2), (1, 2))
"""Two numbers in a row on either side: where they stand says where the next one does."""


class Numbers:
    """All numbers of Paddle's parameters, to look up where one stands; of the first of them, where those are too many."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        known = {name: array for name, array in arrays.items() if array.size}
        ends = np.cumsum([array.size for array in known.values()])
        self._names = list(known)[: np.searchsorted(ends, MOST, side="right")]
        flat = [known[name].reshape(-1) for name in self._names]
        numbers = np.concatenate(flat) if flat else np.zeros(0)
        self._starts = np.array([0, *ends])
        self._order = np.argsort(numbers, kind="stable")
        self._sorted = numbers[self._order]

    def parts(self, own: Array) -> Iterator[tuple[str, Array, Array]]:
        """(name, positions in `own`, positions in the parameter of that name), flat; none unless each number of `own` has one place."""
        places = self._places(own.reshape(-1))
        if places is None:
            return
        owners = np.searchsorted(self._starts, places, side="right") - 1
        for owner in np.unique(owners):
            ours = np.flatnonzero(owners == owner)
            yield self._names[owner], ours, places[ours] - self._starts[owner]

    def _places(self, own: Array) -> Array | None:
        if not own.size or not self._order.size or (own.size == 1 and own[0] in (0.0, 1.0)):
            # A single number says something only if nobody starts from it.
            return None
        first, behind = (np.searchsorted(self._sorted, own, side=side) for side in ("left", "right"))
        if (first == behind).any():
            return None
        open_ = np.flatnonzero(behind - first > 1)
        if open_.size > SEVERAL * own.size:
            return None
        places = self._order[np.minimum(first, self._order.size - 1)]
        places[open_] = -1
        candidates = {int(at): set(self._order[first[at] : behind[at]].tolist()) for at in open_}
        while candidates:
            found = _next_to_known(places, candidates) or _left_over(own, places, candidates)
            if not found:
                return None
            for at, place in found.items():
                places[at] = place
                del candidates[at]
        return places if np.unique(places).size == places.size else None


def _next_to_known(places: Array, candidates: Mapping[int, set[int]]) -> dict[int, int]:
    """Those that stand where two neighbours lead."""
    found = {}
    for at, possible in candidates.items():
        led = {
            int(2 * places[at + one] - places[at + two])
            for one, two in NEIGHBOURS
            if 0 <= at + two < places.size and places[at + one] >= 0 <= places[at + two]
        }
        if len(led & possible) == 1:
            (found[at],) = led & possible
    return found


def _left_over(own: Array, places: Array, candidates: Mapping[int, set[int]]) -> dict[int, int]:
    """Those for which one place is left, because the numbers equal to them have theirs."""
    taken = set(places[places >= 0].tolist())
    alike = defaultdict(list)
    for at in candidates:
        alike[float(own[at])].append(at)
    free = {ats[0]: candidates[ats[0]] - taken for ats in alike.values() if len(ats) == 1}
    return {at: possible.pop() for at, possible in free.items() if len(possible) == 1}
