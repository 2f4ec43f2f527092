"""What is inside the wheel, and what it says about itself."""

from __future__ import annotations

import subprocess
import sys
from email import message_from_bytes
from zipfile import ZipFile

import pytest

import paddle2torch
from convert.models.registry import MODELS
from tests.packaging.environments import ROOT

PACKAGES = {"convert", "parity", "paddle2torch", "paddle_models", "torch_models"}


@pytest.fixture(scope="module")
def files(wheel) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_the_packages_and_nothing_else(files):
    tops = {name.split("/")[0] for name in files}
    assert tops == PACKAGES | {f"paddle2torch-{paddle2torch.__version__}.dist-info"}


def test_every_models_layout_is_in_the_wheel(files):
    assert {f"convert/models/layouts/{name}.json" for name in MODELS} <= files


def test_every_file_of_the_packages_is_in_the_wheel(files):
    there = {
        path.relative_to(ROOT).as_posix()
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert there - files == set()


def test_types_are_declared(files):
    assert {f"{name}/py.typed" for name in ("convert", "parity", "paddle2torch")} <= files


def test_metadata_names_version_licence_and_extras(wheel):
    with ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(archive.read(name))
    assert metadata["Version"] == paddle2torch.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert set(metadata.get_all("Provides-Extra")) >= {"torch", "paddle", "all", "dev"}


def test_the_import_contracts_hold():
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as c; c()",
        "--no-cache",
    ]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert finished.returncode == 0, finished.stdout
