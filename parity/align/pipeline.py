"""From two traces to an alignment."""

from __future__ import annotations

from collections.abc import Mapping

from parity.align.aligner import align
from parity.align.alignment import Alignment, Values
from parity.align.folding import fold
from parity.align.names import pair_names, pointwise
from parity.align.reassociate import reassociate
from parity.align.weights import note_contents
from parity.graph.build import build
from parity.trace.trace import Trace
from parity.trace.values import Array


def aligned(
    paddle: Trace,
    torch: Trace,
    paddle_parameters: Mapping[str, Array],
    torch_parameters: Mapping[str, Array],
    pairs: Mapping[str, str] | None = None,
) -> Alignment:
    """Pair the operators of two runs, as `judge` does before it looks at any number."""
    return Pairing(paddle, torch, paddle_parameters, torch_parameters, pairs).align()


class Pairing:
    """Two runs in canonical form, with what BatchNorms were folded into and what was added in another order."""

    def __init__(
        self,
        paddle: Trace,
        torch: Trace,
        paddle_parameters: Mapping[str, Array],
        torch_parameters: Mapping[str, Array],
        pairs: Mapping[str, str] | None,
    ) -> None:
        self._names = pair_names(paddle_parameters, torch_parameters, pairs)
        kernels = pointwise(self._names, paddle_parameters, torch_parameters)
        self._graphs = build(paddle, kernels[0]), build(torch, kernels[1])
        for graph, arrays in zip(self._graphs, (paddle_parameters, torch_parameters), strict=True):
            note_contents(graph, arrays)
        alignment = align(*self._graphs, self._names)
        self._folded = {id(layer) for layer in fold(alignment, paddle_parameters, torch_parameters)}
        if self._folded:
            self._graphs[0].index()
            alignment = align(*self._graphs, self._names)
        reassociate(alignment)

    def align(self, apart: frozenset[Values] = frozenset()) -> Alignment:
        """Pair the operators, but not those of `apart`."""
        alignment = align(*self._graphs, self._names, apart)
        for pair in alignment.pairs:
            pair.folded = id(pair.paddle) in self._folded
        return alignment
