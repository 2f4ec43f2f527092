"""Which operators are taken apart into steps, and by what.

Each operator's formula is computed here on the numbers that came in. Only if that comes to the recorded result, its steps
count as operators of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from parity.explain.steps.inside import Inside, Step
from parity.explain.steps.norms import cross_entropy, normalized, softmax
from parity.explain.steps.recurrent import recurrent
from parity.ops.kinds import RECURRENT
from parity.runs.run import Run
from parity.trace.trace import Op
from parity.trace.values import Array

WRITTEN: Mapping[str, Callable[[Inside], bool]] = {
    **dict.fromkeys(RECURRENT, recurrent),
    **dict.fromkeys(("batch_norm", "layer_norm", "group_norm", "instance_norm"), normalized),
    **dict.fromkeys(("softmax", "log_softmax"), softmax),
    "cross_entropy": cross_entropy,
}
"""Kind of operator -> what writes its steps down, and tells whether they come to its result."""


def in_steps(run: Run, op: Op, array: Callable[[int], Array | None]) -> Iterator[Step]:
    """The steps of an operator, whose numbers are put into the run's values; none for one that does one thing.

    array: the numbers of a value.
    """
    writes = WRITTEN.get(op.kind)
    inside = Inside(run, op, array)
    with np.errstate(all="ignore"):
        whole = writes is not None and writes(inside)
    if whole:
        for value, numbers in inside.made.items():
            run.store.put(str(value), numbers)
        yield from inside.steps
