"""`-o folder/`: what the Hugging Face hub, huggingface_hub's mixin and timm read as a model."""

from __future__ import annotations

import json
import subprocess
import sys

import paddle
import pytest
import torch
from safetensors.torch import load_file

from tests.convert.zoo import zoo

REPORT = {
    "verdict": "EQUIVALENT",
    "headline": "EQUIVALENT: net.py:Net (torch) computes what p.py:Net (paddle) computes",
    "torch": "net.py:Net (torch)",
    "environment": {"paddle": "3.3.1 on cpu"},
}


@pytest.fixture
def here(tmp_path):
    (tmp_path / "net.py").write_text(
        "import torch\nfrom huggingface_hub import PyTorchModelHubMixin\n"
        "class Net(torch.nn.Linear, PyTorchModelHubMixin):\n"
        "    def __init__(self, size=3):\n        super().__init__(size, 2)\n"
    )
    paddle.save(paddle.nn.Linear(4, 2).state_dict(), str(tmp_path / "net.pdparams"))
    (tmp_path / "report.json").write_text(json.dumps(REPORT))
    return tmp_path


WORDS = ("convert", "net.pdparams", "--torch", "net.py:Net", "--torch-args", '{"size": 4}', "-o", "out/")


def test_a_folder_is_what_the_hub_builds_a_class_from(in_process, here):
    done = in_process(*WORDS, "--report", "report.json", cwd=here)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (here / "out").iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]
    code = "import net; print(net.Net.from_pretrained('out').weight.flatten().tolist())"

    run = [sys.executable, "-c", code]
    built = subprocess.run(run, cwd=here, capture_output=True, text=True, check=True).stdout
    saved = load_file(here / "out" / "model.safetensors")
    assert json.loads(built.splitlines()[-1]) == saved["weight"].flatten().tolist()
    card = (here / "out" / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: pytorch\n")
    assert "**EQUIVALENT**: net.py:Net (torch) computes what p.py:Net (paddle) computes (paddle 3.3.1" in card
    code = card.partition("```python\n")[2].partition("```")[0]
    (here / "out" / "net.py").write_bytes((here / "net.py").read_bytes())
    subprocess.run([sys.executable, "-c", code], cwd=here / "out", check=True, capture_output=True)


def test_without_a_report_the_card_says_that_nothing_was_proved(in_process, here):
    assert in_process(*WORDS, cwd=here).returncode == 0
    card = (here / "out" / "README.md").read_text()
    assert "None was made." in card
    assert "EQUIVALENT" not in card


def test_a_recognised_network_needs_no_name(in_process, tmp_path):
    from paddle_models.lenet import lenet

    paddle.save(lenet(num_classes=7).state_dict(), str(tmp_path / "net.pdparams"))
    assert in_process("convert", "net.pdparams", "-o", "out/", cwd=tmp_path).returncode == 0
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert (config["architectures"], config["num_classes"]) == (["lenet"], 7)


@pytest.mark.slow
def test_a_timm_network_is_loaded_by_timm(in_process, tmp_path):
    timm = zoo("timm")
    twin = timm.create_model("test_byobnet", num_classes=5)
    spelled = {"running_mean": "_mean", "running_var": "_variance"}
    state = {}
    for name, value in twin.state_dict().items():
        place, _, role = name.rpartition(".")
        if role != "num_batches_tracked":
            state[f"{place}.{spelled.get(role, role)}"] = (value.T if value.ndim == 2 else value).numpy()
    paddle.save(state, str(tmp_path / "net.pdparams"))
    words = ("convert", "net.pdparams", "--torch", "timm:test_byobnet", "--torch-args", '{"num_classes": 5}')
    done = in_process(*words, "-o", "out/", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    made = timm.create_model(f"local-dir:{tmp_path / 'out'}", pretrained=True)
    assert all(torch.equal(made.state_dict()[name], value) for name, value in twin.state_dict().items())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["net.pdparams", "-o", "out/"], "says which network it is: name that with --torch or --model"),
        ([*WORDS[1:], "--report", "net.py"], "net.py: is no report of"),
        (
            [*WORDS[1:], "--report", "other.json"],
            "the report proves other.py:Net, and the weights are for net.py:Net",
        ),
        (
            ["net.pdparams", "-o", "x.pth", "--report", "report.json"],
            "--report is for the model card of a folder",
        ),
        ([*WORDS[1:], "--pdopt", "net.pdopt"], "a folder for the hub holds the weights alone"),
        (["net.pdparams", "--torch", "net.py:Net", "-o", "out/"], "does not fit Net"),
        (["net.pdparams", "--torch", "net.py:Net", "-o", "no/out/"], "no/out: the folder cannot be made"),
    ],
)
def test_wrong_words_about_a_folder_are_answered_and_leave_none(in_process, here, words, message):
    (here / "other.json").write_text(json.dumps({**REPORT, "torch": "other.py:Net (torch)"}))
    done = in_process("convert", *words, cwd=here)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (here / "out").exists()


def test_files_of_a_folder_are_replaced_only_with_force(in_process, here):
    assert in_process(*WORDS, cwd=here).returncode == 0
    (here / "out" / "README.md").write_text("mine")
    (here / "out" / "model.safetensors").unlink()
    done = in_process(*WORDS, cwd=here)
    assert done.returncode == 2
    assert "README.md: already exists" in done.stderr or "config.json: already exists" in done.stderr
    assert not (here / "out" / "model.safetensors").exists()
    assert in_process(*WORDS, "--force", cwd=here).returncode == 0
