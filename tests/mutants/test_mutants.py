"""`parity` judged by the corpus: a report says exactly what was planted, and nothing of a correct port.

The cases of one half run in one process, which runs each case once for all tests. Of the correct ports of one kind every ninth
runs here, all of them with `make full` and `make corpus`.
"""

from collections import defaultdict
from functools import cache

import pytest
import torch

from tests.mutants.cases import Style
from tests.mutants.judge import Outcome, run
from tests.mutants.known import REASONS
from tests.mutants.run import CASES, trouble

HEAVY = {"plain", "vit", "unet", "siamese", "text", "mha", "inception"}


def _half(name: str) -> str:
    return "first" if name.split("-", maxsplit=1)[0] in HEAVY else "second"


HALVES = {half: [name for name in CASES if _half(name) == half] for half in ("first", "second")}


@cache
def outcome(name: str) -> Outcome:
    return run(CASES[name])


def _often() -> set[str]:
    """Every case but two of three correct ports of a kind."""
    kinds = defaultdict[str, list[str]](list)
    for name, case in CASES.items():
        if isinstance(case, Style):
            kinds[case.kind].append(name)
    return CASES.keys() - {name for names in kinds.values() for i, name in enumerate(names) if i % 9}


OFTEN = _often()


def _grouped(half: str, names) -> list:
    group = pytest.mark.xdist_group(f"mutants-{half}")
    return [
        pytest.param(name, id=name, marks=[group] if name in OFTEN else [group, pytest.mark.full])
        for name in names
    ]


ALL = [parameter for half, names in HALVES.items() for parameter in _grouped(half, names)]
FAULTY = [case for case in ALL if not isinstance(CASES[case.id], Style)]
STYLES = [case for case in ALL if isinstance(CASES[case.id], Style)]
SOME = [case for half, names in HALVES.items() for case in _grouped(half, names[::40])]


def _known(cases: list) -> list:
    """The same cases, those of `known` expected to fail."""
    return [
        pytest.param(
            *case.values,
            id=case.id,
            marks=[*case.marks, pytest.mark.xfail(reason=REASONS[case.id], strict=True)],
        )
        if case.id in REASONS
        else case
        for case in cases
    ]


def _explain(answer: Outcome) -> str:
    return "\n".join([f"{answer.verdict}: {trouble(answer)}", *answer.findings])


@pytest.mark.parametrize("name", FAULTY)
def test_a_mistake_is_noticed(name):
    answer = outcome(name)
    assert answer.caught, _explain(answer)


@pytest.mark.parametrize("name", _known(FAULTY))
def test_the_report_says_exactly_what_was_planted(name):
    answer = outcome(name)
    assert answer.right, _explain(answer)


@pytest.mark.parametrize("name", STYLES)
def test_a_correct_port_in_another_style_is_equivalent(name):
    answer = outcome(name)
    assert not answer.alarm, _explain(answer)
    assert answer.noted is not False, _explain(answer)


@pytest.mark.parametrize("name", ALL)
def test_a_check_leaves_everything_as_it_was(name):
    assert not outcome(name).tampered


@pytest.mark.parametrize("name", SOME)
def test_two_threads_give_the_same_answer(name):
    expected = outcome(name)
    threads = torch.get_num_threads()
    torch.set_num_threads(2 if threads == 1 else 1)
    try:
        actual = run(CASES[name])
    finally:
        torch.set_num_threads(threads)
    assert _said(actual) == _said(expected)


def _said(answer: Outcome) -> tuple:
    return answer.verdict, answer.right, answer.first, answer.missing, answer.stray
