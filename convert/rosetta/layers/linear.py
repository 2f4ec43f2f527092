"""Linear and bilinear maps, embedding and similarities."""

from __future__ import annotations

from convert.rosetta.layers.common import (
    BIAS_ATTR,
    LINEAR_WEIGHT,
    NAME,
    NO_WEIGHT_ATTR,
    SAME_BIAS,
    SAME_WEIGHT,
)
from convert.rosetta.rows import RESHAPE, Argument, Exactness, Example, Kind, Parameter, Row, Source, Trap
from convert.rosetta.writing import case, layer, trap

_PAIR = {"x": "float 3,5", "y": "float 3,5"}

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
        names=("linear", "fc"),
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
            trap(
                "a frozen layer with padding_idx: the row in the file is not what Paddle returned",
                "layer = nn.Embedding(6, 5, padding_idx=2)\nlayer.load_state_dict({'weight': w})\nlayer(i)",
                {"i": "= [0, 2, 3]", "w": "float 6,5 constant"},
                (
                    "layer = nn.Embedding(6, 5, padding_idx=2)\nlayer.weight.set_value(w)\nlayer(i)",
                    "layer = nn.Embedding(6, 5, padding_idx=2)\nw[2] = 0\nlayer.load_state_dict({'weight': w})\nlayer(i)",
                ),
                backward=False,
            ),
            trap(
                "default weights differ: Paddle Xavier uniform, torch N(0, 1)",
                "nn.Embedding(64, 64).weight.detach()",
                {},
                (
                    "nn.Embedding(64, 64).weight.detach()",
                    "nn.init.xavier_uniform_(nn.Embedding(64, 64).weight).detach()",
                ),
                compare="distribution",
            ),
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
    layer(
        "Bilinear",
        Exactness.ALGEBRA,
        "x1 W x2 + b",
        (
            case({"x": "float 3,5", "y": "float 3,4"}, "nn.Bilinear(5, 4, 2)"),
            case(
                {"x": "float 3,5", "y": "float 3,4"},
                ("nn.Bilinear(5, 4, 2, bias_attr=False)", "nn.Bilinear(5, 4, 2, bias=False)"),
            ),
        ),
        files=("common", "linear"),
        parameters=(
            SAME_WEIGHT,
            Parameter("bias", "bias", RESHAPE, "Paddle keeps [1, out], torch [out]", ones=1),
        ),
        arguments=(
            Argument("in1_features", "in1_features"),
            Argument("in2_features", "in2_features"),
            Argument("out_features", "out_features"),
            NO_WEIGHT_ATTR,
            BIAS_ATTR,
            NAME,
        ),
        traps=(
            trap(
                "the bias is [1, out] in Paddle",
                "[list(t.shape) for t in nn.Bilinear(5, 4, 2).state_dict().values()]",
                {},
                (
                    "[list(t.shape) for t in nn.Bilinear(5, 4, 2).state_dict().values()]",
                    "weight, bias = nn.Bilinear(5, 4, 2).state_dict().values()\n[list(weight.shape), [1, len(bias)]]",
                ),
            ),
        ),
        names=("bilinear",),
    ),
    layer(
        "CosineSimilarity",
        Exactness.ALGEBRA,
        "x y / (|x| |y|)",
        (
            case(_PAIR, "nn.CosineSimilarity()"),
            case(_PAIR, ("nn.CosineSimilarity(axis=0)", "nn.CosineSimilarity(dim=0)")),
        ),
        files=("common", "distance"),
        arguments=(
            Argument("axis", "dim", paddle_default=1, torch_default=1),
            Argument("eps", "eps", paddle_default=1e-8, torch_default=1e-8),
        ),
    ),
    layer(
        "PairwiseDistance",
        Exactness.ALGEBRA,
        "the norm of x - y + epsilon",
        (case(_PAIR, "nn.PairwiseDistance()"), case(_PAIR, "nn.PairwiseDistance(1.0, keepdim=True)")),
        files=("distance", "distance"),
        arguments=(
            Argument("p", "p", paddle_default=2.0, torch_default=2.0),
            Argument("epsilon", "eps", paddle_default=1e-6, torch_default=1e-6),
            Argument("keepdim", "keepdim", paddle_default=False, torch_default=False),
            NAME,
        ),
    ),
)
