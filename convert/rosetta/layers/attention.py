"""Attention, and the layers of the transformer's encoder and decoder."""

from __future__ import annotations

from convert.rosetta.rows import CONCAT, TRANSPOSE, Argument, Exactness, Parameter, Trap
from convert.rosetta.writing import case, layer, trap

_PROJECTIONS = {"q": "q", "k": "k", "v": "v", "o": "out"}
_WEIGHTS = {
    **dict.fromkeys(_PROJECTIONS, "float 4,4 constant"),
    **{f"b{name}": "float 4 constant" for name in _PROJECTIONS},
}
_SET = "".join(
    f"attention.{long}_proj.weight.set_value({short}); attention.{long}_proj.bias.set_value(b{short})\n"
    for short, long in _PROJECTIONS.items()
)
_PARTS = ("q", "k", "v")
_PARAMETERS = (
    *(
        Parameter(
            f"{part}_proj.weight",
            "in_proj_weight",
            f"{TRANSPOSE}+{CONCAT}:{number}/3",
            "torch keeps the three projections as one, [out, in]; Paddle's are three Linear layers, [in, out]",
        )
        for number, part in enumerate(_PARTS, 1)
    ),
    *(
        Parameter(f"{part}_proj.weight", f"{part}_proj_weight", TRANSPOSE, "a Linear layer in Paddle")
        for part in _PARTS
    ),
    *(
        Parameter(
            f"{part}_proj.bias", "in_proj_bias", f"{CONCAT}:{number}/3", "torch keeps the three biases as one"
        )
        for number, part in enumerate(_PARTS, 1)
    ),
)
_PACKED = (
    "packed = {'in_proj_weight': torch.cat([q.T, k.T, v.T]), 'in_proj_bias': torch.cat([bq, bk, bv]),\n"
    "          'out_proj.weight': o.T, 'out_proj.bias': bo}\n"
)
_PADDLE = f"attention = nn.MultiHeadAttention(4, 2)\n{_SET}"
_TORCH = (
    f"{_PACKED}attention = nn.MultiheadAttention(4, 2, batch_first=True)\nattention.load_state_dict(packed)\n"
)
_MASK = (
    "= [[True, False, False, False, True], [True, True, False, False, False], [False, True, True, False, False], "
    "[False, False, True, True, False], [False, False, False, True, True]]"
)
_FEED = {"a": "float 4,8 constant", "c": "float 8,4 constant"}
_SET_FEED = "layer.linear1.weight.set_value(a); layer.linear2.weight.set_value(c)\n"
_TORCH_FEED = (
    "with torch.no_grad():\n"
    "    layer.linear1.weight.copy_(a.T), layer.linear2.weight.copy_(c.T)\n"
    "    layer.linear1.bias.zero_(), layer.linear2.bias.zero_()\n"
)


def _encoder(options: str) -> str:
    return (
        f"layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0{options})\nattention = layer.self_attn\n{_SET}"
        f"{_SET_FEED}layer(x)"
    )


def _torch_encoder(options: str, inputs: str = ", batch_first=True") -> str:
    return (
        f"{_PACKED}layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0{inputs}{options})\n"
        "layer.self_attn.load_state_dict(packed)\n"
        f"{_TORCH_FEED}layer(x)"
    )


def _decoder(options: str) -> str:
    attentions = "".join(f"attention = layer.{name}\n{_SET}" for name in ("self_attn", "cross_attn"))
    return (
        f"layer = nn.TransformerDecoderLayer(4, 2, 8, dropout=0.0{options})\n{attentions}"
        f"{_SET_FEED}layer(x, y)"
    )


def _torch_decoder(options: str, inputs: str = ", batch_first=True") -> str:
    return (
        f"{_PACKED}layer = nn.TransformerDecoderLayer(4, 2, 8, dropout=0.0{inputs}{options})\n"
        "layer.self_attn.load_state_dict(packed), layer.multihead_attn.load_state_dict(packed)\n"
        f"{_TORCH_FEED}layer(x, y)"
    )


_EPSILON = ", layer_norm_eps=f32(1e-5)"
_TARGET = {"x": "float 2,5,4", "y": "float 2,5,4", **_WEIGHTS, **_FEED}

_TRANSFORMER = (
    Argument("d_model", "d_model"),
    Argument("nhead", "nhead"),
    Argument("dim_feedforward", "dim_feedforward", torch_default=2048, note="Paddle has no default"),
    Argument("dropout", "dropout", paddle_default=0.1, torch_default=0.1),
    Argument("activation", "activation", paddle_default="relu", torch_default="relu"),
    Argument("attn_dropout", None, note="torch uses dropout for all three"),
    Argument("act_dropout", None, note="torch uses dropout for all three"),
    Argument("normalize_before", "norm_first", paddle_default=False, torch_default=False),
    Argument("weight_attr", None),
    Argument("bias_attr", "bias", convert="is not False", torch_default=True),
    Argument("layer_norm_eps", "layer_norm_eps", convert="f32", paddle_default=1e-5, torch_default=1e-5),
)

