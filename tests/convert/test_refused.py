"""What a reader refuses because a tensor would be lost, doubled or misread without a word."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from convert import ConvertError, open_checkpoint
from convert.errors import SENTENCE_MOST
from tests.fuzz.bombs import TENSOR_DATA, pickled, safetensors, torch_tensor, torch_zip

ONES = np.ones(2, "f4")
WHOLE = np.arange(6, dtype="f4")
SLICES = {"OriginShape": (2, 3), "slices": ["v@@.0", "v@@.1"]}
PARTS = {"v@@.0": WHOLE[:3], "v@@.1": WHOLE[3:]}


def entry(shape: str, begin: object, end: object) -> str:
    return f'{{"dtype":"F32","shape":{shape},"data_offsets":[{begin},{end}]}}'


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1: ONES, "1": ONES + 1}, "two entries are called '1'"),
        ({"model": {None: ONES, "None": ONES + 1}}, "two entries are called 'None'"),
        ({1: 2, "1": ONES}, "two entries are called '1'"),
        ({**PARTS, "v": WHOLE, "UnpackBigParamInfor@@": {"v": SLICES}}, "'v' both whole and in slices"),
        ({"w": ONES, "UnpackBigParamInfor@@": {"v": SLICES}}, "the slice 'v@@.0' of 'v' is missing"),
        ({**PARTS, "UnpackBigParamInfor@@": {"v": SLICES, "x": SLICES}}, "is a slice of two arrays"),
        (
            {**PARTS, "UnpackBigParamInfor@@": {"v": {"slices": ["v@@.0"]}}},
            "says of the slices of 'v' is wrong",
        ),
        (
            {**PARTS, "UnpackBigParamInfor@@": {"v": {**SLICES, "OriginShape": (True, 6)}}},
            "says of the slices of 'v' is wrong",
        ),
        ({"a": {"b": {"w": ONES}}, "a.b": {"w": ONES + 1}}, "2 state dicts are at key 'a.b'"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickle_in_which_a_tensor_would_be_lost_is_refused(tmp_path, value, message, protocol):
    path = tmp_path / "net.pdparams"
    path.write_bytes(pickle.dumps(value, protocol))
    with pytest.raises(ConvertError, match=message):
        open_checkpoint(path, key="a.b" if "a.b" in value else None)


def test_a_key_that_stands_twice_in_a_pickle_is_refused(tmp_path):
    path = tmp_path / "net.pdparams"
    path.write_bytes(pickled(("w", b"K\x01"), ("w", b"K\x02")))
    with pytest.raises(ConvertError, match="the key 'w' stands twice"):
        open_checkpoint(path)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (f'{{"w":{entry("[1]", 0, 4)},"w":{entry("[1]", 4, 8)}}}', "its header has 'w' twice"),
        (f'{{"w":{entry("[1]", 0, 4)}}}', "4 bytes at its end belong to no tensor"),
        (f'{{"w":{entry("[1]", 4, 8)}}}', "leave bytes between them that belong to none"),
        (f'{{"w":{entry("[true,2]", 0, 8)}}}', "the entry of tensor 'w' is wrong"),
        (f'{{"w":{entry("[" + "1," * 40 + "2]", 0, 8)}}}', "the entry of tensor 'w' is wrong"),
        (f'{{"\\ud800":{entry("[2]", 0, 8)}}}', "not a name"),
    ],
)
def test_a_safetensors_header_in_which_something_would_be_lost_is_refused(tmp_path, header, message):
    path = tmp_path / "net.safetensors"
    path.write_bytes(safetensors(header, 8))
    with pytest.raises(ConvertError, match=message):
        open_checkpoint(path)


def test_tensors_of_one_storage_may_be_parts_of_it_and_eight_times_all_of_it(tmp_path):
    path = tmp_path / "net.pth"
    flat = torch.arange(1000.0)
    torch.save({f"w{i}": flat[10 * i : 10 * i + 10] for i in range(100)}, path)
    with open_checkpoint(path) as checkpoint:
        assert checkpoint["w99"].numpy()[-1] == 999
    torch.save({f"w{i}": flat for i in range(8)}, path)
    assert len(open_checkpoint(path)) == 8
    torch.save({f"w{i}": flat[:400] for i in range(21)}, path)
    with pytest.raises(ConvertError, match="more than 8 times its bytes"):
        open_checkpoint(path)


def test_every_cut_of_a_zip64_archive_is_reported(tmp_path, save_zip64):
    data = save_zip64.read_bytes()
    with open_checkpoint(save_zip64) as checkpoint:
        assert checkpoint["w"].numpy().tolist() == [1.0] * 100
    path = tmp_path / "cut.pth"
    start = data.index(b"PK\x01\x02")
    for at in range(start, len(data)):
        for cut in (data[:at], data[:at] + data[at + 8 :], data[:start] + data[at:]):
            if cut != data:
                path.write_bytes(cut)
                with contextlib.suppress(ConvertError), open_checkpoint(path) as checkpoint:
                    assert checkpoint["w"].numpy().tolist() == [1.0] * 100


@pytest.fixture
def save_zip64(tmp_path: Path) -> Path:
    """A `.pth` in which every number is in a zip64 record."""
    from convert.checkpoint.tensor import TensorRef
    from convert.write.place import Placement
    from convert.write.torch_zip import state_structure, write_torch

    path = tmp_path / "whole.pth"
    ref = TensorRef.of_array(np.ones(100, "f4"))
    items = [Placement("w", (100,), ref.kind, ref, "copy")]
    write_torch(path, items, state_structure(items), zip64_from=1)
    return path


def test_two_keys_of_a_torch_file_that_become_one_are_refused(tmp_path):
    path = tmp_path / "net.pth"
    torch.save({1: torch.ones(2), "1": torch.zeros(2)}, path)
    with pytest.raises(ConvertError, match="two entries are called '1'"):
        open_checkpoint(path)
    torch_zip(pickled(("w", torch_tensor(0, 1, 1))), s0=TENSOR_DATA)(path)
    assert len(open_checkpoint(path)) == 1


def test_what_is_no_regular_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.pdparams")
    (tmp_path / "link.pdparams").symlink_to("absent")
    for name, message in (
        ("pipe.pdparams", "not a regular file"),
        ("link.pdparams", "a link to a file that does not exist"),
        ("x" * 300, "File name too long"),
        ("a\0b", "null"),
        ("half\ud800", "half.ud800: cannot be opened"),
        ("line\nbreak", r"line\\nbreak: no such file"),
    ):
        with pytest.raises(ConvertError, match=message) as caught:
            open_checkpoint(tmp_path / name)
        assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "name", ["x" * 300, "sub/" * 900 + "x", "a\nb\x1b[31m"], ids=["long", "deep", "control"]
)
def test_a_message_is_one_sentence_whatever_the_name(tmp_path, name):
    for command in ("inspect", "convert"):
        words = [str(tmp_path / name), *(["-o", "out.pth"] if command == "convert" else [])]
        done = subprocess.run(
            [sys.executable, "-m", "paddle2torch", command, *words],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert done.stderr.endswith("\n")
        assert done.stderr[:-1].isprintable()
        assert len(done.stderr) < SENTENCE_MOST + 40
