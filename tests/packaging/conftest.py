"""The wheel and the environment without a framework, made once for a test process."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import PathDistribution
from pathlib import Path
from zipfile import Path as ZipPath

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle

from tests.packaging.environments import ROOT, Environment, make_environment


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Keep these tests in one process, so that the wheel is built once."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("packaging"))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that comes out of the source distribution that comes out of this tree."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
        timeout=300,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel and what it requires: no framework, and none of this checkout."""
    return _with_wheel(wheel, tmp_path_factory.mktemp("bare") / "venv")


@pytest.fixture(scope="session")
def complete(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel, both frameworks and pytest, and none of this checkout."""
    frameworks = ["torch", "paddlepaddle", "setuptools", "pytest"]
    return _with_wheel(wheel, tmp_path_factory.mktemp("complete") / "venv", frameworks)


def _with_wheel(wheel: Path, folder: Path, more: Sequence[str] = ()) -> Environment:
    metadata = PathDistribution(next(p for p in ZipPath(wheel).iterdir() if p.name.endswith(".dist-info")))
    required = [text for text in metadata.requires or () if "extra ==" not in text]
    environment = make_environment(folder, [*required, *more])
    environment.pip("install", "--no-index", str(wheel), cwd=environment.folder)
    return environment


@pytest.fixture(scope="session")
def pythons(tmp_path_factory) -> dict[str, str]:
    """Interpreters of two environments, each with one framework and numpy, and without this project."""
    folder = tmp_path_factory.mktemp("sides")
    packages = {"paddle": ["paddlepaddle", "setuptools", "numpy"], "torch": ["torch", "numpy"]}
    return {side: make_environment(folder / side, needed).python for side, needed in packages.items()}


@pytest.fixture
def lenet_file(tmp_path: Path) -> Path:
    """A LeNet for 28x28 images as Paddle saves it; its biases are not zero, so they count."""
    return save_lenet(tmp_path / "lenet.pdparams")


def save_lenet(path: Path) -> Path:
    """Save the registered LeNet with ten classes, filled from a fixed seed, as a fresh process would."""
    from paddle_models.lenet import lenet

    paddle.seed(0)
    with paddle.utils.unique_name.guard():  # Paddle counts the parameters of a process in their names
        network = lenet(num_classes=10)
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            parameter.set_value(paddle.randn(parameter.shape))
    paddle.save(network.state_dict(), str(path))
    return path
