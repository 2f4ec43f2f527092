"""Weights that no operator of this run reads on either side: another mode, method or option of the model may."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from parity.explain.claims import Claim, Claims
from parity.explain.evidence import Evidence
from parity.results.finding import Shows, Subject
from parity.trace.trace import Trace
from parity.trace.values import Array


@dataclass(frozen=True)
class Unread:
    """A parameter of torch's that does not hold what Paddle's does. turned: whether Paddle keeps it the other way round."""

    torch: str
    paddle: str
    turned: bool


def explain(evidence: Evidence, claims: Claims) -> Iterator[Claim]:
    """Parameters and buffers of one name that hold other numbers; beside another fault they hide nothing, and are not told."""
    if claims.faults:
        return
    paddle, torch = (set(_unread(run.trace)) for run in (evidence.paddle, evidence.torch))
    for ours in sorted(torch):
        theirs = evidence.names.get(ours, ours)
        expected, actual = evidence.paddle_parameters.get(theirs), evidence.torch_parameters.get(ours)
        if theirs not in paddle or expected is None or actual is None or expected.size != actual.size:
            continue
        turned = _linear(evidence, ours, theirs)
        if not _holds(actual, expected, turned):
            yield Claim(
                Subject.WEIGHT, attribute=ours, shows=Shows.WEIGHTS, details=Unread(ours, theirs, turned)
            )


def _unread(trace: Trace) -> Iterator[str]:
    read = {value for op in trace.ops for value in op.inputs.values()}
    read.update(trace.asked, (value for value in trace.outputs.values() if value is not None))
    for name, parameter in trace.parameters.items():
        if parameter.registered and parameter.value not in read:
            yield name


def _linear(evidence: Evidence, ours: str, theirs: str) -> bool:
    """Whether it is the weight of a layer whose weight Paddle keeps as [in, out] and torch as [out, in]."""
    layers = (evidence.torch.trace, ours, "torch.nn"), (evidence.paddle.trace, theirs, "paddle.nn")
    facts = [(trace.modules.get(name.rpartition(".")[0], {}), package) for trace, name, package in layers]
    return ours.endswith("weight") and all(
        found.get("type") == "Linear" and found.get("from") == package for found, package in facts
    )


def _holds(actual: Array, expected: Array, turned: bool) -> bool:
    if expected.ndim != 2 or actual.ndim != 2:
        return np.array_equal(actual.reshape(-1), expected.reshape(-1))
    return np.array_equal(actual, expected.T) or (not turned and np.array_equal(actual, expected))
