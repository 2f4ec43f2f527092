"""The demo keeps its promises, or says which one it broke and fails."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
from rich.console import Console

from examples import demo
from examples.digits import TEST_IMAGES, load_digits

LENET = demo.RECIPES[0]


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=200)


@pytest.fixture
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").mkdir()
    return tmp_path / "demo"


@pytest.mark.slow
def test_demo_of_lenet_trains_converts_and_proves(empty_folder, monkeypatch, capfd):
    monkeypatch.setattr(demo, "RECIPES", (LENET,))
    assert demo.main() == 0
    out = capfd.readouterr().out
    for command in demo.commands_for(LENET):
        assert f"$ {command}" in out
    assert "EQUIVALENT" in out
    assert f"{TEST_IMAGES} of {TEST_IMAGES}" in out
    assert (empty_folder / "digits_lenet.safetensors").exists()


def test_network_that_learns_too_little_fails_the_demo(empty_folder, monkeypatch, capfd):
    monkeypatch.setattr(demo, "RECIPES", (dataclasses.replace(LENET, epochs=1, promised_accuracy=0.99),))
    assert demo.main() == 1
    assert "less than 99%" in capfd.readouterr().out
    assert not list(empty_folder.glob("*.safetensors"))


def test_command_that_fails_fails_the_demo(console):
    with pytest.raises(demo.DemoError, match=r"inspect no_such_file\.pdparams` ended with exit code 2"):
        demo.run("paddle2torch inspect no_such_file.pdparams", console)
    assert "$ paddle2torch inspect no_such_file.pdparams" in console.file.getvalue()


def test_demo_runs_the_commands_of_the_readme():
    resnet = demo.RECIPES[1]
    inspect, convert, parity = demo.commands_for(resnet)
    assert inspect == "paddle2torch inspect demo/digits_resnet50.pdparams"
    assert convert.startswith(
        "paddle2torch convert demo/digits_resnet50.pdparams --model resnet50 --num-classes 10 -o"
    )
    assert parity.startswith(
        "paddle2torch parity resnet50 --num-classes 10 --weights demo/digits_resnet50.pdparams"
    )


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 32)])
def test_digits_are_enlarged_without_changing_what_they_show(channels, size):
    digits = load_digits(channels=channels, size=size)
    assert digits.train_images.shape == (1797 - TEST_IMAGES, channels, size, size)
    assert digits.test_images.shape == (TEST_IMAGES, channels, size, size)
    assert digits.train_images.dtype == np.float32
    factor, border = divmod(size, 8)
    inner = digits.test_images[:, 0, border // 2 :, border // 2 :][:, : 8 * factor, : 8 * factor]
    small = inner[:, ::factor, ::factor]
    assert np.array_equal(np.kron(small, np.ones((1, factor, factor), np.float32)), inner)
