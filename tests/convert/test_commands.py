"""The command line: every wrong input is one clear sentence, exit code 2 and no file; the rest works."""

from __future__ import annotations

import json
import os
import pickle
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import paddle
import pytest
import torch

MODULE = """
import torch

def net(width=5):
    return torch.nn.Sequential(torch.nn.Linear(3, width), torch.nn.Linear(width, width))

def broken():
    raise RuntimeError("no luck")

def text():
    return "not a module"

def vision():
    raise RuntimeError("operator torchvision::nms does not exist")
"""


@pytest.fixture
def lenet(save) -> Path:
    """A LeNet checkpoint with ten classes."""
    from paddle_models.lenet import lenet

    return save(lenet(num_classes=10).state_dict(), name="lenet.pdparams")


@pytest.fixture
def net(tmp_path) -> Path:
    """A user's own torch file, and beside it the checkpoint of its Paddle twin."""
    layer = paddle.nn.Sequential(paddle.nn.Linear(3, 5), paddle.nn.Linear(5, 5))
    paddle.save(layer.state_dict(), str(tmp_path / "net.pdparams"))
    (tmp_path / "my_net.py").write_text(MODULE)
    return tmp_path


class Evil:
    def __reduce__(self):
        return os.system, ("touch executed",)


def wrong_inputs(tmp: Path) -> dict[str, tuple[list[str], str]]:
    """Arguments of `convert` (its source first) and what the message must say."""
    good = (tmp / "lenet.pdparams").read_bytes()
    (tmp / "text.pdparams").write_text("hello")
    (tmp / "cut.pdparams").write_bytes(good[: len(good) // 2])
    (tmp / "evil.pdparams").write_bytes(pickle.dumps({"w": np.ones(3, "f4"), "x": Evil()}))
    state = {"w": np.ones(3, "float32")}
    (tmp / "two.pdparams").write_bytes(pickle.dumps({"model": state, "ema": {"w": np.zeros(3, "float32")}}))
    (tmp / "there.pth").write_text("precious")
    lenet = ["lenet.pdparams", "--model", "lenet"]
    return {
        "missing file": (["absent.pdparams"], "absent.pdparams: no such file"),
        "not a pickle": (["text.pdparams"], "not a Paddle checkpoint"),
        "truncated": (["cut.pdparams"], "cut off"),
        "hostile": (["evil.pdparams"], "posix.system"),
        "two state dicts": (["two.pdparams"], "choose one with --key: model (1 tensor), ema (1 tensor)"),
        "wrong key": (["two.pdparams", "--key", "models"], "nearest: model"),
        "wrong model": (["lenet.pdparams", "--model", "lenett"], "lenet"),
        "wrong class count": ([*lenet, "--num-classes", "12"], "made with --num-classes 10"),
        "other model": (["lenet.pdparams", "--model", "resnet50"], "missing"),
        "no such directory": ([*lenet, "-o", "absent/x.pth"], "directory absent does not exist"),
        "target is a directory": ([*lenet, "-o", "."], "is a directory"),
        "target exists": ([*lenet, "-o", "there.pth"], "--force"),
        "unwritable target": ([*lenet, "-o", "/proc/x.pth"], "/proc/x.pth: cannot be written"),
        "strange suffix": ([*lenet, "-o", "x.onnx"], "*.safetensors or *.pth"),
        "no target": (["lenet.pdparams", "--no-output"], "-o FILE"),
        "strange dtype": ([*lenet, "--dtype", "int8"], "float16"),
        "sizes without model": (["lenet.pdparams", "--num-classes", "3"], "--model"),
        "no module": (["lenet.pdparams", "--torch", "no_such_module:Net"], "no_such_module"),
        "no colon": (["lenet.pdparams", "--torch", "torch"], "package.module:factory"),
        "no factory": (["lenet.pdparams", "--torch", "torch.nn:Linaer"], "nearest: Linear"),
        "bad arguments": (["lenet.pdparams", "--torch", "torch.nn:Linear", "--torch-args", "{"], "not JSON"),
        "a target without -o": (
            ["lenet.pdparams", "x.pth", "--no-output"],
            "convert lenet.pdparams -o x.pth",
        ),
        "a mistyped file": (["lenet.pdparam"], "no such file (nearest: lenet.pdparams)"),
        "a probe without a run": ([*lenet, "--shape", "1,1,28,28"], "--shape is for --match run"),
        "a prefix that nothing has": ([*lenet, "--strip-prefix", "model."], "no tensor's name begins so"),
        "rules into nowhere": ([*lenet, "--save-rules", "no/r.toml"], "the directory no does not exist"),
        "no rules": ([*lenet, "--rules", "absent.toml"], "absent.toml"),
    }


def kinds() -> list[str]:
    """The names of the wrong inputs, without their files."""
    import inspect

    source = inspect.getsource(wrong_inputs)
    return [
        line.split('"')[1] for line in source.splitlines() if line.strip().startswith('"') and '": ([' in line
    ]


@pytest.mark.parametrize("kind", kinds())
def test_wrong_input_is_one_sentence_exit_code_2_and_no_file(in_process, lenet, tmp_path, kind):
    arguments, message = wrong_inputs(tmp_path)[kind]
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    arguments = list(arguments)
    if "--no-output" in arguments:
        arguments.remove("--no-output")
    elif "-o" not in arguments:
        arguments = [*arguments, "-o", "out.safetensors"]
    done = in_process("convert", *arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.name != "__pycache__"} == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_directory_is_named(command, lenet, tmp_path):
    (tmp_path / "locked").mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)
    done = command("convert", lenet, "--model", "lenet", "-o", tmp_path / "locked" / "x.pth")
    assert done.returncode == 2
    assert "not writable" in done.stderr


def test_a_missing_framework_is_answered_with_the_pip_command(command, net, tmp_path):
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')")
    environment = {**os.environ, "PYTHONPATH": str(hidden)}
    for factory in ("my_net.py:net", "torch.nn:Linear"):
        done = command("convert", "net.pdparams", "--torch", factory, "-o", "x.pth", cwd=net, env=environment)
        assert done.returncode == 2
        assert "pip install torch" in done.stderr


def test_convert_to_both_formats_and_replace_with_force(command, lenet, tmp_path):
    for name in ("out.safetensors", "out.pth"):
        done = command("convert", lenet, "--model", "lenet", "-o", tmp_path / name)
        assert done.returncode == 0, done.stderr
        assert "10 tensors moved (3 transposed)" in done.stdout
        assert done.stderr == ""
        again = command("convert", lenet, "--model", "lenet", "-o", tmp_path / name, "--force")
        assert again.returncode == 0, again.stderr
    assert torch.load(tmp_path / "out.pth", weights_only=True)["fc3.weight"].shape == (10, 84)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "lenet.pdparams",
        "out.pth",
        "out.safetensors",
    ]


