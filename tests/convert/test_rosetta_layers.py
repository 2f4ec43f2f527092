"""What conversion takes from the layer table; that the rows are true is proven in tests/rosetta."""

from __future__ import annotations

import inspect
from typing import Any

import paddle
import pytest
import torch

from convert.rosetta.layers import BY_TORCH, LAYERS, layer_of_parameter_name, role_of_parameter_name

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    **{f"Conv{n}D": (4, 6, 3) for n in (1, 2, 3)},
    **{f"Conv{n}DTranspose": (4, 6, 3) for n in (1, 2, 3)},
    "Linear": (5, 5),
    **{f"BatchNorm{n}D": (4,) for n in (1, 2, 3)},
    "BatchNorm": (4,),
    "LayerNorm": ([4, 5],),
    "GroupNorm": (2, 4),
    **{f"InstanceNorm{n}D": (4,) for n in (1, 2, 3)},
    "Embedding": (6, 6),
    "PReLU": (4,),
    "Bilinear": (4, 3, 2),
}
"""Paddle's constructor arguments."""


def _torch_arguments(name: str) -> set[str]:
    """Also those that a recurrent layer hands on to its base class."""
    if not name:
        return set()
    return {
        parameter
        for cls in getattr(torch.nn, name).__mro__
        for parameter in inspect.signature(cls.__init__).parameters
    } | ({"nonlinearity"} if name == "RNN" else set())


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_arguments_of_the_table_exist_in_both_frameworks(name):
    row = LAYERS[name]
    paddle_names = set(inspect.signature(getattr(paddle.nn, name).__init__).parameters)
    torch_names = _torch_arguments(row.torch_class)
    for argument in row.arguments:
        if argument.paddle is not None and argument.paddle not in (
            "use_global_stats",
            "data_format",
            "num_features",
        ):
            assert argument.paddle in paddle_names, argument
        if argument.torch is not None:
            assert argument.torch in torch_names | {"num_features"}, argument


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_automatic_parameter_names_tell_the_layer_and_the_role(name):
    layer = getattr(paddle.nn, name)(*ARGUMENTS[name])
    for key, tensor in layer.state_dict().items():
        row = layer_of_parameter_name(tensor.name)
        assert row is not None, tensor.name
        assert row.torch_class.rstrip("d123") == LAYERS[name].torch_class.rstrip("d123")
        assert role_of_parameter_name(tensor.name) == key


def test_every_parameter_says_why():
    for rows in BY_TORCH.values():
        for row in rows:
            assert row.reason
            assert all(entry.why for entry in (*row.parameters, *row.generated))


def test_names_that_users_chose_tell_nothing():
    for name in ("weight", "linear", "linear_x.w_0", "my_linear_0.w_0", "fc.weight", "linear_0"):
        assert layer_of_parameter_name(name) is None
