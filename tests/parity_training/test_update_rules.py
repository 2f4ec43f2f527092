"""Optimizers whose formulas differ by the frameworks' own doing: told as that, and a fault on top is found."""

from __future__ import annotations

import paddle
import pytest
import torch

import parity
from parity.remedies.torch_adamax import Adamax
from tests.parity_training.networks import ENTROPY, X, pair


def train(torch_class, *, steps=2, **options):
    paddle_net, torch_net = pair()
    in_paddle = {"learning_rate": 0.01, "weight_decay": 0.01}
    in_torch = {"lr": 0.01, "weight_decay": 0.01} | options
    return parity.check(
        paddle_net,
        torch_net,
        X,
        mode="train",
        steps=steps,
        losses=ENTROPY,
        optimizers=(
            lambda model: paddle.optimizer.Adamax(parameters=model.parameters(), **in_paddle),
            lambda model: torch_class(model.parameters(), **in_torch),
        ),
        further=False,
    )


def test_where_adamax_adds_eps_is_a_framework_difference_with_size_and_remedy():
    report = train(torch.optim.Adamax)
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)
    (note,) = [note for note in report.notes if note.text.startswith("Adamax: Paddle adds eps")]
    assert 1e-6 < note.evidence["update differs by"] < 1.0
    assert "parity.remedies.torch_adamax.Adamax" in note.text


def test_the_remedy_steps_as_paddle_does():
    report = train(Adamax)
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)
    assert not any("the two formulas" in note.text for note in report.notes)


class Decaying(torch.optim.Adamax):
    """A class of the user's own that does one thing more."""

    def step(self, closure=None):
        super().step(closure)
        with torch.no_grad():
            for group in self.param_groups:
                for parameter in group["params"]:
                    parameter.mul_(1 - 1e-4)


@pytest.mark.parametrize(
    ("torch_class", "options", "cause"),
    [
        (torch.optim.Adamax, {"betas": (0.8, 0.999)}, "beta1"),
        (torch.optim.Adamax, {"eps": 1e-3}, "eps: torch has 0.001, Paddle has 1e-08"),
        (torch.optim.Adamax, {"weight_decay": 0.0}, "weight_decay"),
        (Decaying, {}, "update rule"),
    ],
)
def test_a_fault_on_top_of_the_framework_difference_is_found(torch_class, options, cause):
    report = train(torch_class, **options)
    assert report.verdict is parity.Verdict.DIFFERENT
    assert cause in report.findings[0].cause
