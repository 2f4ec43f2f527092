"""Paddle's own zoo as a source, named by `paddle.vision.models:factory`."""

from __future__ import annotations

import inspect
from collections import OrderedDict

import numpy as np
import paddle
import pytest
import torch
from safetensors.torch import load_file

import parity
from convert import convert_state_dict, plan_conversion, registered_layout
from convert.models.registry import MODELS
from convert.plan.plan import Options
from convert.plan.recognize import recognize, rules_for
from paddle2torch.cli import main

from .conftest import build, build_meta

ZOO = paddle.vision.models
FACTORIES = [name for name in ZOO.__all__ if inspect.isfunction(getattr(ZOO, name))]
BATCH_NORM = "-bn"

# What of the zoo has the structure of a network of ours, and which. `vgg11-bn` is vgg11(batch_norm=True).
OURS = {
    **{f"resnet{n}": f"resnet{n}" for n in (18, 34, 50, 101, 152)},
    **{f"vgg{n}": f"vgg{n}_features" for n in (11, 13, 16, 19)},
    **{f"vgg{n}{BATCH_NORM}": f"vgg{n}_bn_features" for n in (11, 13, 16, 19)},
    **{f"densenet{n}": f"densenet{n}" for n in (121, 169, 201)},
}
NOT_OURS = [name for name in FACTORIES if name not in OURS] + ["LeNet"]


def zoo(name: str, **arguments):
    factory = name.removesuffix(BATCH_NORM)
    if name != factory:
        arguments["batch_norm"] = True
    return getattr(ZOO, factory)(**arguments)


def shapes_of(name: str, **arguments) -> dict[str, tuple[int, ...]]:
    with paddle.LazyGuard():
        return {key: tuple(value.shape) for key, value in zoo(name, **arguments).state_dict().items()}


class Shaped:
    def __init__(self, shape):
        self.shape = shape


@pytest.mark.parametrize(
    ("name", "model"),
    [
        pytest.param(
            *pair, id=pair[0], marks=[pytest.mark.full] * pair[0].endswith(("101", "152", "169", "201"))
        )
        for pair in OURS.items()
    ],
)
def test_zoo_network_with_a_structure_of_ours_is_recognised_and_fits(name, model):
    shapes = shapes_of(name, num_classes=10)
    (found,) = recognize(shapes)
    assert (found.spec.name, found.num_classes) == (model, 10)
    source = {key: Shaped(shape) for key, shape in shapes.items()}
    plan = plan_conversion(source, registered_layout(model, num_classes=10), Options(rules=found.rules))
    assert plan.problems == ()
    assert len(plan.moves) == len(source)


@pytest.mark.parametrize("name", NOT_OURS)
def test_every_other_zoo_network_is_taken_for_none_of_ours(name):
    assert recognize(shapes_of(name)) == []


@pytest.mark.parametrize(
    ("name", "model"),
    [("resnet18", "resnet18"), pytest.param("densenet121", "densenet121", marks=pytest.mark.full)],
)
def test_converted_zoo_network_is_proven(name, model):
    source = zoo(name, num_classes=10)
    twin = build(MODELS[model], "torch", num_classes=10)
    state = source.state_dict()
    twin.load_state_dict(convert_state_dict(state, twin, Options(rules=rules_for(state, twin.state_dict()))))
    images = np.random.default_rng(0).normal(size=(2, 3, 64, 64)).astype(np.float32)
    parity.assert_equivalent(source, twin, images, mode="eval", further=False)


def test_convolutions_of_a_zoo_vgg_are_proven():
    """Without its classifier, whose 120 million weights are three Linear layers in both."""
    source = zoo("vgg11", num_classes=0)
    whole = build_meta(MODELS["vgg11_features"])
    twin = torch.nn.Sequential(OrderedDict(features=whole.features, avgpool=whole.avgpool))
    twin.to_empty(device="cpu").load_state_dict(convert_state_dict(source.state_dict(), twin))
    images = np.random.default_rng(0).normal(size=(2, 3, 64, 64)).astype(np.float32)
    parity.assert_equivalent(source, twin, images, mode="eval", further=False)


def test_convert_builds_a_zoo_network_and_needs_no_file(tmp_path, capsys):
    target = tmp_path / "zoo.safetensors"
    paddle.seed(7)
    words = ["convert", "paddle.vision.models:resnet18", "--paddle-args", '{"num_classes": 10}']
    assert main([*words, "-o", str(target)]) == 0
    assert "recognised as resnet18" in capsys.readouterr().out
    tensors = load_file(target)
    build_meta(MODELS["resnet18"], num_classes=10).load_state_dict(tensors, strict=True, assign=True)
    paddle.seed(7)
    state = zoo("resnet18", num_classes=10).state_dict()
    assert np.array_equal(tensors["out.weight"].numpy(), state["fc.weight"].numpy().T)
    assert np.array_equal(
        tensors["bb_3_1.conv1._conv.weight"].numpy(), state["layer4.1.conv2.weight"].numpy()
    )


def test_bfloat16_of_a_built_network_keeps_its_bits(tmp_path):
    (tmp_path / "net.py").write_text(
        "import paddle\n"
        "def net():\n"
        "    paddle.seed(0)\n"
        "    layer = paddle.nn.Sequential(paddle.nn.Linear(3, 5))\n"
        "    return layer.to(dtype='bfloat16')\n"
    )
    target = tmp_path / "net.safetensors"
    assert main(["convert", f"{tmp_path}/net.py:net", "-o", str(target)]) == 0
    paddle.seed(0)
    expected = paddle.nn.Linear(3, 5).to(dtype="bfloat16").weight.astype("float32").numpy()
    actual = load_file(target)["0.weight"]
    assert actual.dtype == torch.bfloat16
    assert np.array_equal(actual.float().numpy(), expected.T)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["paddle.vision.models:resnet5"],
            "paddle.vision.models has no 'resnet5' (nearest: resnet, resnet50",
        ),
        (["paddle.vision.models:resnet18", "--paddle-args", "{"], "--paddle-args is not JSON"),
        (["paddle.vision.models:resnet18", "--paddle-args", '{"classes": 3}'], "cannot be built: TypeError"),
        (["paddle.vision.models:resnet18", "--key", "model"], "--key is for files"),
        (["paddle.vision.models:resnet18", "--sha256"], "--sha256 is for files"),
        (["paddle.vision:models"], "paddle.vision:models is not a class or function"),
        (["torch_models.lenet:lenet"], "made a LeNet, which is not a paddle.nn.Layer"),
        (["absent/net.py:net"], "absent/net.py: no such file"),
        (["net.pdparams", "--paddle-args", "{}"], "--paddle-args is for a model that is built"),
        (
            ["paddle.vision.models:resnext50_32x4d", "--model", "resnet50"],
            "Paddle's layer1.0.conv1.weight is [128, 64, 1, 1]; torch's bb_0_0.conv0._conv.weight is [64, 64",
        ),
        (["paddle.vision.models:mobilenet_v2", "--model", "vgg16"], "does not fit vgg16: 32 missing"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_source_is_told_and_writes_nothing(words, sentence, tmp_path, capsys):
    assert main(["convert", *words, "-o", str(tmp_path / "out.safetensors")]) == 2
    assert sentence in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_names_of_another_network_give_no_rules():
    target = build_meta(MODELS["resnet34"]).state_dict()
    assert rules_for(shapes_of("resnet18"), target) == ()
