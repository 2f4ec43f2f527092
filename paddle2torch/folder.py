"""What became of a folder of checkpoints: a table, or JSON, and every bad one on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from convert.columns import Column, aligned
from convert.names import escaped

if TYPE_CHECKING:
    from convert.apply.folder import Outcome


def show_outcomes(outcomes: Sequence[Outcome], *, as_json: bool) -> int:
    """Print them; the exit code: 0 when all were converted, 1 when some could not be; a fault of ours is raised then."""
    bad = [outcome for outcome in outcomes if outcome.report is None]
    if as_json:
        print(json.dumps([_row(outcome) for outcome in outcomes], indent=2))
    else:
        print("\n".join(_lines(outcomes)))
        print(f"{len(outcomes) - len(bad)} of {len(outcomes)} checkpoints converted")
    for outcome in bad:
        print(f"paddle2torch convert: {outcome.error}", file=sys.stderr)
    for outcome in bad:
        if outcome.crash is not None:
            raise outcome.crash  # a fault of ours is told as one, now that the others are told
    return 1 if bad else 0


def _row(outcome: Outcome) -> dict[str, Any]:
    return {
        "source": str(outcome.source),
        "target": str(outcome.target),
        "error": outcome.error,
        "report": outcome.report.to_json() if outcome.report else None,
    }


COLUMNS = (
    Column("checkpoint", least=24),
    Column("target", least=24),
    Column("tensors", right=True),
    Column("MB", right=True),
    Column("seconds", right=True, leaves=1),
    Column("result"),
)


def _lines(outcomes: Sequence[Outcome]) -> list[str]:
    from paddle2torch.console import table_width

    rows = []
    for outcome in outcomes:
        report = outcome.report
        if report is None:
            rows.append((escaped(str(outcome.source)), "", "", "", "", "FAILED"))
            continue
        tensors = len(report.plan.moves) + len(report.plan.generated)
        numbers = (str(tensors), f"{report.size / 1e6:.1f}", f"{report.seconds:.2f}")
        result = f"partial: {len(report.plan.left)} left" if report.plan.left else "converted"
        rows.append((escaped(str(outcome.source)), escaped(str(outcome.target)), *numbers, result))
    return aligned(COLUMNS, rows, table_width()).lines()
