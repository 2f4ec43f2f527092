"""Dropout functions."""

from __future__ import annotations

from convert.rosetta.layers.common import NAME
from convert.rosetta.layers.dropout import AXIS, AXIS_TRAPS, DOWNSCALE_TRAPS, MODE, P, channels_trap
from convert.rosetta.rows import Argument, Exactness, Row
from convert.rosetta.writing import cases, function, trap

_REASON = "random zeros and a scale of 1 / (1 - p); the masks never match, whatever the seed"
_X = Argument("x", "input")
_TRAINING = Argument("training", "training", paddle_default=True, torch_default=True)


def _channels(n: int) -> Row:
    return function(
        f"dropout{n}d",
        Exactness.DISTRIBUTION,
        _REASON,
        cases(
            f"ones 100,20,{','.join('2' * n)} constant",
            f"F.dropout{n}d(x, 0.5).flatten(2).mean(2)",
            f"F.dropout{n}d(x, 0.75).flatten(2).mean(2)",
            compare="distribution",
        ),
        file="common",
        arguments=(
            Argument("input" if n == 1 else "x", "input"),
            P,
            _TRAINING,
            *(() if n == 1 else (Argument("data_format", None), NAME)),
        ),
        traps=(channels_trap(n, f"F.dropout{n}d(x, 0.5)"),),
    )


def _alpha(name: str) -> Row:
    return function(
        name,
        Exactness.DISTRIBUTION,
        "SELU's saturation value instead of 0, then the old mean and variance; the masks never match",
        cases(
            "float 200,10,2 constant",
            (f"(F.{name}(x, 0.5) * 100).round()", f"(F.{name}(x, 0.5, training=True) * 100).round()"),
            compare="distribution",
        ),
        file="common",
        arguments=(
            _X,
            P,
            Argument("training", "training", paddle_default=True, torch_default=False),
            NAME,
        ),
        traps=(
            trap(
                "training is True by default in Paddle, False in torch",
                f"(F.{name}(x, 0.5) * 100).round()",
                "float 200,10,2 constant",
                (f"(F.{name}(x, 0.5) * 100).round()", f"(F.{name}(x, 0.5, training=True) * 100).round()"),
                compare="distribution",
            ),
        ),
    )


ROWS: tuple[Row, ...] = (
    function(
        "dropout",
        Exactness.DISTRIBUTION,
        _REASON,
        cases("ones 4000 constant", "F.dropout(x)", "F.dropout(x, 0.25)", compare="distribution"),
        file="common",
        arguments=(_X, P, AXIS, _TRAINING, Argument("inplace", "inplace"), MODE, NAME),
        traps=(*DOWNSCALE_TRAPS, *AXIS_TRAPS),
    ),
    *(_channels(n) for n in (1, 2, 3)),
    *(_alpha(name) for name in ("alpha_dropout", "feature_alpha_dropout")),
)
