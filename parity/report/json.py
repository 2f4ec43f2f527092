"""The report as JSON; `schema.json` beside this module is its schema, with what every key means."""

from __future__ import annotations

import math
from dataclasses import asdict
from enum import Enum
from typing import TYPE_CHECKING, Any

from parity.numbers.compare import Difference

if TYPE_CHECKING:
    from parity.results.results import Results


def to_json(report: Results) -> dict[str, Any]:
    """The report as plain data that `json.dumps(..., allow_nan=False)` takes."""
    from parity.report.text import headline
    from parity.results.results import REPORT_VERSION

    data = {
        "version": REPORT_VERSION,
        "verdict": report.verdict.value,
        "headline": headline(report),
        "paddle": report.paddle,
        "torch": report.torch,
        "environment": report.environment,
        "warnings": list(report.warnings),
        "findings": [finding.to_json() for finding in report.findings],
        "notes": [note.to_json() for note in report.notes],
        "inconclusive": report.inconclusive,
        "cases": [
            {
                "name": case.name,
                "mode": case.mode,
                "quick": case.quick,
                "shapes": case.shapes,
                "replayed": case.judgement.replayed,
                "outputs": {
                    path: {
                        "float64": _difference(d),
                        "float32": _difference(case.judgement.outputs32.get(path)),
                    }
                    for path, d in case.judgement.outputs.items()
                },
                "layers": [
                    {
                        **{
                            key: value
                            for key, value in asdict(row).items()
                            if key not in ("float64", "float32", "local", "constants")  # which is in `limit`
                        },
                        "limit": row.limit,
                        "float64": _difference(row.float64),
                        "float32": _difference(row.float32),
                        "local": _difference(row.local),
                    }
                    for row in case.judgement.rows
                ],
                "only": [asdict(one) for one in case.judgement.only],
            }
            for case in report.cases
        ],
    }
    cleaned: dict[str, Any] = _plain(data)
    return cleaned


def _difference(d: Difference | None) -> dict[str, Any] | None:
    return None if d is None else {key: value for key, value in asdict(d).items() if key != "by_size"}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return str(value)
