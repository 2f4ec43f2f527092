"""A network that is trained from scratch starts from the same distribution in both frameworks."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
import torch

from convert.models.registry import MODELS

from .conftest import build, build_meta, every_model

ENOUGH = 2000


def weights(name):
    spec = MODELS[name]
    paddle_network, torch_network = build(spec, "paddle"), build(spec, "torch")
    paddle_values = {key: value.numpy() for key, value in paddle_network.named_parameters()}
    linear = {f"{path}.weight" for path, m in torch_network.named_modules() if isinstance(m, torch.nn.Linear)}
    for key, value in torch_network.named_parameters():
        expected = paddle_values[key]
        yield key, expected.T if key in linear else expected, value.detach().numpy()


# One of each family and form, but for VGG and AlexNet, whose fully connected layers are most of the time here.
@pytest.mark.parametrize(
    "name", ["lenet", "nin", "googlenet", "resnet18", "resnet18_embedding", "densenet121", "densenet_linear"]
)
def test_initial_weights_have_the_same_distribution(name):
    compared = 0
    for key, paddle_weight, torch_weight in weights(name):
        assert paddle_weight.shape == torch_weight.shape, key
        if paddle_weight.ndim == 1:
            assert np.array_equal(paddle_weight, torch_weight), f"{key} starts from another constant"
        elif paddle_weight.size >= ENOUGH:
            compared += 1
            # The standard deviation of n samples is itself uncertain by 1/sqrt(2n).
            assert torch_weight.std() == pytest.approx(
                paddle_weight.std(), rel=5 / math.sqrt(torch_weight.size)
            )
            assert abs(torch_weight.mean()) < 5 * paddle_weight.std() / math.sqrt(torch_weight.size)
            assert is_uniform(torch_weight) == is_uniform(paddle_weight), (
                f"{key} has another kind of distribution"
            )
    assert compared >= 2


def is_uniform(values):
    """A uniform sample ends at sqrt(3) standard deviations; a normal one of this size goes beyond 3."""
    return abs(values).max() < 1.8 * values.std()


@every_model
def test_every_torch_network_follows_paddles_defaults(spec):
    """The Paddle twin has nothing to say there: its layers' defaults are meant (see `test_twins`)."""
    constructor = inspect.getsource(type(build_meta(spec)).__init__)
    assert constructor.count("init_like_paddle(self)\n") == 1


@pytest.mark.parametrize("framework", ["paddle", "torch"])
def test_resnet_head_starts_within_the_tutorials_bounds(framework):
    network = build(MODELS["resnet50"], framework, num_classes=100)
    bound = 1 / math.sqrt(2048)
    weight = network.out.weight.detach().numpy()
    assert 0.99 * bound < abs(weight).max() <= bound * (1 + 1e-6)
    assert not network.out.bias.detach().numpy().any()
