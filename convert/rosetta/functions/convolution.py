"""Convolution functions."""

from __future__ import annotations

from convert.rosetta.layers.common import NAME
from convert.rosetta.layers.convolution import OUTPUT_SIZE, PADDING, padding_traps, transposed_order
from convert.rosetta.rows import Argument, Exactness, Row
from convert.rosetta.writing import case, cases, function, trap

_SIZES = {1: "7", 2: "7,6", 3: "5,6,4"}
_SHARED = (
    Argument("x", "input"),
    Argument("weight", "weight"),
    Argument("bias", "bias"),
    Argument("stride", "stride", paddle_default=1, torch_default=1),
    PADDING,
)
_DILATION = Argument("dilation", "dilation", paddle_default=1, torch_default=1)
_GROUPS = Argument("groups", "groups", paddle_default=1, torch_default=1)
_LAYOUT = Argument("data_format", None, note="permute an NHWC input, its weight is the same")


def _convolution(n: int) -> Row:
    kernel = ",".join("3" * n)
    call = f"F.conv{n}d"
    return function(
        f"conv{n}d",
        Exactness.ALGEBRA,
        "the weight is [out, in / groups, *kernel] in both",
        (
            *cases(
                {"x": f"float 2,4,{_SIZES[n]}", "w": f"float 6,4,{kernel}", "b": "float 6"},
                f"{call}(x, w, b)",
                f"{call}(x, w, b, 2, 1, 1)",
                (f"{call}(x, w, b, padding='SAME')", f"{call}(x, w, b, padding='same')"),
            ),
            case(
                {"x": f"float 2,4,{_SIZES[n]}", "w": f"float 6,2,{kernel}"},
                f"{call}(x, w, padding=2, dilation=2, groups=2)",
            ),
        ),
        file="conv",
        arguments=(*_SHARED, _DILATION, _GROUPS, _LAYOUT, NAME),
        traps=padding_traps(n),
    )


def _transposed(n: int) -> Row:
    kernel, size = ",".join("3" * n), _SIZES[n]
    paddle, torch = f"F.conv{n}d_transpose", f"F.conv_transpose{n}d"
    inputs = {"x": f"float 2,4,{size}", "w": f"float 4,3,{kernel}", "b": "float 6"}
    doubled = [2 * int(length) for length in size.split(",")]
    return function(
        (f"conv{n}d_transpose", f"conv_transpose{n}d"),
        Exactness.ALGEBRA,
        "the weight is [in, out / groups, *kernel] in both",
        (
            case(inputs, (f"{paddle}(x, w, b, 2, 1, 1, groups=2)", f"{torch}(x, w, b, 2, 1, 1, groups=2)")),
            case(
                {"x": f"float 2,4,{size}", "w": f"float 4,6,{kernel}"},
                (f"{paddle}(x, w, dilation=2)", f"{torch}(x, w, dilation=2)"),
            ),
        ),
        file="conv",
        arguments=(
            *_SHARED,
            Argument("output_padding", "output_padding", paddle_default=0, torch_default=0),
            _DILATION if n == 2 else _GROUPS,
            _GROUPS if n == 2 else _DILATION,
            OUTPUT_SIZE,
            _LAYOUT,
            NAME,
        ),
        traps=(
            *transposed_order(n),
            trap(
                "output_size has no twin: it is an output_padding",
                f"{torch}(x, w, b, 2, 1, groups=2)",
                inputs,
                (
                    f"{paddle}(x, w, b, 2, 1, groups=2, output_size={doubled})",
                    f"{torch}(x, w, b, 2, 1, output_padding=1, groups=2)",
                ),
            ),
        ),
    )


ROWS: tuple[Row, ...] = (
    *(_convolution(n) for n in (1, 2, 3)),
    *(_transposed(n) for n in (1, 2, 3)),
)
