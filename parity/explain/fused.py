"""Networks whose branches were fused and rounded to float32, so that little of one stands for a part of the other."""

from __future__ import annotations

from collections.abc import Sequence

from parity.explain.claims import Claim
from parity.explain.evidence import Evidence
from parity.limits import FLOAT32_STEPS, MARGIN, SHRINK
from parity.results.finding import Subject

STRUCTURE = frozenset(
    {
        Subject.WEIGHT,
        Subject.SLOT,
        Subject.COMPUTED,
        Subject.MISSING,
        Subject.EXTRA,
        Subject.SUBSTITUTED,
        Subject.UNEXPLAINED,
    }
)
"""What is claimed where one side has fewer layers; a wrong argument or input is something else."""


def rounded(evidence: Evidence, faults: Sequence[Claim]) -> float:
    """How far the results are apart, if weights that were fused in float32 may be all the difference; otherwise 0.

    Then some are related to none of Paddle's, the networks are built otherwise, and the results differ by no more than rounding in
    float32 makes of them: a weight that is wrong does more. Which of the two it is, nothing tells.
    """
    unrelated = (claim.holds == "unrelated" for claim in faults)
    built = any(claim.what in STRUCTURE - {Subject.WEIGHT} for claim in faults)
    if not built or not any(unrelated) or any(claim.what not in STRUCTURE for claim in faults):
        return 0.0
    found = list(evidence.observed.values())
    small = all(
        one.difference.comparable
        and one.difference.max_rel <= max(FLOAT32_STEPS, one.limit / (MARGIN * SHRINK))
        for one in found
    )
    return max(one.difference.max_rel for one in found) if found and small else 0.0
