"""Creating tensors: constants, ranges and parts of matrices."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Row, Trap
from convert.rosetta.tensors.common import X_INPUT, case, function

SHAPE = Argument("shape", "size", note="a list or tuple in Paddle; torch takes that or separate numbers")
DTYPE = Argument(
    "dtype", "dtype", note="Paddle takes 'float32' or paddle.float32; torch takes torch.float32 only"
)
STRING_DTYPE = "torch takes no strings for dtypes"
CREATION = "tensor/creation"

ROWS: tuple[Row, ...] = (
    function(
        "to_tensor",
        "tensor",
        CREATION,
        "copies the numbers; Python floats become the default dtype, Python integers int64",
        case("paddle.to_tensor([[1.5, 2.0]])", "torch.tensor([[1.5, 2.0]])"),
        case("paddle.to_tensor([[1.5, 2.0]])", "torch.tensor([[1.5, 2.0]])", compare="dtype"),
        case("paddle.to_tensor([1, 2])", "torch.tensor([1, 2])", compare="dtype"),
        case("paddle.to_tensor(np.ones(3, 'uint8'))", "torch.tensor(np.ones(3, 'uint8'))", compare="dtype"),
        case(
            "paddle.to_tensor([1, 2], dtype='float32')",
            "torch.tensor([1, 2], dtype=torch.float32)",
            compare="dtype",
        ),
        arguments=(
            Argument("data", "data"),
            DTYPE,
            Argument("place", "device", convert="paddle.CPUPlace() -> 'cpu', 'gpu:0' -> 'cuda:0'"),
            Argument(
                "stop_gradient", "requires_grad", convert="not", paddle_default=True, torch_default=False
            ),
        ),
        traps=(
            Trap(
                STRING_DTYPE,
                naive="torch.tensor([1, 2], dtype='float32')",
                example=case(
                    "paddle.to_tensor([1, 2], dtype='float32')", "torch.tensor([1, 2], dtype=torch.float32)"
                ),
            ),
            Trap(
                "torch.Tensor(data) is the float constructor: integer labels become floats",
                naive="torch.Tensor([1, 2])",
                example=case("paddle.to_tensor([1, 2])", "torch.tensor([1, 2])", compare="dtype"),
            ),
            Trap(
                "to_tensor copies; torch.from_numpy shares memory with the array",
                naive="a = np.ones(3)\nt = torch.from_numpy(a)\na[0] = 5.0\nt",
                example=case(
                    "a = np.ones(3)\nt = paddle.to_tensor(a)\na[0] = 5.0\nt",
                    "a = np.ones(3)\nt = torch.tensor(a)\na[0] = 5.0\nt",
                ),
            ),
        ),
    ),
    *(
        function(
            name,
            name,
            CREATION,
            "a constant",
            case(f"paddle.{name}([2, 3])", f"torch.{name}([2, 3])"),
            case(f"paddle.{name}([2, 3])", f"torch.{name}([2, 3])", compare="dtype"),
            case(
                f"paddle.{name}([2, 3], 'int64')",
                f"torch.{name}([2, 3], dtype=torch.int64)",
                compare="dtype",
            ),
            arguments=(SHAPE, DTYPE),
            traps=(
                Trap(
                    "the second positional argument is the dtype in Paddle, a size in torch",
                    naive=f"torch.{name}([2, 3], torch.int64)",
                ),
            ),
        )
        for name in ("zeros", "ones")
    ),
    function(
        "full",
        "full",
        CREATION,
        "a constant",
        case("paddle.full([2, 3], 0.5)", "torch.full([2, 3], 0.5)"),
        case("paddle.full([2], 1, dtype='int64')", "torch.full([2], 1, dtype=torch.int64)", compare="dtype"),
        arguments=(SHAPE, Argument("fill_value", "fill_value"), DTYPE),
        traps=(
            Trap(
                "the shape may be a number in Paddle; torch wants a tuple or list",
                naive="torch.full(3, 0.5)",
                example=case("paddle.full(3, 0.5)", "torch.full((3,), 0.5)"),
            ),
        ),
    ),
    *(
        function(
            f"{name}_like",
            f"{name}_like",
            CREATION,
            "shape and dtype of the input",
            case(f"paddle.{name}_like(x)", f"torch.{name}_like(x)", x="float 2,3"),
            case(f"paddle.{name}_like(i)", f"torch.{name}_like(i)", i="int<5 2,3", compare="dtype"),
            arguments=(X_INPUT, DTYPE),
            traps=(
                Trap(
                    STRING_DTYPE,
                    naive=f"torch.{name}_like(x, dtype='int64')",
                    example=case(
                        f"paddle.{name}_like(x, dtype='int64')",
                        f"torch.{name}_like(x, dtype=torch.int64)",
                        x="float 2,3",
                    ),
                ),
            ),
        )
        for name in ("zeros", "ones")
    ),
    function(
        "full_like",
        "full_like",
        CREATION,
        "shape and dtype of the input",
        case("paddle.full_like(x, 0.5)", "torch.full_like(x, 0.5)", x="float 2,3"),
        arguments=(X_INPUT, Argument("fill_value", "fill_value"), DTYPE),
    ),
    *(
        function(
            name,
            name,
            CREATION,
            "memory that nobody has written to: only shape and dtype are the same",
            case(f"paddle.{call}", f"torch.{call}", compare="shape", x="float 2,3"),
            case(f"paddle.{call}", f"torch.{call}", compare="dtype", x="float 2,3"),
            arguments=(SHAPE if name == "empty" else X_INPUT, DTYPE),
        )
        for name, call in (("empty", "empty([2, 3])"), ("empty_like", "empty_like(x)"))
    ),
    function(
        "arange",
        "arange",
        CREATION,
        "start + i * step",
        case("paddle.arange(5)", "torch.arange(5)"),
        case("paddle.arange(5)", "torch.arange(5)", compare="dtype"),
        case("paddle.arange(2, 11, 3)", "torch.arange(2, 11, 3)"),
        case("paddle.arange(0.0, 1.0, 0.25)", "torch.arange(0.0, 1.0, 0.25)"),
        case("paddle.arange(5, dtype='float32')", "torch.arange(5, dtype=torch.float32)", compare="dtype"),
        arguments=(Argument("start", "start"), Argument("end", "end"), Argument("step", "step"), DTYPE),
        traps=(
            Trap(
                STRING_DTYPE,
                naive="torch.arange(5, dtype='float32')",
                example=case("paddle.arange(5, dtype='float32')", "torch.arange(5, dtype=torch.float32)"),
            ),
        ),
    ),
    function(
        "linspace",
        "linspace",
        CREATION,
        "start + i * (stop - start) / (num - 1)",
        case("paddle.linspace(-1.0, 1.0, 7)", "torch.linspace(-1.0, 1.0, 7)"),
        exactness=Exactness.ALGEBRA,
        arguments=(
            Argument("start", "start"),
            Argument("stop", "end"),
            Argument("num", "steps"),
            DTYPE,
        ),
        traps=(Trap("the names differ: stop, num are end, steps", naive="torch.linspace(-1.0, 1.0, num=7)"),),
    ),
    function(
        "logspace",
        "logspace",
        CREATION,
        "base ** linspace",
        case("paddle.logspace(0.0, 2.0, 5)", "torch.logspace(0.0, 2.0, 5)"),
        exactness=Exactness.ALGEBRA,
        arguments=(Argument("stop", "end"), Argument("num", "steps"), Argument("base", "base"), DTYPE),
    ),
    function(
        "eye",
        "eye",
        CREATION,
        "a constant",
        case("paddle.eye(3)", "torch.eye(3)"),
        case("paddle.eye(2, 4)", "torch.eye(2, 4)"),
        arguments=(Argument("num_rows", "n"), Argument("num_columns", "m"), DTYPE),
        traps=(
            Trap(
                "the names differ",
                naive="torch.eye(num_rows=2, num_columns=4)",
                example=case("paddle.eye(num_rows=2, num_columns=4)", "torch.eye(2, 4)"),
            ),
        ),
    ),
    function(
        "meshgrid",
        "meshgrid",
        CREATION,
        "matrix indexing: the first input runs along the first dimension",
        case("paddle.meshgrid(x, y)", "torch.meshgrid(x, y, indexing='ij')", x="float 2", y="float 3"),
        case("paddle.meshgrid([x, y])", "torch.meshgrid([x, y], indexing='ij')", x="float 2", y="float 3"),
        arguments=(
            Argument(
                None,
                "indexing",
                torch_default=None,
                note="say 'ij': torch warns without it; 'xy' is numpy's default",
            ),
        ),
        traps=(
            Trap(
                "numpy's indexing='xy' is the transposed grid",
                naive="torch.meshgrid(x, y, indexing='xy')",
            ),
        ),
    ),
    *(
        function(
            name,
            name,
            CREATION,
            "copies one triangle, zeros elsewhere",
            case(f"paddle.{name}(x)", f"torch.{name}(x)", x="float 3,4"),
            case(f"paddle.{name}(x, diagonal=-1)", f"torch.{name}(x, diagonal=-1)", x="float 2,3,4"),
            arguments=(
                X_INPUT,
                Argument("diagonal", "diagonal", paddle_default=0, torch_default=0),
            ),
        )
        for name in ("tril", "triu")
    ),
    *(
        function(
            f"{name}_indices",
            f"{name}_indices",
            CREATION,
            "row and column numbers of the triangle",
            case(f"paddle.{name}_indices(3, 4, 1)", f"torch.{name}_indices(3, 4, 1)"),
            arguments=(Argument("row", "row"), Argument("col", "col"), Argument("offset", "offset")),
        )
        for name in ("tril", "triu")
    ),
    function(
        "diag",
        "diag",
        CREATION,
        "a matrix of a vector, the vector of a matrix",
        case("paddle.diag(x)", "torch.diag(x)", x="float 3"),
        case("paddle.diag(x, 1)", "torch.diag(x, 1)", x="float 3,4"),
        arguments=(
            X_INPUT,
            Argument("offset", "diagonal", paddle_default=0, torch_default=0),
            Argument("padding_value", None, paddle_default=0, note="torch fills with 0 only"),
        ),
        traps=(
            Trap(
                "offset is called diagonal, and there is no padding_value",
                naive="torch.diag(x, offset=1)",
                example=case(
                    "paddle.diag(x, padding_value=2.0)",
                    "torch.where(torch.eye(3, dtype=torch.bool), torch.diag(x), 2.0)",
                    x="float 3",
                ),
            ),
        ),
    ),
    function(
        "diagflat",
        "diagflat",
        CREATION,
        "the flat input on a diagonal",
        case("paddle.diagflat(x, 1)", "torch.diagflat(x, 1)", x="float 2,2"),
        arguments=(X_INPUT, Argument("offset", "offset")),
    ),
    function(
        "diag_embed",
        "diag_embed",
        CREATION,
        "the last dimension on a diagonal; Paddle cuts the gradient (`out.stop_gradient = True`)",
        case("paddle.diag_embed(x)", "torch.diag_embed(x.detach())", x="float 2,3"),
        case(
            "paddle.diag_embed(x, offset=1, dim1=0, dim2=2)",
            "torch.diag_embed(x.detach(), offset=1, dim1=0, dim2=2)",
            x="float 2,3",
        ),
        arguments=(Argument("input", "input"), Argument("dim1", "dim1"), Argument("dim2", "dim2")),
        traps=(Trap("Paddle's result has no gradient, torch's has", naive="torch.diag_embed(x)"),),
    ),
    function(
        "assign",
        "clone",
        CREATION,
        "a copy that gradients go through",
        case("paddle.assign(x)", "torch.clone(x)", x="float 2,3"),
        arguments=(
            X_INPUT,
            Argument("output", None, note="torch: output.copy_(x)"),
        ),
        traps=(
            Trap(
                "assign takes arrays and lists, clone tensors only",
                naive="torch.clone(np.ones(3))",
                example=case("paddle.assign(np.ones(3))", "torch.tensor(np.ones(3))"),
            ),
        ),
    ),
    function(
        "clone",
        "clone",
        "tensor/creation",
        "a copy that gradients go through",
        case("paddle.clone(x)", "torch.clone(x)", x="float 2,3"),
        arguments=(X_INPUT,),
    ),
    function(
        "complex",
        "complex",
        CREATION,
        "copies both parts",
        case("paddle.complex(x, y)", "torch.complex(x, y)", x="float 2,3", y="float 2,3", backward=False),
        arguments=(Argument("real", "real"), Argument("imag", "imag")),
        traps=(
            Trap(
                "Paddle broadcasts the parts to one dtype; torch wants two tensors of one dtype",
                naive="torch.complex(x, 1.0)",
                example=case(
                    "paddle.complex(x, paddle.ones([1]))",
                    "torch.complex(x, torch.ones(1))",
                    x="float 2,3",
                    backward=False,
                ),
            ),
        ),
    ),
)
