"""`paddle2torch train` as it is typed: what it prints, and one sentence and exit code 2 for what is wrong."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
import time

import numpy as np
import paddle
import pytest
import torch

from paddle2torch import console
from paddle2torch.cli import main
from paddle2torch.training import checkpoints
from paddle2torch.training.record import STEPS, draw, rows

pytestmark = pytest.mark.xdist_group("training")

SMALL = [
    "train",
    "--paddle",
    "tests/training/small_paddle.py:resnet",
    "--in-channels",
    "1",
    "--image-size",
    "32",
]


@pytest.fixture
def npz(tmp_path):
    """24 images of three classes."""
    rng = np.random.default_rng(0)
    path = tmp_path / "data.npz"
    np.savez(path, images=rng.integers(0, 256, (24, 32, 32), dtype=np.uint8), labels=np.arange(24) % 3)
    return path


THREE = ["--args", '{"num_classes": 3}', "--batch", "8"]


def refused(arguments, capsys):
    """What a refused command says: one line on stderr."""
    assert main([str(word) for word in arguments]) == 2
    output = capsys.readouterr()
    (line,) = output.err.strip().splitlines()
    return line


def test_a_run_is_told_line_by_line_and_goes_on_in_either_framework(npz, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(console, "_bounded", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    both = ["--torch", "tests/training/small_torch.py:resnet", "--framework", "paddle"]
    run = tmp_path / "run"
    assert main([*SMALL, *both, *THREE, "--data", str(npz), "--epochs", "2", "-o", str(run)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["epoch", "step", "rate"]
    assert [line.split()[:2] for line in lines[1:3]] == [["1", "3"], ["2", "6"]]
    assert lines[3].startswith("best test accuracy")
    assert max(map(len, lines[:4])) <= 80
    assert main(["train", "--resume", str(run), "--epochs", "3"]) == 0
    assert [row["step"] for row in rows(run / STEPS)] == list(range(1, 10))
    assert (
        main(
            [
                "train",
                "--resume",
                str(run),
                "--framework",
                "torch",
                "--epochs",
                "4",
                "-o",
                str(tmp_path / "t"),
                "--device",
                "cpu:0",
            ]
        )
        == 0
    )
    assert [row["step"] for row in rows(tmp_path / "t" / STEPS)] == list(range(1, 13))
    assert checkpoints.read(tmp_path / "t").standing.recipe.network.device == "cpu:0"
    assert "12" in capsys.readouterr().out
    assert refused(["train", "--resume", run, "--framework", "torch"], capsys).endswith(
        "say with -o where torch goes on"
    )
    assert "leave --lr, MODEL out" in refused(["train", "lenet", "--resume", run, "--lr", "1"], capsys)


def test_begun_in_paddle_and_finished_in_torch_the_losses_are_those_of_paddle_alone_and_drawn_on_them(
    npz, tmp_path, capsys
):
    words = [
        "train",
        "lenet",
        "--framework",
        "paddle",
        "--dtype",
        "float64",
        "--batch",
        "8",
        "--data",
        str(npz),
    ]
    words += ["--optimizer", "adam", "--lr", "0.003"]
    whole, half, finished = (tmp_path / name for name in ("whole", "half", "finished"))
    assert main([*words, "--epochs", "4", "-o", str(whole)]) == 0
    assert main([*words, "--epochs", "2", "-o", str(half)]) == 0
    on = ["train", "--resume", str(half), "--framework", "torch", "--epochs", "4"]
    assert main([*on, "--beside", str(whole), "-o", str(finished)]) == 0
    told = capsys.readouterr().out.splitlines()[-1]
    assert told.startswith(f"the losses of the 12 steps that {whole} took too differ by at most ")
    assert 0 < float(told.split()[-3]) < 1e-11
    alone = draw(finished).read_bytes()
    assert draw(finished, whole).read_bytes() != alone
    assert "holds no steps.jsonl" in refused([*words, "--beside", tmp_path, "-o", tmp_path / "run"], capsys)


def test_what_is_printed_beside_a_progress_bar_goes_into_the_file_that_it_is_sent_to(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with console.progress_bar() as bar:
        bar.add_task("training", total=1)
        print("epoch 1")
    assert capsys.readouterr().out == "epoch 1\n"


def test_images_that_changed_since_are_not_gone_on_with(npz, tmp_path, capsys):
    run = tmp_path / "run"
    assert main([*SMALL, *THREE, "--data", str(npz), "-o", str(run)]) == 0
    with np.load(npz) as held:
        images, labels = held["images"], held["labels"]
    images[3, 5, 5] ^= 1
    np.savez(npz, images=images, labels=labels)
    told = refused(["train", "--resume", run, "--epochs", "2"], capsys)
    assert "are not those that" in told
    assert "start a new run with --weights" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["train"], "name a registered model, or your own: --paddle net.py:Net"),
        (["train", "lenet"], "say in which framework: --framework paddle or --framework torch"),
        (["train", "lenets", "--framework", "torch"], "no model is called 'lenets'; did you mean lenet"),
        (
            ["train", "lenet", "--framework", "torch", "--image-size", "16"],
            "an input of 16x16 is too small for lenet",
        ),
        (
            ["train", "lenet", "--framework", "torch", "--momentum", "0.9", "--optimizer", "adam"],
            "--momentum has a meaning only with --optimizer momentum",
        ),
        (
            ["train", "lenet", "--framework", "torch", "--schedule", "multistep"],
            "needs --milestones, such as 30,60",
        ),
        (
            ["train", "lenet", "--framework", "torch", "--freeze", "--features-lr", "0.1"],
            "frozen layers have no rate",
        ),
        (["train", "lenet", "--framework", "torch", "--head", "fc3"], "add --features-lr SHARE or --freeze"),
        (["train", "lenet", "--framework", "torch", "--new-head"], "--new-head is for --weights FILE"),
        (
            ["train", "lenet", "--framework", "torch", "--num-classes", "1"],
            "one logit tells two classes apart, and the images have 10",
        ),
        (["train", "lenet", "--framework", "torch", "--epochs", "0"], "--epochs 0: at least 1"),
        (
            ["train", "lenet", "--framework", "torch", "--data", "nowhere"],
            "nowhere: no such folder; --data is a folder of images",
        ),
        (
            ["train", "lenet", "--framework", "torch", "--train-transforms", "flop:1"],
            "there is no transform 'flop' (nearest: flip)",
        ),
        (
            ["train", "lenet", "--framework", "torch", "--freeze", "--head", "fc4"],
            "--head fc4: no layer has that name (nearest: fc",
        ),
        (["train", "lenet", "--framework", "torch", "--weights", "nowhere.pth"], "nowhere.pth: no such file"),
        (
            ["train", "--paddle", "tests/training/small_paddle.py:unpooled", "--in-channels", "1"],
            "and is to answer a row of logits to each",
        ),
        (["train", "lenet", "--framework", "torch", "--split", "0"], "leaves one part empty; choose another"),
        (
            ["train", "lenet", "--framework", "torch", "--device", "gpu"],
            "--device gpu: write cpu, cuda or cuda:N",
        ),
        pytest.param(
            ["train", "lenet", "--framework", "torch", "--device", "cuda"],
            "device cuda: this torch sees no CUDA device; run it on the CPU, or with a CUDA build of torch",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="has a GPU"),
        ),
        pytest.param(
            ["train", "lenet", "--framework", "paddle", "--device", "cuda"],
            "device cuda: this Paddle is a CPU build; run it on the CPU, or with paddlepaddle-gpu",
            marks=pytest.mark.skipif(paddle.device.is_compiled_with_cuda(), reason="a GPU build"),
        ),
        (["train", "--resume", "tests"], "tests: holds no checkpoint of `paddle2torch train`"),
    ],
)
def test_a_wrong_command_is_refused_with_one_sentence(words, told, tmp_path, capsys):
    output = [] if "--resume" in words else ["-o", tmp_path / "run"]
    assert told in refused([*words, *output], capsys)


def test_a_class_count_that_does_not_fit_is_told(npz, tmp_path, capsys):
    told = refused([*SMALL, "--data", npz, "-o", tmp_path / "run"], capsys)
    assert not (tmp_path / "run").exists()
    assert "gives 10 numbers for an image, and 3 classes (0, 1, 2) need 3" in told
    assert "--args '{\"num_classes\": 3}'" in told


@pytest.mark.parametrize("side", ["paddle", "torch"])
def test_another_networks_checkpoint_is_told_and_another_head_has_an_option(npz, tmp_path, capsys, side):
    net = [
        "train",
        f"--{side}",
        f"tests/training/small_{side}.py:resnet",
        "--in-channels",
        "1",
        "--image-size",
        "32",
    ]
    run = tmp_path / "run"
    assert main([*net, *THREE, "--data", str(npz), "-o", str(run)]) == 0
    other = [word.replace(":resnet", ":densenet") for word in net]
    told = refused([*other, *THREE, "--data", npz, "--weights", run, "-o", tmp_path / "other"], capsys)
    assert "does not fit tests/training/small" in told
    assert told.endswith("it is another network's")
    ten = [*net, "--weights", str(run), "-o", str(tmp_path / "ten")]
    assert "of another shape (out." in (told := refused(ten, capsys))
    assert told.endswith("--new-head leaves the last layer out")
    assert main([*ten, "--new-head", "--freeze", "--batch", "200"]) == 0


@pytest.mark.parametrize("side", ["paddle", "torch"])
def test_a_network_that_raises_on_the_images_is_told_with_their_shape(npz, tmp_path, capsys, side):
    source = f"from {side} import nn\ndef Net():\n    return nn.Sequential(nn.Flatten(), nn.Linear(7, 3))\n"
    (tmp_path / "net.py").write_text(source)
    words = ["train", f"--{side}", tmp_path / "net.py:Net", "--in-channels", "1", "--image-size", "28"]
    assert main([*map(str, words), "--data", str(npz), "-o", str(tmp_path / "run")]) == 2
    *_, told = capsys.readouterr().err.strip().splitlines()
    assert told.startswith(f"paddle2torch train: the {side} model raised ")
    assert " in forward on images of shape [" in told
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("side", ["paddle", "torch"])
def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(npz, tmp_path, capsys, side):
    net = [
        "train",
        f"--{side}",
        f"tests/training/small_{side}.py:vgg",
        "--in-channels",
        "1",
        "--image-size",
        "28",
    ]
    run = tmp_path / "run"
    words = [*net, *THREE, "--data", npz, "--lr", "1e30", "--save-every", "1", "-o", run]
    told = refused(words, capsys)
    assert "at step 2 (epoch 1, batch 2: #" in told
    assert f"the last good checkpoint is {run / 'step-00000001'}; lower --lr" in told
    assert [folder.name for folder in checkpoints.folders(run)] == ["step-00000001"]


def test_a_full_disk_leaves_what_was_there(npz, tmp_path, capsys, monkeypatch):
    run = tmp_path / "run"
    assert main([*SMALL, *THREE, "--data", str(npz), "-o", str(run)]) == 0
    capsys.readouterr()

    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoints, "_to_disk", full)
    told = refused(["train", "--resume", run, "--epochs", "2"], capsys)
    assert "the disk is full, so this checkpoint was not saved; the last good one is" in told
    assert [path.name for path in run.iterdir() if "step-0" in path.name] == ["step-00000003"]


def test_bad_images_are_named_or_left_out_and_counted(tmp_path, capsys, picture):
    for seed in range(8):
        picture(tmp_path / "data" / "ab"[seed % 2] / f"{seed}.png", mode="L", seed=seed, size=(32, 32))
    picture(tmp_path / "data" / "a" / "x.png", size=(32, 32))
    words = [
        *SMALL,
        "--args",
        '{"num_classes": 2}',
        "--data",
        tmp_path / "data",
        "--workers",
        "0",
        "-o",
        tmp_path / "run",
    ]
    assert "a/x.png: is RGB, and the network takes grey; mend it" in refused(words, capsys)
    assert main([*map(str, words), "--skip-bad", "--train-transforms", "resize:32x32"]) == 0
    assert capsys.readouterr().out.startswith(
        "left out 1 bad image: a/x.png (is RGB, and the network takes grey)\n"
    )


@pytest.mark.slow
def test_ctrl_c_leaves_a_checkpoint_to_go_on_from(npz, tmp_path):
    run = tmp_path / "run"
    words = [*SMALL, *THREE, "--data", str(npz), "--epochs", "100000", "-o", str(run)]
    process = subprocess.Popen(
        [sys.executable, "-m", "paddle2torch", *words], stdout=subprocess.PIPE, text=True
    )
    while not checkpoints.folders(run) and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    assert f"go on with: paddle2torch train --resume {run}" in output
    step = checkpoints.read(run).standing.step
    assert rows(run / STEPS)[-1]["step"] == step


def test_the_options_of_no_command_cost_the_import_of_numpy():
    code = (
        "import argparse, sys\n"
        "from paddle2torch.cli import COMMANDS, _module\n"
        "for command in COMMANDS:\n"
        "    _module(command).configure(argparse.ArgumentParser())\n"
        "assert not {'numpy', 'logging', 'torch', 'paddle', 'rich'} & set(sys.modules), sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
