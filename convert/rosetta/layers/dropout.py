"""Dropout layers: the masks never match, whatever the seed; the distributions do."""

from __future__ import annotations

from convert.rosetta.layers.common import DATA_FORMAT, NAME
from convert.rosetta.rows import Argument, Exactness, Row, Trap
from convert.rosetta.writing import case, layer, trap

P = Argument("p", "p", paddle_default=0.5, torch_default=0.5)
AXIS = Argument("axis", None, values={None: None}, note="torch drops single elements or whole channels only")
MODE = Argument("mode", None, values={"upscale_in_train": None}, paddle_default="upscale_in_train")
REASON = (
    "scales by 1 / (1 - p) in training and does nothing in eval; the masks never match, whatever the seed"
)


DOWNSCALE_TRAPS = (
    trap(
        "'downscale_in_infer' multiplies by 1 - p in eval; torch does nothing there",
        "F.dropout(x, 0.5, training=False)",
        "float 3,4",
        ("F.dropout(x, 0.5, training=False, mode='downscale_in_infer')", "x * (1 - 0.5)"),
        argument="mode",
    ),
    trap(
        "and keeps its input unscaled in training; torch scales by 1 / (1 - p)",
        "F.dropout(x, 0.5)",
        "ones 2000 constant",
        ("F.dropout(x, 0.5, mode='downscale_in_infer')", "F.dropout(x, 0.5) * (1 - 0.5)"),
        compare="distribution",
    ),
)
AXIS_TRAPS = (
    trap(
        "axis=0 drops whole rows: multiply by a dropped-out column of ones",
        "F.dropout(x, 0.5).mean(1)",
        "ones 2000,16 constant",
        (
            "F.dropout(x, 0.5, axis=0).mean(1)",
            "(x * F.dropout(torch.ones(len(x), 1), 0.5)).mean(1)",
        ),
        compare="distribution",
    ),
)


def channels_trap(n: int, call: str = "") -> Trap:
    """`call` is `F.dropout2d(x, 0.5)`; by default the layer's."""
    spatial = ",".join("2" * n)
    paddle = call or f"nn.Dropout{n}D(0.5)(x)"
    torch = call or f"nn.Dropout{n}d(0.5)(x)"
    return trap(
        "whole channels are dropped, not single elements",
        "F.dropout(x, 0.5).flatten(2).mean(2)",
        f"ones 100,20,{spatial} constant",
        (f"{paddle}.flatten(2).mean(2)", f"{torch}.flatten(2).mean(2)"),
        compare="distribution",
    )


def _channels(n: int) -> Row:
    return layer(
        (f"Dropout{n}D", f"Dropout{n}d"),
        Exactness.BIT,
        REASON,
        (
            case(
                f"float 2,3,{','.join('432'[:n])}",
                (f"nn.Dropout{n}D(0.5)", f"nn.Dropout{n}d(0.5)"),
                modes=("eval",),
            ),
        ),
        files=("common", "dropout"),
        arguments=(P, DATA_FORMAT, NAME),
        traps=(channels_trap(n),),
    )


def _alpha(name: str) -> Row:
    shape = "float 200,10,2 constant"
    return layer(
        name,
        Exactness.BIT,
        "nothing in eval; in training SELU's saturation value instead of 0; the masks never match",
        (case("float 3,4,2", f"nn.{name}(0.5)", modes=("eval",)),),
        files=("common", "dropout"),
        arguments=(P, NAME),
        traps=(
            trap(
                "it is no dropout to zero: mean and variance are kept",
                "(nn.Dropout(0.5)(x) * 100).round()",
                shape,
                f"(nn.{name}(0.5)(x) * 100).round()",
                compare="distribution",
            ),
        ),
    )


ROWS = (
    layer(
        "Dropout",
        Exactness.BIT,
        REASON,
        (case("float 3,4", "nn.Dropout(0.5)", modes=("eval",)),),
        files=("common", "dropout"),
        arguments=(P, Argument("inplace", "inplace"), AXIS, MODE, NAME),
        traps=(*DOWNSCALE_TRAPS, *AXIS_TRAPS),
    ),
    *(_channels(n) for n in (2, 3)),
    *(_alpha(name) for name in ("AlphaDropout", "FeatureAlphaDropout")),
)
