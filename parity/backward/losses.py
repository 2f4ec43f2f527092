"""Two losses on the same outputs, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from parity.ops.kinds import IDENTITY_KINDS
from parity.runs.run import Run
from parity.trace.trace import Op, Trace
from parity.trace.values import Array

SILENT = frozenset(
    {*IDENTITY_KINDS, "reshape", "permute", "constant", "one_hot", "broadcast_tensors", "expand"}
)
"""Kinds that say nothing about which loss it is."""


Told = tuple[str, str]
"""Cause and fix."""


@dataclass(frozen=True)
class Losses:
    """Both losses on the same outputs: values, gradients at the outputs (Paddle's, torch's), and who computed them."""

    expected: float
    actual: float
    seeds: Mapping[str, tuple[Array, Array]]
    paddle: Run
    trace: Trace

    def operators(self, side: str) -> list[Op]:
        trace = self.trace if side == "torch" else self.paddle.trace
        return trace.ops[trace.loss_at :] if trace.loss_at >= 0 else []

    def scores(self, key: str) -> Array | None:
        """The output that a gradient belongs to."""
        return self.paddle.store.get(key) if key in self.paddle.store else None
