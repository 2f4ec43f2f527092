"""Checkpoints in the archives in which people download them: read in place, nothing extracted, nothing outside touched."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile

import numpy as np
import paddle
import pytest
import torch

from convert import ConvertError, convert_checkpoint, open_checkpoint


@pytest.fixture
def weights(save):
    """A checkpoint with a matrix large enough for the copies of the kernel."""
    rng = np.random.default_rng(0)
    state = {"0.weight": rng.random((200, 300), dtype="float32"), "0.bias": rng.random(300, dtype="float32")}
    return save(state), state


def tar_of(path, members, mode="w"):
    with tarfile.open(path, mode) as tar:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))


LONG = "a-folder-with-a-name-of-some-length/" * 4 + "best_accuracy.pdparams"


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip", "stored zip", "gz", "long name", "pax"])
def test_a_checkpoint_in_an_archive_is_read_where_it_lies(weights, tmp_path, kind, monkeypatch):
    path, state = weights
    data = path.read_bytes()
    archive = tmp_path / f"x.{kind.split()[-1]}"
    name = LONG if kind in ("long name", "pax") else "net/best.pdparams"
    members = {"net/train.log": b"epoch 1", name: data, "net/best.pdopt": b"\x80\x04}."}
    if kind.endswith("zip"):
        with zipfile.ZipFile(
            archive, "w", zipfile.ZIP_STORED if "stored" in kind else zipfile.ZIP_DEFLATED
        ) as packed:
            for member, held in members.items():
                packed.writestr(member, held)
    elif kind == "gz":
        archive.write_bytes(gzip.compress(data))
    elif kind == "pax":
        with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    else:
        tar_of(archive, members, "w:gz" if kind == "tar.gz" else "w")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = sorted(tmp_path.rglob("*"))
    module = torch.nn.Sequential(torch.nn.Linear(200, 300))
    report = convert_checkpoint(archive, tmp_path / "x.pth", target=module)
    got = torch.load(report.target)
    np.testing.assert_array_equal(got["0.weight"].numpy(), state["0.weight"].T)
    np.testing.assert_array_equal(got["0.bias"].numpy(), state["0.bias"])
    assert sorted(tmp_path.rglob("*")) == sorted([*before, tmp_path / "x.pth"])


def test_an_export_in_a_tar_finds_its_program_there(tmp_path):
    net = paddle.nn.Sequential(paddle.nn.Conv2D(3, 4, 3), paddle.nn.BatchNorm2D(4))
    net.eval()
    paddle.jit.save(net, str(tmp_path / "inference"), [paddle.static.InputSpec([1, 3, 8, 8], "float32")])
    files = {f"rec/{path.name}": path.read_bytes() for path in tmp_path.glob("inference.*")}
    tar_of(tmp_path / "x.tar", files)
    with open_checkpoint(tmp_path / "x.tar") as inside, open_checkpoint(tmp_path / "inference") as outside:
        assert sorted(inside) == sorted(outside)
        for name in outside:
            np.testing.assert_array_equal(inside[name].numpy(), outside[name].numpy())


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"a.pdparams": b"1", "b.pdparams": b"2"},
            "holds several checkpoints .a.pdparams, b.pdparams.; unpack the one to read",
        ),
        ({"readme.txt": b"1"}, "a tar archive without a checkpoint: it holds readme.txt"),
        ({"a.pth": b"PK\x03\x04" + bytes(600)}, "is an archive itself"),
    ],
)
def test_an_archive_without_one_checkpoint_says_what_it_holds(tmp_path, members, words):
    tar_of(tmp_path / "x.tar", members)
    with pytest.raises(ConvertError, match=words):
        open_checkpoint(tmp_path / "x.tar")


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
def test_a_damaged_archive_is_one_sentence(weights, tmp_path, kind):
    path, _ = weights
    archive = tmp_path / f"x.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.write(path, "net.pdparams")
    else:
        tar_of(archive, {"net.pdparams": path.read_bytes()}, "w:gz" if kind == "tar.gz" else "w")
    whole = archive.read_bytes()
    for cut in (600, len(whole) // 2):
        archive.write_bytes(whole[:cut])
        with pytest.raises(ConvertError, match=r"cut off|damaged"):
            open_checkpoint(archive)


def test_names_in_an_archive_are_no_paths(weights, tmp_path):
    path, state = weights
    for name in ("../../outside.pdparams", "/etc/outside.pdparams"):
        tar_of(tmp_path / "x.tar", {name: path.read_bytes()})
        with open_checkpoint(tmp_path / "x.tar") as checkpoint:
            assert set(checkpoint) == set(state)


@pytest.mark.parametrize("key", [None, "model"])
def test_a_torch_file_of_before_1_6_is_read_as_torch_reads_it(tmp_path, key):
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(6, 6), torch.nn.BatchNorm1d(6), torch.nn.Linear(6, 4).half())
    state = module.state_dict()
    state["tied"] = state["0.weight"]
    saved = state if key is None else {"model": state, "epoch": 3}
    torch.save(saved, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    with open_checkpoint(tmp_path / "old.pth", key=key) as checkpoint:
        assert list(checkpoint) == list(state)
        for name, value in state.items():
            np.testing.assert_array_equal(checkpoint[name].numpy(), value.numpy())
    if key is None:
        del state["tied"]
        torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
        report = convert_checkpoint(tmp_path / "old.pth", tmp_path / "new.pth", target=module)
        assert all(torch.equal(torch.load(report.target)[name], value) for name, value in state.items())


def test_a_damaged_torch_file_of_before_1_6_is_one_sentence(tmp_path):
    torch.save({"w": torch.rand(50)}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    whole = (tmp_path / "old.pth").read_bytes()
    for cut in range(20, len(whole), 37):
        (tmp_path / "old.pth").write_bytes(whole[:cut])
        with pytest.raises(ConvertError):
            open_checkpoint(tmp_path / "old.pth")


def test_inspect_shows_a_file_without_tensors_and_a_conversion_says_there_are_none(
    in_process, save, tmp_path
):
    schedule = {"LR_Scheduler": {"last_epoch": 30, "last_lr": 0.01}}
    save(schedule, name="net.pdopt")
    save({"epoch": 30, "best_model_epoch": 12, "metric": {"acc": 0.9}}, name="latest.states")
    for name, words in (("net.pdopt", "last_epoch"), ("latest.states", "also in the file: epoch = 30")):
        done = in_process("inspect", name, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert words in done.stdout
        assert "0 tensors" in done.stdout
    done = in_process("inspect", "latest.states", "--json", cwd=tmp_path)
    assert '"best_model_epoch": 12' in done.stdout
    done = in_process("convert", "latest.states", "-o", "x.pth", cwd=tmp_path)
    assert done.returncode == 2
    assert "holds no tensors" in done.stderr
