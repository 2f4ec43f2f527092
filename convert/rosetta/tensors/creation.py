"""Creating tensors: constants, ranges, random numbers and parts of matrices."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Row, Trap
from convert.rosetta.tensors.common import X_INPUT, case, function

SHAPE = Argument("shape", "size", note="a list or tuple in Paddle; torch takes that or separate numbers")
DTYPE = Argument(
    "dtype", "dtype", note="Paddle takes 'float32' or paddle.float32; torch takes torch.float32 only"
)
STRING_DTYPE = "torch takes no strings for dtypes"
CREATION, RANDOM = "tensor/creation", "tensor/random"

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
    function(
        "rand",
        "rand",
        RANDOM,
        "uniform in [0, 1)",
        case("paddle.rand([50, 40])", "torch.rand([50, 40])", compare="distribution"),
        exactness=Exactness.DISTRIBUTION,
        arguments=(SHAPE, DTYPE),
        traps=(
            Trap(
                "the same seed gives other numbers: carry the array over instead",
                naive="torch.manual_seed(7)\ntorch.rand([4])",
                example=case(
                    "paddle.seed(7)\nx = np.random.RandomState(7).rand(4)\npaddle.to_tensor(x)",
                    "x = np.random.RandomState(7).rand(4)\ntorch.tensor(x)",
                ),
            ),
        ),
    ),
    *(
        function(
            paddle,
            "randn",
            RANDOM,
            "standard normal",
            case(f"paddle.{paddle}([50, 40])", "torch.randn([50, 40])", compare="distribution"),
            exactness=Exactness.DISTRIBUTION,
            arguments=(SHAPE, DTYPE),
            traps=(Trap("randn is normal, rand is uniform", naive="torch.rand([50, 40])"),),
        )
        for paddle in ("randn", "standard_normal")
    ),
    function(
        "uniform",
        "Tensor.uniform_",
        RANDOM,
        "uniform in [min, max)",
        case("paddle.uniform([50, 40])", "torch.rand(50, 40)", compare="distribution"),
        case(
            "paddle.uniform([50, 40], min=-1.0, max=3.0)",
            "torch.empty(50, 40).uniform_(-1.0, 3.0)",
            compare="distribution",
        ),
        exactness=Exactness.DISTRIBUTION,
        arguments=(
            Argument("shape", None, note="that of the tensor that is filled"),
            Argument(
                "min",
                "from",
                paddle_default=0.0,
                torch_default=0.0,
                note="0 in Paddle 3.3; it was -1 before, and the documentation's example still prints such numbers",
            ),
            Argument("max", "to", paddle_default=1.0, torch_default=1.0),
            Argument("seed", "generator", paddle_default=0, note="0 means the global generator"),
        ),
        traps=(
            Trap(
                "torch has no function for another range: fill a tensor, or scale torch.rand",
                naive="torch.uniform(-1.0, 3.0, (50, 40))",
                example=case(
                    "paddle.uniform([50, 40], min=-1.0, max=3.0)",
                    "torch.rand(50, 40) * 4.0 - 1.0",
                    compare="distribution",
                ),
            ),
            Trap("the defaults of Paddle before 3.3 were -1..1", naive="torch.empty(50, 40).uniform_(-1, 1)"),
        ),
    ),
    function(
        "normal",
        "normal",
        RANDOM,
        "normal of a mean and a standard deviation",
        case("paddle.normal(1.0, 2.0, [50, 40])", "torch.normal(1.0, 2.0, (50, 40))", compare="distribution"),
        exactness=Exactness.DISTRIBUTION,
        arguments=(
            Argument("mean", "mean", paddle_default=0.0),
            Argument("std", "std", paddle_default=1.0),
            Argument("shape", "size"),
        ),
        traps=(Trap("the shape is called size", naive="torch.normal(1.0, 2.0, shape=(50, 40))"),),
    ),
    function(
        "randint",
        "randint",
        RANDOM,
        "uniform integers of [low, high)",
        case("paddle.randint(0, 10, [50, 40])", "torch.randint(0, 10, (50, 40))", compare="distribution"),
        exactness=Exactness.DISTRIBUTION,
        arguments=(
            Argument("low", "low", paddle_default=0, torch_default=0, note="randint(n) is 0..n-1 in both"),
            Argument("high", "high"),
            Argument("shape", "size", paddle_default=[1], note="torch has no default"),
        ),
        traps=(
            Trap(
                "the size may be left out in Paddle only",
                naive="torch.randint(0, 10)",
                example=case("paddle.randint(0, 10)", "torch.randint(0, 10, (1,))", compare="shape"),
            ),
        ),
    ),
    function(
        "randint_like",
        "randint_like",
        RANDOM,
        "uniform integers, in the dtype of the input",
        case(
            "paddle.randint_like(x, 0, 10)",
            "torch.randint_like(x, 0, 10)",
            x="float 50,40",
            compare="distribution",
        ),
        exactness=Exactness.DISTRIBUTION,
        arguments=(X_INPUT, Argument("low", "low"), Argument("high", "high")),
    ),
    function(
        "randperm",
        "randperm",
        RANDOM,
        "a random order",
        case("paddle.randperm(2000)", "torch.randperm(2000)", compare="distribution"),
        exactness=Exactness.DISTRIBUTION,
        arguments=(Argument("n", "n"), DTYPE),
    ),
    function(
        "bernoulli",
        "bernoulli",
        RANDOM,
        "1 with the probability of the input",
        case("paddle.bernoulli(p)", "torch.bernoulli(p)", p="probability 50,40", compare="distribution"),
        exactness=Exactness.DISTRIBUTION,
        arguments=(X_INPUT, Argument("p", "p")),
    ),
    function(
        "multinomial",
        "multinomial",
        RANDOM,
        "indices drawn by weight",
        case(
            "paddle.multinomial(p, 2000, replacement=True)",
            "torch.multinomial(p, 2000, replacement=True)",
            p="= [0.1, 0.2, 0.3, 0.4]",
            compare="distribution",
        ),
        exactness=Exactness.DISTRIBUTION,
        arguments=(X_INPUT, Argument("num_samples", "num_samples"), Argument("replacement", "replacement")),
        traps=(
            Trap(
                "num_samples is 1 by default in Paddle and must be given in torch",
                naive="torch.multinomial(p)",
                example=case(
                    "paddle.multinomial(p)",
                    "torch.multinomial(p, 1)",
                    p="= [0.0, 1.0]",
                ),
            ),
        ),
    ),
)
