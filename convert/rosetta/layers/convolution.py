"""Convolutions."""

from __future__ import annotations

from convert.rosetta.layers.common import BIAS_ATTR, DATA_FORMAT, NO_WEIGHT_ATTR, SAME_BIAS, SAME_WEIGHT
from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source, Trap
from convert.rosetta.writing import trap

PADDING = Argument(
    "padding",
    "padding",
    paddle_default=0,
    torch_default=0,
    note="[t, b, l, r] needs F.pad(x, (l, r, t, b)) first; 'SAME' with stride > 1 is refused by torch, "
    "and with dilation > 1 Paddle silently uses dilation 1",
)
OUTPUT_SIZE = Argument("output_size", None, note="give torch the output_padding that makes this size")
_CONV_ARGUMENTS = (
    Argument("in_channels", "in_channels"),
    Argument("out_channels", "out_channels"),
    Argument("kernel_size", "kernel_size"),
    Argument("stride", "stride", paddle_default=1, torch_default=1),
    PADDING,
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
        note="positional order: Paddle has dilation, groups here (Conv1DTranspose groups, dilation), "
        "torch groups, bias, dilation",
    ),
    Argument("groups", "groups", paddle_default=1, torch_default=1),
    NO_WEIGHT_ATTR,
    BIAS_ATTR,
    DATA_FORMAT,
)


def _traps(name: str, size: int) -> tuple[Trap, ...]:
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


def padding_traps(n: int) -> tuple[Trap, ...]:
    """How Paddle's other paddings are written in torch; those of images for two dimensions only."""
    call, x, w = f"F.conv{n}d", f"float 2,4,{','.join('765'[:n])}", f"float 6,4,{','.join('3' * n)}"
    inputs = {"x": x, "w": w}
    words = (
        trap(
            "torch writes 'SAME' in lower case",
            f"{call}(x, w, padding='SAME')",
            inputs,
            (f"{call}(x, w, padding='SAME')", f"{call}(x, w, padding='same')"),
        ),
        trap(
            "'SAME' with a dilation: Paddle silently uses dilation 1",
            f"{call}(x, w, padding='same', dilation=2)",
            inputs,
            (f"{call}(x, w, padding='SAME', dilation=2)", f"{call}(x, w, padding=1)"),
        ),
    )
    return (*words, *_IMAGE_PADDING) if n == 2 else words


_IMAGES = {"x": "float 2,4,7,6", "w": "float 6,4,3,3"}
_IMAGE_PADDING = (
    trap(
        "'SAME' with a stride is refused by torch; the odd row is padded at the bottom and right",
        "F.conv2d(x, w, stride=2, padding='same')",
        _IMAGES,
        (
            "F.conv2d(x, w, stride=2, padding='SAME')",
            "F.conv2d(F.pad(x, (0, 1, 1, 1)), w, stride=2)",
        ),
    ),
    trap(
        "and symmetric padding instead of it has the right shape and the wrong numbers",
        "F.conv2d(x, w, stride=2, padding=1)",
        _IMAGES,
        (
            "F.conv2d(x, w, stride=2, padding='SAME')",
            "F.conv2d(F.pad(x, (0, 1, 1, 1)), w, stride=2)",
        ),
    ),
    trap(
        "padding=[t, b, l, r] is refused by torch; F.pad takes (l, r, t, b)",
        "F.conv2d(x, w, padding=[1, 2, 0, 1])",
        _IMAGES,
        ("F.conv2d(x, w, padding=[1, 2, 0, 1])", "F.conv2d(F.pad(x, (0, 1, 1, 2)), w)"),
    ),
    trap(
        "and is another picture in the order in which it was written",
        "F.conv2d(F.pad(x, (1, 2, 1, 2)), w)[:, :, :8, :5]",
        _IMAGES,
        (
            "F.conv2d(x, w, padding=[[0, 0], [0, 0], [1, 2], [0, 1]])",
            "F.conv2d(F.pad(x, (0, 1, 1, 2)), w)",
        ),
    ),
    trap(
        "data_format='NHWC' has no twin: permute the input; the weight stays [out, in, h, w]",
        "F.conv2d(x, w)",
        {"x": "float 2,7,6,4", "w": "float 6,4,3,3"},
        (
            "F.conv2d(x, w, data_format='NHWC')",
            "F.conv2d(x.permute(0, 3, 1, 2), w).permute(0, 2, 3, 1)",
        ),
    ),
)


def transposed_order(n: int) -> tuple[Trap, ...]:
    """Only the function of two dimensions has the dilation before the groups."""
    if n != 2:
        return ()
    return (
        trap(
            "positional order after output_padding: Paddle dilation, groups (conv2d_transpose only); torch groups, dilation",
            "F.conv_transpose2d(x, w, None, 2, 1, 1, 2, 1)",
            {"x": "float 2,4,7,6", "w": "float 4,6,3,3"},
            (
                "F.conv2d_transpose(x, w, None, 2, 1, 1, 2, 1)",
                "F.conv_transpose2d(x, w, None, 2, 1, 1, groups=1, dilation=2)",
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
        traps=(*_traps(f"Conv{n}D", 32), *padding_traps(n)),
        examples=(
            Example({"x": shape}, f"nn.Conv{n}D(4, 6, 3)", f"nn.Conv{n}d(4, 6, 3)"),
            Example(
                {"x": shape},
                f"nn.Conv{n}D(4, 6, 3, stride=2, padding=1, groups=2, bias_attr=False)",
                f"nn.Conv{n}d(4, 6, 3, stride=2, padding=1, groups=2, bias=False)",
            ),
            Example(
                {"x": shape},
                f"nn.Conv{n}D(4, 6, 3, padding=1, padding_mode='circular')",
                f"nn.Conv{n}d(4, 6, 3, padding=1, padding_mode='circular')",
            ),
        ),
        source=Source(f"nn/layer/conv.py: Conv{n}D", f"nn/modules/conv.py: Conv{n}d"),
        reason="the weight is [out, in / groups, *kernel] in both",
        names=(f"conv{n}d",),
    )


_ORDER = {1: "groups, dilation", 2: "dilation, groups", 3: "dilation, groups"}


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
                f"positional order: after output_padding Paddle has {_ORDER[n]}, torch has groups, bias, dilation",
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
