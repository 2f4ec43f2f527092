"""Every registered network, built live: parameter counts, output shapes, limits of the input."""

from __future__ import annotations

import math

import pytest
import torch

from convert.errors import ConvertError
from convert.models.registry import MODELS

from .conftest import build_lazy, build_meta, every_model, paddle_parameters


def outputs_of(network, size, *, batch=2):
    network.eval()
    outputs = network(torch.empty(batch, *size, device="meta"))
    return [list(value.shape) for value in (outputs if isinstance(outputs, tuple) else (outputs,))]


@every_model
def test_torch_network_has_the_registered_number_of_parameters(spec):
    assert sum(parameter.numel() for parameter in build_meta(spec).parameters()) == spec.parameters


@every_model
def test_paddle_network_has_the_registered_number_of_parameters(spec):
    assert paddle_parameters(build_lazy(spec)) == spec.parameters


@every_model
def test_usual_input_gives_one_row_of_logits_an_image(spec):
    first = outputs_of(build_meta(spec), spec.input_shape)[0]
    assert first == [2, spec.defaults["num_classes"]]


@every_model
def test_smallest_registered_input_works_and_the_next_smaller_does_not(spec):
    network = build_meta(spec)
    channels = spec.input_shape[0]
    outputs_of(network, (channels, *spec.smallest))
    spec.check_input((channels, *spec.smallest))
    for axis, size in enumerate(spec.smallest):
        smaller = list(spec.smallest)
        smaller[axis] = size - 1
        with pytest.raises(ConvertError, match="too small"):
            spec.check_input((channels, *smaller))
        if size > 1:
            with pytest.raises(RuntimeError):
                outputs_of(network, (channels, *smaller))


@every_model
def test_largest_registered_input_works_and_the_next_larger_does_not(spec):
    network = build_meta(spec)
    channels = spec.input_shape[0]
    if spec.largest is None:
        outputs_of(network, (channels, *(2 * size + 33 for size in spec.smallest)))
        return
    outputs_of(network, (channels, *spec.largest))
    larger = (channels, spec.largest[0] + 1, *spec.largest[1:])
    with pytest.raises(ConvertError, match="too large"):
        spec.check_input(larger)
    with pytest.raises(RuntimeError):
        outputs_of(network, larger)


def test_input_with_a_batch_is_refused_with_the_usual_shape():
    with pytest.raises(ConvertError, match="3x224x224"):
        MODELS["resnet50"].check_input((1, 3, 224, 224))


def test_resnet50_has_the_printed_shapes():
    network = build_meta(MODELS["resnet50"]).eval()
    y = network.conv(torch.empty(1, 3, 224, 224, device="meta"))
    shapes = [list(y.shape)]
    y = network.pool2d_max(y)
    for block in network.bottleneck_block_list:
        y = block(y)
        shapes.append(list(y.shape))
    y = network.pool2d_avg(y)
    shapes += [list(y.shape), [1, math.prod(y.shape)], list(network.out(torch.flatten(y, 1)).shape)]
    assert shapes == [
        [1, 64, 112, 112],
        *[[1, 256, 56, 56]] * 3,
        *[[1, 512, 28, 28]] * 4,
        *[[1, 1024, 14, 14]] * 6,
        *[[1, 2048, 7, 7]] * 3,
        [1, 2048, 1, 1],
        [1, 2048],
        [1, 1],
    ]


@pytest.mark.parametrize("framework", ["paddle", "torch"])
def test_unknown_resnet_depth_names_those_that_exist(framework):
    module = __import__(f"{framework}_models.resnet", fromlist=["ResNet"])
    with pytest.raises(ValueError, match=r"no ResNet has 20 layers.*18, 34, 50, 101, 152"):
        module.ResNet(layers=20)
