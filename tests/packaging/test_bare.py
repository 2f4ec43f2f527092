"""The wheel at work in an environment with neither framework, away from the checkout."""

from __future__ import annotations

import json

import numpy as np
import paddle
import pytest
from safetensors.numpy import load_file

from paddle2torch.cli import COMMANDS

NAMED_FOR = ("torch", "paddle", "pytest")

IMPORT_ALL = """
import json, pkgutil, sys
failed = {}
for package in ("convert", "parity", "paddle2torch"):
    for module in pkgutil.walk_packages(__import__(package).__path__, f"{package}."):
        if module.name.endswith("__main__"):
            continue
        try:
            __import__(module.name)
        except Exception as error:
            failed[module.name] = str(error)
print(json.dumps([failed, sorted({"torch", "paddle"} & set(sys.modules))]))
"""


def test_the_environment_has_neither_framework_nor_this_checkout(bare, tmp_path):
    look = (
        "import importlib.util as u, paddle2torch, convert, parity;"
        "print(u.find_spec('torch'), u.find_spec('paddle'));"
        "print(*[p.__file__ for p in (paddle2torch, convert, parity)], sep='\\n')"
    )
    frameworks, *places = bare.run("python", "-c", look, cwd=tmp_path).stdout.splitlines()
    assert frameworks == "None None"
    assert len(places) == 3
    assert all(place.startswith(str(bare.folder)) for place in places)


@pytest.mark.parametrize(
    "program", [("paddle2torch",), ("python", "-m", "paddle2torch")], ids=["script", "module"]
)
def test_the_command_line_starts(bare, tmp_path, program):
    help_ = bare.run(*program, "--help", cwd=tmp_path)
    version = bare.run(*program, "--version", cwd=tmp_path)
    assert (help_.returncode, version.returncode) == (0, 0), help_.stderr + version.stderr
    assert all(command in help_.stdout for command in COMMANDS)
    assert version.stdout.startswith("paddle2torch ")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(bare, tmp_path, command):
    finished = bare.run("paddle2torch", command, "--help", cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert COMMANDS[command].split()[0] in finished.stdout


def test_importing_the_package_loads_no_framework_and_no_numpy(bare, tmp_path):
    look = (
        "import paddle2torch, sys; print({'numpy', 'rich', 'convert', 'parity', 'typing'} & set(sys.modules))"
    )
    assert bare.run("python", "-S", "-c", _with_packages(bare, look), cwd=tmp_path).stdout == "set()\n"


def _with_packages(bare, code: str) -> str:
    """`code` with the environment's packages on the path; `-S` keeps `site` from importing things itself."""
    packages = next((bare.folder / "lib").glob("python*/site-packages"))
    return f"import sys; sys.path.insert(0, {str(packages)!r}); {code}"


def test_every_module_imports_but_those_named_for_what_is_missing(bare, tmp_path):
    finished = bare.run("python", "-c", IMPORT_ALL, cwd=tmp_path)
    failed, loaded = json.loads(finished.stdout)
    assert loaded == []
    unexpected = {name: why for name, why in failed.items() if not _is_named_for_what_is_missing(name)}
    assert unexpected == {}


def _is_named_for_what_is_missing(module: str) -> bool:
    return not set(NAMED_FOR).isdisjoint(module.rpartition(".")[2].split("_"))


def test_inspect_lists_every_tensor(bare, lenet_file):
    finished = bare.run("paddle2torch", "inspect", lenet_file.name, cwd=lenet_file.parent)
    assert finished.returncode == 0, finished.stderr
    assert all(name in finished.stdout for name in paddle.load(str(lenet_file)))
    assert "10 tensors, 61,706 elements" in finished.stdout


def test_a_registered_model_converts_bit_for_bit(bare, lenet_file):
    command = ["paddle2torch", "convert", lenet_file.name, "--model", "lenet", "-o", "lenet.safetensors"]
    finished = bare.run(*command, cwd=lenet_file.parent)
    assert finished.returncode == 0, finished.stderr
    expected = {name: value.numpy() for name, value in paddle.load(str(lenet_file)).items()}
    actual = load_file(lenet_file.parent / "lenet.safetensors")
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        turned = value.T if name.startswith("fc") and value.ndim == 2 else value
        assert np.array_equal(actual[name], turned), name


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (
            ["convert", "lenet.pdparams", "--torch", "torch_models.lenet:lenet", "-o", "out.safetensors"],
            "-m pip install torch",
        ),
        (
            ["parity", "lenet", "--weights", "lenet.pdparams", "--json", "out.json"],
            "pip install paddlepaddle",
        ),
        (["summary", "lenet"], "-m pip install "),
    ],
    ids=["convert", "parity", "summary"],
)
def test_a_missing_framework_is_told_with_the_pip_command(bare, lenet_file, arguments, advice):
    finished = bare.run("paddle2torch", *arguments, cwd=lenet_file.parent)
    assert finished.returncode == 2, finished.stderr
    assert advice in finished.stderr
    assert "Traceback" not in finished.stderr
    assert finished.stdout == ""
    assert [path.name for path in lenet_file.parent.iterdir()] == ["lenet.pdparams"]


def test_the_models_are_listed(bare, tmp_path):
    finished = bare.run("paddle2torch", "models", "--json", cwd=tmp_path)
    assert {"vgg16", "googlenet", "resnet50", "lenet"} <= {row["name"] for row in json.loads(finished.stdout)}
