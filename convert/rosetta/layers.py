"""Layers: which torch module is which Paddle layer, parameter by parameter and argument by argument.

Every row was run in both frameworks (facts/semantics.md: paddlepaddle 3.3.1, torch 2.13). Conversion
reads `parameters`, `generated` and `dropped`; the audit and the source porter read `arguments` and `traps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from convert.rosetta.rows import RESHAPE, TRANSPOSE, Argument, Generated, LayerRow, Parameter

_SAME_WEIGHT = Parameter("weight", "weight")
_SAME_BIAS = Parameter("bias", "bias")
_LINEAR_WEIGHT = Parameter(
    "weight",
    "weight",
    TRANSPOSE,
    "Paddle's Linear keeps [in, out] for x @ W, torch's [out, in] for x @ W.T",
)
_FLAT = "Paddle keeps the weight of several normalized dimensions flat"
_STATISTICS = (
    Parameter("_mean", "running_mean", why="another name for the running mean"),
    Parameter("_variance", "running_var", why="another name for the running variance"),
)
_BATCHES_TRACKED = (
    Generated(
        "num_batches_tracked",
        0,
        "int64",
        "Paddle counts no batches; torch uses the count only when momentum is None",
    ),
)

_EPSILON = Argument(
    "epsilon",
    "eps",
    convert="f32",
    paddle_default=1e-5,
    torch_default=1e-5,
    trap="Paddle stores it as float32, so float64 parity needs float(numpy.float32(epsilon))",
)
_NO_WEIGHT_ATTR = Argument(
    "weight_attr",
    None,
    trap="False means no weight; a ParamAttr may carry an initializer, a regularizer or a rate",
)
_BIAS_ATTR = Argument("bias_attr", "bias", convert="is not False", paddle_default=None, torch_default=True)
_NAME = Argument("name", None)
_DATA_FORMAT = Argument(
    "data_format",
    None,
    values={"NCHW": None},
    paddle_default="NCHW",
    trap="torch modules take NCHW only: permute the input of an NHWC layer, its weight is the same",
)
_CEIL_MODE = Argument("ceil_mode", "ceil_mode", paddle_default=False, torch_default=False)
_POOL_WINDOW = (
    Argument("kernel_size", "kernel_size"),
    Argument("stride", "stride", trap="both default to kernel_size"),
    Argument(
        "padding",
        "padding",
        paddle_default=0,
        torch_default=0,
        trap="Paddle also takes [t, b, l, r] and 'SAME'",
    ),
    _CEIL_MODE,
)

_CONV_ARGUMENTS = (
    Argument("in_channels", "in_channels"),
    Argument("out_channels", "out_channels"),
    Argument("kernel_size", "kernel_size"),
    Argument("stride", "stride", paddle_default=1, torch_default=1),
    Argument(
        "padding",
        "padding",
        paddle_default=0,
        torch_default=0,
        trap="[t, b, l, r] needs F.pad(x, (l, r, t, b)) first; 'SAME' with stride > 1 is refused by torch, "
        "and with dilation > 1 Paddle silently uses dilation 1",
    ),
    Argument("dilation", "dilation", paddle_default=1, torch_default=1),
    Argument("groups", "groups", paddle_default=1, torch_default=1),
    Argument("padding_mode", "padding_mode", paddle_default="zeros", torch_default="zeros"),
    _NO_WEIGHT_ATTR,
    _BIAS_ATTR,
    _DATA_FORMAT,
)
_CONV_TRAPS = (
    "default weights differ: Paddle N(0, sqrt(2 / fan_in)), torch U(-1/sqrt(fan_in), 1/sqrt(fan_in))",
    "default bias differs: Paddle 0, torch U(-1/sqrt(fan_in), 1/sqrt(fan_in))",
)
_CONV_TRANSPOSE_ARGUMENTS = (
    Argument("in_channels", "in_channels"),
    Argument("out_channels", "out_channels"),
    Argument("kernel_size", "kernel_size"),
    Argument("stride", "stride", paddle_default=1, torch_default=1),
    Argument("padding", "padding", paddle_default=0, torch_default=0),
    Argument("output_padding", "output_padding", paddle_default=0, torch_default=0),
    Argument(
        "dilation",
        "dilation",
        paddle_default=1,
        torch_default=1,
        trap="positional order: Paddle has dilation, groups here, torch groups, bias, dilation",
    ),
    Argument("groups", "groups", paddle_default=1, torch_default=1),
    _NO_WEIGHT_ATTR,
    _BIAS_ATTR,
    _DATA_FORMAT,
)
_BATCH_NORM_ARGUMENTS = (
    Argument("num_features", "num_features"),
    Argument(
        "momentum",
        "momentum",
        convert="1 - f32",
        paddle_default=0.9,
        torch_default=0.1,
        trap="Paddle's momentum m keeps m of the old value, torch's keeps 1 - m",
    ),
    _EPSILON,
    Argument("weight_attr", "affine", convert="is not False", paddle_default=None, torch_default=True),
    Argument("bias_attr", "affine", convert="is not False", paddle_default=None, torch_default=True),
    _DATA_FORMAT,
    Argument(
        "use_global_stats",
        None,
        values={None: None, False: None},
        trap="True uses the running statistics in training too: keep that torch layer in eval()",
    ),
    _NAME,
)
_OLD_BATCH_NORM_ARGUMENTS = (
    Argument("num_channels", "num_features"),
    Argument(
        "act", None, values={None: None}, trap="an activation that the layer applies itself: add it in torch"
    ),
    _BATCH_NORM_ARGUMENTS[1],  # the momentum
    _EPSILON,
    Argument("param_attr", "affine", convert="is not False", paddle_default=None, torch_default=True),
    Argument("bias_attr", "affine", convert="is not False", paddle_default=None, torch_default=True),
    Argument("data_layout", None, values={"NCHW": None}, paddle_default="NCHW"),
    Argument("use_global_stats", None, values={False: None}, paddle_default=False),
)
_BATCH_NORM_TRAPS = (
    "Paddle accumulates the biased variance, torch the unbiased one: training drives them apart",
    "with one value per channel Paddle returns the input unchanged in training, torch raises",
)


def _conv(dimensions: int) -> LayerRow:
    return LayerRow(
        f"Conv{dimensions}D",
        f"Conv{dimensions}d",
        (_SAME_WEIGHT, _SAME_BIAS),
        arguments=_CONV_ARGUMENTS,
        traps=_CONV_TRAPS,
        reason="the weight is [out, in / groups, *kernel] in both",
        names=(f"conv{dimensions}d",),
    )


def _conv_transpose(dimensions: int) -> LayerRow:
    return LayerRow(
        f"Conv{dimensions}DTranspose",
        f"ConvTranspose{dimensions}d",
        (_SAME_WEIGHT, _SAME_BIAS),
        arguments=_CONV_TRANSPOSE_ARGUMENTS,
        traps=_CONV_TRAPS,
        reason="the weight is [in, out / groups, *kernel] in both",
        names=(f"conv{dimensions}d_transpose",),
    )


def _batch_norm(
    paddle: str, torch: str, *names: str, arguments: tuple[Argument, ...] = _BATCH_NORM_ARGUMENTS
) -> LayerRow:
    return LayerRow(
        paddle,
        torch,
        (_SAME_WEIGHT, _SAME_BIAS, *_STATISTICS),
        _BATCHES_TRACKED,
        arguments=arguments,
        traps=_BATCH_NORM_TRAPS,
        reason="the same normalization in eval and train outputs; see traps for the running variance",
        names=names,
    )


def _instance_norm(dimensions: int) -> LayerRow:
    return LayerRow(
        f"InstanceNorm{dimensions}D",
        f"InstanceNorm{dimensions}d",
        (Parameter("scale", "weight", why="another name for the scale"), _SAME_BIAS),
        arguments=(
            Argument("num_features", "num_features"),
            _EPSILON,
            Argument("momentum", None, trap="unused by both: neither tracks running statistics by default"),
            Argument(
                "weight_attr",
                "affine",
                convert="is not False",
                paddle_default=None,
                torch_default=False,
                trap="Paddle learns a scale and bias by default, torch needs affine=True",
            ),
            Argument("bias_attr", "affine", convert="is not False", paddle_default=None, torch_default=False),
            _DATA_FORMAT,
            _NAME,
        ),
        reason="the same normalization once affine=True",
        names=(f"instance_norm{dimensions}d", "instance_norm"),
    )


_ROWS = (
    *(_conv(n) for n in (1, 2, 3)),
    *(_conv_transpose(n) for n in (1, 2, 3)),
    LayerRow(
        "Linear",
        "Linear",
        (_LINEAR_WEIGHT, _SAME_BIAS),
        arguments=(
            Argument("in_features", "in_features"),
            Argument("out_features", "out_features"),
            _NO_WEIGHT_ATTR,
            _BIAS_ATTR,
            _NAME,
        ),
        traps=(
            "a square weight that is not transposed loads without complaint and computes something else",
            "default weights differ: Paddle Xavier uniform, torch U(-1/sqrt(in), 1/sqrt(in))",
        ),
        reason="x @ W + b",
        names=("linear",),
    ),
    _batch_norm("BatchNorm1D", "BatchNorm1d", "batch_norm1d"),
    _batch_norm("BatchNorm2D", "BatchNorm2d", "batch_norm2d"),
    _batch_norm("BatchNorm3D", "BatchNorm3d", "batch_norm3d"),
    _batch_norm("BatchNorm", "BatchNorm2d", "batch_norm", arguments=_OLD_BATCH_NORM_ARGUMENTS),
    _batch_norm("SyncBatchNorm", "SyncBatchNorm", "sync_batch_norm"),
    LayerRow(
        "LayerNorm",
        "LayerNorm",
        (Parameter("weight", "weight", RESHAPE, _FLAT), Parameter("bias", "bias", RESHAPE, _FLAT)),
        arguments=(
            Argument("normalized_shape", "normalized_shape"),
            _EPSILON,
            Argument("weight_attr", "elementwise_affine", convert="is not False", torch_default=True),
            Argument("bias_attr", "bias", convert="is not False", torch_default=True),
            _NAME,
        ),
        reason="normalization over the last dimensions",
        names=("layer_norm",),
    ),
    LayerRow(
        "GroupNorm",
        "GroupNorm",
        (_SAME_WEIGHT, _SAME_BIAS),
        arguments=(
            Argument("num_groups", "num_groups"),
            Argument("num_channels", "num_channels"),
            _EPSILON,
            Argument("weight_attr", "affine", convert="is not False", torch_default=True),
            Argument("bias_attr", "affine", convert="is not False", torch_default=True),
            _DATA_FORMAT,
            _NAME,
        ),
        reason="normalization over groups of channels",
        names=("group_norm",),
    ),
    *(_instance_norm(n) for n in (1, 2, 3)),
    LayerRow(
        "Embedding",
        "Embedding",
        (Parameter("weight", "weight", why="[rows, width] in both: never transposed, even when square"),),
        arguments=(
            Argument("num_embeddings", "num_embeddings"),
            Argument("embedding_dim", "embedding_dim"),
            Argument(
                "padding_idx",
                "padding_idx",
                trap="Paddle outputs zeros for it, torch the stored row: set that row to zero",
            ),
            Argument("sparse", "sparse", paddle_default=False, torch_default=False),
            Argument("weight_attr", None),
            _NAME,
        ),
        reason="table look-up",
        names=("embedding",),
    ),
    LayerRow(
        "PReLU",
        "PReLU",
        (Parameter("_weight", "weight", why="another name for the slope"),),
        arguments=(
            Argument("num_parameters", "num_parameters", paddle_default=1, torch_default=1),
            Argument("init", "init", paddle_default=0.25, torch_default=0.25),
            Argument("weight_attr", None),
            _DATA_FORMAT,
            _NAME,
        ),
        reason="max(0, x) + w * min(0, x)",
        names=("p_re_lu", "prelu"),
    ),
    LayerRow(
        "MaxPool2D",
        "MaxPool2d",
        arguments=(
            *_POOL_WINDOW,
            Argument("return_mask", "return_indices", paddle_default=False, torch_default=False),
            _DATA_FORMAT,
            _NAME,
        ),
        traps=(
            "the mask is int32 in Paddle, int64 in torch",
            "ceil_mode with padding: Paddle keeps a last window wholly in the padding, torch drops it",
        ),
        reason="same window arithmetic",
    ),
    LayerRow(
        "AvgPool2D",
        "AvgPool2d",
        arguments=(
            *_POOL_WINDOW,
            Argument(
                "exclusive",
                "count_include_pad",
                convert="not",
                paddle_default=True,
                torch_default=True,
                trap="the defaults disagree: exclusive=True is count_include_pad=False",
            ),
            Argument("divisor_override", "divisor_override"),
            _DATA_FORMAT,
            _NAME,
        ),
        traps=("the backward pass scales by a float32 1/k in Paddle: up to 3e-8 in float64",),
        reason="same window arithmetic once the divisor is told",
    ),
    LayerRow(
        "AdaptiveAvgPool2D",
        "AdaptiveAvgPool2d",
        arguments=(Argument("output_size", "output_size"), _DATA_FORMAT, _NAME),
        traps=("the backward pass scales by a float32 1/k in Paddle: up to 3e-8 in float64",),
        reason="same windows",
    ),
    LayerRow(
        "Dropout",
        "Dropout",
        arguments=(
            Argument("p", "p", paddle_default=0.5, torch_default=0.5),
            Argument("axis", None, values={None: None}, trap="torch drops single elements only"),
            Argument(
                "mode",
                None,
                values={"upscale_in_train": None},
                paddle_default="upscale_in_train",
                trap="'downscale_in_infer' scales by 1 - p in eval instead; torch has no twin",
            ),
            _NAME,
        ),
        traps=("the masks of the two frameworks never match, whatever the seed",),
        reason="scales by 1 / (1 - p) in training",
    ),
    LayerRow(
        "ReLU",
        "ReLU",
        arguments=(Argument(None, "inplace", torch_default=False), _NAME),
        traps=("relu(NaN) is 0 in Paddle",),
        reason="max(0, x)",
    ),
    LayerRow(
        "LeakyReLU",
        "LeakyReLU",
        arguments=(
            Argument(
                "negative_slope", "negative_slope", convert="f32", paddle_default=0.01, torch_default=0.01
            ),
            Argument(None, "inplace", torch_default=False),
            _NAME,
        ),
        traps=("at exactly 0 Paddle's gradient is 1, torch's the slope",),
        reason="max(0, x) + slope * min(0, x)",
    ),
    LayerRow("Sigmoid", "Sigmoid", arguments=(_NAME,), reason="1 / (1 + exp(-x))"),
)

LAYERS: Mapping[str, LayerRow] = MappingProxyType({row.paddle: row for row in _ROWS})
"""Rows by Paddle's class name."""


