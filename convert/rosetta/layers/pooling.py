"""Pooling layers, and the arguments and traps that their functions share."""

from __future__ import annotations

from convert.rosetta.layers.common import DATA_FORMAT, NAME
from convert.rosetta.rows import Argument, Exactness, Row, Trap
from convert.rosetta.writing import cases, layer, trap

SIZES = {1: "9", 2: "7,6", 3: "5,6,4"}
EVEN = {1: "8", 2: "6,4", 3: "4,6,4"}
ADAPTIVE_SIZES = {1: ("1", "2"), 2: ("1", "3", "(None, 2)"), 3: ("1", "3", "(2, None, 3)")}
WITH_NAN = {
    1: "= [[[nan, 1.0, -1.0, 2.0]]]",
    2: "= [[[[nan, 1.0], [-1.0, 2.0]]]]",
    3: "= [[[[[nan, 1.0], [-1.0, 2.0]], [[0.0, 3.0], [4.0, 2.0]]]]]",
}
AVERAGE = "the same windows; the gradient is scaled by a float32 1/k in Paddle unless k is a power of two"
WITHIN = 3e-7
_NEAR, _BIT = Exactness.NEAR, Exactness.BIT

CEIL_MODE = Argument(
    "ceil_mode",
    "ceil_mode",
    paddle_default=False,
    torch_default=False,
    note="with padding Paddle keeps a last window that lies in the padding only, torch drops it",
)
WINDOW = (
    Argument("kernel_size", "kernel_size"),
    Argument("stride", "stride", note="both default to kernel_size"),
    Argument(
        "padding",
        "padding",
        paddle_default=0,
        torch_default=0,
        note="Paddle also takes [t, b, l, r], 'SAME' and 'VALID': pad in torch, with -inf for a maximum",
    ),
    CEIL_MODE,
)
RETURN_MASK = Argument(
    "return_mask",
    "return_indices",
    paddle_default=False,
    torch_default=False,
    note="the mask is int32 in Paddle, int64 in torch",
)
EXCLUSIVE = Argument(
    "exclusive",
    "count_include_pad",
    convert="not",
    paddle_default=True,
    torch_default=True,
    note="the defaults disagree: exclusive=True is count_include_pad=False",
    only_with="padding",
)
_DIVISOR = Argument("divisor_override", "divisor_override")


def average_arguments(n: int) -> tuple[Argument, ...]:
    """1-D average pooling has neither divisor nor data format."""
    return (*WINDOW, EXCLUSIVE, NAME) if n == 1 else (*WINDOW, EXCLUSIVE, _DIVISOR, DATA_FORMAT, NAME)


def maximum_arguments(n: int) -> tuple[Argument, ...]:
    return (*WINDOW, RETURN_MASK, NAME) if n == 1 else (*WINDOW, RETURN_MASK, DATA_FORMAT, NAME)


def average_traps(n: int) -> tuple[Trap, ...]:
    pool, shape, odd = f"F.avg_pool{n}d", f"float 2,3,{SIZES[n]}", ",".join("5" * n)
    around = (1, 2) * n
    return (
        trap(
            "exclusive=True, Paddle's default, is count_include_pad=False, not torch's default",
            f"{pool}(x, 3, 2, padding=1)",
            shape,
            (f"{pool}(x, 3, 2, padding=1)", f"{pool}(x, 3, 2, padding=1, count_include_pad=False)"),
            argument="exclusive",
        ),
        trap(
            "ceil_mode with padding: Paddle keeps a window of padding only, whose mean is NaN; torch drops it",
            f"{pool}(x, 2, 2, 1, ceil_mode=True, count_include_pad=False)",
            f"float 1,1,{odd}",
            (
                f"{pool}(x, 2, 2, 1, ceil_mode=True)",
                f"mean = lambda t: {pool}(F.pad(t, {around}), 2)\nmean(x) / mean(torch.ones_like(x))",
            ),
            backward=False,
        ),
    )


