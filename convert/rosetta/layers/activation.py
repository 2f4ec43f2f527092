"""Activation layers."""

from __future__ import annotations

from convert.rosetta.layers.common import (
    DATA_FORMAT,
    NAME,
)
from convert.rosetta.rows import (
    Argument,
    Exactness,
    Example,
    Kind,
    Parameter,
    Row,
    Source,
    Trap,
)

ROWS = (
    Row(
        Kind.LAYER,
        "nn.PReLU",
        "nn.PReLU",
        Exactness.ALGEBRA,
        parameters=(Parameter("_weight", "weight", why="another name for the slope"),),
        arguments=(
            Argument("num_parameters", "num_parameters", paddle_default=1, torch_default=1),
            Argument("init", "init", paddle_default=0.25, torch_default=0.25),
            Argument("weight_attr", None),
            DATA_FORMAT,
            NAME,
        ),
        examples=(Example({"x": "float 3,4,5"}, "nn.PReLU(4)", "nn.PReLU(4)"),),
        source=Source("nn/layer/activation.py: PReLU", "nn/modules/activation.py: PReLU"),
        reason="max(0, x) + w * min(0, x)",
        names=("p_re_lu", "prelu"),
    ),
    Row(
        Kind.LAYER,
        "nn.ReLU",
        "nn.ReLU",
        Exactness.BIT,
        arguments=(Argument(None, "inplace", torch_default=False), NAME),
        traps=(
            Trap(
                "relu(NaN) is 0 in Paddle",
                naive="F.relu(x)",
                example=Example(
                    {"x": "= [-1.0, nan, 2.0]"}, "F.relu(x)", "F.relu(torch.nan_to_num(x))", backward=False
                ),
            ),
        ),
        examples=(Example({"x": "float 3,4"}, "nn.ReLU()", "nn.ReLU()"),),
        source=Source("nn/layer/activation.py: ReLU", "nn/modules/activation.py: ReLU"),
        reason="max(0, x)",
    ),
    Row(
        Kind.LAYER,
        "nn.LeakyReLU",
        "nn.LeakyReLU",
        Exactness.ALGEBRA,
        arguments=(
            Argument("negative_slope", "negative_slope", paddle_default=0.01, torch_default=0.01),
            Argument(None, "inplace", torch_default=False),
            NAME,
        ),
        traps=(
            Trap(
                "at exactly 0 Paddle's gradient is 1, torch's the slope",
                naive="F.leaky_relu(x, 0.01)",
                example=Example(
                    {"x": "= [-1.0, 0.0, 2.0]"},
                    "F.leaky_relu(x, 0.01)",
                    "torch.where(x >= 0, x, 0.01 * x)",
                ),
            ),
        ),
        examples=(
            Example({"x": "float 3,4"}, "nn.LeakyReLU()", "nn.LeakyReLU(0.01)"),
            Example({"x": "float 3,4"}, "nn.LeakyReLU(0.25)", "nn.LeakyReLU(0.25)"),
        ),
        source=Source("nn/layer/activation.py: LeakyReLU", "nn/modules/activation.py: LeakyReLU"),
        reason="max(0, x) + slope * min(0, x)",
    ),
    Row(
        Kind.LAYER,
        "nn.Sigmoid",
        "nn.Sigmoid",
        Exactness.ALGEBRA,
        arguments=(NAME,),
        examples=(Example({"x": "float 3,4"}, "nn.Sigmoid()", "nn.Sigmoid()"),),
        source=Source("nn/layer/activation.py: Sigmoid", "nn/modules/activation.py: Sigmoid"),
        reason="1 / (1 + exp(-x))",
    ),
)
