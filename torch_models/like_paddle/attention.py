"""Attention and transformer layers that are built and called as Paddle's, and keep the same weights under the same names.

Batches come first. A mask is added to the scores; where it is bool or integer, 0 hides a place.
"""

import torch.nn.functional as F
from torch import nn

from torch_models.like_paddle.as_called import Linear


def _mask(mask, dtype):
    """What is added to the scores."""
    if mask is None or mask.is_floating_point():
        return mask
    return (mask.to(dtype) - 1.0) * 1e9


def _pair(attr, count):
    return list(attr) if isinstance(attr, (list, tuple)) else [attr] * count


class MultiHeadAttention(nn.Module):
    """`paddle.nn.MultiHeadAttention`, without a cache: four Linear layers; [N, length, embed_dim] in and out."""

    def __init__(
        self,
        embed_dim,
        num_heads,
        dropout=0.0,
        kdim=None,
        vdim=None,
        need_weights=False,
        weight_attr=None,
        bias_attr=None,
    ):
        super().__init__()
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.kdim, self.vdim, self.dropout, self.need_weights = kdim, vdim, dropout, need_weights
        self.q_proj = Linear(embed_dim, embed_dim, weight_attr, bias_attr)
        self.k_proj = Linear(kdim or embed_dim, embed_dim, weight_attr, bias_attr)
        self.v_proj = Linear(vdim or embed_dim, embed_dim, weight_attr, bias_attr)
        self.out_proj = Linear(embed_dim, embed_dim, weight_attr, bias_attr)

    def forward(self, query, key=None, value=None, attn_mask=None):
        key = query if key is None else key
        value = query if value is None else value
        projected = ((self.q_proj, query), (self.k_proj, key), (self.v_proj, value))
        q, k, v = (p(x).unflatten(-1, (self.num_heads, self.head_dim)).transpose(1, 2) for p, x in projected)
        scores = (q * self.head_dim**-0.5) @ k.mT
        if attn_mask is not None:
            scores = scores + _mask(attn_mask, scores.dtype)
        weights = F.dropout(F.softmax(scores, -1), self.dropout, self.training)
        out = self.out_proj((weights @ v).transpose(1, 2).flatten(2))
        return (out, weights) if self.need_weights else out


class _Layer(nn.Module):
    """What encoder and decoder layers share: attentions and a feed-forward part, each with a residual and a normalization."""

    attentions = ("self_attn",)

    def __init__(
        self,
        d_model,
        nhead,
        dim_feedforward,
        dropout=0.1,
        activation="relu",
        attn_dropout=None,
        act_dropout=None,
        normalize_before=False,
        weight_attr=None,
        bias_attr=None,
        layer_norm_eps=1e-05,
    ):
        settings = dict(locals())
        self._config = {name: settings[name] for name in settings if name not in ("self", "__class__")}
        super().__init__()
        self.normalize_before = normalize_before
        count = len(self.attentions) + 1
        weights, biases = _pair(weight_attr, count), _pair(bias_attr, count)
        attended = dropout if attn_dropout is None else attn_dropout
        for name, weight, bias in zip(self.attentions, weights, biases, strict=False):
            attention = MultiHeadAttention(d_model, nhead, attended, weight_attr=weight, bias_attr=bias)
            setattr(self, name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, weights[-1], biases[-1])
        self.dropout = nn.Dropout(dropout if act_dropout is None else act_dropout)
        self.linear2 = Linear(dim_feedforward, d_model, weights[-1], biases[-1])
        for number in range(1, count + 1):
            setattr(self, f"norm{number}", nn.LayerNorm(d_model, layer_norm_eps))
            setattr(self, f"dropout{number}", nn.Dropout(dropout))
        self.activation = getattr(F, activation)

    def around(self, number, x, part):
        """`part` of x, with the residual and normalization of this number."""
        norm, dropout = getattr(self, f"norm{number}"), getattr(self, f"dropout{number}")
        if self.normalize_before:
            return x + dropout(part(norm(x)))
        return norm(x + dropout(part(x)))

    def feed_forward(self, x):
        return self.linear2(self.dropout(self.activation(self.linear1(x))))

    def again(self):
        """Another layer with the same arguments."""
        return type(self)(**self._config)


class TransformerEncoderLayer(_Layer):
    """`paddle.nn.TransformerEncoderLayer`, without a cache."""

    def forward(self, src, src_mask=None):
        src = self.around(1, src, lambda x: self.self_attn(x, x, x, src_mask))
        return self.around(2, src, self.feed_forward)


class TransformerDecoderLayer(_Layer):
    """`paddle.nn.TransformerDecoderLayer`, without a cache."""

    attentions = ("self_attn", "cross_attn")

    def forward(self, tgt, memory, tgt_mask=None, memory_mask=None):
        tgt = self.around(1, tgt, lambda x: self.self_attn(x, x, x, tgt_mask))
        tgt = self.around(2, tgt, lambda x: self.cross_attn(x, memory, memory, memory_mask))
        return self.around(3, tgt, self.feed_forward)


class _Stack(nn.Module):
    def __init__(self, layer, num_layers, norm=None):
        super().__init__()
        self.layers = nn.ModuleList([layer, *(layer.again() for _ in range(num_layers - 1))])
        self.num_layers, self.norm = num_layers, norm

    def normed(self, x):
        return x if self.norm is None else self.norm(x)


class TransformerEncoder(_Stack):
    """`paddle.nn.TransformerEncoder`, without a cache."""

    def __init__(self, encoder_layer, num_layers, norm=None):
        super().__init__(encoder_layer, num_layers, norm)

    def forward(self, src, src_mask=None):
        for layer in self.layers:
            src = layer(src, src_mask)
        return self.normed(src)


class TransformerDecoder(_Stack):
    """`paddle.nn.TransformerDecoder`, without a cache."""

    def __init__(self, decoder_layer, num_layers, norm=None):
        super().__init__(decoder_layer, num_layers, norm)

    def forward(self, tgt, memory, tgt_mask=None, memory_mask=None):
        for layer in self.layers:
            tgt = layer(tgt, memory, tgt_mask, memory_mask)
        return self.normed(tgt)


class Transformer(nn.Module):
    """`paddle.nn.Transformer`."""

    def __init__(
        self,
        d_model=512,
        nhead=8,
        num_encoder_layers=6,
        num_decoder_layers=6,
        dim_feedforward=2048,
        dropout=0.1,
        activation="relu",
        attn_dropout=None,
        act_dropout=None,
        normalize_before=False,
        weight_attr=None,
        bias_attr=None,
        custom_encoder=None,
        custom_decoder=None,
    ):
        super().__init__()
        shared = (dim_feedforward, dropout, activation, attn_dropout, act_dropout, normalize_before)
        attrs = (weight_attr, bias_attr)
        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(d_model, nhead, *shared, *attrs),
            num_encoder_layers,
            nn.LayerNorm(d_model),
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(d_model, nhead, *shared, *attrs),
            num_decoder_layers,
            nn.LayerNorm(d_model),
        )
        self.d_model, self.nhead = d_model, nhead

    def forward(self, src, tgt, src_mask=None, tgt_mask=None, memory_mask=None):
        return self.decoder(tgt, self.encoder(src, src_mask), tgt_mask, memory_mask)
