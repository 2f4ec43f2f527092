"""Normalization layers."""

from __future__ import annotations

from convert.rosetta.layers.common import DATA_FORMAT, EPSILON, NAME, SAME_BIAS, SAME_WEIGHT
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
from convert.rosetta.writing import case, layer, trap

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
    Argument("bias_attr", "bias", convert="is not False", paddle_default=None, torch_default=True),
    DATA_FORMAT,
    Argument(
        "use_global_stats",
        None,
        values={None: None, False: None},
        note="True uses the running statistics in training too: keep that torch layer in eval()",
    ),
    NAME,
)
_SYNC_ARGUMENTS = tuple(a for a in _BATCH_NORM_ARGUMENTS if a.paddle != "use_global_stats")
_NAMES = ("moving_mean_name", "moving_variance_name")
_OLD_BATCH_NORM_ARGUMENTS = (
    Argument("num_channels", "num_features"),
    Argument(
        "act", None, values={None: None}, note="an activation that the layer applies itself: add it in torch"
    ),
    _BATCH_NORM_ARGUMENTS[1],  # the momentum
    EPSILON,
    Argument("param_attr", "affine", convert="is not False", paddle_default=None, torch_default=True),
    Argument("bias_attr", "bias", convert="is not False", paddle_default=None, torch_default=True),
    Argument("data_layout", None, values={"NCHW": None}, paddle_default="NCHW"),
    Argument("use_global_stats", None, values={False: None}, paddle_default=False),
    *(Argument(name, None, values={None: None}, note="a name has no effect in torch") for name in _NAMES),
)

_EPS = "eps=f32(1e-5)"


LOCAL_RESPONSE = (
    Argument("size", "size"),
    Argument("alpha", "alpha", paddle_default=1e-4, torch_default=1e-4),
    Argument("beta", "beta", paddle_default=0.75, torch_default=0.75),
    Argument("k", "k", paddle_default=1.0, torch_default=1.0),
    DATA_FORMAT,
    NAME,
)
EPSILON_OF_SPECTRAL = Argument("eps", None, paddle_default=1e-12, torch_default=1e-12)
_SPECTRAL = {"w": "float 4,3,2,2", "u": "float 4 constant", "v": "float 12 constant"}
_PADDLE_SPECTRAL = (
    "layer = nn.SpectralNorm(w.shape, dim=0, power_iters=2, dtype=w.dtype)\n"
    "layer.weight_u.set_value(u); layer.weight_v.set_value(v)\n"
)
_TORCH_SPECTRAL = (
    "matrix = w.flatten(1)\n"
    "for _ in range({iterations}):\n"
    "    v = F.normalize(matrix.T @ u, dim=0)\n"
    "    u = F.normalize(matrix @ v, dim=0)\n"
    "w / (u @ matrix @ v)"
)


def global_traps(paddle: str, torch: str, shape: str) -> tuple[Trap, ...]:
    options = ", dtype=paddle.get_default_dtype()" if paddle == "BatchNorm" else ""
    return (
        trap(
            "use_global_stats=True normalizes with the running statistics in training too: keep that layer in eval()",
            f"nn.{torch}(4, {_EPS}).train()(x)",
            shape,
            (
                f"layer = nn.{paddle}(4, use_global_stats=True{options})\nlayer.train()\nlayer(x)",
                f"nn.{torch}(4, {_EPS}).eval()(x)",
            ),
        ),
    )


def single_value_traps(paddle: str, torch: str, shape: str) -> tuple[Trap, ...]:
    """A batch of one image at 1x1: global pooling, then batch normalization."""
    if paddle == "BatchNorm":
        return ()
    single = "float 1,4" + ",1" * (shape.count(",") - 1 if torch != "BatchNorm1d" else 0)
    return (
        trap(
            "one value per channel in training: Paddle returns it unchanged, torch raises",
            f"nn.{torch}(4).train()(x)",
            single,
            (f"layer = nn.{paddle}(4)\nlayer.train()\nlayer(x)", "x"),
        ),
    )


