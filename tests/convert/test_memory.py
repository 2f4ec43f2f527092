"""Full-size conversions stay small: VGG-16 (553 MB) in less than 100 MB, whatever the protocol."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import safetensors

from benchmarks.convert import COMMAND, MAKE_VGG

pytestmark = pytest.mark.xdist_group("vgg16 files")


@pytest.fixture(scope="module")
def vgg(tmp_path_factory):
    """A folder with a 1000-class VGG-16 in protocols 4 and 2."""
    folder = tmp_path_factory.mktemp("vgg")
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MAKE_VGG, str(folder)], check=True, capture_output=True
    )
    yield folder
    for path in folder.iterdir():
        path.unlink()


def peak_mb(*arguments: object) -> float:
    words = [sys.executable, "-c", COMMAND, *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return int(done.stderr.split("PEAK")[1].split()[0]) * 1024 / 1e6


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "protocol"),
    [
        ("safetensors", 4),
        ("pth", 2),
        pytest.param("safetensors", 2, marks=pytest.mark.full),
        pytest.param("pth", 4, marks=pytest.mark.full),
    ],
)
def test_vgg16_converts_bit_exactly_in_less_than_100_mb(vgg, protocol, suffix):
    from convert import open_checkpoint

    target = vgg / f"out{protocol}.{suffix}"
    assert peak_mb("convert", vgg / f"vgg{protocol}.pdparams", "--model", "vgg16", "-o", target) < 100
    with open_checkpoint(vgg / "vgg4.pdparams") as source:
        if suffix == "pth":
            import torch

            converted = torch.load(target, weights_only=True, mmap=True)
            tensor = {name: value.numpy() for name, value in converted.items()}.__getitem__
        else:
            tensor = safetensors.safe_open(target, "np").get_tensor
        for name, ref in source.items():
            expected = ref.numpy()
            actual = tensor(name)
            assert np.array_equal(actual, expected.T if expected.ndim == 2 else expected), name
    target.unlink()


@pytest.mark.slow
@pytest.mark.parametrize("protocol", [4, 2])
def test_inspecting_553_mb_takes_less_than_40_mb(vgg, protocol):
    assert peak_mb("inspect", vgg / f"vgg{protocol}.pdparams") < 40