ROWS = (
    layer(
        ("MultiHeadAttention", "MultiheadAttention"),
        Exactness.ALGEBRA,
        "torch keeps the three projections of the input as one: in_proj_weight = cat([q.T, k.T, v.T])",
        (
            case(
                {"x": "float 2,5,4", **_WEIGHTS}, (_PADDLE + "attention(x)", _TORCH + "attention(x, x, x)[0]")
            ),
            case(
                {"x": "float 2,5,4", "y": "float 2,3,4", **_WEIGHTS},
                (_PADDLE + "attention(x, y, y)", _TORCH + "attention(x, y, y)[0]"),
            ),
        ),
        files=("transformer", "activation"),
        parameters=_PARAMETERS,
        arguments=(
            Argument("embed_dim", "embed_dim"),
            Argument("num_heads", "num_heads"),
            Argument("dropout", "dropout", paddle_default=0.0, torch_default=0.0),
            Argument("kdim", "kdim"),
            Argument("vdim", "vdim"),
            Argument(
                "need_weights",
                None,
                paddle_default=False,
                note="torch: an argument of the call, True by default",
            ),
            Argument("weight_attr", None),
            Argument("bias_attr", "bias", convert="is not False", torch_default=True),
        ),
        traps=(
            Trap("torch returns the weights of attention too", _TORCH + "attention(x, x, x)"),
            Trap(
                "torch wants the key and the value named, Paddle takes the query for them",
                _TORCH + "attention(x)[0]",
            ),
            Trap(
                "without batch_first=True torch attends over the batch",
                f"{_PACKED}attention = nn.MultiheadAttention(4, 2)\nattention.load_state_dict(packed)\n"
                "attention(x, x, x)[0]",
            ),
            trap(
                "a mask's True means attend in Paddle, leave out in torch's module",
                _TORCH + "attention(x, x, x, attn_mask=m)[0]",
                {"x": "float 2,5,4", "m": _MASK, **_WEIGHTS},
                (_PADDLE + "attention(x, attn_mask=m)", _TORCH + "attention(x, x, x, attn_mask=~m)[0]"),
            ),
            Trap(
                "Paddle's Linear weights are [in, out]: square ones load untransposed without complaint",
                _TORCH.replace("q.T, k.T, v.T", "q, k, v") + "attention(x, x, x)[0]",
            ),
        ),
    ),
    layer(
        "TransformerEncoderLayer",
        Exactness.F32,
        "attention, feed-forward, normalization in the same order; the epsilon is kept as float32 in Paddle",
        (
            case({"x": "float 2,5,4", **_WEIGHTS, **_FEED}, (_encoder(""), _torch_encoder(_EPSILON))),
            case(
                {"x": "float 2,5,4", **_WEIGHTS, **_FEED},
                (
                    _encoder(", activation='gelu', normalize_before=True"),
                    _torch_encoder(_EPSILON + ", activation='gelu', norm_first=True"),
                ),
            ),
        ),
        files=("transformer", "transformer"),
        arguments=_TRANSFORMER,
        traps=(
            Trap("without batch_first=True torch attends over the batch", _torch_encoder(_EPSILON, "")),
            trap(
                "normalize_before is called norm_first",
                _torch_encoder(_EPSILON),
                {"x": "float 2,5,4", **_WEIGHTS, **_FEED},
                (
                    _encoder(", normalize_before=True"),
                    _torch_encoder(_EPSILON + ", norm_first=True"),
                ),
            ),
        ),
    ),
    layer(
        "TransformerDecoderLayer",
        Exactness.F32,
        "attention, attention to the memory, feed-forward, normalization in the same order; epsilon as in the encoder",
        (
            case(_TARGET, (_decoder(""), _torch_decoder(_EPSILON))),
            case(
                _TARGET,
                (
                    _decoder(", activation='gelu', normalize_before=True"),
                    _torch_decoder(_EPSILON + ", activation='gelu', norm_first=True"),
                ),
            ),
        ),
        files=("transformer", "transformer"),
        children={"multihead_attn": "cross_attn"},
        arguments=_TRANSFORMER,
        traps=(
            Trap("without batch_first=True torch attends over the batch", _torch_decoder(_EPSILON, "")),
            Trap(
                "the attention to the memory is called cross_attn in Paddle, multihead_attn in torch",
                _torch_decoder(_EPSILON).replace("multihead_attn", "cross_attn"),
            ),
            trap(
                "normalize_before is called norm_first",
                _torch_decoder(_EPSILON),
                _TARGET,
                (
                    _decoder(", normalize_before=True"),
                    _torch_decoder(_EPSILON + ", norm_first=True"),
                ),
            ),
        ),
    ),
)
