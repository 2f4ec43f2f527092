"""Ports whose names differ: the weights are paired by running both models, what has no counterpart is told, and no line is blamed for names."""

from __future__ import annotations

import json

import numpy as np
import paddle
import pytest
import torch

from paddle2torch import ConvertError, check, convert_state_dict, pair_by_running
from paddle2torch.cli import main
from parity.errors import ParityError
from parity.graph.build import build
from parity.match.dataflow import dataflow
from parity.match.partial import ORDER, partly
from parity.setup.inputs import as_arrays
from parity.sides.live import LiveSide
from parity.trace.values import scratch_directory


class Ours(paddle.nn.Layer):
    """Four blocks of the same shapes, and a head."""

    def __init__(self, extra: bool = False) -> None:
        super().__init__()
        self.layers = paddle.nn.LayerList([paddle.nn.Linear(6, 6) for _ in range(4)])
        self.norms = paddle.nn.LayerList([paddle.nn.LayerNorm(6) for _ in range(4)])
        self.out = paddle.nn.Linear(6, 3)
        self.extra = paddle.nn.LayerNorm(6) if extra else None

    def forward(self, x):
        for number, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            x = x + paddle.nn.functional.relu(norm(layer(x)))
            if self.extra is not None and number == 2:
                x = self.extra(x)
        return self.out(x)


class Theirs(torch.nn.Module):
    """The same under other names, defined in another order."""

    def __init__(self, bias: bool = True, last=None) -> None:
        super().__init__()
        self.head, self.last = torch.nn.Linear(6, 3), last or torch.relu
        self.blocks = torch.nn.ModuleList(
            torch.nn.ModuleDict({"n": torch.nn.LayerNorm(6), "f": torch.nn.Linear(6, 6, bias=bias or n != 1)})
            for n in range(4)
        )

    def forward(self, x):
        for number, block in enumerate(self.blocks):
            x = x + (self.last if number == 3 else torch.relu)(block["n"](block["f"](x)))
        return self.head(x)


INPUT = np.random.default_rng(0).standard_normal((2, 6)).astype("float32")


def graphs(ours, theirs, scratch):
    made = []
    for framework, model in (("paddle", ours), ("torch", theirs)):
        side = LiveSide(framework, model, "cpu")
        trace, values = side.capture(
            as_arrays(INPUT), mode="eval", precision="float64", store=scratch / framework, outputs_only=True
        )
        values.close()
        made.append(build(trace))
    return made


def expected() -> dict[str, str]:
    pairs = {f"head.{role}": f"out.{role}" for role in ("weight", "bias")}
    for n in range(4):
        for role in ("weight", "bias"):
            pairs |= {
                f"blocks.{n}.f.{role}": f"layers.{n}.{role}",
                f"blocks.{n}.n.{role}": f"norms.{n}.{role}",
            }
    return pairs


@pytest.mark.parametrize("fault", ["bias missing in torch", "layer missing in torch", "activation differs"])
def test_one_difference_leaves_all_other_parameters_paired(fault):
    ours = Ours(extra=fault.startswith("layer"))
    theirs = Theirs(
        bias=not fault.startswith("bias"), last=torch.tanh if fault.startswith("activation") else None
    )
    wanted = expected()
    if fault.startswith("bias"):
        del wanted["blocks.1.f.bias"]
    with scratch_directory() as scratch:
        both = graphs(ours, theirs, scratch)
        assert dataflow(*both).complete == fault.startswith(
            "activation"
        )  # a later view looks at layers alone
        found = partly(*both)
    assert dict(found.pairs) == wanted
    assert ORDER not in set(found.how.values())
    lost = {"bias": ("layers.1.bias",), "layer": ("extra.weight", "extra.bias")}.get(fault.split()[0], ())
    assert set(found.unpaired_paddle) == set(lost)
    assert found.unpaired_torch == ()


