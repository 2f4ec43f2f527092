"""Two linear layers in either framework, with a forward that the test writes."""

from __future__ import annotations

import warnings

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle
import torch

import paddle2torch

X = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)


class Paddle(paddle.nn.Layer):
    def __init__(self, forward):
        super().__init__()
        self.a, self.b, self.run = paddle.nn.Linear(6, 6), paddle.nn.Linear(6, 3), forward

    def forward(self, x):
        return self.run(self, x)


class Torch(torch.nn.Module):
    def __init__(self, forward):
        super().__init__()
        self.a, self.b, self.run = torch.nn.Linear(6, 6), torch.nn.Linear(6, 3), forward

    def forward(self, x):
        return self.run(self, x)


def pair(paddle_forward, torch_forward):
    """The two nets, with Paddle's weights in both."""
    paddle.seed(0)
    theirs, ours = Paddle(paddle_forward), Torch(torch_forward)
    ours.load_state_dict(paddle2torch.convert_state_dict(theirs.state_dict(), ours))
    return theirs, ours


def checked(paddle_forward, torch_forward, x=X, **options):
    """The report on two forwards of the same layers."""
    options.setdefault("further", False)
    return paddle2torch.check(*pair(paddle_forward, torch_forward), x, **options)
