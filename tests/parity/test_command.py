"""`paddle2torch parity` as a user types it: real worker processes, exit codes, files, and every kind of bad input."""

import json
import os
import re
import stat
import subprocess
import sys
import time
import venv
from pathlib import Path

import numpy as np
import paddle
import pytest
import torch

from paddle2torch.cli import main
from parity.capture.failed import ModelError
from parity.errors import ParityError
from parity.sides.worker import Worker

PADDLE_NET = """
import os, signal, sys

import paddle
from paddle import nn

print("this goes nowhere near the protocol")


class Net(nn.Layer):
    def __init__(self, width=4, slope=0.1):
        super().__init__()
        self.conv = nn.Conv2D(3, width, 3)
        self.bn = nn.BatchNorm2D(width)
        self.slope = slope

    def forward(self, x):
        return nn.functional.leaky_relu(self.bn(self.conv(x)), self.slope)


class Silent(Net):
    def forward(self, x):
        super().forward(x)


class Dies(Net):
    def forward(self, x):
        y = super().forward(x)
        os.kill(os.getpid(), signal.SIGKILL)
        return y


class Sequence(nn.Layer):
    # layers that torch keeps in other pieces
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 4)
        self.block = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0)

    def forward(self, x):
        return self.block(self.lstm(x)[0])


def broken():
    raise KeyError("no such configuration")


def number():
    return 3
"""

TORCH_NET = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, width=4, slope=0.1):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3)
        self.bn = nn.BatchNorm2d(width)
        self.slope = slope

    def forward(self, x):
        return nn.functional.leaky_relu(self.bn(self.conv(x)), self.slope)


class Silent(Net):
    def forward(self, x):
        super().forward(x)


class Raises(Net):
    def forward(self, x):
        raise LookupError("the torch model gave up")


class Sequence(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 4, batch_first=True)
        self.block = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)

    def forward(self, x):
        return self.block(self.lstm(x)[0])


def on_the_gpu():
    return Net().cuda()
"""

PAIR = ("--paddle", "net_p.py:Net", "--torch", "net_t.py:Net", "--shape", "2,3,8,8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The user's directory, with two files of models; it is also the current directory."""
    (tmp_path / "net_p.py").write_text(PADDLE_NET)
    (tmp_path / "net_t.py").write_text(TORCH_NET)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def parity_command(folder, capfd):
    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            code = main(["parity", *map(str, arguments)])
        except SystemExit as stopped:  # argparse
            code = stopped.code
        out, err = capfd.readouterr()
        return code, out, err

    return run


@pytest.fixture
def refused(parity_command):
    """Run a command that must fail with exit code 2 and one sentence; returns the sentence."""

    def run(*arguments: str) -> str:
        code, out, err = parity_command(*arguments)
        assert code == 2, out + err
        assert out == ""
        lines = err.strip().splitlines()
        assert lines[-1].startswith("paddle2torch parity: ")
        assert len([line for line in lines if line.startswith("paddle2torch parity: ")]) == 1
        return lines[-1].removeprefix("paddle2torch parity: ")

    return run


# -- when all is well -----------------------------------------------------------------------------


def test_a_registered_model_is_equivalent_and_the_report_is_written(parity_command, folder):
    code, out, err = parity_command("lenet", "--json", "report.json")
    assert code == 0
    assert err == "", "nothing on stderr in a pipe when all is well"
    (verdict,) = re.findall(r"^EQUIVALENT: (?:.|\n)*\Z", out, re.MULTILINE)
    assert "11 operators compared, outputs on 3 further inputs" in verdict
    assert "fc3" in out
    report = json.loads((folder / "report.json").read_text(), parse_constant=pytest.fail)
    assert report["verdict"] == "EQUIVALENT"
    assert [case["mode"] for case in report["cases"]][:2] == ["eval", "train"]
    assert sorted(os.listdir(folder)) == ["net_p.py", "net_t.py", "report.json"], "nothing half written"


