"""Folders of checkpoints and sharded targets."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path

import paddle
import pytest
import safetensors.torch
import torch

from convert import ConvertError, convert_checkpoint, open_checkpoint
from convert.apply.folder import convert_folder


@pytest.fixture
def folder(tmp_path) -> Path:
    """Four checkpoints of which one is cut off, in two levels."""
    source = tmp_path / "in"
    (source / "deep").mkdir(parents=True)
    for name in ("a", "b", "deep/c"):
        paddle.save(paddle.nn.Linear(20, 30).state_dict(), str(source / f"{name}.pdparams"))
    data = (source / "a.pdparams").read_bytes()
    (source / "bad.pdparams").write_bytes(data[: len(data) // 2])
    return source


def files(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


def test_a_folder_is_converted_and_a_bad_checkpoint_stops_nothing(folder, tmp_path, in_process):
    done = in_process("convert", folder, "--out", "out", "--format", "pth", cwd=tmp_path)
    assert done.returncode == 1
    assert "3 of 4 checkpoints converted" in done.stdout
    rows = [line for line in done.stdout.splitlines() if ".pdparams" in line]
    assert ["FAILED" in row for row in rows] == [False, False, True, False]
    assert all(word in done.stdout for word in ("checkpoint", "tensors", "MB", "seconds", "out/deep/c.pth"))
    assert "bad.pdparams: the file is cut off" in done.stderr
    assert files(tmp_path / "out") == ["a.pth", "b.pth", "deep/c.pth"]
    assert torch.load(tmp_path / "out/deep/c.pth", weights_only=True)["weight"].shape == (30, 20)


def test_a_folder_without_bad_checkpoints_is_exit_code_0(folder, tmp_path, in_process):
    (folder / "bad.pdparams").unlink()
    done = in_process("convert", folder, "-o", tmp_path / "out", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [Path(row["target"]).name for row in json.loads(done.stdout)] == [
        "a.safetensors",
        "b.safetensors",
        "c.safetensors",
    ]


def test_what_is_meant_for_one_checkpoint_is_refused_for_a_folder(folder, tmp_path, in_process):
    for words in (
        ["--pdopt", "a.pdopt"],
        ["--match", "run"],
        ["--names", "n.txt"],
        ["--save-rules", "r.toml"],
    ):
        done = in_process("convert", folder, "-o", "out", *words, cwd=tmp_path)
        assert done.returncode == 2
        assert f"{' '.join(words[:2]) if words[0] == '--match' else words[0]} is for a single" in done.stderr
    done = in_process("convert", folder, "-o", "out", "--jobs", "0", cwd=tmp_path)
    assert done.returncode == 2
    assert "at least one checkpoint at a time" in done.stderr


def test_a_folder_without_checkpoints_is_wrong_input(tmp_path, in_process):
    (tmp_path / "empty").mkdir()
    done = in_process("convert", "empty", "-o", "out", cwd=tmp_path)
    assert done.returncode == 2
    assert "no .pdparams or .pdiparams file in it" in done.stderr
    assert not (tmp_path / "out").exists()


def test_two_checkpoints_that_would_become_one_file_are_both_bad(folder, tmp_path):
    (folder / "bad.pdparams").unlink()
    (folder / "a.pdiparams").write_bytes(b"")
    outcomes = convert_folder(folder, tmp_path / "out", jobs=3)
    assert [outcome.report is None for outcome in outcomes] == [True, True, False, False]
    assert "would become" in outcomes[0].error


def test_one_bad_file_never_ends_a_run(folder, tmp_path, monkeypatch):
    from convert.apply import folder as module

    def broken(source: Path, *arguments: object, **options: object) -> object:
        if source.name == "a.pdparams":
            raise ZeroDivisionError("somewhere")
        return convert_checkpoint(source, *arguments, **options)

    os.mkfifo(folder / "pipe.pdparams")
    (folder / "nowhere.pdparams").symlink_to("absent")
    (folder / "text.pdiparams").write_text("text")
    monkeypatch.setattr(module, "convert_checkpoint", broken)
    outcomes = {outcome.source.name: outcome for outcome in convert_folder(folder, tmp_path / "out")}
    assert "not a regular file" in outcomes["pipe.pdparams"].error
    assert "a link to a file that does not exist" in outcomes["nowhere.pdparams"].error
    assert "not a Paddle checkpoint" in outcomes["text.pdiparams"].error
    assert isinstance(outcomes["a.pdparams"].crash, ZeroDivisionError)
    assert "a fault of paddle2torch: ZeroDivisionError: somewhere" in outcomes["a.pdparams"].error
    assert sum(outcome.report is not None for outcome in outcomes.values()) == 2


def test_a_fault_of_ours_in_a_folder_has_its_exit_code_when_the_others_are_converted(
    folder, tmp_path, monkeypatch, in_process
):
    from convert.apply import folder as module

    def broken(source: Path, *arguments: object, **options: object) -> object:
        if source.name == "a.pdparams":
            raise ZeroDivisionError("somewhere")
        return convert_checkpoint(source, *arguments, **options)

    monkeypatch.setattr(module, "convert_checkpoint", broken)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    done = in_process("convert", folder, "-o", "out", cwd=tmp_path)
    assert done.returncode == 4
    assert "please report it" in done.stderr
    assert files(tmp_path / "out") == ["b.safetensors", "deep/c.safetensors"]


def test_a_folder_that_cannot_be_read_is_a_bad_one(folder, tmp_path, monkeypatch):
    closed = folder / "closed"
    closed.mkdir()
    scan = os.scandir

    def refuse(path: object = ".") -> object:  # root may read everything, so the system's answer is played
        if str(path) == str(closed):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "scandir", refuse)
    outcomes = convert_folder(folder, tmp_path / "out")
    bad = next(outcome for outcome in outcomes if outcome.source == closed)
    assert bad.report is None
    assert "the folder cannot be read (Permission denied)" in bad.error
    assert sum(outcome.report is not None for outcome in outcomes) == 3


def test_ten_thousand_files_are_looked_through_in_seconds(tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(5000):
        for suffix in (".pdparams", ".pdiparams"):
            (tmp_path / "in" / f"{number:05}{suffix}").touch()
    started = time.process_time()
    outcomes = convert_folder(tmp_path / "in", tmp_path / "out")
    assert time.process_time() - started < 10
    assert len(outcomes) == 10_000
    assert all("would become" in outcome.error for outcome in outcomes)


def test_progress_ends_at_all_bytes(folder, tmp_path):
    seen: list[tuple[int, int]] = []
    convert_folder(folder, tmp_path / "out", on_progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] == sum(path.stat().st_size for path in folder.rglob("*.pdparams"))


@pytest.mark.parametrize(("size", "count"), [("700", 3), ("0.4KB", 4)])
def test_shards_and_their_index_hold_everything(
    everything, in_torch, save, tmp_path, in_process, size, count
):
    save(everything.state_dict())
    done = in_process(
        "convert", "net.pdparams", "-o", "out.safetensors", "--max-shard-size", size, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    index = json.loads((tmp_path / "out.safetensors.index.json").read_text())
    shards = sorted(tmp_path.glob("out-*.safetensors"))
    assert len(shards) == count
    assert re.fullmatch(rf"out-[0-9a-f]{{8}}-00001-of-{count:05}\.safetensors", shards[0].name)
    merged: dict[str, torch.Tensor] = {}
    for shard in shards:
        tensors = safetensors.torch.load_file(shard)
        assert all(index["weight_map"][name] == shard.name for name in tensors)
        merged |= tensors
    whole = convert_checkpoint(tmp_path / "net.pdparams", tmp_path / "whole.safetensors")
    expected = safetensors.torch.load_file(whole.target)
    assert merged.keys() == expected.keys()
    assert all(torch.equal(merged[name], expected[name]) for name in expected)
    assert index["metadata"]["total_size"] == sum(t.nbytes for t in expected.values())


@pytest.fixture
def shards(everything, in_torch, save, tmp_path) -> Path:
    """The index of a network in three shards, alone in a folder."""
    (tmp_path / "shards").mkdir()
    target = tmp_path / "shards" / "out.safetensors"
    convert_checkpoint(save(everything.state_dict()), target, target=in_torch, shard_bytes=700)
    return target.with_name("out.safetensors.index.json")


def test_shards_are_read_and_come_back(shards, everything, in_torch, tmp_path):
    folder = shards.parent
    for number, name in enumerate((shards, folder / "out.safetensors", folder)):
        back = convert_checkpoint(name, tmp_path / f"back{number}.pdparams", target=in_torch)
        assert everything.set_state_dict(paddle.load(str(back.target))) == ([], [])
    with open_checkpoint(shards) as checkpoint:
        assert checkpoint.facts.shape == "safetensors in 3 shards"
        first = checkpoint["fc.weight"]
    with pytest.raises(ConvertError, match="was closed"):
        first.numpy()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda index: index.pop("weight_map"), "it has no weight_map"),
        (lambda index: index["weight_map"].update({"fc.bias": 3}), "it has no weight_map"),
        (
            lambda index: index["weight_map"].update({"fc.bias": "../x.safetensors"}),
            "not the name of a .safetensors beside it",
        ),
        (
            lambda index: index.update(weight_map={"fc.bias": "out-00009-of-00003.safetensors"}),
            "out-00009-of-00003.safetensors: no such file .nearest: out-",
        ),
        (
            lambda index: index["weight_map"].update({"ghost": min(index["weight_map"].values())}),
            "-00001-of-00003.safetensors does not hold 'ghost'",
        ),
        (
            lambda index: index["weight_map"].pop("fc.bias"),
            "-of-00003.safetensors holds 'fc.bias', which the index does not list",
        ),
        (lambda index: index["weight_map"].clear(), "holds no tensors"),
    ],
)
def test_an_index_that_is_wrong_is_refused(shards, change, message):
    index = json.loads(shards.read_text())
    change(index)
    shards.write_text(json.dumps(index))
    with pytest.raises(ConvertError, match=message):
        open_checkpoint(shards)


def test_shard_sizes_and_formats_are_checked(everything, save, tmp_path, in_process):
    save(everything.state_dict())
    for target, size, message in (
        ("x.pth", "1GB", "only .safetensors"),
        ("x.safetensors", "big", "write a size like"),
    ):
        done = in_process("convert", "net.pdparams", "-o", target, "--max-shard-size", size, cwd=tmp_path)
        assert done.returncode == 2
        assert message in done.stderr
