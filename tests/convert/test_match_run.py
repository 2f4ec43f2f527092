"""Names that differ: what both models do with a probe input says which tensor is which."""

from __future__ import annotations

import json
import warnings

import numpy as np
import paddle
import pytest
import tomllib
import torch

from convert import convert_state_dict
from convert.plan.plan import Options
from convert.plan.rules import exact_rule
from parity.graph.build import build
from parity.match.dataflow import Piece, dataflow
from parity.setup.inputs import as_arrays, random_input
from parity.sides.live import LiveSide
from tests.convert.zoo import zoo

PADDLE = """
import paddle
from paddle import nn
F = nn.functional

class Branches(nn.Layer):
    # two pairs of equal shapes, told apart by what comes after them
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2D(3, 8, 3, padding=1), nn.Conv2D(3, 8, 3, padding=1)
        self.c, self.d = nn.Conv2D(8, 8, 1), nn.Conv2D(8, 8, 1)
        self.norm, self.out = nn.BatchNorm2D(16), nn.Linear(16, 16)

    def forward(self, x):
        z = paddle.concat([self.c(F.relu(self.a(x))), self.d(F.sigmoid(self.b(x)))], 1)
        return self.out(self.norm(z).mean([2, 3]))

class Symmetric(nn.Layer):
    # exchanging a with b, or g with h, changes nothing; exchanging a single one does
    def __init__(self):
        super().__init__()
        self.a, self.b, self.g, self.h = (nn.Linear(6, 6) for _ in range(4))

    def forward(self, x):
        return self.g(self.a(x)) * self.h(self.b(x)) + self.g(self.b(x)) * self.h(self.a(x))

class Curved(nn.Layer):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 6), nn.Linear(6, 6)

    def forward(self, x):
        return F.sigmoid(self.first(x)) + paddle.tanh(self.second(x))

class Odd(nn.Layer):
    # functions that have no name
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 6), nn.Linear(6, 6)

    def forward(self, x):
        u, v = self.first(x), self.second(x)
        return u * paddle.log1p(paddle.exp(-u * u)) + v * paddle.exp(-paddle.abs(v))

class Cut(nn.Layer):
    # three projections where torch has one weight, and a Linear where torch has a convolution
    def __init__(self):
        super().__init__()
        self.block, self.out = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0), nn.Linear(12, 3)

    def forward(self, x):
        return self.out(paddle.flatten(self.block(x), 1))
"""
TORCH = """
import torch
from torch import nn

class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.head, self.bn = nn.Linear(16, 16), nn.BatchNorm2d(16)
        self.p, self.q = nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1)
        self.r, self.s = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(3, 8, 3, padding=1)

    def forward(self, x):
        right = self.q(torch.sigmoid(self.r(x)))
        z = torch.cat([self.p(torch.relu(self.s(x))), right], 1)
        return self.head(self.bn(z).mean((2, 3)))

class NoRelu(Branches):
    def forward(self, x):
        z = torch.cat([self.p(self.s(x)), self.q(torch.sigmoid(self.r(x)))], 1)
        return self.head(self.bn(z).mean((2, 3)))

class Symmetric(nn.Module):
    def __init__(self):
        super().__init__()
        self.k, self.l, self.m, self.n = (nn.Linear(6, 6) for _ in range(4))

    def forward(self, x):
        return self.k(self.n(x)) * self.l(self.m(x)) + self.k(self.m(x)) * self.l(self.n(x))

class Halved(Symmetric):
    def forward(self, x):
        return super().forward(x) * 0.5

class Curved(nn.Module):
    # sigmoid spelled out; the names mislead
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 6), nn.Linear(6, 6)

    def forward(self, x):
        return torch.tanh(self.first(x)) + 1 / (1 + torch.exp(-self.second(x)))

class Odd(nn.Module):
    # written in another way; the names mislead
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 6), nn.Linear(6, 6)

    def forward(self, x):
        u, v = self.second(x), self.first(x)
        return v / torch.exp(v.abs()) + u * torch.log(1 + 1 / torch.exp(u ** 2))

class Cut(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Conv2d(3, 3, (1, 4))
        self.body = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)

    def forward(self, x):
        return self.head(self.body(x).unsqueeze(2)).flatten(1)
"""