def test_convert_for_a_users_own_file(in_process, net):
    done = in_process("convert", "net.pdparams", "--torch", "my_net.py:net", "-o", "x.pth", cwd=net)
    assert done.returncode == 0, done.stderr
    wide = in_process(
        "convert",
        "net.pdparams",
        "--torch",
        "my_net.py:net",
        "--torch-args",
        '{"width": 6}',
        "-o",
        "y.pth",
        cwd=net,
    )
    assert wide.returncode == 2
    assert "transposed [5, 3]; torch's 0.weight is [6, 3]" in wide.stderr
    told = {
        "broken": "RuntimeError: no luck",
        "text": "not a torch.nn.Module",
        "vision": "the torchvision here was built for another torch",
    }
    for factory, message in told.items():
        done = in_process(
            "convert", "net.pdparams", "--torch", f"my_net.py:{factory}", "-o", "y.pth", cwd=net
        )
        assert done.returncode == 2
        assert message in done.stderr


def test_a_dry_run_prints_the_plan_and_writes_nothing(command, lenet, tmp_path):
    done = command("convert", lenet, "--model", "lenet", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "transpose" in done.stdout
    assert "x @ W.T" in done.stdout
    data = json.loads(command("convert", lenet, "--model", "lenet", "--dry-run", "--json").stdout)
    assert len(data["moves"]) == 10
    wrong = command("convert", lenet, "--model", "alexnet", "--dry-run")
    assert wrong.returncode == 2
    assert "problem: missing: conv3.weight" in wrong.stdout
    assert "does not fit alexnet: 9 of a wrong shape, 6 missing" in wrong.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["lenet.pdparams"]


def test_rules_that_were_saved_lead_to_the_same_plan(in_process, net):
    first = in_process(
        "convert",
        "net.pdparams",
        "--torch",
        "my_net.py:net",
        "-o",
        "a.pth",
        "--save-rules",
        "r.toml",
        cwd=net,
    )
    assert first.returncode == 0, first.stderr
    second = in_process(
        "convert", "net.pdparams", "--torch", "my_net.py:net", "-o", "b.pth", "--rules", "r.toml", cwd=net
    )
    assert second.returncode == 0, second.stderr
    assert (net / "a.pth").read_bytes() == (net / "b.pth").read_bytes()


def test_inspect_shows_names_shapes_types_and_statistics(command, everything, save):
    path = save({"model": everything.state_dict(), "epoch": 3})
    done = command("inspect", path, "--stats")
    assert done.returncode == 0, done.stderr
    assert "pickle protocol 4" in done.stdout
    assert "state dict at key: model" in done.stdout
    assert "epoch = 3" in done.stdout
    data = json.loads(command("inspect", path, "--stats", "--json").stdout)
    rows = {row["name"]: row for row in data["tensors"]}
    weight = everything.fc.weight.numpy()
    assert rows["fc.weight"]["shape"] == [5, 7]
    assert rows["fc.weight"]["min"] == pytest.approx(float(weight.min()))
    assert rows["fc.weight"]["mean"] == pytest.approx(float(weight.mean()), abs=1e-6)
    assert data["extras"] == {"epoch": 3}


def test_statistics_count_what_is_not_finite(command, save):
    tensor = paddle.to_tensor(np.array([1.0, np.nan, np.inf, -np.inf, 3.0], "float32"))
    path = save(
        {"x": tensor, "y": tensor.astype("bfloat16"), "n": paddle.zeros([0]), "b": paddle.to_tensor([True])}
    )
    rows = {
        row["name"]: row
        for row in json.loads(command("inspect", path, "--stats", "--json").stdout)["tensors"]
    }
    for name in "xy":
        assert (rows[name]["min"], rows[name]["max"], rows[name]["mean"]) == (1.0, 3.0, 2.0)
        assert (rows[name]["nan"], rows[name]["inf"]) == (1, 2)
    assert rows["n"]["min"] is None
    assert rows["b"]["max"] == 1.0


def test_inspect_answers_wrong_input_with_exit_code_2(command, tmp_path):
    done = command("inspect", tmp_path / "absent")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no such file" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["convert", "x", "--num-classes", "ten"],
            "invalid int value: 'ten'; see `paddle2torch convert --help`",
        ),
        (["convrt", "x"], "there is no command convrt; the nearest is convert"),
        (["inspect"], "required: CHECKPOINT"),
    ],
)
def test_a_wrong_command_line_is_answered_in_one_line(command, words, message):
    done = command(*words)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_exports_prefix_names_it_as_in_paddle(in_process, tmp_path):
    layer = paddle.nn.Linear(2, 3)
    paddle.save(layer.state_dict(), str(tmp_path / "net.pdparams"))
    done = in_process("inspect", "net", cwd=tmp_path)
    assert done.returncode == 0
    assert "net.pdparams: pdparams" in done.stdout


