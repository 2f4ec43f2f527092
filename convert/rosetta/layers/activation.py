"""Activation layers, and the traps that their functions share."""

from __future__ import annotations

from typing import Any

from convert.rosetta.layers.common import DATA_FORMAT, NAME
from convert.rosetta.rows import Argument, Exactness, Parameter, Row, Trap
from convert.rosetta.writing import case, cases, layer, trap

_BIT, _ALGEBRA, _F32, _NEAR = Exactness.BIT, Exactness.ALGEBRA, Exactness.F32, Exactness.NEAR
INPLACE = Argument(None, "inplace", torch_default=False)
_X = "float 3,4"

RELU_TRAPS = (
    trap(
        "relu(NaN) is 0 in Paddle: a network that has gone wrong looks healthy",
        "F.relu(x)",
        "= [-1.0, nan, 2.0]",
        ("F.relu(x)", "F.relu(torch.nan_to_num(x))"),
        backward=False,
    ),
)
LEAKY_RELU_TRAPS = (
    trap(
        "at exactly 0 Paddle's gradient is 1, torch's the slope",
        "F.leaky_relu(x, 0.01)",
        "= [-1.0, 0.0, 2.0]",
        ("F.leaky_relu(x, 0.01)", "torch.where(x >= 0, x, 0.01 * x)"),
    ),
)
ELU_TRAPS = (trap("alpha is kept as float32", "F.elu(x, 0.3)", _X, ("F.elu(x, 0.3)", "F.elu(x, f32(0.3))")),)
CELU_TRAPS = (
    trap("alpha is kept as float32", "F.celu(x, 0.3)", _X, ("F.celu(x, 0.3)", "F.celu(x, f32(0.3))")),
)
HARDSHRINK_TRAPS = (
    trap(
        "at exactly the threshold Paddle keeps x, torch gives 0",
        "F.hardshrink(x, 0.5)",
        "= [-0.5, 0.2, 0.5]",
        ("F.hardshrink(x, 0.5)", "torch.where(x.abs() >= 0.5, x, 0.0)"),
    ),
)
HARDSIGMOID_TRAPS = (
    trap(
        "a slope of 0.2 (Keras, old Paddle, MobileNetV3 ports) is an argument in Paddle, torch has none",
        "F.hardsigmoid(x)",
        "float 4,5",
        ("F.hardsigmoid(x, slope=0.2)", "(f32(0.2) * x + 0.5).clamp(0, 1)"),
        argument="slope",
    ),
    trap(
        "Paddle's default slope is the literal 0.1666667, torch's 1/6: 1e-7 apart",
        "F.hardsigmoid(x)",
        "float 4,5",
        ("F.hardsigmoid(x)", "(f32(0.1666667) * x + 0.5).clamp(0, 1)"),
    ),
)
GELU_TRAPS = (
    trap(
        "the exact GELU is not the tanh one",
        "F.gelu(x)",
        _X,
        ("F.gelu(x, approximate=True)", "F.gelu(x, approximate='tanh')"),
    ),
    trap(
        "approximate is a bool in Paddle, a string in torch",
        "F.gelu(x, approximate=True)",
        _X,
        ("F.gelu(x, approximate=True)", "F.gelu(x, approximate='tanh')"),
        argument="approximate",
    ),
)
SOFTMAX_TRAPS = (
    trap(
        "the default axis is the last in Paddle; torch guesses one from the number of dimensions (0 for three)",
        "F.softmax(x)",
        "float 2,4,3",
        ("F.softmax(x)", "F.softmax(x, dim=-1)"),
    ),
)
LOG_SOFTMAX_TRAPS = (
    trap(
        "the default axis is the last in Paddle; torch guesses one from the number of dimensions (0 for three)",
        "F.log_softmax(x)",
        "float 2,4,3",
        ("F.log_softmax(x)", "F.log_softmax(x, dim=-1)"),
    ),
)
SOFTSHRINK_TRAPS = (
    trap(
        "the threshold is kept as float32",
        "F.softshrink(x, 0.3)",
        _X,
        ("F.softshrink(x, 0.3)", "F.softshrink(x, f32(0.3))"),
    ),
)
MAXOUT_TRAPS = (
    trap(
        "groups is how many neighbouring channels compete, not how many groups there are",
        "x.reshape(2, 2, 2, 3, 3).amax(1)",
        "float 2,4,3,3",
        ("F.maxout(x, 2)", "x.unflatten(1, (-1, 2)).amax(2)"),
    ),
)
AXIS = Argument("axis", "dim", paddle_default=-1, torch_default=None, note="pass it to torch always")
APPROXIMATE = Argument(
    "approximate",
    "approximate",
    values={False: "none", True: "tanh"},
    paddle_default=False,
    torch_default="none",
    note="Paddle takes torch's strings too",
)
ALPHA = Argument("alpha", "alpha", convert="f32", paddle_default=1.0, torch_default=1.0)
SLOPE = Argument("negative_slope", "negative_slope", paddle_default=0.01, torch_default=0.01)
_BOUNDS = (
    Argument("min", "min_val", convert="f32", paddle_default=-1.0, torch_default=-1.0),
    Argument("max", "max_val", convert="f32", paddle_default=1.0, torch_default=1.0),
)
SELU = (
    Argument("scale", None, paddle_default=1.0507009873554805, note="torch's is not an argument"),
    Argument("alpha", None, paddle_default=1.6732632423543772, note="torch's is not an argument"),
)
SELU_REASON = "scale * elu(x, alpha); Paddle keeps both constants as float32"