@pytest.fixture(scope="module")
def nets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nets")
    (folder / "nets_paddle.py").write_text(PADDLE)
    (folder / "nets_torch.py").write_text(TORCH)
    scope: dict[str, object] = {}
    exec(PADDLE, scope)
    for name in ("Branches", "Symmetric", "Curved", "Odd"):
        paddle.seed(3)
        state = scope[name]().state_dict()
        if "norm._mean" in state:
            state["norm._mean"].set_value(np.linspace(-1, 1, 16, dtype="float32"))
        paddle.save(state, str(folder / f"{name}.pdparams"))
    return folder


def match(in_process, nets, tmp_path, paddle_net, torch_net, *words):
    shape = "2,3,8,8" if paddle_net == "Branches" else "2,6"
    return in_process(
        *("convert", f"{paddle_net}.pdparams", "--match", "run", "--shape", shape),
        *("--paddle", f"nets_paddle.py:{paddle_net}", "--torch", f"nets_torch.py:{torch_net}"),
        *("-o", tmp_path / "out.pth", *words),
        cwd=nets,
    )


def test_equal_shapes_in_another_order_are_paired_by_dataflow(in_process, nets, tmp_path):
    done = match(in_process, nets, tmp_path, "Branches", "Branches", "--save-rules", tmp_path / "rules.toml")
    assert done.returncode == 0, done.stderr
    assert "14 tensors were paired by dataflow" in done.stdout
    assert "confirmed by running both models in float64" in done.stdout
    rules = tomllib.loads((tmp_path / "rules.toml").read_text())["rule"]
    pairs = {rule["source"].replace("\\", ""): rule.get("target") for rule in rules}
    expected = {"a": "s", "b": "r", "c": "p", "d": "q", "out": "head", "norm": "bn"}
    assert {k.partition(".")[0]: v.partition(".")[0] for k, v in pairs.items()} == expected
    assert pairs["norm.(.*)"] == "bn.\\1"  # and with it the running statistics
    saved = torch.load(tmp_path / "out.pth", weights_only=True)
    net = torch_net(nets, "Branches")
    net.load_state_dict(saved)


def torch_net(nets, name):
    scope: dict[str, object] = {}
    exec(TORCH, scope)
    return scope[name]()


def test_a_layer_that_a_port_forgot_does_not_confuse_the_pairing_but_is_pointed_out(
    in_process, nets, tmp_path
):
    done = match(in_process, nets, tmp_path, "Branches", "NoRelu")
    assert done.returncode == 0, done.stderr
    assert "14 tensors were paired by dataflow (layers and joins)" in done.stdout
    assert "yet the outputs differ by" in done.stdout
    assert "`paddle2torch parity --rules FILE` says where" in done.stdout


def test_symmetric_branches_are_decided_by_running(in_process, nets, tmp_path):
    done = match(in_process, nets, tmp_path, "Symmetric", "Symmetric", "--json")
    assert done.returncode == 0, done.stderr
    assert "in symmetric branches that run" in done.stdout
    assert '"found_by": "run ' in done.stdout
    done = match(in_process, nets, tmp_path, "Curved", "Curved", "--force", "--json")
    assert done.returncode == 0, done.stderr
    assert '"found_by": "dataflow' in done.stdout  # the sigmoid that is written out tells the branches apart
    saved = torch.load(tmp_path / "out.pth", weights_only=True)
    first = paddle.load(str(nets / "Curved.pdparams"))["first.weight"].numpy()
    np.testing.assert_array_equal(saved["second.weight"].numpy(), first.T)


def test_functions_without_a_name_leave_branches_to_the_second_run(in_process, nets, tmp_path):
    done = match(in_process, nets, tmp_path, "Odd", "Odd", "--json")
    assert done.returncode == 0, done.stderr
    assert {move["found_by"] for move in json.loads(done.stdout)["plan"]["moves"]} == {
        "run 2 of the symmetric branches"
    }
    saved = torch.load(tmp_path / "out.pth", weights_only=True)
    first = paddle.load(str(nets / "Odd.pdparams"))["first.weight"].numpy()
    np.testing.assert_array_equal(saved["second.weight"].numpy(), first.T)


