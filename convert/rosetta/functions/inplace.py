"""Activation functions that overwrite their input."""

from __future__ import annotations

from convert.rosetta.layers.activation import ALPHA, SLOPE
from convert.rosetta.layers.common import NAME
from convert.rosetta.rows import Argument, Exactness, Row, Trap
from convert.rosetta.writing import Texts, cases, function, trap

_INPUT = Argument("x", "input")
_ONLY = Argument("x", None)
_X = "float 3,4"
_BOUNDS = (
    Argument("min", "min_val", convert="f32", paddle_default=-1.0, torch_default=-1.0),
    Argument("max", "max_val", convert="f32", paddle_default=1.0, torch_default=1.0),
)


def _row(name: Texts, exactness: Exactness, *texts: Texts, arguments: tuple[Argument, ...] = ()) -> Row:
    paddle = name if isinstance(name, str) else name[0]
    plain = paddle.removesuffix("_")
    return function(
        name,
        exactness,
        f"{plain}, written over its input",
        cases(_X, *texts),
        file="activation",
        arguments=(_INPUT, *arguments, NAME),
        traps=(_overwritten(texts[0]),),
    )


def _overwritten(texts: Texts) -> Trap:
    """Whoever kept the input keeps the output."""
    paddle, torch = (texts, texts) if isinstance(texts, str) else texts
    kept = "y = x * 1\n{}\ny"
    return trap(
        "the input itself changes: a tensor that was kept for later, or captured by a hook, is overwritten",
        kept.format(torch.replace("_(", "(").replace("x * 1", "y")),
        _X,
        (kept.format(paddle.replace("x * 1", "y")), kept.format(torch.replace("x * 1", "y"))),
    )


ROWS: tuple[Row, ...] = (
    _row("relu_", Exactness.BIT, "F.relu_(x * 1)"),
    _row("leaky_relu_", Exactness.BIT, "F.leaky_relu_(x * 1, 0.25)", arguments=(SLOPE,)),
    _row("elu_", Exactness.F32, ("F.elu_(x * 1, 0.3)", "F.elu_(x * 1, f32(0.3))"), arguments=(ALPHA,)),
    _row(
        "hardtanh_",
        Exactness.F32,
        ("F.hardtanh_(x * 1, -0.3, 0.6)", "F.hardtanh_(x * 1, f32(-0.3), f32(0.6))"),
        arguments=_BOUNDS,
    ),
    _row(
        ("thresholded_relu_", "threshold_"),
        Exactness.BIT,
        ("F.thresholded_relu_(x * 1)", "F.threshold_(x * 1, 1.0, 0.0)"),
        arguments=(Argument("threshold", "threshold"), Argument("value", "value")),
    ),
    function(
        ("tanh_", ""),
        Exactness.NONE,
        "tanh, written over its input",
        cases(_X, ("F.tanh_(x * 1)", "(x * 1).tanh_()")),
        file="tensor/math.py",
        remedy="the tensor's own method",
        arguments=(_ONLY, NAME),
        traps=(Trap("torch's F has no tanh_", "F.tanh_(x * 1)"),),
    ),
    function(
        ("softmax_", ""),
        Exactness.NONE,
        "softmax, written over its input",
        cases(_X, ("F.softmax_(x * 1)", "F.softmax(x, dim=-1)")),
        file="activation",
        remedy="softmax without overwriting, or x.copy_ of it",
        arguments=(_ONLY, Argument("axis", None, paddle_default=-1), NAME),
        traps=(Trap("torch's F has no softmax_", "F.softmax_(x * 1, -1)"),),
    ),
)
