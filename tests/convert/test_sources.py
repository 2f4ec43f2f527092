"""Weights exported for inference, old static files, directories; and names that must be found."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import paddle
import pytest
import torch

from convert import ConvertError, Layout, Slot, convert_checkpoint, open_checkpoint, plan_conversion
from convert.plan.plan import Options

OLD = """
import sys, warnings; warnings.simplefilter("ignore")
import numpy as np, paddle
paddle.enable_static()
class Net(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv = paddle.nn.Conv2D(1, 2, 3); self.norm = paddle.nn.BatchNorm2D(2); self.fc = paddle.nn.Linear(8, 8)
    def forward(self, x):
        return self.fc(paddle.flatten(self.norm(self.conv(x)), 1))
program, start = paddle.static.Program(), paddle.static.Program()
with paddle.static.program_guard(program, start):
    x = paddle.static.data("x", [None, 1, 4, 4]); net = Net(); net.eval(); y = net(x)
    executor = paddle.static.Executor(paddle.CPUPlace()); executor.run(start)
    paddle.static.save_inference_model(sys.argv[1] + "/old", [x], [y], executor, program=program)
    paddle.static.save(program, sys.argv[1] + "/static")
    scope = paddle.static.global_scope()
    names = [p.name for p in program.all_parameters()]
    np.savez(sys.argv[1] + "/expected.npz", **{n: np.array(scope.find_var(n).get_tensor()) for n in names})
"""


class TorchNet(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Conv2d(1, 2, 3)
        self.second = torch.nn.BatchNorm2d(2)
        self.third = torch.nn.Linear(8, 8)


@pytest.fixture(scope="module")
def old(tmp_path_factory) -> Path:
    """A folder with a program of the old format, its weights in two forms, and what they are."""
    folder = tmp_path_factory.mktemp("old")
    environment = {**os.environ, "FLAGS_enable_pir_api": "0"}
    subprocess.run([sys.executable, "-c", OLD, str(folder)], check=True, capture_output=True, env=environment)
    return folder


@pytest.fixture
def exported(tmp_path, everything) -> tuple[Path, paddle.nn.Layer]:
    """A LeNet exported in today's format."""
    from paddle_models.lenet import lenet

    layer = lenet(num_classes=10)
    layer.eval()
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        paddle.jit.save(
            layer, str(tmp_path / "net"), input_spec=[paddle.static.InputSpec([None, 1, 28, 28], "float32")]
        )
    return tmp_path / "net.pdiparams", layer


def test_weights_of_the_new_program_format_get_the_programs_names(exported):
    path, layer = exported
    with open_checkpoint(path) as checkpoint:
        assert checkpoint.format == "pdiparams"
        by_name = {tensor.name: tensor.numpy() for tensor in layer.state_dict().values()}
        assert set(checkpoint) == set(by_name)
        for name, expected in by_name.items():
            np.testing.assert_array_equal(checkpoint[name].numpy(), expected, strict=True)


@pytest.mark.parametrize("name", ["old.pdiparams", "old.pdmodel", "static.pdparams"])
def test_the_old_formats_are_read_bit_by_bit(old, name):
    with np.load(old / "expected.npz") as expected, open_checkpoint(old / name) as checkpoint:
        assert set(expected) <= set(checkpoint)
        for key in expected:
            np.testing.assert_array_equal(checkpoint[key].numpy(), expected[key], strict=True)


def test_exported_weights_without_a_program_need_names(exported, tmp_path):
    path, _ = exported
    with open_checkpoint(path) as checkpoint:
        names = list(checkpoint)
    alone = tmp_path / "alone.pdiparams"
    alone.write_bytes(path.read_bytes())
    with pytest.raises(ConvertError, match=r"alone\.json or alone\.pdmodel beside it, or give .* --names"):
        open_checkpoint(alone)
    with open_checkpoint(alone, names=names[::-1]) as checkpoint:
        assert list(checkpoint) == sorted(names)
    with pytest.raises(ConvertError, match=r"has 10 tensors, but --names gives 9 names$"):
        open_checkpoint(alone, names=names[1:])


def test_names_from_the_command_line(exported, tmp_path, in_process):
    path, _ = exported
    with open_checkpoint(path) as checkpoint:
        (tmp_path / "names.txt").write_text("\n".join(checkpoint))
    (tmp_path / "alone.pdiparams").write_bytes(path.read_bytes())
    done = in_process("convert", "alone.pdiparams", "--names", "names.txt", "-o", "x.pth", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    converted = torch.load(tmp_path / "x.pth", weights_only=True)
    assert (120, 400) in [
        tuple(tensor.shape) for name, tensor in converted.items() if name.endswith(".weight")
    ]


@pytest.mark.parametrize("suffix", ["pdiparams", "json"])
def test_every_truncation_of_an_export_is_reported(exported, tmp_path, suffix):
    path, _ = exported
    whole = path.with_suffix("." + suffix).read_bytes()
    short = whole[: 3000 if suffix == "pdiparams" else len(whole)]
    (tmp_path / "cut.json").write_bytes(path.with_suffix(".json").read_bytes())
    (tmp_path / "cut.pdiparams").write_bytes(path.read_bytes())
    for length in range(0, len(short), 1 if suffix == "pdiparams" else 37):
        (tmp_path / f"cut.{suffix}").write_bytes(whole[:length])
        with pytest.raises(ConvertError, match=r"cut\."):
            open_checkpoint(tmp_path / "cut.pdiparams")


def test_exported_weights_find_their_torch_layers_by_structure(exported, tmp_path):
    path, layer = exported
    with pytest.raises(ConvertError, match=r"10 missing, 10 extra"):
        convert_checkpoint(path, tmp_path / "x.pth", model="lenet")
    report = convert_checkpoint(path, tmp_path / "x.pth", model="lenet", options=Options(match="structure"))
    assert {move.found_by for move in report.plan.moves} == {"structure"}
    converted = torch.load(report.target, weights_only=True)
    for name, tensor in layer.state_dict().items():
        expected = tensor.numpy().T if tensor.ndim == 2 else tensor.numpy()
        np.testing.assert_array_equal(converted[name].numpy(), expected)


def test_old_weights_find_their_torch_layers_by_structure(old, tmp_path):
    target = TorchNet()
    report = convert_checkpoint(
        old / "old.pdmodel", tmp_path / "x.pth", target=target, options=Options(match="structure")
    )
    target.load_state_dict(torch.load(report.target, weights_only=True), strict=True)
    with np.load(old / "expected.npz") as expected:
        np.testing.assert_array_equal(target.third.weight.detach().numpy(), expected["linear_0.w_0"].T)
        np.testing.assert_array_equal(target.second.running_var.numpy(), expected["batch_norm2d_0.w_2"])


def linears(*names: str) -> Layout:
    return Layout(tuple(Slot(f"{name}.weight", (4, 4), "Linear", "weight") for name in names), "test")


def test_layers_that_hold_the_same_are_shown_and_not_guessed():
    source = {f"linear_{i}.w_0": np.zeros((4, 4), "f4") for i in (0, 1)}
    plan = plan_conversion(source, linears("left", "right"), Options(match="structure"))
    assert not plan.moves
    with pytest.raises(ConvertError, match=r"linear_0 could be any of: left, right; say which with a rule"):
        plan.require()


def test_order_of_definition_is_used_only_when_asked_for_and_said():
    source = {f"linear_{i}.w_0": np.zeros((4, 4), "f4") for i in (0, 1, 10, 2)}
    plan = plan_conversion(source, linears("a", "b", "c", "d"), Options(match="order")).require()
    assert {move.target: move.source for move in plan.moves} == {
        "a.weight": "linear_0.w_0",
        "b.weight": "linear_1.w_0",
        "c.weight": "linear_2.w_0",
        "d.weight": "linear_10.w_0",
    }
    assert {move.found_by for move in plan.moves} == {"order of definition"}
    assert "confirm with `paddle2torch parity --weights CHECKPOINT --rules FILE`" in plan.notes[0]


def test_a_square_linear_is_not_matched_with_an_embedding():
    target = Layout((Slot("table.weight", (4, 4), "Embedding", "weight"),), "test")
    plan = plan_conversion({"linear_0.w_0": np.zeros((4, 4), "f4")}, target, Options(match="order"))
    assert not plan.moves


def test_a_directory_stands_for_its_only_checkpoint(everything, save, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    with pytest.raises(ConvertError, match=r"a directory without"):
        open_checkpoint(folder)
    paddle.save(everything.state_dict(), str(folder / "model.pdparams"))
    paddle.save({"x": 1}, str(folder / "model.pdopt"))
    with open_checkpoint(folder) as checkpoint:
        assert checkpoint.path.name == "model.pdparams"
    paddle.save(everything.state_dict(), str(folder / "second.pdparams"))
    with pytest.raises(
        ConvertError, match=r"several checkpoints; name one of: model\.pdparams, second\.pdparams"
    ):
        open_checkpoint(folder)


def test_optimizer_state_can_be_inspected(save, tmp_path):
    layer = paddle.nn.Linear(2, 3)
    optimizer = paddle.optimizer.Adam(
        parameters=layer.parameters(), learning_rate=paddle.optimizer.lr.StepDecay(0.1, 3)
    )
    layer(paddle.ones([1, 2])).sum().backward()
    optimizer.step()
    with open_checkpoint(save(optimizer.state_dict(), name="net.pdopt")) as checkpoint:
        assert f"{layer.weight.name}_moment1_0" in checkpoint
        assert checkpoint.extras["LR_Scheduler"] == {"last_epoch": 0, "last_lr": 0.1}
