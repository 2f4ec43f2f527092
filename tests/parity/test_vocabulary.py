"""The tables in `parity.ops`, proved on the real functions: one meaning, however either framework spells it.

Each row is one operation with its spellings in Paddle and in torch. All of them must be read as the same
canonical operators with the same attributes, and no value may be of unknown origin. A second run over the
same rows shows that numbers agree too, so that a row cannot equate what is not equal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import paddle
import paddle.nn.functional as PF
import pytest
import torch
import torch.nn.functional as TF

import parity
from parity.graph.build import build
from parity.graph.node import Graph
from parity.ops.attributes import same_value
from parity.ops.kinds import kind_of
from parity.setup.inputs import random_input
from parity.sides.live import LiveSide
from parity.trace.values import scratch_directory

X = (2, 4, 6, 6)


@dataclass(frozen=True)
class Row:
    """Functions of (x, *weights), as many as there are spellings; `weights` are the shapes of parameters.

    `linear`: the first weight is a matrix that torch keeps transposed. `positive`: parameters above zero.
    """

    kind: str
    paddle: tuple[Callable, ...]
    torch: tuple[Callable, ...]
    weights: tuple[tuple[int, ...], ...] = ()
    x: tuple[int, ...] = X
    linear: bool = False
    mode: str = "eval"
    integers: int = 0


K = (8, 4, 3, 3)
NORM = ((4,), (4,), (4,), (4,))

ROWS = {
    "conv2d": Row(
        "conv",
        (
            lambda x, w, b: PF.conv2d(x, w, b),
            lambda x, w, b: PF.conv2d(x, w, b, 1, 0, 1, 1),
            lambda x, w, b: PF.conv2d(x, weight=w, bias=b, stride=[1, 1], padding=[0, 0], dilation=[1, 1]),
            lambda x, w, b: PF.conv2d(x, w, b, padding="VALID"),
            lambda x, w, b: PF.conv2d(x, w, b, padding=[0, 0, 0, 0]),
            lambda x, w, b: PF.conv2d(x, w, b, padding=[[0, 0], [0, 0], [0, 0], [0, 0]]),
        ),
        (
            lambda x, w, b: TF.conv2d(x, w, b),
            lambda x, w, b: TF.conv2d(x, w, b, 1, 0, 1, 1),
            lambda x, w, b: torch.conv2d(input=x, weight=w, bias=b, stride=(1, 1), padding=(0, 0)),
            lambda x, w, b: TF.conv2d(x, w, b, padding="valid"),
            lambda x, w, b: TF.conv2d(x, w) + b.reshape(1, -1, 1, 1),
        ),
        (K, (8,)),
    ),
    "conv2d strided, padded, dilated": Row(
        "conv",
        (
            lambda x, w: PF.conv2d(x, w, None, 2, 2, 2),
            lambda x, w: PF.conv2d(x, w, stride=[2, 2], padding=[2, 2], dilation=[2, 2]),
        ),
        (
            lambda x, w: TF.conv2d(x, w, None, 2, 2, 2),
            lambda x, w: TF.conv2d(x, w, stride=(2, 2), padding=(2, 2), dilation=[2, 2]),
        ),
        (K,),
    ),
    "conv2d padded to the same size": Row(
        "conv",
        (lambda x, w: PF.conv2d(x, w, padding="SAME"), lambda x, w: PF.conv2d(x, w, padding=1)),
        (lambda x, w: TF.conv2d(x, w, padding="same"), lambda x, w: TF.conv2d(x, w, padding=1)),
        (K,),
    ),
    "conv2d padded on one side": Row(
        "conv",
        (
            lambda x, w: PF.conv2d(x, w, padding=[0, 1, 0, 1]),
            lambda x, w: PF.conv2d(PF.pad(x, [0, 1, 0, 1]), w),
        ),
        (lambda x, w: TF.conv2d(TF.pad(x, (0, 1, 0, 1)), w),),
        (K,),
    ),
    "conv2d in groups": Row(
        "conv",
        (lambda x, w: PF.conv2d(x, w, None, 1, 1, 1, 2), lambda x, w: PF.conv2d(x, w, padding=1, groups=2)),
        (lambda x, w: TF.conv2d(x, w, None, 1, 1, 1, 2), lambda x, w: TF.conv2d(x, w, padding=1, groups=2)),
        ((8, 2, 3, 3),),
    ),
    "depthwise conv2d": Row(
        "conv",
        (lambda x, w, b: PF.conv2d(x, w, b, padding=1, groups=4),),
        (lambda x, w, b: TF.conv2d(x, w, b, padding=1, groups=4),),
        ((4, 1, 3, 3), (4,)),
    ),
    "conv3d": Row(
        "conv",
        (lambda x, w: PF.conv3d(x, w, padding=1, stride=2),),
        (lambda x, w: TF.conv3d(x, w, padding=1, stride=(2, 2, 2)),),
        ((5, 4, 3, 3, 3),),
        x=(1, 4, 4, 5, 6),
    ),
    "conv2d_transpose": Row(
        "conv_transpose",
        (
            lambda x, w, b: PF.conv2d_transpose(x, w, b, 2, 1, 1),
            lambda x, w, b: PF.conv2d_transpose(x, w, b, stride=[2, 2], padding=1, output_padding=[1, 1]),
            lambda x, w, b: PF.conv2d_transpose(x, w, b, stride=2, padding=1, output_size=[12, 12]),
        ),
        (
            lambda x, w, b: TF.conv_transpose2d(x, w, b, 2, 1, 1),
            lambda x, w, b: TF.conv_transpose2d(x, w, b, stride=(2, 2), padding=(1, 1), output_padding=1),
        ),
        ((4, 5, 3, 3), (5,)),
    ),
    "linear": Row(
        "linear",
        (lambda x, w, b: PF.linear(x, w, b), lambda x, w, b: paddle.matmul(x, w) + b, lambda x, w, b: x @ w + b),
        (lambda x, w, b: TF.linear(x, w, b), lambda x, w, b: x @ w.t() + b, lambda x, w, b: torch.addmm(b, x, w.T)),
        ((5, 3), (3,)),
        x=(2, 5),
        linear=True,
    ),
    "embedding": Row(
        "embedding",
        (lambda x, w: PF.embedding(x, w), lambda x, w: PF.embedding(x, w, padding_idx=None)),
        (lambda x, w: TF.embedding(x, w), lambda x, w: TF.embedding(input=x, weight=w, padding_idx=None)),
        ((7, 3),),
        x=(2, 5),
        integers=7,
    ),
    "batch_norm in eval": Row(
        "batch_norm",
        (
            lambda x, w, b, m, v: PF.batch_norm(x, m, v, w, b),
            lambda x, w, b, m, v: PF.batch_norm(x, m, v, w, b, False, 0.9, 1e-5),
            lambda x, w, b, m, v: PF.batch_norm(x, m, v, weight=w, bias=b, training=True, use_global_stats=True),
        ),
        (
            lambda x, w, b, m, v: TF.batch_norm(x, m, v, w, b),
            lambda x, w, b, m, v: TF.batch_norm(x, m, v, w, b, False, 0.1, 1e-5),
            lambda x, w, b, m, v: torch.batch_norm(x, w, b, m, v, False, 0.1, 1e-5, False),
        ),
        NORM,
    ),
    "batch_norm in train": Row(
        "batch_norm",
        (lambda x, w, b, m, v: PF.batch_norm(x, m, v, w, b, training=True, momentum=0.8, epsilon=1e-3),),
        (lambda x, w, b, m, v: TF.batch_norm(x, m, v, w, b, training=True, momentum=0.2, eps=1e-3),),
        NORM,
        mode="train",
    ),
    "layer_norm": Row(
        "layer_norm",
        (lambda x, w, b: PF.layer_norm(x, 6, w, b), lambda x, w, b: PF.layer_norm(x, [6], w, b, 1e-5)),
        (lambda x, w, b: TF.layer_norm(x, (6,), w, b), lambda x, w, b: TF.layer_norm(x, [6], w, b, eps=1e-5)),
        ((6,), (6,)),
    ),
    "group_norm": Row(
        "group_norm",
        (lambda x, w, b: PF.group_norm(x, 2, 1e-4, w, b), lambda x, w, b: PF.group_norm(x, num_groups=2, epsilon=1e-4, weight=w, bias=b)),
        (lambda x, w, b: TF.group_norm(x, 2, w, b, 1e-4), lambda x, w, b: TF.group_norm(x, num_groups=2, weight=w, bias=b, eps=1e-4)),
        ((4,), (4,)),
    ),
    "instance_norm": Row(
        "instance_norm",
        (lambda x, w, b: PF.instance_norm(x, weight=w, bias=b), lambda x, w, b: PF.instance_norm(x, None, None, w, b, eps=1e-5)),
        (lambda x, w, b: TF.instance_norm(x, weight=w, bias=b), lambda x, w, b: TF.instance_norm(x, None, None, w, b, eps=1e-5)),
        ((4,), (4,)),
    ),
    "prelu": Row(
        "prelu",
        (lambda x, w: PF.prelu(x, w), lambda x, w: PF.prelu(x, weight=w)),
        (lambda x, w: TF.prelu(x, w), lambda x, w: torch.prelu(x, weight=w)),
        ((4,),),
    ),
    "max_pool2d": Row(
        "max_pool",
        (
            lambda x: PF.max_pool2d(x, 3, 2, 1),
            lambda x: PF.max_pool2d(x, kernel_size=[3, 3], stride=[2, 2], padding=[1, 1], ceil_mode=False),
            lambda x: PF.max_pool2d(x, 3, 2, 1, return_mask=True)[0],
        ),
        (
            lambda x: TF.max_pool2d(x, 3, 2, 1),
            lambda x: TF.max_pool2d(x, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), ceil_mode=False),
            lambda x: torch.max_pool2d(x, 3, 2, 1),
            lambda x: TF.max_pool2d(x, 3, 2, 1, return_indices=True)[0],
        ),
    ),
    "max_pool2d with its default stride and ceil_mode": Row(
        "max_pool",
        (lambda x: PF.max_pool2d(x, 4, ceil_mode=True), lambda x: PF.max_pool2d(x, [4, 4], [4, 4], 0, False, True)),
        (lambda x: TF.max_pool2d(x, 4, ceil_mode=True), lambda x: TF.max_pool2d(x, (4, 4), None, 0, 1, True)),
    ),
    "avg_pool2d without its padding": Row(
        "avg_pool",
        (lambda x: PF.avg_pool2d(x, 3, 2, 1), lambda x: PF.avg_pool2d(x, [3, 3], [2, 2], [1, 1], exclusive=True)),
        (
            lambda x: TF.avg_pool2d(x, 3, 2, 1, False, False),
            lambda x: TF.avg_pool2d(x, (3, 3), (2, 2), 1, count_include_pad=False),
        ),
    ),
    "avg_pool2d with its padding": Row(
        "avg_pool",
        (lambda x: PF.avg_pool2d(x, 3, 2, 1, exclusive=False),),
        (lambda x: TF.avg_pool2d(x, 3, 2, 1), lambda x: TF.avg_pool2d(x, 3, 2, 1, count_include_pad=True)),
    ),
    "avg_pool2d without padding": Row(
        "avg_pool",
        (lambda x: PF.avg_pool2d(x, 2), lambda x: PF.avg_pool2d(x, 2, 2, exclusive=False)),
        (lambda x: TF.avg_pool2d(x, 2), lambda x: TF.avg_pool2d(x, 2, 2, count_include_pad=False)),
    ),
    "adaptive_avg_pool2d": Row(
        "adaptive_avg_pool",
        (lambda x: PF.adaptive_avg_pool2d(x, 4), lambda x: PF.adaptive_avg_pool2d(x, [4, 4])),
        (lambda x: TF.adaptive_avg_pool2d(x, 4), lambda x: TF.adaptive_avg_pool2d(x, (4, 4))),
    ),
    "adaptive_max_pool2d": Row(
        "adaptive_max_pool",
        (lambda x: PF.adaptive_max_pool2d(x, 4), lambda x: PF.adaptive_max_pool2d(x, [4, 4])),
        (lambda x: TF.adaptive_max_pool2d(x, 4), lambda x: TF.adaptive_max_pool2d(x, (4, 4))),
    ),
    "global average": Row(
        "mean",
        (
            lambda x: PF.adaptive_avg_pool2d(x, 1).flatten(1),
            lambda x: x.mean([2, 3]),
            lambda x: paddle.mean(x, axis=[-2, -1], keepdim=True).reshape([2, 4]),
            lambda x: PF.avg_pool2d(x, 6).squeeze([2, 3]),
        ),
        (
            lambda x: TF.adaptive_avg_pool2d(x, 1).flatten(1),
            lambda x: x.mean([2, 3]),
            lambda x: torch.mean(x, dim=(-2, -1), keepdim=True).view(2, -1),
            lambda x: TF.avg_pool2d(x, 6).squeeze(3).squeeze(2),
        ),
    ),
    "relu": Row(
        "relu",
        (PF.relu, lambda x: PF.relu(x=x), paddle.nn.ReLU(), lambda x: PF.relu_(x * 1), lambda x: paddle.clip(x, min=0.0)),
        (TF.relu, torch.relu, torch.nn.ReLU(), lambda x: TF.relu(x * 1, inplace=True), lambda x: x.relu(), lambda x: x.clamp(min=0)),
    ),
    "relu6": Row(
        "clip",
        (PF.relu6, lambda x: PF.hardtanh(x, 0.0, 6.0), lambda x: paddle.clip(x, 0, 6), lambda x: x.clip(min=0.0, max=6.0)),
        (TF.relu6, lambda x: TF.hardtanh(x, 0.0, 6.0), lambda x: torch.clamp(x, 0, 6), lambda x: x.clip(min=0.0, max=6.0)),
    ),
    "leaky_relu": Row(
        "leaky_relu",
        (PF.leaky_relu, lambda x: PF.leaky_relu(x, 0.01), lambda x: PF.leaky_relu(x=x, negative_slope=0.01)),
        (TF.leaky_relu, lambda x: TF.leaky_relu(x, 0.01), lambda x: TF.leaky_relu(input=x, negative_slope=0.01)),
    ),
    "elu": Row(
        "elu",
        (PF.elu, lambda x: PF.elu(x, 1.0), lambda x: PF.elu(x, alpha=1.0)),
        (TF.elu, lambda x: TF.elu(x, 1.0), lambda x: TF.elu(x, alpha=1.0)),
    ),
    "selu": Row("selu", (PF.selu,), (TF.selu, torch.selu)),
    "gelu": Row("gelu", (PF.gelu, lambda x: PF.gelu(x, False)), (TF.gelu, lambda x: TF.gelu(x, approximate="none"))),
    "gelu by tanh": Row("gelu", (lambda x: PF.gelu(x, True),), (lambda x: TF.gelu(x, approximate="tanh"),)),
    "hardswish": Row("hardswish", (PF.hardswish,), (TF.hardswish, torch.nn.Hardswish())),
    "silu": Row(
        "silu",
        (PF.silu, PF.swish, lambda x: x * PF.sigmoid(x)),
        (TF.silu, torch.nn.SiLU(), lambda x: x * torch.sigmoid(x)),
    ),
    "mish": Row("mish", (PF.mish,), (TF.mish,)),
    "sigmoid": Row("sigmoid", (PF.sigmoid, paddle.nn.Sigmoid()), (torch.sigmoid, TF.sigmoid, lambda x: x.sigmoid())),
    "tanh": Row("tanh", (paddle.tanh, PF.tanh, lambda x: x.tanh()), (torch.tanh, TF.tanh, lambda x: x.tanh())),
    "softplus": Row(
        "softplus",
        (PF.softplus, lambda x: PF.softplus(x, 1, 20), lambda x: PF.softplus(x, beta=1.0, threshold=20.0)),
        (TF.softplus, lambda x: TF.softplus(x, 1, 20), lambda x: TF.softplus(x, beta=1.0, threshold=20.0)),
    ),
    "softmax": Row(
        "softmax",
        (PF.softmax, lambda x: PF.softmax(x, -1), lambda x: PF.softmax(x, axis=3), paddle.nn.Softmax()),
        (lambda x: TF.softmax(x, -1), lambda x: x.softmax(3), lambda x: torch.softmax(x, dim=-1), torch.nn.Softmax(dim=3)),
    ),
    "log_softmax": Row(
        "log_softmax",
        (lambda x: PF.log_softmax(x, 1), lambda x: PF.log_softmax(x, axis=-3)),
        (lambda x: TF.log_softmax(x, 1), lambda x: x.log_softmax(dim=-3)),
    ),
    "dropout in train": Row(
        "dropout",
        (lambda x: PF.dropout(x, 0.3), lambda x: PF.dropout(x, p=0.3, training=True, mode="upscale_in_train")),
        (lambda x: TF.dropout(x, 0.3), lambda x: TF.dropout(x, p=0.3, training=True), torch.nn.Dropout(0.3)),
        mode="train",
    ),
    "nearest neighbours": Row(
        "interpolate",
        (
            lambda x: PF.interpolate(x, scale_factor=2),
            lambda x: PF.interpolate(x, [12, 12], mode="nearest"),
            lambda x: PF.upsample(x, scale_factor=[2, 2]),
        ),
        (
            lambda x: TF.interpolate(x, scale_factor=2),
            lambda x: TF.interpolate(x, (12, 12), mode="nearest"),
            torch.nn.Upsample(scale_factor=2),
        ),
    ),
    "bilinear": Row(
        "interpolate",
        (
            lambda x: PF.interpolate(x, [9, 12], mode="bilinear"),
            lambda x: PF.interpolate(x, size=[9, 12], mode="BILINEAR", align_corners=False),
        ),
        (
            lambda x: TF.interpolate(x, (9, 12), mode="bilinear"),
            lambda x: TF.interpolate(x, size=[9, 12], mode="bilinear", align_corners=False),
        ),
    ),
    "bilinear with aligned corners": Row(
        "interpolate",
        (lambda x: PF.interpolate(x, [9, 12], None, "bilinear", True),),
        (lambda x: TF.interpolate(x, (9, 12), None, "bilinear", True),),
    ),
    "trilinear": Row(
        "interpolate",
        (lambda x: PF.interpolate(x, [5, 6, 7], mode="trilinear", data_format="NCDHW"),),
        (
            lambda x: TF.interpolate(x, (5, 6, 7), mode="trilinear"),
            torch.nn.Upsample((5, 6, 7), mode="trilinear", align_corners=False),
        ),
        x=(1, 2, 3, 4, 5),
    ),
    "sampled at a grid": Row(
        "grid_sample",
        (PF.grid_sample, lambda x, grid: PF.grid_sample(x, grid, "bilinear", "zeros", True)),
        (lambda x, grid: TF.grid_sample(x, grid, align_corners=True),),
        weights=((2, 3, 5, 2),),
    ),
    "pad with a number": Row(
        "pad",
        (
            lambda x: PF.pad(x, [1, 2, 3, 4], value=0.5),
            lambda x: PF.pad(x, [0, 0, 0, 0, 3, 4, 1, 2], "constant", 0.5),
            paddle.nn.Pad2D([1, 2, 3, 4], value=0.5),
        ),
        (
            lambda x: TF.pad(x, (1, 2, 3, 4), value=0.5),
            lambda x: TF.pad(x, (1, 2, 3, 4, 0, 0, 0, 0), "constant", 0.5),
            torch.nn.ConstantPad2d((1, 2, 3, 4), 0.5),
        ),
    ),
    "pad by reflection": Row(
        "pad",
        (lambda x: PF.pad(x, [1, 2, 1, 2], mode="reflect"), paddle.nn.Pad2D([1, 2, 1, 2], mode="reflect")),
        (lambda x: TF.pad(x, (1, 2, 1, 2), mode="reflect"), torch.nn.ReflectionPad2d((1, 2, 1, 2))),
    ),
    "pad with the edge": Row(
        "pad",
        (lambda x: PF.pad(x, [1, 1, 1, 1], mode="replicate"),),
        (lambda x: TF.pad(x, (1, 1, 1, 1), mode="replicate"), torch.nn.ReplicationPad2d(1)),
    ),
    "flatten": Row(
        "sigmoid",
        (
            lambda x: PF.sigmoid(paddle.flatten(x, 1)),
            lambda x: PF.sigmoid(x.reshape([0, -1])),
            lambda x: PF.sigmoid(paddle.reshape(x, [x.shape[0], -1])),
            lambda x: PF.sigmoid(x.flatten(2).flatten(1).unsqueeze(0).squeeze(0)),
        ),
        (
            lambda x: torch.sigmoid(torch.flatten(x, 1)),
            lambda x: torch.sigmoid(x.reshape(2, -1)),
            lambda x: torch.sigmoid(x.view(x.size(0), -1)),
            lambda x: torch.sigmoid(x).flatten(start_dim=1),
        ),
    ),
    "transpose": Row(
        "move",
        (lambda x: x.transpose([0, 2, 3, 1]), lambda x: paddle.transpose(x, perm=[0, 2, 3, 1]), lambda x: paddle.moveaxis(x, 1, 3)),
        (
            lambda x: x.permute(0, 2, 3, 1),
            lambda x: torch.permute(x, (0, 2, 3, 1)),
            lambda x: x.transpose(1, 2).transpose(2, 3),
            lambda x: x.movedim(1, -1),
        ),
    ),
    "slices": Row(
        "move",
        (lambda x: x[:, 1:3], lambda x: x[:, 1:3, ...], lambda x: paddle.slice(x, [1], [1], [3]), lambda x: paddle.split(x, [1, 2, 1], 1)[1]),
        (
            lambda x: x[:, 1:3],
            lambda x: x[..., 1:3, :, :],
            lambda x: x.narrow(1, 1, 2),
            lambda x: torch.split(x, [1, 2, 1], dim=1)[1],
        ),
    ),
    "halves": Row(
        "move",
        (lambda x: x.chunk(2, 1)[1], lambda x: paddle.split(x, 2, axis=1)[1], lambda x: x[:, 2:]),
        (lambda x: x.chunk(2, 1)[1], lambda x: torch.split(x, 2, 1)[1], lambda x: x[:, 2:]),
    ),
    "one index": Row(
        "move",
        (lambda x: x[:, 0], lambda x: paddle.unbind(x, 1)[0], lambda x: x[:, 0:1].squeeze(1)),
        (lambda x: x[:, 0], lambda x: x.unbind(1)[0], lambda x: x.select(1, 0)),
    ),
    "concat": Row(
        "concat",
        (lambda x: paddle.concat([x, PF.relu(x)], 1), lambda x: paddle.concat(x=[x, PF.relu(x)], axis=-3)),
        (
            lambda x: torch.cat([x, TF.relu(x)], 1),
            lambda x: torch.concat((x, TF.relu(x)), dim=-3),
            lambda x: torch.cat(tensors=(x, TF.relu(x)), dim=1),
        ),
    ),
    "sum of two": Row(
        "add",
        (lambda x: x + PF.relu(x), lambda x: paddle.add(x, y=PF.relu(x)), lambda x: PF.relu(x).add(x)),
        (lambda x: x + TF.relu(x), lambda x: torch.add(x, TF.relu(x)), lambda x: TF.relu(x).add_(x), lambda x: TF.relu(x).__iadd__(x)),
    ),
    "product of two": Row(
        "mul",
        (lambda x: x * PF.relu(x), lambda x: paddle.multiply(PF.relu(x), x)),
        (lambda x: x * TF.relu(x), lambda x: torch.mul(TF.relu(x), x), lambda x: TF.relu(x).mul_(x)),
    ),
    "difference": Row(
        "sub",
        (lambda x: x - PF.relu(x), lambda x: paddle.subtract(x, PF.relu(x))),
        (lambda x: x - TF.relu(x), lambda x: torch.sub(x, TF.relu(x)), lambda x: x.subtract(TF.relu(x))),
    ),
    "quotient": Row(
        "div",
        (lambda x: x / PF.sigmoid(x), lambda x: paddle.divide(x, PF.sigmoid(x))),
        (lambda x: x / torch.sigmoid(x), lambda x: torch.div(x, torch.sigmoid(x)), lambda x: x.true_divide(torch.sigmoid(x))),
    ),
    "scaling by a number": Row(
        "affine",
        (lambda x: x * 0.25 + 1, lambda x: 1 + x / 4, lambda x: paddle.scale(x, 0.25, 1.0), lambda x: 1.0 - x * -0.25),
        (lambda x: x * 0.25 + 1, lambda x: 1 + x / 4, lambda x: torch.add(torch.mul(x, 0.25), 1.0), lambda x: 1 - -(x / 4)),
    ),
    "maximum": Row("maximum", (lambda x: paddle.maximum(x, PF.tanh(x)),), (lambda x: torch.maximum(x, torch.tanh(x)),)),
    "matmul": Row(
        "matmul",
        (lambda x: paddle.matmul(x, x.transpose([0, 1, 3, 2])), lambda x: x @ x.transpose([0, 1, 3, 2]), lambda x: paddle.matmul(x, x, transpose_y=True)),
        (lambda x: torch.matmul(x, x.transpose(-2, -1)), lambda x: x @ x.mT, lambda x: x.matmul(x.permute(0, 1, 3, 2))),
    ),
    "bmm": Row(
        "matmul",
        (lambda x: paddle.bmm(x, PF.relu(x)), lambda x: x @ PF.relu(x)),
        (lambda x: torch.bmm(x, TF.relu(x)), lambda x: x @ TF.relu(x)),
        x=(2, 5, 5),
    ),
    "square": Row(
        "pow",
        (lambda x: x**2, lambda x: paddle.square(x), lambda x: paddle.pow(x, 2), lambda x: x.pow(2.0)),
        (lambda x: x**2, lambda x: torch.square(x), lambda x: torch.pow(x, 2), lambda x: x.pow(2.0)),
    ),
    "mean": Row(
        "mean",
        (lambda x: x.mean(1), lambda x: paddle.mean(x, axis=[1]), lambda x: x.mean(-3, keepdim=True).squeeze(1)),
        (lambda x: x.mean(1), lambda x: torch.mean(x, dim=(1,)), lambda x: x.mean(-3, keepdim=True).squeeze(1)),
    ),
    "mean of all": Row("mean", (paddle.mean, lambda x: x.mean([0, 1, 2, 3])), (torch.mean, lambda x: x.mean(dim=(0, 1, 2, 3)))),
    "sum": Row(
        "sum",
        (lambda x: x.sum([2, 3]), lambda x: paddle.sum(x, axis=[-1, -2])),
        (lambda x: x.sum((2, 3)), lambda x: torch.sum(x, dim=[-1, -2])),
    ),
    "largest": Row(
        "amax",
        (lambda x: x.max([2, 3]), lambda x: paddle.amax(x, axis=[2, 3]), lambda x: paddle.max(x, axis=[2, 3])),
        (lambda x: x.amax((2, 3)), lambda x: torch.amax(x, dim=(2, 3))),
    ),
    "pixel_shuffle": Row(
        "move",
        (lambda x: PF.pixel_shuffle(x, 2), paddle.nn.PixelShuffle(2)),
        (lambda x: TF.pixel_shuffle(x, 2), torch.nn.PixelShuffle(2)),
    ),
    "sort": Row(
        "sort",
        (
            lambda x: paddle.sort(x, axis=1, descending=True),
            lambda x: x.sort(1, True),
        ),
        (
            lambda x: torch.sort(x, dim=1, descending=True)[0],
            lambda x: x.sort(1, True).values,
            lambda x: torch.sort(x, stable=False, dim=1, descending=True)[0],
        ),
    ),
    "argsort": Row(
        "sort.indices",
        (
            lambda x: paddle.argsort(x, axis=2),
            lambda x: paddle.argsort(x, axis=-2, descending=False),
        ),
        (
            lambda x: torch.argsort(x, dim=2),
            lambda x: torch.sort(x, dim=-2)[1],
            lambda x: x.argsort(-2),
        ),
    ),
    "topk": Row(
        "topk",
        (
            lambda x: paddle.topk(x, 3, axis=-1)[0],
            lambda x: x.topk(3)[0],
        ),
        (
            lambda x: torch.topk(x, 3)[0],
            lambda x: x.topk(3, -1, True, True).values,
            lambda x: x.sort(descending=True)[0][..., :3],
        ),
    ),
    "places of the smallest": Row(
        "topk.indices",
        (lambda x: paddle.topk(x, 2, axis=1, largest=False)[1],),
        (lambda x: torch.topk(x, 2, 1, largest=False)[1], lambda x: torch.argsort(x, 1)[:, :2]),
    ),
    "kthvalue": Row(
        "kthvalue",
        (lambda x: paddle.kthvalue(x, 2, axis=1)[0], lambda x: paddle.kthvalue(x, 2, 1, True)[0]),
        (lambda x: torch.kthvalue(x, 2, dim=1)[0], lambda x: x.kthvalue(2, 1, keepdim=True).values),
    ),
    "argmax": Row(
        "argmax",
        (lambda x: paddle.argmax(x, axis=1), lambda x: x.argmax(1, keepdim=True).squeeze(1)),
        (lambda x: torch.argmax(x, dim=1), lambda x: torch.max(x, dim=1)[1], lambda x: x.argmax(1, True)[:, 0]),
    ),
    "argmin of all": Row("argmin", (lambda x: paddle.argmin(x),), (lambda x: torch.argmin(x),)),
}  # fmt: skip


def models(row: Row) -> tuple[list[paddle.nn.Layer], list[torch.nn.Module]]:
    """One model for each spelling, all with the same parameters."""
    rng = np.random.default_rng(3)
    arrays = [rng.uniform(0.5, 1.5, shape).astype(np.float32) for shape in row.weights]
    names = [f"p{i}" for i in range(len(arrays))]

    class InPaddle(paddle.nn.Layer):
        def __init__(self, function):
            super().__init__()
            self.function = function
            for i, (name, array) in enumerate(zip(names, arrays, strict=True)):
                tensor = paddle.to_tensor(array)
                if i < 2:
                    parameter = self.create_parameter(list(array.shape))
                    parameter.set_value(tensor)
                    self.add_parameter(name, parameter)
                else:
                    self.register_buffer(name, tensor)

        def forward(self, x):
            return self.function(x, *(getattr(self, name) for name in names))

    class InTorch(torch.nn.Module):
        def __init__(self, function):
            super().__init__()
            self.function = function
            for i, (name, array) in enumerate(zip(names, arrays, strict=True)):
                tensor = torch.from_numpy(array.T.copy() if row.linear and i == 0 else array.copy())
                if i < 2:
                    self.register_parameter(name, torch.nn.Parameter(tensor))
                else:
                    self.register_buffer(name, tensor)

        def forward(self, x):
            return self.function(x, *(getattr(self, name) for name in names))

    return [InPaddle(f) for f in row.paddle], [InTorch(f) for f in row.torch]


def inputs_of(row: Row) -> np.ndarray:
    if row.integers:
        return np.random.default_rng(0).integers(0, row.integers, row.x)
    return random_input(row.x)


def canonical(side: str, model, row: Row) -> Graph:
    with scratch_directory() as scratch:
        trace, values = LiveSide(side, model).capture(
            {"0": inputs_of(row)}, mode=row.mode, precision="float64", store=scratch / "v", outputs_only=True
        )
        values.close()
    return build(trace)


def meaning(graph: Graph) -> list[tuple[str, dict]]:
    """Kinds and attributes, without those that only say how the call was spelled."""
    return [
        (
            node.kind,
            {
                name: value
                for name, value in node.attributes.items()
                if name not in kind_of(node.kind).ignored and value is not None
            },
        )
        for node in graph.nodes
    ]


@pytest.mark.parametrize("name", ROWS)
def test_every_spelling_means_the_same_in_both_frameworks(name):
    row = ROWS[name]
    in_paddle, in_torch = models(row)
    graphs = [canonical("paddle", model, row) for model in in_paddle]
    graphs += [canonical("torch", model, row) for model in in_torch]
    labels = [f"paddle {i}" for i in range(len(in_paddle))] + [f"torch {i}" for i in range(len(in_torch))]
    expected = meaning(graphs[0])
    assert row.kind in [kind for kind, _ in expected]
    wrong = {
        label: meaning(graph)
        for label, graph in zip(labels, graphs, strict=True)
        if not same_meaning(expected, meaning(graph)) or graph.unknown
    }
    assert not wrong, f"expected {expected}"


def same_meaning(one: list[tuple[str, dict]], two: list[tuple[str, dict]]) -> bool:
    return [kind for kind, _ in one] == [kind for kind, _ in two] and all(
        same_value(a, b) for (_, a), (_, b) in zip(one, two, strict=True)
    )


def proves(row: Row, which: range) -> None:
    in_paddle, in_torch = models(row)
    for i in which:
        theirs, ours = in_paddle[i % len(in_paddle)], in_torch[i % len(in_torch)]
        report = parity.check(theirs, ours, inputs_of(row), mode=row.mode, further=False)
        assert report, f"paddle {i % len(in_paddle)} and torch {i % len(in_torch)}: {report}"


@pytest.mark.parametrize("name", ROWS)
def test_what_means_the_same_is_equivalent_by_numbers(name):
    proves(ROWS[name], range(1))


@pytest.mark.full
@pytest.mark.parametrize("name", ROWS)
def test_every_spelling_is_equivalent_by_numbers(name):
    proves(ROWS[name], range(1, max(len(ROWS[name].paddle), len(ROWS[name].torch))))
