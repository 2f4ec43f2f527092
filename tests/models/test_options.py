"""Options of the networks: recomputation, dropout, activations, widths, in both frameworks."""

from __future__ import annotations

import importlib

import numpy as np
import paddle
import pytest
import torch

# Paddle says so at every first training step of a BatchNorm.
pytestmark = pytest.mark.filterwarnings("ignore:When training, we now always track global mean")

FRAMEWORKS = ("paddle", "torch")


def module(framework, name):
    return importlib.import_module(f"{framework}_models.{name}")


def tensor(framework, array):
    return paddle.to_tensor(array) if framework == "paddle" else torch.from_numpy(array)


def small_densenet(framework, **options):
    return module(framework, "densenet").DenseNet(
        (2, 2), num_classes=3, stem_channels=8, growth_rate=4, **options
    )


def gradients(framework, network, images):
    network(tensor(framework, images)).sum().backward()
    return {
        name: parameter.grad.numpy()
        for name, parameter in network.named_parameters()
        if parameter.grad is not None
    }


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_memory_efficient_densenet_has_the_same_gradients(framework):
    plain, efficient = small_densenet(framework), small_densenet(framework, memory_efficient=True)
    state = plain.state_dict()
    efficient.set_state_dict(state) if framework == "paddle" else efficient.load_state_dict(state)
    images = np.random.default_rng(0).normal(size=(4, 3, 32, 32)).astype(np.float32)
    expected, actual = gradients(framework, plain, images), gradients(framework, efficient, images)
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(actual[name], value, rtol=1e-3, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_memory_efficient_densenet_recomputes_in_backward(framework):
    network = small_densenet(framework, memory_efficient=True)
    calls = []
    layer = network.features.denseblock1.denselayer2
    original = layer.bottleneck
    object.__setattr__(layer, "bottleneck", lambda *features: (calls.append(1), original(*features))[1])
    images = np.ones((2, 3, 32, 32), np.float32)
    output = network(tensor(framework, images))
    assert len(calls) == 1
    output.sum().backward()
    assert len(calls) == 2


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_dropout_rate_drops_in_training_only(framework):
    network = small_densenet(framework, dropout_rate=0.5)
    images = tensor(framework, np.ones((2, 3, 32, 32), np.float32))
    network.eval()
    assert (network(images) == network(images)).all()
    network.train()
    assert (network(images) != network(images)).any()


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_leaky_activation_of_the_tutorials_block_works(framework):
    block = module(framework, "resnet").ConvBNLayer(1, 4, 1, act="leaky")
    block.eval()
    image = tensor(framework, np.linspace(-1, 1, 9, dtype=np.float32).reshape(1, 1, 3, 3))
    linear = block._batch_norm(block._conv(image)).detach().numpy()
    expected = np.where(linear > 0, linear, 0.1 * linear)
    np.testing.assert_allclose(block(image).detach().numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_unknown_vgg_depth_names_those_that_exist(framework):
    with pytest.raises(ValueError, match=r"no VGG has 12 layers.*11, 13, 16, 19"):
        module(framework, "vgg").VGGFeatures(12)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_auxiliary_heads_return_three_outputs_in_training_only(framework):
    network = module(framework, "googlenet").googlenet_auxiliary(num_classes=5)
    images = tensor(framework, np.zeros((1, 3, 64, 64), np.float32))
    network.train()
    assert [list(value.shape) for value in network(images)] == [[1, 5]] * 3
    network.eval()
    assert list(network(images).shape) == [1, 5]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_embedding_network_returns_logits_and_embedding(framework):
    network = module(framework, "resnet_embedding").resnet50_embedding()
    network.eval()
    logits, embedding = network(tensor(framework, np.zeros((2, 1, 32, 32), np.float32)))
    assert (list(logits.shape), list(embedding.shape)) == ([2, 9], [2, 256])
