"""Activation functions; the traps stand with their layers."""

from __future__ import annotations

from typing import Any

from convert.rosetta.layers import activation as layers
from convert.rosetta.layers.common import NAME
from convert.rosetta.rows import Argument, Exactness, Row, Trap
from convert.rosetta.writing import Texts, case, cases, function, trap

_BIT, _ALGEBRA, _F32, _NEAR = Exactness.BIT, Exactness.ALGEBRA, Exactness.F32, Exactness.NEAR
_X = "float 3,4"
_GENERATED = ("gelu", "sigmoid", "softplus", "tanh")
"""Paddle makes these from its operators; they have documentation, not source."""
_INPUT = Argument("x", "input")


def _row(
    names: Texts, exactness: Exactness, reason: str, *texts: Texts, inputs: str = _X, **fields: Any
) -> Row:
    fields["arguments"] = (_INPUT, *fields.get("arguments", ()), NAME)
    file = "_paddle_docs.py" if names in _GENERATED else "activation"
    return function(names, exactness, reason, cases(inputs, *texts), file=file, **fields)


_THRESHOLD = Argument("threshold", "threshold", paddle_default=1.0, note="torch has no default")
_DTYPE = Argument("dtype", "dtype")

ROWS: tuple[Row, ...] = (
    _row("relu", _BIT, "max(0, x)", "F.relu(x)", traps=layers.RELU_TRAPS, arguments=(layers.INPLACE,)),
    _row(
        "relu6", _BIT, "min(max(0, x), 6); NaN stays NaN in both", "F.relu6(x)", arguments=(layers.INPLACE,)
    ),
    _row(
        "leaky_relu",
        _BIT,
        "x or slope * x",
        "F.leaky_relu(x)",
        "F.leaky_relu(x, 0.25)",
        arguments=(layers.SLOPE, layers.INPLACE),
        traps=layers.LEAKY_RELU_TRAPS,
    ),
    _row(
        "elu",
        _F32,
        "x or alpha * (exp(x) - 1)",
        "F.elu(x)",
        ("F.elu(x, 0.3)", "F.elu(x, f32(0.3))"),
        arguments=(layers.ALPHA, layers.INPLACE),
        traps=layers.ELU_TRAPS,
    ),
    _row(
        "celu",
        _F32,
        "x or alpha * (exp(x / alpha) - 1)",
        "F.celu(x)",
        ("F.celu(x, 0.3)", "F.celu(x, f32(0.3))"),
        arguments=(layers.ALPHA, layers.INPLACE),
        traps=layers.CELU_TRAPS,
    ),
    _row(
        "selu", _NEAR, layers.SELU_REASON, "F.selu(x)", within=3e-7, arguments=(*layers.SELU, layers.INPLACE)
    ),
    _row(
        "gelu",
        _ALGEBRA,
        "x * Phi(x)",
        "F.gelu(x)",
        ("F.gelu(x, approximate=True)", "F.gelu(x, approximate='tanh')"),
        arguments=(layers.APPROXIMATE,),
        traps=layers.GELU_TRAPS,
    ),
    _row(
        "glu",
        _ALGEBRA,
        "first half * sigmoid(second half)",
        "F.glu(x)",
        ("F.glu(x, axis=0)", "F.glu(x, dim=0)"),
        inputs="float 4,6",
        arguments=(Argument("axis", "dim", paddle_default=-1, torch_default=-1),),
    ),
    _row(
        ("swiglu", ""),
        Exactness.NONE,
        "silu(x) * y; without y the halves of x",
        ("F.swiglu(x)", "gate, up = x.chunk(2, -1)\nF.silu(gate) * up"),
        remedy="F.silu(x) * y, or of the two halves where y is not given",
        arguments=(Argument("y", None),),
        traps=(
            Trap("glu is not swiglu: other half, other gate", "F.glu(x)"),
            trap(
                "with two arguments the first is the gate",
                "x * F.silu(y)",
                {"x": _X, "y": _X},
                ("F.swiglu(x, y)", "F.silu(x) * y"),
            ),
        ),
    ),
    _row(
        "hardshrink",
        _BIT,
        "x outside [-threshold, threshold], else 0",
        "F.hardshrink(x)",
        "F.hardshrink(x, 0.3)",
        traps=layers.HARDSHRINK_TRAPS,
    ),
    _row(
        "hardsigmoid",
        _NEAR,
        "Paddle's default slope is the literal 0.1666667, torch's 1/6",
        "F.hardsigmoid(x)",
        within=1e-6,
        arguments=(
            Argument("slope", None, paddle_default=0.1666667, note="torch's slope is 1/6, not an argument"),
            Argument("offset", None, paddle_default=0.5),
            layers.INPLACE,
        ),
        traps=layers.HARDSIGMOID_TRAPS,
    ),
    _row(
        "hardswish", _ALGEBRA, "x * min(max(x + 3, 0), 6) / 6", "F.hardswish(x)", arguments=(layers.INPLACE,)
    ),
    _row(
        "hardtanh",
        _F32,
        "clamp; the bounds are kept as float32 in Paddle",
        "F.hardtanh(x)",
        ("F.hardtanh(x, -0.3, 0.6)", "F.hardtanh(x, f32(-0.3), f32(0.6))"),
        arguments=(
            Argument("min", "min_val", convert="f32", paddle_default=-1.0, torch_default=-1.0),
            Argument("max", "max_val", convert="f32", paddle_default=1.0, torch_default=1.0),
            layers.INPLACE,
        ),
    ),
    _row(
        ("log_sigmoid", "logsigmoid"),
        _ALGEBRA,
        "-log(1 + exp(-x))",
        ("F.log_sigmoid(x)", "F.logsigmoid(x)"),
        traps=(Trap("torch writes it in one word", "F.log_sigmoid(x)"),),
    ),
    _row(
        "log_softmax",
        _ALGEBRA,
        "x - log(sum(exp(x)))",
        ("F.log_softmax(x)", "F.log_softmax(x, dim=-1)"),
        ("F.log_softmax(x, axis=1)", "F.log_softmax(x, dim=1)"),
        inputs="float 2,4,3",
        arguments=(layers.AXIS, _DTYPE),
        traps=layers.LOG_SOFTMAX_TRAPS,
    ),
    _row(
        "softmax",
        _ALGEBRA,
        "exp(x) / sum(exp(x))",
        ("F.softmax(x)", "F.softmax(x, dim=-1)"),
        ("F.softmax(x, axis=1)", "F.softmax(x, dim=1)"),
        inputs="float 2,4,3",
        arguments=(layers.AXIS, _DTYPE),
        traps=layers.SOFTMAX_TRAPS,
    ),
    function(
        "gumbel_softmax",
        Exactness.DISTRIBUTION,
        "softmax of x with Gumbel noise",
        cases(
            "float 500,4 constant",
            "F.gumbel_softmax(x)",
            "F.gumbel_softmax(x, hard=True)",
            ("F.gumbel_softmax(x, temperature=0.5)", "F.gumbel_softmax(x, tau=0.5)"),
            compare="distribution",
        ),
        file="activation",
        arguments=(
            Argument("x", "logits"),
            Argument("temperature", "tau", paddle_default=1.0, torch_default=1),
            Argument("hard", "hard", paddle_default=False, torch_default=False),
            Argument("axis", "dim", paddle_default=-1, torch_default=-1),
            NAME,
        ),
        traps=(
            Trap("the temperature is called tau in torch", "F.gumbel_softmax(x, temperature=1.0)"),
            trap(
                "softmax without noise is something else",
                "F.softmax(x, dim=-1)",
                "float 500,4 constant",
                "F.gumbel_softmax(x)",
                compare="distribution",
            ),
        ),
    ),
    _row(
        ("maxout", ""),
        Exactness.NONE,
        "the largest of `groups` neighbouring channels",
        ("F.maxout(x, 2)", "x.unflatten(1, (-1, 2)).amax(2)"),
        ("F.maxout(x, 3, axis=3)", "x.unflatten(3, (-1, 3)).amax(4)"),
        inputs="float 2,4,3,3",
        remedy="unflatten the channels into [-1, groups] and take the largest of each",
        arguments=(Argument("groups", None), Argument("axis", None, paddle_default=1)),
        traps=layers.MAXOUT_TRAPS,
    ),
    _row("mish", _ALGEBRA, "x * tanh(softplus(x))", "F.mish(x)", arguments=(layers.INPLACE,)),
    function(
        "prelu",
        _ALGEBRA,
        "max(0, x) + w * min(0, x)",
        (
            case({"x": "float 3,4,5", "w": "float 4"}, "F.prelu(x, w)"),
            case({"x": "float 3,4,5", "w": "float 1"}, "F.prelu(x, w)"),
        ),
        file="activation",
        arguments=(_INPUT, Argument("weight", "weight"), Argument("data_format", None), NAME),
        traps=(
            trap(
                "channels last has no twin",
                "F.prelu(x, w)",
                {"x": "float 2,4,4", "w": "float 4"},
                ("F.prelu(x, w, data_format='NLC')", "F.prelu(x.mT, w).mT"),
            ),
        ),
    ),
    function(
        "rrelu",
        Exactness.DISTRIBUTION,
        "slopes drawn from U(lower, upper); the mean slope where not training",
        (case("float 200,10 constant", ("F.rrelu(x)", "F.rrelu(x, training=True)"), compare="distribution"),),
        file="activation",
        arguments=(
            _INPUT,
            Argument("lower", "lower", paddle_default=1 / 8, torch_default=1 / 8),
            Argument("upper", "upper", paddle_default=1 / 3, torch_default=1 / 3),
            Argument("training", "training", paddle_default=True, torch_default=False),
            layers.INPLACE,
            NAME,
        ),
        traps=(
            trap(
                "training is True by default in Paddle, False in torch",
                "F.rrelu(x)",
                "= [-1.0] * 2000",
                ("F.rrelu(x)", "F.rrelu(x, training=True)"),
                compare="distribution",
            ),
        ),
    ),
    _row("sigmoid", _ALGEBRA, "1 / (1 + exp(-x))", "F.sigmoid(x)"),
    _row("silu", _ALGEBRA, "x * sigmoid(x)", "F.silu(x)", arguments=(Argument("inplace", "inplace"),)),
    _row(
        ("swish", "silu"),
        _ALGEBRA,
        "x * sigmoid(x): silu is torch's name",
        ("F.swish(x)", "F.silu(x)"),
        traps=(Trap("torch has no swish", "F.swish(x)"),),
    ),
    _row(
        "softplus",
        _ALGEBRA,
        "log(1 + exp(beta * x)) / beta, x itself above the threshold",
        "F.softplus(x)",
        "F.softplus(x, 2, 3)",
        arguments=(
            Argument("beta", "beta", paddle_default=1, torch_default=1),
            Argument("threshold", "threshold", paddle_default=20, torch_default=20),
        ),
    ),
    _row(
        "softshrink",
        _F32,
        "x moved towards 0 by the threshold, which is kept as float32 in Paddle",
        "F.softshrink(x)",
        ("F.softshrink(x, 0.3)", "F.softshrink(x, f32(0.3))"),
        traps=layers.SOFTSHRINK_TRAPS,
    ),
    _row("softsign", _ALGEBRA, "x / (1 + |x|)", "F.softsign(x)"),
    _row("tanh", _ALGEBRA, "hyperbolic tangent", "F.tanh(x)"),
    _row("tanhshrink", _ALGEBRA, "x - tanh(x)", "F.tanhshrink(x)"),
    _row(
        ("thresholded_relu", "threshold"),
        _BIT,
        "x above the threshold, else the value",
        ("F.thresholded_relu(x)", "F.threshold(x, 1.0, 0.0)"),
        ("F.thresholded_relu(x, 0.3, -1.0)", "F.threshold(x, 0.3, -1.0)"),
        arguments=(
            _THRESHOLD,
            Argument("value", "value", paddle_default=0.0, note="torch has no default"),
            layers.INPLACE,
        ),
        traps=(Trap("torch calls it threshold and has no defaults", "F.thresholded_relu(x)"),),
    ),
)
