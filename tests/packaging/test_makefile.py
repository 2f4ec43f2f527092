"""`make env` on a fresh machine, again, and after a change; with a Python that only writes down what it is asked."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.packaging.environments import ROOT

STUB = """#!/bin/sh
# $1 is "-c" when the Makefile asks for the version, otherwise "-m venv ..." or "-m pip ...".
case "$*" in
-c*) echo {version} ;;
*venv*) echo venv >> asked; rm -rf .venv; mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
*pip*) echo pip >> asked ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy2(ROOT / name, tmp_path)
        os.utime(tmp_path / name, (1, 1))
    for version in ("3.11", "3.12"):
        stub = tmp_path / f"python{version}"
        stub.write_text(STUB.format(version=version))
        stub.chmod(0o755)
    return tmp_path


def _make_env(checkout: Path, version: str = "3.11") -> list[str]:
    """Run `make env`; what Python was asked to do."""
    (checkout / "asked").write_text("")
    command = ["make", "env", f"PYTHON={checkout}/python{version}"]
    subprocess.run(command, cwd=checkout, check=True, capture_output=True, timeout=60)
    return (checkout / "asked").read_text().split()


def test_a_fresh_machine_gets_an_environment_and_keeps_it(checkout):
    assert _make_env(checkout) == ["venv", "pip"]
    assert _make_env(checkout) == []


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_changed_requirement_updates_the_environment(checkout, name):
    _make_env(checkout)
    later = (checkout / ".venv" / ".ready-3.11").stat().st_mtime + 10
    os.utime(checkout / name, (later, later))
    assert _make_env(checkout) == ["pip"]


def test_a_half_made_environment_is_made_anew(checkout):
    (checkout / ".venv" / "bin").mkdir(parents=True)
    assert _make_env(checkout) == ["venv", "pip"]


def test_another_python_gets_another_environment(checkout):
    _make_env(checkout)
    assert _make_env(checkout, "3.12") == ["venv", "pip"]
