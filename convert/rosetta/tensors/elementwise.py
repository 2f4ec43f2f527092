"""Arithmetic, comparison and logic, element by element."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Example, Row, Trap
from convert.rosetta.tensors.common import X_INPUT, case, function

Y_OTHER = Argument("y", "other")
MATH, OPS, LOGIC = "tensor/math", "tensor/ops", "tensor/logic"
SIGNED, DIVISORS = "= [-3.0, 3.5, -3.0, 3.0]", "= [2.0, -2.0, -2.0, 2.0]"
HALVES = "= [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.7]"
ODD = "= [1.0, nan, inf, -inf]"


def _unary(name: str, torch: str, given: str, where: str, exactness: Exactness, reason: str) -> Row:
    return function(
        name,
        torch,
        where,
        reason,
        case(f"paddle.{name}(x)", f"torch.{torch}(x)", x=given),
        exactness=exactness,
        arguments=(Argument("input", "input"),) if name == "trunc" else (X_INPUT,),
    )


_BIT = (
    ("abs", "abs", "float 2,3", MATH, "clears the sign; the gradient at 0 is 0 in both"),
    ("neg", "neg", "float 2,3", MATH, "flips the sign"),
    ("sign", "sign", "= [-2.0, 0.0, 3.0]", MATH, "-1, 0 or 1; the gradient is 0"),
    ("floor", "floor", "float 2,3", OPS, "towards minus infinity; the gradient is 0"),
    ("ceil", "ceil", "float 2,3", OPS, "towards infinity; the gradient is 0"),
    ("trunc", "trunc", "float 2,3", MATH, "towards zero; the gradient is 0"),
)
_ALGEBRA = (
    ("exp", "exp", "float 2,3"),
    ("expm1", "expm1", "float 2,3"),
    ("log", "log", "positive 2,3"),
    ("log2", "log2", "positive 2,3"),
    ("log10", "log10", "positive 2,3"),
    ("log1p", "log1p", "positive 2,3"),
    ("sqrt", "sqrt", "positive 2,3"),
    ("rsqrt", "rsqrt", "positive 2,3"),
    ("square", "square", "float 2,3"),
    ("reciprocal", "reciprocal", "positive 2,3"),
    ("sin", "sin", "float 2,3"),
    ("cos", "cos", "float 2,3"),
    ("tan", "tan", "unit 2,3"),
    ("asin", "asin", "probability 2,3"),
    ("acos", "acos", "probability 2,3"),
    ("atan", "atan", "float 2,3"),
    ("sinh", "sinh", "float 2,3"),
    ("cosh", "cosh", "float 2,3"),
    ("tanh", "tanh", "float 2,3"),
    ("erf", "erf", "float 2,3"),
    ("erfinv", "erfinv", "probability 2,3"),
    ("lgamma", "lgamma", "positive 2,3"),
    ("frac", "frac", "float 2,3"),
)


def _binary(name: str, torch: str, reason: str, *, exactness: Exactness = Exactness.BIT) -> Row:
    return function(
        name,
        torch,
        MATH,
        reason,
        case(f"paddle.{name}(x, y)", f"torch.{torch}(x, y)", x="float 2,3", y="positive 2,3"),
        case(f"paddle.{name}(x, y)", f"torch.{torch}(x, y)", x="float 2,3", y="positive 3"),
        exactness=exactness,
        arguments=(X_INPUT, Y_OTHER),
    )


def _compare(name: str, torch: str) -> Row:
    texts = f"paddle.{name}(i, j)", f"torch.{torch}(i, j)"
    return function(
        name,
        torch,
        LOGIC,
        "element by element, a bool tensor",
        case(*texts, i="int<3 2,3", j="int<3 2,3"),
        case(*texts, i="int<3 2,3", j="int<3 2,3", compare="dtype"),
        arguments=(X_INPUT, Y_OTHER),
        traps=(Trap("torch.equal is one Python bool for both tensors", naive="torch.equal(i, j)"),)
        if name == "equal"
        else (),
    )


def _logical(name: str, given: str) -> Row:
    one = name.endswith("not")
    texts = (
        (f"paddle.{name}(a)", f"torch.{name}(a)") if one else (f"paddle.{name}(a, b)", f"torch.{name}(a, b)")
    )
    example: Example = case(*texts, a=given) if one else case(*texts, a=given, b=given)
    return function(
        name,
        name,
        LOGIC,
        "element by element",
        example,
        arguments=(X_INPUT,) if one else (X_INPUT, Y_OTHER),
    )


ROWS: tuple[Row, ...] = (
    *(_unary(name, twin, given, where, Exactness.BIT, why) for name, twin, given, where, why in _BIT),
    *(
        _unary(name, twin, given, OPS, Exactness.ALGEBRA, "the same function; libraries round the last bit")
        for name, twin, given in _ALGEBRA
    ),
    function(
        "round",
        "round",
        OPS,
        "half to even, as numpy and Python 3 do",
        case("paddle.round(x)", "torch.round(x)", x=HALVES),
        case("paddle.round(x, decimals=1)", "torch.round(x, decimals=1)", x="= [0.26, -1.74]"),
        exactness=Exactness.ALGEBRA,
        arguments=(X_INPUT, Argument("decimals", "decimals")),
        traps=(
            Trap(
                "adding a half and taking the floor, as C's round does for positive numbers, is another rule",
                naive="torch.floor(x + 0.5)",
            ),
        ),
    ),
    *(
        _binary(name, name, "element by element, broadcast")
        for name in ("add", "subtract", "multiply", "maximum", "minimum", "fmax", "fmin")
    ),
    _binary("atan2", "atan2", "the same function", exactness=Exactness.ALGEBRA),
    function(
        "divide",
        "div",
        MATH,
        "element by element, broadcast; integers give the default float dtype",
        case("paddle.divide(x, y)", "torch.div(x, y)", x="float 2,3", y="positive 3"),
        case("paddle.divide(i, j)", "torch.div(i, j)", i="= [7, -7]", j="= [2, 2]"),
        exactness=Exactness.ALGEBRA,
        arguments=(X_INPUT, Y_OTHER),
    ),
    function(
        "floor_divide",
        "floor_divide",
        MATH,
        "towards minus infinity",
        case("paddle.floor_divide(x, y)", "torch.floor_divide(x, y)", backward=False, x=SIGNED, y=DIVISORS),
        case("paddle.floor_divide(i, j)", "torch.floor_divide(i, j)", i="= [-7, 7]", j="= [2, -2]"),
        arguments=(X_INPUT, Y_OTHER),
        traps=(
            Trap(
                "C's division (and Paddle's before 2.5) is towards zero",
                naive="torch.div(x, y, rounding_mode='trunc')",
            ),
        ),
    ),
    *(
        function(
            name,
            "remainder",
            MATH,
            "has the sign of the divisor, as Python's %",
            case(f"paddle.{name}(x, y)", "torch.remainder(x, y)", backward=False, x=SIGNED, y=DIVISORS),
            case(f"paddle.{name}(i, j)", "torch.remainder(i, j)", i="= [-7, 7]", j="= [3, -3]"),
            arguments=(X_INPUT, Y_OTHER),
            traps=(Trap("torch.fmod has the sign of the dividend", naive="torch.fmod(x, y)"),),
        )
        for name in ("mod", "remainder")
    ),
    function(
        "pow",
        "pow",
        MATH,
        "the same function",
        case("paddle.pow(x, 3)", "torch.pow(x, 3)", x="float 2,3"),
        case("paddle.pow(x, 0.3)", "torch.pow(x, f32(0.3))", x="positive 2,3"),
        case("paddle.pow(x, y)", "torch.pow(x, y)", x="positive 2,3", y="float 2,3"),
        exactness=Exactness.F32,
        arguments=(X_INPUT, Argument("y", "exponent", convert="f32", note="a number is kept as float32")),
        traps=(Trap("the second name differs", naive="torch.pow(x, y=3)"),),
    ),
    function(
        "clip",
        "clamp",
        MATH,
        "copies, or the bound; the gradient at a bound is 1 in both",
        case("paddle.clip(x, -0.5, 0.5)", "torch.clamp(x, -0.5, 0.5)", x="float 3,4"),
        case("paddle.clip(x, min=0.0)", "torch.clamp(x, min=0.0)", x="float 3,4"),
        case("paddle.clip(x, 0.0, 1.0)", "torch.clamp(x, 0.0, 1.0)", x="= [-1.0, 0.0, 1.0, 2.0]"),
        arguments=(X_INPUT, Argument("min", "min"), Argument("max", "max")),
    ),
    function(
        "lerp",
        "lerp",
        MATH,
        "x + weight * (y - x)",
        case("paddle.lerp(x, y, 0.25)", "torch.lerp(x, y, 0.25)", x="float 2,3", y="float 2,3"),
        exactness=Exactness.ALGEBRA,
        arguments=(X_INPUT, Argument("y", "end"), Argument("weight", "weight")),
    ),
    function(
        "nan_to_num",
        "nan_to_num",
        MATH,
        "copies, or the replacement; without one, the largest number of the dtype",
        case("paddle.nan_to_num(x)", "torch.nan_to_num(x)", backward=False, x=ODD),
        case(
            "paddle.nan_to_num(x, 1.0, 2.0, 3.0)", "torch.nan_to_num(x, 1.0, 2.0, 3.0)", backward=False, x=ODD
        ),
        arguments=(X_INPUT, *(Argument(n, n) for n in ("nan", "posinf", "neginf"))),
    ),
    *(
        function(
            name,
            name,
            MATH,
            "element by element, a bool tensor",
            case(f"paddle.{name}(x)", f"torch.{name}(x)", x=ODD),
            arguments=(X_INPUT,),
        )
        for name in ("isnan", "isinf", "isfinite")
    ),
    function(
        "scale",
        "",
        MATH,
        "scale * x + bias, or scale * (x + bias)",
        case("paddle.scale(x, 2.0, 0.5)", "x * 2.0 + 0.5", x="float 2,3"),
        case("paddle.scale(x, 2.0, 0.5, bias_after_scale=False)", "(x + 0.5) * 2.0", x="float 2,3"),
        exactness=Exactness.NONE,
        remedy="write x * scale + bias",
        arguments=(Argument("scale", None), Argument("bias", None), Argument("bias_after_scale", None)),
    ),
    function(
        "stanh",
        "",
        MATH,
        "scale_b * tanh(scale_a * x), with constants kept in float32",
        case("paddle.stanh(x)", "f32(1.7159) * torch.tanh(f32(0.67) * x)", x="float 2,3"),
        exactness=Exactness.NONE,
        remedy="write scale_b * torch.tanh(scale_a * x)",
        traps=(
            Trap(
                "the constants are float32 attributes",
                naive="1.7159 * torch.tanh(0.67 * x)",
            ),
        ),
    ),
    function(
        "add_n",
        "",
        MATH,
        "the sum of a list",
        case("paddle.add_n([x, y])", "sum([x, y])", x="float 2,3", y="float 2,3"),
        exactness=Exactness.NONE,
        remedy="Python's sum, or torch.stack(list).sum(0)",
    ),
    *(
        _compare(name, torch)
        for name, torch in (
            ("equal", "eq"),
            ("not_equal", "ne"),
            ("less_than", "lt"),
            ("less_equal", "le"),
            ("greater_than", "gt"),
            ("greater_equal", "ge"),
        )
    ),
    function(
        "equal_all",
        "equal",
        LOGIC,
        "whether shapes and all numbers are the same",
        case("paddle.equal_all(i, j)", "torch.tensor(torch.equal(i, j))", i="= [1, 2]", j="= [1, 2]"),
        case("paddle.equal_all(i, j)", "torch.tensor(torch.equal(i, j))", i="= [1, 2]", j="= [1, 3]"),
        arguments=(X_INPUT, Y_OTHER),
        traps=(
            Trap(
                "the result is a bool tensor in Paddle, a Python bool in torch",
                naive="torch.equal(i, j).item()",
                example=case(
                    "paddle.equal_all(i, j).item()", "torch.equal(i, j)", i="= [1, 2]", j="= [1, 2]"
                ),
            ),
        ),
    ),
    function(
        "allclose",
        "allclose",
        LOGIC,
        "|x - y| <= atol + rtol * |y|",
        case(
            "paddle.allclose(x, y)",
            "torch.tensor(torch.allclose(x, y))",
            x="= [1.0, 2.0]",
            y="= [1.000001, 2.0]",
        ),
        arguments=(
            X_INPUT,
            Y_OTHER,
            Argument("rtol", "rtol", paddle_default=1e-5, torch_default=1e-5),
            Argument("atol", "atol", paddle_default=1e-8, torch_default=1e-8),
            Argument("equal_nan", "equal_nan", paddle_default=False, torch_default=False),
        ),
        traps=(
            Trap(
                "a bool tensor in Paddle, a Python bool in torch",
                naive="torch.allclose(x, y).item()",
            ),
        ),
    ),
    function(
        "isclose",
        "isclose",
        LOGIC,
        "the same inequality, element by element",
        case("paddle.isclose(x, y)", "torch.isclose(x, y)", x="= [1.0, 2.0]", y="= [1.000001, 2.1]"),
        arguments=(X_INPUT, Y_OTHER, Argument("rtol", "rtol"), Argument("atol", "atol")),
    ),
    *(_logical(f"logical_{word}", "bool 2,3") for word in ("and", "or", "xor", "not")),
    *(_logical(f"bitwise_{word}", "int<8 2,3") for word in ("and", "or", "xor", "not")),
)
