"""Schedules go on alone behind the steps that are trained: where their rates part, that is told."""

import numpy as np
import paddle
import pytest
import torch

import paddle2torch
from parity import Verdict, check
from parity.results.finding import Subject

In, On = paddle.optimizer.lr, torch.optim.lr_scheduler
X = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)

SCHEDULES = {
    "a milestone": (lambda: In.MultiStepDecay(0.1, [12, 40]), lambda o: On.MultiStepLR(o, [12, 41]), 41),
    "the end of a warm-up": (
        lambda: In.LinearWarmup(0.1, 6, 0.01, 0.1),
        lambda o: On.LinearLR(o, 0.1, 1.0, 7),
        2,
    ),
    "the end of a decay": (
        lambda: In.PolynomialDecay(0.1, 20, end_lr=0.01, power=1.0),
        lambda o: On.LambdaLR(o, lambda step: 1 - 0.045 * min(step, 21)),
        22,
    ),
    "the same": (lambda: In.StepDecay(0.1, 30), lambda o: On.StepLR(o, 30), 0),
    "both end": (
        lambda: In.OneCycleLR(0.1, 10, end_learning_rate=0.1 / 25 / 1e4),
        lambda o: On.OneCycleLR(o, 0.1, total_steps=10, cycle_momentum=False),
        0,
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_that_parts_behind_the_trained_steps_is_told_with_the_step(name):
    theirs, ours, step = SCHEDULES[name]
    source, target = paddle.nn.Linear(4, 2), torch.nn.Linear(4, 2)
    target.load_state_dict(paddle2torch.convert_state_dict(source.state_dict(), target))
    optimizers = (
        lambda model: paddle.optimizer.SGD(theirs(), parameters=model.parameters()),
        lambda model: torch.optim.SGD(model.parameters(), lr=0.1),
    )
    schedulers = lambda optimizer: optimizer._learning_rate, ours
    report = check(source, target, X, steps=1, optimizers=optimizers, schedulers=schedulers, further=False)
    assert report.verdict is (Verdict.DIFFERENT if step else Verdict.EQUIVALENT), str(report)
    if step:
        (finding,) = report.findings
        assert finding.subject is Subject.SCHEDULE
        assert f"at step {step} " in finding.cause, finding.cause
