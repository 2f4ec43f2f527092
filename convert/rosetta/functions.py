"""Functions of nn.functional and of the framework's root."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source, Trap

ROWS: tuple[Row, ...] = (
    Row(
        Kind.FUNCTION,
        "nn.functional.avg_pool2d",
        "nn.functional.avg_pool2d",
        Exactness.NEAR,
        within=3e-8,
        arguments=(
            Argument(
                "exclusive", "count_include_pad", convert="not", paddle_default=True, torch_default=True
            ),
        ),
        traps=(
            Trap(
                "the defaults disagree: exclusive=True is count_include_pad=False",
                naive="F.avg_pool2d(x, 3, 2, padding=1)",
            ),
        ),
        examples=(
            Example(
                {"x": "float 2,3,9,9"},
                "F.avg_pool2d(x, 3, 2, padding=1)",
                "F.avg_pool2d(x, 3, 2, padding=1, count_include_pad=False)",
            ),
        ),
        source=Source("nn/functional/pooling.py: avg_pool2d", "nn/functional.py: avg_pool2d"),
        reason="the same windows; the gradient is scaled by a float32 1/k in Paddle",
    ),
    Row(
        Kind.FUNCTION,
        "nn.functional.hardsigmoid",
        "nn.functional.hardsigmoid",
        Exactness.NEAR,
        within=1e-6,
        arguments=(
            Argument("slope", None, paddle_default=0.1666667, note="torch's slope is 1/6, not an argument"),
            Argument("offset", None, paddle_default=0.5),
        ),
        traps=(
            Trap(
                "a slope of 0.2 (Keras, old Paddle) is an argument in Paddle and none in torch",
                naive="F.hardsigmoid(x)",
                example=Example(
                    {"x": "float 4,5"}, "F.hardsigmoid(x, slope=0.25)", "(0.25 * x + 0.5).clamp(0, 1)"
                ),
            ),
        ),
        examples=(Example({"x": "float 4,5"}, "F.hardsigmoid(x)", "F.hardsigmoid(x)"),),
        source=Source("nn/functional/activation.py: hardsigmoid", "nn/functional.py: hardsigmoid"),
        reason="Paddle's default slope is the literal 0.1666667, torch's 1/6",
    ),
    Row(
        Kind.FUNCTION,
        "concat",
        "cat",
        Exactness.BIT,
        arguments=(Argument("x", "tensors"), Argument("axis", "dim", paddle_default=0, torch_default=0)),
        examples=(
            Example(
                {"x": "float 2,3", "y": "float 2,4"},
                "paddle.concat([x, y], axis=1)",
                "torch.cat([x, y], dim=1)",
            ),
        ),
        source=Source("tensor/manipulation.py: concat", "_torch_docs.py: cat"),
        reason="copies",
    ),
)
