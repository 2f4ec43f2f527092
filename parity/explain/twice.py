"""Layers that Paddle runs twice and torch once, for both batches together: two views of an image, two images that are compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from parity.runs.run import Run
from parity.trace.trace import Op, Trace
from parity.trace.values import Array


def runs_at_once(paddle: Trace, torch: Trace) -> bool:
    """Whether Paddle runs most of its layers twice, and torch does not."""
    theirs, ours = (list(_runs(trace).values()) for trace in (paddle, torch))
    return 2 * theirs.count(2) > len(theirs) and 2 * ours.count(2) < len(ours)


def _runs(trace: Trace) -> Counter[int]:
    trained = {parameter.value for parameter in trace.parameters.values() if parameter.trainable}
    return Counter(value for op in trace.ops for value in trained.intersection(op.inputs.values()))


def together(run: Run, ops: Sequence[Op], array: Callable[[int], Array | None]) -> Iterator[Op]:
    """Operators that do at once what two runs of a line do, one batch behind the other; what they make is put into the run's values.

    array: the numbers of a value.
    """
    runs: dict[tuple[str, str, str, str], list[Op]] = {}
    for op in ops:
        runs.setdefault((op.line, op.name, op.module, repr(op.attributes)), []).append(op)
    made: dict[tuple[int, int], int] = {}

    def joined(one: int, other: int) -> int:
        first, second = array(one), array(other)
        if one == other or first is None or second is None or first.shape[1:] != second.shape[1:]:
            return one
        if not first.ndim:
            return one
        if (one, other) not in made:
            # Below all numbers of values of its own.
            made[one, other] = -1 - len(run.store.index)
            run.store.put(str(made[one, other]), np.concatenate([first, second]))
        return made[one, other]

    for pair in runs.values():
        if len(pair) == 2 and len(pair[0].outputs) == len(pair[1].outputs):
            first, second = pair
            inputs = {
                slot: joined(value, second.inputs.get(slot, value)) for slot, value in first.inputs.items()
            }
            outputs = tuple(map(joined, first.outputs, second.outputs))
            if not set(outputs) & set(first.outputs):
                yield replace(second, inputs=inputs, outputs=outputs)