def divisor_traps(n: int) -> tuple[Trap, ...]:
    pool = f"F.avg_pool{n}d"
    return (
        trap(
            "with padding and exclusive=True, divisor_override still starts from the mean of a full window",
            f"{pool}(x, 3, 2, 1, divisor_override=5, count_include_pad=False)",
            f"float 2,3,{SIZES[n]}",
            (
                f"{pool}(x, 3, 2, 1, divisor_override=5)",
                f"{pool}(x, 3, 2, 1, count_include_pad=False) * {3**n} / 5",
            ),
        ),
    )


def maximum_traps(n: int) -> tuple[Trap, ...]:
    pool, shape, odd = f"F.max_pool{n}d", f"distinct 2,3,{SIZES[n]}", ",".join("5" * n)
    around = (1, 2) * n
    return (
        trap(
            "ceil_mode with padding: Paddle keeps a window of padding only (-3.4e38, in float64 too); torch drops it",
            f"{pool}(x, 2, 2, 1, ceil_mode=True)",
            f"distinct 1,1,{odd}",
            (
                f"{pool}(x, 2, 2, 1, ceil_mode=True)",
                f"{pool}(F.pad(x, {around}, value=torch.finfo(torch.float32).min), 2)",
            ),
        ),
        trap(
            "NaN: torch's maximum is NaN, Paddle's is that of the values after it in the window, as if nothing were wrong",
            f"{pool}(x, 2)",
            WITH_NAN[n],
            (f"{pool}(x, 2)", f"{pool}(torch.nan_to_num(x, -torch.inf), 2)"),
            backward=False,
        ),
        trap(
            "the mask is int32 in Paddle, int64 in torch",
            f"{pool}(x, 2, return_indices=True)[1]",
            shape,
            (f"{pool}(x, 2, return_mask=True)[1]", f"{pool}(x, 2, return_indices=True)[1].int()"),
            compare="dtype",
        ),
    )


PADDED_TRAPS = (
    trap(
        "padding=[t, b, l, r]: F.pad takes (l, r, t, b), and the padding of a maximum is -inf, not 0",
        "F.max_pool2d(F.pad(x, (1, 0, 0, 1)), 3, 2)",
        "distinct 2,3,7,6",
        (
            "F.max_pool2d(x - 99, 3, 2, padding=[0, 1, 1, 0])",
            "F.max_pool2d(F.pad(x - 99, (1, 0, 0, 1), value=-torch.inf), 3, 2)",
        ),
    ),
    trap(
        "padding='SAME' puts the odd row at the bottom and right: symmetric padding looks elsewhere",
        "F.max_pool2d(x, 3, 2, padding=1)",
        "distinct 2,3,7,6",
        (
            "F.max_pool2d(x, 3, 2, padding='SAME')",
            "F.max_pool2d(F.pad(x, (0, 1, 1, 1), value=-torch.inf), 3, 2)",
        ),
    ),
    trap(
        "data_format='NHWC' has no twin",
        "F.max_pool2d(x, 2)",
        "distinct 2,6,6,4",
        (
            "F.max_pool2d(x, 2, data_format='NHWC')",
            "F.max_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)",
        ),
    ),
)


ROUNDED_TRAPS = (
    trap(
        "the gradient is scaled by a float32 1/49, so that float64 gradients of a correct port are 2e-8 off "
        "(x.mean of both dimensions is exact in both frameworks)",
        "F.adaptive_avg_pool2d(x, 1)",
        "float 2,3,7,7",
        (
            "F.adaptive_avg_pool2d(x, 1)",
            "rounded = x.sum((2, 3), keepdim=True) * f32(1 / 49)\n"
            "rounded + (x.mean((2, 3), keepdim=True) - rounded).detach()",
        ),
    ),
)


def adaptive_arguments(n: int, maximum: bool) -> tuple[Argument, ...]:
    size = Argument("output_size", "output_size")
    if maximum:
        return (size, RETURN_MASK, NAME)
    return (size, NAME) if n == 1 else (size, DATA_FORMAT, NAME)


