"""What a model keeps from one call to the next: which of torch's buffers is which of Paddle's, and how far apart they are after a run.

By name, by what aligned operators take, and by the numbers themselves before anything ran: a slow copy of a Linear is transposed in
torch, two queues may be one bank. Counts and pointers begin alike and as many of them do; these are known by what they become.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from parity.align.alignment import Alignment
from parity.numbers.compare import Difference, difference
from parity.numbers.scattered import Numbers
from parity.trace.values import Array


@dataclass(frozen=True)
class Same:
    """A buffer of torch's, or a part of it, that is one of Paddle's, or a part. at: flat positions in torch's and in Paddle's; None: all, in order."""

    torch: str
    paddle: str
    at: tuple[Array, Array] | None = None

    def both(self, paddle: Array, torch: Array) -> tuple[Array, Array]:
        """(expected, actual), in one layout."""
        if self.at is None:
            return paddle.reshape(torch.shape), torch
        return paddle.reshape(-1)[self.at[1]], torch.reshape(-1)[self.at[0]]

    def gap(self, paddle: Array, torch: Array) -> Difference:
        expected, actual = self.both(paddle, torch)
        return difference(actual, expected)


def corresponding(
    paddle: Mapping[str, Array],
    torch: Mapping[str, Array],
    names: Mapping[str, str],
    alignment: Alignment | None = None,
) -> list[Same]:
    """What corresponds, by the numbers before a run; names: torch's name -> Paddle's, as far as names tell."""
    known = {ours: theirs for ours, theirs in names.items() if ours in torch and theirs in paddle}
    if alignment is not None:
        known |= _taken(alignment, paddle, torch)
    floats = {name: array for name, array in paddle.items() if array.dtype.kind == "f" and array.size > 1}
    numbers = Numbers(floats)
    found = []
    for ours, array in torch.items():
        theirs = known.get(ours)
        in_order = theirs is not None and paddle[theirs].size == array.size
        parts = (
            []
            if theirs is not None and in_order and _same(paddle[theirs], array)
            else list(numbers.parts(array))
            if array.dtype.kind == "f" and array.size > 1
            else []
        )
        if parts:
            found += [Same(ours, name, (at, there)) for name, at, there in parts]
        elif theirs is not None and in_order:
            found.append(Same(ours, theirs))
    left = [name for name in torch if name not in {same.torch for same in found}]
    rest = [name for name in paddle if name not in {same.paddle for same in found}]
    alike = {
        ours: [n for n in rest if torch[ours].size > 1 and _same(paddle[n], torch[ours])] for ours in left
    }
    for ours, candidates in alike.items():
        if len(candidates) == 1 and sum(candidates == others for others in alike.values()) == 1:
            found.append(Same(ours, candidates[0]))
    return found


def _taken(alignment: Alignment, paddle: Mapping[str, Array], torch: Mapping[str, Array]) -> dict[str, str]:
    """What aligned operators take in one place."""
    theirs, ours = alignment.paddle.parameters, alignment.torch.parameters
    return {
        ours[a]: theirs[b]
        for a, b in alignment.same.items()
        if a in ours and b in theirs and ours[a] in torch and theirs[b] in paddle
    }


def _same(expected: Array, actual: Array) -> bool:
    return expected.size == actual.size and np.array_equal(
        expected.reshape(-1), actual.reshape(-1), equal_nan=expected.dtype.kind == actual.dtype.kind == "f"
    )


def became(expected: Array, others: Mapping[str, Array]) -> Iterator[str]:
    """Which of torch's buffers hold, after a run, what one of Paddle's holds then: all of its numbers, whatever else is there."""
    wanted = np.sort(expected.reshape(-1).astype(np.float64))
    near = 1e-9 * np.abs(wanted).max(initial=0.0)
    for name, array in others.items():
        if array.size < wanted.size or (wanted.size == 1 and array.size > 1):
            continue
        held = np.sort(array.reshape(-1).astype(np.float64))
        at = (
            np.clip(np.searchsorted(held, wanted), 1, max(held.size - 1, 1))
            if held.size > 1
            else np.zeros(wanted.size, int)
        )
        nearest = np.minimum(np.abs(held[at] - wanted), np.abs(held[np.maximum(at - 1, 0)] - wanted))
        if bool((nearest <= near).all()):
            yield name
