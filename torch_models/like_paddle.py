"""What Paddle has and torch lacks, for networks that come from Paddle: it imports torch only, and can be copied along.

Initial weights: a layer that is created without saying how to initialise it starts from other numbers in the two frameworks. A port
that is trained from scratch is only the same experiment when the starting distribution is the same too, so every network here ends
its `__init__` with `init_like_paddle(self)`. The Paddle twin has no such line: these are the defaults there.

| layer              | Paddle's default (kept here)                            | torch's default       |
|--------------------|---------------------------------------------------------|-----------------------|
| Conv2d weight      | N(0, sqrt(2 / fan_in))                                  | U(+-1 / sqrt(fan_in)) |
| Linear weight      | Xavier uniform: U(+-sqrt(6 / (fan_in + fan_out)))       | U(+-1 / sqrt(fan_in)) |
| either one's bias  | 0                                                       | U(+-1 / sqrt(fan_in)) |
| Embedding          | Xavier uniform                                          | N(0, 1)               |
| BatchNorm          | weight 1, bias 0, running mean 0, running variance 1    | the same              |

Source: `paddle/nn/layer/conv.py` (`_get_default_param_initializer`: its fan_in counts all input
channels, also in a grouped convolution) and `paddle/nn/initializer/xavier.py`, paddlepaddle 3.3.1.
"""

import math
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn


def init_like_paddle(network):
    """Set the initial weights of every layer in `network` that this has not been done for, in place.

    Each layer once: what sets weights otherwise goes behind the call, and stays when a network around it makes the same call.
    """
    for layer in network.modules():
        if "initialised_like_paddle" in vars(layer):
            continue
        layer.initialised_like_paddle = True
        if isinstance(layer, CONVOLUTIONS):
            fan_in = layer.in_channels * math.prod(layer.kernel_size)
            nn.init.normal_(layer.weight, 0.0, math.sqrt(2.0 / fan_in))
        elif isinstance(layer, TRANSPOSED):
            # The same formula of a weight whose first dimension is the input: Xavier uniform.
            _xavier_uniform(layer.weight)
        elif isinstance(layer, (nn.Linear, nn.Embedding, nn.Bilinear)):
            nn.init.xavier_uniform_(layer.weight)
        else:
            continue
        if getattr(layer, "bias", None) is not None:
            nn.init.zeros_(layer.bias)


CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


class ParamAttr:
    """How a parameter begins and is trained: `paddle.ParamAttr`; `initializer` is a function that fills a tensor in place.

    The rate and the decay stand at the parameter (`optimize_attr`, `regularizer`), for whoever makes the optimizer's groups.
    """

    def __init__(
        self,
        name=None,
        initializer=None,
        learning_rate=1.0,
        regularizer=None,
        trainable=True,
        do_model_average=True,
        need_clip=True,
    ):
        self.name = name
        self.initializer = initializer
        self.learning_rate = learning_rate
        self.regularizer = regularizer
        self.trainable = trainable
        self.need_clip = need_clip

    def apply(self, parameter):
        """Fill `parameter` and mark it."""
        if self.initializer is not None:
            self.initializer(parameter)
        parameter.requires_grad = self.trainable
        for name, kept, given in (
            ("learning_rate", "optimize_attr", self.learning_rate != 1.0),
            ("regularizer", "regularizer", self.regularizer is not None),
        ):
            if given:
                warnings.warn(
                    f"ParamAttr's {name}: torch's optimizers take it from groups; make one for the parameters with this `{kept}`",
                    stacklevel=2,
                )
        parameter.optimize_attr = {"learning_rate": self.learning_rate}
        parameter.regularizer = self.regularizer


def with_attr(layer, weight=None, bias=None):
    """`layer` with the initial weights that Paddle's `weight_attr` and `bias_attr` ask for: a ParamAttr, a function, None or False."""
    init_like_paddle(layer)
    for name, attr in (("weight", weight), ("bias", bias)):
        parameter = getattr(layer, name, None)
        if parameter is None and attr not in (None, False):
            raise ValueError(f"{type(layer).__name__} has no {name}, but is told how it begins")
        if attr in (None, True):
            continue
        if attr is False:
            if parameter is not None:  # Paddle's norm layers keep what is switched off, as a constant
                parameter.requires_grad = False
        elif isinstance(attr, ParamAttr):
            attr.apply(parameter)
        else:
            attr(parameter)
    return layer


def create_parameter(shape, dtype=None, attr=None, is_bias=False, default_initializer=None):
    """A parameter that begins as Paddle's: biases at 0, weights Xavier uniform, unless `attr` or `default_initializer` says else."""
    if attr is False:
        return None
    parameter = nn.Parameter(torch.empty(tuple(shape), dtype=None if dtype is None else as_dtype(dtype)))
    if default_initializer is not None:
        default_initializer(parameter)
    elif is_bias:
        nn.init.zeros_(parameter)
    else:
        _xavier_uniform(parameter)
    if isinstance(attr, ParamAttr):
        attr.apply(parameter)
    elif attr is not None:
        attr(parameter)
    return parameter


def _xavier_uniform(parameter):
    shape = parameter.shape
    if len(shape) < 2:
        fan_in = fan_out = shape[0] if shape else 1
    else:
        fan_in, fan_out = shape[0], shape[1]
        if len(shape) > 2:
            field = math.prod(shape[2:])
            fan_in, fan_out = shape[1] * field, shape[0] * field
    limit = math.sqrt(6.0 / (fan_in + fan_out))
    nn.init.uniform_(parameter, -limit, limit)


