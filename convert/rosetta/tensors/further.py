"""Functions that fewer networks use: decompositions, sets, limits of dtypes, and questions about a tensor."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Row, Trap
from convert.rosetta.tensors.common import AXIS, X_INPUT, case, function

MATH, LINALG, MANIPULATION = "tensor/math", "tensor/linalg", "tensor/manipulation"
SAME = "the same function; libraries round the last bit"
MATRIX = "= [[2.0, 0.5], [0.5, 3.0]]"
DTYPE = Argument("dtype", "dtype", convert="dtype")
_UNARY = (
    *((name, "float 2,3") for name in ("sgn", "deg2rad", "rad2deg", "asinh", "i0", "sinc")),
    *((name, "probability 2,3") for name in ("atanh", "logit")),
    ("digamma", "positive 2,3"),
)
_IN_OTHER_FILES = {"asinh": "tensor/ops", "atanh": "_paddle_docs"}
_BINARY = ("logaddexp", "copysign", "hypot", "heaviside")


def _linalg(name: str, paddle: str, torch: str, *arguments: Argument) -> Row:
    return function(
        f"linalg.{name}",
        f"linalg.{name}",
        LINALG,
        SAME,
        case(f"paddle.linalg.{paddle}", f"torch.linalg.{torch}", x=MATRIX, backward=False),
        exactness=Exactness.ALGEBRA,
        arguments=(Argument("x", "A"), *arguments),
        torch_where=f"linalg/__init__.py: {name}",
    )


ROWS: tuple[Row, ...] = (
    *(
        function(
            name,
            name,
            _IN_OTHER_FILES.get(name, MATH),
            SAME,
            case(f"paddle.{name}(x)", f"torch.{name}(x)", x=given, backward=name not in ("sgn", "digamma")),
            exactness=Exactness.ALGEBRA,
            arguments=(X_INPUT,),
        )
        for name, given in _UNARY
    ),
    *(
        function(
            name,
            name,
            MATH,
            "element by element",
            case(
                f"paddle.{name}(x, y)",
                f"torch.{name}(x, y)",
                x="float 2,3",
                y="positive 2,3",
                backward=name != "heaviside",
            ),
            exactness=Exactness.ALGEBRA,
            arguments=(X_INPUT, Argument("y", "values" if name == "heaviside" else "other")),
        )
        for name in _BINARY
    ),
    function(
        "logcumsumexp",
        "logcumsumexp",
        MATH,
        SAME,
        case("paddle.logcumsumexp(x, axis=1)", "torch.logcumsumexp(x, dim=1)", x="float 2,3"),
        case("paddle.logcumsumexp(x)", "torch.logcumsumexp(x.flatten(), 0)", x="float 2,3"),
        exactness=Exactness.ALGEBRA,
        arguments=(X_INPUT, AXIS),
    ),
    function(
        "diff",
        "diff",
        MATH,
        "each minus the one before it",
        case("paddle.diff(x)", "torch.diff(x)", x="float 2,5"),
        case("paddle.diff(x, n=2, axis=0)", "torch.diff(x, n=2, dim=0)", x="float 4,3"),
        arguments=(
            X_INPUT,
            Argument("n", "n"),
            AXIS,
            Argument("prepend", "prepend"),
            Argument("append", "append"),
        ),
        exactness=Exactness.ALGEBRA,
        torch_where="_torch_docs.py: diff",
    ),
    function(
        "isin",
        "isin",
        MATH,
        "element by element, a bool tensor",
        case("paddle.isin(i, j)", "torch.isin(i, j)", i="int<5 2,3", j="int<5 2"),
        case("paddle.isin(i, j, invert=True)", "torch.isin(i, j, invert=True)", i="int<5 2,3", j="int<5 2"),
        arguments=(
            Argument("x", "elements"),
            Argument("test_x", "test_elements"),
            Argument("assume_unique", "assume_unique"),
            Argument("invert", "invert"),
        ),
    ),
    function(
        "bucketize",
        "bucketize",
        "tensor/search",
        "the bin of each number",
        case("paddle.bucketize(x, s)", "torch.bucketize(x, s)", x="float 4", s="= [-1.0, 0.0, 1.0]"),
        arguments=(
            X_INPUT,
            Argument("sorted_sequence", "boundaries"),
            Argument("out_int32", "out_int32"),
            Argument("right", "right"),
        ),
    ),
    function(
        "unique_consecutive",
        "unique_consecutive",
        MANIPULATION,
        "neighbours that are equal become one",
        case("paddle.unique_consecutive(i)", "torch.unique_consecutive(i)", i="= [1, 1, 2, 2, 1]"),
        case(
            "paddle.unique_consecutive(i, return_inverse=True, return_counts=True)",
            "torch.unique_consecutive(i, return_inverse=True, return_counts=True)",
            i="= [1, 1, 2, 2, 1]",
        ),
        arguments=(
            X_INPUT,
            Argument("return_inverse", "return_inverse"),
            Argument("return_counts", "return_counts"),
            AXIS,
        ),
        torch_where="functional.py: unique_consecutive",
    ),
    _linalg("cholesky", "cholesky(x)", "cholesky(x)", Argument("upper", "upper")),
    _linalg("matrix_power", "matrix_power(x, 3)", "matrix_power(x, 3)", Argument("n", "n")),
    _linalg("solve", "solve(x, x)", "solve(x, x)", Argument("y", "B"), Argument("left", "left")),
    _linalg("eigh", "eigh(x)[0]", "eigh(x)[0]", Argument("UPLO", "UPLO")),
    _linalg(
        "svd",
        "svd(x)[1]",
        "svd(x, full_matrices=False)[1]",
        Argument("full_matrices", "full_matrices", paddle_default=False, torch_default=True),
    ),
    _linalg("qr", "qr(x)[1].abs()", "qr(x)[1].abs()", Argument("mode", "mode")),
    function(
        "broadcast_tensors",
        "broadcast_tensors",
        MANIPULATION,
        "each in the shape of all",
        case(
            "paddle.broadcast_tensors([x, y])[1]",
            "torch.broadcast_tensors(x, y)[1]",
            x="float 2,3",
            y="float 3",
            backward=False,
        ),
        traps=(Trap("one list in Paddle, one by one in torch", naive="torch.broadcast_tensors([x, y])[1]"),),
        arguments=(Argument("input", None),),
        torch_where="functional.py: broadcast_tensors",
    ),
    *(
        function(
            f"atleast_{n}d",
            f"atleast_{n}d",
            MANIPULATION,
            "dimensions of size 1 where there are fewer",
            case(f"paddle.atleast_{n}d(x)", f"torch.atleast_{n}d(x)", x="float 3"),
            torch_where=f"functional.py: atleast_{n}d",
        )
        for n in (1, 2, 3)
    ),
    function(
        "ravel",
        "ravel",
        MANIPULATION,
        "one dimension",
        case("paddle.ravel(x)", "torch.ravel(x)", x="float 2,3"),
        arguments=(Argument("input", "input"),),
    ),
    function(
        "index_fill",
        "index_fill",
        MANIPULATION,
        "a number at these places of one dimension",
        case(
            "paddle.index_fill(x, i, 1, -1.0)",
            "torch.index_fill(x, 1, i, -1.0)",
            x="float 2,3",
            i="= [0, 2]",
        ),
        traps=(
            Trap("the axis stands behind the indices in Paddle", naive="torch.index_fill(x, i, 1, -1.0)"),
        ),
        arguments=(X_INPUT, Argument("index", "index"), AXIS, Argument("value", "value")),
        torch_where="_tensor_docs.py: index_fill",
    ),
    function(
        "index_put",
        "index_put",
        "tensor/manipulation",
        "x[indices] = value in a copy",
        case(
            "paddle.index_put(x, [i], y)",
            "torch.index_put(x, [i], y)",
            x="float 4,3",
            i="= [0, 2]",
            y="float 2,3",
        ),
        arguments=(
            X_INPUT,
            Argument("indices", "indices"),
            Argument("value", "values"),
            Argument("accumulate", "accumulate"),
        ),
        torch_where="_tensor_docs.py: index_put",
    ),
    function(
        "is_empty",
        "",
        "tensor/logic",
        "whether there are no numbers",
        case("paddle.is_empty(x)", "x.numel() == 0", x="float 2,3"),
        remedy="x.numel() == 0",
        exactness=Exactness.NONE,
    ),
    function(
        "rank",
        "",
        "tensor/attribute",
        "how many dimensions",
        case("int(paddle.rank(x))", "x.ndim", x="float 2,3"),
        remedy="x.ndim",
        exactness=Exactness.NONE,
    ),
    function(
        "increment",
        "",
        MATH,
        "the tensor itself changes",
        case("paddle.increment(x)", "x.add_(1.0)", x="float 1 constant"),
        remedy="x.add_(value)",
        exactness=Exactness.NONE,
        arguments=(Argument("value", None, paddle_default=1.0),),
    ),
    function(
        "scatter_nd",
        "",
        MANIPULATION,
        "zeros to which the updates are added",
        case(
            "paddle.scatter_nd(i, x, [4, 3])",
            "torch.zeros([4, 3], dtype=x.dtype).index_put(tuple(i.movedim(-1, 0)), x, accumulate=True)",
            i="= [[0], [2], [0]]",
            x="float 3,3",
        ),
        remedy="zeros, and index_put with accumulate=True",
        exactness=Exactness.NONE,
    ),
    *(
        function(
            name,
            name,
            "framework/dtype",
            "the limits of a dtype",
            case(f"float(paddle.{name}(paddle.{dtype}).max)", f"float(torch.{name}(torch.{dtype}).max)"),
            arguments=(Argument("dtype", "type", convert="dtype"),),
            torch_where=f"_C/__init__.pyi: {name}",
        )
        for name, dtype in (("finfo", "float32"), ("iinfo", "int32"))
    ),
    *(
        function(
            name,
            name,
            "tensor/attribute",
            "a question of the dtype",
            case(f"paddle.{name}(x)", f"torch.{name}(x)", x="float 2"),
            arguments=(X_INPUT,),
        )
        for name in ("is_floating_point", "is_complex")
    ),
)