def _plain(paddle: str, torch: str, exactness: Exactness, reason: str, **fields: Any) -> Row:
    """An activation without arguments that matter."""
    fields = {"arguments": (NAME,), **fields}
    examples = (case(_X, (f"nn.{paddle}()", f"nn.{torch}()")),)
    return layer((paddle, torch), exactness, reason, examples, files="activation", **fields)


ROWS = (
    layer(
        "PReLU",
        _ALGEBRA,
        "max(0, x) + w * min(0, x)",
        cases("float 3,4,5", ("nn.PReLU(4)", "nn.PReLU(4)"), "nn.PReLU()"),
        files="activation",
        parameters=(Parameter("_weight", "weight", why="another name for the slope"),),
        arguments=(
            Argument("num_parameters", "num_parameters", paddle_default=1, torch_default=1),
            Argument("init", "init", paddle_default=0.25, torch_default=0.25),
            Argument("weight_attr", None),
            DATA_FORMAT,
            NAME,
        ),
        traps=(
            trap(
                "the state dict's key is _weight in Paddle, weight in torch",
                "list(nn.PReLU(4).state_dict())",
                {},
                (
                    "list(nn.PReLU(4).state_dict())",
                    "['_' + name for name in nn.PReLU(4).state_dict()]",
                ),
            ),
        ),
        names=("p_re_lu", "prelu"),
    ),
    _plain("ReLU", "ReLU", _BIT, "max(0, x)", arguments=(INPLACE, NAME), traps=RELU_TRAPS),
    _plain("ReLU6", "ReLU6", _BIT, "min(max(0, x), 6); NaN stays NaN in both", arguments=(INPLACE, NAME)),
    layer(
        "LeakyReLU",
        _BIT,
        "x or slope * x",
        cases(_X, "nn.LeakyReLU()", "nn.LeakyReLU(0.25)"),
        files="activation",
        arguments=(SLOPE, INPLACE, NAME),
        traps=LEAKY_RELU_TRAPS,
    ),
    layer(
        "ELU",
        _F32,
        "x or alpha * (exp(x) - 1)",
        cases(_X, "nn.ELU()", ("nn.ELU(0.3)", "nn.ELU(f32(0.3))")),
        files="activation",
        arguments=(ALPHA, INPLACE, NAME),
        traps=ELU_TRAPS,
    ),
    layer(
        "CELU",
        _F32,
        "x or alpha * (exp(x / alpha) - 1)",
        cases(_X, "nn.CELU()", ("nn.CELU(0.3)", "nn.CELU(f32(0.3))")),
        files="activation",
        arguments=(ALPHA, INPLACE, NAME),
        traps=CELU_TRAPS,
    ),
    _plain("SELU", "SELU", _NEAR, SELU_REASON, within=3e-7, arguments=(*SELU, INPLACE, NAME)),
    layer(
        "GELU",
        _ALGEBRA,
        "x * Phi(x)",
        cases(_X, "nn.GELU()", ("nn.GELU(approximate=True)", "nn.GELU(approximate='tanh')")),
        files="activation",
        arguments=(APPROXIMATE, NAME),
        traps=GELU_TRAPS,
    ),
    layer(
        "GLU",
        _ALGEBRA,
        "first half * sigmoid(second half)",
        cases("float 2,4,6", "nn.GLU()", ("nn.GLU(axis=1)", "nn.GLU(dim=1)")),
        files="activation",
        arguments=(Argument("axis", "dim", paddle_default=-1, torch_default=-1), NAME),
    ),
    layer(
        "Hardshrink",
        _BIT,
        "x outside [-threshold, threshold], else 0",
        cases(_X, "nn.Hardshrink()", "nn.Hardshrink(0.3)"),
        files="activation",
        arguments=(Argument("threshold", "lambd", paddle_default=0.5, torch_default=0.5), NAME),
        traps=HARDSHRINK_TRAPS,
    ),
    _plain(
        "Hardsigmoid",
        "Hardsigmoid",
        _NEAR,
        "Paddle's slope is the literal 0.1666667, torch's 1/6",
        within=1e-6,
        arguments=(INPLACE, NAME),
        traps=HARDSIGMOID_TRAPS,
    ),
    _plain("Hardswish", "Hardswish", _ALGEBRA, "x * min(max(x + 3, 0), 6) / 6", arguments=(INPLACE, NAME)),
    layer(
        "Hardtanh",
        _F32,
        "clamp; the bounds are kept as float32 in Paddle",
        cases(_X, "nn.Hardtanh()", ("nn.Hardtanh(-0.3, 0.6)", "nn.Hardtanh(f32(-0.3), f32(0.6))")),
        files="activation",
        arguments=(*_BOUNDS, INPLACE, NAME),
    ),
    _plain("LogSigmoid", "LogSigmoid", _ALGEBRA, "-log(1 + exp(-x))"),
    layer(
        "LogSoftmax",
        _ALGEBRA,
        "x - log(sum(exp(x)))",
        cases(
            "float 2,4,3",
            ("nn.LogSoftmax()", "nn.LogSoftmax(dim=-1)"),
            ("nn.LogSoftmax(1)", "nn.LogSoftmax(1)"),
        ),
        files="activation",
        arguments=(AXIS, NAME),
        traps=LOG_SOFTMAX_TRAPS,
    ),
    layer(
        ("Maxout", ""),
        Exactness.NONE,
        "the largest of `groups` neighbouring channels",
        cases(
            "float 2,4,3,3",
            ("nn.Maxout(2)(x)", "x.unflatten(1, (-1, 2)).amax(2)"),
        ),
        files="activation",
        remedy="unflatten the channels into [-1, groups] and take the largest of each",
        arguments=(Argument("groups", None), Argument("axis", None, paddle_default=1), NAME),
        traps=MAXOUT_TRAPS,
    ),
    _plain("Mish", "Mish", _ALGEBRA, "x * tanh(softplus(x))", arguments=(INPLACE, NAME)),
    layer(
        "RReLU",
        _F32,
        "in eval the mean slope; in training it is random, see the function",
        cases(_X, ("nn.RReLU()", "nn.RReLU(f32(1 / 8), f32(1 / 3))"), modes=("eval",)),
        files="activation",
        arguments=(
            Argument("lower", "lower", convert="f32", paddle_default=1 / 8, torch_default=1 / 8),
            Argument("upper", "upper", convert="f32", paddle_default=1 / 3, torch_default=1 / 3),
            INPLACE,
            NAME,
        ),
    ),
    _plain("Sigmoid", "Sigmoid", _ALGEBRA, "1 / (1 + exp(-x))"),
    _plain(
        "Silu",
        "SiLU",
        _ALGEBRA,
        "x * sigmoid(x)",
        arguments=(Argument("inplace", "inplace", paddle_default=False, torch_default=False), NAME),
    ),
    _plain("Swish", "SiLU", _ALGEBRA, "x * sigmoid(x): SiLU is torch's name", arguments=(INPLACE, NAME)),
    layer(
        "Softmax",
        _ALGEBRA,
        "exp(x) / sum(exp(x))",
        cases("float 2,4,3", ("nn.Softmax()", "nn.Softmax(dim=-1)"), "nn.Softmax(1)"),
        files="activation",
        arguments=(AXIS, NAME),
        traps=SOFTMAX_TRAPS,
    ),
    layer(
        ("Softmax2D", "Softmax2d"),
        _ALGEBRA,
        "softmax over the channels of each place",
        cases("float 2,4,3,3", ("nn.Softmax2D()", "nn.Softmax2d()")),
        files="activation",
        arguments=(NAME,),
    ),
    layer(
        "Softplus",
        _ALGEBRA,
        "log(1 + exp(beta * x)) / beta, x itself above the threshold",
        cases(_X, "nn.Softplus()", "nn.Softplus(2, 3)"),
        files="activation",
        arguments=(
            Argument("beta", "beta", paddle_default=1, torch_default=1),
            Argument("threshold", "threshold", paddle_default=20, torch_default=20),
            NAME,
        ),
    ),
    layer(
        "Softshrink",
        _F32,
        "x moved towards 0 by the threshold, which is kept as float32 in Paddle",
        cases(_X, "nn.Softshrink()", ("nn.Softshrink(0.3)", "nn.Softshrink(f32(0.3))")),
        files="activation",
        arguments=(
            Argument("threshold", "lambd", convert="f32", paddle_default=0.5, torch_default=0.5),
            NAME,
        ),
        traps=SOFTSHRINK_TRAPS,
    ),
    _plain("Softsign", "Softsign", _ALGEBRA, "x / (1 + |x|)"),
    _plain("Tanh", "Tanh", _ALGEBRA, "hyperbolic tangent"),
    _plain("Tanhshrink", "Tanhshrink", _ALGEBRA, "x - tanh(x)"),
    layer(
        ("ThresholdedReLU", "Threshold"),
        _BIT,
        "x above the threshold, else the value",
        cases(
            _X,
            ("nn.ThresholdedReLU()", "nn.Threshold(1.0, 0.0)"),
            ("nn.ThresholdedReLU(0.3, -1.0)", "nn.Threshold(0.3, -1.0)"),
        ),
        files="activation",
        arguments=(
            Argument("threshold", "threshold", paddle_default=1.0, note="torch has no default"),
            Argument("value", "value", paddle_default=0.0, note="torch has no default"),
            INPLACE,
            NAME,
        ),
        traps=(Trap("torch has no defaults", "nn.Threshold()"),),
    ),
)
