"""Backward and training on the command line, where each model lives in a worker process."""

from __future__ import annotations

import json

import pytest

from paddle2torch.cli import main

NET = """
import {package}
from {package} import nn


class Net(nn.{base}):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2{d}(3, 4, 3)
        self.bn = nn.BatchNorm2{d}(4)
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        x = {package}.tanh(self.bn(self.conv(x))).mean({axes})
        return self.fc({x})
"""


def files(tmp_path, x):
    sides = {
        "paddle": NET.format(package="paddle", base="Layer", d="D", axes="axis=[2, 3]", x="x"),
        "torch": NET.format(package="torch", base="Module", d="d", axes="dim=(2, 3)", x=x),
    }
    found = []
    for side, text in sides.items():
        path = tmp_path / f"{side}_net.py"
        path.write_text(text)
        found += [f"--{side}", f"{path}:Net"]
    return [*found, "--shape", "4,3,7,7", "--only-given", "--mode", "train"]


def report_of(tmp_path, x, *options):
    path = tmp_path / "report.json"
    code = main(["parity", *files(tmp_path, x), "--json", str(path), *options])
    return code, json.loads(path.read_text())


def test_training_of_a_correct_port_agrees_in_worker_processes(tmp_path):
    code, report = report_of(
        tmp_path, "x", "--steps", "2", "--optimizer", "adamw", "--weight-decay", "0.1", "--clip-norm", "0.5"
    )
    assert (code, report["verdict"]) == (0, "EQUIVALENT")
    texts = " ".join(note["text"] for note in report["notes"])
    for words in ("gradients:", "training: 2 step(s) with AdamW", "use_biased_variance", "norm + 1e-6"):
        assert words in texts


def test_a_detach_is_found_through_the_workers_on_its_line(tmp_path):
    code, report = report_of(tmp_path, "x.detach()", "--gradients")
    assert code == 1
    assert report["findings"][0]["operator"] == "detach"
    assert report["findings"][0]["where"].endswith("torch_net.py:15")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--lr", "0.1"], "give --steps"),
        (["--steps", "2", "--mode", "eval"], "--mode train"),
        (["--steps", "-1"], "0 or more"),
        (["--steps", "1", "--optimizer", "adam", "--momentum", "0.5"], "does not go with"),
        (["--steps", "1", "--lr", "nan"], "must be 0 or more"),
    ],
)
def test_training_options_that_do_not_fit_stop_before_anything_runs(options, message, capsys):
    assert main(["parity", "lenet", *options]) == 2
    assert message in capsys.readouterr().err
