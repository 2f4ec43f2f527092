"""The answer, in one word, and the rule that gives it."""

from __future__ import annotations

from enum import Enum


class Verdict(str, Enum):
    """EQUIVALENT: every output and operator agrees in float64 to rounding, and nothing differs in
    configuration, weights or wiring. DIFFERENT: at least one finding. INCONCLUSIVE: no finding, but
    something could not be compared, so nothing is claimed.
    """

    EQUIVALENT = "EQUIVALENT"
    DIFFERENT = "DIFFERENT"
    INCONCLUSIVE = "INCONCLUSIVE"

    @property
    def exit_code(self) -> int:
        """What the command line returns: 0, 1 or 3."""
        return {"EQUIVALENT": 0, "DIFFERENT": 1, "INCONCLUSIVE": 3}[self.value]

    def __str__(self) -> str:
        return self.value
