"""Functions that move pixels: padding, shuffling, folding, resizing, sampling."""

from __future__ import annotations

from convert.rosetta.layers.common import NAME
from convert.rosetta.layers.vision import FOLD_TRAPS, RESIZE_REASON, RESIZE_TRAPS, RESIZED, WINDOWS
from convert.rosetta.rows import Argument, Exactness, Row, Trap
from convert.rosetta.writing import case, cases, function, trap

_BIT, _NEAR, _ALGEBRA = Exactness.BIT, Exactness.NEAR, Exactness.ALGEBRA
_X = Argument("x", "input")
_SMALL = "float 2,3,5,4"
_ALIGNED = Argument(
    "align_corners", "align_corners", paddle_default=True, torch_default=False, note="pass it to torch always"
)
_LAYOUT = Argument("data_format", None, paddle_default="NCHW", note="permute an NHWC input")
_SHIFT = """\
y = x.unflatten(0, (-1, 2))
out = torch.zeros_like(y)
out[:, 1:, :2] = y[:, :-1, :2]
out[:, :-1, 2:4] = y[:, 1:, 2:4]
out[:, :, 4:] = y[:, :, 4:]
out.flatten(0, 1)"""

ROWS: tuple[Row, ...] = (
    function(
        "pad",
        _ALGEBRA,
        "copies between constants or copies; the gradient adds what was copied",
        cases(
            _SMALL,
            ("F.pad(x, [1, 2, 3, 0])", "F.pad(x, (1, 2, 3, 0))"),
            ("F.pad(x, [1, 2, 3, 0], value=0.3)", "F.pad(x, (1, 2, 3, 0), value=0.3)"),
            *(
                (f"F.pad(x, [1, 2, 3, 0], mode='{mode}')", f"F.pad(x, (1, 2, 3, 0), mode='{mode}')")
                for mode in ("reflect", "replicate", "circular")
            ),
        ),
        file="common",
        arguments=(
            _X,
            Argument("pad", "pad"),
            Argument("mode", "mode", paddle_default="constant", torch_default="constant"),
            Argument("value", "value", paddle_default=0.0, torch_default=None),
            Argument("pad_from_left_axis", None, paddle_default=True),
            _LAYOUT,
            NAME,
        ),
        traps=(
            trap(
                "a list for every dimension begins with the first one in Paddle, with the last one in torch",
                "F.pad(x, (0, 0, 1, 2, 3, 0, 1, 1))",
                _SMALL,
                ("F.pad(x, [0, 0, 1, 2, 3, 0, 1, 1])", "F.pad(x, (1, 1, 3, 0, 1, 2, 0, 0))"),
            ),
            trap(
                "also for a matrix, where nothing complains",
                "F.pad(x, (1, 2, 3, 0))",
                "float 2,3",
                ("F.pad(x, [1, 2, 3, 0])", "F.pad(x, (3, 0, 1, 2))"),
            ),
            trap(
                "data_format='NHWC' pads height and width, not width and channels",
                "F.pad(x, (1, 2, 3, 0))",
                "float 2,5,4,3",
                ("F.pad(x, [1, 2, 3, 0], data_format='NHWC')", "F.pad(x, (0, 0, 1, 2, 3, 0))"),
            ),
        ),
    ),
    function(
        ("zeropad2d", "pad"),
        _BIT,
        "copies between zeros",
        cases(_SMALL, ("F.zeropad2d(x, [1, 2, 3, 0])", "F.pad(x, (1, 2, 3, 0))")),
        file="common",
        arguments=(_X, Argument("padding", "pad", note="[left, right, top, bottom]"), _LAYOUT, NAME),
        traps=(Trap("torch has no zeropad2d", "F.zeropad2d(x, (1, 2, 3, 0))"),),
    ),
    function(
        "pixel_shuffle",
        _BIT,
        "copies: channels to places",
        cases("float 2,8,3,2", "F.pixel_shuffle(x, 2)"),
        file="vision",
        arguments=(_X, Argument("upscale_factor", "upscale_factor"), _LAYOUT, NAME),
        traps=(
            trap(
                "data_format='NHWC' has no twin",
                "F.pixel_shuffle(x, 2)",
                "float 2,4,2,4",
                (
                    "F.pixel_shuffle(x, 2, data_format='NHWC')",
                    "F.pixel_shuffle(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)",
                ),
            ),
        ),
    ),
    function(
        "pixel_unshuffle",
        _BIT,
        "copies: places to channels",
        cases("float 2,2,6,4", "F.pixel_unshuffle(x, 2)"),
        file="vision",
        arguments=(_X, Argument("downscale_factor", "downscale_factor"), _LAYOUT, NAME),
    ),
    function(
        "channel_shuffle",
        _BIT,
        "copies",
        cases("float 2,6,3,2", "F.channel_shuffle(x, 3)"),
        file="vision",
        arguments=(_X, Argument("groups", "groups"), _LAYOUT, NAME),
        traps=(Trap("groups, not channels in a group", "F.channel_shuffle(x, 2)"),),
    ),
    function(
        "unfold",
        _BIT,
        "copies; the gradient adds overlapping places",
        cases(
            "float 2,3,6,5",
            "F.unfold(x, 3)",
            ("F.unfold(x, [3, 2], 2, 1, 1)", "F.unfold(x, (3, 2), stride=2, padding=1, dilation=1)"),
        ),
        file="common",
        arguments=(_X, *WINDOWS, NAME),
        traps=FOLD_TRAPS,
    ),
    function(
        "fold",
        _ALGEBRA,
        "adds overlapping places",
        (
            case("float 2,27,12", ("F.fold(x, [6, 5], 3)", "F.fold(x, (6, 5), 3)")),
            case(
                "float 2,12,12",
                ("F.fold(x, [6, 7], [3, 2], 2, 1)", "F.fold(x, (6, 7), (3, 2), stride=2, padding=1)"),
            ),
        ),
        file="common",
        arguments=(_X, Argument("output_sizes", "output_size"), *WINDOWS, NAME),
        traps=(
            trap(
                "positional order: Paddle strides, paddings, dilations; torch dilation, padding, stride",
                "F.fold(x, (6, 7), (3, 2), 2, 1)",
                "float 2,12,12",
                ("F.fold(x, [6, 7], [3, 2], 2, 1)", "F.fold(x, (6, 7), (3, 2), stride=2, padding=1)"),
            ),
        ),
    ),
    function(
        "interpolate",
        _NEAR,
        RESIZE_REASON,
        (
            *cases(
                _SMALL,
                ("F.interpolate(x, [7, 9])", "F.interpolate(x, (7, 9))"),
                "F.interpolate(x, scale_factor=1.5)",
                *(
                    (
                        f"F.interpolate(x, [7, 9], mode='{mode}', align_corners={corners})",
                        f"F.interpolate(x, (7, 9), mode='{mode}', align_corners={corners})",
                    )
                    for mode in ("bilinear", "bicubic")
                    for corners in (False, True)
                ),
                "F.interpolate(x, scale_factor=1.5, mode='bilinear')",
                ("F.interpolate(x, [3, 2], mode='area')", "F.interpolate(x, (3, 2), mode='area')"),
            ),
            case(
                "float 2,3,5",
                ("F.interpolate(x, [9], mode='linear')", "F.interpolate(x, (9,), mode='linear')"),
            ),
            case(
                "float 2,3,3,4,2",
                (
                    "F.interpolate(x, [4, 5, 4], mode='trilinear')",
                    "F.interpolate(x, (4, 5, 4), mode='trilinear')",
                ),
            ),
        ),
        file="common",
        within=2e-6,
        arguments=(_X, *RESIZED, Argument("recompute_scale_factor", "recompute_scale_factor"), NAME),
        traps=(
            *RESIZE_TRAPS,
            trap(
                "mode='area' is not bilinear",
                "F.interpolate(x, (3, 2), mode='bilinear')",
                _SMALL,
                ("F.interpolate(x, [3, 2], mode='area')", "F.interpolate(x, (3, 2), mode='area')"),
            ),
        ),
    ),
    function(
        ("upsample", "interpolate"),
        _NEAR,
        RESIZE_REASON,
        cases(
            _SMALL,
            ("F.upsample(x, scale_factor=2)", "F.interpolate(x, scale_factor=2)"),
            (
                "F.upsample(x, [7, 9], mode='bilinear')",
                "F.interpolate(x, (7, 9), mode='bilinear')",
            ),
        ),
        file="common",
        within=2e-6,
        arguments=(_X, *RESIZED, NAME),
    ),
    function(
        "affine_grid",
        _ALGEBRA,
        "the places of an affine map",
        (
            case(
                {"t": "float 2,2,3"},
                ("F.affine_grid(t, [2, 3, 5, 4])", "F.affine_grid(t, (2, 3, 5, 4), align_corners=True)"),
            ),
            case(
                {"t": "float 2,2,3"},
                (
                    "F.affine_grid(t, [2, 3, 5, 4], align_corners=False)",
                    "F.affine_grid(t, (2, 3, 5, 4), align_corners=False)",
                ),
            ),
            case(
                {"t": "float 2,3,4"},
                (
                    "F.affine_grid(t, [2, 3, 3, 4, 2])",
                    "F.affine_grid(t, (2, 3, 3, 4, 2), align_corners=True)",
                ),
            ),
        ),
        file="vision",
        arguments=(Argument("theta", "theta"), Argument("out_shape", "size"), _ALIGNED, NAME),
        traps=(
            Trap(
                "align_corners is True by default in Paddle, False in torch", "F.affine_grid(t, (2, 3, 5, 4))"
            ),
        ),
    ),
    function(
        "grid_sample",
        _ALGEBRA,
        "the same places and weights",
        cases(
            {"x": _SMALL, "g": "float 2,3,3,2"},
            *(
                (
                    f"F.grid_sample(x, g, '{mode}', '{padding}')",
                    f"F.grid_sample(x, g, '{mode}', '{padding}', align_corners=True)",
                )
                for mode in ("bilinear", "nearest")
                for padding in ("zeros", "border", "reflection")
            ),
            "F.grid_sample(x, g, align_corners=False)",
        ),
        file="_paddle_docs.py",
        arguments=(
            _X,
            Argument("grid", "grid"),
            Argument(
                "mode",
                "mode",
                paddle_default="bilinear",
                torch_default="bilinear",
                note="Paddle has no bicubic",
            ),
            Argument("padding_mode", "padding_mode", paddle_default="zeros", torch_default="zeros"),
            _ALIGNED,
            NAME,
        ),
        traps=(Trap("align_corners is True by default in Paddle, False in torch", "F.grid_sample(x, g)"),),
    ),
    function(
        ("temporal_shift", ""),
        Exactness.NONE,
        "moves the first channels one step later, the next ones one step earlier",
        cases("float 4,8,3,2", ("F.temporal_shift(x, seg_num=2, shift_ratio=0.25)", _SHIFT)),
        file="extension",
        remedy="copy the shifted slices of channels into zeros",
        arguments=(
            Argument("seg_num", None),
            Argument("shift_ratio", None, paddle_default=0.25),
            _LAYOUT,
            NAME,
        ),
        traps=(
            Trap(
                "the first channels come from the frame before, not after",
                _SHIFT.replace("1:, :2] = y[:, :-1", ":-1, :2] = y[:, 1:").replace(
                    ":-1, 2:4] = y[:, 1:", "1:, 2:4] = y[:, :-1"
                ),
            ),
        ),
    ),
)
