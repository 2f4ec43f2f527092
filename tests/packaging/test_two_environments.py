"""The frameworks often cannot share an environment; then each side is run by an interpreter of its own."""

from __future__ import annotations

import json

from paddle2torch.cli import main
from parity.sides import remote
from parity.sides.older_python import OLDEST


def test_a_proof_across_two_environments_from_a_third_without_frameworks(bare, pythons, lenet_file):
    sides = [f"--{side}-python={python}" for side, python in pythons.items()]
    command = [
        "parity",
        "lenet",
        "--weights",
        lenet_file.name,
        "--only-given",
        "--json",
        "report.json",
        *sides,
    ]
    finished = bare.run("paddle2torch", *command, cwd=lenet_file.parent)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert json.loads((lenet_file.parent / "report.json").read_text())["verdict"] == "EQUIVALENT"


def test_an_interpreter_without_the_framework_is_told_apart(bare, pythons, lenet_file):
    command = ["parity", "lenet", f"--paddle-python={pythons['torch']}", f"--torch-python={pythons['torch']}"]
    finished = bare.run("paddle2torch", *command, cwd=lenet_file.parent)
    assert finished.returncode == 2
    assert "paddle" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_worker_in_what_an_older_python_is_given_proves_the_same(pythons, lenet_file, monkeypatch, capfd):
    monkeypatch.setattr(remote, "version_of", lambda _: OLDEST)
    sides = [f"--{side}-python={python}" for side, python in pythons.items()]
    words = [
        "lenet",
        "--weights",
        str(lenet_file),
        "--only-given",
        "--mode",
        "train",
        "--gradients",
        "--optimizer",
        "adam",
        "--steps",
        "1",
        *sides,
    ]
    assert main(["parity", *words]) == 0, capfd.readouterr()
