"""Files that are in torch's layout already, or may be: copied as they are, or asked about, and never transposed twice."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
import safetensors.torch
import torch

from convert import ConvertError, convert_checkpoint, convert_state_dict

NETS = """
import torch
from torch import nn

def Square():
    return nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6))

def Mixed():
    return nn.ModuleDict({"norm": nn.BatchNorm1d(6), "square": nn.Linear(6, 6), "fc": nn.Linear(6, 4), "a": nn.MultiheadAttention(6, 2)})
"""


def nets() -> dict:
    held: dict = {}
    exec(NETS, held)
    return held


READ = {".safetensors": safetensors.torch.load_file, ".pth": torch.load, ".pt": torch.load}


@pytest.fixture
def square() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return nets()["Square"]().state_dict()


def equal(path, state) -> bool:
    got = READ[path.suffix](path)
    return got.keys() == state.keys() and all(torch.equal(got[name], state[name]) for name in state)


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".safetensors"])
def test_what_this_tool_wrote_is_copied_when_it_is_converted_again(tmp_path, suffix):
    paddle.save(
        paddle.nn.Sequential(*(paddle.nn.Linear(6, 6) for _ in range(2))).state_dict(),
        str(tmp_path / "m.pdparams"),
    )
    module = nets()["Square"]()
    first = convert_checkpoint(tmp_path / "m.pdparams", tmp_path / f"a{suffix}", target=module)
    again = convert_checkpoint(first.target, tmp_path / f"b{suffix}", target=module)
    assert equal(again.target, READ[first.target.suffix](first.target))
    assert not any("transpose" in move.transform for move in again.plan.moves)
    assert any("torch's own layout" in note and "--layout paddle" in note for note in again.notes)


def test_a_whole_model_is_refused_and_told_what_to_save(tmp_path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "net.pth")
    with pytest.raises(
        ConvertError, match=r"nothing was executed; where the whole model was saved, save its state_dict\(\)"
    ):
        convert_checkpoint(tmp_path / "net.pth", tmp_path / "out.pth", target=torch.nn.Linear(2, 2))


def test_a_whole_state_dict_of_torch_is_copied_whatever_its_layers(tmp_path):
    torch.manual_seed(0)
    module = nets()["Mixed"]()
    torch.save(module.state_dict(), tmp_path / "m.pth")
    report = convert_checkpoint(tmp_path / "m.pth", tmp_path / "x.safetensors", target=module)
    assert equal(
        report.target, module.state_dict()
    )  # statistics and counters under torch's names, attention in one piece


def test_a_registered_model_reads_its_sizes_from_a_torch_file(tmp_path):
    from torch_models.lenet import lenet

    state = lenet(num_classes=7).state_dict()
    torch.save(state, tmp_path / "m.pth")
    for options in ({}, {"model": "lenet"}):
        report = convert_checkpoint(tmp_path / "m.pth", tmp_path / "x.pth", force=True, **options)
        assert equal(report.target, state)


def test_without_a_target_a_torch_file_is_copied(tmp_path, square):
    torch.save(square, tmp_path / "m.pth")
    report = convert_checkpoint(tmp_path / "m.pth", tmp_path / "x.pth")
    assert equal(report.target, square)


@pytest.mark.parametrize("metadata", [{"format": "pt"}, {"tool": "paddle2torch 1.0"}])
def test_metadata_tells_whose_layout_a_safetensors_is_in(tmp_path, square, metadata):
    safetensors.torch.save_file(square, tmp_path / "m.safetensors", metadata)
    assert equal(
        convert_checkpoint(tmp_path / "m.safetensors", tmp_path / "x.pth", target=nets()["Square"]()).target,
        square,
    )


def test_square_matrices_of_an_unmarked_file_are_asked_about(tmp_path, square):
    safetensors.torch.save_file(square, tmp_path / "m.safetensors")
    module = nets()["Square"]()
    with pytest.raises(ConvertError, match=r"add --layout paddle.* or --layout torch") as caught:
        convert_checkpoint(tmp_path / "m.safetensors", tmp_path / "x.pth", target=module)
    assert "m.safetensors" in str(caught.value)
    assert not (tmp_path / "x.pth").exists()


@pytest.mark.parametrize("layout", ["paddle", "torch"])
def test_the_layout_that_is_said_is_the_one_that_counts(in_process, tmp_path, square, layout):
    safetensors.torch.save_file(square, tmp_path / "m.safetensors")
    (tmp_path / "nets.py").write_text(NETS)
    words = ("convert", "m.safetensors", "--torch", "nets.py:Square", "-o", "x.pth", "--layout", layout)
    done = in_process(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    wanted = {
        name: (value.T if layout == "paddle" and value.ndim == 2 else value) for name, value in square.items()
    }
    assert equal(tmp_path / "x.pth", wanted)


@pytest.mark.parametrize("order", ["paddle", "torch"])
def test_one_matrix_that_is_not_square_tells_the_order_of_an_unmarked_file(tmp_path, order):
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(6, 6), torch.nn.Linear(6, 4))
    state = module.state_dict()
    stored = {
        name: value.T.contiguous() if order == "paddle" and value.ndim == 2 else value
        for name, value in state.items()
    }
    safetensors.torch.save_file(stored, tmp_path / "m.safetensors")
    assert equal(
        convert_checkpoint(tmp_path / "m.safetensors", tmp_path / "x.pth", target=module).target, state
    )


def test_paddles_own_safetensors_with_statistics_is_paddles(tmp_path):
    layer = paddle.nn.Sequential(paddle.nn.Linear(6, 6), paddle.nn.BatchNorm1D(6))
    paddle.save(layer.state_dict(), str(tmp_path / "m.safetensors"), safetensors=True)
    module = torch.nn.Sequential(torch.nn.Linear(6, 6), torch.nn.BatchNorm1d(6))
    report = convert_checkpoint(tmp_path / "m.safetensors", tmp_path / "x.pth", target=module)
    np.testing.assert_array_equal(torch.load(report.target)["0.weight"].T, layer[0].weight.numpy())


def test_paddles_order_in_a_torch_file_is_refused_with_the_option(tmp_path):
    torch.save({"0.weight": torch.rand(6, 4), "0.bias": torch.rand(4)}, tmp_path / "m.pth")
    module = torch.nn.Sequential(torch.nn.Linear(6, 4))
    with pytest.raises(ConvertError, match="--layout paddle"):
        convert_checkpoint(tmp_path / "m.pth", tmp_path / "x.pth", target=module)


def test_torchs_order_in_a_paddle_file_is_refused_with_the_option(save, tmp_path):
    path = save({"0.weight": paddle.rand([4, 6]), "0.bias": paddle.rand([4])})
    module = torch.nn.Sequential(torch.nn.Linear(6, 4))
    with pytest.raises(ConvertError, match="--layout torch"):
        convert_checkpoint(path, tmp_path / "x.pth", target=module)


def test_a_pickle_with_torchs_names_and_square_matrices_is_asked_about(save, tmp_path):
    state = {"0.weight": np.ones((6, 6), "f4"), "0.bias": np.ones(6, "f4")}
    state |= {f"1.{role}": np.ones(6, "f4") for role in ("weight", "bias", "running_mean", "running_var")}
    module = torch.nn.Sequential(torch.nn.Linear(6, 6), torch.nn.BatchNorm1d(6))
    with pytest.raises(ConvertError, match="--layout"):
        convert_checkpoint(save(state), tmp_path / "x.pth", target=module)


def test_tensors_of_torch_in_memory_are_copied(square):
    module = nets()["Square"]()
    got = convert_state_dict(square, module)
    assert all(torch.equal(got[name], square[name]) for name in square)


def test_the_way_back_refuses_what_is_paddles_already(save, tmp_path):
    path = save(paddle.nn.Sequential(*(paddle.nn.Linear(6, 6) for _ in range(2))).state_dict())
    with pytest.raises(ConvertError, match="is in Paddle's layout already"):
        convert_checkpoint(path, tmp_path / "x.pdparams", target=nets()["Square"]())


def test_a_torch_file_is_no_checkpoint_for_the_paddle_side_of_a_proof(in_process, tmp_path, square):
    torch.save(square, tmp_path / "m.pth")
    (tmp_path / "nets.py").write_text(NETS)
    (tmp_path / "ours.py").write_text(
        "from paddle import nn\ndef Square():\n    return nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6))\n"
    )
    words = (
        "parity",
        "--paddle",
        "ours.py:Square",
        "--torch",
        "nets.py:Square",
        "--weights",
        "m.pth",
        "--shape",
        "2,6",
    )
    done = in_process(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert "m.pth" in done.stderr
    assert "torch's own layout" in done.stderr
    assert "-o m.pdparams" in done.stderr