def test_a_checkpoint_and_an_image_are_compared(parity_command, folder):
    from PIL import Image

    from paddle_models.lenet import lenet

    paddle.save(lenet(num_classes=7).state_dict(), "seven.pdparams")
    Image.fromarray(np.arange(28 * 28, dtype=np.uint8).reshape(28, 28)).convert("RGB").save("digit.png")
    code, out, err = parity_command(
        "lenet", "--weights", "seven.pdparams", "--input", "digit.png", "--mode", "eval", "--only-given"
    )
    assert (code, err) == (0, "")
    assert "1x7" in out, "the class count is the checkpoint's"
    assert "[1, 1, 28, 28]" in out, "the image is read in grey"
    assert "biases are zero" in out, "what these weights cannot show is said"


def test_two_factories_that_differ_give_exit_code_1_and_lines_to_edit(parity_command, folder):
    (folder / "convert").mkdir()
    (folder / "convert" / "__init__.py").write_text("raise ImportError('the user owns this name here')\n")
    code, out, err = parity_command(
        *PAIR, "--args", '{"width": 5}', "--torch-args", '{"slope": 0.01}', "--json", "r.json"
    )
    assert code == 1, out + err
    assert err == ""
    assert "2x5x6x6" in out, "both were built with --args"
    assert "slope: torch has 0.01, Paddle has 0.1" in out
    line = TORCH_NET.splitlines().index(
        "        return nn.functional.leaky_relu(self.bn(self.conv(x)), self.slope)"
    )
    assert re.search(rf"torch: +net_t\.py:{line + 1}\n", out), "relative to the current directory"
    assert out.rstrip().splitlines()[-1].startswith("DIFFERENT: 1 finding in net_t.py:Net")
    assert json.loads((folder / "r.json").read_text())["findings"][0]["operator"] == "LeakyReLU"


def test_layers_that_torch_keeps_in_other_pieces_get_paddles_weights(parity_command):
    words = ("--paddle", "net_p.py:Sequence", "--torch", "net_t.py:Sequence", "--shape", "2,3,4")
    code, out, err = parity_command(*words, "--mode", "eval", "--only-given")
    assert code == 0, out + err
    assert "EQUIVALENT" in out


def test_rules_say_which_weight_is_which_where_names_differ(parity_command, refused, folder):
    renamed = (
        (folder / "net_t.py").read_text().replace("self.lstm", "self.rnn").replace("self.block", "self.body")
    )
    (folder / "renamed.py").write_text(renamed)
    (folder / "rules.toml").write_text(
        "[[rule]]\nsource = 'lstm\\.0\\.cell\\.(.*)'\ntarget = 'rnn.\\1_l0'\n"
        "[[rule]]\nsource = 'block\\.self_attn\\.q_proj\\.(weight|bias)'\ntarget = 'body.self_attn.in_proj_\\1'\n"
        "[[rule]]\nsource = 'block\\.self_attn\\.k_proj\\.(weight|bias)'\ntarget = 'body.self_attn.in_proj_\\1'\n"
        "[[rule]]\nsource = 'block\\.self_attn\\.v_proj\\.(weight|bias)'\ntarget = 'body.self_attn.in_proj_\\1'\n"
        "[[rule]]\nsource = 'block\\.(.*)'\ntarget = 'body.\\1'\n"
    )
    words = ("--paddle", "net_p.py:Sequence", "--torch", "renamed.py:Sequence", "--shape", "2,3,4")
    code, out, err = parity_command(*words, "--mode", "eval", "--only-given", "--rules", "rules.toml")
    assert code == 0, out + err
    assert "EQUIVALENT" in out
    assert "no such file" in refused(*words, "--rules", "nowhere.toml")


def test_models_without_outputs_give_exit_code_3(parity_command, folder):
    np.savez(folder / "x.npz", x=np.ones((1, 3, 8, 8), np.float32))
    code, out, _ = parity_command(
        "--paddle", "net_p:Silent", "--torch", "net_t:Silent", "--input", "x.npz", "--mode", "eval"
    )
    assert code == 3
    assert out.rstrip().splitlines()[-1].startswith("INCONCLUSIVE: ")


