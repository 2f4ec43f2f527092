"""The networks against the texts that they come from: the names of every tensor, and the printed shapes.

The names are written out here as the Paddle tutorial's classes give them, not taken from our files, so that a
checkpoint which was saved by those classes keeps converting.
"""

from __future__ import annotations

import itertools

import pytest

from convert.models.registry import MODELS
from paddle2torch.summary import summarize
from parity.setup.inputs import Wanted

from .conftest import build_lazy

BOTH = ("weight", "bias")
NORM = ("weight", "bias", "_mean", "_variance")


def named(layers, roles=BOTH):
    return [f"{layer}.{role}" for layer in layers for role in roles]


def tutorial_vgg16():
    convolutions = [f"conv{block}_{i + 1}" for block, n in enumerate((2, 2, 3, 3, 3), 1) for i in range(n)]
    return named([*convolutions, "fc1.0", "fc2.0", "fc3"])


def tutorial_googlenet():
    blocks = ["3_1", "3_2", "4_1", "4_2", "4_3", "4_4", "4_5", "5_1", "5_2"]
    paths = ["p1_1", "p2_1", "p2_2", "p3_1", "p3_2", "p4_2"]
    inception = [f"block{block}.{path}" for block in blocks for path in paths]
    return named(["conv1", "conv2_1", "conv2_2", *inception, "fc"])


def tutorial_resnet(*depths):
    units = ["conv"]
    for block, depth in enumerate(depths):
        for i in range(depth):
            parts = ["conv0", "conv1", "conv2", *(["short"] if i == 0 else [])]
            units += [f"bb_{block}_{i}.{part}" for part in parts]
    tensors = ["_conv.weight", *(f"_batch_norm.{role}" for role in NORM)]
    return [*(f"{unit}.{tensor}" for unit in units for tensor in tensors), *named(["out"])]


@pytest.mark.parametrize(
    ("model", "names", "count"),
    [
        ("vgg16", tutorial_vgg16(), 32),
        ("googlenet", tutorial_googlenet(), 116),
        ("resnet50", tutorial_resnet(3, 4, 6, 3), 267),
        ("resnet101", tutorial_resnet(3, 4, 23, 3), 522),
        ("resnet152", tutorial_resnet(3, 8, 36, 3), 777),
    ],
)
def test_tensors_are_called_as_in_the_tutorial_and_stand_in_its_order(model, names, count):
    assert len(names) == count
    assert list(build_lazy(MODELS[model]).state_dict()) == names


def shapes_of(model, *kinds):
    """The distinct output shapes of a torch network in order, of layers of `kinds` (all when none is given)."""
    spec = MODELS[model]
    layers = summarize("torch", spec.torch_factory, {}, {"0": Wanted((1, *spec.input_shape))}).layers
    shapes = [layer.output_shape[1:] for layer in layers if not kinds or layer.kind in kinds]
    return [shape for shape, _ in itertools.groupby(shapes)]


PRINTED = {
    "lenet": [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (120,), (84,), (10,)],
    "alexnet": [
        *((96, 54, 54), (96, 26, 26), (256, 26, 26), (256, 12, 12), (384, 12, 12)),
        *((256, 12, 12), (256, 5, 5), (4096,), (10,)),
    ],
    "nin": [
        *((96, 54, 54), (96, 26, 26), (256, 26, 26), (256, 12, 12), (384, 12, 12), (384, 5, 5)),
        *((10, 5, 5), (10, 1, 1)),
    ],
}


@pytest.mark.parametrize("model", PRINTED)
def test_textbook_network_has_the_printed_shapes(model):
    assert shapes_of(model) == PRINTED[model]


@pytest.mark.parametrize(("model", "divisor"), [("vgg11_pairs", 1), ("vgg11_pairs_quarter", 4)])
def test_vgg_from_pairs_has_the_printed_shapes(model, divisor):
    sizes = [(64, 112), (128, 56), (256, 28), (512, 14), (512, 7)]
    pooled = [(channels // divisor, size, size) for channels, size in sizes]
    assert shapes_of(model, "MaxPool2d", "Linear") == [*pooled, (4096,), (10,)]


def test_tabular_densenet_has_the_widths_of_its_source():
    """Two layers of 128 a block, halved between blocks: the head there is Linear(608, 1)."""
    shapes = shapes_of("densenet_linear", "BatchNorm1d", "Linear")
    assert shapes[:2] == [(512,), (1024,)]
    assert shapes[-2:] == [(608,), (1,)]
