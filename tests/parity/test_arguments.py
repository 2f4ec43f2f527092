"""What a check is called with by mistake: one sentence that says what it is and what to give instead."""

from __future__ import annotations

import re

import numpy as np
import paddle
import pytest
import torch

import parity
from tests.parity_training.networks import PaddleNet, TorchNet, X, pair

SGD = (
    lambda model: paddle.optimizer.SGD(0.1, parameters=model.parameters()),
    lambda model: torch.optim.SGD(model.parameters(), 0.1),
)

WRONG = {
    "a class": (
        (PaddleNet, TorchNet(), X),
        {},
        "the paddle model is the class PaddleNet itself; give an instance",
    ),
    "an unknown device": ((None, None, X), {"device": "tpu"}, "device is 'tpu'; it must be 'cpu', 'cuda'"),
    "a device number": ((None, None, X), {"device": 0}, "device is 0; it must be"),
    "three devices": ((None, None, X), {"device": ("cpu", "cpu", "cpu")}, "a pair is (Paddle's, torch's)"),
    "one of a pair": ((None, None, X), {"device": ("cpu", "tpu")}, "device is 'tpu'; it must be"),
    "nothing to compare on": ((None, None, X[:0]), {}, "input 0 has shape [0, 3, 9, 9]"),
    "complex numbers": ((None, None, X.astype(complex)), {}, "holds complex numbers"),
    "a list of pairs": ((None, None, X), {"pairs": [("fc.weight", "fc.weight")]}, "pairs is a list"),
    "no name": ((None, None, X), {"pairs": {"fc.weight": None}}, "pairs names None"),
    "another size": (
        (None, None, X),
        {"pairs": {"conv.weight": "side.weight"}},
        "'conv.weight' of shape [6, 3, 3, 3] to 'side.weight' of shape [6, 6]",
    ),
    "one loss": (
        (None, None, X),
        {"gradients": True, "losses": (torch.sum, None)},
        "losses: torch's is None",
    ),
    "a loss by name": (
        (None, None, X),
        {"gradients": True, "losses": ("mse", "mse")},
        "losses: Paddle's is a str",
    ),
    "no schedule": (
        (None, None, X),
        {"steps": 1, "optimizers": SGD, "schedulers": ("step", "step")},
        "schedulers: Paddle's is a str",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_meant_is_refused_in_one_sentence(name):
    (paddle_net, torch_net, inputs), options, told = WRONG[name]
    built = pair()
    with pytest.raises(parity.ParityError, match=re.escape(told)):
        parity.check(
            built[0] if paddle_net is None else paddle_net,
            built[1] if torch_net is None else torch_net,
            inputs,
            **options,
        )


@pytest.mark.parametrize(
    "inputs", [X.astype(">f4"), torch.from_numpy(X).bfloat16()], ids=["another byte order", "bfloat16"]
)
def test_numbers_in_another_format_are_taken(inputs):
    assert parity.check(*pair(), inputs, further=False)


@pytest.mark.parametrize("within", [torch.no_grad, torch.inference_mode, paddle.no_grad])
def test_a_training_is_compared_where_the_caller_has_gradients_switched_off(within):
    nets = pair()
    with within():
        report = parity.check(*nets, X, mode="train", steps=np.int64(1), optimizers=SGD, further=False)
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)
