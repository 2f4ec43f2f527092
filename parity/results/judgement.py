"""What judging one case yields: runs go in, rows, findings, notes and open questions come out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from parity.align.alignment import Values
from parity.limits import rounding_limit
from parity.numbers.compare import Difference
from parity.numbers.observed import Observed
from parity.results.finding import Finding, Note
from parity.results.seen import Seen
from parity.trace.trace import Framework


class Status(str, Enum):
    """What a row of the layer table says. The value is the word in a report."""

    SAME = "same"
    DIFFERENT = "different"
    INHERITED = "inherited"
    """Differs only because what it is given differs."""
    CONSTANTS = "float32 constants"
    WRITTEN = "written differently"
    INSIDE = "inside"
    """Part of a fused operator on one side: it has no value of its own to compare."""
    NOT_COMPARED = "not compared"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Row:
    """One aligned operator in the layer table.

    `float64` and `float32` compare the two free runs (accumulated error); `local` compares this operator
    alone on Paddle's inputs. `noise_*` is each side's own distance between float32 and float64. `order` is the
    place in Paddle's graph. constants: how far apart it may be because of numbers that the models hold in float32.
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
    status: Status = Status.NOT_COMPARED
    line_paddle: str = ""
    order: float = 0.0
    constants: float = 0.0

    @property
    def limit(self) -> float:
        """Largest relative float64 difference that rounding explains here."""
        return max(rounding_limit(self.noise_paddle, self.noise_torch), self.constants)

    @property
    def agrees_freely(self) -> bool:
        """Whether the free runs were compared here and agree to rounding."""
        return self.float64 is not None and self.float64.max_rel <= self.limit


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
    observed: dict[str, Observed] = field(default_factory=dict)
    """What is in `outputs`, with what rounding explains of it."""
    replayed: bool = False
    only: list[OneSided] = field(default_factory=list)
    apart: frozenset[Values] = frozenset()
    """Operators that stand in one place and are no pair."""
    seen: Seen = field(default_factory=Seen)
    """What the runs say of the models themselves."""

    def with_rows(self, finding: Finding) -> Finding:
        """A finding about an operator, told by its place in Paddle's graph, with the numbers of its rows."""
        if finding.rows or finding.only:
            return finding
        return replace(
            finding, rows=tuple(n for n, row in enumerate(self.rows) if row.order == finding.order)
        )

    @property
    def worst(self) -> float:
        """Largest relative float64 difference of any compared operator.

        One that is written differently has other numbers rightly, or as many as cannot be compared.
        """
        compared = (row.float64 for row in self.rows if row.status is not Status.WRITTEN)
        return max((d.max_rel for d in compared if d is not None and d.comparable), default=0.0)
