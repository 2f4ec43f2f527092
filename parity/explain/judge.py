"""From two recorded runs to rows, findings and notes: what differs, where, and why.

The order of thought: pair the operators; compare every pair of values; audit every pair's configuration and
weights; and, only if some number differs, run torch once more with Paddle's numbers handed to every
operator, so that each one answers for itself alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parity.align.alignment import Values
from parity.align.pipeline import Prepared
from parity.explain.alternatives import best
from parity.explain.attention import AttentionRoles
from parity.explain.configuration import attribute_differences, slot_differences
from parity.explain.operators import Blame
from parity.explain.returned import Returned
from parity.explain.statistics import RunningStatistics
from parity.explain.unmeasured import Unseen
from parity.explain.weights import compare_parameters
from parity.explain.wiring import Wiring
from parity.results.finding import Note
from parity.results.judgement import Judgement, Row
from parity.runs.run import Measure, Replay, Run
from parity.trace.values import Array

__all__ = ["Judgement", "Row", "Run", "judge"]


def judge(
    paddle: Run,
    torch: Run,
    paddle_parameters: Mapping[str, Array],
    torch_parameters: Mapping[str, Array],
    prepared: Prepared,
    *,
    replay: Replay,
    numbers: Measure | None = None,
) -> Judgement:
    """Judge one case, whose two runs are `prepared`. `replay` runs torch once more, teacher-forced; it is called only if numbers differ.

    numbers: measures pairs of values where the runs do not hold them.
    """

    def tried(apart: frozenset[Values]) -> _Judge:
        alignment = prepared.align(apart)
        found = _Judge(paddle, torch, paddle_parameters, torch_parameters, alignment, replay, numbers)
        found.run()
        return found

    found = best(tried)
    found.result.apart = found.alignment.apart
    return found.result


class _Judge(Blame, Wiring, AttentionRoles, RunningStatistics, Unseen, Returned):
    """The kinds of questions, asked of the same evidence."""

    def run(self) -> Judgement:
        result, alignment = self.result, self.alignment
        for run in (self.paddle, self.torch):
            result.notes += [Note(text) for text in run.trace.notes]
            result.inconclusive += [text for text in run.trace.doubts if text not in result.inconclusive]
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
        self._returned()
        # Whoever asks why the outputs differ must not read first what does not show in them.
        result.findings.sort(key=lambda f: (f.silent, f.order))
        if not result.findings and not agree and not result.inconclusive:
            self._unexplained_outputs()
        if not result.findings:
            result.inconclusive += [f"`{path}`: {o.doubt}" for path, o in result.observed.items() if o.doubt]
        return result


def _by_pair(found: Any) -> dict[int, list[Any]]:
    grouped: dict[int, list[Any]] = {}
    for item in found:
        grouped.setdefault(id(item.pair), []).append(item)
    return grouped
