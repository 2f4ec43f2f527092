"""Random tensors: the distribution is the same, the numbers are not, whatever the seed."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Row, Trap
from convert.rosetta.tensors.common import X_INPUT, case, function
from convert.rosetta.tensors.creation import DTYPE, SHAPE

RANDOM = "tensor/random"

ROWS: tuple[Row, ...] = (
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