def averaged(nn, norm, branches):
    class Net(nn.Layer if nn is paddle.nn else nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name in branches:
                setattr(self, name, nn.Sequential(norm(6), nn.Linear(6, 3)))

        def forward(self, x):
            return sum(getattr(self, name)(x) for name in branches) / len(branches)

    return Net()


def test_what_only_its_order_of_use_tells_is_paired_with_what_has_its_role(tmp_path):
    """Both branches make one sum, and a BatchNorm has four vectors of one length, which the frameworks take in different orders."""
    both = (
        averaged(paddle.nn, paddle.nn.BatchNorm1D, ("one", "two")),
        averaged(torch.nn, torch.nn.BatchNorm1d, ("a", "b")),
    )
    roles = {"weight": "weight", "bias": "bias", "running_mean": "_mean", "running_var": "_variance"}
    found = partly(*graphs(*both, tmp_path))
    for torch_name, paddle_name in found.pairs.items():
        if ".0." in torch_name:
            assert paddle_name.rpartition(".")[2] == roles[torch_name.rpartition(".")[2]]
    assert len(found.pairs) == 12


def test_models_in_memory_are_paired_by_running_when_they_are_refilled():
    report = check(Ours(), Theirs(), INPUT, randomize=True)
    assert report, str(report)
    assert sum("names differ" in note.text for note in report.notes) == 1
    assert not any("names differ" in warning for warning in report.warnings)


class Pointwise(torch.nn.Module):
    """Square matrices as convolutions, two of them one tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = (
            torch.nn.Conv2d(6, 6, 1),
            torch.nn.Conv2d(6, 6, 1),
            torch.nn.Linear(6, 3),
        )
        self.second.weight = self.first.weight

    def forward(self, x):
        x = self.second(torch.tanh(self.first(x[:, :, None, None])))
        return self.head(x.flatten(1))


class Dense(paddle.nn.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.out = paddle.nn.Linear(6, 6), paddle.nn.Linear(6, 6), paddle.nn.Linear(6, 3)
        self.two.weight = self.one.weight

    def forward(self, x):
        return self.out(self.two(paddle.tanh(self.one(x))))


def test_a_square_linear_is_a_convolution_transposed_and_one_tensor_stays_one_under_other_names():
    ours, theirs = Dense(), Pointwise()
    report = check(ours, theirs, INPUT, randomize=True)
    assert report, str(report)
    options = pair_by_running(ours, theirs, INPUT)
    assert any("confirmed by running both models" in note for note in options.notes)
    theirs.load_state_dict(convert_state_dict(ours.state_dict(), theirs, options))
    np.testing.assert_allclose(theirs(torch.tensor(INPUT)).detach(), ours(paddle.to_tensor(INPUT)), atol=1e-5)


def test_a_fault_behind_other_names_is_the_only_finding():
    ours, theirs = Ours(), Theirs()
    theirs.blocks[2]["n"].eps = 0.1
    report = check(ours, theirs, INPUT, randomize=True)
    assert not report
    assert len(report.findings) == 1
    assert "blocks.2.n" in report.findings[0].layer


def test_names_of_one_tensor_may_all_be_given_but_not_two_tensors_for_them():
    class Twice(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            block = torch.nn.Linear(6, 6)
            self.blocks = torch.nn.ModuleList([block, block])

        def forward(self, x):
            return self.blocks[1](self.blocks[0](x))

    class Once(paddle.nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.block, self.other = paddle.nn.Linear(6, 6), paddle.nn.Linear(6, 6)

        def forward(self, x):
            return self.block(self.block(x))

    pairs = {f"blocks.1.{role}": f"block.{role}" for role in ("weight", "bias")}
    assert check(Once(), Twice(), INPUT, pairs=pairs, randomize=True)
    pairs["blocks.0.weight"] = "other.weight"
    with pytest.raises(ParityError, match="one tensor of the torch model, two Paddle tensors"):
        check(Once(), Twice(), INPUT, pairs=pairs, randomize=True)


def test_the_command_pairs_says_so_in_one_line_and_tells_what_is_too_many(capfd, tmp_path):
    paddle_source = "import paddle\nfrom paddle import nn\ndef Net(bias=None):\n    return nn.Sequential(nn.Conv2D(3, 4, 3), nn.BatchNorm2D(4), nn.ReLU(), nn.Conv2D(4, 4, 3, bias_attr=bias), nn.BatchNorm2D(4))\n"
    torch_source = (
        "import torch\nfrom torch import nn\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.stem, self.stem_norm, self.body, self.body_norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4)\n"
        "    def forward(self, x):\n        return self.body_norm(self.body(torch.relu(self.stem_norm(self.stem(x)))))\n"
    )
    (tmp_path / "p.py").write_text(paddle_source)
    (tmp_path / "t.py").write_text(torch_source)
    words = (
        "--paddle",
        tmp_path / "p.py:Net",
        "--torch",
        tmp_path / "t.py:Net",
        "--shape",
        "2,3,9,9",
        "--mode",
        "eval",
    )
    words = (*map(str, words), "--only-given", "--json", str(tmp_path / "r.json"), "--force")
    assert main(["parity", *words]) == 0, capfd.readouterr()
    told = json.loads((tmp_path / "r.json").read_text())
    assert [note["text"] for note in told["notes"] if "names differ" in note["text"]] != []
    assert main(["parity", *words, "--paddle-args", '{"bias": false}']) == 1
    told = json.loads((tmp_path / "r.json").read_text())
    assert len(told["findings"]) == 1, [finding["cause"] for finding in told["findings"]]
    assert "bias" in told["findings"][0]["cause"]
    assert any("body.bias of torch without a counterpart" in note["text"] for note in told["notes"])


def test_a_state_dict_in_memory_converts_with_pairs_found_by_running():
    ours, theirs = Ours(), Theirs()
    before = {name: value.clone() for name, value in theirs.state_dict().items()}
    with pytest.raises(
        ConvertError, match=r"--match run.*\n.*pair_by_running\(paddle_model, torch_model, inputs\)"
    ):
        convert_state_dict(ours.state_dict(), theirs)
    options = pair_by_running(ours, theirs, INPUT)
    assert all(torch.equal(value, before[name]) for name, value in theirs.state_dict().items())
    assert any("confirmed by running both models" in note for note in options.notes)
    theirs.load_state_dict(convert_state_dict(ours.state_dict(), theirs, options))
    assert check(ours, theirs, INPUT, pairs=expected())


def test_equal_layers_that_only_their_order_tells_apart_are_not_converted_unconfirmed():
    class Sum(paddle.nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.only = paddle.nn.Linear(6, 6), paddle.nn.Linear(6, 6), paddle.nn.Linear(6, 6)

        def forward(self, x):
            return self.a(x) + self.b(x) + self.only(x).tanh()

    class Two(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.c, self.d = torch.nn.Linear(6, 6), torch.nn.Linear(6, 6)

        def forward(self, x):
            return self.c(x).sin() + self.d(x).cos()

    options = pair_by_running(Sum(), Two(), INPUT)
    with pytest.raises(ConvertError):
        convert_state_dict(Sum().state_dict(), Two(), options)
