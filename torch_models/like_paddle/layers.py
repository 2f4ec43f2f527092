"""Layers with Paddle's paddings, layouts and activations."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from torch_models.like_paddle.tensors import downscaled_dropout


class DownscaledDropout(nn.Module):
    """Dropout of Paddle's mode `downscale_in_infer`: nothing is scaled in training, and eval multiplies by 1 - p."""

    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        return downscaled_dropout(x, self.p, self.training)


class Embedding(nn.Embedding):
    """nn.Embedding whose result is 0 at `padding_idx`, whatever the weight holds there."""

    def forward(self, indices):
        return super().forward(indices) * (indices != self.padding_idx).unsqueeze(-1)


class BatchNorm2d(nn.BatchNorm2d):
    """With an activation behind it (`act`, a name of Paddle's), the stored statistics in training too, or for NHWC."""

    def __init__(
        self, *args, act=None, use_global_stats=False, data_layout="NCHW", data_format=None, **options
    ):
        super().__init__(*args, **options)
        self.act = act
        self.use_global_stats = bool(use_global_stats)
        self.nhwc = (data_format or data_layout) == "NHWC"

    def forward(self, x):
        if self.nhwc:
            return self.normalized(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return self.normalized(x)

    def normalized(self, x):
        if self.use_global_stats:
            y = F.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, False, self.momentum, self.eps
            )
        else:
            y = super().forward(x)
        if self.act is None:
            return y
        function = ACTIVATIONS.get(self.act) or getattr(F, self.act, None) or getattr(torch, self.act)
        return function(y)


ACTIVATIONS = {
    "swish": F.silu,
    "hard_swish": F.hardswish,
    "hard_sigmoid": lambda x: (x * 0.2 + 0.5).clamp(0, 1),
    "hard_shrink": F.hardshrink,
    "tanh_shrink": F.tanhshrink,
    "softmax": lambda x: F.softmax(x, dim=-1),
}
"""What `act` means that torch.nn.functional has under another name, or with other defaults."""


class ConvNormActivation(nn.Sequential):
    """A convolution, its normalization and an activation: `paddle.vision.ops.ConvNormActivation`."""

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size=3,
        stride=1,
        padding=None,
        groups=1,
        norm_layer=nn.BatchNorm2d,
        activation_layer=nn.ReLU,
        dilation=1,
        bias=None,
    ):
        if padding is None:
            padding = (kernel_size - 1) // 2 * dilation
        bias = norm_layer is None if bias is None else bias
        layers = [nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)]
        layers += [
            make(*of)
            for make, of in ((norm_layer, [out_channels]), (activation_layer, []))
            if make is not None
        ]
        super().__init__(*layers)


def padding_of(padding, sizes, kernel, stride):
    """What F.pad takes for Paddle's padding: `SAME`, `VALID` (in any case), a number, one for each dimension, or two for each."""
    count = len(kernel)
    padding = padding.upper() if isinstance(padding, str) else padding
    if padding == "VALID":
        return [0] * (2 * count)
    if padding == "SAME":
        pairs = []
        for size, k, s in zip(sizes, kernel, stride, strict=True):
            whole = max((-(-size // s) - 1) * s + k - size, 0)
            pairs.append((whole // 2, whole - whole // 2))
    else:
        flat = [padding] * count if isinstance(padding, int) else list(padding)
        if flat and isinstance(flat[0], (list, tuple)):
            flat = [n for pair in flat[-count:] for n in pair]
        pairs = (
            [(n, n) for n in flat] if len(flat) == count else list(zip(flat[::2], flat[1::2], strict=True))
        )
    return [n for pair in reversed(pairs) for n in pair]


def _pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


class _Channels:
    """A layer of torch's, whose images may be NHWC."""

    nhwc = False

    def forward(self, x):
        if not self.nhwc:
            return self.apply_to(x)
        return self.apply_to(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


class Conv2d(_Channels, nn.Conv2d):
    """nn.Conv2d with Paddle's paddings (`SAME`, `VALID`, [top, bottom, left, right]) and layouts."""

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        data_format="NCHW",
        **options,
    ):
        # Paddle takes no dilation together with SAME.
        dilation = 1 if isinstance(padding, str) and padding.upper() == "SAME" else dilation
        super().__init__(in_channels, out_channels, kernel_size, stride, 0, dilation, **options)
        self.around = padding
        self.nhwc = data_format == "NHWC"

    def apply_to(self, x):
        return super(_Channels, self).forward(
            F.pad(x, padding_of(self.around, x.shape[2:], self.kernel_size, self.stride))
        )


class MaxPool2d(_Channels, nn.Module):
    """nn.MaxPool2d with Paddle's paddings and layouts."""

    def __init__(self, kernel_size, stride=None, padding=0, ceil_mode=False, data_format="NCHW"):
        super().__init__()
        self.kernel_size, self.stride = _pair(kernel_size), _pair(stride or kernel_size)
        self.padding, self.ceil_mode, self.nhwc = padding, ceil_mode, data_format == "NHWC"

    def apply_to(self, x):
        around = padding_of(self.padding, x.shape[2:], self.kernel_size, self.stride)
        return F.max_pool2d(
            F.pad(x, around, value=-math.inf), self.kernel_size, self.stride, ceil_mode=self.ceil_mode
        )


class AvgPool2d(_Channels, nn.Module):
    """nn.AvgPool2d with Paddle's paddings and layouts; padding counts only where `exclusive` is False."""

    def __init__(
        self,
        kernel_size,
        stride=None,
        padding=0,
        ceil_mode=False,
        exclusive=True,
        divisor_override=None,
        data_format="NCHW",
    ):
        super().__init__()
        self.kernel_size, self.stride = _pair(kernel_size), _pair(stride or kernel_size)
        self.padding, self.ceil_mode, self.nhwc = padding, ceil_mode, data_format == "NHWC"
        self.exclusive, self.divisor_override = exclusive, divisor_override

    def apply_to(self, x):
        around = padding_of(self.padding, x.shape[2:], self.kernel_size, self.stride)
        window = (self.kernel_size, self.stride, 0, self.ceil_mode)
        mean = F.avg_pool2d(F.pad(x, around), *window, divisor_override=self.divisor_override)
        if not self.exclusive or not any(around):
            return mean
        return mean / F.avg_pool2d(F.pad(torch.ones_like(x), around), *window)


class AdaptiveAvgPool2d(_Channels, nn.AdaptiveAvgPool2d):
    """nn.AdaptiveAvgPool2d for NHWC."""

    def __init__(self, output_size, data_format="NCHW"):
        super().__init__(output_size)
        self.data_format = data_format
        self.nhwc = data_format == "NHWC"

    def apply_to(self, x):
        return super(_Channels, self).forward(x)
