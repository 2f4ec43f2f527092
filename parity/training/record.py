"""What is known of three trainings, and how it is said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from convert.names import listed
from parity.results.finding import Finding, Note


@dataclass
class TrainingJudgement:
    findings: list[Finding] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    inconclusive: list[str] = field(default_factory=list)


@dataclass
class Drift:
    """How far the two free trainings are apart after a step."""

    losses: list[tuple[float, float]] = field(default_factory=list)
    parameters: list[float] = field(default_factory=list)
    statistics: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)


def few(names: Iterable[str]) -> str:
    """Names of parameters for a message."""
    return listed([f"`{name}`" for name in names])
