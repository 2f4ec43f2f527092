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
        (["--steps", "1", "--torch-loss", "a:b"], "--torch-loss needs its twin"),
        (["--paddle-optimizer", "a:b", "--torch-optimizer", "a:b"], "give --steps"),
        (
            ["--steps", "1", "--lr", "0.1", "--paddle-optimizer", "a:b", "--torch-optimizer", "a:b"],
            "--lr does not go with",
        ),
    ],
)
def test_training_options_that_do_not_fit_stop_before_anything_runs(options, message, capsys):
    assert main(["parity", "lenet", *options]) == 2
    assert message in capsys.readouterr().err


TRAINING = """
import paddle
import torch


def paddle_loss(output):
    return (output * output).mean()


def torch_loss(output):
    return (output * output).mean()


def paddle_optimizer(model):
    schedule = paddle.optimizer.lr.StepDecay(0.1, step_size=1, gamma=0.5)
    return paddle.optimizer.SGD(learning_rate=schedule, parameters=model.parameters())


def torch_optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=0.1)


def paddle_schedule(optimizer):
    return optimizer._learning_rate


def torch_schedule(optimizer, step_size=1):
    return torch.optim.lr_scheduler.StepLR(optimizer, step_size=step_size, gamma=0.5)


def torch_schedule_that_parts(optimizer):
    return torch_schedule(optimizer, step_size=2)
"""


def of_the_user(tmp_path, **names):
    path = tmp_path / "training.py"
    path.write_text(TRAINING)
    found = ["--steps", "2"]
    for part, name in {"loss": "loss", "optimizer": "optimizer", "scheduler": "schedule", **names}.items():
        found += [f"--paddle-{part}", f"{path}:paddle_{name.partition('_that')[0]}"]
        found += [f"--torch-{part}", f"{path}:torch_{name}"]
    return found


def test_a_users_own_loss_optimizer_and_schedule_train_in_worker_processes(tmp_path):
    code, report = report_of(tmp_path, "x", *of_the_user(tmp_path))
    assert (code, report["verdict"]) == (0, "EQUIVALENT"), report["findings"]


def test_a_schedule_that_parts_is_found_through_the_workers(tmp_path):
    code, report = report_of(tmp_path, "x", *of_the_user(tmp_path, scheduler="schedule_that_parts"))
    assert code == 1
    assert "schedule: equal until" in report["findings"][0]["cause"]