def test_what_no_run_can_decide_is_refused_with_the_candidates(in_process, nets, tmp_path):
    done = match(in_process, nets, tmp_path, "Symmetric", "Halved")
    assert done.returncode == 2
    assert "none of the 4 that were tried makes the outputs agree" in done.stderr
    assert "a.weight, b.weight could be any of " in done.stderr
    assert not (tmp_path / "out.pth").exists()


def test_parts_of_a_packed_weight_and_a_linear_that_is_a_convolution_are_paired_by_dataflow(
    in_process, nets, tmp_path
):
    done = in_process(
        *(
            "convert",
            "nets_paddle.py:Cut",
            "--match",
            "run",
            "--shape",
            "2,3,4",
        ),  # a model to build, and no file
        *(
            "--torch",
            "nets_torch.py:Cut",
            "--save-rules",
            tmp_path / "rules.toml",
            "-o",
            tmp_path / "out.pth",
        ),
        cwd=nets,
    )
    assert done.returncode == 0, done.stderr
    assert "confirmed by running both models in float64" in done.stdout
    rules = tomllib.loads((tmp_path / "rules.toml").read_text())["rule"]
    transforms = {rule["source"].replace("\\", ""): rule.get("transform") for rule in rules}
    assert transforms["block.self_attn.k_proj.weight"] == "transpose+concat:4:8"
    assert transforms["out.weight"] == "transpose+reshape:3,3,1,4"
    torch_net(nets, "Cut").load_state_dict(torch.load(tmp_path / "out.pth", weights_only=True))


class PackedPaddle(paddle.nn.Layer):
    """Query, key and value of one Linear, which torch has three of."""

    def __init__(self):
        super().__init__()
        self.qkv = paddle.nn.Linear(4, 12)

    def forward(self, x):
        q, k, v = paddle.split(self.qkv(x), 3, -1)
        return paddle.nn.functional.softmax(q @ k.t(), -1) @ v