def _pools(n: int) -> tuple[Row, ...]:
    distinct, real = f"distinct 2,3,{SIZES[n]}", f"float 2,3,{SIZES[n]}"
    return (
        layer(
            (f"MaxPool{n}D", f"MaxPool{n}d"),
            _BIT,
            "the same windows",
            cases(
                distinct,
                (f"nn.MaxPool{n}D(2)", f"nn.MaxPool{n}d(2)"),
                (f"nn.MaxPool{n}D(3, 2, 1)", f"nn.MaxPool{n}d(3, 2, 1)"),
                (f"nn.MaxPool{n}D(3, 2, ceil_mode=True)", f"nn.MaxPool{n}d(3, 2, ceil_mode=True)"),
                (f"nn.MaxPool{n}D(2, return_mask=True)", f"nn.MaxPool{n}d(2, return_indices=True)"),
            ),
            files="pooling",
            arguments=maximum_arguments(n),
            traps=maximum_traps(n) + (PADDED_TRAPS if n == 2 else ()),
        ),
        layer(
            (f"AvgPool{n}D", f"AvgPool{n}d"),
            _NEAR,
            AVERAGE,
            cases(
                real,
                (f"nn.AvgPool{n}D(3, 2, 1)", f"nn.AvgPool{n}d(3, 2, 1, count_include_pad=False)"),
                (f"nn.AvgPool{n}D(3, 2, 1, exclusive=False)", f"nn.AvgPool{n}d(3, 2, 1)"),
                (f"nn.AvgPool{n}D(3, 2, ceil_mode=True)", f"nn.AvgPool{n}d(3, 2, ceil_mode=True)"),
            ),
            files="pooling",
            within=WITHIN,
            arguments=average_arguments(n),
            traps=average_traps(n) + (divisor_traps(n) if n > 1 else ()),
        ),
        layer(
            (f"AdaptiveAvgPool{n}D", f"AdaptiveAvgPool{n}d"),
            _NEAR,
            AVERAGE,
            cases(
                real,
                *(
                    (f"nn.AdaptiveAvgPool{n}D({size})", f"nn.AdaptiveAvgPool{n}d({size})")
                    for size in ADAPTIVE_SIZES[n]
                ),
            ),
            files="pooling",
            within=WITHIN,
            arguments=adaptive_arguments(n, maximum=False),
            traps=ROUNDED_TRAPS if n == 2 else (),
        ),
        layer(
            (f"AdaptiveMaxPool{n}D", f"AdaptiveMaxPool{n}d"),
            _BIT,
            "the same windows",
            cases(
                distinct,
                (f"nn.AdaptiveMaxPool{n}D(3)", f"nn.AdaptiveMaxPool{n}d(3)"),
                (
                    f"nn.AdaptiveMaxPool{n}D(2, return_mask=True)",
                    f"nn.AdaptiveMaxPool{n}d(2, return_indices=True)",
                ),
            ),
            files="pooling",
            arguments=adaptive_arguments(n, maximum=True),
        ),
        layer(
            (f"MaxUnPool{n}D", f"MaxUnpool{n}d"),
            _BIT,
            "puts each maximum back to its place",
            cases(
                f"distinct 2,3,{EVEN[n]}",
                (
                    f"y, mask = F.max_pool{n}d(x, 2, return_mask=True)\nnn.MaxUnPool{n}D(2)(y, mask)",
                    f"y, mask = F.max_pool{n}d(x, 2, return_indices=True)\nnn.MaxUnpool{n}d(2)(y, mask)",
                ),
            ),
            files="pooling",
            arguments=UNPOOL,
            traps=unpool_traps(n),
        ),
    )


UNPOOL = (
    Argument("kernel_size", "kernel_size"),
    Argument("stride", "stride"),
    Argument("padding", "padding", paddle_default=0, torch_default=0),
    DATA_FORMAT,
    Argument("output_size", None, note="torch's module takes it when it is called"),
    NAME,
)


