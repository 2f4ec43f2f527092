"""Linear, embedding, dropout and what else is no convolution, normalization, pooling or activation."""

from __future__ import annotations

from convert.rosetta.layers.common import (
    BIAS_ATTR,
    LINEAR_WEIGHT,
    NAME,
    NO_WEIGHT_ATTR,
    SAME_BIAS,
)
from convert.rosetta.rows import (
    Argument,
    Exactness,
    Example,
    Kind,
    Parameter,
    Row,
    Source,
    Trap,
)

ROWS = (
    Row(
        Kind.LAYER,
        "nn.Linear",
        "nn.Linear",
        Exactness.ALGEBRA,
        parameters=(LINEAR_WEIGHT, SAME_BIAS),
        arguments=(
            Argument("in_features", "in_features"),
            Argument("out_features", "out_features"),
            NO_WEIGHT_ATTR,
            BIAS_ATTR,
            NAME,
        ),
        traps=(
            Trap(
                "a square weight that is not transposed loads without complaint and computes something else",
                naive="F.linear(x, w)",
                example=Example({"x": "float 3,5", "w": "float 5,5"}, "F.linear(x, w)", "F.linear(x, w.T)"),
            ),
            Trap(
                "default weights differ: Paddle Xavier uniform, torch U(-1/sqrt(in), 1/sqrt(in))",
                naive="nn.Linear(64, 64).weight.detach()",
                example=Example(
                    {},
                    "nn.Linear(64, 64).weight.detach()",
                    "nn.init.xavier_uniform_(nn.Linear(64, 64).weight).detach()",
                    compare="distribution",
                ),
            ),
        ),
        examples=(
            Example({"x": "float 3,5"}, "nn.Linear(5, 5)", "nn.Linear(5, 5)"),
            Example({"x": "float 3,5"}, "nn.Linear(5, 2, bias_attr=False)", "nn.Linear(5, 2, bias=False)"),
        ),
        source=Source("nn/layer/common.py: Linear", "nn/modules/linear.py: Linear"),
        reason="x @ W + b",
        names=("linear",),
    ),
    Row(
        Kind.LAYER,
        "nn.Embedding",
        "nn.Embedding",
        Exactness.ALGEBRA,
        parameters=(
            Parameter("weight", "weight", why="[rows, width] in both: never transposed, even when square"),
        ),
        arguments=(
            Argument("num_embeddings", "num_embeddings"),
            Argument("embedding_dim", "embedding_dim"),
            Argument("padding_idx", "padding_idx"),
            Argument("sparse", "sparse", paddle_default=False, torch_default=False),
            Argument("weight_attr", None),
            NAME,
        ),
        traps=(
            Trap(
                "Paddle outputs zeros for padding_idx, torch the stored row: set that row to zero",
                naive="F.embedding(i, w, padding_idx=2)",
                example=Example(
                    {"i": "= [0, 2, 3]", "w": "float 6,5 constant"},
                    "F.embedding(i, w, padding_idx=2)",
                    "w[2] = 0\nF.embedding(i, w, padding_idx=2)",
                ),
                argument="padding_idx",
            ),
        ),
        examples=(Example({"i": "int<6 2,3"}, "nn.Embedding(6, 6)", "nn.Embedding(6, 6)"),),
        source=Source("nn/layer/common.py: Embedding", "nn/modules/sparse.py: Embedding"),
        reason="table look-up",
        names=("embedding",),
    ),
)
