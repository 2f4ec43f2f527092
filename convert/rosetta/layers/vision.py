"""Layers that move pixels: shuffling, folding, resizing."""

from __future__ import annotations

from convert.rosetta.layers.common import DATA_FORMAT, NAME
from convert.rosetta.rows import Argument, Exactness, Trap
from convert.rosetta.writing import case, cases, layer, trap

_BIT, _NEAR = Exactness.BIT, Exactness.NEAR
WINDOWS = (
    Argument("kernel_sizes", "kernel_size"),
    Argument("strides", "stride", paddle_default=1, torch_default=1),
    Argument("paddings", "padding", paddle_default=0, torch_default=0, note="Paddle also takes [t, l, b, r]"),
    Argument("dilations", "dilation", paddle_default=1, torch_default=1),
)
RESIZED = (
    Argument("size", "size", note="a list in Paddle, also for one dimension"),
    Argument("scale_factor", "scale_factor"),
    Argument("mode", "mode", paddle_default="nearest", torch_default="nearest"),
    Argument("align_corners", "align_corners", paddle_default=False, torch_default=None),
    Argument(
        "align_mode",
        None,
        values={0: None},
        paddle_default=0,
        note="1 starts at the corner (source = target * scale): torch has no such mode",
    ),
    DATA_FORMAT,
)
RESIZE_REASON = "the same places; Paddle computes them in float32 for float64 images too"
_ALIGN_MODE = """\
def weights(old, new):
    at = torch.arange(new) * (old / new)
    low = at.long()
    high = (low + 1).clamp(max=old - 1)
    share = (at - low).unsqueeze(1)
    return F.one_hot(low, old) * (1 - share) + F.one_hot(high, old) * share
weights(5, 7).to(x) @ x @ weights(4, 9).T.to(x)"""
_SMALL = "float 2,3,5,4"
RESIZE_TRAPS = (
    trap(
        "align_mode=1 has no twin in torch",
        "F.interpolate(x, (7, 9), mode='bilinear')",
        _SMALL,
        ("F.interpolate(x, [7, 9], mode='bilinear', align_mode=1)", _ALIGN_MODE),
        argument="align_mode",
    ),
    trap(
        "align_corners=True is not align_mode=1",
        "F.interpolate(x, (7, 9), mode='bilinear', align_corners=True)",
        _SMALL,
        ("F.interpolate(x, [7, 9], mode='bilinear', align_mode=1)", _ALIGN_MODE),
    ),
    trap(
        "recompute_scale_factor=True changes the places where the size is not size * factor exactly",
        "F.interpolate(x, scale_factor=1.5, mode='bilinear', recompute_scale_factor=True)",
        _SMALL,
        "F.interpolate(x, scale_factor=1.5, mode='bilinear')",
    ),
    trap(
        "data_format='NHWC' has no twin",
        "F.interpolate(x, (7, 9), mode='bilinear')",
        "float 2,5,4,3",
        (
            "F.interpolate(x, [7, 9], mode='bilinear', data_format='NHWC')",
            "F.interpolate(x.permute(0, 3, 1, 2), (7, 9), mode='bilinear').permute(0, 2, 3, 1)",
        ),
    ),
)
FOLD_TRAPS = (
    trap(
        "positional order: Paddle strides, paddings, dilations; torch dilation, padding, stride",
        "F.unfold(x, (3, 2), 2, 1, 1)",
        "float 2,3,6,5",
        ("F.unfold(x, [3, 2], 2, 1, 1)", "F.unfold(x, (3, 2), stride=2, padding=1, dilation=1)"),
    ),
)


