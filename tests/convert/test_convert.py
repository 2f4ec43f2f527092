"""A converted file holds every Paddle tensor bit by bit after the stated transform, and torch loads it."""

from __future__ import annotations

import importlib
import json
import shutil
import struct
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest
import safetensors
import safetensors.torch
import torch

from convert import ConvertError, apply_transform, convert_checkpoint, convert_state_dict, open_checkpoint
from convert.models.layout import module_layout
from convert.models.registry import MODELS, find_model
from convert.plan.plan import Options
from convert.write.torch_zip import write_torch

from .conftest import fill


def load(path: Path) -> dict[str, torch.Tensor]:
    if path.suffix == ".safetensors":
        return safetensors.torch.load_file(path)
    return torch.load(path, weights_only=True)


def assert_bit_exact(report: Any, expected: dict[str, Any]) -> None:
    """Every tensor of the target is the transform of its Paddle tensor, by bits."""
    converted = load(report.target)
    assert list(converted) == list(report.plan.order) or report.format == "safetensors"
    assert {move.source for move in report.plan.moves} == set(expected)
    for move in report.plan.moves:
        wanted = np.asarray(apply_transform(np.asarray(expected[move.source]), move.transform), order="C")
        got = converted[move.target]
        got = (got.view(torch.uint16) if got.dtype == torch.bfloat16 else got).numpy()
        assert got.shape == wanted.shape == move.shape
        assert got.tobytes() == wanted.tobytes(), move.target


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_every_kind_of_layer_is_bit_exact_and_loads_strictly(
    everything, in_torch, save, tmp_path, protocol, suffix
):
    source = save(everything.state_dict(), protocol=protocol)
    report = convert_checkpoint(source, tmp_path / f"net.{suffix}", target=in_torch)
    assert_bit_exact(report, {name: tensor.numpy() for name, tensor in everything.state_dict().items()})
    in_torch.load_state_dict(load(report.target), strict=True)
    assert in_torch.norm.num_batches_tracked.item() == 0


@pytest.mark.parametrize(
    "name",
    [
        "lenet",
        pytest.param("vgg16", marks=pytest.mark.full),
        "googlenet",
        "resnet50",
        pytest.param("resnet101", marks=pytest.mark.full),
        pytest.param("resnet152", marks=pytest.mark.full),
    ],
)
def test_registered_models_are_bit_exact_with_neither_framework(name, save, tmp_path):
    spec = find_model(name)
    module, factory = spec.paddle_factory.split(":")
    sizes = {"num_classes": 3} if name != "vgg16" else {"num_classes": 3, "in_channels": 1}
    layer = getattr(importlib.import_module(module), factory)(**sizes)
    fill(layer)
    source = save(layer.state_dict(), protocol=2 if name == "resnet50" else 4)
    report = convert_checkpoint(source, tmp_path / "net.safetensors", model=name, **sizes)
    assert_bit_exact(report, {key: value.numpy() for key, value in layer.state_dict().items()})
    module, factory = spec.torch_factory.split(":")
    with torch.device("meta"):
        twin = getattr(importlib.import_module(module), factory)(**sizes)
    twin.load_state_dict(load(report.target), strict=True, assign=True)


def test_converting_a_registered_model_imports_no_framework(save, tmp_path):
    from paddle_models.lenet import lenet

    source = save(lenet().state_dict())
    code = (
        "import sys; from convert import convert_checkpoint\n"
        f"convert_checkpoint({str(source)!r}, {str(tmp_path / 'l.pth')!r}, model='lenet')\n"
        "assert not {'torch', 'paddle', 'safetensors', 'rich'} & set(sys.modules)\n"
    )
    subprocess.run([shutil.which("python3") and __import__("sys").executable, "-c", code], check=True)


def test_sizes_that_are_not_given_are_read_from_the_checkpoint(save, tmp_path):
    from paddle_models.lenet import lenet

    report = convert_checkpoint(save(lenet(num_classes=7).state_dict()), tmp_path / "l.pth", model="lenet")
    assert load(report.target)["fc3.weight"].shape == (7, 84)
    assert any("num_classes 7" in note for note in report.notes)


