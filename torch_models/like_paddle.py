"""Paddle's default initialisers for a torch network.

Why it exists: a layer that is created without saying how to initialise it starts from other numbers in
the two frameworks. Training a port from scratch is only the same experiment when the starting
distribution is the same too, so every network here ends its `__init__` with `init_like_paddle(self)`.
The Paddle twin has no such line: these are the defaults there.

| layer              | Paddle's default (kept here)                            | torch's default       |
|--------------------|---------------------------------------------------------|-----------------------|
| Conv2d weight      | N(0, sqrt(2 / fan_in))                                  | U(+-1 / sqrt(fan_in)) |
| Linear weight      | Xavier uniform: U(+-sqrt(6 / (fan_in + fan_out)))       | U(+-1 / sqrt(fan_in)) |
| either one's bias  | 0                                                       | U(+-1 / sqrt(fan_in)) |
| BatchNorm          | weight 1, bias 0, running mean 0, running variance 1    | the same              |

Source: `paddle/nn/layer/conv.py` (`_get_default_param_initializer`: its fan_in counts all input
channels, also in a grouped convolution) and `paddle/nn/initializer/xavier.py`, paddlepaddle 3.3.1.
"""

import math

from torch import nn


def init_like_paddle(network):
    """Overwrite the initial weights of every Conv2d and Linear in `network`, in place."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            fan_in = layer.in_channels * math.prod(layer.kernel_size)
            nn.init.normal_(layer.weight, 0.0, math.sqrt(2.0 / fan_in))
        elif isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
        if isinstance(layer, (nn.Conv2d, nn.Linear)) and layer.bias is not None:
            nn.init.zeros_(layer.bias)