def test_separate_environments_with_one_framework_and_numpy_each(parity_command, folder):
    only_paddle = environment(folder / "with-paddle", without=("torch",))
    only_torch = environment(folder / "with-torch", without=("paddle", "safetensors"))
    code, out, err = parity_command(
        "lenet", "--only-given", "--paddle-python", only_paddle, "--torch-python", only_torch
    )
    assert (code, err) == (0, ""), out + err


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["resnet51"], r"no model is called 'resnet51'; did you mean resnet50"),
        ([], r"name a registered model, or both --paddle MODULE:FACTORY and --torch"),
        (["--paddle", "net_p.py:Net", "--shape", "2,3,8,8"], r"name a registered model, or both"),
        (["lenet", "--weights", "none.pdparams"], r"none\.pdparams: no such file"),
        (["lenet", "--weights", "net_p.py"], r"net_p\.py: not a Paddle checkpoint"),
        (["lenet", "--args", "{bad"], r"--args is not JSON .* write e\.g\. --args"),
        (["lenet", "--torch-args", "[1]"], r"--torch-args must be a JSON object of keyword arguments"),
        (["lenet", "--num-classes", "0"], r"--num-classes must be at least 1, not 0"),
        (["lenet", "--shape", "2,1,8,8"], r"8x8 is too small for lenet.*smallest that works is 28x28"),
        (["lenet", "--shape", "2,1,28"], r"lenet takes 3-dimensional inputs such as 1x28x28"),
        (["lenet", "--shape", "2,3,28,28"], r"takes 1 input channel.*has 3; give --in-channels 3"),
        (["lenet", "--shape", "a,b"], r"--shape a,b: write sizes with commas, such as 2,3,224,224"),
        (["lenet", "--shape", "0,1,28,28"], r"every size must be at least 1"),
        (["lenet", "--seed", "-1"], r"--seed -1: a seed is 0 or more"),
        (["lenet", "--device", "gpu"], r"--device gpu: write cpu, cuda or cuda:N"),
        (["lenet", "--torch-device", "cuda:x"], r"--torch-device cuda:x: write cpu, cuda or cuda:N"),
        (["lenet", "--input", "none.npy"], r"the input file none\.npy does not exist"),
        (["lenet", "--input", "net_p.py"], r"net_p\.py is neither \.npy, \.npz nor an image"),
        (["lenet", "--input", "bad.npz"], r"cannot read the input file bad\.npz"),
        (["lenet", "--input", "pickle.npy"], r"cannot read the input file pickle\.npy"),
        (["lenet", "--input", "nan.npy"], r"input 0 holds NaN or Inf"),
        (["lenet", "--input", "small.npy"], r"8x8 is too small for lenet"),
        (["lenet", "--input", "small.npy", "--shape", "2,1,28,28"], r"give one of them"),
        (list(PAIR[:4]), r"say what the models take: --shape 2,3,224,224 .*, or --input FILE"),
        (["lenet", "--json", "taken.json"], r"taken\.json: already exists; use --force"),
        (["lenet", "--json", "nowhere/r.json"], r"nowhere/r\.json: the directory nowhere does not exist"),
        (["lenet", "--json", ".", "--force"], r"\.: is a directory"),
        (["lenet", "--paddle-python", "/nonexistent/python"], r"cannot start /nonexistent/python: No such file"),
        (["lenet", "--paddle-python", "/bin/echo"], r"/bin/echo did not start as a Python interpreter"),
        (["lenet", "--paddle-python", "/bin/ls"], r"/bin/ls did not start as a Python interpreter"),
        (["lenet", "--paddle-python", "net_p.py"], r"cannot start net_p\.py: "),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence_and_exit_code_2(refused, folder, arguments, sentence):
    (folder / "taken.json").write_text("old")
    (folder / "bad.npz").write_bytes(b"PK\x03\x04 not really")
    np.save(folder / "nan.npy", np.full((1, 1, 28, 28), np.nan, np.float32))
    np.save(folder / "small.npy", np.zeros((1, 1, 8, 8), np.float32))
    np.save(folder / "pickle.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert re.search(sentence, refused(*arguments))
    assert (folder / "taken.json").read_text() == "old"
    assert not list(folder.glob("*.part*"))


@pytest.mark.parametrize(
    "arguments", [["lenet", "--mode", "test"], ["lenet", "--seed", "x"], ["lenet", "--what"]]
)
def test_options_that_do_not_exist_are_refused_in_one_sentence(parity_command, arguments):
    code, _, err = parity_command(*arguments)
    assert code == 2
    assert err.endswith("--help`\n")
    assert err.count("\n") == 1


def test_weights_that_do_not_fit_are_refused_before_anything_starts(parity_command, folder):
    from paddle_models.lenet import lenet

    paddle.save(lenet().state_dict(), "ten.pdparams")
    code, out, err = parity_command("lenet", "--weights", "ten.pdparams", "--num-classes", "7")
    assert (code, out) == (2, "")
    assert "fc3.weight" in err
    assert "--num-classes 10" in err
    code, out, err = parity_command("resnet18", "--weights", "ten.pdparams")
    assert (code, out) == (2, "")
    assert "another network's: of the 102 missing tensors none has the shape of an extra one" in err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_report_is_refused_before_anything_starts(refused, folder):
    (folder / "locked").mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)
    assert "not writable" in refused("lenet", "--json", "locked/r.json")