def test_a_killed_conversion_leaves_no_file(lenet, tmp_path):
    import signal

    code = (
        "import os, signal, sys\nfrom convert import convert_checkpoint\n"
        "def die(done, total):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "convert_checkpoint(sys.argv[1], sys.argv[2], model='lenet', on_progress=die, force=True)\n"
    )
    target = tmp_path / "out.pth"
    target.write_text("old")
    done = subprocess.run([sys.executable, "-c", code, str(lenet), str(target)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lenet.pdparams", "out.pth"]


def test_killed_at_any_moment_a_conversion_leaves_the_old_file_or_the_new_one(save, tmp_path):
    code = """
import os, signal, sys, time
from convert import convert_checkpoint
source, target = sys.argv[1:]
convert_checkpoint(source, target + ".first.pth", model="none")  # what it imports is imported now
started = time.perf_counter()
convert_checkpoint(source, target + ".first.pth", model="none", force=True)
took = time.perf_counter() - started
whole = open(target + ".first.pth", "rb").read()
found = set()
number = 0
while number < 60 or len(found) < 2:  # the machine may be slower by now: then later kills too
    open(target, "w").write("old")
    child = os.fork()
    if child == 0:
        convert_checkpoint(source, target, model="none", force=True)
        os._exit(0)
    time.sleep(took * (number % 60) / 30 * (1 + number // 60))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    now = open(target, "rb").read()
    assert now in (b"old", whole), len(now)
    found.add(now)
    number += 1
print(sorted(map(len, found)) == [3, len(whole)])
"""
    values = {f"w{i}": np.full((300, 400), i, "float32") for i in range(20)}
    source = save(values, name="net.pdparams")
    target = tmp_path / "out" / "net.pth"
    target.parent.mkdir()
    words = [sys.executable, "-c", code, str(source), str(target)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "True"
