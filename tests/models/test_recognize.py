"""A checkpoint's names and shapes say which registered network it is."""

from __future__ import annotations

import re
from dataclasses import dataclass

import paddle
import pytest

from convert.models.layout import registered_layout
from convert.models.registry import MODELS
from convert.plan.plan import Options
from convert.plan.planner import plan_conversion
from convert.plan.recognize import recognize, spelled, torch_name
from paddle_models import resnet as paddle_resnet

from .conftest import build_lazy, build_meta, every_model


def paddle_shapes(network):
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def torch_shapes(network):
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


@every_model
def test_paddle_state_dict_is_recognised_with_its_class_and_channel_counts(spec):
    arguments = {"num_classes": 7, "in_channels": 5}
    found = recognize(paddle_shapes(build_lazy(spec, **arguments)))
    assert [(c.spec.name, c.num_classes, c.in_channels) for c in found] == [(spec.name, 7, 5)]
    assert found[0].linear_is_transposed


@every_model
def test_torch_state_dict_is_recognised_too(spec):
    found = recognize(torch_shapes(build_meta(spec, num_classes=7, in_channels=5)))
    assert [(c.spec.name, c.num_classes, c.in_channels) for c in found] == [(spec.name, 7, 5)]


def lenet_shapes(**changes):
    return {**paddle_shapes(build_lazy(MODELS["lenet"])), **changes}


def test_one_wrong_shape_is_no_candidate():
    assert recognize(lenet_shapes(**{"conv2.weight": (16, 6, 3, 3)})) == []


def test_class_counts_that_contradict_each_other_are_no_candidate():
    assert recognize(lenet_shapes(**{"fc3.bias": (11,)})) == []


def test_one_name_too_many_is_no_candidate():
    assert recognize(lenet_shapes(extra=(1,))) == []


def test_one_name_too_few_is_no_candidate():
    shapes = lenet_shapes()
    del shapes["fc2.bias"]
    assert recognize(shapes) == []


def test_strange_names_are_no_network():
    assert recognize({"x": (1,)}) == []
    assert recognize({}) == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("bb_0_0.conv0._batch_norm._mean", "bb_0_0.conv0._batch_norm.running_mean"),
        ("norm._variance", "norm.running_var"),
        ("my_mean", "my_mean"),
    ],
)
def test_names_are_spelled_the_torch_way(given, expected):
    assert torch_name(given) == expected


def old_densenet(shapes):
    """The names of DenseNet files from before 2018, which the seeds remap by a regular expression."""
    return {
        re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", name): shape
        for name, shape in shapes.items()
        if not name.endswith("num_batches_tracked")
    }


def sequential(*layers):
    """A textbook network as one Sequential of Paddle layers; text stands for layers without weights."""
    nn = paddle.nn
    return nn.Sequential(*(nn.ReLU() if isinstance(layer, str) else layer for layer in layers))


def textbook_lenet(*, reshape):
    nn = paddle.nn
    body = [nn.Conv2D(1, 6, 5), "act", "pool", nn.Conv2D(6, 16, 5), "act", "pool", "flatten"]
    head = [nn.Linear(400, 120), "act", nn.Linear(120, 84), "act", nn.Linear(84, 10)]
    return sequential(*(["reshape"] if reshape else []), *body, *head)


def textbook_alexnet():
    nn = paddle.nn
    first = [nn.Conv2D(1, 96, 11), "act", "pool", nn.Conv2D(96, 256, 5), "act", "pool"]
    rest = [nn.Conv2D(256, 384, 3), "act", nn.Conv2D(384, 384, 3), "act", nn.Conv2D(384, 256, 3), "act"]
    head = [nn.Linear(6400, 4096), "act", "drop", nn.Linear(4096, 4096), "act", "drop", nn.Linear(4096, 10)]
    return sequential(*first, *rest, "pool", "flatten", *head)


def textbook_nin():
    nn = paddle.nn

    def block(before, after, size):
        return sequential(
            nn.Conv2D(before, after, size),
            "a",
            nn.Conv2D(after, after, 1),
            "a",
            nn.Conv2D(after, after, 1),
            "a",
        )

    return sequential(
        block(1, 96, 11),
        "pool",
        block(96, 256, 5),
        "pool",
        block(256, 384, 3),
        "pool",
        "drop",
        block(384, 10, 3),
        "pool",
        "flatten",
    )