def _together(n: int, shape: str) -> tuple[Trap, ...]:
    given = "y = layer(x); (y * y * y).sum().backward()\n"
    return (
        trap(
            "frozen or left out, the bias takes the weight's gradient with it in Paddle, and the weight the bias's: the other one never learns",
            f"layer = nn.BatchNorm{n}d(4, {_EPS}, bias=False); {given}layer.weight.grad",
            shape,
            (
                f"layer = nn.BatchNorm{n}D(4, bias_attr=False); {given}"
                "paddle.zeros([4]) if layer.weight.grad is None else layer.weight.grad",
                f"layer = nn.BatchNorm{n}d(4, {_EPS}, bias=False); layer.weight.requires_grad_(False); torch.zeros(4)",
            ),
        ),
    )


_TOGETHER = {"BatchNorm1D": _together(1, "float 6,4,7"), "BatchNorm2D": _together(2, "float 3,4,6,5")}
"""Source: `if (d_scale && d_bias)` in `paddle/phi/kernels/funcs/sync_batch_norm_utils.h`; the kernel for the CPU does the same, as was run."""


def _batch_norm(
    paddle: str,
    torch: str,
    shape: str,
    *names: str,
    arguments: tuple[Argument, ...] = _BATCH_NORM_ARGUMENTS,
    options: str = "",
    more: tuple[Trap, ...] = (),
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
            *_TOGETHER.get(paddle, ()),
            *(global_traps(paddle, torch, shape)),
            *(single_value_traps(paddle, torch, shape)),
            *more,
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
            Argument(
                None, "track_running_stats", torch_default=False, note="Paddle always uses the input's own"
            ),
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
        more=(
            trap(
                "act='relu' is an activation after the normalization",
                f"nn.BatchNorm2d(4, {_EPS})(x)",
                "float 3,4,6,5",
                (
                    "nn.BatchNorm(4, act='relu', dtype=paddle.get_default_dtype())(x)",
                    f"F.relu(nn.BatchNorm2d(4, {_EPS})(x))",
                ),
            ),
        ),
    ),
    Row(
        Kind.LAYER,
        "nn.SyncBatchNorm",
        "nn.SyncBatchNorm",
        Exactness.F32,
        parameters=(SAME_WEIGHT, SAME_BIAS, *_STATISTICS),
        generated=_BATCHES_TRACKED,
        arguments=_SYNC_ARGUMENTS,
        examples=(
            Example(
                {"x": "float 3,4,6,5"},
                "nn.BatchNorm2D(4)",
                f"nn.SyncBatchNorm(4, {_EPS})",
                modes=("eval",),
            ),
            Example(
                {},
                "layer = nn.SyncBatchNorm(4)\n"
                "[t.detach() for t in (layer.weight, layer.bias, layer._mean, layer._variance)]",
                "layer = nn.SyncBatchNorm(4)\n"
                "[t.detach() for t in (layer.weight, layer.bias, layer.running_mean, layer.running_var)]",
            ),
            Example(
                {},
                "network = nn.Sequential(nn.BatchNorm2D(4))\n"
                "type(nn.SyncBatchNorm.convert_sync_batchnorm(network)[0]).__name__",
                "network = nn.Sequential(nn.BatchNorm2d(4))\n"
                "type(nn.SyncBatchNorm.convert_sync_batchnorm(network)[0]).__name__",
            ),
        ),
        source=Source("nn/layer/norm.py: SyncBatchNorm", "nn/modules/batchnorm.py: SyncBatchNorm"),
        reason="torch's in eval is Paddle's BatchNorm2D, and both begin with the same weights; Paddle has no CPU kernel "
        "for its own, so its forward and its statistics over processes were not run: unverified",
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
        examples=(
            Example({"x": "float 3,4,5"}, "nn.LayerNorm([4, 5])", f"nn.LayerNorm([4, 5], {_EPS})"),
            Example({"x": "float 3,4,5"}, "nn.LayerNorm(5, epsilon=1e-6)", "nn.LayerNorm(5, eps=f32(1e-6))"),
        ),
        traps=(
            trap(
                "the weight of several dimensions is flat in Paddle's state dict",
                "[t.shape for t in nn.LayerNorm([4, 5]).state_dict().values()]",
                {},
                (
                    "[list(t.shape) for t in nn.LayerNorm([4, 5]).state_dict().values()]",
                    "[[t.numel()] for t in nn.LayerNorm([4, 5]).state_dict().values()]",
                ),
            ),
        ),
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
            Argument("epsilon", "eps", paddle_default=1e-5, torch_default=1e-5),
            Argument("weight_attr", "affine", convert="is not False", torch_default=True),
            Argument("bias_attr", "bias", convert="is not False", torch_default=True),
            DATA_FORMAT,
            NAME,
        ),
        examples=(
            Example({"x": "float 3,4,6,5"}, "nn.GroupNorm(2, 4)", "nn.GroupNorm(2, 4)"),
            Example({"x": "float 3,4,6,5"}, "nn.GroupNorm(1, 4, epsilon=0.01)", "nn.GroupNorm(1, 4, 0.01)"),
        ),
        traps=(
            trap(
                "this epsilon is a double in Paddle too, unlike BatchNorm's: rounding it makes a difference",
                "nn.GroupNorm(2, 4, f32(0.01))(x)",
                "float 3,4,6,5",
                ("nn.GroupNorm(2, 4, epsilon=0.01)(x)", "nn.GroupNorm(2, 4, 0.01)(x)"),
            ),
        ),
        source=Source("nn/layer/norm.py: GroupNorm", "nn/modules/normalization.py: GroupNorm"),
        reason="normalization over groups of channels",
        names=("group_norm",),
    ),
    *(_instance_norm(n) for n in (1, 2, 3)),
    layer(
        "LocalResponseNorm",
        Exactness.NEAR,
        "both divide alpha by the size; Paddle's gradient takes it in float32",
        (
            case("float 3,8,3,4", "nn.LocalResponseNorm(5, alpha=0.5)"),
            case("float 3,8,3,4", "nn.LocalResponseNorm(5)"),
            case("float 3,8,3,4", "nn.LocalResponseNorm(4, alpha=0.5, k=2)"),
        ),
        files=("norm", "normalization"),
        within=1e-7,
        arguments=LOCAL_RESPONSE,
    ),
    layer(
        ("SpectralNorm", ""),
        Exactness.NONE,
        "the weight over its largest singular value, from power iterations; Paddle's gradient is not that of its "
        "own output (0.73 off central differences whose largest entry is 0.65)",
        (
            case(
                _SPECTRAL,
                (_PADDLE_SPECTRAL + "layer(w)", _TORCH_SPECTRAL.format(iterations=2)),
                backward=False,
            ),
        ),
        files=("norm", "nn/utils/parametrizations.py"),
        remedy="nn.utils.parametrizations.spectral_norm where training need not be the same; else iterate by hand "
        "from the stored weight_u and weight_v",
        arguments=(
            Argument("weight_shape", None, note="torch takes the module"),
            Argument("dim", None, paddle_default=0),
            Argument("power_iters", None, paddle_default=1, torch_default=1),
            EPSILON_OF_SPECTRAL,
        ),
        traps=(
            trap(
                "torch goes on from the vectors of the last call; Paddle begins again from the stored ones at every call",
                _TORCH_SPECTRAL.format(iterations=4),
                _SPECTRAL,
                (_PADDLE_SPECTRAL + "layer(w)\nlayer(w)", _TORCH_SPECTRAL.format(iterations=2)),
                backward=False,
            ),
        ),
    ),
)
