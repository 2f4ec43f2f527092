"""What the file system may do to a conversion: the old target or none, and a clear word."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from convert import ConvertError, convert_checkpoint
from convert.write import atomic, place


@pytest.fixture
def lenet(save) -> Path:
    from paddle_models.lenet import lenet

    return save(lenet(num_classes=10).state_dict(), name="lenet.pdparams")


@pytest.fixture
def no_unnamed_files(monkeypatch):
    """As on macOS and on file systems without O_TMPFILE."""
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_a_full_disk_leaves_the_old_file_and_says_so(lenet, tmp_path, suffix):
    target = tmp_path / f"out.{suffix}"
    target.write_text("old")
    code = (
        "import resource, signal, sys\nfrom convert import ConvertError, convert_checkpoint\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n    convert_checkpoint(sys.argv[1], sys.argv[2], model='lenet', force=True)\n"
        "except ConvertError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(lenet), str(target)], capture_output=True, text=True, check=True
    )
    assert "a file of this size is not allowed here" in done.stdout
    assert target.read_text() == "old"
    assert names(tmp_path) == sorted(["lenet.pdparams", target.name])
    assert resource.RLIMIT_FSIZE


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_failing_write_leaves_nothing(lenet, tmp_path, monkeypatch, no_unnamed_files, number):
    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(atomic, "_pwrite", fail)
    message = "writing failed" if number == errno.EIO else "disk is full"
    with pytest.raises(ConvertError, match=message):
        convert_checkpoint(lenet, tmp_path / "out.pth", model="lenet")
    assert names(tmp_path) == ["lenet.pdparams"]


def test_too_little_space_is_known_before_anything_is_written(lenet, tmp_path, monkeypatch):
    real = os.statvfs(tmp_path)

    class Nearly:
        f_blocks, f_bavail, f_frsize = 1000, 1, real.f_frsize

    monkeypatch.setattr(os, "statvfs", lambda _: Nearly)
    with pytest.raises(ConvertError, match=r"needs \d+ bytes and the disk has 4096 free"):
        convert_checkpoint(lenet, tmp_path / "out.pth", model="lenet")


def test_without_unnamed_files_a_hidden_one_is_renamed(lenet, tmp_path, no_unnamed_files):
    seen: list[list[str]] = []
    target = tmp_path / "out.pth"
    for _ in range(2):
        convert_checkpoint(
            lenet, target, model="lenet", force=True, on_progress=lambda *_: seen.append(names(tmp_path))
        )
    assert any(name.startswith(".out.pth.") and name.endswith(".partial") for name in seen[0])
    assert names(tmp_path) == ["lenet.pdparams", "out.pth"]
    torch.load(target, weights_only=True)


@pytest.mark.parametrize("number", [errno.EXDEV, errno.ENOSYS, errno.EINVAL])
def test_without_copy_file_range_the_bytes_are_the_same(lenet, tmp_path, monkeypatch, number):
    one = convert_checkpoint(lenet, tmp_path / "one.pth", model="lenet").target.read_bytes()

    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(place, "_KERNEL_COPY_FROM", 0)
    assert convert_checkpoint(lenet, tmp_path / "two.pth", model="lenet").target.read_bytes() == one
    monkeypatch.setattr(os, "copy_file_range", refuse)
    assert convert_checkpoint(lenet, tmp_path / "three.pth", model="lenet").target.read_bytes() == one
    monkeypatch.delattr(os, "copy_file_range")
    assert convert_checkpoint(lenet, tmp_path / "four.pth", model="lenet").target.read_bytes() == one


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_the_ways_of_windows_make_the_same_bytes(lenet, tmp_path, monkeypatch, no_unnamed_files, suffix):
    """No positional reads or writes, no kernel copies, no unnamed files; Windows itself was not run."""
    one = convert_checkpoint(lenet, tmp_path / f"one.{suffix}", model="lenet").target.read_bytes()
    for name in ("preadv", "pwrite", "copy_file_range", "statvfs"):
        monkeypatch.delattr(os, name)
    assert convert_checkpoint(lenet, tmp_path / f"two.{suffix}", model="lenet").target.read_bytes() == one
    assert len(names(tmp_path)) == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_a_disk_that_is_really_full_keeps_the_old_file(tmp_path, suffix, save):
    """A file system of one megabyte that says it has room (its size is not counted) and then has none."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        import numpy as np

        source = save({"w": np.ones((600, 1000), "f4"), "v": np.ones(200, "f4")}, name="large.pdparams")
        target = disk / f"out.{suffix}"
        target.write_text("old")
        code = (
            "import os, sys\nfrom convert import ConvertError, convert_checkpoint\ndel os.statvfs\n"
            "try:\n    convert_checkpoint(sys.argv[1], sys.argv[2], model='none', force=True)\n"
            "except ConvertError as error:\n    print(error)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(source), str(target)], capture_output=True, text=True, check=True
        )
        assert "the disk is full, so nothing was written" in done.stdout
        assert target.read_text() == "old"
        assert names(disk) == [target.name]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_target_on_another_file_system(lenet):
    shared = Path("/dev/shm")
    if not shared.is_dir() or not os.access(shared, os.W_OK):
        pytest.skip("no second file system here")
    target = shared / f"paddle2torch-{os.getpid()}.pth"
    try:
        convert_checkpoint(lenet, target, model="lenet")
        assert torch.load(target, weights_only=True)["fc3.weight"].shape == (10, 84)
    finally:
        target.unlink(missing_ok=True)


@pytest.mark.parametrize(("change", "said"), [("truncate", "ended at byte"), ("rewrite", "changed while")])
def test_a_source_that_changes_meanwhile_is_noticed(lenet, tmp_path, change, said):
    def interfere(*_: object) -> None:
        if change == "truncate":
            os.truncate(lenet, 1000)
        else:
            os.utime(lenet, (1, 1))

    with pytest.raises(ConvertError, match=said):
        convert_checkpoint(lenet, tmp_path / "out.safetensors", model="lenet", on_progress=interfere)
    assert names(tmp_path) == ["lenet.pdparams"]


def test_a_target_that_appears_meanwhile_is_not_overwritten(lenet, tmp_path):
    target = tmp_path / "out.pth"

    def interfere(*_: object) -> None:
        target.write_text("somebody else's")

    with pytest.raises(ConvertError, match=r"already exists"):
        convert_checkpoint(lenet, target, model="lenet", on_progress=interfere)
    assert target.read_text() == "somebody else's"


def test_the_checkpoint_itself_is_never_the_target(everything, tmp_path):
    import paddle

    path = tmp_path / "net.safetensors"
    paddle.save(everything.state_dict(), str(path), safetensors=True)
    with pytest.raises(ConvertError, match=r"which is read; choose another name"):
        convert_checkpoint(path, path, force=True)


def test_an_interrupt_leaves_nothing(lenet, tmp_path, no_unnamed_files):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert_checkpoint(lenet, tmp_path / "out.pth", model="lenet", on_progress=interrupt)
    assert names(tmp_path) == ["lenet.pdparams"]
