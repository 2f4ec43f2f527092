"""Normalization functions."""

from __future__ import annotations

from convert.rosetta.layers.common import EPSILON, NAME
from convert.rosetta.layers.normalization import LOCAL_RESPONSE
from convert.rosetta.rows import Argument, Exactness, Row, Trap
from convert.rosetta.writing import case, cases, function, trap

_X = Argument("x", "input")
_WEIGHT, _BIAS = Argument("weight", "weight"), Argument("bias", "bias")
_LAYOUT = Argument("data_format", None, note="permute an NHWC input")
_MOMENTUM = Argument("momentum", "momentum", convert="1 - f32", paddle_default=0.9, torch_default=0.1)
_BATCH = {
    "x": "float 3,4,6,5",
    "m": "float 4 constant",
    "v": "positive 4 constant",
    "w": "float 4",
    "b": "float 4",
}
_EPS = "eps=f32(1e-5)"

ROWS: tuple[Row, ...] = (
    function(
        "batch_norm",
        Exactness.F32,
        "the same normalization; see the traps for the running statistics",
        cases(
            _BATCH,
            ("F.batch_norm(x, m, v, w, b)", f"F.batch_norm(x, m, v, w, b, {_EPS})"),
            (
                "F.batch_norm(x, m, v, w, b, training=True)",
                f"F.batch_norm(x, m, v, w, b, training=True, {_EPS})",
            ),
        ),
        file="norm",
        arguments=(
            _X,
            Argument("running_mean", "running_mean"),
            Argument("running_var", "running_var"),
            _WEIGHT,
            _BIAS,
            Argument("training", "training", paddle_default=False, torch_default=False),
            _MOMENTUM,
            EPSILON,
            _LAYOUT,
            Argument("use_global_stats", None, note="True: training=False in torch"),
            NAME,
        ),
        traps=(
            trap(
                "use_global_stats=True wins over training=True",
                f"F.batch_norm(x, m, v, w, b, training=True, {_EPS})",
                _BATCH,
                (
                    "F.batch_norm(x, m, v, w, b, training=True, use_global_stats=True)",
                    f"F.batch_norm(x, m, v, w, b, {_EPS})",
                ),
            ),
            trap(
                "the running mean: Paddle's momentum keeps that share of the old value, torch's takes it of the new",
                "F.batch_norm(x, m, v, training=True, momentum=0.9)\nm",
                {**_BATCH, "x": "float 3,4,6,5 constant"},
                (
                    "F.batch_norm(x, m, v, training=True)\nm",
                    "F.batch_norm(x, m, v, training=True, momentum=1 - f32(0.9))\nm",
                ),
                backward=False,
            ),
            trap(
                "the running variance: Paddle accumulates the biased one, torch the unbiased one",
                "F.batch_norm(x, m, v, training=True, momentum=1 - f32(0.9))\nv",
                {**_BATCH, "x": "float 3,4,6,5 constant"},
                (
                    "F.batch_norm(x, m, v, training=True)\nv",
                    "f32(0.9) * v + (1 - f32(0.9)) * x.var((0, 2, 3), correction=0)",
                ),
                backward=False,
            ),
        ),
    ),
    function(
        "layer_norm",
        Exactness.F32,
        "normalization over the last dimensions",
        (
            case(
                {"x": "float 3,4,5", "w": "float 5", "b": "float 5"},
                ("F.layer_norm(x, 5, w, b)", f"F.layer_norm(x, (5,), w, b, {_EPS})"),
            ),
            case(
                {"x": "float 3,4,5", "w": "float 20", "b": "float 20"},
                (
                    "F.layer_norm(x, [4, 5], w, b)",
                    f"F.layer_norm(x, (4, 5), w.view(4, 5), b.view(4, 5), {_EPS})",
                ),
            ),
        ),
        file="norm",
        arguments=(_X, Argument("normalized_shape", "normalized_shape"), _WEIGHT, _BIAS, EPSILON, NAME),
        traps=(
            Trap("torch wants a tuple, not an int", "F.layer_norm(x, 5, w, b)"),
            trap(
                "a flat weight for several dimensions is refused by torch",
                f"F.layer_norm(x, (4, 5), w, b, {_EPS})",
                {"x": "float 3,4,5", "w": "float 20", "b": "float 20"},
                (
                    "F.layer_norm(x, [4, 5], w, b)",
                    f"F.layer_norm(x, (4, 5), w.view(4, 5), b.view(4, 5), {_EPS})",
                ),
            ),
        ),
    ),
    function(
        "group_norm",
        Exactness.ALGEBRA,
        "normalization over groups of channels; this epsilon is a double in Paddle",
        cases(
            {"x": "float 3,4,5,2", "w": "float 4", "b": "float 4"},
            ("F.group_norm(x, 2, 1e-5, w, b)", "F.group_norm(x, 2, w, b, 1e-5)"),
            ("F.group_norm(x, 4, epsilon=0.01, weight=w)", "F.group_norm(x, 4, w, eps=0.01)"),
        ),
        file="norm",
        arguments=(
            _X,
            Argument("num_groups", "num_groups"),
            Argument(
                "epsilon",
                "eps",
                paddle_default=1e-5,
                torch_default=1e-5,
                note="third in Paddle, last in torch",
            ),
            _WEIGHT,
            _BIAS,
            Argument(
                "data_format",
                None,
                note="permute an NHWC input; without weight and bias Paddle's gradient of NHWC is wrong "
                "(0.13 off central differences of its own output), torch's is right",
            ),
            NAME,
        ),
        traps=(
            Trap(
                "positional order: Paddle epsilon, weight, bias; torch weight, bias, eps",
                "F.group_norm(x, 2, 1e-5, w, b)",
            ),
        ),
    ),
    function(
        "instance_norm",
        Exactness.F32,
        "normalization of each channel of each image",
        (
            case({"x": "float 3,4,5"}, ("F.instance_norm(x)", f"F.instance_norm(x, {_EPS})")),
            case(
                {"x": "float 3,4,5,2", "w": "float 4", "b": "float 4"},
                ("F.instance_norm(x, weight=w, bias=b)", f"F.instance_norm(x, weight=w, bias=b, {_EPS})"),
            ),
        ),
        file="norm",
        arguments=(
            _X,
            Argument("running_mean", "running_mean"),
            Argument("running_var", "running_var"),
            _WEIGHT,
            _BIAS,
            Argument("use_input_stats", "use_input_stats", paddle_default=True, torch_default=True),
            _MOMENTUM,
            Argument("eps", "eps", convert="f32", paddle_default=1e-5, torch_default=1e-5),
            _LAYOUT,
            NAME,
        ),
    ),
    function(
        "local_response_norm",
        Exactness.NEAR,
        "both divide alpha by the size; Paddle's gradient takes it in float32",
        cases(
            "float 3,8,3,4",
            "F.local_response_norm(x, 5, alpha=0.5)",
            "F.local_response_norm(x, 5)",
            "F.local_response_norm(x, 4, alpha=0.5, beta=0.5, k=2)",
        ),
        file="norm",
        within=1e-7,
        arguments=(_X, *LOCAL_RESPONSE),
    ),
    function(
        "normalize",
        Exactness.ALGEBRA,
        "x / max(norm, epsilon)",
        cases(
            "float 3,4",
            "F.normalize(x)",
            ("F.normalize(x, p=1, axis=0)", "F.normalize(x, p=1, dim=0)"),
        ),
        file="norm",
        arguments=(
            _X,
            Argument("p", "p", paddle_default=2, torch_default=2.0),
            Argument("axis", "dim", paddle_default=1, torch_default=1),
            Argument("epsilon", "eps", paddle_default=1e-12, torch_default=1e-12),
            NAME,
        ),
        traps=(
            trap(
                "a vector has no axis 1: say axis 0",
                "F.normalize(x)",
                "float 5",
                ("F.normalize(x, axis=0)", "F.normalize(x, dim=0)"),
            ),
        ),
    ),
)
