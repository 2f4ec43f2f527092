"""`parity` judged by the corpus: every planted mistake is caught, no correct port alarms, blame is right.

The cases of one half run in one process, so that the thresholds are computed from the same results.
"""

from functools import cache

import pytest
import torch

from tests.mutants.judge import Outcome, run
from tests.mutants.known import GAPS
from tests.mutants.run import CASES, failures, table, trouble

HEAVY = {"plain", "vit", "unet", "siamese", "text", "mha", "inception"}


def _half(name: str) -> str:
    return "first" if name.split("-", maxsplit=1)[0] in HEAVY else "second"


HALVES = {half: [name for name in CASES if _half(name) == half] for half in ("first", "second")}


@cache
def outcome(name: str) -> Outcome:
    return run(CASES[name])


def _grouped(half: str, names) -> list:
    return [pytest.param(name, id=name, marks=pytest.mark.xdist_group(f"mutants-{half}")) for name in names]


ALL = [parameter for half, names in HALVES.items() for parameter in _grouped(half, names)]
MULTIS = [case for case in ALL if "+" in case.id]
BUGS = [case for case in ALL if "+" not in case.id and hasattr(CASES[case.id], "cause")]
STYLES = [case for case in ALL if hasattr(CASES[case.id], "hard")]
EVERY_TENTH = [case for half, names in HALVES.items() for case in _grouped(half, names[::10])]


def _with_gaps(cases: list) -> list:
    """The same cases, those of `known.GAPS` expected to fail."""
    return [
        pytest.param(
            *case.values,
            id=case.id,
            marks=[*case.marks, pytest.mark.xfail(reason=GAPS[case.id], strict=True)],
        )
        if case.id in GAPS
        else case
        for case in cases
    ]


def _answer(name: str) -> Outcome:
    answer = outcome(name)
    if answer.unsupported:
        pytest.skip(f"parity.check has no {answer.unsupported}")
    return answer


def _explain(answer: Outcome) -> str:
    return "\n".join([f"{answer.verdict}: {trouble(answer)}", *answer.findings])


@pytest.mark.parametrize("name", _with_gaps(BUGS))
def test_a_bug_is_caught(name):
    answer = _answer(name)
    assert answer.caught, _explain(answer)


@pytest.mark.parametrize("name", _with_gaps(STYLES))
def test_a_correct_port_in_another_style_is_equivalent(name):
    answer = _answer(name)
    assert not answer.alarm, _explain(answer)
    assert answer.noted is not False, _explain(answer)


@pytest.mark.parametrize("name", _with_gaps(MULTIS))
def test_all_bugs_of_a_combination_are_reported(name):
    answer = _answer(name)
    assert answer.caught, _explain(answer)


@pytest.mark.parametrize("name", ALL)
def test_a_check_leaves_everything_as_it_was(name):
    assert not _answer(name).tampered


@pytest.mark.parametrize("name", EVERY_TENTH)
def test_two_threads_give_the_same_answer(name):
    expected = _answer(name)
    threads = torch.get_num_threads()
    torch.set_num_threads(2 if threads == 1 else 1)
    try:
        actual = run(CASES[name])
    finally:
        torch.set_num_threads(threads)
    assert (actual.verdict, actual.first, actual.cause) == (expected.verdict, expected.first, expected.cause)


@pytest.mark.parametrize("half", _grouped("first", ["first"]) + _grouped("second", ["second"]))
def test_blame_meets_the_thresholds(half):
    """98 % on the right operator as first finding, 95 % with the right cause."""
    outcomes = [outcome(name) for name in HALVES[half]]
    assert not failures(outcomes), table(outcomes)
