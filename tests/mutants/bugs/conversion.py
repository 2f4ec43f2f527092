"""Correct code, wrong weights: what a conversion script gets wrong."""

from tests.mutants.bugs.row import convert

SWAP = "swap|exchang"
VALUES = "weight|bias|value|load|init|param"

BUGS = [
    convert(
        "plain-square-linear-untransposed", "square Linear", ("transpose", "fc2.weight"), "fc2", "transpos"
    ),
    convert(
        "siamese-square-linear-untransposed",
        "square Linear",
        ("transpose", "encoder.embed.weight"),
        "encoder.embed",
        "transpos",
    ),
    convert("mlp-gate-untransposed", "square Linear", ("transpose", "gate.weight"), "gate", "transpos"),
    convert(
        "vit-projection-untransposed",
        "square Linear",
        ("transpose", "blocks.1.attn.proj.weight"),
        "blocks.1.attn.proj",
        "transpos",
    ),
    convert(
        "mha-out-projection-untransposed",
        "square Linear",
        ("transpose", "layer1.self_attn.out_proj.weight"),
        "layer1.self_attn*",
        "transpos",
    ),
    convert(
        "mha-key-projection-untransposed",
        "square Linear",
        ("transpose_part", "layer2.self_attn.in_proj_weight", 1, 3),
        "layer2.self_attn*",
        "transpos|in_proj|k_proj",
    ),
    convert(
        "mha-linear-untransposed",
        "square Linear",
        ("transpose", "layer1.linear1.weight"),
        "layer1.linear1",
        "transpos",
    ),
    convert("norms-linear-untransposed", "square Linear", ("transpose", "out.weight"), "out", "transpos"),
    convert(
        "unet-transposed-conv-axes",
        "conv axes",
        ("swap_axes", "up3.weight", 0, 1),
        "up3",
        "transpos|ax[ie]s|weight",
    ),
    convert("unet-transposed-conv-flipped", "conv axes", ("flip", "up3.weight", 2), "up3", "flip|weight"),
    convert(
        "plain-conv-axes",
        "conv axes",
        ("swap_axes", "conv2.weight", 0, 1),
        "conv2",
        "transpos|ax[ie]s|weight",
    ),
    convert(
        "bottleneck-kernel-transposed",
        "conv axes",
        ("swap_axes", "bb_0_0.conv1._conv.weight", 2, 3),
        "bb_0_0.conv1._conv",
        "transpos|ax[ie]s|weight",
    ),
    convert(
        "plain-conv-weights-swapped",
        "weights swapped",
        ("swap", "conv2.weight", "conv3.weight"),
        ("conv2", "conv3"),
        f"{SWAP}|conv3",
    ),
    convert(
        "plain-linears-swapped",
        "weights swapped",
        (("swap", "fc2.weight", "fc3.weight"), ("swap", "fc2.bias", "fc3.bias")),
        ("fc2", "fc3"),
        f"{SWAP}|fc[23]",
    ),
    convert(
        "inception-branch-weights-swapped",
        "weights swapped",
        ("swap", "block1.p1_1.weight", "block1.p4_2.weight"),
        ("block1.p1_1", "block1.p4_2"),
        f"{SWAP}|p1_1|p4_2",
    ),
    convert(
        "pyramid-head-weights-swapped",
        "weights swapped",
        ("swap", "cls.conv.weight", "reg.conv.weight"),
        ("cls.conv", "reg.conv"),
        f"{SWAP}|cls\\.conv|reg\\.conv",
    ),
    convert(
        "shuffle-weights-swapped",
        "weights swapped",
        ("swap", "unit1.conv1.weight", "unit1.conv3.weight"),
        ("unit1.conv1", "unit1.conv3"),
        f"{SWAP}|conv[13]",
    ),
    convert(
        "unet-stages-swapped",
        "weights swapped",
        ("swap", "down3.conv1.weight", "bottom.conv1.weight"),
        ("down3.conv1", "bottom.conv1"),
        f"{SWAP}|bottom|down3",
    ),
    convert(
        "mobile-gates-swapped",
        "weights swapped",
        ("swap", "block1.se.reduce.weight", "block2.se.reduce.weight"),
        ("block1.se.reduce", "block2.se.reduce"),
        f"{SWAP}|block[12]",
    ),
    convert(
        "bottleneck-norms-swapped",
        "weights swapped",
        ("swap", "bb_0_0.short._batch_norm.weight", "bb_0_0.conv2._batch_norm.weight"),
        ("bb_0_0.short._batch_norm", "bb_0_0.conv2._batch_norm"),
        f"{SWAP}|short|conv2",
    ),
    convert(
        "plain-biases-swapped",
        "weights swapped",
        ("swap", "conv1.bias", "conv2.bias"),
        ("conv1", "conv2"),
        f"{SWAP}|conv[12]",
    ),
    convert(
        "plain-bias-from-norm",
        "weights swapped",
        ("swap", "conv2.bias", "bn2.bias"),
        ("conv2", "bn2"),
        f"{SWAP}|bn2|conv2",
    ),
    convert(
        "plain-statistics-swapped",
        "statistics swapped",
        ("swap", "bn2.running_mean", "bn2.running_var"),  # negative variances: NaN
        "bn2",
        ("running_mean|mean", "swap|var"),
    ),
    convert(
        "basic-statistics-swapped",
        "statistics swapped",
        (
            ("paddle_positive", "layer2.0.downsample.1._mean"),
            ("swap", "layer2.0.downsample.1.running_mean", "layer2.0.downsample.1.running_var"),
        ),
        "layer2.0.downsample.1",
        ("running_mean|mean", "swap|var"),
    ),
    convert(
        "plain-affine-swapped",
        "statistics swapped",
        ("swap", "bn1.weight", "bn1.bias"),
        "bn1",
        ("weight", "swap|bias"),
    ),
    convert(
        "unet-variances-swapped",
        "statistics swapped",
        ("swap", "fuse1.bn1.running_var", "fuse1.bn2.running_var"),
        ("fuse1.bn1", "fuse1.bn2"),
        "var",
    ),
    convert(
        "mlp-deviation-for-variance",
        "statistics wrong",
        ("sqrt", "bn1.running_var"),
        "bn1",
        "var|sqrt|deviation",
    ),
    convert("plain-weight-not-loaded", "not loaded", ("skip", "conv2.weight"), "conv2", VALUES),
    convert("plain-norm-affine-not-loaded", "not loaded", ("skip", "bn2.weight", "bn2.bias"), "bn2", VALUES),
    convert(
        "plain-statistics-not-loaded",
        "not loaded",
        ("skip", "bn3.running_mean", "bn3.running_var"),
        "bn3",
        "running|mean|var",
    ),
    convert("norms-prelu-not-loaded", "not loaded", ("skip", "prelu.weight"), "prelu", VALUES),
    convert("norms-scale-not-loaded", "not loaded", ("skip", "inorm.weight"), "inorm", VALUES),
    convert(
        "vit-position-not-loaded", "not loaded", ("skip", "pos_embed"), ("pos_embed", ":add"), "pos_embed"
    ),
    convert(
        "vit-class-token-not-loaded", "not loaded", ("skip", "cls_token"), ("cls_token", ":.*"), "cls_token"
    ),
    convert("bottleneck-bias-not-loaded", "not loaded", ("skip", "out.bias"), "out", VALUES),
    convert("text-table-not-loaded", "not loaded", ("skip", "position.weight"), "position", VALUES),
    convert("mha-norm-not-loaded", "not loaded", ("skip", "layer2.norm1.weight"), "layer2.norm1", VALUES),
    convert(
        "plain-channels-reversed",
        "channel order",
        ("flip", "conv1.weight", 1),
        "conv1",
        "weight|channel|flip|order",
    ),
    convert(
        "mobile-depthwise-rolled",
        "channel order",
        ("roll", "block1.depthwise.0.weight", 0),
        "block1.depthwise.0",
        "weight|channel|order|roll",
    ),
    convert(
        "text-table-shifted", "channel order", ("roll", "embed.weight", 0), "embed", "weight|row|order|roll"
    ),
    convert(
        "vit-qkv-reordered",
        "qkv order",
        ("reorder", "blocks.0.attn.qkv.weight", (1, 0, 2)),
        "blocks.0.attn.qkv",
        "weight|order",
    ),
    convert(
        "vit-qkv-interleaved",
        "qkv order",
        ("interleave", "blocks.0.attn.qkv.weight", 3),
        "blocks.0.attn.qkv",
        "weight|order",
    ),
    convert(
        "mha-projections-reordered",
        "qkv order",
        (
            ("reorder", "layer1.self_attn.in_proj_weight", (1, 0, 2)),
            ("reorder", "layer1.self_attn.in_proj_bias", (1, 0, 2)),
        ),
        "layer1.self_attn*",
        "order|swap|in_proj|[qk]_proj",
    ),
    convert(
        "inception-weight-copied",
        "weights swapped",
        ("copy", "block2.p3_1.weight", "block2.p2_1.weight"),
        "block2.p3_1",
        VALUES,
    ),
]
