"""Layers and initializers that take Paddle's own arguments, under Paddle's names: for calls whose arguments only a run tells (`*args`)."""

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from torch_models.like_paddle.initial import with_attr
from torch_models.like_paddle.layers import BatchNorm2d, Conv2d


def Conv2D(
    in_channels,
    out_channels,
    kernel_size,
    stride=1,
    padding=0,
    dilation=1,
    groups=1,
    padding_mode="zeros",
    weight_attr=None,
    bias_attr=None,
    data_format="NCHW",
):
    """`paddle.nn.Conv2D` as a torch layer."""
    options = {"groups": groups, "padding_mode": padding_mode, "bias": bias_attr is not False}
    plain = isinstance(padding, int) or (len(padding) == 2 and all(isinstance(p, int) for p in padding))
    if plain and data_format == "NCHW":
        layer = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, **options)
    else:
        layer = Conv2d(
            in_channels, out_channels, kernel_size, stride, padding, dilation, data_format, **options
        )
    return with_attr(layer, weight_attr, bias_attr)


def Linear(in_features, out_features, weight_attr=None, bias_attr=None, name=None):
    """`paddle.nn.Linear` as a torch layer."""
    return with_attr(nn.Linear(in_features, out_features, bias_attr is not False), weight_attr, bias_attr)


def BatchNorm2D(
    num_features,
    momentum=0.9,
    epsilon=1e-05,
    weight_attr=None,
    bias_attr=None,
    data_format="NCHW",
    use_global_stats=None,
    name=None,
):
    """`paddle.nn.BatchNorm2D` as a torch layer."""
    options = {"eps": epsilon, "momentum": 1 - momentum}
    if data_format == "NCHW" and not use_global_stats:
        layer = nn.BatchNorm2d(num_features, **options)
    else:
        layer = BatchNorm2d(
            num_features, data_format=data_format, use_global_stats=use_global_stats, **options
        )
    return with_attr(layer, weight_attr, bias_attr)


def SyncBatchNorm(
    num_features,
    momentum=0.9,
    epsilon=1e-05,
    weight_attr=None,
    bias_attr=None,
    data_format="NCHW",
    name=None,
):
    """`paddle.nn.SyncBatchNorm` as a torch layer.

    Raises:
        ValueError: for NHWC, which torch's does not take.
    """
    if data_format != "NCHW":
        raise ValueError("torch's SyncBatchNorm takes NCHW only")
    layer = nn.SyncBatchNorm(num_features, eps=epsilon, momentum=1 - momentum)
    return with_attr(layer, weight_attr, bias_attr)


def LayerNorm(normalized_shape, epsilon=1e-05, weight_attr=None, bias_attr=None, name=None):
    """`paddle.nn.LayerNorm` as a torch layer."""
    return with_attr(nn.LayerNorm(normalized_shape, epsilon), weight_attr, bias_attr)


def GroupNorm(
    num_groups, num_channels, epsilon=1e-05, weight_attr=None, bias_attr=None, data_format="NCHW", name=None
):
    """`paddle.nn.GroupNorm` as a torch layer.

    Raises:
        ValueError: for NHWC, which torch's does not take.
    """
    if data_format != "NCHW":
        raise ValueError("torch's GroupNorm takes NCHW only")
    return with_attr(nn.GroupNorm(num_groups, num_channels, epsilon), weight_attr, bias_attr)


class activation:
    """`paddle.nn.layer.activation`: torch's layers under Paddle's names, for code that picks one by its name."""

    CELU, ELU, GELU, GLU, SELU = nn.CELU, nn.ELU, nn.GELU, partial(nn.GLU, dim=-1), nn.SELU
    Hardshrink, Hardsigmoid, Hardswish, Hardtanh = nn.Hardshrink, nn.Hardsigmoid, nn.Hardswish, nn.Hardtanh
    LeakyReLU, LogSigmoid, LogSoftmax = nn.LeakyReLU, nn.LogSigmoid, partial(nn.LogSoftmax, dim=-1)
    Mish, PReLU, ReLU, ReLU6, RReLU, Sigmoid = nn.Mish, nn.PReLU, nn.ReLU, nn.ReLU6, nn.RReLU, nn.Sigmoid
    Silu, Softmax, Softplus, Softshrink = nn.SiLU, partial(nn.Softmax, dim=-1), nn.Softplus, nn.Softshrink
    Softsign, Swish, Tanh, Tanhshrink = nn.Softsign, nn.SiLU, nn.Tanh, nn.Tanhshrink
    ThresholdedReLU = partial(nn.Threshold, 1.0, 0.0)


