"""Every registered network converts: planned from shapes alone, strictly loaded, to the bit."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
import torch
from safetensors.torch import load_file

from convert import convert_checkpoint, plan_conversion, registered_layout
from convert.models.registry import MODELS
from convert.plan.recognize import recognize, rules_for

from .conftest import build, build_lazy, build_meta, every_model

SMALL = [spec for spec in MODELS.values() if spec.parameters < 30_000_000]


class Shaped:
    def __init__(self, shape):
        self.shape = tuple(shape)


@every_model
def test_every_tensor_of_either_side_has_its_place(spec):
    sizes = {argument: value + 3 for argument, value in spec.defaults.items()}
    source = {name: Shaped(value.shape) for name, value in build_lazy(spec, **sizes).state_dict().items()}
    plan = plan_conversion(source, registered_layout(spec.name, **sizes))
    assert plan.problems == ()
    assert {move.source for move in plan.moves} == source.keys()
    filled = {move.target for move in plan.moves} | {fill.name for fill in plan.generated}
    assert filled == build_meta(spec, **sizes).state_dict().keys()


@pytest.mark.parametrize("spec", SMALL, ids=[spec.name for spec in SMALL])
def test_saved_paddle_network_converts_and_loads_strictly(spec, tmp_path):
    network = build(spec, "paddle", num_classes=3)
    paddle.save(network.state_dict(), str(tmp_path / "net.pdparams"))
    convert_checkpoint(tmp_path / "net.pdparams", tmp_path / "net.safetensors", model=spec.name)
    twin = build_meta(spec, num_classes=3)
    tensors = load_file(tmp_path / "net.safetensors")
    twin.load_state_dict(tensors, strict=True, assign=True)
    linear = {f"{path}.weight" for path, m in twin.named_modules() if isinstance(m, torch.nn.Linear)}
    for name, value in network.state_dict().items():
        ours = name.replace("._mean", ".running_mean").replace("._variance", ".running_var")
        expected = value.numpy().T if ours in linear else value.numpy()
        assert np.array_equal(tensors[ours].numpy(), expected), name


def test_names_of_the_model_itself_need_no_rules():
    spec = MODELS["lenet"]
    shapes = {name: tuple(value.shape) for name, value in build_lazy(spec).state_dict().items()}
    assert rules_for(shapes, build_meta(spec).state_dict()) == ()
    assert recognize(shapes)[0].rules == ()
