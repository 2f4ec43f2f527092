"""`paddle2torch summary` and `paddle2torch models`."""

from __future__ import annotations

import dataclasses
import json

import pytest

from convert.models.registry import MODELS
from paddle2torch import console
from paddle2torch.cli import main
from paddle2torch.summary import compare, summarize
from paddle2torch.summary.tree import nodes
from parity.setup.inputs import Wanted


def image(*shape: int) -> dict[str, Wanted]:
    return {"0": Wanted((1, *shape))}


VGG16 = MODELS["vgg16_features"]


@pytest.fixture(scope="module")
def vgg16():
    return summarize(
        "torch", VGG16.torch_factory, {"num_classes": 1000, "in_channels": 3}, image(3, 224, 224)
    )


def test_vgg16_has_the_printed_table(vgg16):
    shown = [(layer.output_shape[1:], layer.parameters) for layer in vgg16.layers]
    assert shown[:5] == [
        ((64, 224, 224), 1_792),
        ((64, 224, 224), 0),
        ((64, 224, 224), 36_928),
        ((64, 224, 224), 0),
        ((64, 112, 112), 0),
    ]
    assert shown[31:] == [
        ((512, 7, 7), 0),
        ((4096,), 102_764_544),
        ((4096,), 0),
        ((4096,), 0),
        ((4096,), 16_781_312),
        ((4096,), 0),
        ((4096,), 0),
        ((1000,), 4_097_000),
    ]
    assert len(shown) == 39


def test_vgg16_needs_the_printed_memory(vgg16):
    assert vgg16.parameters == 138_357_544
    assert vgg16.weight_mib == pytest.approx(527.79, abs=0.005)
    # The printed 218.78 are forward and backward together.
    assert vgg16.activation_mib == pytest.approx(218.78 / 2, abs=0.01)


def test_vgg16_sees_the_known_receptive_fields(vgg16):
    fields = {layer.name: layer.receptive_field for layer in vgg16.layers}
    assert fields["features.0"] == (3, 3)
    assert fields["features.2"] == (5, 5)
    assert fields["features.4"] == (6, 6)
    assert fields["features.30"] == (212, 212)
    assert fields["classifier.0"] is None


def torch_fields(name):
    spec = MODELS[name]
    summary = summarize("torch", spec.torch_factory, {}, image(*spec.input_shape))
    return {layer.name: layer.receptive_field for layer in summary.layers}


def test_receptive_field_follows_shortcuts():
    fields = torch_fields("resnet50")
    assert fields["conv._conv"] == (7, 7)
    assert fields["pool2d_max"] == (11, 11)
    assert fields["bb_0_0.short._conv"] == (11, 11)
    assert fields["bb_0_1.conv0._conv"] == (19, 19)
    assert fields["bb_3_2.conv2._conv"] == (427, 427)
    assert fields["out"] is None


def test_receptive_field_follows_parallel_branches():
    fields = torch_fields("googlenet")
    entry = fields["block3_1.p1_1"][0]
    # Each 3x3 or 5x5 window on a map that is a fourth of the image widens the view by 8 or 16 pixels.
    assert fields["block3_1.p2_2"] == (entry + 8, entry + 8)
    assert fields["block3_1.p3_2"] == (entry + 16, entry + 16)
    assert fields["block3_1.p4_2"] == (entry + 8, entry + 8)
    assert fields["block3_2.p1_1"] == (entry + 16, entry + 16)


def test_network_that_squeezes_the_image_into_one_number_has_no_receptive_field():
    """Squeeze and excitation: each place of the map is scaled by what the whole map says."""
    local = summarize("paddle", "paddle.vision.models:mobilenet_v2", {"num_classes": 2}, image(3, 64, 64))
    squeezed = summarize(
        "paddle", "paddle.vision.models:mobilenet_v3_small", {"num_classes": 2}, image(3, 64, 64)
    )
    assert local.receptive_field == (491, 491)
    assert squeezed.receptive_field is None


