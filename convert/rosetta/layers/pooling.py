"""Pooling layers."""

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
    Row,
    Source,
    Trap,
)

_CEIL_MODE = Argument("ceil_mode", "ceil_mode", paddle_default=False, torch_default=False)
_POOL_WINDOW = (
    Argument("kernel_size", "kernel_size"),
    Argument("stride", "stride", note="both default to kernel_size"),
    Argument(
        "padding",
        "padding",
        paddle_default=0,
        torch_default=0,
        note="Paddle also takes [t, b, l, r] and 'SAME'",
    ),
    _CEIL_MODE,
)


ROWS = (
    Row(
        Kind.LAYER,
        "nn.MaxPool2D",
        "nn.MaxPool2d",
        Exactness.BIT,
        arguments=(
            *_POOL_WINDOW,
            Argument("return_mask", "return_indices", paddle_default=False, torch_default=False),
            DATA_FORMAT,
            NAME,
        ),
        traps=(
            Trap(
                "the mask is int32 in Paddle, int64 in torch",
                naive="F.max_pool2d(x, 2, return_indices=True)[1]",
                example=Example(
                    {"x": "distinct 2,3,6,6"},
                    "F.max_pool2d(x, 2, return_mask=True)[1]",
                    "F.max_pool2d(x, 2, return_indices=True)[1].int()",
                    compare="dtype",
                ),
            ),
        ),
        examples=(
            Example({"x": "distinct 2,3,7,6"}, "nn.MaxPool2D(2)", "nn.MaxPool2d(2)"),
            Example(
                {"x": "distinct 2,3,7,6"},
                "nn.MaxPool2D(3, stride=2, padding=1)",
                "nn.MaxPool2d(3, stride=2, padding=1)",
            ),
        ),
        source=Source("nn/layer/pooling.py: MaxPool2D", "nn/modules/pooling.py: MaxPool2d"),
        reason="same window arithmetic",
    ),
    Row(
        Kind.LAYER,
        "nn.AvgPool2D",
        "nn.AvgPool2d",
        Exactness.NEAR,
        within=3e-8,
        arguments=(
            *_POOL_WINDOW,
            Argument(
                "exclusive", "count_include_pad", convert="not", paddle_default=True, torch_default=True
            ),
            Argument("divisor_override", "divisor_override"),
            DATA_FORMAT,
            NAME,
        ),
        traps=(
            Trap(
                "the defaults disagree: exclusive=True is count_include_pad=False",
                naive="nn.AvgPool2d(3, 2, padding=1)",
            ),
        ),
        examples=(
            Example(
                {"x": "float 2,3,9,9"},
                "nn.AvgPool2D(3, 2, padding=1)",
                "nn.AvgPool2d(3, 2, padding=1, count_include_pad=False)",
            ),
        ),
        source=Source("nn/layer/pooling.py: AvgPool2D", "nn/modules/pooling.py: AvgPool2d"),
        reason="same window arithmetic once the divisor is told; the gradient is scaled by a float32 1/k in Paddle",
    ),
    Row(
        Kind.LAYER,
        "nn.AdaptiveAvgPool2D",
        "nn.AdaptiveAvgPool2d",
        Exactness.NEAR,
        within=3e-8,
        arguments=(Argument("output_size", "output_size"), DATA_FORMAT, NAME),
        examples=(Example({"x": "float 2,3,7,7"}, "nn.AdaptiveAvgPool2D(1)", "nn.AdaptiveAvgPool2d(1)"),),
        source=Source("nn/layer/pooling.py: AdaptiveAvgPool2D", "nn/modules/pooling.py: AdaptiveAvgPool2d"),
        reason="same windows; the gradient is scaled by a float32 1/k in Paddle",
    ),
)
