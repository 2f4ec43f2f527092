"""What is known of three trainings, read-only, and what is said of them, as data.

`Given` stays the same over all steps, `StepRecord` is one step with its arrays, `Record` the whole training in numbers. Explainers are
functions over these that yield `Claim`s (`steps.EVERY_STEP`, `steps.AT_THE_END`); `telling` makes sentences of claims.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

from parity.align.alignment import Alignment
from parity.align.weights import WeightPair
from parity.capture.training import Settings, Step
from parity.limits import UPDATE_CONSTANT
from parity.results.finding import Finding, Note, Shows, Subject
from parity.trace.values import Array
from parity.training.update_rules import Differing

Both = tuple[Any, Any]
"""Paddle's, torch's."""


@dataclass
class TrainingJudgement:
    findings: list[Finding] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    inconclusive: list[str] = field(default_factory=list)


class Remark(Enum):
    """What becomes a note: worth knowing, and no fault."""

    OF_OPTIMIZER = "an optimizer has something to say of itself"
    LOSS_CUT = "losses part where every gradient agrees"
    CLIP_CONSTANT = "clipped gradients differ by what torch adds to their norm"
    OWN_CLASS = "an optimizer of the user's own steps as Paddle's does"
    SLIGHT_UPDATE = "updates differ by float32 constants"
    TWO_FORMULAS = "updates differ as the frameworks' own formulas do"
    TRAINED = "how far the trainings are apart when they run freely"
    BIASED_VARIANCE = "running variances differ by n / (n - 1)"


FURTHER = "further"
"""Attribute of a claim that steps beyond those that were asked for show."""


@dataclass(frozen=True)
class Claim:
    """One thing that an explainer says. twin: the weight or buffer that it is about; None: the optimizer.

    values: (Paddle's, torch's). entails: names of torch's parameters whose updates it explains. evidence: numbers for the report.
    details: whatever else the sentence needs; `telling` says of each what that is.
    """

    what: Subject | Remark
    twin: WeightPair | None = None
    attribute: str = ""
    values: Both | None = None
    shows: Shows = Shows.WEIGHTS
    entails: Collection[str] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    details: Any = None


class Claims:
    """All that was said so far: the one who knows what is explained already."""

    def __init__(self, blamed: Iterable[str] = ()) -> None:
        """blamed: layers of which forward or backward speak."""
        self.said: list[Claim] = []
        self._blamed = set(blamed)
        self._entailed: set[str] = set()

    def add(self, claim: Claim) -> None:
        self.said.append(claim)
        self._entailed.update(claim.entails)
        if claim.twin is not None:
            self._blamed.add(claim.twin.pair.torch.module)

    @property
    def faults(self) -> list[Claim]:
        return [claim for claim in self.said if isinstance(claim.what, Subject)]

    @property
    def remarks(self) -> list[Claim]:
        return [claim for claim in self.said if isinstance(claim.what, Remark)]

    def of(self, what: Subject | Remark) -> bool:
        """Whether anything of this kind was said."""
        return any(claim.what is what for claim in self.said)

    def blames(self, module: str) -> bool:
        """Whether a finding speaks of a layer of torch's."""
        return module in self._blamed

    def explains(self, parameter: str) -> bool:
        """Whether it is said why torch's parameter is updated otherwise."""
        return parameter in self._entailed