class ApartTorch(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.value, self.key, self.query = (torch.nn.Linear(4, 4) for _ in range(3))

    def forward(self, x):
        return torch.softmax(self.query(x) @ self.key(x).T, -1) @ self.value(x)


def test_a_parameter_that_layers_share_out_is_paired_part_by_part(tmp_path):
    inputs = as_arrays(random_input((3, 4)))
    found = dataflow(
        graph("paddle", PackedPaddle(), inputs, tmp_path), graph("torch", ApartTorch(), inputs, tmp_path)
    )
    weights = {torch_name: name for torch_name, name in found.certain.items() if "weight" in torch_name}
    assert weights == {
        "query.weight": "qkv.weight[0:4]",
        "key.weight": "qkv.weight[4:8]",
        "value.weight": "qkv.weight[8:12]",
    }
    assert found.paddle["qkv.weight[4:8]"] == Piece("qkv.weight", (4, 8), turned=True)


def test_rules_of_the_user_come_before_the_dataflow(in_process, nets, tmp_path):
    rules = tmp_path / "mine.toml"
    rules.write_text(
        "[[rule]]\nsource = 'a\\.(.*)'\ntarget = 'm.\\1'\n[[rule]]\nsource='b\\.(.*)'\ntarget='n.\\1'\n"
    )
    done = match(in_process, nets, tmp_path, "Symmetric", "Symmetric", "--rules", rules, "--json")
    assert done.returncode == 0, done.stderr
    saved = torch.load(tmp_path / "out.pth", weights_only=True)
    source = paddle.load(str(nets / "Symmetric.pdparams"))
    np.testing.assert_array_equal(saved["m.weight"].numpy(), source["a.weight"].numpy().T)


def test_a_model_to_build_needs_neither_a_paddle_model_nor_a_shape(in_process, nets, tmp_path):
    words = ("convert", "nets_paddle.py:Branches", "--torch", "nets_torch.py:Branches", "--match", "run")
    done = in_process(*words, "-o", tmp_path / "out.pth", cwd=nets)
    assert done.returncode == 0, done.stderr
    assert "paired by dataflow" in done.stdout


def test_what_running_needs_is_asked_for(in_process, nets, tmp_path):
    both = ["--paddle", "nets_paddle.py:Curved", "--torch", "nets_torch.py:Curved"]
    wrong = {
        "give --paddle MODULE:FACTORY and --shape 2,3,224,224 (or --input FILE)": both[2:],
        "give --torch MODULE:FACTORY (or --model NAME) and --shape": both[:2],
        "runs both models on one input: give --shape": both,
        "--strip-prefix x.: no tensor's name begins so": [*both, "--shape", "2,6", "--strip-prefix", "x."],
        "write sizes with commas": [*both, "--shape", "2;6"],
    }
    for message, words in wrong.items():
        done = in_process(
            *("convert", "Curved.pdparams", "--match", "run", "-o", tmp_path / "out.pth"), *words, cwd=nets
        )
        assert done.returncode == 2
        assert message in done.stderr
    assert not (tmp_path / "out.pth").exists()


class TwoPaddle(paddle.nn.Layer):
    """Twice two branches of equal layers: one pair told apart by its input, one by its place in a concat."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.d = (paddle.nn.Linear(4, 4) for _ in range(4))

    def forward(self, x, y):
        z = self.a(x) + self.b(y)
        return paddle.concat([self.c(z), self.d(z)], 1)


class TwoTorch(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two, self.three, self.four = (torch.nn.Linear(4, 4) for _ in range(4))

    def forward(self, x, y):
        z = self.four(y) + self.three(x)
        return torch.cat([self.two(z), self.one(z)], 1)


def test_inputs_and_places_in_a_concat_tell_equal_branches_apart(tmp_path):
    inputs = as_arrays((random_input((2, 4)), random_input((2, 4), seed=1)))
    found = dataflow(
        graph("paddle", TwoPaddle(), inputs, tmp_path), graph("torch", TwoTorch(), inputs, tmp_path)
    )
    assert not found.open
    names = {
        torch_name.partition(".")[0]: name.partition(".")[0] for torch_name, name in found.certain.items()
    }
    assert names == {"three": "a", "four": "b", "two": "c", "one": "d"}


# -- official names ------------------------------------------------------------------------------------

ZOO = {
    "resnet18": ("torchvision", "resnet18", {}, 64),
    "resnext50_32x4d": ("torchvision", "resnext50_32x4d", {}, 64),
    "vgg11": ("torchvision", "vgg11_bn", {"batch_norm": True, "num_classes": 0}, 32),
    "densenet121": ("torchvision", "densenet121", {}, 32),
    "mobilenet_v2": ("torchvision", "mobilenet_v2", {}, 32),
    "mobilenet_v3_small": ("torchvision", "mobilenet_v3_small", {}, 32),
    "shufflenet_v2_x1_0": ("torchvision", "shufflenet_v2_x1_0", {}, 32),
    "squeezenet1_1": ("torchvision", "squeezenet1_1", {}, 64),
    "inception_v3": ("torchvision", "inception_v3", {}, 96),
    "resnet34": ("timm", "resnet34", {}, 64),
    "mobilenet_v1": ("timm", "mobilenetv1_100", {}, 32),
}
"""Paddle's zoo -> where its twin is, what it is called there, Paddle's arguments, and a size that both take."""
DIFFERENT = {"inception_v3", "mobilenet_v1", "squeezenet1_1", "mobilenet_v3_small"}
"""Pairs that are not the same function to the last digit (another eps, pooling, activation, slope): only loaded."""


TWICE = {"resnet18", "resnet34", "resnext50_32x4d", "vgg11"}
"""Networks with nothing that another one has not, for pairing."""


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=[pytest.mark.full] * (name in TWICE)) for name in sorted(ZOO)],
)
def pair(request):
    """A network of Paddle's zoo with random statistics, and its fresh twin."""
    library, called, arguments, size = ZOO[request.param]
    module = zoo(library)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = getattr(paddle.vision.models, request.param)(**arguments)
    if library == "timm":
        ours = module.create_model(called)
    elif called == "inception_v3":
        ours = module.models.inception_v3(aux_logits=False, init_weights=False)
    else:
        ours = getattr(module.models, called)()
    if called == "vgg11_bn":
        ours.classifier = torch.nn.Identity()  # a hundred million numbers that show nothing more
    generator = np.random.default_rng(0)
    for name, tensor in theirs.state_dict().items():
        if name.endswith(("_mean", "_variance")):
            tensor.set_value(generator.uniform(0.5, 1.5, tensor.shape).astype("float32"))
    return request.param, theirs, ours, as_arrays(random_input((1, 3, size, size)))


def graph(framework, model, inputs, folder):
    trace, store = LiveSide(framework, model).capture(
        inputs, mode="eval", precision="float32", store=folder / framework, outputs_only=True
    )
    store.close()
    return build(trace)


def test_the_zoos_networks_load_strictly_into_torchvisions_and_timms(pair, tmp_path):
    name, theirs, ours, inputs = pair
    found = dataflow(graph("paddle", theirs, inputs, tmp_path), graph("torch", ours, inputs, tmp_path))
    assert found.complete, (found.unpaired_paddle, found.unpaired_torch)
    assert not found.open
    rules = [exact_rule(source, target, None, "") for target, source in found.certain.items()]
    state = convert_state_dict(theirs.state_dict(), ours, Options(rules=rules))
    ours.load_state_dict(state, strict=True)
    if name in DIFFERENT:
        return
    theirs.eval()
    ours.eval()
    [image] = inputs.values()
    with torch.no_grad():
        actual = ours.double()(torch.from_numpy(image).double()).numpy()
    theirs.to(dtype="float64")
    expected = theirs(paddle.to_tensor(image, dtype="float64")).numpy()
    np.testing.assert_allclose(actual.ravel(), expected.ravel(), rtol=0, atol=1e-10 * abs(expected).max())


CONSTANTS = """
import {fw} as fw
from {fw} import nn
class Net(nn.{base}):
    def __init__(self):
        super().__init__()
        self.{a}, self.{b} = nn.Linear(6, 6), nn.Linear(6, 6)
        self.register_buffer("{index}", fw.{tensor}([0, 3, 1, 4, 2, 5]), {kept}={keeps})

    def forward(self, x):
        return self.{b}(fw.tanh(self.{a}(x))[:, self.{index}])
"""


@pytest.mark.parametrize("kept", ["paddle", "torch", "both", "neither"])
def test_a_constant_that_one_side_keeps_in_its_state_dict_is_dropped_or_left_as_it_is(
    in_process, tmp_path, kept
):
    ours = {"fw": "paddle", "base": "Layer", "a": "a", "b": "b", "index": "idx", "tensor": "to_tensor"}
    theirs = {"fw": "torch", "base": "Module", "a": "one", "b": "two", "index": "order", "tensor": "tensor"}
    ours |= {"kept": "persistable", "keeps": str(kept in ("paddle", "both"))}
    theirs |= {"kept": "persistent", "keeps": str(kept in ("torch", "both"))}
    (tmp_path / "p.py").write_text(CONSTANTS.format(**ours))
    (tmp_path / "t.py").write_text(CONSTANTS.format(**theirs))
    words = ("convert", "p.py:Net", "--torch", "t.py:Net", "--match", "run", "--shape", "2,6", "-o", "x.pth")
    done = in_process(*words, "--save-rules", "r.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "confirmed by running both models" in done.stdout
    saved = torch.load(tmp_path / "x.pth")
    assert ("order" in saved) == (kept in ("torch", "both"))
    if "order" in saved:
        assert saved["order"].tolist() == [0, 3, 1, 4, 2, 5]
    again = ("convert", "p.py:Net", "--torch", "t.py:Net", "--rules", "r.toml", "-o", "y.pth")
    done = in_process(*again, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert torch.load(tmp_path / "y.pth").keys() == saved.keys()
