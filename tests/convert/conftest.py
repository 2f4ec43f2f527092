"""Imports Paddle once (it warns about ccache when imported) and gives tests small real networks."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle


class Everything(paddle.nn.Layer):
    """One of every kind of layer that keeps something; square matrices where a mistake would hide."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = paddle.nn.Conv2D(3, 4, 3)
        self.up = paddle.nn.Conv2DTranspose(4, 2, 3)
        self.norm = paddle.nn.BatchNorm2D(4)
        self.square = paddle.nn.Linear(5, 5)
        self.fc = paddle.nn.Linear(5, 7)
        self.table = paddle.nn.Embedding(6, 6)
        self.layer_norm = paddle.nn.LayerNorm([2, 3])
        self.group_norm = paddle.nn.GroupNorm(2, 4)
        self.instance_norm = paddle.nn.InstanceNorm2D(4)
        self.slope = paddle.nn.PReLU(4)


def torch_everything() -> Any:
    import torch

    class EverythingInTorch(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 4, 3)
            self.up = torch.nn.ConvTranspose2d(4, 2, 3)
            self.norm = torch.nn.BatchNorm2d(4)
            self.square = torch.nn.Linear(5, 5)
            self.fc = torch.nn.Linear(5, 7)
            self.table = torch.nn.Embedding(6, 6)
            self.layer_norm = torch.nn.LayerNorm([2, 3])
            self.group_norm = torch.nn.GroupNorm(2, 4)
            self.instance_norm = torch.nn.InstanceNorm2d(4, affine=True)
            self.slope = torch.nn.PReLU(4)

    return EverythingInTorch()


@pytest.fixture
def everything() -> Any:
    """The Paddle network, every tensor filled with different numbers."""
    layer = Everything()
    fill(layer)
    return layer


@pytest.fixture
def in_torch() -> Any:
    """Its torch twin, freshly initialised."""
    return torch_everything()


def fill(layer: Any, seed: int = 0) -> None:
    """Give every tensor of a Paddle layer random values (variances positive)."""
    import numpy as np

    numbers = np.random.default_rng(seed).standard_normal(1_000_003, dtype="float32")  # prime: no row repeats
    for index, (name, tensor) in enumerate(layer.state_dict().items()):
        values = np.resize(np.roll(numbers, index * 7), tuple(tensor.shape))
        tensor.set_value(abs(values) + 0.5 if name.endswith("_variance") else values)


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """`save(value, protocol=4, name=...)` writes a file with paddle.save and returns its path."""

    def save_value(value: Any, *, protocol: int = 4, name: str = "net.pdparams") -> Path:
        path = tmp_path / name
        paddle.save(value, str(path), protocol=protocol)
        return path

    return save_value


@pytest.fixture
def in_process(monkeypatch: Any, capsys: Any) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The same as `command` without the cost of a new process."""
    from paddle2torch.cli import main

    def run(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(cwd)
        capsys.readouterr()
        code = main([str(word) for word in arguments])
        printed = capsys.readouterr()
        return subprocess.CompletedProcess(list(arguments), code, printed.out, printed.err)

    return run


@pytest.fixture
def command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """`command("convert", ...)` runs the command line in a process of its own."""

    def run(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "paddle2torch", *map(str, arguments)]
        return subprocess.run(words, capture_output=True, text=True, check=False, **options)

    return run