def test_the_metadata_says_where_a_file_came_from(everything, in_torch, save, tmp_path):
    source = save(everything.state_dict())
    report = convert_checkpoint(source, tmp_path / "net.safetensors", target=in_torch, sha256=True)
    with safetensors.safe_open(report.target, "np") as opened:
        metadata = opened.metadata()
    assert metadata["source"] == "net.pdparams"
    assert metadata["source_size"] == str(source.stat().st_size)
    assert metadata["tool"].startswith("paddle2torch ")
    assert metadata["model"] == "EverythingInTorch"
    digest = subprocess.run(["sha256sum", source], capture_output=True, text=True, check=True).stdout.split()[
        0
    ]
    assert metadata["source_sha256"] == digest


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_arrays_of_every_type_survive(save, tmp_path, protocol, suffix):
    random = np.random.default_rng(0)
    tensors = {
        "half": paddle.to_tensor(random.standard_normal((3, 2)).astype("float16")),
        "double": paddle.to_tensor(random.standard_normal(3)),
        "brain": paddle.to_tensor(random.standard_normal(5).astype("float32")).astype("bfloat16"),
        "int8": paddle.to_tensor(np.arange(-3, 4, dtype="int8")),
        "uint8": paddle.to_tensor(np.arange(7, dtype="uint8")),
        "int64": paddle.to_tensor(np.array(2**40)),
        "bool": paddle.to_tensor(np.array([True, False, True])),
        "complex": paddle.to_tensor(random.standard_normal(3).astype("complex64")),
        "empty": paddle.zeros([0, 3]),
        "nan": paddle.to_tensor(np.array([np.nan, np.inf, -0.0], "float32")),
    }
    report = convert_checkpoint(save(tensors, protocol=protocol), tmp_path / f"x.{suffix}")
    converted = load(report.target)
    assert {name: str(tensor.dtype) for name, tensor in converted.items()} == {
        "half": "torch.float16",
        "double": "torch.float64",
        "brain": "torch.bfloat16",
        "int8": "torch.int8",
        "uint8": "torch.uint8",
        "int64": "torch.int64",
        "bool": "torch.bool",
        "complex": "torch.complex64",
        "empty": "torch.float32",
        "nan": "torch.float32",
    }
    assert_bit_exact(report, {name: tensor.numpy() for name, tensor in tensors.items()})


SHAPES = [
    (1, 1),
    (1, 300),
    (300, 1),
    (257, 255),
    (1000, 33),
    (33, 1000),
    (530, 701),
    (3, 2_000_000),
    (1_500_000, 4),
    (2100, 2048),
]


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_matrices_of_any_proportion_are_transposed_in_blocks(monkeypatch, save, tmp_path, protocol, dtype):
    from convert.write import transpose

    monkeypatch.setattr(transpose, "BLOCK_BYTES", 1 << 18)  # so that every way of cutting is taken
    monkeypatch.setattr(transpose, "GROUP_BYTES", 1 << 17)
    random = np.random.default_rng(0)
    shapes = SHAPES if dtype == "float32" and protocol == 4 else SHAPES[:7]
    matrices = {f"{r}x{c}": random.standard_normal((r, c)).astype("float32") for r, c in shapes}
    layers = torch.nn.ModuleDict()
    for name, matrix in matrices.items():
        layers[name] = torch.nn.Linear(*matrix.shape, bias=False, device="meta")
    tensors = {f"{name}.weight": paddle.to_tensor(matrix).astype(dtype) for name, matrix in matrices.items()}
    report = convert_checkpoint(save(tensors, protocol=protocol), tmp_path / "x.safetensors", target=layers)
    assert all(move.transform == "transpose" for move in report.plan.moves)
    assert_bit_exact(report, {name: tensor.numpy() for name, tensor in tensors.items()})