@pytest.mark.parametrize("side", ["paddle", "torch"])
@pytest.mark.parametrize(
    ("factory", "sentence"),
    [
        ("nowhere.net:Net", r"there is no module 'nowhere' \(asked for nowhere\.net\)"),
        ("net_{}.py:Nett", r"net_.\.py has no 'Nett'.*Net"),
        ("missing.py:Net", r"missing\.py: no such file"),
        ("net_{}.py", r"write package\.module:factory or path/to/file\.py:factory"),
        ("net_{}.py:nn", r"net_.\.py:nn is not a class or function"),
    ],
)
def test_a_factory_that_does_not_exist_is_named(folder, side, factory, sentence):
    from convert.errors import ConvertError

    with pytest.raises(ConvertError, match=sentence):
        Worker(side).build(factory.format(side[0]), {}, "cpu")


def test_a_factory_that_raises_shows_its_own_error(folder):
    with pytest.raises(
        ModelError, match=r"net_p\.py:broken cannot be built with arguments \{\}: KeyError"
    ) as caught:
        Worker("paddle").build("net_p.py:broken", {}, "cpu")
    assert 'raise KeyError("no such configuration")' in caught.value.detail
    with pytest.raises(ModelError, match=r'with arguments \{"depth": 3\}.*unexpected keyword argument'):
        Worker("torch").build("net_t.py:Net", {"depth": 3}, "cpu")


def test_a_factory_of_the_other_framework_or_of_something_else_is_refused(folder):
    with pytest.raises(ParityError, match=r"net_p\.py:number made a int, which is not a paddle\.nn\.Layer"):
        Worker("paddle").build("net_p.py:number", {}, "cpu")
    with pytest.raises(ParityError, match=r"made a Net, which is not a torch\.nn\.Module"):
        Worker("torch").build("net_p.py:Net", {}, "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU build does what .cuda() asks for")
def test_cuda_in_the_definition_is_explained_on_a_cpu(folder):
    with pytest.raises(ModelError, match=r"leave \.cuda\(\) out of the definition, --torch-device places"):
        Worker("torch").build("net_t.py:on_the_gpu", {}, "cpu")


def test_cuda_without_cuda_is_refused_for_either_side(folder):
    if not torch.cuda.is_available():
        with pytest.raises(
            ParityError, match=r"device cuda: this torch sees no CUDA device; .*--torch-device"
        ):
            Worker("torch").build("net_t.py:Net", {}, "cuda")
    if not paddle.device.is_compiled_with_cuda():
        with pytest.raises(
            ParityError, match=r"device cuda:1: this Paddle is a CPU build; .*paddlepaddle-gpu"
        ):
            Worker("paddle").build("net_p.py:Net", {}, "cuda:1")


@pytest.mark.skipif(paddle.device.is_compiled_with_cuda(), reason="this Paddle has CUDA")
def test_the_command_refuses_a_device_that_is_not_there(refused):
    assert re.match("device cuda: this Paddle is a CPU build", refused("lenet", "--device", "cuda"))


# -- environments ---------------------------------------------------------------------------------


def environment(folder: Path, *, without: tuple[str, ...]) -> Path:
    """A small virtual environment: this one's packages but ours, some tools, and those in `without`."""
    venv.create(folder, with_pip=False, symlinks=True)
    packages = next((folder / "lib").glob("python*")) / "site-packages"
    hidden = (*without, "__editable__", "_paddle2torch", "paddle2torch", "rich", "pytest")
    for entry in Path(np.__file__).parents[1].iterdir():
        if not entry.name.startswith(hidden) and entry.suffix != ".pth":
            (packages / entry.name).symlink_to(entry)
    return folder / "bin" / "python"