class functional:
    """The activations of `paddle.nn.functional`: torch's functions under Paddle's names, for code that picks one by its name."""

    celu, elu, gelu, selu, mish = F.celu, F.elu, F.gelu, F.selu, F.mish
    hardshrink, hardsigmoid, hardswish, hardtanh = F.hardshrink, F.hardsigmoid, F.hardswish, F.hardtanh
    leaky_relu, relu, relu6, log_sigmoid = F.leaky_relu, F.relu, F.relu6, F.logsigmoid
    silu, swish, softplus, softshrink, softsign = F.silu, F.silu, F.softplus, F.softshrink, F.softsign
    sigmoid, tanh, tanhshrink = torch.sigmoid, torch.tanh, F.tanhshrink

    @staticmethod
    def softmax(x, axis=-1):
        return F.softmax(x, axis)

    @staticmethod
    def log_softmax(x, axis=-1):
        return F.log_softmax(x, axis)


def Normal(mean=0.0, std=1.0, name=None):
    return partial(nn.init.normal_, mean=mean, std=std)


def Constant(value=0.0):
    return partial(nn.init.constant_, val=value)


def Uniform(low=-1.0, high=1.0, name=None):
    return partial(nn.init.uniform_, a=low, b=high)


def TruncatedNormal(mean=0.0, std=1.0, a=-2.0, b=2.0, name=None):
    return partial(nn.init.trunc_normal_, mean=mean, std=std, a=a, b=b)


def KaimingNormal(fan_in=None, negative_slope=0.0, nonlinearity="relu", mode="fan_in"):
    """Kaiming's with a `fan_in` of one's own."""
    return partial(_scaled, nn.init.normal_, (fan_in, fan_in), mode, _gain(nonlinearity, negative_slope))


def KaimingUniform(fan_in=None, negative_slope=0.0, nonlinearity="relu", mode="fan_in"):
    """Kaiming's with a `fan_in` of one's own."""
    return partial(_scaled, nn.init.uniform_, (fan_in, fan_in), mode, _gain(nonlinearity, negative_slope))


def XavierNormal(fan_in=None, fan_out=None, gain=1.0, name=None):
    """Xavier's with fans of one's own."""
    return partial(_scaled, nn.init.normal_, (fan_in, fan_out), "both", gain)


def XavierUniform(fan_in=None, fan_out=None, gain=1.0, name=None):
    """Xavier's with fans of one's own."""
    return partial(_scaled, nn.init.uniform_, (fan_in, fan_out), "both", gain)


def _gain(nonlinearity, negative_slope):
    return nn.init.calculate_gain(nonlinearity, negative_slope)


def _scaled(fill, fans, mode, gain, parameter):
    """Fills with the variance of gain^2 over the fan that `mode` means, or over the mean of both."""
    own = nn.init._calculate_fan_in_and_fan_out(parameter) if parameter.ndim > 1 else 2 * (len(parameter),)
    fan_in, fan_out = (mine if said is None else said for said, mine in zip(fans, own, strict=True))
    fan = {"fan_in": fan_in, "fan_out": fan_out, "both": (fan_in + fan_out) / 2}[mode]
    deviation = gain / math.sqrt(fan)
    if fill is nn.init.normal_:
        return fill(parameter, 0.0, deviation)
    return fill(parameter, -math.sqrt(3) * deviation, math.sqrt(3) * deviation)
