"""What the tests of the networks share: building a registered network in either framework."""

from __future__ import annotations

import importlib
import math
import warnings

import pytest

with warnings.catch_warnings():
    # Paddle's own import warns (about ccache, about deprecated NumPy names); ours must not.
    warnings.simplefilter("ignore")
    import paddle
import torch

from convert.models.registry import MODELS, ModelSpec


def build(spec: ModelSpec, framework: str, **arguments):
    """The network of `spec` in "paddle" or "torch"; torch's on the current default device."""
    factory = spec.paddle_factory if framework == "paddle" else spec.torch_factory
    module, function = factory.split(":")
    return getattr(importlib.import_module(module), function)(**arguments)


def build_meta(spec: ModelSpec, **arguments) -> torch.nn.Module:
    """The torch network without memory: shapes only."""
    with torch.device("meta"):
        return build(spec, "torch", **arguments)


def build_lazy(spec: ModelSpec, **arguments):
    """The Paddle network without memory: shapes only."""
    with paddle.LazyGuard():
        return build(spec, "paddle", **arguments)


def paddle_parameters(network) -> int:
    """How many learned numbers a Paddle network has (its BatchNorm statistics are not learned)."""
    return sum(math.prod(parameter.shape) for parameter in network.parameters() if parameter.trainable)


@pytest.fixture(autouse=True)
def _same_seed():
    paddle.seed(0)
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _one_thread():
    """Test processes share the cores; more threads than cores wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


every_model = pytest.mark.parametrize("spec", MODELS.values(), ids=list(MODELS))