def textbook_vgg(divisor):
    nn = paddle.nn
    blocks, before = [], 1
    for convolutions, full in ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512)):
        layers = []
        for _ in range(convolutions):
            layers += [nn.Conv2D(before, full // divisor, 3), "act"]
            before = full // divisor
        blocks.append(sequential(*layers, "pool"))
    head = [
        nn.Linear(before * 49, 4096),
        "act",
        "drop",
        nn.Linear(4096, 4096),
        "act",
        "drop",
        nn.Linear(4096, 10),
    ]
    return sequential(*blocks, "flatten", *head)


def textbook_densenet_linear():
    """The tabular DenseNet as it is written there: blocks with `net`, everything else without a name."""
    nn = paddle.nn

    def step(before, after):
        return sequential(nn.BatchNorm1D(before), "act", nn.Linear(before, after))

    class Block(nn.Layer):
        def __init__(self, before):
            super().__init__()
            self.net = sequential(step(before, 128), step(before + 128, 128))

    layers, width = [sequential(nn.Linear(330, 512), "act", nn.Linear(512, 1024), "act")], 1024
    for i in range(4):
        layers.append(Block(width))
        width += 256
        if i < 3:
            layers.append(sequential(*step(width, width // 2), "act"))
            width //= 2
    return sequential(*layers, nn.BatchNorm1D(width), "act", nn.Linear(width, 10))


@pytest.mark.parametrize(
    ("build", "model"),
    [
        (lambda: textbook_lenet(reshape=False), "lenet"),
        (lambda: textbook_lenet(reshape=True), "lenet"),
        (textbook_alexnet, "alexnet"),
        (textbook_nin, "nin"),
        (lambda: textbook_vgg(1), "vgg11_pairs"),
        (lambda: textbook_vgg(4), "vgg11_pairs_quarter"),
        (textbook_densenet_linear, "densenet_linear"),
    ],
)
def test_networks_under_other_names_are_recognised_and_planned(build, model):
    with paddle.LazyGuard():
        state = build().state_dict()
    found = recognize({name: tuple(value.shape) for name, value in state.items()})
    assert [(c.spec.name, c.num_classes) for c in found] == [(model, 10)]
    layout = registered_layout(model, num_classes=10, in_channels=found[0].in_channels)
    shapes = {name: Shaped(tuple(value.shape)) for name, value in state.items()}
    plan = plan_conversion(shapes, layout, Options(rules=found[0].rules))
    assert plan.problems == ()
    assert len(plan.moves) == len(state)


@dataclass
class Shaped:
    shape: tuple[int, ...]


def test_old_densenet_file_is_recognised():
    old = old_densenet(torch_shapes(build_meta(MODELS["densenet121"])))
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    found = recognize(old)
    assert [candidate.spec.name for candidate in found] == ["densenet121"]
    assert "norm.1 for norm1" in str(found[0])


def test_densenet_with_spaces_in_its_names_is_recognised():
    """As in code that builds the names from `f"denselayer {i + 1}"`."""
    shapes = {
        re.sub(r"(denseblock|denselayer|transition)(\d)", r"\1 \2", name): shape
        for name, shape in torch_shapes(build_meta(MODELS["densenet121"])).items()
    }
    assert "features.denseblock 1.denselayer 1.norm1.weight" in shapes
    assert [candidate.spec.name for candidate in recognize(shapes)] == ["densenet121"]


def test_candidate_reads_as_a_sentence():
    assert str(recognize(lenet_shapes())[0]) == "lenet (LeNet, textbook form), num_classes 10, in_channels 1"


def test_the_names_of_paddles_zoo_are_led_to_those_of_our_paddle_network():
    zoo = list(paddle.vision.models.resnet18().state_dict())
    ours = list(paddle_resnet.resnet18().state_dict())
    led = spelled(zoo, ours)
    assert sorted(led.values()) == sorted(ours)
    assert led["layer2.0.downsample.1._mean"] in ours
    assert led["fc.weight"] == "out.weight"
    assert spelled(zoo[:-1], ours) == spelled(ours, ours) == {}
