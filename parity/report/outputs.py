"""Answers what people ask of an output: "3e-4, is that a bug?" What float32 gives, what rounding explains, and what follows."""

from __future__ import annotations

from collections.abc import Iterator

from parity.numbers.compare import Difference
from parity.results.results import Case, Results

MANY = 4
"""So many outputs of a run are told each; of more, those that differ, and the furthest of those that agree."""


def answers(report: Results, *, every: bool = False) -> Iterator[str]:
    """A sentence for every output; those on further inputs, where only outputs were compared, are one line a run.

    every: each output of every run.
    """
    for case in report.cases:
        outputs = case.judgement.outputs
        if case.quick and not every and outputs and all(d.comparable for d in outputs.values()):
            shapes = ", ".join("x".join(map(str, shape)) for shape in case.shapes.values())
            gap = max(d.max_abs for d in outputs.values())
            few = "output" if len(outputs) == 1 else f"{len(outputs)} outputs"
            yield f"{case.name} ({case.mode}) {few} on {shapes}: float64 {_apart(gap)}"
            continue
        agreeing = {path: _beyond(case, path) for path in outputs if _agrees(case, path)}
        furthest = max(agreeing, key=agreeing.__getitem__, default="")
        fold = not every and len(agreeing) > MANY
        for path, found in outputs.items():
            if fold and path in agreeing and path != furthest:
                continue
            more = f", the furthest of {len(agreeing)} that agree" if fold and path == furthest else ""
            yield f"{case.name} ({case.mode}) {path}{more}: {answer(case, path, found, bool(report.findings))}"


def answer(case: Case, path: str, found: Difference, faulty: bool) -> str:
    """What is to be said of one output. faulty: whether the report has findings."""
    if not found.comparable:
        return found.problem
    wide = f"float64 {_apart(found.max_abs)}"
    narrow = case.judgement.outputs32.get(path)
    told = f"float32 {_apart(narrow.max_abs)}; {wide}" if narrow is not None and narrow.comparable else wide
    observed = case.judgement.observed.get(path)
    if observed is None or not found.max_abs:
        return told + (
            "" if observed is None or narrow is None or not narrow.max_abs else ": rounding, not a bug"
        )
    told += f", rounding explains {observed.limit * found.scale:.1e}"
    if observed.agrees:
        return f"{told}: rounding, not a bug"
    why = "see the findings" if faulty else "the notes say why"
    if case.judgement.inconclusive and not faulty:
        why = 'see "not compared"'
    return f"{told}: more than rounding, {why}"


def _agrees(case: Case, path: str) -> bool:
    observed = case.judgement.observed.get(path)
    return observed is not None and observed.agrees and case.judgement.outputs[path].comparable


def _beyond(case: Case, path: str) -> float:
    """How near an output comes to what rounding explains."""
    observed = case.judgement.observed[path]
    return case.judgement.outputs[path].max_rel / observed.limit if observed.limit else 0.0


def _apart(gap: float) -> str:
    return f"{gap:.1e} apart" if gap else "equal"