@torch.no_grad()
def assign(parameter, value):
    """`nn.initializer.Assign`: copies values; Paddle's of a Linear are [in, out], so is `value`."""
    value = torch.as_tensor(value, dtype=parameter.dtype)
    parameter.copy_(value.reshape(parameter.shape) if value.shape != parameter.shape else value)
    return parameter


def as_dtype(name):
    """torch's dtype of a name, or of a dtype."""
    return getattr(torch, name.removeprefix("paddle.")) if isinstance(name, str) else name


def reshape(x, shape):
    """`x` in another shape, where 0 is the size that it has there."""
    return x.reshape([x.shape[i] if size == 0 else size for i, size in enumerate(shape)])


def unsqueeze(x, axis):
    """`x` with dimensions of size 1 at all of `axis`, one after the other."""
    for each in [axis] if isinstance(axis, int) else axis:
        x = x.unsqueeze(each)
    return x


def squeeze(x, axis=None):
    """`x` without the dimensions of size 1 at `axis`; those of other sizes stay."""
    if axis is None:
        return x.squeeze()
    return x.squeeze(axis) if isinstance(axis, int) else x.squeeze(tuple(axis))


def split(x, num_or_sections, axis=0):
    """`x` in so many parts, or in parts of these lengths, of which -1 is the rest."""
    if isinstance(num_or_sections, int):
        return torch.split(x, x.shape[axis] // num_or_sections, dim=axis)
    sizes = list(num_or_sections)
    if -1 in sizes:
        rest = sizes.index(-1)
        sizes[rest] = x.shape[axis] - sum(sizes) - 1
    return torch.split(x, sizes, dim=axis)


class DownscaledDropout(nn.Module):
    """Dropout of Paddle's mode `downscale_in_infer`: nothing is scaled in training, and eval multiplies by 1 - p."""

    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        return downscaled_dropout(x, self.p, self.training)


def downscaled_dropout(x, p=0.5, training=True):
    """See DownscaledDropout."""
    if not training:
        return x * (1 - p)
    return F.dropout(x, p) * (1 - p)


class BatchNorm2d(nn.BatchNorm2d):
    """With an activation behind it (`act`, a name of torch.nn.functional's), the stored statistics in training too, or for NHWC."""

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
                x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps
            )
        else:
            y = super().forward(x)
        return y if self.act is None else getattr(F, OTHERWISE.get(self.act, self.act))(y)


OTHERWISE = {"swish": "silu"}
"""Functions that torch has under another name."""


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


def add_sublayer(layer, name, sublayer):
    """`layer.add_module`, which gives back what was added.

    Paddle takes a name with dots as it is. Here its parts become modules in one another: the state dict has the same keys.
    """
    *outer, last = str(name).split(".")
    holder = layer
    for part in outer:
        holder = holder._modules.setdefault(part, nn.Module())
    holder._modules[last] = sublayer
    if outer:
        vars(layer)[name] = sublayer  # getattr(layer, name) is taken too
    return sublayer


def add_parameter(layer, name, parameter):
    """`layer.register_parameter`, which gives back what was added."""
    layer.register_parameter(name, parameter)
    return parameter


def adaptive_avg_pool2d(x, output_size, data_format="NCHW"):
    """F.adaptive_avg_pool2d of NCHW or NHWC."""
    if data_format != "NHWC":
        return F.adaptive_avg_pool2d(x, output_size)
    return F.adaptive_avg_pool2d(x.permute(0, 3, 1, 2), output_size).permute(0, 2, 3, 1)


def as_it_is(function):
    """A mark for Paddle's compiler, which torch has not: the function itself."""
    return function


def full_name(layer):
    """A name that no other layer has, as Paddle's: `linear_0`. The number counts the layers that were asked."""
    if "name_like_paddle" not in vars(layer):
        kind = type(layer).__name__.lower()
        FULL_NAMES[kind] = FULL_NAMES.get(kind, -1) + 1
        layer.name_like_paddle = f"{kind}_{FULL_NAMES[kind]}"
    return layer.name_like_paddle


FULL_NAMES = {}


def clipping(optimizer, clip):
    """`optimizer`, whose gradients are clipped in front of every step: `clip` is a function of a list of parameters."""

    def hook(optimizer, args, options):
        clip([p for group in optimizer.param_groups for p in group["params"] if p.grad is not None])

    optimizer.register_step_pre_hook(hook)
    return optimizer


def clip_each_norm(parameters, max_norm):
    """Clips the gradient of each parameter by its own norm: `paddle.nn.ClipGradByNorm`."""
    for parameter in parameters:
        norm = parameter.grad.norm()
        if norm > max_norm:
            parameter.grad.mul_(max_norm / norm)


def get_device():
    """Where new tensors go, in Paddle's words: `cpu`, `gpu:0`."""
    device = torch.get_default_device()
    return "cpu" if device.type == "cpu" else f"gpu:{device.index or 0}"


def world_size():
    """How many processes train together; 1 where no group is set up."""
    return torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1


def rank():
    """Which of them this is."""
    return torch.distributed.get_rank() if torch.distributed.is_initialized() else 0


def set_lr(optimizer, value):
    """Sets the learning rate of all groups."""
    for group in optimizer.param_groups:
        group["lr"] = value


def weights_path(url, md5sum=None):
    """The place of converted weights: `~/.cache/paddle2torch/NAME.pth` for a Paddle file of this address.

    Raises:
        FileNotFoundError: if they are not there: it says how to get them.
    """
    name = url.rpartition("/")[2].rpartition(".")[0]
    path = Path.home() / ".cache" / "paddle2torch" / f"{name}.pth"
    if not path.exists():
        raise FileNotFoundError(f"no {path}: download {url} and run `paddle2torch convert FILE --to {path}`")
    return str(path)
