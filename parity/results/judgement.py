"""What judging one case yields: runs go in, rows, findings, notes and open questions come out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from parity.align import Values
from parity.capture.plan import Measurement, ReplayPlan
from parity.compare import Difference, difference, rounding, rounding_limit
from parity.findings import Finding, Note
from parity.store import Stored, ValueStore
from parity.trace import Framework, Trace


@dataclass
class Run:
    """One side's runs on one input: float64 decides, float32 is shown beside it."""

    trace: Trace
    store: ValueStore
    trace32: Trace | None = None
    store32: ValueStore | None = None

    def value(self, number: int) -> Stored | None:
        key = str(number)
        return self.store.stored(key) if key in self.store else None

    def value32(self, number: int) -> Stored | None:
        if self.trace32 is None or self.store32 is None or len(self.trace32.ops) != len(self.trace.ops):
            return None
        key = str(number)
        return self.store32.stored(key) if key in self.store32 else None


class Numbers(NamedTuple):
    """What is measured of one pair of values: the two runs against each other, and each side's own rounding."""

    float64: Difference
    float32: Difference | None = None
    noise_paddle: float = 0.0
    noise_torch: float = 0.0


Measure = Callable[[int, int], Numbers | None]
"""Numbers of a value of Paddle and one of torch; None unless both were recorded."""


def stored_numbers(paddle: Run, torch: Run) -> Measure:
    """Measure stored runs."""

    def measure(paddle_value: int, torch_value: int) -> Numbers | None:
        expected, actual = paddle.value(paddle_value), torch.value(torch_value)
        if expected is None or actual is None:
            return None
        wide = difference(actual, expected)
        expected32, actual32 = paddle.value32(paddle_value), torch.value32(torch_value)
        if expected32 is None or actual32 is None:
            return Numbers(wide)
        return Numbers(
            wide, difference(actual32, expected32), rounding(expected32, expected), rounding(actual32, actual)
        )

    return measure


@dataclass
class Row:
    """One aligned operator in the layer table.

    `float64` and `float32` compare the two free runs (accumulated error); `local` compares this operator
    alone on Paddle's inputs. `noise_*` is each side's own distance between float32 and float64. `order` is the
    place in Paddle's graph.
    """

    paddle_layer: str
    torch_layer: str
    operator: str
    shape: tuple[int, ...]
    line: str
    float64: Difference | None = None
    float32: Difference | None = None
    noise_paddle: float = 0.0
    noise_torch: float = 0.0
    local: Difference | None = None
    status: str = "not compared"
    line_paddle: str = ""
    order: float = 0.0

    @property
    def limit(self) -> float:
        """Largest relative float64 difference that rounding explains here."""
        return rounding_limit(self.noise_paddle, self.noise_torch)


@dataclass(frozen=True)
class OneSided:
    """An operator that runs on one side only; `order` is its place among the rows."""

    side: Framework
    layer: str
    operator: str
    line: str
    order: float


@dataclass
class Judgement:
    """What one case (one input, one mode) showed."""

    rows: list[Row] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    inconclusive: list[str] = field(default_factory=list)
    outputs: dict[str, Difference] = field(default_factory=dict)
    outputs32: dict[str, Difference] = field(default_factory=dict)
    replayed: bool = False
    only: list[OneSided] = field(default_factory=list)
    apart: frozenset[Values] = frozenset()
    """Operators that stand in one place and are no pair."""

    @property
    def worst(self) -> float:
        """Largest relative float64 difference of any compared operator."""
        return max((r.float64.max_rel for r in self.rows if r.float64 is not None), default=0.0)


Replay = Callable[[ReplayPlan], list[Measurement] | None]
