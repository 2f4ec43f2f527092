"""What Paddle 2.6 does otherwise than the rows say, which speak of Paddle 3.

Found by running Paddle's side of every example under paddlepaddle 2.6.2 and 3.3.1 (`make matrix` does it again, and says
which rows differ without a word here).
"""

from __future__ import annotations

from collections.abc import Mapping

_ABSENT = "not in Paddle 2.6"
_POSITIONS = "Paddle 2.6 computes the positions of bilinear in float32, which is 1e-7 in float64"
_VALUE = "Paddle 2.6 keeps the value that is padded in float32"
_RATE = "Paddle 2.6 keeps the learning rate in float32"
_POS_WEIGHT = "with pos_weight, Paddle 2.6 multiplies the whole loss by 1 + (pos_weight - 1) y, which is another loss unless labels are 0 and 1"
_IGNORED = "Paddle 2.6 divides by the labels that count also where ignore_index is negative, as torch does"
_MARGINS = "Paddle 2.6 multiplies by the weight before the margins are squared (p=2)"
_EDGE = "Paddle 2.6 gives 0 at exactly the threshold, as torch does"
_TO_TENSOR = "Paddle 2.6 is one float32 rounding apart (6e-8)"
_ROWS = (
    "the gradient of Paddle 2.6 along an axis other than 0 is wrong on a CPU: every row gets the first one's"
)
_GAIN = "Paddle 2.6 has no gain"
_MODE = "Paddle 2.6 has no mode: it takes the fan in"
_THRESHOLD = "Paddle 2.6 has no value: it gives 0 up to the threshold"

VERSIONS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("nn.LPPool1D", "nn.LPPool2D", "nn.FractionalMaxPool2D", "nn.FractionalMaxPool3D"),
            *("nn.FeatureAlphaDropout", "nn.ZeroPad1D", "nn.ZeroPad3D", "nn.ParameterDict", "nn.HuberLoss"),
            *(
                f"nn.{kind}Pad{n}D"
                for kind in ("Constant", "Reflection", "Replication", "Circular")
                for n in (1, 2, 3)
            ),
            *("nn.MultiLabelMarginLoss", "nn.AdaptiveLogSoftmaxWithLoss"),
            *(
                f"nn.functional.{name}"
                for name in (
                    *(
                        "group_norm",
                        "lp_pool1d",
                        "lp_pool2d",
                        "fractional_max_pool2d",
                        "fractional_max_pool3d",
                    ),
                    *("swiglu", "dropout1d", "feature_alpha_dropout", "multi_label_margin_loss"),
                )
            ),
            *("permute", "swapaxes", "tensor_split", "hstack", "vstack", "dstack"),
            *("optimizer.NAdam", "optimizer.RAdam", "optimizer.Rprop", "optimizer.ASGD"),
        ),
        _ABSENT,
    ),
    **dict.fromkeys(("nn.Hardshrink", "nn.functional.hardshrink"), _EDGE),
    **dict.fromkeys(("nn.ThresholdedReLU", "nn.functional.thresholded_relu"), _THRESHOLD),
    **dict.fromkeys(("nn.Pad1D", "nn.Pad2D", "nn.Pad3D", "nn.functional.pad"), _VALUE),
    **dict.fromkeys(("nn.Upsample", "nn.functional.upsample"), _POSITIONS),
    "nn.functional.interpolate": f"{_POSITIONS}; inputs of three and five dimensions need their data_format there",
    **dict.fromkeys(("gather", "Tensor.gather"), _ROWS),
    **dict.fromkeys(("nn.CrossEntropyLoss", "nn.functional.cross_entropy"), _IGNORED),
    **dict.fromkeys(("nn.MultiMarginLoss", "nn.functional.multi_margin_loss"), _MARGINS),
    **dict.fromkeys(("nn.BCEWithLogitsLoss", "nn.functional.binary_cross_entropy_with_logits"), _POS_WEIGHT),
    **dict.fromkeys(
        ("nn.GaussianNLLLoss", "nn.functional.gaussian_nll_loss"), "with full=True, Paddle 2.6 is 5e-9 apart"
    ),
    **dict.fromkeys(
        (
            *(f"optimizer.{name}" for name in ("SGD", "Momentum", "AdamW", "Adamax", "Adagrad", "Adadelta")),
            *("optimizer.LBFGS", "optimizer.RMSProp", "optimizer.Lamb"),
        ),
        _RATE,
    ),
    **dict.fromkeys(
        ("nn.ClipGradByGlobalNorm", "nn.ClipGradByValue"),
        "the same in Paddle 2.6, but for the optimizer's learning rate, which it keeps in float32",
    ),
    "optimizer.Adam": f"{_RATE}, and has no amsgrad",
    **dict.fromkeys(("vision.transforms.ToTensor", "vision.transforms.to_tensor"), _TO_TENSOR),
    **dict.fromkeys(
        ("vision.transforms.Normalize", "vision.transforms.normalize", "vision.transforms.Compose"),
        _TO_TENSOR,
    ),
    "shape": "Paddle 2.6 gives int32",
    "nonzero": "with as_tuple, Paddle 2.6 gives columns of shape [n, 1]",
    "round": "Paddle 2.6 rounds halves away from zero, and has no decimals",
    "divide": "Paddle 2.6 divides whole numbers to whole numbers, toward zero",
    "clip": "Paddle 2.6 hands on no gradient at exactly min and max",
    "argsort": "Paddle 2.6 has no stable",
    "atan2": "Paddle 2.6 does not broadcast",
    "cumprod": "Paddle 2.6 needs the dim",
    "nn.functional.one_hot": "Paddle 2.6 needs num_classes",
    "nn.functional.scaled_dot_product_attention": "Paddle 2.6 takes no mask and no is_causal on a CPU",
    **dict.fromkeys(
        ("nn.SmoothL1Loss", "nn.functional.smooth_l1_loss"),
        "Paddle 2.6 has no is_huber: it is always Huber's",
    ),
    **dict.fromkeys(("nn.KLDivLoss", "nn.functional.kl_div"), "Paddle 2.6 has no log_target"),
    "nn.initializer.TruncatedNormal": "Paddle 2.6 has no bounds of one's own",
    **dict.fromkeys(("nn.initializer.XavierNormal", "nn.initializer.XavierUniform"), _GAIN),
    **dict.fromkeys(("nn.initializer.KaimingNormal", "nn.initializer.KaimingUniform"), _MODE),
    "Layer.astype": "Paddle 2.6 casts the layer's own weights",
    "train and eval": "train() and eval() of Paddle 2.6 return None",
}
"""Paddle's name as the rows have it -> what 2.6 does."""
