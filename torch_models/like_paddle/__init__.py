"""What Paddle has and torch lacks, for networks that come from Paddle: the folder imports torch only, and can be copied along."""

from torch_models.like_paddle.initial import (
    ParamAttr,
    assign,
    create_parameter,
    init_like_paddle,
    with_attr,
)
from torch_models.like_paddle.layers import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    ConvNormActivation,
    DownscaledDropout,
    MaxPool2d,
    padding_of,
)
from torch_models.like_paddle.networks import (
    add_parameter,
    add_sublayer,
    as_it_is,
    full_name,
    weights_path,
)
from torch_models.like_paddle.tensors import (
    adaptive_avg_pool2d,
    as_dtype,
    downscaled_dropout,
    reshape,
    split,
    squeeze,
    unsqueeze,
)
from torch_models.like_paddle.training import (
    clip_each_norm,
    clipping,
    get_device,
    rank,
    set_lr,
    world_size,
)

__all__ = [
    "AdaptiveAvgPool2d",
    "AvgPool2d",
    "BatchNorm2d",
    "Conv2d",
    "ConvNormActivation",
    "DownscaledDropout",
    "MaxPool2d",
    "ParamAttr",
    "adaptive_avg_pool2d",
    "add_parameter",
    "add_sublayer",
    "as_dtype",
    "as_it_is",
    "assign",
    "clip_each_norm",
    "clipping",
    "create_parameter",
    "downscaled_dropout",
    "full_name",
    "get_device",
    "init_like_paddle",
    "padding_of",
    "rank",
    "reshape",
    "set_lr",
    "split",
    "squeeze",
    "unsqueeze",
    "weights_path",
    "with_attr",
    "world_size",
]