def unpool_traps(n: int) -> tuple[Trap, ...]:
    pool, back = f"F.max_pool{n}d", f"F.max_unpool{n}d"
    return (
        trap(
            "torch wants int64 indices: an int32 mask saved from Paddle is refused",
            f"y, mask = {pool}(x, 2, return_indices=True)\n{back}(y, mask.int(), 2)",
            f"distinct 2,3,{EVEN[n]}",
            (
                f"y, mask = {pool}(x, 2, return_mask=True)\n{back}(y, mask, 2)",
                f"y, mask = {pool}(x, 2, return_indices=True)\n{back}(y, mask.int().long(), 2)",
            ),
        ),
    )


LP_REASON = "(sum of x ** p) ** (1 / p); in float64 too Paddle is only as exact as float32"
LP_PADDING = Argument("padding", None, paddle_default=0, note="torch has none: F.pad first")


def lp_arguments() -> tuple[Argument, ...]:
    return (
        Argument("norm_type", "norm_type"),
        Argument("kernel_size", "kernel_size"),
        Argument("stride", "stride"),
        LP_PADDING,
        Argument("ceil_mode", "ceil_mode", paddle_default=False, torch_default=False),
        DATA_FORMAT,
        NAME,
    )


def lp_traps(n: int) -> tuple[Trap, ...]:
    return (
        trap(
            "torch has no padding argument",
            f"F.lp_pool{n}d(x, 2, 2, padding=1)",
            f"positive 2,3,{EVEN[n]}",
            (f"F.lp_pool{n}d(x, 2, 2, padding=1)", f"F.lp_pool{n}d(F.pad(x, {(1,) * 2 * n}), 2, 2)"),
        ),
    )


def _lp_pool(n: int) -> Row:
    return layer(
        (f"LPPool{n}D", f"LPPool{n}d"),
        _NEAR,
        LP_REASON,
        cases(
            f"positive 2,3,{SIZES[n]}",
            (f"nn.LPPool{n}D(2, 2)", f"nn.LPPool{n}d(2, 2)"),
            (f"nn.LPPool{n}D(3.0, 3, 2)", f"nn.LPPool{n}d(3.0, 3, 2)"),
        ),
        files="pooling",
        within=2e-6,
        arguments=lp_arguments(),
        traps=lp_traps(n),
    )


def fractional_arguments() -> tuple[Argument, ...]:
    return (
        Argument("output_size", "output_size", note="second in Paddle's order, torch has kernel_size first"),
        Argument("kernel_size", "kernel_size", note="None in Paddle: disjoint windows, which torch has not"),
        Argument(
            "random_u", "_random_samples", note="torch: one number for each image, channel and dimension"
        ),
        RETURN_MASK,
        NAME,
    )


def _fractional(n: int) -> Row:
    size = {2: "7,6", 3: "7,6,5"}[n]
    return layer(
        (f"FractionalMaxPool{n}D", f"FractionalMaxPool{n}d"),
        _BIT,
        "the same windows once both are given the random number and the kernel size",
        cases(
            f"distinct 2,3,{size}",
            (
                f"nn.FractionalMaxPool{n}D(3, kernel_size=2, random_u=0.3)",
                f"nn.FractionalMaxPool{n}d(2, 3, _random_samples=torch.full((2, 3, {n}), 0.3))",
            ),
        ),
        files="pooling",
        arguments=fractional_arguments(),
        traps=(
            Trap(
                "the order of the arguments: Paddle has output_size first, torch kernel_size",
                f"nn.FractionalMaxPool{n}d(3, 2, _random_samples=torch.full((2, 3, {n}), 0.3))",
            ),
        ),
    )


ROWS = (
    *(row for n in (1, 2, 3) for row in _pools(n)),
    *(_lp_pool(n) for n in (1, 2)),
    *(_fractional(n) for n in (2, 3)),
)
