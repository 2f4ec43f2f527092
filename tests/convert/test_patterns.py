"""Rules that `--save-rules` writes: few patterns where few do, there and back."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
import torch

from convert.plan.back import plan_back
from convert.plan.patterns import few_rules, turned
from convert.plan.plan import Options
from convert.plan.planner import plan_conversion
from convert.plan.rules import Rule, exact_rule


class Theirs(torch.nn.Module):
    """Two stages of three blocks, BatchNorms and square Linears under names of torch's own; one name follows no pattern."""

    def __init__(self):
        super().__init__()
        nn = torch.nn
        for stage in (1, 2):
            blocks = [
                nn.ModuleDict({"conv": nn.Conv2d(4, 4, 1), "norm1": nn.BatchNorm2d(4), "fc": nn.Linear(4, 4)})
                for _ in range(3)
            ]
            setattr(self, f"stage{stage}", nn.ModuleList(blocks))
        self.head = nn.Linear(4, 4)
        self.same = nn.Linear(4, 4)


class Ours(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        nn = paddle.nn
        for stage in (1, 2):
            for number in range(3):
                parts = {"c": nn.Conv2D(4, 4, 1), "bn": nn.BatchNorm2D(4), "fc": nn.Linear(4, 4)}
                setattr(self, f"b_{stage}_{number}", nn.LayerDict(parts))
        self.out = nn.Linear(4, 4)
        self.same = nn.Linear(4, 4)


def theirs_of(name: str) -> str:
    for stage in (1, 2):
        for number in range(3):
            name = name.replace(f"b_{stage}_{number}.", f"stage{stage}.{number}.")
    name = name.replace(".c.", ".conv.").replace(".bn.", ".norm1.").replace("out.", "head.")
    return name.replace("._mean", ".running_mean").replace("._variance", ".running_var")


def test_few_patterns_lead_to_the_same_plan_there_and_back():
    state, module = Ours().state_dict(), Theirs()
    exact = [exact_rule(name, theirs_of(name), None, "") for name in state]
    plan = plan_conversion(state, module, Options(rules=exact)).require()
    rules = few_rules(plan, lambda rules: plan_conversion(state, module, Options(rules=rules)))
    assert {rule.source for rule in rules} == {
        r"b_(\d+)_(\d+)\.c\.(.*)",
        r"b_(\d+)_(\d+)\.bn\.(.*)",  # and with it _mean and _variance
        r"b_(\d+)_(\d+)\.fc\.(.*)",
        r"out\.(.*)",
    }
    same = plan_conversion(state, module, Options(rules=rules)).require()
    fields = lambda plan: {(m.source, m.target, m.transform) for m in plan.moves}  # noqa: E731
    assert fields(same) == fields(plan)
    back = plan_back(module.state_dict(), module, rules)
    assert {(m.target, m.source) for m in back.require().moves} == {(m.source, m.target) for m in plan.moves}


def test_numbers_that_only_look_like_counts_stay_as_they_are():
    """b.0 -> y.1 and b.1 -> y.0: no pattern is right, so each has a rule of its own."""
    state = {
        f"b.{n}.{role}": np.zeros(shape, "float32")
        for n in (0, 1)
        for role, shape in (("weight", (3, 3)), ("bias", 3))
    }
    module = torch.nn.ModuleDict({"y": torch.nn.ModuleList([torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)])})
    exact = [Rule(rf"b\.{n}\.(.*)", rf"y.{1 - n}.\1", None, "") for n in (0, 1)]
    plan = plan_conversion(state, module, Options(rules=exact)).require()
    rules = few_rules(plan, lambda rules: plan_conversion(state, module, Options(rules=rules)))
    assert {(rule.source, rule.target) for rule in rules} == {(rule.source, rule.target) for rule in exact}


@pytest.mark.parametrize(
    ("source", "target", "name", "renamed"),
    [
        (r"bb_(\d)_(\d)\.(.*)", r"rows.\2.\1.\3", "rows.3.2.conv.weight", "bb_2_3.conv.weight"),
        (r"backbone\.(.*)", r"\1", "a.b", "backbone.a.b"),
        (r"a(\d+)\.(.*)", r"b\g<1>0.\2", "b10.w", "a1.w"),
        (r"(.*)", r"model.\1", "model.x", "x"),
    ],
)
def test_a_pattern_is_turned_round(source, target, name, renamed):
    back = turned(Rule(source, target, None, ""))
    assert back is not None
    assert back.apply(name) == renamed


@pytest.mark.parametrize(
    ("source", "target"),
    [(r"a\.(.*)", "b"), (r"a.(.*)", r"b\1"), (r"a\.(\w+)", r"b\1"), (r"a\.(.*)", r"\1\1")],
)
def test_a_pattern_that_loses_something_is_not_turned_round(source, target):
    assert turned(Rule(source, target, None, "")) is None
