"""The way back: what torch has becomes a .pdparams that Paddle takes whole, and round trips are exact."""

from __future__ import annotations

import importlib
import pickle
import zipfile
from pathlib import Path

import numpy as np
import paddle
import pytest
import safetensors.torch
import torch

from convert import ConvertError, convert_checkpoint, open_checkpoint
from convert.models.registry import find_model

from .conftest import Everything, torch_everything


@pytest.fixture(params=["pth", "safetensors"])
def torch_file(request, tmp_path) -> tuple[Path, torch.nn.Module]:
    """A torch module with random weights, and its state dict in a file written by torch's own writer."""
    torch.manual_seed(0)
    module = torch_everything()
    with torch.no_grad():
        for tensor in module.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape) + 0.5)
    path = tmp_path / f"net.{request.param}"
    if request.param == "pth":
        torch.save(module.state_dict(), path)
    else:
        safetensors.torch.save_file(module.state_dict(), path)
    return path, module


def test_paddle_takes_what_torch_had_with_nothing_missing_and_nothing_left(torch_file, tmp_path):
    path, module = torch_file
    report = convert_checkpoint(path, tmp_path / "net.pdparams", target=module)
    assert [drop.name for drop in report.plan.dropped] == ["norm.num_batches_tracked"]
    layer = Everything()
    assert layer.set_state_dict(paddle.load(str(report.target))) == ([], [])
    np.testing.assert_array_equal(layer.fc.weight.numpy(), module.fc.weight.detach().numpy().T)
    np.testing.assert_array_equal(layer.square.weight.numpy(), module.square.weight.detach().numpy().T)
    np.testing.assert_array_equal(layer.table.weight.numpy(), module.table.weight.detach().numpy())
    np.testing.assert_array_equal(layer.norm._variance.numpy(), module.norm.running_var.numpy())
    np.testing.assert_array_equal(
        layer.layer_norm.weight.numpy(), module.layer_norm.weight.detach().numpy().ravel()
    )


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize("name", ["lenet", "resnet50"])
def test_round_trips_are_bit_exact(save, tmp_path, name, suffix):
    module, factory = find_model(name).paddle_factory.split(":")
    layer = getattr(importlib.import_module(module), factory)(num_classes=7)
    source = save(layer.state_dict())
    there = convert_checkpoint(source, tmp_path / f"there.{suffix}", model=name)
    back = convert_checkpoint(there.target, tmp_path / "back.pdparams", model=name)
    with open_checkpoint(source) as one, open_checkpoint(back.target) as two:
        assert set(one) == set(two)
        for key in one:
            assert one[key].shape == two[key].shape
            assert one[key].numpy().tobytes() == two[key].numpy().tobytes()
    again = getattr(importlib.import_module(module), factory)(num_classes=7)
    assert again.set_state_dict(paddle.load(str(back.target))) == ([], [])


def test_every_type_goes_back(tmp_path):
    holder = torch.nn.Module()
    for number, dtype in enumerate(
        (torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.bool, torch.uint8)
    ):
        holder.register_buffer(f"x{number}", torch.arange(4).to(dtype))
    torch.save(holder.state_dict(), tmp_path / "x.pth")
    report = convert_checkpoint(tmp_path / "x.pth", tmp_path / "x.pdparams", target=holder)
    loaded = paddle.load(str(report.target))
    assert [str(tensor.dtype).rpartition(".")[2] for tensor in loaded.values()] == [
        "float16",
        "bfloat16",
        "float64",
        "int64",
        "bool",
        "uint8",
    ]
    assert loaded["x1"].astype("float32").tolist() == [0, 1, 2, 3]


def test_nested_torch_files_need_a_key_and_tied_or_column_major_tensors_are_fine(tmp_path):
    weight = torch.arange(6.0).reshape(2, 3)
    state = {"a.weight": weight, "b.weight": weight, "c.weight": weight.t().contiguous().t()}
    torch.save({"model": state, "ema": dict(state), "epoch": 3}, tmp_path / "x.pth")
    with pytest.raises(ConvertError, match=r"choose one with --key; there are: model, ema"):
        open_checkpoint(tmp_path / "x.pth")
    with open_checkpoint(tmp_path / "x.pth", key="ema") as checkpoint:
        for name in state:
            np.testing.assert_array_equal(checkpoint[name].numpy(), weight.numpy())


def test_a_file_of_a_big_endian_machine_is_refused(tmp_path):
    import zipfile

    torch.save({"w": torch.ones(2)}, tmp_path / "little.pth")
    with (
        zipfile.ZipFile(tmp_path / "little.pth") as little,
        zipfile.ZipFile(tmp_path / "big.pth", "w") as big,
    ):
        for name in little.namelist():
            big.writestr(name, b"big" if name.endswith("byteorder") else little.read(name))
    with pytest.raises(ConvertError, match=r"big-endian machine"):
        open_checkpoint(tmp_path / "big.pth")


def test_views_of_other_tensors_are_refused(tmp_path):
    torch.save({"x": torch.arange(12.0).reshape(3, 4)[:, ::2]}, tmp_path / "x.pth")
    with pytest.raises(ConvertError, match=r"strided view"):
        open_checkpoint(tmp_path / "x.pth")


def test_a_whole_pickled_module_is_refused(tmp_path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "x.pth")
    with pytest.raises(ConvertError, match=r"torch\.nn\.modules\.linear\.Linear.*nothing was executed"):
        open_checkpoint(tmp_path / "x.pth")


def test_damaged_archives_are_reported(tmp_path):
    torch.save({"x": torch.ones(5)}, tmp_path / "x.pth")
    data = (tmp_path / "x.pth").read_bytes()
    path = tmp_path / "cut.pth"
    for length in range(4, len(data), 7):
        path.write_bytes(data[:length])
        with pytest.raises(ConvertError, match=r"cut\.pth"):
            open_checkpoint(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}) * 50)
    with pytest.raises(ConvertError, match=r"compressed"):
        open_checkpoint(path)


def test_the_way_back_lists_what_does_not_fit(torch_file, tmp_path):
    path, module = torch_file
    module.fc = torch.nn.Linear(6, 7)
    module.more = torch.nn.Linear(1, 1)
    del module.slope
    with pytest.raises(ConvertError) as caught:
        convert_checkpoint(path, tmp_path / "net.pdparams", target=module)
    text = str(caught.value)
    assert "fc.weight is [7, 5] in the file and [7, 6] in the model" in text
    assert "missing: more.weight" in text
    assert "extra: slope.weight" in text
    assert not (tmp_path / "net.pdparams").exists()


def test_the_way_back_needs_the_layers(torch_file, tmp_path):
    path, _ = torch_file
    with pytest.raises(ConvertError, match=r"--model or --torch"):
        convert_checkpoint(path, tmp_path / "net.pdparams")