@pytest.mark.parametrize(("side", "package"), [("paddle", "paddlepaddle"), ("torch", "torch")])
def test_a_framework_that_is_not_installed_is_named_with_the_pip_command(refused, folder, side, package):
    python = environment(folder / "env", without=("paddle", "torch"))
    sentence = refused("lenet", f"--{side}-python", python)
    assert sentence.startswith(f"{side} is not installed")
    assert f"`{python} -m pip install {package}`" in sentence


def test_an_interpreter_without_numpy_is_told_how_to_get_it(refused, folder):
    venv.create(folder / "bare", with_pip=False, symlinks=True)
    python = folder / "bare" / "bin" / "python"
    assert f"`{python} -m pip install numpy`" in refused("lenet", "--paddle-python", python)


# -- models that fail while they run --------------------------------------------------------------


def test_a_model_that_raises_shows_its_traceback_then_one_sentence(parity_command):
    """It does what Paddle's does not: the port is different, and the report says where it raised."""
    code, out, err = parity_command(*PAIR[:2], "--torch", "net_t.py:Raises", *PAIR[4:])
    assert code == 1, err
    before, _, told = out.partition("Traceback (most recent call last):")
    assert "parity" not in before.lower(), "the traceback is its own, and comes first"
    assert 'raise LookupError("the torch model gave up")' in told
    sentence = " ".join(told.split())
    assert (
        "on an input of 2x3x8x8, which Paddle's model takes, the torch model raised LookupError: the torch model gave up"
        in sentence
    )
    assert "net_t.py:" in told


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_worker_that_is_killed_half_way_is_reported_and_leaves_no_file(refused, folder):
    sentence = refused("--paddle", "net_p.py:Dies", *PAIR[2:], "--json", "r.json")
    assert sentence.startswith("the paddle worker was killed by signal 9 during")
    assert "use a smaller batch" in sentence
    assert not (folder / "r.json").exists()


def test_a_command_that_is_ended_from_outside_leaves_no_file_and_no_worker(tmp_path):
    scratch, marker = tmp_path / "scratch", tmp_path / "pid"
    scratch.mkdir()
    (tmp_path / "in_paddle.py").write_text("import paddle\nNet = lambda: paddle.nn.Linear(3, 3)\n")
    (tmp_path / "in_torch.py").write_text(
        "import os, time, torch\n\n\nclass Net(torch.nn.Linear):\n    def __init__(self):\n        super().__init__(3, 3)\n\n"
        "    def forward(self, x):\n"
        f"        open({str(marker)!r} + '~', 'w').write(str(os.getpid()))\n"
        f"        os.rename({str(marker)!r} + '~', {str(marker)!r})\n"
        "        time.sleep(60)\n"
    )
    command = [sys.executable, "-m", "paddle2torch", "parity", "--shape", "2,3"]
    models = ["--paddle", f"{tmp_path}/in_paddle.py:Net", "--torch", f"{tmp_path}/in_torch.py:Net"]
    with subprocess.Popen(
        [*command, *models],
        env={**os.environ, "TMPDIR": str(scratch)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        end = time.monotonic() + 90
        while not marker.exists() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        process.terminate()
        _, told = process.communicate(timeout=30)
    assert marker.exists(), told.decode()
    assert process.returncode == 143
    assert not list(scratch.iterdir())
    with pytest.raises(ProcessLookupError):
        os.kill(int(marker.read_text()), 0)


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))
from paddle2torch.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(("room", "what"), [(10_000, "weights"), (400_000, "recorded values")])
def test_a_disk_that_is_full_is_told_in_one_sentence_and_nothing_stays(tmp_path, room, what):
    """A limit on the size of files stands for the full disk."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    arguments = (
        "parity",
        "lenet",
        "--shape",
        "64,1,28,28",
        "--only-given",
        "--json",
        tmp_path / "report.json",
    )
    done = subprocess.run(
        [sys.executable, "-c", LIMITED.format(room), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(scratch)},
        check=False,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"cannot write the {what} to {scratch}" in done.stderr
    assert "set TMPDIR to a disk with more room" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "report.json").exists()
    assert list(scratch.iterdir()) == []
