"""A user's own `convert.py`, `parity/`, `torch_models/`, `paddle_models.py` where paddle2torch is used."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.packaging.environments import Environment

POISON = "raise ImportError('this module is the user\\'s, and no business of paddle2torch')\n"
PROGRAMS = pytest.mark.parametrize(
    "program", [("paddle2torch",), ("python", "-m", "paddle2torch")], ids=["script", "module"]
)


def write(folder: Path, **files: str) -> None:
    """Write `folder/a/b.py` for a keyword `a__b`, and the `__init__.py` that makes `a` a package."""
    for name, text in files.items():
        path = folder / (name.replace("___", "/__init__").replace("__", "/", 1) + ".py")
        path.parent.mkdir(exist_ok=True)
        if path.parent != folder and not (path.parent / "__init__.py").exists():
            (path.parent / "__init__.py").write_text("")
        path.write_text(text)


@pytest.fixture
def poisoned(tmp_path: Path) -> Path:
    """A folder with modules under all our names, none of which may be imported."""
    write(tmp_path, convert=POISON, paddle_models=POISON)
    for package in ("parity", "torch_models"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(POISON)
    return tmp_path


@pytest.fixture(params=["wheel", "checkout"])
def installed(request, complete: Environment) -> Environment:
    """paddle2torch with both frameworks: an installed wheel, or this checkout where it is being worked on."""
    return complete if request.param == "wheel" else Environment(Path(sys.prefix))


@PROGRAMS
def test_checkpoints_are_inspected_and_converted_beside_a_users_modules(
    installed, poisoned, lenet_file, program
):
    inspected = installed.run(*program, "inspect", lenet_file.name, cwd=poisoned)
    assert (inspected.returncode, inspected.stderr) == (0, "")
    words = ("convert", lenet_file.name, "--model", "lenet", "-o", "lenet.safetensors")
    converted = installed.run(*program, *words, cwd=poisoned)
    assert (converted.returncode, converted.stderr) == (0, "")


def test_a_registered_network_is_ours_beside_a_users_models(complete, poisoned):
    (poisoned / "torch_models" / "__init__.py").write_text("")
    (poisoned / "torch_models" / "lenet.py").write_text(POISON)
    finished = complete.run("paddle2torch", "parity", "lenet", "--mode", "eval", "--only-given", cwd=poisoned)
    assert finished.returncode == 0, finished.stderr
    assert "EQUIVALENT" in finished.stdout


def test_a_registered_network_is_summed_up_beside_a_users_models(complete, poisoned):
    finished = complete.run("python", "-m", "paddle2torch", "summary", "lenet", cwd=poisoned)
    assert finished.returncode == 0, finished.stderr
    assert "no difference" in finished.stdout


def test_workers_of_other_environments_run_beside_a_users_modules(bare, pythons, poisoned):
    sides = [f"--{side}-python={python}" for side, python in pythons.items()]
    words = ("parity", "lenet", "--mode", "eval", "--only-given", *sides)
    finished = bare.run("paddle2torch", *words, cwd=poisoned)
    assert finished.returncode == 0, finished.stderr


PADDLE_NET = """
import paddle
from paddle_models import tanh

class Net(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc = paddle.nn.Linear(4, 4)
        self.act = paddle.nn.LeakyReLU(0.1)

    def forward(self, x):
        return self.act(tanh(self.fc(x)))
"""
TORCH_NET = """
import torch
from convert import tanh
from parity.blocks import Activation
import torch_models

class Net(torch_models.Base):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4, 4)
        self.act = Activation()

    def forward(self, x):
        return self.act(tanh(self.fc(x)))
"""
ACTIVATION = """
import torch