def test_layer_that_is_called_twice_counts_its_parameters_once():
    layers = summarize("torch", MODELS["lenet"].torch_factory, {}, image(1, 28, 28)).layers
    assert [layer.name for layer in layers].count("sigmoid") == 4
    assert sum(layer.parameters for layer in layers) == 61_706


@pytest.mark.parametrize("name", ["lenet", "googlenet", "resnet18", "densenet_linear", "vgg11_pairs_quarter"])
def test_both_frameworks_have_the_same_summary(name):
    spec = MODELS[name]
    paddle = summarize("paddle", spec.paddle_factory, {}, image(*spec.input_shape))
    torch = summarize("torch", spec.torch_factory, {}, image(*spec.input_shape))
    assert compare(paddle, torch) == []
    assert paddle.parameters == torch.parameters == spec.parameters


def test_difference_between_the_frameworks_is_named():
    torch = summarize("torch", MODELS["lenet"].torch_factory, {}, image(1, 28, 28))
    first = dataclasses.replace(torch.layers[0], parameters=150)
    paddle = dataclasses.replace(torch, layers=(first, *torch.layers[1:-1]))
    found = [(d.row, d.field, d.paddle, d.torch) for d in compare(paddle, torch)]
    assert found == [(0, "parameters", 150, 156), (10, "layer", None, "fc3")]


def test_command_shows_both_frameworks_side_by_side(capsys):
    assert main(["summary", "lenet"]) == 0
    out = capsys.readouterr().out
    assert "conv1    Conv2D" in out
    assert "no difference" in out
    assert "61,706 parameters" in out


