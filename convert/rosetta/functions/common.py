"""Linear maps, embeddings, similarities, attention and other functions of `nn.functional`."""

from __future__ import annotations

from convert.rosetta.layers.common import NAME
from convert.rosetta.rows import Argument, Exactness, Row, Trap
from convert.rosetta.writing import case, cases, function, trap

_BIT, _ALGEBRA, _F32 = Exactness.BIT, Exactness.ALGEBRA, Exactness.F32
_X = Argument("x", "input")
_PAIR = {"x": "float 3,5", "y": "float 3,5"}
_HEADS = {"q": "float 2,5,3,4", "k": "float 2,5,3,4", "v": "float 2,5,3,4"}
_SWAP = "q, k, v = (t.transpose(1, 2) for t in (q, k, v))\n"
_EMBEDDED = {"i": "= [0, 5, 3, 5]", "w": "float 6,4"}

ROWS: tuple[Row, ...] = (
    function(
        "linear",
        _ALGEBRA,
        "x @ W + b",
        (
            case(
                {"x": "float 3,5", "w": "float 5,2", "b": "float 2"},
                ("F.linear(x, w, b)", "F.linear(x, w.T, b)"),
            ),
            case({"x": "float 2,3,5", "w": "float 5,2"}, ("F.linear(x, w)", "F.linear(x, w.T)")),
        ),
        file="common",
        arguments=(
            _X,
            Argument("weight", "weight", note="[in, out] in Paddle, [out, in] in torch"),
            Argument("bias", "bias"),
            NAME,
        ),
        traps=(
            Trap("the weight is transposed: torch refuses", "F.linear(x, w, b)"),
            trap(
                "unless it is square: then nothing complains",
                "F.linear(x, w)",
                {"x": "float 3,5", "w": "float 5,5"},
                ("F.linear(x, w)", "F.linear(x, w.T)"),
            ),
        ),
    ),
    function(
        "bilinear",
        _ALGEBRA,
        "x1 W x2 + b",
        cases(
            {"x": "float 3,5", "y": "float 3,4", "w": "float 2,5,4", "b": "float 1,2"},
            ("F.bilinear(x, y, w, b)", "F.bilinear(x, y, w, b.squeeze(0))"),
        ),
        file="common",
        arguments=(
            Argument("x1", "input1"),
            Argument("x2", "input2"),
            Argument("weight", "weight"),
            Argument("bias", "bias", note="[1, out] in Paddle, [out] in torch"),
            NAME,
        ),
        traps=(Trap("the bias is [1, out] in Paddle", "F.bilinear(x, y, w, b)"),),
    ),
    function(
        "embedding",
        _BIT,
        "table look-up",
        (
            case({"i": "int<6 2,3", "w": "float 6,5"}, ("F.embedding(i, w)", "F.embedding(i, w)")),
            case(
                _EMBEDDED,
                (
                    "F.embedding(i, w, padding_idx=5)",
                    "F.embedding(i, w, padding_idx=5) * (i != 5).unsqueeze(-1)",
                ),
            ),
        ),
        file="input",
        arguments=(
            _X,
            Argument("weight", "weight"),
            Argument("padding_idx", "padding_idx", note="Paddle outputs zeros for it, torch the stored row"),
            Argument("max_norm", "max_norm"),
            Argument("norm_type", "norm_type", paddle_default=2.0, torch_default=2.0),
            Argument("sparse", "sparse", paddle_default=False, torch_default=False),
            Argument("scale_grad_by_freq", "scale_grad_by_freq", paddle_default=False, torch_default=False),
            NAME,
        ),
        traps=(
            trap(
                "Paddle outputs zeros for padding_idx, torch the stored row",
                "F.embedding(i, w, padding_idx=5)",
                _EMBEDDED,
                (
                    "F.embedding(i, w, padding_idx=5)",
                    "F.embedding(i, w, padding_idx=5) * (i != 5).unsqueeze(-1)",
                ),
            ),
            trap(
                "padding_idx=-1 is the last row in both, not a way to say none",
                "F.embedding(i, w)",
                _EMBEDDED,
                (
                    "F.embedding(i, w, padding_idx=-1)",
                    "F.embedding(i, w, padding_idx=-1) * (i != 5).unsqueeze(-1)",
                ),
            ),
        ),
    ),
    function(
        "one_hot",
        _BIT,
        "ones at the labels",
        cases(
            {"i": "int<6 2,3"},
            ("F.one_hot(i, 6)", "F.one_hot(i, 6)"),
            ("F.one_hot(i)", "F.one_hot(i)"),
        ),
        file="input",
        arguments=(_X, Argument("num_classes", "num_classes", paddle_default=-1, torch_default=-1), NAME),
        traps=(
            trap(
                "floats in Paddle (float32, whatever the default), int64 in torch",
                "F.one_hot(i, 6)",
                {"i": "int<6 2,3"},
                ("F.one_hot(i, 6)", "F.one_hot(i, 6).to(torch.float32)"),
                compare="dtype",
            ),
        ),
    ),
    function(
        "cosine_similarity",
        _ALGEBRA,
        "x y / (|x| |y|)",
        cases(
            _PAIR,
            "F.cosine_similarity(x, y)",
            ("F.cosine_similarity(x, y, axis=0)", "F.cosine_similarity(x, y, dim=0)"),
        ),
        file="common",
        arguments=(
            Argument("x1", "x1"),
            Argument("x2", "x2"),
            Argument("axis", "dim", paddle_default=1, torch_default=1),
            Argument("eps", "eps", paddle_default=1e-8, torch_default=1e-8),
        ),
    ),
    function(
        "pairwise_distance",
        _ALGEBRA,
        "the norm of x - y + epsilon",
        cases(
            _PAIR,
            "F.pairwise_distance(x, y)",
            ("F.pairwise_distance(x, y, 1.0, keepdim=True)", "F.pairwise_distance(x, y, 1.0, keepdim=True)"),
        ),
        file="distance",
        arguments=(
            Argument("x", "x1"),
            Argument("y", "x2"),
            Argument("p", "p", paddle_default=2.0, torch_default=2.0),
            Argument("epsilon", "eps", paddle_default=1e-6, torch_default=1e-6),
            Argument("keepdim", "keepdim", paddle_default=False, torch_default=False),
            NAME,
        ),
    ),
    function(
        "scaled_dot_product_attention",
        _ALGEBRA,
        "softmax(q k / sqrt(d)) v",
        (
            *cases(
                _HEADS,
                (
                    "F.scaled_dot_product_attention(q, k, v)",
                    _SWAP + "F.scaled_dot_product_attention(q, k, v).transpose(1, 2)",
                ),
                (
                    "F.scaled_dot_product_attention(q, k, v, is_causal=True)",
                    _SWAP + "F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2)",
                ),
            ),
            case(
                {**_HEADS, "m": "float 2,1,5,5 constant"},
                (
                    "F.scaled_dot_product_attention(q, k, v, m)",
                    _SWAP + "F.scaled_dot_product_attention(q, k, v, m).transpose(1, 2)",
                ),
            ),
        ),
        file="sdpa",
        arguments=(
            Argument(
                "query", "query", note="[batch, length, heads, width]; torch [batch, heads, length, width]"
            ),
            Argument("key", "key"),
            Argument("value", "value"),
            Argument("attn_mask", "attn_mask", note="True means attend in both"),
            Argument("dropout_p", "dropout_p", paddle_default=0.0, torch_default=0.0),
            Argument("is_causal", "is_causal", paddle_default=False, torch_default=False),
            Argument("training", None, paddle_default=True, note="torch: dropout_p=0 in eval"),
            Argument("scale", "scale"),
        ),
        traps=(
            Trap(
                "heads and length change places: torch attends over the heads without complaint",
                "F.scaled_dot_product_attention(q, k, v)",
            ),
        ),
    ),
    function(
        ("label_smooth", ""),
        Exactness.NONE,
        "(1 - epsilon) * label + epsilon * prior; epsilon is kept as float32",
        (
            case(
                "float 3,4", ("F.label_smooth(x)", "float(1 - np.float32(0.1)) * x + f32(0.1) / x.shape[-1]")
            ),
            case(
                {"x": "float 3,4", "prior": "positive 1,4 constant"},
                (
                    "F.label_smooth(x, prior, epsilon=0.2)",
                    "float(1 - np.float32(0.2)) * x + f32(0.2) * prior",
                ),
            ),
        ),
        file="common",
        remedy="write the sum, or cross_entropy(label_smoothing=) where it feeds a loss",
        arguments=(
            Argument("label", None),
            Argument("prior_dist", None),
            Argument("epsilon", None, paddle_default=0.1),
            NAME,
        ),
        traps=(Trap("epsilon and 1 - epsilon are float32: 3e-8 off", "(1 - 0.1) * x + 0.1 / x.shape[-1]"),),
    ),
    function(
        ("sequence_mask", ""),
        Exactness.NONE,
        "ones before each length",
        (
            case(
                {"n": "= [2, 0, 3]"}, ("F.sequence_mask(n, 4)", "(torch.arange(4) < n.unsqueeze(-1)).long()")
            ),
            case(
                {"n": "= [2, 0, 3]"},
                ("F.sequence_mask(n)", "(torch.arange(int(n.max())) < n.unsqueeze(-1)).long()"),
            ),
        ),
        file="extension",
        remedy="compare a range with the lengths",
        arguments=(
            Argument("x", None),
            Argument("maxlen", None),
            Argument("dtype", None, paddle_default="int64"),
        ),
        traps=(
            trap(
                "the mask is int64, not bool",
                "torch.arange(4) < n.unsqueeze(-1)",
                {"n": "= [2, 0, 3]"},
                ("F.sequence_mask(n, 4)", "(torch.arange(4) < n.unsqueeze(-1)).long()"),
                compare="dtype",
            ),
        ),
    ),
)
