"""`parity capture` and `parity compare`: a check whose halves never meet, through one file a side."""

import json
import shutil

import numpy as np
import pytest

from paddle2torch.cli import main
from parity.trace.file import TraceFile, digest_of
from parity.trace.trace import TRACE_VERSION

PADDLE = """
import paddle
from paddle import nn


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv, self.bn = nn.Conv2D(3, 4, 3, padding=1), nn.BatchNorm2D(4)
        self.pool, self.fc = nn.MaxPool2D(2, 2, ceil_mode=True), nn.Linear(4, 4)

    def forward(self, x):
        return self.fc(self.pool(nn.functional.relu(self.bn(self.conv(x)))).mean([2, 3]))
"""
TORCH = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, odd=1.0, eps=1e-5, slope=0.0):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4, eps=eps)
        self.pool, self.fc, self.slope = nn.MaxPool2d(2, 2, ceil_mode=True), nn.Linear(4, 4), slope

        self.odd = odd

    def forward(self, x):
        x = x * self.odd if x.shape[-1] % 2 and self.odd != 1.0 else x
        x = nn.functional.leaky_relu(self.bn(self.conv(x)), self.slope) if self.slope else self.bn(self.conv(x)).relu()
        return self.fc(self.pool(x).mean([2, 3]))
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A folder with both networks, Paddle's trace and a correct torch port's."""
    folder = tmp_path_factory.mktemp("traces")
    (folder / "pn.py").write_text(PADDLE)
    (folder / "tn.py").write_text(TORCH)
    paddle = ["--paddle", f"{folder}/pn.py:Net", "--shape", "2,3,8,8", "--mode", "eval", "--gradients"]
    assert main(["parity", "capture", *paddle, "-o", str(folder / "paddle.st")]) == 0
    torch = ["--torch", f"{folder}/tn.py:Net", "--like", str(folder / "paddle.st")]
    assert main(["parity", "capture", *torch, "-o", str(folder / "torch.st")]) == 0
    return folder


def compare(folder, *arguments):
    return main(["parity", "compare", str(folder / "paddle.st"), *map(str, arguments)])


def torch_trace(folder, target, **arguments):
    given = [
        "--torch",
        f"{folder}/tn.py:Net",
        "--args",
        json.dumps(arguments),
        "--like",
        f"{folder}/paddle.st",
    ]
    assert main(["parity", "capture", *given, "-o", str(target)]) == 0
    return target


def test_two_files_of_equal_models_are_equivalent_on_all_inputs(recorded, capsys):
    assert compare(recorded, recorded / "torch.st") == 0
    out = capsys.readouterr().out
    assert "EQUIVALENT" in out
    assert "odd size (eval)" in out


def test_the_report_of_two_files_names_the_first_fault_and_says_what_it_cannot_see(
    recorded, tmp_path, capsys
):
    other = torch_trace(recorded, tmp_path / "t.st", eps=1e-3, slope=0.3)
    assert compare(recorded, other, "--json", tmp_path / "report.json") == 1
    report = json.loads((tmp_path / "report.json").read_text())
    causes = [finding["cause"] for finding in report["findings"]]
    assert causes[0].startswith("eps")
    assert any("no live torch side" in warning for warning in report["warnings"])


def test_a_live_torch_side_finds_every_fault_and_goes_backward(recorded, tmp_path):
    faults = json.dumps({"eps": 1e-3, "slope": 0.3})
    code = compare(
        recorded,
        "--torch", f"{recorded}/tn.py:Net", "--torch-args", faults, "--json", tmp_path / "report.json",
    )  # fmt: skip
    assert code == 1
    report = json.loads((tmp_path / "report.json").read_text())
    causes = " ".join(finding["cause"] for finding in report["findings"])
    assert "eps" in causes
    assert "slope" in causes.lower()
    assert "no live torch side" not in " ".join(report["warnings"])


def test_a_live_torch_side_of_a_correct_port_is_equivalent_backward_too(recorded, capsys):
    assert compare(recorded, "--torch", f"{recorded}/tn.py:Net") == 0
    assert "EQUIVALENT" in capsys.readouterr().out


def test_names_that_differ_are_paired_by_the_recorded_run_or_by_rules(recorded, tmp_path, capsys):
    (tmp_path / "other.py").write_text(
        TORCH.replace("self.conv", "self.stem").replace("self.fc", "self.head")
    )
    assert compare(recorded, "--torch", f"{tmp_path}/other.py:Net") == 0
    told = capsys.readouterr().out
    assert "were paired by dataflow" in told
    assert "confirmed by running both models" in told
    rules = "".join(
        f"[[rule]]\nsource = '{a}\\.(.*)'\ntarget = '{b}.\\1'\n"
        for a, b in (("conv", "stem"), ("fc", "head"))
    )
    (tmp_path / "r.toml").write_text(rules)
    assert compare(recorded, "--torch", f"{tmp_path}/other.py:Net", "--rules", tmp_path / "r.toml") == 0
    assert "were paired by" not in capsys.readouterr().out
    assert compare(recorded, recorded / "torch.st", "--rules", tmp_path / "r.toml") == 2
    assert "--rules is for --torch MODULE:FACTORY" in capsys.readouterr().err


def test_a_difference_that_only_a_further_input_shows_is_different(recorded, tmp_path, capsys):
    other = torch_trace(recorded, tmp_path / "t.st", odd=2.0)
    assert compare(recorded, other) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "on an input of 2x3x9x7 (odd size) the outputs differ by" in out


def test_ids_that_paddle_refuses_and_those_that_it_takes_are_inputs_of_their_own(tmp_path):
    (tmp_path / "p.py").write_text(
        "from paddle import nn\nclass Net(nn.Layer):\n    def forward(self, ids):\n"
        "        assert ids.min() == ids.max()\n        return ids.astype('float32') * 2\n"
    )
    (tmp_path / "t.py").write_text(
        "from torch import nn\nclass Net(nn.Module):\n    def forward(self, ids):\n        return ids.float() * 2\n"
    )
    np.save(tmp_path / "ids.npy", np.full((2, 3), 7))
    given = ["--paddle", f"{tmp_path}/p.py:Net", "--input", str(tmp_path / "ids.npy"), "--mode", "eval"]
    assert main(["parity", "capture", *given, "-o", str(tmp_path / "p.st")]) == 0
    runs = TraceFile(tmp_path / "p.st").runs.values()
    refused = {run["case"]: bool(run["error"]) for run in runs}
    assert (refused["other numbers, masks and ids"], refused["other numbers"]) == (True, False)
    torch = ["--torch", f"{tmp_path}/t.py:Net", "--like", str(tmp_path / "p.st")]
    assert main(["parity", "capture", *torch, "-o", str(tmp_path / "t.st")]) == 0
    assert main(["parity", "compare", str(tmp_path / "p.st"), str(tmp_path / "t.st")]) == 0


def test_weights_inputs_and_parameters_travel_in_the_file(recorded):
    paddle, torch = TraceFile(recorded / "paddle.st"), TraceFile(recorded / "torch.st")
    assert paddle.weights == torch.weights != ""
    assert np.array_equal(paddle.state()["fc.weight"].T, torch.state()["fc.weight"])
    assert paddle.inputs()["0"].shape == (2, 3, 8, 8)
    assert paddle.modes == ("eval",)


def test_the_file_is_one_that_safetensors_reads(recorded):
    from safetensors import safe_open

    with safe_open(recorded / "paddle.st", framework="numpy") as file:
        assert file.metadata()["version"] == str(TRACE_VERSION)
        assert file.get_tensor("parameter/fc.weight").shape == (4, 4)


def refusal(capsys, folder, *arguments):
    capsys.readouterr()
    assert compare(folder, *arguments) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1, "one sentence"
    assert "Traceback" not in err
    return err


def rewritten(source, target, **changes):
    """A copy of a trace with other metadata."""
    data = source.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    about = json.loads(header["__metadata__"]["about"])
    header["__metadata__"].update({k: v for k, v in changes.items() if k == "version"})
    about.update({k: v for k, v in changes.items() if k != "version"})
    header["__metadata__"]["about"] = json.dumps(about)
    for _ in range(2):  # the digest is of what is written, but for itself
        text = json.dumps(header).encode()
        target.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])
        header["__metadata__"]["digest"] = digest_of(target, header, 8 + len(text))
    return target


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"version": "999"}, "version 999"),
        ({"inputs": {"given input": "0"}}, "different inputs"),
        ({"weights": "0"}, "different weights"),
        ({"framework": "paddle"}, "second file must be torch's"),
    ],
)
def test_a_trace_that_does_not_belong_is_refused(recorded, tmp_path, capsys, changes, sentence):
    other = rewritten(recorded / "torch.st", tmp_path / "other.st", **changes)
    assert sentence in refusal(capsys, recorded, other)


def test_traces_of_different_modes_are_refused(recorded, tmp_path, capsys):
    about = TraceFile(recorded / "torch.st").runs.values()
    runs = [{**run, "mode": "train"} for run in about]
    other = rewritten(recorded / "torch.st", tmp_path / "other.st", runs=runs)
    assert "mode" in refusal(capsys, recorded, other)


@pytest.mark.parametrize("kept", [4, 500, -100])
def test_a_truncated_trace_is_refused(recorded, tmp_path, capsys, kept):
    short = tmp_path / "short.st"
    short.write_bytes((recorded / "torch.st").read_bytes()[:kept])
    assert "short.st" in refusal(capsys, recorded, short)


def test_what_is_no_trace_is_refused(recorded, tmp_path, capsys):
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(3)}, tmp_path / "weights.safetensors")
    assert "is no trace" in refusal(capsys, recorded, tmp_path / "weights.safetensors")
    assert "cannot read" in refusal(capsys, recorded, tmp_path / "missing.st")
    shutil.copy(recorded / "tn.py", tmp_path / "text.st")
    assert "text.st" in refusal(capsys, recorded, tmp_path / "text.st")


def test_the_torch_side_alone_has_nothing_to_go_by(recorded, tmp_path, capsys):
    arguments = ["--torch", f"{recorded}/tn.py:Net", "-o", str(tmp_path / "t.st")]
    assert main(["parity", "capture", *arguments]) == 2
    assert "--like" in capsys.readouterr().err
    assert not (tmp_path / "t.st").exists()
