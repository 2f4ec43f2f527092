"""What became of a folder of checkpoints: a table, or JSON, and every bad one on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from convert.names import escaped

if TYPE_CHECKING:
    from rich.table import Table

    from convert.apply.folder import Outcome


def show_outcomes(outcomes: Sequence[Outcome], *, as_json: bool) -> int:
    """Print them; the exit code: 0 when all were converted, 1 when some could not be; a fault of ours is raised then."""
    bad = [outcome for outcome in outcomes if outcome.report is None]
    if as_json:
        print(json.dumps([_row(outcome) for outcome in outcomes], indent=2))
    else:
        from paddle2torch.console import stdout_console

        stdout_console().print(_table(outcomes))
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


def _table(outcomes: Sequence[Outcome]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for column in ("checkpoint", "target"):
        table.add_column(column, overflow="fold")
    for column in ("tensors", "MB", "seconds"):
        table.add_column(column, justify="right")
    table.add_column("result")
    for outcome in outcomes:
        report = outcome.report
        if report is None:
            table.add_row(Text(escaped(str(outcome.source))), "", "", "", "", Text("FAILED", "red"))
            continue
        tensors = len(report.plan.moves) + len(report.plan.generated)
        numbers = (str(tensors), f"{report.size / 1e6:.1f}", f"{report.seconds:.2f}")
        result = f"partial: {len(report.plan.left)} left" if report.plan.left else "converted"
        table.add_row(
            Text(escaped(str(outcome.source))), Text(escaped(str(outcome.target))), *numbers, result
        )
    return table
