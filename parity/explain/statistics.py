"""What a BatchNorm keeps after a training forward: how often it is updated, with which mean and which variance.

Paddle accumulates the biased variance of a batch, torch the unbiased one. That is no fault, but everything else is: a
layer that one side runs once more, if only to throw the result away, keeps other statistics, and the
networks part when they are evaluated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from parity.align.alignment import Pair
from parity.explain.evidence import Evidence
from parity.numbers.compare import difference
from parity.numbers.same import same
from parity.ops.table import float32
from parity.results.finding import Note, Shows, Subject
from parity.results.judgement import Status
from parity.trace.trace import Op, Trace
from parity.trace.values import Array


class RunningStatistics(Evidence):
    """Findings and notes about the statistics that BatchNorms accumulate."""

    def _batch_statistics(self) -> None:
        """Running statistics after a training forward, layer by layer."""
        if self.paddle.trace.mode != "train":
            return
        layers: dict[str, list[Pair]] = {}
        for pair in self.alignment.pairs:
            if pair.torch.kind == "batch_norm" and pair.torch.attributes.get("training"):
                name = self.alignment.paddle.parameters.get(pair.paddle.inputs.get("variance", -1))
                if name is not None:
                    layers.setdefault(name, []).append(pair)
        sizes = []
        for name, pairs in layers.items():
            if self._updated_otherwise(name, pairs) or self._mean_after(pairs):
                continue
            gap = self._variance_after(pairs)
            if gap is not None:
                sizes.append(gap)
        if sizes:
            self.result.notes.append(
                Note(
                    "running variance: Paddle accumulates the biased batch variance, torch the unbiased one; after "
                    f"this step they differ by up to {max(sizes):.1e} in {len(sizes)} layer(s), as the factor "
                    "n/(n-1) predicts: a framework difference, not a fault of the port",
                    "",
                    {"max relative difference": max(sizes), "layers": len(sizes)},
                )
            )

    def _updated_otherwise(self, name: str, pairs: list[Pair]) -> bool:
        """Whether the layer updates its statistics another number of times; a finding, unless one says so already."""
        pair = pairs[0]
        t_name = self.alignment.torch.parameters.get(pair.torch.inputs.get("variance", -1), "")
        theirs, ours = updates(self.paddle.trace, name), updates(self.torch.trace, t_name)
        if len(theirs) == len(ours) or not ours:
            return False
        told = {raw for nodes in self.blamed_segments for node in nodes for raw in node.raw}
        known = {raw for p in pairs for raw in p.torch.raw}
        extra = [op for op in ours if op.index not in known]
        if any(op.index in told for op in extra) or any(op.index in told for op in theirs):
            return True
        once_more = "torch" if len(ours) > len(theirs) else "Paddle"
        self._finding(
            pair,
            Subject.STATISTIC,
            f"running statistics are updated {_times(len(ours))} in a forward in torch, {_times(len(theirs))} in Paddle: "
            f"every run of this layer in train mode updates them, and {once_more} runs it more often",
            "run the layer once and use its result again"
            if once_more == "torch"
            else "run the layer as often as Paddle does, or load Paddle's statistics before evaluating",
            {
                "torch's runs": [op.line for op in ours],
                "Paddle's runs": [op.line for op in theirs],
            },
            where=extra[0].line if extra and once_more == "torch" else pair.torch.line,
            attribute="updates",
            values=(len(theirs), len(ours)),
            shows=Shows.STATISTICS,
        )
        return True

    def _mean_after(self, pairs: list[Pair]) -> bool:
        """Whether a running mean is not what the layer's own numbers give; then a finding."""
        pair = pairs[0]
        found = self._accumulated(pairs, "mean", lambda x, axes: x.mean(axis=axes))
        if found is None or same(found.actual, found.expected, size=found.size):
            return False
        cause = f"running mean: after one step it differs by {found.gap:.1e} from what this layer's momentum and the batch give"
        fix = "update the running statistics as Paddle does: the same momentum, from the same numbers"
        if len(pairs) > 1:
            cause += f"; the layer runs {len(pairs)} times in a forward, and the last run weighs most"
            fix = "run the layer's calls in the order in which Paddle runs them"
        self._finding(
            pair,
            Subject.STATISTIC,
            cause,
            fix,
            {"running mean": found.name, "relative difference": found.gap},
            attribute="mean",
            shows=Shows.STATISTICS,
        )
        return True

    def _variance_after(self, pairs: list[Pair]) -> float | None:
        """Relative difference of one running variance if n/(n-1) explains it; a finding if it does not."""
        pair = pairs[0]
        module = self.torch.trace.modules.get(pair.torch.module, {})
        # The remedy, `parity.remedies.torch_batch_norm`, accumulates what Paddle does.
        biased = module.get("type", "").startswith("BiasedBatchNorm")
        found = self._accumulated(
            pairs, "variance", lambda x, axes: x.var(axis=axes, ddof=0 if biased else 1)
        )
        if found is None:
            return None
        if not same(found.actual, found.expected, size=found.size):
            self._finding(
                pair,
                Subject.STATISTIC,
                f"running variance: after one step it differs by {found.gap:.1e} from what this layer's momentum and "
                "batch statistics give",
                "update the running statistics as Paddle does, once for every call",
                {"running variance": found.name, "relative difference": found.gap},
                attribute="variance",
                shows=Shows.STATISTICS,
            )
            return None
        return None if biased else difference(found.actual, found.paddle).max_rel

    def _accumulated(
        self, pairs: list[Pair], slot: str, statistic: Callable[[Array, tuple[int, ...]], Array]
    ) -> Accumulated | None:
        """A running statistic after the step beside what torch's own activations and Paddle's momentum make of it.

        `pairs` are the uses of the layer in this forward, in Paddle's order: a shared one is updated several times.
        None where something that is needed was not recorded, or where another finding speaks about it.
        """
        pair = pairs[0]
        names = [
            graph.parameters.get(node.inputs.get(slot, -1), "")
            for graph, node in ((self.alignment.paddle, pair.paddle), (self.alignment.torch, pair.torch))
        ]
        keys = f"after:{names[0]}", f"after:{names[1]}"
        momentum = pair.paddle.attributes["momentum"]
        if keys[0] not in self.paddle.store or keys[1] not in self.torch.store:
            return None
        if any(p.torch.attributes.get("momentum") != momentum for p in pairs):
            return None
        if any(self.rows[id(p)].status not in (Status.SAME, Status.INHERITED) for p in pairs):
            return None
        momentum = float32(momentum)
        expected = self.paddle_parameters[names[0]].astype(np.float64)
        size = np.abs(expected)
        for use in pairs:
            stored = self.torch.value(use.torch.inputs["x"])
            if stored is None:
                return None
            # What is kept may be what a flatten or a squeeze of the tokens was given.
            x = stored.load().reshape(use.torch.shapes["x"])
            axes = (0, *range(2, x.ndim))
            squares = (x**2).mean(axis=axes)
            summed = np.sqrt(squares) if slot == "mean" else squares
            expected = momentum * expected + (1 - momentum) * statistic(x, axes)
            size = momentum * size + (1 - momentum) * summed
        actual = self.torch.store.get(keys[1])
        with np.errstate(divide="ignore", invalid="ignore"):
            gap = float(np.nanmax(np.abs(actual - expected) / size))
        return Accumulated(names[1], actual, expected, size, self.paddle.store.get(keys[0]), gap)


@dataclass(frozen=True)
class Accumulated:
    """A running statistic after a step, channel by channel. size: of the activations that it was made of; gap: relative to it."""

    name: str
    actual: Array
    expected: Array
    size: Array
    paddle: Array
    gap: float


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


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
