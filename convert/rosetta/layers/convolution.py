"""Convolutions."""

from __future__ import annotations

from convert.rosetta.layers.common import (
    BIAS_ATTR,
    DATA_FORMAT,
    NO_WEIGHT_ATTR,
    SAME_BIAS,
    SAME_WEIGHT,
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

_CONV_ARGUMENTS = (
    Argument("in_channels", "in_channels"),
    Argument("out_channels", "out_channels"),
    Argument("kernel_size", "kernel_size"),
    Argument("stride", "stride", paddle_default=1, torch_default=1),
    Argument(
        "padding",
        "padding",
        paddle_default=0,
        torch_default=0,
        note="[t, b, l, r] needs F.pad(x, (l, r, t, b)) first; 'SAME' with stride > 1 is refused by torch, "
        "and with dilation > 1 Paddle silently uses dilation 1",
    ),
    Argument("dilation", "dilation", paddle_default=1, torch_default=1),
    Argument("groups", "groups", paddle_default=1, torch_default=1),
    Argument("padding_mode", "padding_mode", paddle_default="zeros", torch_default="zeros"),
    NO_WEIGHT_ATTR,
    BIAS_ATTR,
    DATA_FORMAT,
)
_CONV_TRANSPOSE_ARGUMENTS = (
    Argument("in_channels", "in_channels"),
    Argument("out_channels", "out_channels"),
    Argument("kernel_size", "kernel_size"),
    Argument("stride", "stride", paddle_default=1, torch_default=1),
    Argument("padding", "padding", paddle_default=0, torch_default=0),
    Argument("output_padding", "output_padding", paddle_default=0, torch_default=0),
    Argument(
        "dilation",
        "dilation",
        paddle_default=1,
        torch_default=1,
        note="positional order: Paddle has dilation, groups here, torch groups, bias, dilation",
    ),
    Argument("groups", "groups", paddle_default=1, torch_default=1),
    NO_WEIGHT_ATTR,
    BIAS_ATTR,
    DATA_FORMAT,
)


def _traps(name: str, size: int, shape: str) -> tuple[Trap, ...]:
    layer = f"nn.{name}({size}, 64, 3)"
    return (
        Trap(
            "default weights differ: Paddle N(0, sqrt(2 / fan_in)), torch U(-1/sqrt(fan_in), 1/sqrt(fan_in))",
            naive=f"{layer.replace('D(', 'd(')}.weight.detach()",
            example=Example(
                {},
                f"{layer}.weight.detach()",
                f"layer = {layer.replace('D(', 'd(')}\n"
                "fan_in = layer.weight[0].numel()\n"
                "nn.init.normal_(layer.weight, 0.0, (2 / fan_in) ** 0.5).detach()",
                compare="distribution",
            ),
        ),
        Trap(
            "default bias differs: Paddle 0, torch U(-1/sqrt(fan_in), 1/sqrt(fan_in))",
            naive=f"{layer.replace('D(', 'd(')}.bias.detach()",
            example=Example(
                {}, f"{layer}.bias.detach()", f"nn.init.zeros_({layer.replace('D(', 'd(')}.bias).detach()"
            ),
        ),
    )


def _conv(n: int) -> Row:
    shape = f"float 2,4,{','.join('765'[:n])}"
    return Row(
        Kind.LAYER,
        f"nn.Conv{n}D",
        f"nn.Conv{n}d",
        Exactness.ALGEBRA,
        parameters=(SAME_WEIGHT, SAME_BIAS),
        arguments=_CONV_ARGUMENTS,
        traps=_traps(f"Conv{n}D", 32, shape),
        examples=(
            Example({"x": shape}, f"nn.Conv{n}D(4, 6, 3)", f"nn.Conv{n}d(4, 6, 3)"),
            Example(
                {"x": shape},
                f"nn.Conv{n}D(4, 6, 3, stride=2, padding=1, groups=2, bias_attr=False)",
                f"nn.Conv{n}d(4, 6, 3, stride=2, padding=1, groups=2, bias=False)",
            ),
        ),
        source=Source(f"nn/layer/conv.py: Conv{n}D", f"nn/modules/conv.py: Conv{n}d"),
        reason="the weight is [out, in / groups, *kernel] in both",
        names=(f"conv{n}d",),
    )


def _conv_transpose(n: int) -> Row:
    shape = f"float 2,4,{','.join('765'[:n])}"
    return Row(
        Kind.LAYER,
        f"nn.Conv{n}DTranspose",
        f"nn.ConvTranspose{n}d",
        Exactness.ALGEBRA,
        parameters=(SAME_WEIGHT, SAME_BIAS),
        arguments=_CONV_TRANSPOSE_ARGUMENTS,
        traps=(
            Trap(
                "positional order: after output_padding Paddle has dilation, groups, torch has groups, bias, dilation",
                naive=f"nn.ConvTranspose{n}d(4, 6, 3, 2, 1, 1, 2, 2)",
                example=Example(
                    {"x": shape},
                    f"nn.Conv{n}DTranspose(4, 6, 3, 2, 1, 1, 2, 2)",
                    f"nn.ConvTranspose{n}d(4, 6, 3, 2, 1, 1, groups=2, dilation=2)",
                ),
            ),
        ),
        examples=(
            Example({"x": shape}, f"nn.Conv{n}DTranspose(4, 6, 3)", f"nn.ConvTranspose{n}d(4, 6, 3)"),
            Example(
                {"x": shape},
                f"nn.Conv{n}DTranspose(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2)",
                f"nn.ConvTranspose{n}d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2)",
            ),
        ),
        source=Source(f"nn/layer/conv.py: Conv{n}DTranspose", f"nn/modules/conv.py: ConvTranspose{n}d"),
        reason="the weight is [in, out / groups, *kernel] in both",
        names=(f"conv{n}d_transpose",),
    )


ROWS = (*(_conv(n) for n in (1, 2, 3)), *(_conv_transpose(n) for n in (1, 2, 3)))
