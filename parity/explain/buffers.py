"""Buffers that a forward writes: one that moves on one side and stays on the other, or moves otherwise.

No output of this run shows it, but the next one does: a running mean that is updated in a copy, a codebook or a centre that the port
forgot to update. What a BatchNorm makes of a batch is judged in `statistics`; here it is asked only whether it was kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from parity.explain.claims import Claim, Claims, Doubt
from parity.explain.evidence import Evidence
from parity.explain.states import Same, became, corresponding
from parity.limits import FLOAT32_MOMENTUM, FORWARD_SHARE, SLIGHT, rounding_limit
from parity.numbers.compare import Difference, rounding
from parity.results.finding import Shows, Subject
from parity.results.seen import COUNTED, statistics_of
from parity.runs.run import Run
from parity.trace.trace import Framework, Trace
from parity.trace.values import Array


@dataclass(frozen=True)
class Written:
    """A buffer before and after a run. noise: how far float32 is from float64."""

    name: str
    before: Array
    after: Array
    noise: float = 0.0

    @property
    def changed(self) -> bool:
        return not np.array_equal(self.before, self.after, equal_nan=self.after.dtype.kind == "f")


def explain(evidence: Evidence, claims: Claims) -> Iterator[Claim]:
    """Buffers after a forward, one by one; of one that raised half-way nothing is said, as it is undone."""
    if evidence.torch.trace.raised:
        return
    paddle = _written(evidence.paddle, evidence.paddle_parameters)
    torch = _written(evidence.torch, evidence.torch_parameters)
    kept = statistics_of(evidence.paddle.trace), statistics_of(evidence.torch.trace)
    blamed = _blamed(evidence, claims)
    differs = any(claim.shows is Shows.OUTPUTS for claim in claims.faults)
    known = corresponding(
        {name: one.before for name, one in paddle.items()},
        {name: one.before for name, one in torch.items()},
        evidence.names,
        evidence.alignment,
    )
    lost = [] if differs else _unmatched(evidence, known, paddle, torch)
    left = _left(lost, known, paddle, torch)
    unbiased = _unbiased(evidence.torch.trace)
    said: set[str] = set()
    for same in (*known, *left):
        actual, expected = torch[same.torch], paddle[same.paddle]
        changed = expected.changed, actual.changed
        if same.paddle in blamed[0] or same.torch in {*blamed[1], *said} or not any(changed):
            continue
        # Other numbers may be what a fault further up makes of them, and those of two BatchNorms are judged elsewhere.
        of_norms = same.paddle in kept[0] and same.torch in kept[1]
        gap = same.gap(expected.after, actual.after)
        of_norm = same.paddle in kept[0] or same.torch in kept[1]
        right = _agree(evidence, expected, actual, gap, of_norm) or gap.max_rel <= unbiased.get(
            same.torch, 0.0
        )
        if all(changed) and (differs or of_norms or right):
            continue
        said.add(same.torch)
        yield Claim(
            Subject.STATISTIC,
            attribute=same.torch,
            values=changed,
            shows=Shows.STATISTICS,
            details=(same.paddle, gap),
        )
    if lost and not left:
        yield Claim(Doubt.STATE, attribute=lost[0], details=lost)


def _unmatched(
    evidence: Evidence, known: Sequence[Same], paddle: Mapping[str, Written], torch: Mapping[str, Written]
) -> list[str]:
    """Paddle's buffers that forward changes, and that no buffer or attribute of torch's becomes."""
    counts = {name: np.asarray(number) for name, number in evidence.torch.trace.counts.items()}
    now = {**{name: one.after for name, one in torch.items()}, **counts}
    matched = {same.paddle for same in known} | statistics_of(evidence.paddle.trace)
    return [
        name
        for name, one in paddle.items()
        if one.changed and name not in matched and next(became(one.after, now), None) is None
    ]


def _left(
    lost: Sequence[str], known: Sequence[Same], paddle: Mapping[str, Written], torch: Mapping[str, Written]
) -> list[Same]:
    """The one buffer of either side that is left, where it is one, and of one size."""
    taken = {same.torch for same in known}
    sizes = {paddle[name].after.size for name in lost}
    open_ = [n for n, one in torch.items() if n not in taken and COUNTED not in n and one.after.size in sizes]
    return [Same(open_[0], lost[0])] if len(lost) == len(open_) == 1 else []


def _written(run: Run, parameters: Mapping[str, Array]) -> dict[str, Written]:
    """Every buffer that the model knows; one that the run did not touch is after it what it was before."""
    found = {}
    for name, known in run.trace.parameters.items():
        if known.trainable or name not in parameters:
            continue
        before, key = parameters[name], f"after:{name}"
        after = run.store.get(key) if key in run.store else before
        noise = 0.0
        if run.store32 is not None and key in run.store32 and key in run.store:
            noise = rounding(run.store32.stored(key), run.store.stored(key))
        found[name] = Written(name, before.astype(after.dtype), after, noise)
    return found


def _unbiased(trace: Trace) -> dict[str, float]:
    """torch's running variances -> how far the unbiased variance of the batch takes them from Paddle's, at most."""
    values = {known.value: name for name, known in trace.parameters.items()}
    found = {}
    for op in trace.ops:
        if op.kind == "batch_norm" and op.attributes.get("training"):
            shape = trace.values[op.inputs["x"]].shape
            count = math.prod(shape) // shape[1]
            found[values.get(op.inputs.get("variance", -1), "")] = 1.01 / max(count - 1, 1)
    return found


def _blamed(evidence: Evidence, claims: Claims) -> tuple[set[str], set[str]]:
    """(Paddle's, torch's) buffers of operators of which something else is said."""
    found: tuple[set[str], set[str]] = (set(), set())
    sides: tuple[tuple[Framework, Run], ...] = (("paddle", evidence.paddle), ("torch", evidence.torch))
    for names, (side, run) in zip(found, sides, strict=True):
        values = {
            value for op in run.trace.ops if claims.of_segment(side, op.index) for value in op.inputs.values()
        }
        for claim in claims.faults:
            if claim.pair is not None:
                node = claim.pair.paddle if side == "paddle" else claim.pair.torch
                values.update(node.inputs.values())
        names |= {name for name, known in run.trace.parameters.items() if known.value in values}
    return found


def _agree(evidence: Evidence, expected: Written, actual: Written, gap: Difference, of_norm: bool) -> bool:
    """of_norm: Paddle's is updated by a BatchNorm, which keeps its momentum in float32."""
    # What is further apart is another number in a part that is written otherwise.
    gaps = (row.float64.max_rel for row in evidence.rows if row.float64 is not None)
    level = max((gap for gap in gaps if gap <= SLIGHT), default=0.0)
    within = max(rounding_limit(expected.noise, actual.noise), FORWARD_SHARE * level)
    within = max(within, FLOAT32_MOMENTUM) if of_norm else within
    return gap.max_rel <= within
