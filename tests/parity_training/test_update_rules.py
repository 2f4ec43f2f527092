"""Optimizers whose formulas differ by the frameworks' own doing: told as that, and a fault on top is found."""

from __future__ import annotations

from functools import partial

import numpy as np
import paddle
import pytest
import torch

import parity
from convert import convert_state_dict
from parity.capture.paddle_training import PaddleTrainer
from parity.remedies.torch_adamax import Adamax
from parity.remedies.torch_lamb import Lamb
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


class Adagrad(torch.optim.Optimizer):
    """Paddle's rule written out under Paddle's name, with settings of its own; `late`: eps is inside the root."""

    def __init__(self, parameters, lr, floor, *, late=False):
        super().__init__(parameters, {"lr": lr, "floor": floor, "momentum": None})
        self.late = late

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for w in group["params"]:
                total = self.state[w].setdefault("total", torch.zeros_like(w))
                total += w.grad**2
                root = (total + group["floor"]).sqrt() if self.late else total.sqrt() + group["floor"]
                w.sub_(group["lr"] * w.grad / root)


@pytest.mark.parametrize(
    ("late", "lr", "cause"), [(False, 0.1, ""), (True, 0.1, "update rule"), (False, 0.2, "learning rate")]
)
def test_an_optimizer_by_hand_is_judged_by_its_updates_whatever_it_is_called(late, lr, cause):
    given = paddle.nn.Linear(4, 3)
    port = torch.nn.Linear(4, 3)
    port.load_state_dict(convert_state_dict(given.state_dict(), port))
    optimizers = (
        paddle.optimizer.Adagrad(0.1, epsilon=1e-3, parameters=given.parameters()),
        lambda model: Adagrad(model.parameters(), lr, 1e-3, late=late),
    )
    inputs = np.random.default_rng(0).standard_normal((5, 4), dtype=np.float32)
    report = parity.check(given, port, inputs, mode="train", steps=2, optimizers=optimizers, further=False)
    assert [cause in finding.cause for finding in report.findings] == ([True] if cause else []), str(report)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("RMSProp", {"learning_rate": 0.1, "rho": 0.8, "momentum": 0.3, "centered": True}),
        ("Adamax", {"learning_rate": 0.1, "beta2": 0.9}),
        ("Adadelta", {"learning_rate": 0.1, "rho": 0.8}),
        ("NAdam", {"learning_rate": 0.1, "momentum_decay": 0.01}),
        ("Lamb", {"learning_rate": 0.1, "lamb_weight_decay": 0.02}),
        ("Rprop", {"learning_rate": 0.1, "etas": (0.4, 1.3)}),
    ],
)
def test_an_optimizer_that_is_handed_over_is_rebuilt_as_it_was_made(kind, options):
    layer = paddle.nn.Linear(2, 2)
    make = partial(getattr(paddle.optimizer, kind), **options)
    by_hand, by_function = (
        PaddleTrainer(layer, mode="train", loss=None, optimizer=given, scheduler=None)
        for given in (
            make(parameters=layer.parameters()),
            lambda model: make(parameters=model.parameters()),
        )
    )
    assert by_hand.settings().parameters == by_function.settings().parameters
    gradients = {"weight": np.full((2, 2), 0.3), "bias": np.full(2, 0.2)}
    for trainer in (by_hand, by_function):
        trainer.step(gradients)
    assert {k: v.tolist() for k, v in by_hand.state().items()} == {
        k: v.tolist() for k, v in by_function.state().items()
    }


def lamb(**options):
    paddle_net, torch_net = pair()
    return parity.check(
        paddle_net,
        torch_net,
        X,
        mode="train",
        steps=2,
        losses=ENTROPY,
        optimizers=(
            lambda model: paddle.optimizer.Lamb(0.01, parameters=model.parameters()),
            lambda model: Lamb(model.parameters(), 0.01, **options),
        ),
        further=False,
    )


def test_lamb_steps_as_paddles_does_and_its_own_decay_is_what_is_compared():
    report = lamb()
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)
    (finding,) = lamb(weight_decay=0.1).findings
    assert (finding.attribute, finding.values) == ("weight_decay", {"paddle": 0.01, "torch": 0.1})
