"""Initializers, and what layers start with when nothing is said."""

from __future__ import annotations

from typing import Any

from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source, Trap

CONV, LINEAR = {"w": "empty 64,32,3,3"}, {"w": "empty 32,256"}
NAME = Argument("name", None)
FAN_IN = Argument("fan_in", None, note="a number instead of the one that the shape gives; torch has none")
GAIN = Argument("gain", "gain", paddle_default=1.0, torch_default=1.0)
KAIMING = (
    FAN_IN,
    Argument("negative_slope", "a", paddle_default=0.0, torch_default=0.0),
    Argument(
        "mode", "mode", paddle_default="fan_in", torch_default="fan_in", note="swapped on a Linear weight"
    ),
    Argument("nonlinearity", "nonlinearity", paddle_default="relu", torch_default="leaky_relu"),
)


def _random(inputs: dict[str, str], paddle: str, torch: str) -> Example:
    return Example(inputs, paddle, torch, compare="distribution")


def _row(name: str, twin: str, *examples: Example, file: str = "", **more: Any) -> Row:
    return Row(
        Kind.INITIALIZER,
        f"nn.initializer.{name}",
        f"nn.init.{twin}" if twin else "",
        more.pop("exactness", Exactness.DISTRIBUTION),
        examples=examples,
        source=Source(f"nn/initializer/{file or name.lower()}.py: {name}", f"nn/init.py: {twin or 'init'}"),
        **more,
    )


def _kaiming(name: str, twin: str, reason: str) -> Row:
    return _row(
        name,
        twin,
        _random(CONV, f"nn.initializer.{name}()", f"nn.init.{twin}(w, nonlinearity='relu')"),
        _random(
            CONV,
            f"nn.initializer.{name}(negative_slope=0.5, nonlinearity='leaky_relu', mode='fan_out')",
            f"nn.init.{twin}(w, 0.5, mode='fan_out')",
        ),
        file="kaiming",
        arguments=KAIMING,
        traps=(
            Trap(
                "on a Linear weight Paddle's fan_in is its first dimension, torch's the second",
                naive=f"nn.init.{twin}(w, nonlinearity='relu')",
                example=_random(
                    LINEAR,
                    f"nn.initializer.{name}()",
                    f"nn.init.{twin}(w, mode='fan_out', nonlinearity='relu')",
                ),
            ),
            Trap(
                "the same on the layers themselves: nothing is swapped where each layer has its own layout",
                naive=f"nn.init.{twin}(nn.Linear(32, 256).weight, mode='fan_out', nonlinearity='relu').detach()",
                example=_random(
                    {},
                    f"nn.Linear(32, 256, weight_attr=nn.initializer.{name}()).weight.detach()",
                    f"nn.init.{twin}(nn.Linear(32, 256).weight, nonlinearity='relu').detach()",
                ),
            ),
        ),
        reason=reason,
    )


def _xavier(name: str, twin: str, reason: str) -> Row:
    return _row(
        name,
        twin,
        _random(CONV, f"nn.initializer.{name}()", f"nn.init.{twin}(w)"),
        _random(LINEAR, f"nn.initializer.{name}()", f"nn.init.{twin}(w)"),
        _random(CONV, f"nn.initializer.{name}(gain=2.0)", f"nn.init.{twin}(w, gain=2.0)"),
        file="xavier",
        arguments=(FAN_IN, Argument("fan_out", None), GAIN, NAME),
        reason=reason,
    )


def _default(
    layer: str, *examples: Example, exactness: Exactness = Exactness.DISTRIBUTION, **more: Any
) -> Row:
    return Row(
        Kind.IDIOM,
        f"default initialisation of {layer}",
        "",
        exactness,
        examples=examples,
        **more,
    )


