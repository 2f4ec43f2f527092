"""A target in shards takes the place of another as a whole, and nothing of the other stays."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from convert import ConvertError, convert_checkpoint, open_checkpoint
from convert.write.atomic import AtomicFile

NAMES = [f"l{number}.w" for number in range(4)]


@pytest.fixture
def checkpoint(tmp_path):
    """`checkpoint(value)` is a checkpoint of four matrices that hold `value`."""

    def make(value: float) -> Path:
        path = tmp_path / f"source{value}.pdparams"
        path.write_bytes(pickle.dumps({name: np.full((4, 4), value, "f4") for name in NAMES}, 4))
        return path

    (tmp_path / "out").mkdir()
    return make


def convert(source: Path, target: Path, shard: int | None, *, force: bool = False) -> None:
    convert_checkpoint(source, target, model="none", shard_bytes=shard, force=force)


def values(path: Path) -> set[float]:
    with open_checkpoint(path) as checkpoint:
        assert list(checkpoint) == NAMES
        return {float(value) for ref in checkpoint.values() for value in ref.numpy().flat}


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("before", [None, 64, 128])
@pytest.mark.parametrize("after", [None, 64, 128])
def test_what_replaces_a_target_leaves_nothing_of_it(checkpoint, tmp_path, before, after):
    target = tmp_path / "out" / "net.safetensors"
    convert(checkpoint(1.0), target, before)
    with pytest.raises(ConvertError, match="already exists; use --force"):
        convert(checkpoint(2.0), target, after)
    assert values(target) == {1.0}
    convert(checkpoint(2.0), target, after, force=True)
    assert values(target) == values(target.parent) == {2.0}
    count = {None: 1, 64: 5, 128: 3}[after]
    assert len(files(target.parent)) == count


def test_files_that_are_only_called_alike_stay(checkpoint, tmp_path):
    target = tmp_path / "out" / "net.safetensors"
    convert(checkpoint(1.0), target, 64)
    others = ["net-00001-of-00002.safetensors", "net-other.safetensors", "network.safetensors", "net.pth"]
    others += ["net2-12345678-00001-of-00002.safetensors", "net-12345678-00001-of-00002.safetensors.bak"]
    for name in others:
        (target.parent / name).write_text(name)
    for shard in (64, 128, None):
        convert(checkpoint(2.0), target, shard, force=True)
    assert files(target.parent) == sorted(["net.safetensors", *others])


def test_shards_that_a_killed_run_left_go(checkpoint, tmp_path):
    target = tmp_path / "out" / "net.safetensors"
    (target.parent / "net-12345678-00001-of-00002.safetensors").write_text("half")
    (target.parent / ".net.safetensors.partial").write_text("half")
    convert(checkpoint(1.0), target, 64)
    convert(checkpoint(1.0), target, 64, force=True)
    names = files(target.parent)
    assert len([name for name in names if name.endswith("-of-00004.safetensors")]) == 4
    assert "net-12345678-00001-of-00002.safetensors" not in names
    convert(checkpoint(1.0), target, None, force=True)
    convert(checkpoint(1.0), target, None, force=True)
    assert files(target.parent) == ["net.safetensors"]


def test_equal_conversions_have_equal_names(checkpoint, tmp_path):
    source = checkpoint(1.0)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        convert(source, tmp_path / folder / "net.safetensors", 64)
    assert files(tmp_path / "one") == files(tmp_path / "two")


@pytest.mark.parametrize("force", [False, True])
def test_an_index_that_cannot_be_published_takes_the_shards_with_it(checkpoint, tmp_path, monkeypatch, force):
    target = tmp_path / "out" / "net.safetensors"
    if force:
        convert(checkpoint(1.0), target, 64)
    before = files(target.parent)
    publish = AtomicFile.publish

    def fail(out: AtomicFile) -> None:
        if out.path.suffix == ".json":
            raise ConvertError("no room")
        publish(out)

    monkeypatch.setattr(AtomicFile, "publish", fail)
    with pytest.raises(ConvertError, match="no room"):
        convert(checkpoint(2.0), target, 64, force=force)
    assert files(target.parent) == before


def test_shards_that_are_read_are_not_replaced(checkpoint, tmp_path):
    target = tmp_path / "out" / "net.safetensors"
    convert(checkpoint(1.0), target, 64)
    index = target.with_name("net.safetensors.index.json")
    shard = next(target.parent.glob("net-*"))
    for source in (index, target, target.parent, target.with_name("net"), shard):
        for size in (None, 64):
            with pytest.raises(ConvertError, match="which is read; choose another name"):
                convert(source, target, size, force=True)
    assert values(target) == {1.0}


def test_an_index_and_a_file_of_one_name_are_not_chosen_between(checkpoint, tmp_path):
    target = tmp_path / "out" / "net.safetensors"
    convert(checkpoint(1.0), target, 64)
    target.write_bytes(b"another")
    with pytest.raises(ConvertError, match=r"both net\.safetensors and net\.safetensors\.index\.json"):
        open_checkpoint(target.parent)
