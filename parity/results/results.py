"""What a check found, as data."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cached_property

from parity.results.finding import Finding, Note
from parity.results.grouping import distinct, fault, merged, mistakes
from parity.results.judgement import Judgement, Row
from parity.results.verdict import Verdict

REPORT_VERSION = 2


@dataclass(frozen=True)
class Case:
    """One input in one mode, and what it showed. `quick`: only outputs were compared."""

    name: str
    mode: str
    shapes: dict[str, tuple[int, ...]]
    judgement: Judgement
    quick: bool = False


@dataclass(frozen=True)
class Results:
    """Every case of a check, and what they come to. True in a boolean context only when EQUIVALENT."""

    paddle: str
    torch: str
    cases: tuple[Case, ...]
    environment: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    before: tuple[Note, ...] = ()
    """What is worth knowing of how the check came about, such as how the weights were paired."""

    @property
    def groups(self) -> list[list[Finding]]:
        """Every fault once, in the order in which the data meets it; those of one line and cause are together."""
        return mistakes(distinct(finding for case in self.cases for finding in case.judgement.findings))

    @property
    def findings(self) -> list[Finding]:
        """What must change, in the order in which the data meets it; a line that errs in many layers once."""
        return [merged(group) for group in self.groups]

    def number_of(self, finding: Finding) -> int:
        """The place, from 1, among `findings` of the one that a case's own finding is part of."""
        return self._numbers[fault(finding)]

    @cached_property
    def _numbers(self) -> dict[Hashable, int]:
        return {fault(finding): n for n, group in enumerate(self.groups, 1) for finding in group}

    @property
    def notes(self) -> list[Note]:
        """What is worth knowing and no fault; each once."""
        seen: dict[str, Note] = {}
        for note in (*self.before, *(note for case in self.cases for note in case.judgement.notes)):
            seen.setdefault(note.text, note)
        return list(seen.values())

    @property
    def inconclusive(self) -> list[str]:
        """Why nothing can be claimed, if so."""
        return list(dict.fromkeys(reason for case in self.cases for reason in case.judgement.inconclusive))

    @property
    def verdict(self) -> Verdict:
        if self.findings:
            return Verdict.DIFFERENT
        if self.inconclusive or not self.cases:
            return Verdict.INCONCLUSIVE
        return Verdict.EQUIVALENT

    @property
    def layers(self) -> list[Row]:
        """The layer table of the first case."""
        return self.cases[0].judgement.rows if self.cases else []

    @property
    def worst(self) -> float:
        """Largest relative float64 difference of any operator and output in any case."""
        outputs = (d.max_rel for case in self.cases for d in case.judgement.outputs.values())
        return max((*(case.judgement.worst for case in self.cases), *outputs), default=0.0)

    def __bool__(self) -> bool:
        return self.verdict is Verdict.EQUIVALENT
