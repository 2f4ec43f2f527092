"""Every row of the layer table, run in both frameworks with converted parameters."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import paddle
import pytest
import torch

from convert import convert_state_dict
from convert.rosetta.layers import BY_TORCH, LAYERS, layer_of_parameter_name, role_of_parameter_name

from .conftest import fill

f = np.float32
EPS = float(f(1e-5))  # Paddle keeps it in float32

# Paddle's constructor arguments, torch's, and the input's shape.
CASES: dict[str, tuple[tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = {
    **{f"Conv{n}D": ((4, 6, 3), {}, (2, 4, *(7, 6, 5)[:n])) for n in (1, 2, 3)},
    **{f"Conv{n}DTranspose": ((4, 6, 3), {}, (2, 4, *(7, 6, 5)[:n])) for n in (1, 2, 3)},
    "Linear": ((5, 5), {}, (3, 5)),
    **{f"BatchNorm{n}D": ((4,), {"eps": EPS}, (3, 4, *(7, 6, 5)[:n])) for n in (1, 2, 3)},
    "BatchNorm": ((4,), {"eps": EPS}, (3, 4, 6, 5)),
    "LayerNorm": (([4, 5],), {"eps": EPS}, (3, 4, 5)),
    "GroupNorm": ((2, 4), {}, (3, 4, 6, 5)),
    **{f"InstanceNorm{n}D": ((4,), {"eps": EPS, "affine": True}, (3, 4, *(7, 6, 5)[:n])) for n in (1, 2, 3)},
    "Embedding": ((6, 6), {}, ()),
    "PReLU": ((4,), {}, (3, 4, 5)),
    "MaxPool2D": ((2,), {}, (2, 3, 7, 6)),
    "AvgPool2D": ((3, 2, 1), {"count_include_pad": False}, (2, 3, 7, 6)),
    "AdaptiveAvgPool2D": ((3,), {}, (2, 3, 7, 6)),
    "Dropout": ((0.5,), {}, (3, 4)),
    "ReLU": ((), {}, (3, 4)),
    "LeakyReLU": ((0.25,), {}, (3, 4)),
    "Sigmoid": ((), {}, (3, 4)),
}


@pytest.mark.parametrize("name", sorted(set(LAYERS) - {"SyncBatchNorm"}))  # that one needs several GPUs
def test_converted_layers_compute_the_same_in_eval(name):
    arguments, in_torch, shape = CASES[name]
    layer = getattr(paddle.nn, name)(*arguments)
    fill(layer)
    layer.to(dtype="float64")
    layer.eval()
    module = getattr(torch.nn, LAYERS[name].torch)(*arguments, **in_torch).double().eval()
    module.load_state_dict(convert_state_dict(layer.state_dict(), module), strict=True)
    random = np.random.default_rng(1)
    x = random.integers(0, 6, (2, 3)) if name == "Embedding" else random.standard_normal(shape)
    expected = layer(paddle.to_tensor(x)).numpy()
    actual = module(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(actual, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_arguments_of_the_table_exist_in_both_frameworks(name):
    row = LAYERS[name]
    paddle_names = set(inspect.signature(getattr(paddle.nn, name).__init__).parameters)
    torch_names = set(inspect.signature(getattr(torch.nn, row.torch).__init__).parameters)
    for argument in row.arguments:
        if argument.paddle is not None and argument.paddle not in (
            "use_global_stats",
            "data_format",
            "num_features",
        ):
            assert argument.paddle in paddle_names, argument
        if argument.torch is not None:
            assert argument.torch in torch_names | {"num_features"}, argument


@pytest.mark.parametrize("name", sorted(set(CASES) - {"MaxPool2D", "AvgPool2D", "AdaptiveAvgPool2D"}))
def test_automatic_parameter_names_tell_the_layer_and_the_role(name):
    layer = getattr(paddle.nn, name)(*CASES[name][0])
    for key, tensor in layer.state_dict().items():
        row = layer_of_parameter_name(tensor.name)
        assert row is not None, tensor.name
        assert row.torch.rstrip("d123") == LAYERS[name].torch.rstrip("d123")
        assert role_of_parameter_name(tensor.name) == key


def test_every_parameter_says_why():
    for rows in BY_TORCH.values():
        for row in rows:
            assert row.reason
            assert all(entry.why for entry in (*row.parameters, *row.generated, *row.dropped))


def test_names_that_users_chose_tell_nothing():
    for name in ("weight", "linear", "linear_x.w_0", "my_linear_0.w_0", "fc.weight", "linear_0"):
        assert layer_of_parameter_name(name) is None
