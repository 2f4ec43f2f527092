"""Products of vectors and matrices, and norms."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Row, Trap
from convert.rosetta.tensors.common import KEEPDIM, X_INPUT, case, function

LINALG = "tensor/linalg"
Y_OTHER = Argument("y", "other")


def _product(name: str, x: str, y: str, where: str = LINALG) -> Row:
    return function(
        name,
        name,
        where,
        "sums of products",
        case(f"paddle.{name}(x, y)", f"torch.{name}(x, y)", x=x, y=y),
        exactness=Exactness.ALGEBRA,
    )


ROWS: tuple[Row, ...] = (
    function(
        "matmul",
        "matmul",
        LINALG,
        "sums of products",
        case("paddle.matmul(x, y)", "torch.matmul(x, y)", x="float 2,3,4", y="float 4,5"),
        case(
            "paddle.matmul(x, y, transpose_y=True)", "torch.matmul(x, y.mT)", x="float 2,3,4", y="float 2,5,4"
        ),
        exactness=Exactness.ALGEBRA,
        arguments=(
            X_INPUT,
            Y_OTHER,
            Argument("transpose_x", None, paddle_default=False, note="torch: x.mT"),
            Argument("transpose_y", None, paddle_default=False, note="torch: y.mT"),
        ),
        traps=(
            Trap(
                "y.T turns all dimensions around; the last two are y.mT",
                naive="torch.matmul(x, y.T)",
                example=case(
                    "paddle.matmul(x, y, transpose_y=True)",
                    "torch.matmul(x, y.mT)",
                    x="float 2,3,4",
                    y="float 2,5,4",
                ),
            ),
        ),
    ),
    _product("mm", "float 2,3", "float 3,4"),
    _product("bmm", "float 2,3,4", "float 2,4,2"),
    _product("mv", "float 2,3", "float 3"),
    _product("outer", "float 2", "float 3"),
    _product("inner", "float 2,3", "float 4,3"),
    _product("kron", "float 2,2", "float 1,2"),
    function(
        "dot",
        "dot",
        LINALG,
        "sums of products",
        case("paddle.dot(x, y)", "torch.dot(x, y)", x="float 4", y="float 4"),
        exactness=Exactness.ALGEBRA,
        traps=(
            Trap(
                "Paddle takes a batch of vectors too",
                naive="torch.dot(x, y)",
                example=case("paddle.dot(x, y)", "(x * y).sum(-1)", x="float 2,4", y="float 2,4"),
            ),
        ),
    ),
    function(
        "addmm",
        "addmm",
        "tensor/math",
        "beta * input + alpha * x @ y",
        case(
            "paddle.addmm(b, x, y, beta=0.5, alpha=2.0)",
            "torch.addmm(b, x, y, beta=0.5, alpha=2.0)",
            b="float 2,4",
            x="float 2,3",
            y="float 3,4",
        ),
        exactness=Exactness.ALGEBRA,
        arguments=(
            Argument("input", "input"),
            Argument("x", "mat1"),
            Argument("y", "mat2"),
            Argument("beta", "beta"),
            Argument("alpha", "alpha"),
        ),
    ),
    function(
        "einsum",
        "einsum",
        "tensor/einsum",
        "sums of products",
        case(
            "paddle.einsum('bij,bjk->bik', x, y)",
            "torch.einsum('bij,bjk->bik', x, y)",
            x="float 2,3,4",
            y="float 2,4,2",
        ),
        case("paddle.einsum('ij->j', x)", "torch.einsum('ij->j', x)", x="float 2,3"),
        exactness=Exactness.ALGEBRA,
        arguments=(Argument("equation", "equation"),),
        torch_where="functional.py: einsum",
    ),
    function(
        "tensordot",
        "tensordot",
        "tensor/manipulation",
        "sums of products",
        case("paddle.tensordot(x, y, axes=1)", "torch.tensordot(x, y, dims=1)", x="float 2,3", y="float 3,4"),
        exactness=Exactness.ALGEBRA,
        arguments=(Argument("x", "a"), Argument("y", "b"), Argument("axes", "dims")),
        torch_where="functional.py: tensordot",
    ),
    function(
        "cross",
        "linalg.cross",
        LINALG,
        "the vector product",
        case("paddle.cross(x, y, axis=1)", "torch.linalg.cross(x, y, dim=1)", x="float 2,3", y="float 2,3"),
        exactness=Exactness.ALGEBRA,
        arguments=(
            Argument("axis", "dim", paddle_default=9, torch_default=-1, note="9: the first of size 3"),
        ),
        traps=(
            Trap(
                "by default Paddle takes the first dimension of size 3, torch.linalg.cross the last",
                naive="torch.linalg.cross(x, y)",
                example=case(
                    "paddle.cross(x, y)", "torch.linalg.cross(x, y, dim=0)", x="float 3,3", y="float 3,3"
                ),
            ),
        ),
    ),
    function(
        "trace",
        "trace",
        "tensor/math",
        "the sum of the diagonal",
        case("paddle.trace(x)", "torch.trace(x)", x="float 3,3"),
        exactness=Exactness.ALGEBRA,
        arguments=(X_INPUT, Argument("offset", None), Argument("axis1", None), Argument("axis2", None)),
        traps=(
            Trap(
                "torch takes a matrix and no offset",
                naive="torch.trace(x)",
                example=case(
                    "paddle.trace(x, offset=1, axis1=1, axis2=2)",
                    "torch.diagonal(x, 1, 1, 2).sum(-1)",
                    x="float 2,3,3",
                ),
            ),
        ),
    ),
    function(
        "norm",
        "linalg.vector_norm",
        LINALG,
        "of the flat tensor unless an axis is given; Paddle's gradient of the 1-norm is 1e-12 smaller",
        case("paddle.norm(x)", "torch.linalg.vector_norm(x)", x="float 3,4"),
        case(
            "paddle.norm(x, p=2, axis=1, keepdim=True)",
            "torch.linalg.vector_norm(x, ord=2, dim=1, keepdim=True)",
            x="float 3,4",
        ),
        exactness=Exactness.ALGEBRA,
        arguments=(Argument("x", "x"), Argument("p", "ord"), Argument("axis", "dim"), KEEPDIM),
        traps=(
            Trap(
                "for other p than 1, 2 and inf Paddle's root is a power of the float32 number 1/p",
                naive="torch.linalg.vector_norm(x, ord=3, dim=1)",
                example=case(
                    "paddle.norm(x, p=3, axis=1)",
                    "x.abs().pow(3).sum(1).pow(f32(1 / 3))",
                    x="float 3,4",
                    backward=False,
                ),
            ),
            Trap(
                "torch.linalg.norm(x, 2) of a matrix is its largest singular value",
                naive="torch.linalg.norm(x, 2)",
                example=case("paddle.norm(x, p=2)", "torch.linalg.vector_norm(x, 2)", x="float 3,4"),
            ),
        ),
    ),
    function(
        "dist",
        "dist",
        LINALG,
        "the p-norm of the difference",
        case("paddle.dist(x, y)", "torch.dist(x, y)", x="float 3,4", y="float 3,4"),
        exactness=Exactness.ALGEBRA,
        traps=(
            Trap(
                "for other p than 1, 2 and inf Paddle's root is a power of the float32 number 1/p",
                naive="torch.dist(x, y, 3)",
                example=case(
                    "paddle.dist(x, y, 3)",
                    "(x - y).abs().pow(3).sum().pow(f32(1 / 3))",
                    x="float 3,4",
                    y="float 3,4",
                    backward=False,
                ),
            ),
        ),
        arguments=(X_INPUT, Y_OTHER, Argument("p", "p", paddle_default=2, torch_default=2)),
    ),
    function(
        "cdist",
        "cdist",
        LINALG,
        "all distances between two sets of rows",
        case("paddle.cdist(x, y)", "torch.cdist(x, y)", x="float 3,4", y="float 2,4"),
        exactness=Exactness.ALGEBRA,
        arguments=(Argument("x", "x1"), Argument("y", "x2"), Argument("p", "p")),
        torch_where="functional.py: cdist",
    ),
    *(
        function(
            f"linalg.{name}",
            f"linalg.{name}",
            LINALG,
            "the same decomposition (LAPACK)",
            case(f"paddle.linalg.{name}(m)", f"torch.linalg.{name}(m)", m="= [[2.0, 0.5], [0.25, 3.0]]"),
            exactness=Exactness.ALGEBRA,
            torch_where=f"linalg/__init__.py: {name}",
        )
        for name in ("inv", "det")
    ),
)
