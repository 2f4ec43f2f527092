"""Normalization layers."""

from __future__ import annotations

from convert.rosetta.layers.common import (
    DATA_FORMAT,
    EPSILON,
    NAME,
    SAME_BIAS,
    SAME_WEIGHT,
)
from convert.rosetta.rows import (
    RESHAPE,
    Argument,
    Exactness,
    Example,
    Generated,
    Kind,
    Parameter,
    Row,
    Source,
    Trap,
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

_BATCH_NORM_ARGUMENTS = (
    Argument("num_features", "num_features"),
    Argument(
        "momentum",
        "momentum",
        convert="1 - f32",
        paddle_default=0.9,
        torch_default=0.1,
        note="Paddle's momentum m keeps m of the old value, torch's keeps 1 - m",
    ),
    EPSILON,
    Argument("weight_attr", "affine", convert="is not False", paddle_default=None, torch_default=True),
    Argument("bias_attr", "affine", convert="is not False", paddle_default=None, torch_default=True),
    DATA_FORMAT,
    Argument(
        "use_global_stats",
        None,
        values={None: None, False: None},
        note="True uses the running statistics in training too: keep that torch layer in eval()",
    ),
    NAME,
)
_OLD_BATCH_NORM_ARGUMENTS = (
    Argument("num_channels", "num_features"),
    Argument(
        "act", None, values={None: None}, note="an activation that the layer applies itself: add it in torch"
    ),
    _BATCH_NORM_ARGUMENTS[1],  # the momentum
    EPSILON,
    Argument("param_attr", "affine", convert="is not False", paddle_default=None, torch_default=True),
    Argument("bias_attr", "affine", convert="is not False", paddle_default=None, torch_default=True),
    Argument("data_layout", None, values={"NCHW": None}, paddle_default="NCHW"),
    Argument("use_global_stats", None, values={False: None}, paddle_default=False),
)

_EPS = "eps=f32(1e-5)"


def _batch_norm(
    paddle: str,
    torch: str,
    shape: str,
    *names: str,
    arguments: tuple[Argument, ...] = _BATCH_NORM_ARGUMENTS,
    options: str = "",
) -> Row:
    train = f"layer = nn.{paddle}(4{options}); layer(x); layer."
    return Row(
        Kind.LAYER,
        f"nn.{paddle}",
        f"nn.{torch}",
        Exactness.F32,
        parameters=(SAME_WEIGHT, SAME_BIAS, *_STATISTICS),
        generated=_BATCHES_TRACKED,
        arguments=arguments,
        traps=(
            Trap(
                "Paddle accumulates the biased variance, torch the unbiased one: training drives them apart",
                naive=f"layer = nn.{torch}(4, momentum=1 - f32(0.9)); layer(x); layer.running_var",
                example=Example(
                    {"x": shape + " constant"},
                    train + "_variance",
                    f"layer = nn.{torch}(4, momentum=1 - f32(0.9)); layer(x)\n"
                    "n = x.numel() // x.shape[1]\n"
                    "unbiased = (layer.running_var - f32(0.9)) / (1 - f32(0.9))\n"
                    "f32(0.9) + (1 - f32(0.9)) * unbiased * (n - 1) / n",
                ),
            ),
            Trap(
                "Paddle's momentum m keeps m of the old value, torch's keeps 1 - m",
                naive=f"layer = nn.{torch}(4, momentum=0.9); layer(x); layer.running_mean",
                example=Example(
                    {"x": shape + " constant"},
                    train + "_mean",
                    f"layer = nn.{torch}(4, momentum=1 - f32(0.9)); layer(x); layer.running_mean",
                ),
                argument="momentum",
            ),
        ),
        examples=(Example({"x": shape}, f"nn.{paddle}(4{options})", f"nn.{torch}(4, {_EPS})"),),
        source=Source(f"nn/layer/norm.py: {paddle}", f"nn/modules/batchnorm.py: {torch}"),
        reason="the same normalization in eval and train outputs; see traps for the running variance",
        names=names,
    )


def _instance_norm(n: int) -> Row:
    shape = f"float 3,4,{','.join('765'[:n])}"
    return Row(
        Kind.LAYER,
        f"nn.InstanceNorm{n}D",
        f"nn.InstanceNorm{n}d",
        Exactness.F32,
        parameters=(Parameter("scale", "weight", why="another name for the scale"), SAME_BIAS),
        arguments=(
            Argument("num_features", "num_features"),
            EPSILON,
            Argument("momentum", None, note="unused by both: neither tracks running statistics by default"),
            Argument(
                "weight_attr", "affine", convert="is not False", paddle_default=None, torch_default=False
            ),
            Argument("bias_attr", "affine", convert="is not False", paddle_default=None, torch_default=False),
            DATA_FORMAT,
            NAME,
        ),
        traps=(
            Trap(
                "Paddle learns a scale and bias by default, torch needs affine=True",
                naive=f"nn.InstanceNorm{n}d(4, {_EPS})",
            ),
        ),
        examples=(
            Example({"x": shape}, f"nn.InstanceNorm{n}D(4)", f"nn.InstanceNorm{n}d(4, {_EPS}, affine=True)"),
        ),
        source=Source(f"nn/layer/norm.py: InstanceNorm{n}D", f"nn/modules/instancenorm.py: InstanceNorm{n}d"),
        reason="the same normalization once affine=True",
        names=(f"instance_norm{n}d", "instance_norm"),
    )


ROWS = (
    _batch_norm("BatchNorm1D", "BatchNorm1d", "float 6,4,7", "batch_norm1d"),
    _batch_norm("BatchNorm2D", "BatchNorm2d", "float 3,4,6,5", "batch_norm2d"),
    _batch_norm("BatchNorm3D", "BatchNorm3d", "float 3,4,5,4,3", "batch_norm3d"),
    _batch_norm(
        "BatchNorm",
        "BatchNorm2d",
        "float 3,4,6,5",
        "batch_norm",
        arguments=_OLD_BATCH_NORM_ARGUMENTS,
        options=", dtype=paddle.get_default_dtype()",
    ),
    Row(
        Kind.LAYER,
        "nn.SyncBatchNorm",
        "nn.SyncBatchNorm",
        Exactness.BIT,
        parameters=(SAME_WEIGHT, SAME_BIAS, *_STATISTICS),
        generated=_BATCHES_TRACKED,
        arguments=_BATCH_NORM_ARGUMENTS,
        examples=(
            Example(
                {},
                "layer = nn.SyncBatchNorm(4)\n"
                "[t.detach() for t in (layer.weight, layer.bias, layer._mean, layer._variance)]",
                "layer = nn.SyncBatchNorm(4)\n"
                "[t.detach() for t in (layer.weight, layer.bias, layer.running_mean, layer.running_var)]",
            ),
        ),
        source=Source("nn/layer/norm.py: SyncBatchNorm", "nn/modules/batchnorm.py: SyncBatchNorm"),
        reason="the parameters of BatchNorm; on a CPU Paddle has no kernel for it, so only they are proven",
        names=("sync_batch_norm",),
    ),
    Row(
        Kind.LAYER,
        "nn.LayerNorm",
        "nn.LayerNorm",
        Exactness.F32,
        parameters=(Parameter("weight", "weight", RESHAPE, _FLAT), Parameter("bias", "bias", RESHAPE, _FLAT)),
        arguments=(
            Argument("normalized_shape", "normalized_shape"),
            EPSILON,
            Argument("weight_attr", "elementwise_affine", convert="is not False", torch_default=True),
            Argument("bias_attr", "bias", convert="is not False", torch_default=True),
            NAME,
        ),
        examples=(Example({"x": "float 3,4,5"}, "nn.LayerNorm([4, 5])", f"nn.LayerNorm([4, 5], {_EPS})"),),
        source=Source("nn/layer/norm.py: LayerNorm", "nn/modules/normalization.py: LayerNorm"),
        reason="normalization over the last dimensions",
        names=("layer_norm",),
    ),
    Row(
        Kind.LAYER,
        "nn.GroupNorm",
        "nn.GroupNorm",
        Exactness.ALGEBRA,
        parameters=(SAME_WEIGHT, SAME_BIAS),
        arguments=(
            Argument("num_groups", "num_groups"),
            Argument("num_channels", "num_channels"),
            EPSILON,
            Argument("weight_attr", "affine", convert="is not False", torch_default=True),
            Argument("bias_attr", "affine", convert="is not False", torch_default=True),
            DATA_FORMAT,
            NAME,
        ),
        examples=(Example({"x": "float 3,4,6,5"}, "nn.GroupNorm(2, 4)", "nn.GroupNorm(2, 4)"),),
        source=Source("nn/layer/norm.py: GroupNorm", "nn/modules/normalization.py: GroupNorm"),
        reason="normalization over groups of channels",
        names=("group_norm",),
    ),
    *(_instance_norm(n) for n in (1, 2, 3)),
)
