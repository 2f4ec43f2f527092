"""From two traces to an alignment, the one way: canonical graphs, what each layer holds, BatchNorms that are folded away
on one side, sums put together in another order, and at last which operator is which.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from parity.align.aligner import align
from parity.align.alignment import Alignment, Values
from parity.align.folding import Epsilons, fold
from parity.align.names import pair_names, pointwise
from parity.align.reassociate import reassociate
from parity.align.weights import note_contents
from parity.graph.build import build
from parity.graph.node import Graph
from parity.trace.trace import Trace
from parity.trace.values import Array

Weights = tuple[Mapping[str, Array], Mapping[str, Array]]
"""(Paddle's, torch's) parameters and buffers by name."""


@dataclass(frozen=True)
class Prepared:
    """Two runs in one form, ready to be aligned; never changed once it is made.

    graphs: (Paddle's, torch's). names: torch parameter -> Paddle parameter, as far as names tell. folded: Paddle's layers
    whose BatchNorm torch's weights hold, by their output, with its epsilon and that of the weights.
    """

    graphs: tuple[Graph, Graph]
    names: Mapping[str, str]
    folded: Mapping[int, Epsilons] = field(default_factory=dict)

    def align(self, apart: Collection[Values] = (), *, boldly: bool = False) -> Alignment:
        """Pair the operators, but not those of `apart`."""
        alignment = align(*self.graphs, self.names, apart, boldly=boldly)
        for pair in alignment.pairs:
            pair.folded = self.folded.get(pair.paddle.output)
        return alignment


def prepare(
    paddle: Trace, torch: Trace, weights: Weights, pairs: Mapping[str, str] | None = None
) -> Prepared:
    """Bring two runs into one form. `pairs`: torch parameter -> Paddle parameter, where the user says so."""
    names = pair_names(*weights, pairs)
    kernels = pointwise(names, *weights)
    graphs = build(paddle, kernels[0]), build(torch, kernels[1])
    for graph, arrays in zip(graphs, weights, strict=True):
        note_contents(graph, arrays)
    alignment = align(*graphs, names)
    folded = fold(alignment, *weights)
    if folded:
        graphs[0].index()
        alignment = align(*graphs, names)
    reassociate(alignment)
    return Prepared(graphs, names, folded)
