"""Every registered network converts: planned from shapes alone, strictly loaded, to the bit."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
import torch
from safetensors.torch import load_file

from convert import convert_checkpoint, convert_state_dict, plan_conversion, registered_layout
from convert.plan import Options
from convert.recognize import recognize, rules_for
from convert.registry import MODELS

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


@pytest.mark.parametrize(
    ("zoo", "model"),
    [
        ("resnet18", "resnet18"),
        ("resnet50", "resnet50"),
        ("densenet121", "densenet121"),
        pytest.param("vgg11", "vgg11_features", marks=pytest.mark.slow),
    ],
)
def test_network_of_paddles_zoo_computes_the_same_once_converted(zoo, model):
    source = getattr(paddle.vision.models, zoo)(num_classes=10)
    source.to(dtype="float64")
    source.eval()
    twin = build(MODELS[model], "torch", num_classes=10).double().eval()
    state = source.state_dict()
    shapes = {name: tuple(value.shape) for name, value in state.items()}
    rules = rules_for(shapes, twin.state_dict())
    twin.load_state_dict(convert_state_dict(state, twin, Options(rules=rules)), strict=True)
    for layer in twin.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.eps = float(np.float32(layer.eps))  # Paddle keeps eps in float32
    images = np.random.default_rng(0).normal(size=(2, 3, 64, 64))
    with paddle.no_grad(), torch.no_grad():
        expected = source(paddle.to_tensor(images)).numpy()
        actual = twin(torch.from_numpy(images)).numpy()
    assert abs(actual - expected).max() < 1e-11 * abs(expected).max()


def test_names_of_the_model_itself_need_no_rules():
    spec = MODELS["lenet"]
    shapes = {name: tuple(value.shape) for name, value in build_lazy(spec).state_dict().items()}
    assert rules_for(shapes, build_meta(spec).state_dict()) == ()
    assert recognize(shapes)[0].rules == ()


def test_alias_of_another_network_gives_no_rules():
    with paddle.LazyGuard():
        state = paddle.vision.models.resnet18().state_dict()
    shapes = {name: tuple(value.shape) for name, value in state.items()}
    assert rules_for(shapes, build_meta(MODELS["resnet34"]).state_dict()) == ()
