"""What a BatchNorm keeps after a training forward: how often it is updated, with which mean and which variance.

Paddle accumulates the biased variance of a batch, torch the unbiased one. That is no fault, but everything else is: a
layer that one side runs once more, if only to throw the result away, keeps other statistics, and the
networks part when they are evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from parity.align.alignment import Pair
from parity.explain.claims import Claim, Claims, Remark
from parity.explain.evidence import Evidence
from parity.numbers.compare import difference
from parity.numbers.same import same
from parity.ops.table import float32
from parity.results.finding import Shows, Subject
from parity.results.judgement import Status
from parity.trace.trace import Op, Trace
from parity.trace.values import Array


def explain(evidence: Evidence, claims: Claims) -> Iterator[Claim]:
    """Running statistics after a training forward, layer by layer."""
    if evidence.paddle.trace.mode != "train":
        return
    sizes = []
    for name, pairs in _layers(evidence).items():
        yield from _momentum(evidence, claims, pairs)
        found = _updates(evidence, name, pairs)
        if found is not None:
            if not found.explained(claims):
                yield Claim(
                    Subject.STATISTIC,
                    pairs[0],
                    attribute="updates",
                    values=(len(found.paddle), len(found.torch)),
                    shows=Shows.STATISTICS,
                    details=found,
                )
            continue
        mean = _accumulated(evidence, claims, pairs, "mean", lambda x, axes: x.mean(axis=axes))
        if mean is not None and not mean.as_expected:
            yield _statistic(pairs, "mean", mean)
            continue
        # The remedy, `parity.remedies.torch_batch_norm`, accumulates what Paddle does.
        kind = evidence.torch.trace.modules.get(pairs[0].torch.module, {}).get("type", "")
        biased = kind.startswith("BiasedBatchNorm")
        variance = _accumulated(
            evidence, claims, pairs, "variance", _biased_variance if biased else _unbiased_variance
        )
        if variance is not None and not variance.as_expected:
            yield _statistic(pairs, "variance", variance)
        elif variance is not None and not biased:
            sizes.append(difference(variance.actual, variance.paddle).max_rel)
    if sizes:
        yield Claim(Remark.BIASED_VARIANCE, details=sizes)


def _momentum(evidence: Evidence, claims: Claims, pairs: list[Pair]) -> Iterator[Claim]:
    """Another momentum, which shows here whatever the layer is fed with."""
    for pair in pairs:
        known = any(c.pair is pair and c.attribute == "momentum" for c in claims.faults)
        for found in () if known else evidence.attributes.get(id(pair), ()):
            if found.attribute == "momentum":
                yield Claim(
                    Subject.ATTRIBUTE,
                    pair,
                    attribute="momentum",
                    values=(found.paddle, found.torch),
                    shows=Shows.STATISTICS,
                    details=found,
                )


def _statistic(pairs: list[Pair], name: str, found: Accumulated) -> Claim:
    return Claim(
        Subject.STATISTIC, pairs[0], attribute=name, shows=Shows.STATISTICS, details=(found, len(pairs))
    )


def _biased_variance(x: Array, axes: tuple[int, ...]) -> Array:
    return np.asarray(x.var(axis=axes))


def _unbiased_variance(x: Array, axes: tuple[int, ...]) -> Array:
    return np.asarray(x.var(axis=axes, ddof=1))


def _layers(evidence: Evidence) -> dict[str, list[Pair]]:
    """Paddle's running variance -> the uses of its layer in train mode, in order."""
    layers: dict[str, list[Pair]] = {}
    for pair in evidence.alignment.pairs:
        if pair.torch.kind == "batch_norm" and pair.torch.attributes.get("training"):
            name = evidence.alignment.paddle.parameters.get(pair.paddle.inputs.get("variance", -1))
            if name is not None:
                layers.setdefault(name, []).append(pair)
    return layers


@dataclass(frozen=True)
class Updates:
    """The runs of a layer that update its statistics; `extra`, those of torch's that are in no pair."""

    paddle: list[Op]
    torch: list[Op]
    extra: list[Op]

    def explained(self, claims: Claims) -> bool:
        """Whether a fault speaks of a run that only one side has."""
        return any(claims.of_segment("torch", op.index) for op in self.extra) or any(
            claims.of_segment("paddle", op.index) for op in self.paddle
        )


def _updates(evidence: Evidence, name: str, pairs: list[Pair]) -> Updates | None:
    """The runs that update a layer's statistics, if they are not equally many."""
    t_name = evidence.alignment.torch.parameters.get(pairs[0].torch.inputs.get("variance", -1), "")
    theirs, ours = updates(evidence.paddle.trace, name), updates(evidence.torch.trace, t_name)
    if len(theirs) == len(ours) or not ours:
        return None
    known = {raw for pair in pairs for raw in pair.torch.raw}
    return Updates(theirs, ours, [op for op in ours if op.index not in known])


def _accumulated(
    evidence: Evidence,
    claims: Claims,
    pairs: list[Pair],
    slot: str,
    statistic: Callable[[Array, tuple[int, ...]], Array],
) -> Accumulated | None:
    """A running statistic after the step beside what torch's own activations and Paddle's momentum make of it.

    `pairs` are the uses of the layer in this forward, in Paddle's order: a shared one is updated several times.
    None where something that is needed was not recorded, or where another finding speaks about it.
    """
    pair = pairs[0]
    names = [
        graph.parameters.get(node.inputs.get(slot, -1), "")
        for graph, node in ((evidence.alignment.paddle, pair.paddle), (evidence.alignment.torch, pair.torch))
    ]
    keys = f"after:{names[0]}", f"after:{names[1]}"
    momentum = pair.paddle.attributes["momentum"]
    if keys[0] not in evidence.paddle.store or keys[1] not in evidence.torch.store:
        return None
    if any(p.torch.attributes.get("momentum") != momentum for p in pairs):
        return None
    judged = (Status.SAME, Status.INHERITED, Status.WRITTEN)
    if any(claims.status(p, evidence.row(p).status) not in judged for p in pairs):
        return None
    momentum = float32(momentum)
    expected = evidence.paddle_parameters[names[0]].astype(np.float64)
    size = np.abs(expected)
    for use in pairs:
        stored = evidence.torch.value(use.torch.inputs["x"])
        if stored is None:
            return None
        # What is kept may be what a flatten or a squeeze of the tokens was given.
        x = stored.load().reshape(use.torch.shape("x"))
        axes = (0, *range(2, x.ndim))
        squares = (x**2).mean(axis=axes)
        summed = np.sqrt(squares) if slot == "mean" else squares
        expected = momentum * expected + (1 - momentum) * statistic(x, axes)
        size = momentum * size + (1 - momentum) * summed
    actual = evidence.torch.store.get(keys[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = float(np.nanmax(np.abs(actual - expected) / size))
    return Accumulated(names[1], actual, expected, size, evidence.paddle.store.get(keys[0]), gap)


@dataclass(frozen=True)
class Accumulated:
    """A running statistic after a step, channel by channel. size: of the activations that it was made of; gap: relative to it."""

    name: str
    actual: Array
    expected: Array
    size: Array
    paddle: Array
    gap: float

    @property
    def as_expected(self) -> bool:
        return same(self.actual, self.expected, size=self.size)


def updates(trace: Trace, variance: str) -> list[Op]:
    """The runs that update a running variance, those whose result nobody takes included."""
    parameter = trace.parameters.get(variance)
    return [
        op
        for op in trace.ops
        if op.kind == "batch_norm"
        and op.attributes.get("training")
        and parameter is not None
        and op.inputs.get("variance") == parameter.value
    ]
