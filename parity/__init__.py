"""The proof: does a PyTorch model compute what a Paddle model computes, and if not, which line differs?

    report = parity.check(paddle_model, torch_model, inputs)
    parity.assert_equivalent(paddle_model, torch_model, inputs)     # in pytest

Names are imported when first asked for: a worker process needs only its own framework and numpy.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # not typing's, which costs more to import than the rest
if TYPE_CHECKING:
    from typing import Any

    from parity.checker import assert_equivalent, check, pair_by_running
    from parity.errors import ParityError
    from parity.report.report import Report
    from parity.results.finding import Finding, Note
    from parity.results.verdict import Verdict

_HOMES = {
    "Finding": "parity.results.finding",
    "Note": "parity.results.finding",
    "ParityError": "parity.errors",
    "Report": "parity.report.report",
    "Verdict": "parity.results.verdict",
    "assert_equivalent": "parity.checker",
    "check": "parity.checker",
    "pair_by_running": "parity.checker",
}

__all__ = [
    "Finding",
    "Note",
    "ParityError",
    "Report",
    "Verdict",
    "assert_equivalent",
    "check",
    "pair_by_running",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        from convert.namesakes import missing

        raise missing("parity", name)
    return getattr(importlib.import_module(_HOMES[name]), name)
