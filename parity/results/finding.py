"""What the check tells a person: one finding is one thing to change, with where, why and the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

NO_EFFECT = "; no effect on these inputs"
"""What a cause ends in that the numbers of this run do not show."""


ONLY_IN_TRAINING = "; shows only in training"
"""What a cause ends in that no run without dropout shows."""


@dataclass(frozen=True)
class Finding:
    """One difference between the models.

    layer: the torch module path (the Paddle one if it exists only there); operator: canonical name.
    where: "file.py:83" in the torch source, the line to edit if it is known; where_paddle likewise.
    cause: one sentence. fix: code or an instruction. evidence: numbers and attributes, never empty.
    """

    layer: str
    operator: str
    where: str
    cause: str
    fix: str
    evidence: Mapping[str, Any]
    layer_paddle: str = ""
    where_paddle: str = ""
    kind: str = "difference"
    order: float = 0.0
    guide: str = ""
    """Paddle's name of the row of the Rosetta table to read on in: `paddle2torch guide NAME`."""
    also: tuple[Finding, ...] = ()
    """The same fault in further layers, for which the same line runs."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Every layer that errs so."""
        return (self.layer, *(finding.layer for finding in self.also))

    def __str__(self) -> str:
        place = f"`{self.layer}`" if self.layer else "in the model's own forward"
        if self.also:
            place += f" and {len(self.also)} more layer{'s' if len(self.also) > 1 else ''}"
        at = f" ({self.where})" if self.where else ""
        return f"{self.operator} {place}{at}: {self.cause}"

    @property
    def silent(self) -> bool:
        """Whether it explains no number of this run."""
        return NO_EFFECT in self.cause or ONLY_IN_TRAINING in self.cause

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
