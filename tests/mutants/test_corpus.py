"""The corpus is right: in float64, its correct ports agree and its planted mistakes show where they say."""

import re
from pathlib import Path

import pytest

from parity.results.finding import Shows, Subject
from tests.mutants import agree
from tests.mutants.bugs import ALL as BUGS
from tests.mutants.build import build, torch_source
from tests.mutants.cases import Case
from tests.mutants.known import REASONS
from tests.mutants.multi import MULTIS, combined
from tests.mutants.networks import NETWORKS
from tests.mutants.styles import ALL as STYLES

SHOWS = 1e-11  # of the outputs' scale: the smallest planted fault gives 9e-11, no correct port of it 1e-14
WITHOUT_VALUES = ("registration",)
RECIPES = (Path(__file__).parent / "training.py").read_text()
STEPS = 1e-6  # average pools and optimizers hold float32 constants: correct ports reach 2e-8


def _named(cases):
    return [pytest.param(case, id=case.name) for case in cases]


@pytest.mark.parametrize("style", _named(STYLES))
def test_a_correct_port_agrees_in_float64(style):
    if style.gradients:
        assert agree.gradients(style) <= STEPS
    elif style.steps:
        assert agree.steps(style) <= STEPS
    else:
        assert agree.outputs(style) <= max(style.tolerance, NETWORKS[style.network].tolerance)


@pytest.mark.parametrize("bug", _named(BUGS))
def test_a_bug_shows_where_it_says(bug):
    outputs = agree.outputs(bug)
    if bug.visible == "outputs":
        assert outputs > max(SHOWS, 10 * agree.outputs(Case("twin", bug.network, mode=bug.mode)))
        return
    assert outputs <= NETWORKS[bug.network].tolerance
    if bug.visible == "gradients":
        assert agree.gradients(bug) > 1e-3
    if bug.visible == "steps":
        assert agree.steps(bug) > 10 * STEPS


@pytest.mark.parametrize("multi", _named(MULTIS))
def test_a_combination_builds_and_shows(multi):
    assert agree.outputs(combined(multi)) > SHOWS


@pytest.mark.parametrize("network", NETWORKS)
def test_every_parameter_of_a_network_shows_mistakes(network):
    model = build(Case(network, network)).torch
    for name, values in model.state_dict().items():
        if name.endswith(("bias", "running_mean", "running_var")):
            assert (values != 0).all(), name
            assert (values != 1).all(), name
        if values.ndim == 2 and values.shape[0] == values.shape[1]:
            assert not values.equal(values.T), name


@pytest.mark.parametrize("bug", _named(BUGS))
def test_a_mistake_is_expected_on_one_line_of_the_source(bug):
    source = RECIPES if bug.recipe and not bug.edits else torch_source(bug)
    for one in bug.expected:
        assert sum(one.line in line for line in source.splitlines()) == 1 or not one.line, one.line


@pytest.mark.parametrize("bug", _named(BUGS))
def test_a_mistake_names_both_values_where_there_are_such(bug):
    assert bug.expected
    for one in bug.expected:
        assert Subject(one.subject)
        assert Shows(one.shows)
        if one.subject not in WITHOUT_VALUES:
            assert one.paddle != one.torch
        if one.subject in ("attribute", "weight", "slot", "gradient", "statistic", "optimizer", "loss"):
            assert one.attribute


def test_the_corpus_is_as_large_and_as_varied_as_promised():
    assert len(BUGS) >= 80
    assert len(STYLES) >= 30
    assert len(MULTIS) >= 15
    assert len({bug.network for bug in BUGS}) >= 6
    assert {bug.stage for bug in BUGS} == {"forward", "backward", "training", "conversion"}
    assert all(bug.expected and bug.kind for bug in BUGS)


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_readme_prints_the_figures_that_the_corpus_is_held_to(page):
    """Exact but for what is known; that every mistake is noticed and no port alarms is held case by case."""
    text = (Path(__file__).parents[2] / page).read_text(encoding="utf-8")
    printed = [int(figure) for figure in re.findall(r"\d+", text.partition("`make corpus`")[2])]
    exact = sum(bug.name not in REASONS for bug in BUGS)
    assert printed[:2] == [len(BUGS), len(BUGS)]
    assert printed[3] == exact
    assert len(STYLES) in printed[4:7]
