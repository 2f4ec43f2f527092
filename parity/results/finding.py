"""What the check tells a person: one finding is one thing to change, with where, why and the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

UNRELATED = "unrelated"
"""What a weight holds of which nothing is Paddle's."""
ONE_NUMBER = "all "
"""How it is told what a weight holds whose numbers are all the same; the number follows."""


SUM_WITH = "the sum with "
"""How it is told what a weight holds that another one was added to; the other's name follows."""


class Subject(str, Enum):
    """What is wrong, by what a person has to do about it. The value is the word in a JSON report."""

    ATTRIBUTE = "attribute"
    """An argument or a flag: set it."""
    SLOT = "slot"
    """A weight or an input that only one side has: make it, or leave it out."""
    WEIGHT = "weight"
    """A parameter or buffer that holds other numbers: load it again."""
    WIRING = "wiring"
    """An input that is taken from elsewhere: connect it."""
    EXCHANGED = "exchanged"
    """Two inputs, branches or roles in each other's place: exchange them."""
    ORDER = "order"
    """The same inputs or numbers in another order: put them in Paddle's."""
    MISSING = "missing"
    """Something that only Paddle does: add it."""
    EXTRA = "extra"
    """Something that only torch does: remove it."""
    SUBSTITUTED = "substituted"
    """Another operator in the place: replace it."""
    COMPUTED = "computed"
    """A part that is computed otherwise: compute there what Paddle does."""
    WRITTEN_OUT = "written_out"
    """A known mistake in something that is written out, such as a recurrence or a cross entropy: correct that line."""
    REGISTRATION = "registration"
    """A layer that the state dict does not know: register it."""
    PRECISION = "precision"
    """A cast that rounds: make it on both sides, or on neither."""
    OUTPUT = "output"
    """The model's result has another structure: return the same."""
    RAISED = "raised"
    """Torch raises where Paddle does not."""
    STATISTIC = "statistic"
    """A running statistic is updated otherwise."""
    GRADIENT = "gradient"
    """A gradient that is stopped, changed or missing on one side."""
    TIE = "tie"
    """One parameter on one side, several on the other."""
    LOSS = "loss"
    """Another loss function."""
    OPTIMIZER = "optimizer"
    """Another optimizer, or another setting of it."""
    SCHEDULE = "schedule"
    """Another course of the learning rate."""
    CLIPPING = "clipping"
    """Gradients are clipped otherwise."""
    UPDATE = "update"
    """Another update from equal settings, weights and gradients."""
    UNEXPLAINED = "unexplained"
    """The numbers differ and nothing that was asked says why: compare the lines."""

    def __str__(self) -> str:
        return self.value


class Shows(str, Enum):
    """Where a difference is seen. The value is the word in a JSON report."""

    OUTPUTS = "outputs"
    """In what is computed forward."""
    GRADIENTS = "gradients"
    STATISTICS = "statistics"
    """In what a layer keeps of the batches that it saw."""
    WEIGHTS = "weights"
    """In the parameters: as they are loaded, saved or after a step."""
    ERROR = "error"
    """In an exception."""
    TRAINING = "training"
    """In no number of this run, but in training."""
    NOTHING = "nothing"
    """In no number of this run."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Finding:
    """One difference between the models.

    layer: the torch module path (the Paddle one if it exists only there); operator: canonical name.
    where: "file.py:83" in the torch source, the line to edit if it is known; where_paddle likewise.
    cause: one sentence. fix: code or an instruction. evidence: numbers and attributes, never empty.
    subject, attribute, values, shows: the same for programs, which never have to read the sentence. attribute: the argument,
    setting, weight or output that differs, "" where there is none. values: what "paddle" and "torch" have (in Paddle's
    convention; None: nothing), and what an operator that only one side has stands "after"; empty where that does not tell it.
    """

    layer: str
    operator: str
    where: str
    cause: str
    fix: str
    evidence: Mapping[str, Any]
    layer_paddle: str = ""
    where_paddle: str = ""
    subject: Subject = Subject.UNEXPLAINED
    attribute: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    shows: Shows = Shows.OUTPUTS
    rows: tuple[int, ...] = ()
    """Numbers, from 0, of the case's rows that it is about."""
    only: tuple[int, ...] = ()
    """Numbers, from 0, of the case's operators without a counterpart that it is about."""
    order: float = 0.0
    guide: str = ""
    """Paddle's name of the row of the Rosetta table to read on in: `paddle2torch guide NAME`."""
    also: tuple[Finding, ...] = ()
    """The same fault in further layers, for which the same line runs."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Every layer that errs so."""
        return tuple(dict.fromkeys((self.layer, *(finding.layer for finding in self.also))))

    def __str__(self) -> str:
        place = f"`{self.layer}`" if self.layer else "in the model's own forward"
        if others := len(self.layers) - 1:
            place += f" and {others} more layer{'s' if others > 1 else ''}"
        at = f" ({self.where})" if self.where else ""
        return f"{self.operator} {place}{at}: {self.cause}"

    @property
    def silent(self) -> bool:
        """Whether it explains no number of this run."""
        return self.shows in (Shows.NOTHING, Shows.TRAINING)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Note:
    """Something worth knowing that is no difference: written differently, a framework's own constant."""

    text: str
    layer: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
