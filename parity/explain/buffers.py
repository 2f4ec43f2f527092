"""Buffers that a forward writes: one that moves on one side and stays on the other, or moves otherwise.

No output of this run shows it, but the next one does: a running mean that is updated in a copy, a codebook or a centre that the port
forgot to update. What a BatchNorm makes of a batch is judged in `statistics`; here it is asked only whether it was kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from parity.explain.claims import Claim, Claims
from parity.explain.evidence import Evidence
from parity.limits import FLOAT32_MOMENTUM, FORWARD_SHARE, rounding_limit
from parity.numbers.compare import difference, rounding
from parity.results.finding import Shows, Subject
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
    for ours, theirs in _counterparts(evidence, paddle, torch).items():
        actual, expected = torch[ours], paddle[theirs]
        if theirs in blamed[0] or ours in blamed[1] or not (actual.changed or expected.changed):
            continue
        both = actual.changed and expected.changed
        # Other numbers may be what a fault further up makes of them, and those of two BatchNorms are judged elsewhere.
        of_norms = theirs in kept[0] and ours in kept[1]
        if both and (differs or of_norms or _agree(evidence, expected, actual, theirs in kept[0])):
            continue
        yield Claim(
            Subject.STATISTIC,
            attribute=ours,
            values=(expected.changed, actual.changed),
            shows=Shows.STATISTICS,
            details=(theirs, difference(actual.after, expected.after)),
        )


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


def _counterparts(
    evidence: Evidence, paddle: Mapping[str, Written], torch: Mapping[str, Written]
) -> dict[str, str]:
    """torch's buffer -> Paddle's: by what aligned operators take, by name, or by numbers that no other buffer has."""
    graphs = evidence.alignment.torch.parameters, evidence.alignment.paddle.parameters
    taken = {
        graphs[0][ours]: graphs[1][theirs]
        for ours, theirs in evidence.alignment.same.items()
        if ours in graphs[0] and theirs in graphs[1]
    }
    found = {ours: theirs for ours, theirs in taken.items() if ours in torch and theirs in paddle}
    for ours, theirs in evidence.names.items():
        if ours in torch and theirs in paddle and ours not in found and theirs not in found.values():
            found[ours] = theirs
    left = [name for name in torch if name not in found]
    rest = [name for name in paddle if name not in found.values()]
    alike = {ours: [n for n in rest if _same(paddle[n].before, torch[ours].before)] for ours in left}
    for ours, names in alike.items():
        if len(names) == 1 and sum(names == others for others in alike.values()) == 1:
            found[ours] = names[0]
    return {
        ours: theirs for ours, theirs in found.items() if paddle[theirs].after.size == torch[ours].after.size
    }


def _same(expected: Array, actual: Array) -> bool:
    return expected.size == actual.size > 1 and np.array_equal(
        expected.reshape(-1), actual.reshape(-1), equal_nan=True
    )


def statistics_of(trace: Trace) -> set[str]:
    """The running statistics of BatchNorms, by name."""
    numbers = {
        op.inputs[slot]
        for op in trace.ops
        if op.kind == "batch_norm"
        for slot in ("mean", "variance")
        if slot in op.inputs
    }
    return {name for name, known in trace.parameters.items() if known.value in numbers}


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


def _agree(evidence: Evidence, expected: Written, actual: Written, of_norm: bool) -> bool:
    """of_norm: Paddle's is updated by a BatchNorm, which keeps its momentum in float32."""
    level = max((row.float64.max_rel for row in evidence.rows if row.float64 is not None), default=0.0)
    within = max(rounding_limit(expected.noise, actual.noise), FORWARD_SHARE * level)
    within = max(within, FLOAT32_MOMENTUM) if of_norm else within
    return difference(actual.after, expected.after).max_rel <= within
