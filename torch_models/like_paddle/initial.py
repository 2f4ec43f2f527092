"""Initial weights as Paddle's.

A layer that is created without saying how to initialise it starts from other numbers in the two frameworks. A port
that is trained from scratch is only the same experiment when the starting distribution is the same too, so every network here ends
its `__init__` with `init_like_paddle(self)`. The Paddle twin has no such line: these are the defaults there.

| layer              | Paddle's default (kept here)                            | torch's default       |
|--------------------|---------------------------------------------------------|-----------------------|
| Conv2d weight      | N(0, sqrt(2 / fan_in))                                  | U(+-1 / sqrt(fan_in)) |
| Linear weight      | Xavier uniform: U(+-sqrt(6 / (fan_in + fan_out)))       | U(+-1 / sqrt(fan_in)) |
| either one's bias  | 0                                                       | U(+-1 / sqrt(fan_in)) |
| Embedding          | Xavier uniform                                          | N(0, 1)               |
| BatchNorm          | weight 1, bias 0, running mean 0, running variance 1    | the same              |

Source: `paddle/nn/layer/conv.py` (`_get_default_param_initializer`: its fan_in counts all input
channels, also in a grouped convolution) and `paddle/nn/initializer/xavier.py`, paddlepaddle 3.3.1.
"""

import math
import warnings

import torch
from torch import nn

from torch_models.like_paddle.tensors import as_dtype


def init_like_paddle(network):
    """Set the initial weights of every layer in `network` that this has not been done for, in place.

    Each layer once: what sets weights otherwise goes behind the call, and stays when a network around it makes the same call.
    """
    for layer in network.modules():
        if "initialised_like_paddle" in vars(layer):
            continue
        layer.initialised_like_paddle = True
        if isinstance(layer, CONVOLUTIONS):
            fan_in = layer.in_channels * math.prod(layer.kernel_size)
            nn.init.normal_(layer.weight, 0.0, math.sqrt(2.0 / fan_in))
        elif isinstance(layer, TRANSPOSED):
            # The same formula of a weight whose first dimension is the input: Xavier uniform.
            _xavier_uniform(layer.weight)
        elif isinstance(layer, (nn.Linear, nn.Embedding, nn.Bilinear)):
            nn.init.xavier_uniform_(layer.weight)
        else:
            continue
        if getattr(layer, "bias", None) is not None:
            nn.init.zeros_(layer.bias)


CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)

TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


class ParamAttr:
    """How a parameter begins and is trained: `paddle.ParamAttr`; `initializer` is a function that fills a tensor in place.

    The rate and the decay stand at the parameter (`optimize_attr`, `regularizer`), for whoever makes the optimizer's groups.
    """

    def __init__(
        self,
        name=None,
        initializer=None,
        learning_rate=1.0,
        regularizer=None,
        trainable=True,
        do_model_average=True,
        need_clip=True,
    ):
        self.name = name
        self.initializer = initializer
        self.learning_rate = learning_rate
        self.regularizer = regularizer
        self.trainable = trainable
        self.need_clip = need_clip

    def apply(self, parameter, seen=None):
        """Fill `parameter` and mark it; `seen` is the same in the layout that Paddle keeps it in."""
        if self.initializer is not None:
            _begin(self.initializer, parameter, parameter if seen is None else seen)
        parameter.requires_grad = self.trainable
        for name, kept, given in (
            ("learning_rate", "optimize_attr", self.learning_rate != 1.0),
            ("regularizer", "regularizer", self.regularizer is not None),
        ):
            if given:
                warnings.warn(
                    f"ParamAttr's {name} stands at the parameter as `{kept}`; torch's optimizers take it from groups: "
                    "make the optimizer with torch_models.like_paddle.grouped_by_attr(optimizer)",
                    stacklevel=2,
                )
        parameter.optimize_attr = {"learning_rate": self.learning_rate}
        parameter.regularizer = self.regularizer


def with_attr(layer, weight=None, bias=None):
    """`layer` with the initial weights that Paddle's `weight_attr` and `bias_attr` ask for: a ParamAttr, a function, None or False."""
    init_like_paddle(layer)
    for name, attr in (("weight", weight), ("bias", bias)):
        parameter = getattr(layer, name, None)
        seen = parameter.T if name == "weight" and isinstance(layer, nn.Linear) else parameter
        if parameter is None and attr not in (None, False):
            raise ValueError(f"{type(layer).__name__} has no {name}, but is told how it begins")
        if attr in (None, True):
            continue
        if attr is False:
            if parameter is not None:  # Paddle's norm layers keep what is switched off, as a constant
                parameter.requires_grad = False
        elif isinstance(attr, ParamAttr):
            attr.apply(parameter, seen)
        else:
            _begin(attr, parameter, seen)
    return layer


def _begin(initializer, parameter, seen):
    """Fill a parameter. The values of `assign` lie as Paddle keeps them, `seen` is the parameter in that layout."""
    initializer(seen if getattr(initializer, "func", initializer) is assign else parameter)


def create_parameter(shape, dtype=None, attr=None, is_bias=False, default_initializer=None):
    """A parameter that begins as Paddle's: biases at 0, weights Xavier uniform, unless `attr` or `default_initializer` says else."""
    if attr is False:
        return None
    parameter = nn.Parameter(torch.empty(tuple(shape), dtype=None if dtype is None else as_dtype(dtype)))
    if default_initializer is not None:
        default_initializer(parameter)
    elif is_bias:
        nn.init.zeros_(parameter)
    else:
        _xavier_uniform(parameter)
    if isinstance(attr, ParamAttr):
        attr.apply(parameter)
    elif attr is not None:
        attr(parameter)
    return parameter


def _xavier_uniform(parameter):
    shape = parameter.shape
    if len(shape) < 2:
        fan_in = fan_out = shape[0] if shape else 1
    else:
        fan_in, fan_out = shape[0], shape[1]
        if len(shape) > 2:
            field = math.prod(shape[2:])
            fan_in, fan_out = shape[1] * field, shape[0] * field
    limit = math.sqrt(6.0 / (fan_in + fan_out))
    nn.init.uniform_(parameter, -limit, limit)


@torch.no_grad()
def assign(parameter, value):
    """`nn.initializer.Assign`: copies values; of a Linear Paddle's are [in, out], so what is filled is its weight transposed.

    Raises:
        ValueError: if the shapes differ in more than dimensions of size 1.
    """
    value = torch.as_tensor(value, dtype=parameter.dtype)
    if value.squeeze().shape != parameter.squeeze().shape:
        raise ValueError(
            f"values of shape {list(value.shape)} for a parameter of shape {list(parameter.shape)}"
        )
    parameter.copy_(value.reshape(parameter.shape))
    return parameter