@dataclass(frozen=True)
class Given:
    """What stays the same over all steps.

    paddle, torch: the optimizers before the first step. share: by how much numbers may differ because forward values do.
    gradient_share: the same for losses and gradients, which may differ by the loss's constants too. faulty: whether forward or backward
    found something, so that gradients prove nothing. rule: the two formulas, where the frameworks' own differ.
    """

    twins: Sequence[WeightPair]
    alignment: Alignment
    paddle: Settings
    torch: Settings
    share: float
    gradient_share: float
    faulty: bool
    rule: Differing | None = None

    def trains(self, twin: WeightPair) -> bool:
        torch, paddle = self.alignment.torch.trace, self.alignment.paddle.trace
        return torch.parameters[twin.torch.name].trainable and paddle.parameters[twin.paddle.name].trainable

    @cached_property
    def complete(self) -> bool:
        """Whether every parameter that torch trains is known in Paddle: else the two are not at equal weights after a step."""
        trace = self.alignment.torch.trace
        names = {twin.name for twin in self.twins}
        known = {own.value for name, own in trace.parameters.items() if name in names or not own.trainable}
        taken = {value for op in trace.ops for value in op.inputs.values()}
        return taken.intersection(own.value for own in trace.parameters.values()) <= known

    def paddle_name(self, name: str) -> str:
        """Paddle's name of a parameter of torch's."""
        return next((twin.paddle.name for twin in self.twins if twin.name == name), "")


@dataclass
class Clipped:
    """Two clippings of the same gradients: norms before and after, and (relative gap, norm before) of each weight."""

    norms: dict[str, float] = field(default_factory=dict)
    gaps: list[tuple[float, float]] = field(default_factory=list)

    @property
    def worst(self) -> float:
        return max((gap for gap, _ in self.gaps), default=0.0)


@dataclass(frozen=True)
class StepRecord:
    """One step: three passes forward and back, and two updates from equal weights and gradients.

    expected, free, alone: Paddle's pass, torch's in its own training, and torch's from Paddle's weights. paddle, torch: settings in this step.
    raw: Paddle's gradients before clipping; clipped: as Paddle clips them. clippings: of these gradients as they are, and (in the first
    step, where they are too small to be clipped) many times enlarged. before, after: Paddle's state; start, end: torch's that
    started from it; free_end: that of torch's own training. predicted: (Paddle's, torch's) updates by the two formulas.
    """

    number: int
    expected: Step
    free: Step
    alone: Step
    paddle: Settings
    torch: Settings
    clippings: Sequence[Clipped]
    before: Mapping[str, Array]
    after: Mapping[str, Array]
    start: Mapping[str, Array]
    end: Mapping[str, Array]
    free_end: Mapping[str, Array]
    predicted: Mapping[Hashable, tuple[Array, Array]]


@dataclass(frozen=True)
class Update:
    """One parameter's two updates. share: how far apart, of the larger; off: how far from what the two formulas give."""

    share: float
    off: float

    def worse(self, other: Update) -> Update:
        return Update(max(self.share, other.share), max(self.off, other.off))


@dataclass(frozen=True)
class Drift:
    """How far the two free trainings are apart after a step. plain: running variances, had torch's been accumulated as Paddle's."""

    losses: tuple[float, float]
    parameters: float
    statistics: float
    plain: float


NO_DRIFT = Drift((0.0, 0.0), 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Measured:
    """What is kept of a step. updates, rates ((Paddle's, torch's) learning rate) by torch's parameter; room: of an update."""

    updates: Mapping[str, Update]
    rates: Mapping[str, tuple[float, float]]
    drift: Drift
    room: float


@dataclass(frozen=True)
class Record:
    """A whole training in numbers."""

    given: Given
    steps: Sequence[Measured]

    @cached_property
    def updates(self) -> Mapping[str, Update]:
        """The worst of all steps."""
        found: dict[str, Update] = {}
        for step in self.steps:
            for name, update in step.updates.items():
                found[name] = update.worse(found[name]) if name in found else update
        return found

    @property
    def room(self) -> float:
        """How far updates may differ by constants that are known."""
        return max((step.room for step in self.steps), default=UPDATE_CONSTANT)

    def worst(self, names: Collection[str] | None = None) -> float:
        """The largest difference of an update, as a share of it."""
        return max(
            (update.share for name, update in self.updates.items() if names is None or name in names),
            default=0.0,
        )

    def rates(self, name: str) -> list[tuple[float, float]]:
        """(Paddle's, torch's) learning rate of a parameter in every step."""
        return [step.rates[name] for step in self.steps if name in step.rates]