BILINEAR = (
    "k = w.shape[-1]\n"
    "f = -(-k // 2)\n"
    "c = (2 * f - 1 - f % 2) / (2.0 * f)\n"
    "i = torch.arange(w.numel()).double()\n"
    "x, y = i % k, i / k % k\n"
    "w.copy_(((1 - (x / f - c).abs()) * (1 - (y / f - c).abs())).reshape(w.shape))"
)
UPSAMPLING = (
    "k = w.shape[-1]\n"
    "f = -(-k // 2)\n"
    "c = (2 * f - 1 - f % 2) / (2.0 * f)\n"
    "line = 1 - (torch.arange(k) / f - c).abs()\n"
    "w.copy_((line[:, None] * line).expand(w.shape))"
)

ROWS: tuple[Row, ...] = (
    _row(
        "Constant",
        "constant_",
        Example({"w": "empty 2,3"}, "nn.initializer.Constant(0.25)", "nn.init.constant_(w, 0.25)"),
        exactness=Exactness.BIT,
        arguments=(Argument("value", "val", paddle_default=0.0),),
        reason="fills",
    ),
    _row(
        "Assign",
        "",
        Example(
            {"w": "empty 2,2"},
            "nn.initializer.Assign(np.array([[1.5, 2.0], [3.0, -4.0]], w.numpy().dtype))",
            "w.copy_(torch.tensor([[1.5, 2.0], [3.0, -4.0]]))",
        ),
        exactness=Exactness.NONE,
        remedy="weight.data.copy_(values): transposed for a Linear",
        arguments=(Argument("value", None, note="array, list or tensor of the parameter's shape"), NAME),
        traps=(
            Trap(
                "a Linear's values are [in, out]",
                naive="m = nn.Linear(2, 2, bias=False)\nm.weight.data.copy_(torch.tensor([[1.5, 2.0], [3.0, -4.0]]))\nm(x).detach()",
                example=Example(
                    {"x": "float 3,2 constant"},
                    "nn.Linear(2, 2, weight_attr=nn.initializer.Assign(np.array([[1.5, 2.0], [3.0, -4.0]], x.numpy().dtype)), "
                    "bias_attr=False)(x).detach()",
                    "m = nn.Linear(2, 2, bias=False)\n"
                    "m.weight.data.copy_(torch.tensor([[1.5, 2.0], [3.0, -4.0]]).T)\nm(x).detach()",
                ),
            ),
        ),
        reason="copies",
    ),
    _row(
        "Normal",
        "normal_",
        _random(CONV, "nn.initializer.Normal()", "nn.init.normal_(w)"),
        _random(CONV, "nn.initializer.Normal(0.5, 0.25)", "nn.init.normal_(w, 0.5, 0.25)"),
        arguments=(
            Argument("mean", "mean", paddle_default=0.0, torch_default=0.0),
            Argument("std", "std", paddle_default=1.0, torch_default=1.0),
            NAME,
        ),
        reason="N(mean, std)",
    ),
    _row(
        "Uniform",
        "uniform_",
        _random(CONV, "nn.initializer.Uniform()", "nn.init.uniform_(w, -1.0, 1.0)"),
        _random(CONV, "nn.initializer.Uniform(-0.25, 0.5)", "nn.init.uniform_(w, -0.25, 0.5)"),
        arguments=(
            Argument("low", "a", paddle_default=-1.0, torch_default=0.0),
            Argument("high", "b", paddle_default=1.0, torch_default=1.0),
            NAME,
        ),
        traps=(Trap("the default is -1..1 in Paddle, 0..1 in torch", naive="nn.init.uniform_(w)"),),
        reason="U(low, high)",
    ),
    _row(
        "TruncatedNormal",
        "trunc_normal_",
        _random(CONV, "nn.initializer.TruncatedNormal()", "nn.init.trunc_normal_(w)"),
        _random(CONV, "nn.initializer.TruncatedNormal(std=0.02)", "nn.init.trunc_normal_(w, std=0.02)"),
        _random(
            CONV,
            "nn.initializer.TruncatedNormal(0.5, 2.0, -1.0, 3.0)",
            "nn.init.trunc_normal_(w, 0.5, 2.0, -1.0, 3.0)",
        ),
        file="normal",
        arguments=(
            Argument("mean", "mean", paddle_default=0.0, torch_default=0.0),
            Argument("std", "std", paddle_default=1.0, torch_default=1.0),
            Argument("a", "a", paddle_default=-2.0, torch_default=-2.0),
            Argument("b", "b", paddle_default=2.0, torch_default=2.0),
            NAME,
        ),
        traps=(
            Trap(
                "a and b are values, not standard deviations: with std=0.02 nothing is cut",
                naive="nn.init.trunc_normal_(w, std=0.02, a=-0.02, b=0.02)",
                example=_random(
                    CONV, "nn.initializer.TruncatedNormal(std=0.02)", "nn.init.trunc_normal_(w, std=0.02)"
                ),
            ),
        ),
        reason="N(mean, std) between a and b",
    ),
    _xavier(
        "XavierNormal",
        "xavier_normal_",
        "N(0, gain * sqrt(2 / (fan_in + fan_out))): the layout does not matter",
    ),
    _xavier(
        "XavierUniform",
        "xavier_uniform_",
        "U(+-gain * sqrt(6 / (fan_in + fan_out))): the layout does not matter",
    ),
    _kaiming("KaimingNormal", "kaiming_normal_", "N(0, gain / sqrt(fan))"),
    _kaiming("KaimingUniform", "kaiming_uniform_", "U(+-gain * sqrt(3 / fan))"),
    _row(
        "Orthogonal",
        "orthogonal_",
        _random({"w": "empty 48,32"}, "nn.initializer.Orthogonal()", "nn.init.orthogonal_(w)"),
        _random({"w": "empty 48,4,3,3"}, "nn.initializer.Orthogonal(2.0)", "nn.init.orthogonal_(w, 2.0)"),
        arguments=(GAIN, NAME),
        reason="QR of a normal matrix",
    ),
    _row(
        "Dirac",
        "dirac_",
        Example({"w": "empty 4,2,3,3"}, "nn.initializer.Dirac()", "nn.init.dirac_(w)"),
        Example({"w": "empty 4,2,3"}, "nn.initializer.Dirac(2)", "nn.init.dirac_(w, 2)"),
        exactness=Exactness.BIT,
        arguments=(Argument("groups", "groups", paddle_default=1, torch_default=1), NAME),
        reason="the identity as a convolution",
    ),
    _row(
        "Bilinear",
        "",
        Example({"w": "empty 2,1,4,4"}, "nn.initializer.Bilinear()", BILINEAR),
        Example({"w": "empty 2,3,3,3"}, "nn.initializer.Bilinear()", BILINEAR),
        exactness=Exactness.NONE,
        remedy="fill with the numbers of Paddle's loop",
        traps=(
            Trap(
                "Paddle 3.3.1 divides the row's number without rounding (bilinear.py: y = (i / size) % size), so its kernel is "
                "not the symmetric one of bilinear upsampling",
                naive=UPSAMPLING,
            ),
        ),
        reason="two triangles, the second at fractional rows",
    ),
    _row(
        "calculate_gain",
        "calculate_gain",
        *(
            Example(
                {},
                f"nn.initializer.calculate_gain({argument})",
                f"nn.init.calculate_gain({argument})",
            )
            for argument in (
                "'relu'",
                "'tanh'",
                "'leaky_relu'",
                "'leaky_relu', 0.2",
                "'selu'",
                "'sigmoid'",
                "'linear'",
            )
        ),
        file="initializer",
        exactness=Exactness.BIT,
        arguments=(Argument("nonlinearity", "nonlinearity"), Argument("param", "param")),
        reason="the same table",
    ),
    _row(
        "set_global_initializer",
        "",
        Example(
            {},
            "nn.initializer.set_global_initializer(nn.initializer.Constant(0.25), nn.initializer.Constant(0.5))\n"
            "m = nn.Linear(3, 2)\n"
            "nn.initializer.set_global_initializer(None)\n"
            "(m.weight.detach().T, m.bias.detach())",
            "m = nn.Linear(3, 2).apply(lambda m: (nn.init.constant_(m.weight, 0.25), nn.init.constant_(m.bias, 0.5)))\n"
            "(m.weight.detach(), m.bias.detach())",
        ),
        file="initializer",
        exactness=Exactness.NONE,
        remedy="module.apply with a function that initialises by type",
        arguments=(Argument("weight_init", None), Argument("bias_init", None)),
        traps=(
            Trap(
                "torch has no global default: a new layer has its own",
                naive="m = nn.Linear(3, 2)\n(m.weight.detach(), m.bias.detach())",
            ),
        ),
        reason="the default of every layer that is made afterwards",
    ),
    _default(
        "Conv2D",
        _random(
            {},
            "nn.Conv2D(16, 64, 3).weight.detach()",
            "nn.init.kaiming_normal_(nn.Conv2d(16, 64, 3).weight, nonlinearity='relu').detach()",
        ),
        traps=(
            Trap("torch's is U(+-1/sqrt(fan_in))", naive="nn.Conv2d(16, 64, 3).weight.detach()"),
            Trap(
                "biases: Paddle 0, torch U(+-1/sqrt(fan_in))",
                naive="nn.Conv2d(16, 64, 3).bias.detach()",
                example=Example(
                    {},
                    "nn.Conv2D(16, 64, 3).bias.detach()",
                    "nn.init.zeros_(nn.Conv2d(16, 64, 3).bias).detach()",
                ),
            ),
        ),
        source=Source("nn/layer/conv.py: _ConvNd", "nn/modules/conv.py: _ConvNd"),
        reason="N(0, sqrt(2 / fan_in))",
    ),
    _default(
        "Linear",
        _random(
            {},
            "nn.Linear(64, 32).weight.detach()",
            "nn.init.xavier_uniform_(nn.Linear(64, 32).weight).detach()",
        ),
        traps=(
            Trap("torch's is U(+-1/sqrt(in))", naive="nn.Linear(64, 32).weight.detach()"),
            Trap(
                "biases: Paddle 0, torch U(+-1/sqrt(in))",
                naive="nn.Linear(64, 32).bias.detach()",
                example=Example(
                    {}, "nn.Linear(64, 32).bias.detach()", "nn.init.zeros_(nn.Linear(64, 32).bias).detach()"
                ),
            ),
            Trap(
                "a ParamAttr with Uniform(+-1/sqrt(in)), as on the tutorial's ResNet, is torch's default weight: only the bias differs",
                naive="nn.init.xavier_uniform_(nn.Linear(64, 32).weight).detach()",
                example=_random(
                    {},
                    "nn.Linear(64, 32, weight_attr=paddle.ParamAttr(initializer=nn.initializer.Uniform(-1 / 8, 1 / 8))).weight.detach()",
                    "nn.Linear(64, 32).weight.detach()",
                ),
            ),
        ),
        source=Source("nn/layer/common.py: Linear", "nn/modules/linear.py: Linear"),
        reason="Xavier uniform",
    ),
    _default(
        "Embedding",
        _random(
            {},
            "nn.Embedding(64, 32).weight.detach()",
            "nn.init.xavier_uniform_(nn.Embedding(64, 32).weight).detach()",
        ),
        traps=(Trap("torch's is N(0, 1)", naive="nn.Embedding(64, 32).weight.detach()"),),
        source=Source("nn/layer/common.py: Embedding", "nn/modules/sparse.py: Embedding"),
        reason="Xavier uniform",
    ),
    _default(
        "BatchNorm2D",
        Example(
            {},
            "m = nn.BatchNorm2D(3)\n[m.weight.detach(), m.bias.detach(), m._mean.detach(), m._variance.detach()]",
            "m = nn.BatchNorm2d(3)\n[m.weight.detach(), m.bias.detach(), m.running_mean, m.running_var]",
        ),
        exactness=Exactness.BIT,
        source=Source("nn/layer/norm.py: _BatchNormBase", "nn/modules/batchnorm.py: _NormBase"),
        reason="ones, zeros, zeros, ones",
    ),
)
