"""Every pair computes the same in float64, eval and train, without any tool of ours in between.

The weights are copied here by hand (transpose a Linear's, rename the statistics), so that this test and
`paddle2torch parity` cannot share a mistake.
"""

from __future__ import annotations

import math
import zlib

import numpy as np
import paddle
import pytest
import torch

from convert.models.registry import MODELS, ModelSpec

from .conftest import build, build_meta

# Paddle says so at every first training step of a BatchNorm.
pytestmark = pytest.mark.filterwarnings("ignore:When training, we now always track global mean")

# Half a gigabyte of fully connected weights each: one of every form runs always, the rest when asked.
HEAVY = {"vgg16", "vgg11_bn_features", "vgg13_features", "vgg13_bn_features", "vgg16_features"}
HEAVY |= {"vgg16_bn_features", "vgg19_features", "vgg19_bn_features", "vgg11_pairs"}
# Deep ones, of whose form a shallower one runs always.
HEAVY |= {
    "resnet101",
    "resnet152",
    "resnet101_embedding",
    "resnet152_embedding",
    "densenet169",
    "densenet201",
}
FULL_SIZE = {"lenet", "resnet50", "densenet_linear", "nin"}


def input_shape(spec: ModelSpec) -> tuple[int, ...]:
    """The usual input for some, elsewhere the smallest that leaves BatchNorm a few values a channel."""
    if spec.name in FULL_SIZE:
        return spec.input_shape
    least = 32 if spec.form == "embedding" else 64  # the embedding networks have no stem that shrinks
    return (spec.input_shape[0], *(max(least, size) for size in spec.smallest))


NUMBERS = np.random.default_rng(0).normal(size=1_000_003)
"""Repeated for as many weights as there are; a prime count, so that no two rows of a matrix are equal."""


def fill(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers for one tensor of a network, of a size that keeps activations near one and nothing neutral."""
    if len(shape) == 1:
        return (1.0 if name.endswith(("_variance", "weight")) else 0.1) + np.resize(NUMBERS, shape) * 0.02
    numbers = np.resize(np.roll(NUMBERS, -(zlib.crc32(name.encode()) % NUMBERS.size)), shape)
    numbers *= math.sqrt(shape[0 if len(shape) == 4 else 1] / math.prod(shape))  # 1 / fan_in
    return numbers


def twins(spec: ModelSpec):
    """Both networks in float64 with equal, nowhere trivial weights; drawing them twice would cost the most."""
    default = paddle.get_default_dtype()
    paddle.set_default_dtype("float64")
    paddle.nn.initializer.set_global_initializer(paddle.nn.initializer.Constant(0.0))
    try:
        paddle_network = build(spec, "paddle")
    finally:
        paddle.nn.initializer.set_global_initializer(None)
        paddle.set_default_dtype(default)
    torch_network = build_meta(spec)
    linear = {f"{path}.weight" for path, m in torch_network.named_modules() if isinstance(m, torch.nn.Linear)}
    state = {}
    for name, parameter in paddle_network.state_dict().items():
        numbers = fill(name, tuple(parameter.shape))
        parameter.set_value(numbers)
        ours = name.replace("._mean", ".running_mean").replace("._variance", ".running_var")
        state[ours] = torch.from_numpy(numbers.T if ours in linear else numbers)
    counters = {name for name in torch_network.state_dict() if name.endswith("num_batches_tracked")}
    state |= dict.fromkeys(counters, torch.tensor(0))
    torch_network.load_state_dict(state, strict=True, assign=True)
    for layer in torch_network.modules():
        if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm):
            layer.eps = float(np.float32(layer.eps))  # Paddle keeps eps in float32
    return paddle_network, torch_network


def batch_of(spec: ModelSpec) -> int:
    """As few as show everything: one where nothing looks across images and the image has a fixed size."""
    if len(spec.input_shape) == 1:
        return 16  # a column has one value a row, so its BatchNorm needs more rows to be well conditioned
    return 1 if spec.largest else 2


def without_dropout(layers, dropout):
    for layer in layers:
        if isinstance(layer, dropout):
            layer.eval()


def as_tuple(output):
    return output if isinstance(output, tuple) else (output,)


@pytest.mark.parametrize(
    "spec",
    [pytest.param(s, marks=[pytest.mark.full] if s.name in HEAVY else []) for s in MODELS.values()],
    ids=list(MODELS),
)
def test_twins_agree_in_float64(spec):
    paddle_network, torch_network = twins(spec)
    images = np.random.default_rng(1).normal(size=(batch_of(spec), *input_shape(spec)))
    for mode in ("eval", "train"):
        getattr(paddle_network, mode)()
        getattr(torch_network, mode)()
        without_dropout(paddle_network.sublayers(), paddle.nn.Dropout)
        without_dropout(torch_network.modules(), torch.nn.Dropout)
        with paddle.no_grad(), torch.no_grad():
            expected = as_tuple(paddle_network(paddle.to_tensor(images)))
            actual = as_tuple(torch_network(torch.from_numpy(images)))
        assert len(actual) == len(expected)
        for index, (paddle_value, torch_value) in enumerate(zip(expected, actual, strict=True)):
            scale = abs(paddle_value.numpy()).max()
            difference = abs(torch_value.numpy() - paddle_value.numpy()).max() / scale
            assert difference < 1e-11, f"output {index} in {mode} mode"
        if spec.name == "googlenet_auxiliary":
            assert len(actual) == (3 if mode == "train" else 1)


def test_forgetting_to_transpose_would_be_seen():
    spec = MODELS["lenet"]
    paddle_network, torch_network = twins(spec)
    with torch.no_grad():
        square = torch_network.fc2.weight[:, :84]
        square.copy_(square.T.clone())
    images = np.random.default_rng(1).normal(size=(2, *spec.input_shape))
    with paddle.no_grad(), torch.no_grad():
        expected = paddle_network(paddle.to_tensor(images)).numpy()
        assert abs(torch_network(torch.from_numpy(images)).numpy() - expected).max() > 1e-3