@pytest.mark.parametrize("target", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("source", ["float16", "bfloat16", "float32", "float64"])
def test_dtype_conversion_equals_torchs(save, tmp_path, source, target):
    random = np.random.default_rng(0)
    values = (random.standard_normal((300, 301)) * 10.0 ** random.integers(-12, 12, (300, 301))).astype(
        "float64"
    )
    values.flat[:6] = [np.nan, np.inf, -np.inf, -0.0, 65520.0, 1.00390625]
    made = paddle.to_tensor(values).astype(source)
    tensors = {"fc.weight": made, "steps": paddle.to_tensor([3])}
    holder = torch.nn.Module()
    holder.fc = torch.nn.Linear(300, 301, bias=False)
    holder.register_buffer("steps", torch.zeros(1, dtype=torch.int64))
    report = convert_checkpoint(save(tensors), tmp_path / "x.safetensors", target=holder, dtype=target)
    converted = load(report.target)
    assert converted["steps"].dtype == torch.int64
    bits = torch.from_numpy(made.numpy().copy())
    expected = (
        (bits.view(torch.bfloat16) if source == "bfloat16" else bits)
        .to(getattr(torch, target))
        .T.contiguous()
    )
    actual = converted["fc.weight"]
    assert actual.dtype == expected.dtype
    same = (actual == expected) | (actual.isnan() & expected.isnan())
    if source == "float64" and target != "float32":  # torch rounds twice there; ours must be the nearer one
        exact = bits.T
        assert same.float().mean() > 0.999
        same |= (actual.double() - exact).abs() < (expected.double() - exact).abs()
    assert same.all(), (~same).nonzero()[:5]
    assert torch.equal(actual.signbit() | actual.isnan(), expected.signbit() | expected.isnan())


def test_a_pth_file_is_a_clean_zip_that_torch_maps(everything, in_torch, save, tmp_path):
    report = convert_checkpoint(save(everything.state_dict()), tmp_path / "net.pth", target=in_torch)
    with zipfile.ZipFile(report.target) as archive:
        assert archive.testzip() is None
        for info in archive.infolist():
            if "/data/" in info.filename:
                header = Path(report.target).read_bytes()[info.header_offset :][:30]
                name, extra = struct.unpack("<HH", header[26:])
                assert (info.header_offset + 30 + name + extra) % 64 == 0
    if shutil.which("unzip"):
        assert (
            "No errors"
            in subprocess.run(
                ["unzip", "-t", report.target], capture_output=True, text=True, check=True
            ).stdout
        )
    mapped = torch.load(report.target, weights_only=True, mmap=True)
    for name, tensor in load(report.target).items():
        assert torch.equal(tensor, mapped[name])


def test_large_archives_use_the_64_bit_form(everything, save, tmp_path):
    from convert.apply.checkpoint import placements
    from convert.plan.planner import plan_conversion
    from convert.write.torch_zip import state_structure

    path = tmp_path / "large.pth"
    with open_checkpoint(save(everything.state_dict())) as checkpoint:
        items = placements(checkpoint, plan_conversion(checkpoint, None))
        write_torch(path, items, state_structure(items), zip64_from=100)  # as if 100 bytes were 4 GB
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
    assert torch.equal(load(path)["conv.weight"], torch.from_numpy(everything.conv.weight.numpy()))


def test_without_a_target_the_files_own_names_decide(everything, in_torch, save, tmp_path):
    report = convert_checkpoint(save(everything.state_dict()), tmp_path / "net.pth")
    transforms = {move.target: move.transform for move in report.plan.moves}
    assert transforms["square.weight"] == "transpose"
    assert transforms["table.weight"] == "copy"
    assert "norm.running_var" in transforms
    in_torch.load_state_dict(
        {k: v.reshape(in_torch.state_dict()[k].shape) for k, v in load(report.target).items()}, strict=True
    )


def test_without_a_target_unknown_layers_are_noted(save, tmp_path):
    report = convert_checkpoint(save({"x": paddle.ones([2, 2])}), tmp_path / "net.pth")
    assert any("nothing tells the layers of 1 tensor," in note for note in report.notes)


def test_convert_state_dict_takes_live_tensors_files_and_arrays(everything, in_torch, save):
    live = convert_state_dict(everything.state_dict(), in_torch)
    with open_checkpoint(save(everything.state_dict())) as checkpoint:
        from_file = convert_state_dict(checkpoint, in_torch)
    plain = convert_state_dict(
        {name: value.numpy() for name, value in everything.state_dict().items()}, in_torch
    )
    assert list(live) == list(from_file) == list(plain) == list(in_torch.state_dict())
    for name, tensor in live.items():
        assert torch.equal(tensor, from_file[name])
        assert torch.equal(tensor, plain[name])
    in_torch.load_state_dict(live, strict=True)


def test_converted_tensors_share_no_memory_with_their_source():
    source = {"fc.weight": np.ones((2, 3), "float32")}
    module = torch.nn.ModuleDict({"fc": torch.nn.Linear(2, 3, bias=False)})
    result = convert_state_dict(source, module)
    source["fc.weight"][:] = 7
    assert torch.equal(result["fc.weight"], torch.ones(3, 2))


def test_bfloat16_tensors_stay_bfloat16_in_memory():
    live = {"fc.weight": paddle.ones([2, 3]).astype("bfloat16")}
    module = torch.nn.ModuleDict({"fc": torch.nn.Linear(2, 3, bias=False)})
    result = convert_state_dict(live, module)
    assert result["fc.weight"].dtype == torch.bfloat16
    assert torch.equal(result["fc.weight"].float(), torch.ones(3, 2))


@pytest.mark.parametrize("name", sorted(MODELS))
def test_layout_data_and_live_module_agree(name):
    spec = find_model(name)
    module, factory = spec.torch_factory.split(":")
    with torch.device("meta"):
        live = module_layout(getattr(importlib.import_module(module), factory)(num_classes=5))
    from convert import registered_layout

    assert registered_layout(name, num_classes=5).slots == live.slots


def test_both_a_model_and_a_module_are_too_many(everything, in_torch, save, tmp_path):
    with pytest.raises(ConvertError, match=r"not both"):
        convert_checkpoint(save(everything.state_dict()), tmp_path / "x.pth", model="lenet", target=in_torch)


def test_reports_are_plain_json(everything, in_torch, save, tmp_path):
    report = convert_checkpoint(save(everything.state_dict()), tmp_path / "x.pth", target=in_torch)
    assert json.loads(json.dumps(report.to_json()))["plan"]["ok"] is True


def test_a_summary_lists_what_was_dropped_for_one_reason_together(everything, save, tmp_path):
    source = save(everything.state_dict())
    report = convert_checkpoint(source, tmp_path / "x.pth", options=Options(exclude=["norm.*"]))
    line = next(line for line in report.summary() if line.startswith("dropped: "))
    assert line == "dropped: norm.weight, norm.bias, norm._mean, norm._variance (excluded by norm.*)"
    report = convert_checkpoint(source, tmp_path / "y.pth", options=Options(exclude=["*.weight"]))
    line = next(line for line in report.summary() if line.startswith("dropped: "))
    assert line == "dropped: conv.weight, up.weight, norm.weight and 5 more (excluded by *.weight)"
    assert " kB in " in report.summary()[0]