class Activation(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.relu = torch.nn.LeakyReLU(0.1)

    def forward(self, x):
        return self.relu(x)
"""


@pytest.fixture
def networks(tmp_path: Path) -> Path:
    """Two networks that are made of modules under our names."""
    write(
        tmp_path,
        p=PADDLE_NET,
        t=TORCH_NET,
        paddle_models="from paddle import tanh\n",
        convert="from torch import tanh\n",
        parity__blocks=ACTIVATION,
        torch_models="import torch\nclass Base(torch.nn.Module):\n    pass\n",
    )
    return tmp_path


COMPARED = ("parity", "--paddle", "p.py:Net", "--shape", "2,4", "--mode", "eval", "--only-given", "--torch")


def test_a_network_imports_its_own_modules_and_every_operator_in_them_is_seen(complete, networks):
    finished = complete.run("python", "-m", "paddle2torch", *COMPARED, "t.py:Net", cwd=networks)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "3 operators compared" in " ".join(finished.stdout.split())


def test_a_finding_names_the_line_in_the_users_own_module(complete, networks):
    write(networks, parity__blocks=ACTIVATION.replace("0.1", "0.2"))
    finished = complete.run("paddle2torch", *COMPARED, "t.py:Net", cwd=networks)
    assert finished.returncode == 1, finished.stderr
    assert "parity/blocks.py:7" in finished.stdout


def test_a_network_may_be_the_file_or_in_the_package_that_is_called_like_ours(complete, networks):
    (networks / "convert.py").write_text(
        (networks / "t.py").read_text().replace("from convert", "from torch")
    )
    write(networks, parity__net=TORCH_NET.replace("from convert", "from torch"))
    for reference in ("convert.py:Net", "convert:Net", "parity.net:Net"):
        finished = complete.run("paddle2torch", *COMPARED, reference, cwd=networks)
        assert finished.returncode == 0, finished.stdout + finished.stderr
    words = ("convert", "p.py:Net", "--torch", "convert.py:Net", "-o", "net.safetensors")
    converted = complete.run("python", "-m", "paddle2torch", *words, cwd=networks)
    assert converted.returncode == 0, converted.stderr


LATE = """
import t

class FromImport(t.Net):
    def forward(self, x):
        from convert import tanh
        return super().forward(x)

class Submodule(t.Net):
    def __init__(self):
        super().__init__()
        import parity.blocks
"""


@pytest.mark.parametrize(
    ("name", "place"), [("FromImport", "convert.py"), ("Submodule", "parity/__init__.py")]
)
def test_an_import_that_comes_too_late_is_told_in_one_sentence(complete, networks, name, place):
    write(networks, late=LATE)
    finished = complete.run("paddle2torch", *COMPARED, f"late.py:{name}", cwd=networks)
    assert finished.returncode == 2, finished.stdout
    last = finished.stderr.splitlines()[-1]
    assert f"paddle2torch's own package, so your {networks / place} cannot be imported" in last
    assert "rename yours" in last


def test_a_reference_to_a_users_package_is_never_a_network_of_ours(complete, networks):
    write(networks, paddle_models="")
    words = [word.replace("p.py:Net", "paddle_models.lenet:lenet") for word in COMPARED]
    finished = complete.run("paddle2torch", *words, "t.py:Net", cwd=networks)
    assert finished.returncode == 2
    assert f"`paddle_models` is your {networks / 'paddle_models.py'} here" in finished.stderr


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import parity\nfrom paddle2torch import check", "parity/__init__.py was imported under that name"),
        (
            "import convert\nimport paddle2torch\npaddle2torch.check",
            "convert.py was imported under that name",
        ),
        ("from paddle2torch import check\nfrom convert import tanh", "convert.py cannot be imported under"),
        ("from paddle2torch import check\nimport parity.blocks", "parity/__init__.py cannot be imported"),
        (
            "from paddle2torch import check\nfrom parity import blocks",
            "parity/__init__.py cannot be imported",
        ),
    ],
)
def test_a_script_that_needs_both_is_told_which_file_to_rename(installed, networks, code, said):
    (networks / "convert.py").write_text("tanh = 1\n")
    finished = installed.run("python", "-c", code, cwd=networks)
    last = finished.stderr.splitlines()[-1]
    assert last.startswith(("ImportError: ", "ModuleNotFoundError: "))
    assert f"{networks}/{said}" in last
    assert "rename" in last


def test_a_script_uses_ours_as_long_as_it_does_not_import_its_own(installed, poisoned):
    code = (
        "import paddle2torch, inspect; from convert import errors; from parity.remedies.torch_batch_norm import *; "
        "print(paddle2torch.check.__name__, hasattr(inspect.getmodule(paddle2torch.check), 'nothing'))"
    )
    finished = installed.run("python", "-c", f"import paddle2torch; paddle2torch.check; {code}", cwd=poisoned)
    assert finished.stdout.split() == ["check", "False"], finished.stderr


OWN_TEST = """
import convert
import parity

def test_own():
    assert convert.ANSWER == parity.ANSWER == 42
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that has nothing to do with paddle2torch, and tests inside and beside a package `parity`."""
    write(
        tmp_path, convert="ANSWER = 42\n", conftest="import convert\n", parity__numbers="", test_own=OWN_TEST
    )
    write(tmp_path, parity__test_inside="from parity.numbers import *\n" + OWN_TEST)
    (tmp_path / "parity" / "__init__.py").write_text("ANSWER = 42\n")
    return tmp_path


@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
def test_the_tests_of_an_unrelated_project_run(complete, project, mode):
    finished = complete.run(
        "python", "-m", "pytest", "-q", f"--import-mode={mode}", "-W", "error", cwd=project
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "2 passed" in finished.stdout
    assert "--parity-report" in complete.run("python", "-m", "pytest", "--help", cwd=project).stdout, (
        "the plugin is there"
    )


FIXTURE_TEST = """
import paddle, torch, numpy as np

def test_port(paddle_parity):
    p, t = paddle.nn.ReLU(), torch.nn.ReLU()
    paddle_parity(p, t, np.ones((2, 3), np.float32))
"""


@pytest.mark.parametrize("mode", ["prepend", pytest.param("importlib", marks=pytest.mark.full)])
def test_the_fixture_runs_beside_a_users_modules(complete, poisoned, mode):
    write(poisoned, test_port=FIXTURE_TEST)
    words = ("python", "-m", "pytest", "-q", f"--import-mode={mode}", "test_port.py")
    finished = complete.run(*words, cwd=poisoned)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_the_fixture_says_whose_module_has_our_name(complete, project):
    write(project, test_port="import parity\n" + FIXTURE_TEST)
    finished = complete.run("python", "-m", "pytest", "-q", "test_port.py", cwd=project)
    assert finished.returncode == 1
    needs = [
        line for line in finished.stdout.splitlines() if line.startswith("paddle2torch needs its own package")
    ]
    assert f"{project / 'convert.py'} was imported under that name" in needs[0]
    assert "Traceback" not in finished.stdout
