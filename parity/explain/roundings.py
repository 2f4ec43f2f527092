"""How far the numbers that a model writes down in float32 move its results, if they had been rounded otherwise.

Means and tables, a grid, a list of factors: one model keeps them as float32, the other as a number of the code, in another order, or made by
another kernel. Neither is wrong, and no operator is to blame. How much that makes is no guess: both models run again with each
of these numbers half a float32 step away.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from parity.capture.options import Nudge
from parity.explain.measured import Measured
from parity.runs.run import Nudged
from parity.trace.values import Array

SEEDS = (1, 2)


def moved(evidence: Measured, nudged: Nudged) -> dict[str, list[tuple[Array, Array]]]:
    """What the models return, by path, where the float32 numbers that only one of them has are rounded otherwise; {} if that moves nothing."""
    theirs, ours = evidence.paddle.trace.parameters, evidence.torch.trace.parameters
    shared = {
        name: evidence.names.get(name, name) for name in ours if evidence.names.get(name, name) in theirs
    }
    found: dict[str, list[tuple[Array, Array]]] = defaultdict(list)
    for seed in SEEDS:
        for path, results in nudged(Nudge(seed, frozenset((*shared, *shared.values())))).items():
            found[path].append(results)
    moves = any(
        not np.array_equal(wide.load(), other)
        for path, results in found.items()
        for pair in results
        for wide, other in zip(evidence.results(path), pair, strict=False)
        if wide is not None
    )
    return dict(found) if moves else {}
