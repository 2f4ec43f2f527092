"""Folders as Paddle 1.x saved them: a file for every parameter, or `__params__` beside `__model__`."""

from __future__ import annotations

import shutil

import numpy as np
import paddle
import pytest
import torch

from convert import ConvertError, convert_checkpoint, open_checkpoint
from convert.plan.plan import Options

NAMES = {
    "conv1_weights": (8, 3, 3, 3),
    "bn_conv1_scale": (8,),
    "bn_conv1_offset": (8,),
    "bn_conv1_mean": (8,),
    "bn_conv1_variance": (8,),
    "fc_0.w_0": (8, 5),
    "fc_0.b_0": (5,),
}


def stored(array: np.ndarray) -> bytes:
    """One tensor as Paddle's save operators write it (facts: u32 0, u64 0, u32 0, i32 length, protobuf, data)."""
    description = b"\x08\x05" + b"".join(b"\x10" + bytes([size]) for size in array.shape)
    head = bytes(4) + bytes(8) + bytes(4) + len(description).to_bytes(4, "little")
    return head + description + array.tobytes()


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    state = {name: rng.random(shape, dtype="float32") for name, shape in NAMES.items()}
    place = tmp_path / "model"
    place.mkdir()
    for name, array in state.items():
        (place / name).write_bytes(stored(array))
    return place, state


def test_a_file_for_every_parameter_is_a_checkpoint(folder, tmp_path):
    place, state = folder
    (place / "__model__").write_bytes(b"a program")
    with open_checkpoint(place) as checkpoint:
        assert set(checkpoint) == set(state)
        for name, array in state.items():
            np.testing.assert_array_equal(checkpoint[name].numpy(), array)
    target = torch.nn.ModuleDict(
        {"c": torch.nn.Conv2d(3, 8, 3, bias=False), "n": torch.nn.BatchNorm2d(8), "f": torch.nn.Linear(8, 5)}
    )
    report = convert_checkpoint(place, tmp_path / "x.pth", target=target, options=Options(match="structure"))
    got = torch.load(report.target)
    np.testing.assert_array_equal(got["f.weight"].numpy(), state["fc_0.w_0"].T)
    np.testing.assert_array_equal(got["n.running_mean"].numpy(), state["bn_conv1_mean"])
    target.load_state_dict(got, strict=True)


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_such_a_folder_is_read_inside_of_an_archive(folder, tmp_path, kind):
    place, state = folder
    (place / "__model__").write_bytes(b"a program")
    archive = shutil.make_archive(str(tmp_path / "packed"), kind, tmp_path, "model")
    with open_checkpoint(archive) as checkpoint:
        assert set(checkpoint) == set(state)
        for name, array in state.items():
            np.testing.assert_array_equal(checkpoint[name].numpy(), array)


def test_a_damaged_parameter_is_named(folder):
    place, _ = folder
    whole = (place / "fc_0.w_0").read_bytes()
    (place / "fc_0.w_0").write_bytes(whole[:-4])
    with pytest.raises(ConvertError, match=r"fc_0\.w_0: the file is cut off"):
        open_checkpoint(place)
    (place / "fc_0.w_0").write_bytes(whole + whole)
    with pytest.raises(ConvertError, match=r"fc_0\.w_0 holds 2 tensors, and is named like one parameter"):
        open_checkpoint(place)


def test_parameters_together_get_their_names_from_the_program(tmp_path):
    paddle.enable_static()
    try:
        main, start = paddle.static.Program(), paddle.static.Program()
        with (
            paddle.pir_utils.OldIrGuard(),
            paddle.static.program_guard(paddle.static.Program(), paddle.static.Program()),
        ):
            x = paddle.static.data("x", [1, 4], "float32")
            y = paddle.static.nn.fc(x, 3)
            executor = paddle.static.Executor()
            executor.run(paddle.static.default_startup_program())
            paddle.static.save_inference_model(str(tmp_path / "net"), [x], [y], executor)
    finally:
        paddle.disable_static()
    del main, start
    place = tmp_path / "old"
    place.mkdir()
    (tmp_path / "net.pdmodel").rename(place / "__model__")
    (tmp_path / "net.pdiparams").rename(place / "__params__")
    with open_checkpoint(place) as checkpoint:
        assert {name.partition(".")[2]: ref.shape for name, ref in checkpoint.items()} == {
            "w_0": (4, 3),
            "b_0": (3,),
        }


def test_any_other_folder_still_says_what_it_lacks(tmp_path):
    (tmp_path / "readme.txt").write_text("hello")
    with pytest.raises(ConvertError, match="a directory without"):
        open_checkpoint(tmp_path)
