"""How functions of `nn.functional` are written in torch."""

from __future__ import annotations

from collections.abc import Mapping

from convert.rosetta.forms.form import DOWNSCALED, Form, edges


def _moved(call: str) -> tuple[Form, ...]:
    """A function of images: what is NHWC is turned before and after."""
    return (
        Form(
            f"{call.replace('(x,', '(x.permute(0, 3, 1, 2),')}.permute(0, 2, 3, 1)", "data_format == 'NHWC'"
        ),
        Form("="),
    )


_RESIZED = (
    Form("== like_interpolate", "align_mode given, align_mode not == 0"),
    Form("== like_interpolate", "data_format given, data_format not == 'NCHW'"),
    *(
        Form(
            "F.interpolate(x, size=size, scale_factor=scale_factor, mode=mode)",
            f"align_corners == False, mode {mode}",
        )
        for mode in ("absent", "== 'nearest'", "== 'area'")
    ),
    *(Form("=", f"mode == '{mode}'") for mode in ("linear", "bilinear", "trilinear", "bicubic")),
    Form("=", "align_corners absent"),
    Form("== like_interpolate"),
)
"""torch refuses to be told of corners where the mode has none."""

FORMS: Mapping[str, tuple[Form, ...]] = {
    "nn.functional.dropout": (Form("like_downscaled_dropout(x, p, training)", DOWNSCALED), Form("=")),
    "nn.functional.pad": (
        Form("=", "data_format absent, value absent, mode == 'reflect'"),
        Form("=", "data_format absent, value absent, mode == 'replicate'"),
        Form("=", "data_format absent, value absent, mode == 'circular'"),
        *(
            Form("=", f"data_format absent, pad_from_left_axis absent, pad {those}, {what}")
            for those in ("of 2", "alike")
            for what in ("value absent", "mode absent", "mode == 'constant'")
        ),
        Form("== like_pad"),
    ),
    "nn.functional.linear": (
        Form("F.linear(x, weight.T, bias)", "bias given"),
        Form("F.linear(x, weight.T)"),
    ),
    "nn.functional.one_hot": (Form("F.one_hot(x, num_classes).to(torch.get_default_dtype())"),),
    "nn.functional.upsample": _RESIZED,
    "nn.functional.interpolate": _RESIZED,
    "nn.functional.hardsigmoid": (
        Form("torch.clamp(slope * x + offset, 0.0, 1.0)", "slope given"),
        Form("torch.clamp(slope * x + offset, 0.0, 1.0)", "offset given"),
        Form("="),
    ),
    "nn.functional.normalize": (
        Form(
            refuse="Paddle adds epsilon under the root too: write x / (x.abs().pow(p).sum(axis, keepdim=True) + epsilon).pow(1 / p)",
            when="epsilon given, epsilon not == 1e-12",
        ),
        Form("="),
    ),
    "nn.functional.swiglu": (Form("F.silu(x) * y", "y given"),),
    "nn.functional.max_pool2d": (*edges(2), *_moved("F.max_pool2d(x, kernel_size, stride, padding)")),
    "nn.functional.avg_pool2d": (*edges(2, mean=True), Form("=")),
    "nn.functional.fractional_max_pool2d": (
        Form(
            refuse="torch wants a number for each image, channel and dimension: give it _random_samples",
            when="random_u given, random_u not none",
        ),
        Form("="),
    ),
    "nn.functional.fractional_max_pool3d": (
        Form(
            refuse="torch wants a number for each image, channel and dimension: give it _random_samples",
            when="random_u given, random_u not none",
        ),
        Form("="),
    ),
    "nn.functional.conv1d": (
        Form(refuse="pad with F.pad in front of it", when="padding maybe str"),
        Form(refuse="pad with F.pad in front of it: it takes the last dimension first", when="padding of 2"),
        Form("="),
    ),
    "nn.functional.conv2d": (
        Form(refuse="pad with F.pad in front of it", when="padding maybe str"),
        Form(refuse="pad with F.pad in front of it: it takes the last dimension first", when="padding of 4"),
        Form("="),
    ),
    "nn.functional.conv3d": (
        Form(refuse="pad with F.pad in front of it", when="padding maybe str"),
        Form(refuse="pad with F.pad in front of it: it takes the last dimension first", when="padding of 6"),
        Form("="),
    ),
    "nn.functional.bilinear": (
        Form(
            refuse="Paddle keeps the bias as [1, out]: give torch its only row",
            when="bias given, bias not none",
        ),
        Form("="),
    ),
    "nn.functional.embedding": (
        Form("like_embedding(x, weight, padding_idx)", "padding_idx given, padding_idx not none"),
        Form("="),
    ),
    "nn.functional.scaled_dot_product_attention": (
        Form(
            "F.scaled_dot_product_attention(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), attn_mask=attn_mask, dropout_p=dropout_p if training else 0.0, is_causal=is_causal).transpose(1, 2)",
            "training given",
        ),
        Form(
            "F.scaled_dot_product_attention(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), attn_mask=attn_mask, dropout_p=dropout_p, is_causal=is_causal).transpose(1, 2)"
        ),
    ),
    "nn.functional.layer_norm": (
        *(
            Form(
                refuse="Paddle keeps the weight flat: reshape it to normalized_shape",
                when=f"normalized_shape of {n}, weight given",
            )
            for n in (2, 3)
        ),
        Form("F.layer_norm(x, (normalized_shape,), weight, bias, eps=epsilon)", "normalized_shape int"),
        Form("="),
    ),
    "nn.functional.sequence_mask": (Form("like_sequence_mask(x, maxlen, dtype)"),),
    "nn.functional.label_smooth": (
        Form(
            "label * (1 - epsilon) + epsilon / label.shape[-1]",
            "prior_dist absent, label simple, epsilon simple",
        ),
        Form("like_label_smooth(label, prior_dist, epsilon)"),
    ),
    "nn.functional.unfold": (
        Form(refuse="torch pads both sides alike: pad with F.pad in front of it", when="paddings of 4"),
        Form("="),
    ),
    "nn.functional.softmax_with_cross_entropy": (Form("== like_softmax_with_cross_entropy"),),
    "nn.functional.cross_entropy": (Form("== like_cross_entropy"),),
    "nn.functional.ctc_loss": (
        Form(
            "F.ctc_loss(F.log_softmax(log_probs, dim=-1), labels, input_lengths, label_lengths, blank=blank, reduction=reduction)",
            "norm_by_times absent",
        ),
    ),
    "nn.functional.square_error_cost": (Form("(input - label) ** 2"),),
    "nn.functional.adaptive_avg_pool2d": (
        Form(
            "like_adaptive_avg_pool2d(x, output_size, data_format)",
            "data_format given, data_format not == 'NCHW'",
        ),
        Form("="),
    ),
    "nn.functional.sigmoid_focal_loss": (Form("as called"),),
}