def _by_torch() -> dict[str, tuple[LayerRow, ...]]:
    table: dict[str, tuple[LayerRow, ...]] = {}
    for row in _ROWS:
        table[row.torch] = (*table.get(row.torch, ()), row)
    return table


BY_TORCH: Mapping[str, tuple[LayerRow, ...]] = MappingProxyType(_by_torch())
"""Rows by torch's class name; more than one Paddle layer may be the same torch module."""

_BY_NAME = {name: row for row in _ROWS for name in row.names}


# The order in which Paddle's layers create parameters: what `w_0`, `b_0`, `w_1` and `w_2` are.
_CREATED = {"w_0": "weight", "b_0": "bias", "w_1": "_mean", "w_2": "_variance"}


def role_of_parameter_name(name: str) -> str | None:
    """What an automatic parameter name is in its layer: `batch_norm2d_0.w_1` -> `_mean`; None if unknown."""
    row = layer_of_parameter_name(name)
    role = _CREATED.get(name.rpartition(".")[2])
    if row is None or role is None:
        return None
    if row.paddle.startswith("InstanceNorm") and role == "weight":
        return "scale"
    return "_weight" if row.paddle == "PReLU" else role


def layer_of_parameter_name(name: str) -> LayerRow | None:
    """The Paddle layer that an automatic parameter name belongs to: `linear_3.w_0` -> Linear.

    None when the name was chosen by the user or the layer is not in the table.
    """
    prefix, _, rest = name.partition(".")
    kind, _, number = prefix.rpartition("_")
    return _BY_NAME.get(kind) if rest and number.isdigit() else None
