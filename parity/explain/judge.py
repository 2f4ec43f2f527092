"""From two recorded runs to rows, findings and notes: what differs, where, and why.

The order of thought: pair the operators; compare every pair of values; audit every pair's configuration and
weights; and, only if some number differs, run torch once more with Paddle's numbers handed to every
operator, so that each one answers for itself alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parity.align import Alignment, Values, align
from parity.association import reassociate
from parity.attention import AttentionRoles
from parity.audit import attribute_differences, slot_differences
from parity.blame import Blame
from parity.doubt import best
from parity.folding import fold
from parity.graph import build
from parity.judgement import Judgement, Measure, Replay, Row, Run
from parity.parameters import compare_parameters, note_contents, pair_names, pointwise
from parity.running_statistics import RunningStatistics
from parity.store import Array
from parity.trace import Trace
from parity.unseen import Unseen
from parity.wiring import Wiring

__all__ = ["Judgement", "Row", "Run", "judge"]


def judge(
    paddle: Run,
    torch: Run,
    paddle_parameters: Mapping[str, Array],
    torch_parameters: Mapping[str, Array],
    *,
    replay: Replay,
    pairs: Mapping[str, str] | None = None,
    numbers: Measure | None = None,
) -> Judgement:
    """Judge one case. `replay` runs torch once more, teacher-forced; it is called only if numbers differ.

    numbers: measures pairs of values where the runs do not hold them.
    """
    pairing = _Pairing(paddle.trace, torch.trace, paddle_parameters, torch_parameters, pairs)

    def tried(apart: frozenset[Values]) -> _Judge:
        alignment = pairing.align(apart)
        found = _Judge(paddle, torch, paddle_parameters, torch_parameters, alignment, replay, numbers)
        found.run()
        return found

    found = best(tried)
    found.result.apart = found.alignment.apart
    return found.result


def aligned(
    paddle: Trace,
    torch: Trace,
    paddle_parameters: Mapping[str, Array],
    torch_parameters: Mapping[str, Array],
    pairs: Mapping[str, str] | None = None,
) -> Alignment:
    """Pair the operators of two runs, as `judge` does before it looks at any number."""
    return _Pairing(paddle, torch, paddle_parameters, torch_parameters, pairs).align()


class _Pairing:
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


class _Judge(Blame, Wiring, AttentionRoles, RunningStatistics, Unseen):
    """The kinds of questions, asked of the same evidence."""

    def run(self) -> Judgement:
        result, alignment = self.result, self.alignment
        self._unknown_values()
        agree = self.measure()
        attributes = _by_pair(attribute_differences(alignment))
        slots = _by_pair(slot_differences(alignment))
        weights = _by_pair(compare_parameters(alignment, self.paddle_parameters, self.torch_parameters))
        self.at_fault = {
            raw
            for pair in alignment.pairs
            if any(id(pair) in found for found in (attributes, slots, weights))
            for raw in pair.torch.raw
        }
        self._attention_roles()
        for pair in alignment.pairs:
            self._judge_pair(
                pair, attributes.get(id(pair), []), slots.get(id(pair), []), weights.get(id(pair), []), agree
            )
        self._edges(agree)
        self._silent()
        self._registration()
        self._batch_statistics()
        self._missing_outputs()
        # Whoever asks why the outputs differ must not read first what does not show in them.
        result.findings.sort(key=lambda f: (f.silent, f.order))
        if not result.findings and not agree and not result.inconclusive:
            self._amplified()
        return result


def _by_pair(found: Any) -> dict[int, list[Any]]:
    grouped: dict[int, list[Any]] = {}
    for item in found:
        grouped.setdefault(id(item.pair), []).append(item)
    return grouped