ROWS = (
    layer(
        "PixelShuffle",
        _BIT,
        "copies: channels to places",
        (case("float 2,8,3,2", "nn.PixelShuffle(2)"),),
        files=("vision", "pixelshuffle"),
        arguments=(Argument("upscale_factor", "upscale_factor"), DATA_FORMAT, NAME),
        traps=(
            trap(
                "data_format='NHWC' has no twin",
                "nn.PixelShuffle(2)(x)",
                "float 2,4,2,4",
                (
                    "nn.PixelShuffle(2, data_format='NHWC')(x)",
                    "nn.PixelShuffle(2)(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)",
                ),
            ),
        ),
    ),
    layer(
        "PixelUnshuffle",
        _BIT,
        "copies: places to channels",
        (case("float 2,2,6,4", "nn.PixelUnshuffle(2)"),),
        files=("vision", "pixelshuffle"),
        arguments=(Argument("downscale_factor", "downscale_factor"), DATA_FORMAT, NAME),
    ),
    layer(
        "ChannelShuffle",
        _BIT,
        "copies",
        (case("float 2,6,3,2", "nn.ChannelShuffle(3)"),),
        files=("vision", "channelshuffle"),
        arguments=(Argument("groups", "groups"), DATA_FORMAT, NAME),
        traps=(Trap("groups, not channels in a group", "nn.ChannelShuffle(2)"),),
    ),
    layer(
        "Unfold",
        _BIT,
        "copies; the gradient adds overlapping places",
        cases(
            "float 2,3,6,5",
            ("nn.Unfold(3)", "nn.Unfold(3)"),
            (
                "nn.Unfold([3, 2], dilations=1, paddings=1, strides=2)",
                "nn.Unfold((3, 2), dilation=1, padding=1, stride=2)",
            ),
        ),
        files=("common", "fold"),
        arguments=(*WINDOWS, NAME),
        traps=(
            trap(
                "paddings=[t, l, b, r]: F.pad takes (l, r, t, b)",
                "F.unfold(F.pad(x, (1, 0, 1, 2)), 2)",
                "float 2,3,6,5",
                ("nn.Unfold(2, paddings=[1, 0, 1, 2])(x)", "F.unfold(F.pad(x, (0, 2, 1, 1)), 2)"),
            ),
        ),
    ),
    layer(
        "Fold",
        Exactness.ALGEBRA,
        "adds overlapping places",
        (
            case("float 2,27,12", ("nn.Fold([6, 5], 3)", "nn.Fold((6, 5), 3)")),
            case(
                "float 2,12,12",
                (
                    "nn.Fold([6, 7], [3, 2], paddings=1, strides=2)",
                    "nn.Fold((6, 7), (3, 2), padding=1, stride=2)",
                ),
            ),
        ),
        files=("common", "fold"),
        arguments=(Argument("output_sizes", "output_size"), *WINDOWS, NAME),
    ),
    layer(
        "Upsample",
        _NEAR,
        RESIZE_REASON,
        cases(
            _SMALL,
            "nn.Upsample(scale_factor=2)",
            "nn.Upsample(scale_factor=1.5, mode='bilinear')",
            ("nn.Upsample([7, 9], mode='bilinear')", "nn.Upsample((7, 9), mode='bilinear')"),
            (
                "nn.Upsample([7, 9], mode='bicubic', align_corners=True)",
                "nn.Upsample((7, 9), mode='bicubic', align_corners=True)",
            ),
        ),
        files=("common", "upsampling"),
        within=2e-6,
        arguments=(*RESIZED, NAME),
        traps=RESIZE_TRAPS,
    ),
    layer(
        ("UpsamplingBilinear2D", "UpsamplingBilinear2d"),
        _NEAR,
        RESIZE_REASON,
        cases(
            _SMALL,
            ("nn.UpsamplingBilinear2D(scale_factor=2)", "nn.UpsamplingBilinear2d(scale_factor=2)"),
            ("nn.UpsamplingBilinear2D([7, 9])", "nn.UpsamplingBilinear2d((7, 9))"),
        ),
        files=("common", "upsampling"),
        within=2e-6,
        arguments=(Argument("size", "size"), Argument("scale_factor", "scale_factor"), DATA_FORMAT, NAME),
        traps=(
            Trap(
                "it aligns the corners, Upsample(mode='bilinear') does not",
                "nn.Upsample(scale_factor=2, mode='bilinear')",
            ),
        ),
    ),
    layer(
        ("UpsamplingNearest2D", "UpsamplingNearest2d"),
        _BIT,
        "copies",
        cases(
            _SMALL,
            ("nn.UpsamplingNearest2D(scale_factor=2)", "nn.UpsamplingNearest2d(scale_factor=2)"),
            ("nn.UpsamplingNearest2D([7, 9])", "nn.UpsamplingNearest2d((7, 9))"),
        ),
        files=("common", "upsampling"),
        arguments=(Argument("size", "size"), Argument("scale_factor", "scale_factor"), DATA_FORMAT, NAME),
    ),
)
