"""Pooling functions."""

from __future__ import annotations

from convert.rosetta.layers.common import DATA_FORMAT, NAME
from convert.rosetta.layers.pooling import (
    ADAPTIVE_SIZES,
    AVERAGE,
    EVEN,
    LP_REASON,
    PADDED_TRAPS,
    ROUNDED_TRAPS,
    SIZES,
    WITHIN,
    adaptive_arguments,
    average_arguments,
    average_traps,
    divisor_traps,
    fractional_arguments,
    lp_arguments,
    lp_traps,
    maximum_arguments,
    maximum_traps,
    unpool_traps,
)
from convert.rosetta.rows import Argument, Exactness, Row, Trap
from convert.rosetta.writing import cases, function

_NEAR, _BIT = Exactness.NEAR, Exactness.BIT


def _pools(n: int) -> tuple[Row, ...]:
    distinct, real = f"distinct 2,3,{SIZES[n]}", f"float 2,3,{SIZES[n]}"
    maximum, average = f"F.max_pool{n}d", f"F.avg_pool{n}d"
    return (
        function(
            f"max_pool{n}d",
            _BIT,
            "the same windows",
            cases(
                distinct,
                f"{maximum}(x, 2)",
                f"{maximum}(x, 3, 2, 1)",
                f"{maximum}(x, 3, 2, ceil_mode=True)",
                (f"{maximum}(x, 2, return_mask=True)", f"{maximum}(x, 2, return_indices=True)"),
            ),
            file="pooling",
            arguments=maximum_arguments(n),
            traps=maximum_traps(n) + (PADDED_TRAPS if n == 2 else ()),
        ),
        function(
            f"avg_pool{n}d",
            _NEAR,
            AVERAGE,
            cases(
                real,
                (f"{average}(x, 3, 2, 1)", f"{average}(x, 3, 2, 1, count_include_pad=False)"),
                (f"{average}(x, 3, 2, 1, exclusive=False)", f"{average}(x, 3, 2, 1)"),
                f"{average}(x, 3, 2, ceil_mode=True)",
            ),
            file="pooling",
            within=WITHIN,
            arguments=average_arguments(n),
            traps=average_traps(n) + (divisor_traps(n) if n > 1 else ()),
        ),
        function(
            f"adaptive_avg_pool{n}d",
            _NEAR,
            AVERAGE,
            cases(real, *(f"F.adaptive_avg_pool{n}d(x, {size})" for size in ADAPTIVE_SIZES[n])),
            file="pooling",
            within=WITHIN,
            arguments=adaptive_arguments(n, maximum=False),
            traps=ROUNDED_TRAPS if n == 2 else (),
        ),
        function(
            f"adaptive_max_pool{n}d",
            _BIT,
            "the same windows",
            cases(
                distinct,
                f"F.adaptive_max_pool{n}d(x, 3)",
                (
                    f"F.adaptive_max_pool{n}d(x, 2, return_mask=True)",
                    f"F.adaptive_max_pool{n}d(x, 2, return_indices=True)",
                ),
            ),
            file="pooling",
            arguments=adaptive_arguments(n, maximum=True),
        ),
        function(
            f"max_unpool{n}d",
            _BIT,
            "puts each maximum back to its place",
            cases(
                f"distinct 2,3,{EVEN[n]}",
                (
                    f"y, mask = {maximum}(x, 2, return_mask=True)\nF.max_unpool{n}d(y, mask, 2)",
                    f"y, mask = {maximum}(x, 2, return_indices=True)\nF.max_unpool{n}d(y, mask, 2)",
                ),
            ),
            file="pooling",
            arguments=(
                Argument("x", "input"),
                Argument("indices", "indices", note="int32 in Paddle, int64 in torch"),
                Argument("output_size", "output_size"),
                DATA_FORMAT,
                NAME,
            ),
            traps=unpool_traps(n),
        ),
    )


def _lp_pool(n: int) -> Row:
    return function(
        f"lp_pool{n}d",
        _NEAR,
        LP_REASON,
        cases(f"positive 2,3,{SIZES[n]}", f"F.lp_pool{n}d(x, 2, 2)", f"F.lp_pool{n}d(x, 3.0, 3, 2)"),
        file="pooling",
        within=2e-6,
        arguments=lp_arguments(),
        traps=lp_traps(n),
    )


def _fractional(n: int) -> Row:
    pool = f"F.fractional_max_pool{n}d"
    return function(
        f"fractional_max_pool{n}d",
        _BIT,
        "the same windows once both are given the random number and the kernel size",
        cases(
            f"distinct 2,3,{ {2: '7,6', 3: '7,6,5'}[n] }",
            (
                f"{pool}(x, 3, kernel_size=2, random_u=0.3)",
                f"{pool}(x, 2, 3, _random_samples=torch.full((2, 3, {n}), 0.3))",
            ),
        ),
        file="pooling",
        arguments=fractional_arguments(),
        traps=(
            Trap(
                "the order of the arguments: Paddle has output_size first, torch kernel_size",
                f"{pool}(x, 3, 2, _random_samples=torch.full((2, 3, {n}), 0.3))",
            ),
        ),
    )


ROWS: tuple[Row, ...] = (
    *(row for n in (1, 2, 3) for row in _pools(n)),
    *(_lp_pool(n) for n in (1, 2)),
    *(_fractional(n) for n in (2, 3)),
)
