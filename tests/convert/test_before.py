"""Wrong command lines are answered in one sentence, before a framework is imported or a process is started."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import paddle
import pytest
import torch

ASK = """
import contextlib, io, json, subprocess, sys
from paddle2torch.cli import main

def no_process(*args, **options):
    raise SystemExit("a process was started")

subprocess.Popen = no_process
answers = []
for words in json.load(sys.stdin):
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        try:
            code = main(words)
        except SystemExit as stopped:
            code = stopped.code
    answers.append([code, said.getvalue(), sorted({"paddle", "torch", "sklearn"} & set(sys.modules))])
print(json.dumps(answers))
"""

PAIR = ("--paddle", "net.py:Net", "--torch", "net.py:Net", "--shape", "1,3,8,8")
LINES = {
    "there is no option --weigths; the nearest is --weights; see `paddle2torch parity --help`": (
        *("parity", *PAIR, "--weigths", "net.pdparams"),
    ),
    "there is no option --torchh; the nearest is --torch; see `paddle2torch convert --help`": (
        *("convert", "net.pdparams", "--torchh=net.py:Net"),
    ),
    "there is no option --otput; the nearest is --output; see `paddle2torch parity capture --help`": (
        *("parity", "capture", "--otput", "x"),
    ),
    "there is no option --jsn; the nearest is --json": ("models", "--jsn"),
    "there is no command sumary; the nearest is summary": ("sumary", "lenet"),
    "-w x: not expected here; see `paddle2torch models --help`": ("models", "vgg", "-w", "x"),
    "nat.py: no such file (nearest: net.py": ("parity", "--paddle", "nat.py:Net", *PAIR[2:]),
    "net.py has no 'Nat' (nearest: Net": ("parity", *PAIR[:2], "--torch", "net.py:Nat", *PAIR[4:]),
    "net.py:Deep needs depth: give --torch-args '{\"depth\": ...}'": (
        *("convert", "net.pdparams", "--torch", "net.py:Deep", "-o", "x.pth"),
    ),
    "net.py:Deep needs depth: give --args '{\"depth\": ...}'": (
        *("parity", "capture", "--paddle", "net.py:Deep", "--shape", "1,3", "-o", "x"),
    ),
    "net.py:net is a Net that is built already": ("parity", *PAIR[:2], "--torch", "net.py:net", *PAIR[4:]),
    "gone.pdparams: no such file (nearest: net.pdparams": ("parity", *PAIR, "--weights", "gone.pdparams"),
    "net.pdopt: holds the state of an optimizer and no weights; name the checkpoint that was saved with it: net.pdparams": (
        *("parity", *PAIR, "--weights", "net.pdopt"),
    ),
    "net.pdopt: the state of an optimizer is converted with its weights: convert WEIGHTS.pdparams --pdopt net.pdopt": (
        *("convert", "net.pdopt", "-o", "x.pth"),
    ),
    "net.pth: the tensors are in torch's own layout": ("parity", *PAIR, "--weights", "net.pth"),
    "there is no module 'no_such_package'": ("summary", "no_such_package:Net", "--framework", "torch"),
    "gone.pth: no such file (nearest: net.pth": (
        "evaluate",
        "lenet",
        "--framework",
        "torch",
        "--weights",
        "gone.pth",
    ),
    "gone.jpg: no such file": ("predict", "gone.jpg", "--torch", "net.py:Net", "--weights", "net.pth"),
    "run: no such file": ("train", "lenet", "--framework", "torch", "--weights", "run", "-o", "x"),
    "say in which framework: --framework paddle or --framework torch": ("train", "lenet", "-o", "x"),
    "agreed: no such file": (
        "agree",
        "lenet",
        "--weights",
        "net.pth",
        "--torch-weights",
        "agreed",
        "-o",
        "x",
    ),
    "the input file gone.npy does not exist": ("parity", *PAIR[:4], "--input", "gone.npy"),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    here = tmp_path_factory.mktemp("here")
    (here / "net.py").write_text(
        "class Net: \n    def __init__(self): raise SystemExit\n    def forward(self, x): pass\nclass Deep:\n    def __init__(self, depth): pass\nnet = Net()\n"
    )
    linear = paddle.nn.Linear(3, 4)
    momentum = paddle.optimizer.Momentum(0.1, parameters=linear.parameters())
    linear(paddle.to_tensor(np.ones((2, 3), np.float32))).sum().backward()
    momentum.step()
    paddle.save(linear.state_dict(), str(here / "net.pdparams"))
    paddle.save(momentum.state_dict(), str(here / "net.pdopt"))
    torch.save(torch.nn.Linear(3, 4).state_dict(), here / "net.pth")
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=here,
        input=json.dumps(list(LINES.values())),
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(LINES, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("sentence", LINES)
def test_it_is_one_sentence_and_costs_no_import(answers, sentence):
    code, said, imported = answers[sentence]
    assert code == 2
    assert sentence in said
    assert said.count("\n") == 1
    assert imported == []
