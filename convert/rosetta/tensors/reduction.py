"""Sums, extremes and statistics over axes."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Row, Trap
from convert.rosetta.tensors.common import AXIS, KEEPDIM, X_INPUT, case, function

MATH, STAT, SEARCH, LOGIC = "tensor/math", "tensor/stat", "tensor/search", "tensor/logic"
REDUCES = (X_INPUT, AXIS, KEEPDIM)


def _extreme(name: str, torch: str) -> Row:
    """max and min: values only, in Paddle."""
    return function(
        name,
        torch,
        MATH,
        "copies of the extreme values; torch's name with a dim gives (values, indices)",
        case(f"paddle.{name}(x)", f"torch.{torch}(x)", x="distinct 3,4"),
        case(f"paddle.{name}(x, axis=1)", f"torch.{torch}(x, dim=1)", x="distinct 3,4"),
        case(
            f"paddle.{name}(x, axis=[0, 1], keepdim=True)",
            f"torch.{torch}(x, dim=(0, 1), keepdim=True)",
            x="distinct 3,4",
        ),
        arguments=REDUCES,
        traps=(
            Trap(
                f"torch.{name} with a dim returns (values, indices)",
                naive=f"torch.{name}(x, dim=1)",
                example=case(f"paddle.{name}(x, axis=1)", f"torch.{name}(x, dim=1).values", x="distinct 3,4"),
            ),
        ),
    )


def _position(name: str) -> Row:
    return function(
        name,
        name,
        SEARCH,
        "the first of equal ones",
        case(f"paddle.{name}(x, axis=1)", f"torch.{name}(x, dim=1)", x="distinct 3,4"),
        case(f"paddle.{name}(x)", f"torch.{name}(x)", x="distinct 3,4"),
        case(f"paddle.{name}(x, 0, keepdim=True)", f"torch.{name}(x, 0, keepdim=True)", x="distinct 3,4"),
        case(f"paddle.{name}(x)", f"torch.{name}(x)", x="= [1.0, 3.0, 3.0, 1.0]"),
        arguments=(*REDUCES, Argument("dtype", None, paddle_default="int64", note="torch: always int64")),
        traps=(
            Trap(
                "torch cannot give int32",
                naive=f"torch.{name}(x, 1, dtype=torch.int32)",
                example=case(
                    f"paddle.{name}(x, 1, dtype='int32')",
                    f"torch.{name}(x, 1).to(torch.int32)",
                    x="distinct 3,4",
                    compare="dtype",
                ),
            ),
        ),
    )


def _moment(name: str) -> Row:
    return function(
        name,
        name,
        STAT,
        "divides by n - 1 in both by default",
        case(f"paddle.{name}(x)", f"torch.{name}(x)", x="float 3,4"),
        case(
            f"paddle.{name}(x, axis=1, unbiased=False, keepdim=True)",
            f"torch.{name}(x, dim=1, unbiased=False, keepdim=True)",
            x="float 3,4",
        ),
        exactness=Exactness.ALGEBRA,
        arguments=(
            X_INPUT,
            AXIS,
            Argument("unbiased", "correction", values={True: 1, False: 0}, paddle_default=True),
            KEEPDIM,
        ),
        traps=(Trap("numpy's is biased by default", naive=f"torch.{name}(x, correction=0)"),),
    )


def _any(name: str) -> Row:
    return function(
        name,
        name,
        MATH,
        "of bools",
        case(f"paddle.{name}(a)", f"torch.{name}(a)", a="bool 2,3"),
        case(f"paddle.{name}(a, axis=1)", f"torch.{name}(a, dim=1)", a="bool 2,3"),
        arguments=REDUCES,
    )


ROWS: tuple[Row, ...] = (
    function(
        "sum",
        "sum",
        MATH,
        "bools and int32 are added up in int64 in both",
        case("paddle.sum(x)", "torch.sum(x)", x="float 3,4"),
        case(
            "paddle.sum(x, axis=[0, 2], keepdim=True)",
            "torch.sum(x, dim=(0, 2), keepdim=True)",
            x="float 2,3,4",
        ),
        case("paddle.sum(a)", "torch.sum(a)", a="bool 5", compare="dtype"),
        exactness=Exactness.ALGEBRA,
        arguments=(X_INPUT, AXIS, Argument("dtype", "dtype"), KEEPDIM),
        traps=(
            Trap(
                "the third positional argument is the dtype in Paddle, keepdim in torch",
                naive="torch.sum(x, 1, torch.float32)",
                example=case(
                    "paddle.sum(x, 1, 'float32')", "torch.sum(x, 1, dtype=torch.float32)", x="= [[1.0, 2.0]]"
                ),
            ),
        ),
    ),
    function(
        "mean",
        "mean",
        STAT,
        "the sum over n",
        case("paddle.mean(x)", "torch.mean(x)", x="float 3,4"),
        case("paddle.mean(x, axis=[2, 3])", "torch.mean(x, dim=(2, 3))", x="float 2,3,4,5"),
        case("paddle.mean(x, 1, True)", "torch.mean(x, 1, True)", x="float 2,3"),
        exactness=Exactness.ALGEBRA,
        arguments=REDUCES,
        traps=(
            Trap(
                "the mean of integers is an integer in Paddle, cut off; torch refuses it",
                naive="torch.mean(i)",
                example=case(
                    "paddle.mean(i)", "torch.div(i.sum(), i.numel(), rounding_mode='trunc')", i="= [1, 2, 5]"
                ),
            ),
        ),
    ),
    *(_moment(name) for name in ("std", "var")),
    function(
        "prod",
        "prod",
        MATH,
        "a product",
        case("paddle.prod(x)", "torch.prod(x)", x="float 3,4"),
        case("paddle.prod(x, axis=1, keepdim=True)", "torch.prod(x, dim=1, keepdim=True)", x="float 3,4"),
        exactness=Exactness.ALGEBRA,
        arguments=REDUCES,
        traps=(
            Trap(
                "torch reduces one axis at a time",
                naive="torch.prod(x, dim=[0, 1])",
                example=case("paddle.prod(x, axis=[0, 1])", "x.flatten(0, 1).prod(0)", x="float 2,2,3"),
            ),
        ),
    ),
    *(_extreme(name, f"a{name}") for name in ("max", "min")),
    *(
        function(
            name,
            name,
            MATH,
            "the extreme; equal ones share the gradient",
            case(f"paddle.{name}(x, axis=1)", f"torch.{name}(x, dim=1)", x="float 3,4"),
            case(
                f"paddle.{name}(x)",
                f"torch.{name}(x)",
                x="= [1.0, 3.0, 3.0]" if name == "amax" else "= [1.0, 1.0, 3.0]",
            ),
            arguments=REDUCES,
        )
        for name in ("amax", "amin")
    ),
    *(_position(name) for name in ("argmax", "argmin")),
    *(_any(name) for name in ("any", "all")),
    function(
        "cumsum",
        "cumsum",
        MATH,
        "running sums",
        case("paddle.cumsum(x, axis=1)", "torch.cumsum(x, dim=1)", x="float 3,4"),
        case("paddle.cumsum(x)", "torch.cumsum(x.flatten(), dim=0)", x="float 3,4"),
        exactness=Exactness.ALGEBRA,
        arguments=(X_INPUT, Argument("axis", "dim", paddle_default=None, note="None: of the flat tensor")),
        traps=(
            Trap(
                "without an axis Paddle flattens; torch wants a dim",
                naive="torch.cumsum(x)",
                example=case("paddle.cumsum(x)", "torch.cumsum(x.flatten(), 0)", x="float 3,4"),
            ),
        ),
    ),
    function(
        "cumprod",
        "cumprod",
        MATH,
        "running products",
        case("paddle.cumprod(x, dim=1)", "torch.cumprod(x, dim=1)", x="float 3,4"),
        exactness=Exactness.ALGEBRA,
        arguments=(X_INPUT, Argument("dim", "dim", note="called dim in Paddle too")),
        traps=(
            Trap(
                "without a dim Paddle flattens",
                naive="torch.cumprod(x)",
                example=case("paddle.cumprod(x)", "torch.cumprod(x.flatten(), 0)", x="float 3,4"),
            ),
        ),
    ),
    *(
        function(
            name,
            name,
            MATH,
            "running extremes and where they were",
            case(f"paddle.{name}(x, axis=1)", f"torch.{name}(x, dim=1)", x="distinct 3,4"),
            arguments=(X_INPUT, Argument("axis", "dim", note="None: of the flat tensor")),
        )
        for name in ("cummax", "cummin")
    ),
    function(
        "logsumexp",
        "logsumexp",
        MATH,
        "log of the sum of exponentials, the maximum taken out",
        case("paddle.logsumexp(x, axis=1)", "torch.logsumexp(x, dim=1)", x="float 3,4"),
        case("paddle.logsumexp(x)", "torch.logsumexp(x, dim=(0, 1))", x="float 3,4"),
        exactness=Exactness.ALGEBRA,
        arguments=REDUCES,
        traps=(
            Trap(
                "torch wants the axes",
                naive="torch.logsumexp(x)",
                example=case("paddle.logsumexp(x)", "torch.logsumexp(x, dim=(0, 1))", x="float 3,4"),
            ),
        ),
    ),
    *(
        function(
            name,
            name,
            MATH,
            "without the NaNs",
            case(f"paddle.{name}(x)", f"torch.{name}(x)", x="= [1.0, nan, 3.0]", backward=False),
            exactness=Exactness.ALGEBRA,
            arguments=REDUCES,
        )
        for name in ("nansum", "nanmean")
    ),
    function(
        "count_nonzero",
        "count_nonzero",
        MATH,
        "a count",
        case("paddle.count_nonzero(i, axis=1)", "torch.count_nonzero(i, dim=1)", i="int<2 3,4"),
        arguments=(X_INPUT, AXIS),
        traps=(
            Trap(
                "torch has no keepdim here",
                naive="torch.count_nonzero(i, dim=1, keepdim=True)",
                example=case(
                    "paddle.count_nonzero(i, axis=1, keepdim=True)",
                    "torch.count_nonzero(i, dim=1).unsqueeze(1)",
                    i="int<2 3,4",
                ),
            ),
        ),
    ),
    function(
        "median",
        "median",
        STAT,
        "the middle one; of an even number, the mean of the two middle ones (mode='avg')",
        case("paddle.median(x)", "torch.median(x)", x="distinct 5"),
        arguments=(*REDUCES, Argument("mode", None, paddle_default="avg", note="'min' is torch's")),
        traps=(
            Trap(
                "of an even number torch takes the lower one",
                naive="torch.median(x)",
                example=case("paddle.median(x)", "torch.quantile(x, 0.5)", x="distinct 4", backward=False),
            ),
            Trap(
                "with a dim torch gives (values, indices)",
                naive="torch.median(x, dim=1)",
                example=case("paddle.median(x, axis=1)", "torch.median(x, dim=1).values", x="distinct 3,5"),
            ),
        ),
    ),
    function(
        "quantile",
        "quantile",
        STAT,
        "linear between the two nearest",
        case(
            "paddle.quantile(x, 0.3, axis=1)",
            "torch.quantile(x, 0.3, dim=1)",
            x="distinct 3,5",
            backward=False,
        ),
        exactness=Exactness.ALGEBRA,
        arguments=(X_INPUT, Argument("q", "q"), AXIS, KEEPDIM, Argument("interpolation", "interpolation")),
    ),
    function(
        "histogram",
        "histc",
        "tensor/linalg",
        "counts of equal bins; min = max = 0 means the range of the numbers",
        case("paddle.histogram(x, 4, -2, 2)", "torch.histc(x, 4, -2, 2).long()", x="float 40"),
        arguments=(
            Argument("input", "input"),
            Argument("bins", "bins", paddle_default=100, torch_default=100),
            Argument("min", "min"),
            Argument("max", "max"),
        ),
        traps=(
            Trap(
                "torch's counts are floats",
                naive="torch.histc(x, 4, -2, 2)",
                example=case(
                    "paddle.histogram(x, 4, -2, 2)",
                    "torch.histc(x, 4, -2, 2).long()",
                    x="float 40",
                    compare="dtype",
                ),
            ),
            Trap("torch.histogram returns counts and edges", naive="torch.histogram(x, 4)"),
        ),
    ),
    function(
        "bincount",
        "bincount",
        "tensor/linalg",
        "counts",
        case("paddle.bincount(i, minlength=6)", "torch.bincount(i, minlength=6)", i="int<4 9"),
        arguments=(X_INPUT, Argument("weights", "weights"), Argument("minlength", "minlength")),
    ),
)
