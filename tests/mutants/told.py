"""What a finding says, as data: the one place of the corpus that reads a finding."""

from __future__ import annotations

import ast
import linecache
import re
from collections.abc import Mapping
from dataclasses import dataclass

SUBJECTS: Mapping[str, str] = {
    "swapped inputs: ": "exchanged",
    "are swapped: this attention": "exchanged",
    "wired differently: ": "wiring",
    "order: torch has ": "order",
    "not registered: ": "registration",
    "precision: ": "precision",
    "the model's result has ": "output",
    "running statistics are updated": "statistic",
    "only in Paddle: the torch layer is made without one": "slot",
    "only in torch: the Paddle layer is made without one": "slot",
    "training flag: ": "attribute",
    ": torch has ": "attribute",
    "torch runs ": "substituted",
    "torch computes ": "computed",
    " only in Paddle": "missing",
    " only in torch": "extra",
}
"""The phrase of a cause that tells its subject; the first that is there counts. Goes when a finding has a subject."""


@dataclass(frozen=True)
class Told:
    """A finding, in the words of `cases.Expected`; `line` is the whole source line."""

    layer: str
    operator: str
    line: str
    subject: str
    attribute: str
    paddle: object
    torch: object
    layers: int

    def __str__(self) -> str:
        values = f", {self.paddle!r}, {self.torch!r}" if (self.paddle, self.torch) != (..., ...) else ""
        more = f", layers={self.layers}" if self.layers > 1 else ""
        return (
            f"Expected({self.layer!r}, {self.operator!r}, {self.line.strip()!r}, {self.subject!r}, "
            f"{self.attribute!r}{values}{more})"
        )


def told(finding) -> Told:
    """What the finding says."""
    path, _, number = finding.where.rpartition(":")
    return Told(
        finding.layer,
        finding.operator,
        linecache.getline(path, int(number)) if number.isdigit() else "",
        _subject(finding),
        _attribute(finding),
        *_values(finding),
        len(finding.layers),
    )


def _subject(finding) -> str:
    if finding.kind == "training":
        return "clipping" if "clip" in finding.cause else "optimizer"
    if finding.kind == "gradient":
        return "loss" if finding.operator == "loss" else "gradient"
    if "parameter" in finding.evidence:
        return "weight"
    return next((subject for phrase, subject in SUBJECTS.items() if phrase in finding.cause), "unexplained")


def _attribute(finding) -> str:
    evidence = finding.evidence
    named = evidence.get("attribute") or evidence.get("slot") or evidence.get("parameter")
    if named is None and finding.kind == "training" and ": torch has" in finding.cause:
        named = finding.cause.partition(":")[0]
    return "" if named in (None, "order") else str(named)


def _values(finding) -> tuple[object, object]:
    computed = re.match(
        r"torch computes (.*?) where Paddle computes (.*?)(?:: up to here|; in |$)", finding.cause
    )
    if computed:
        return computed[2], computed[1]
    evidence = finding.evidence
    if "parameter" in evidence:
        return evidence["paddle parameter"], ...
    return _value(evidence.get("paddle", ...)), _value(evidence.get("torch", ...))


def _value(given: object) -> object:
    """A value that was written as text, as the value."""
    try:
        return ast.literal_eval(given) if isinstance(given, str) else given
    except (SyntaxError, ValueError):
        return given