def test_command_prints_json(capsys):
    assert main(["summary", "resnet18", "--framework", "torch", "--shape", "1,3,64,64", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    torch = content["frameworks"]["torch"]
    assert torch["input_shapes"] == [[1, 3, 64, 64]]
    assert torch["parameters"] == 11_177_025
    assert torch["layers"][0] == {
        "name": "conv._conv",
        "kind": "Conv2d",
        "output_shape": [1, 64, 32, 32],
        "parameters": 9408,
        "receptive_field": [7, 7],
        "macs": 9408 * 32 * 32,
    }
    assert content["differences"] == []


def test_number_of_classes_and_channels_follow_the_arguments(capsys):
    words = ["summary", "lenet", "--framework", "torch", "--shape", "1,4,28,28", "--num-classes", "3"]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "3" in out.split("fc3")[1].splitlines()[0]
    assert f"{6 * 4 * 25 + 6}" in out


def test_factory_of_another_package_can_be_summarised(capsys):
    words = ["summary", "torch_models.nin:nin", "--framework", "torch", "--shape", "1,1,100,100"]
    assert main(words) == 0
    assert "\n  conv3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["resnet5"], "no model is called 'resnet5'; did you mean resnet50"),
        (["lenet", "--shape", "1,1,20,20"], "an input of 20x20 is too small for lenet"),
        (["lenet", "--shape", "1,1,20,20"], "the smallest that works is 28x28"),
        (["vgg16", "--shape", "1,3,448,448"], "the smallest that works is 224x224, the largest 255x255"),
        (["resnet50", "--shape", "3,224,224"], "with a batch of 2 in front that is 2,3,224,224"),
        (["lenet", "--num-classes", "0"], "--num-classes must be at least 1, not 0"),
        (["torch_models.nin:nin"], "say --paddle torch_models.nin:nin or --torch torch_models.nin:nin"),
        (["vgg16", "--paddle", "net.py:Net"], "name a model, or yours with --paddle and --torch; not both"),
        ([], "name a registered model, or your own: --paddle net.py:Net, --torch port.py:Net, or both"),
        (["--torch", "torch.nn:Linear"], "needs in_features, out_features: give --args"),
        (["lenet", "--depth", "0"], "--depth 0: at least 1 level"),
        (["no_such_module:x", "--framework", "torch"], "there is no module 'no_such_module'"),
        (["torch_models.nin:x", "--framework", "torch"], "torch_models.nin has no 'x'"),
        (["torch_models.nin:nin", "--framework", "torch"], "cannot run an input of 1x3x224x224 in torch"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(words, sentence, capsys):
    assert main(["summary", *words]) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    assert captured.out == ""


POOLS = """
import paddle, torch

def in_paddle():
    return paddle.nn.Sequential(paddle.nn.AvgPool2D((3, 2)), paddle.nn.MaxPool2D(2), paddle.nn.MaxPool2D(2, 1))

def in_torch():
    return torch.nn.Sequential(torch.nn.AvgPool2d((3, 2)), torch.nn.MaxPool2d(2), torch.nn.MaxPool2d(2, 1))
"""


def test_a_pool_without_a_stride_moves_by_its_own_size(tmp_path, monkeypatch, capsys):
    (tmp_path / "pools.py").write_text(POOLS)
    monkeypatch.chdir(tmp_path)
    found = []
    for framework in ("paddle", "torch"):
        words = ["summary", f"pools.py:in_{framework}", "--framework", framework, "--json"]
        assert main([*words, "--shape", "1,3,24,24"]) == 0
        layers = json.loads(capsys.readouterr().out)["frameworks"][framework]["layers"]
        found.append([(layer["output_shape"], layer["receptive_field"]) for layer in layers])
    assert found[0] == found[1]
    assert found[0][-1][1] == [12, 8]


@pytest.mark.parametrize("text", ["3,y,5", "0,1,28,28"])
def test_input_that_is_no_shape_is_refused(text, capsys):
    assert main(["summary", "lenet", "--shape", text]) == 2
    assert f"--shape {text}: " in capsys.readouterr().err


def test_multiply_adds_are_those_of_the_papers(vgg16):
    assert vgg16.macs == 15_470_264_320
    spec = MODELS["resnet50"]
    resnet = summarize("torch", spec.torch_factory, {"num_classes": 1000}, image(3, 224, 224))
    assert resnet.macs == 4_089_184_256  # the first 1x1 convolution of a block strides, or 3x3 as here


def test_a_tree_has_its_blocks_above_their_layers_and_folds_deep_ones():
    spec = MODELS["resnet18"]
    found = summarize("torch", spec.torch_factory, {}, image(3, 64, 64))
    shown = [(node.level, node.label, node.folded) for node in nodes(found, 3)]
    assert shown[:6] == [
        (0, "conv", False),
        (1, "_conv", False),
        (1, "_batch_norm", False),
        (0, "pool2d_max", False),
        (0, "bb_0_0", False),
        (1, "conv0", False),
    ]
    folded = [node for node in nodes(found, 1) if node.folded]
    assert [node.label for node in folded][:2] == ["conv", "bb_0_0"]
    assert sum(node.parameters for node in nodes(found, 1)) == found.parameters
    for depth in (1, 2, 3):
        assert sum(len(node.layers) for node in nodes(found, depth)) == len(found.layers)


OWN = """
from FRAMEWORK import nn


class Block(nn.BASE):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.ConvND(3, width, 3)
        self.pool = nn.MaxPoolND(2)
        self.mean = nn.AvgPoolND(kernel_size=2)

    def forward(self, x):
        return {"map": self.mean(self.pool(self.conv(x)))}


class Net(nn.BASE):
    def __init__(self, width=4):
        super().__init__()
        self.block = Block(width)
        self.rnn = nn.LSTM(5, 6)

    def forward(self, x, steps):
        print("said by the model")
        return self.block(x)["map"].mean(), self.rnn(steps)[0]
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for framework, base, dims in (("paddle", "Layer", "2D"), ("torch", "Module", "2d")):
        text = OWN.replace("FRAMEWORK", framework).replace("BASE", base).replace("ND", dims)
        (tmp_path / f"{framework}_net.py").write_text(text)
    return ["--shape", "1,3,18,18", "1,7,5"]


def test_files_of_ones_own_are_summarised_side_by_side(own, capfd):
    """A pool without a stride, several inputs, a fused LSTM, a model that prints, a dictionary between blocks."""
    assert main(["summary", "--paddle", "paddle_net.py:Net", "--torch", "torch_net.py:Net", *own]) == 0
    out = capfd.readouterr().out
    lines = [line.split() for line in out.splitlines()]
    assert ["pool", "MaxPool2D", "1x4x8x8", "0.00", "4"] in lines
    assert ["mean", "AvgPool2D", "1x4x4x4", "0.00", "6"] in lines
    assert ["conv", "Conv2D", "1x4x16x16", "112", "27,648", "0.00", "3"] in lines
    assert next(line for line in lines if line[:1] == ["rnn"])[1:5] == ["LSTM", "1x7x6", "312", "1,848"]
    assert "no difference" in out
    assert "said by" not in out


def test_the_framework_is_that_which_the_file_imports(own, capsys):
    assert main(["summary", "torch_net.py:Net", "--args", '{"width": 9}', *own]) == 0
    assert "1x9x16x16" in capsys.readouterr().out


def test_what_differs_stands_below_the_layer(own, tmp_path, capfd):
    (tmp_path / "torch_net.py").write_text(
        (tmp_path / "torch_net.py").read_text().replace("width, 3)", "width, 5)")
    )
    assert main(["summary", "--paddle", "paddle_net.py:Net", "--torch", "torch_net.py:Net", *own]) == 1
    out = capfd.readouterr().out
    assert "differs: output shape: paddle (1, 4, 16, 16), torch (1, 4, 14, 14)" in out
    assert "paddle against torch: 8 differences" in out


def test_layers_that_one_side_has_more_do_not_part_the_others():
    torch = summarize("torch", MODELS["lenet"].torch_factory, {}, image(1, 28, 28))
    layers = [dataclasses.replace(layer, name=f"body.{layer.name}") for layer in torch.layers]
    identity = dataclasses.replace(layers[0], name="body.same", kind="Identity", parameters=0)
    renamed = dataclasses.replace(torch, layers=(*layers[:2], identity, *layers[2:]))
    found = [(d.row, d.field, d.paddle, d.torch) for d in compare(torch, renamed)]
    names = [layer.name for layer in torch.layers[:2]]
    told = ", ".join(names) + ", ...", ", ".join(f"body.{name}" for name in names) + ", ..."
    assert found == [(-1, f"names of {len(layers)} layers", *told), (2, "layer", None, "body.same")]


def test_a_network_that_computes_with_its_numbers_is_summarised(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "computes.py").write_text(
        "import torch\nclass Net(torch.nn.Linear):\n    def forward(self, x):\n"
        "        return super().forward(x) if x.sum().item() == 0 else None\n"
    )
    words = [
        "summary",
        "computes.py:Net",
        "--args",
        '{"in_features": 3, "out_features": 4}',
        "--shape",
        "1,3",
    ]
    assert main(words) == 0
    assert "1x4" in capsys.readouterr().out


@pytest.mark.parametrize("width", [80, 100, 120])
def test_the_tables_fit_the_terminal(width, vgg16, capsys, monkeypatch):
    from paddle2torch.summary.tree import show

    monkeypatch.setattr(console, "_bounded", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    show("vgg16_features", {"torch": vgg16}, [], 3)
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    assert any(line.split()[:2] == ["features", "Sequential"] for line in lines)
    assert any("vgg11_pairs_quarter" in line and "43,093,322" in line for line in lines)


def test_models_lists_every_network_with_its_paper(capsys):
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    for spec in MODELS.values():
        assert spec.name in out
        assert f"{spec.parameters:,}" in out
        assert spec.paper in out


def test_models_of_one_family(capsys):
    assert main(["models", "vgg", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["family"] for row in rows} == {"vgg"}
    assert rows[0]["torch"] == "torch_models.vgg:vgg16"


def test_one_model_can_be_looked_up(capsys):
    assert main(["models", "densenet121", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["densenet121"]


@pytest.mark.parametrize(("given", "nearest"), [("resnext", "resnet"), ("vgg_16", "vgg16")])
def test_unknown_family_or_model_names_the_nearest(given, nearest, capsys):
    assert main(["models", given]) == 2
    assert f"did you mean {nearest}" in capsys.readouterr().err
