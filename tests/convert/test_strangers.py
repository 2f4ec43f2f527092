"""What people run into who did not write this tool: odd factories, patterns about nothing, numbers too large."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import paddle
import pytest
import torch

from convert import ConvertError, convert_checkpoint, plan_conversion
from convert.apply.folder import convert_folder, find_checkpoints
from convert.plan.plan import LISTED_MOST, Options
from convert.plan.rules import Rule
from convert.training.live import convert_optimizer

FACTORIES = """
import torch
print("imported")
def Net(size=4):
    print("built")
    return torch.nn.Sequential(torch.nn.Linear(size, 3))
def Pair():
    return Net(), 3
def Needs(size):
    return Net(size)
def Fails():
    raise RuntimeError("two\\nlines")
def Leaves():
    raise SystemExit(3)
"""


@pytest.fixture
def here(save, tmp_path) -> Path:
    save(paddle.nn.Sequential(paddle.nn.Linear(4, 3)).state_dict())
    (tmp_path / "nets.py").write_text(FACTORIES)
    return tmp_path


def test_what_a_factory_prints_stays_out_of_the_json(in_process, here):
    done = in_process("convert", "net.pdparams", "-o", "x.pth", "--torch", "nets.py:Net", "--json", cwd=here)
    assert json.loads(done.stdout)["target"] == "x.pth"
    assert done.stderr.split() == ["imported", "built"]


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        (
            "Pair",
            "made a tuple, which is not a torch.nn.Module; name a factory that returns the module alone",
        ),
        (
            "Needs",
            "nets.py:Needs needs size: give --torch-args '{\"size\": ...}', or name a function that needs nothing",
        ),
        ("Fails", "cannot be built: RuntimeError: two lines"),
        ("Leaves", "cannot be built: SystemExit: 3"),
    ],
)
def test_a_factory_that_makes_no_module_is_one_sentence(in_process, here, factory, words):
    done = in_process("convert", "net.pdparams", "-o", "x.pth", "--torch", f"nets.py:{factory}", cwd=here)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(words)
    assert not (here / "x.pth").exists()


def test_a_selection_that_leaves_nothing_writes_nothing(in_process, here):
    words = ("convert", "net.pdparams", "-o", "x.pth", "--include", "0.*", "--exclude", "*")
    done = in_process(*words, cwd=here)
    assert done.returncode == 2
    assert "not one tensor of the file is left to convert" in done.stderr
    assert not (here / "x.pth").exists()


def test_numbers_that_the_smaller_type_cannot_hold_are_counted(save, tmp_path):
    numbers = {"w": paddle.to_tensor([65519.0, 65520.0, -1e9, float("inf")]), "b": paddle.to_tensor([1.0])}
    half = convert_checkpoint(save(numbers), tmp_path / "x.pth", dtype="float16")
    assert "too large for float16, so infinite in the target: w (2 elements)" in half.notes[0]
    assert torch.isinf(torch.load(half.target)["w"]).sum() == 3
    brain = convert_checkpoint(tmp_path / "net.pdparams", tmp_path / "y.pth", dtype="bfloat16")
    assert not any("too large" in note for note in brain.notes)


def test_shards_are_named_and_one_shard_is_one_file(here):
    one = convert_checkpoint(here / "net.pdparams", here / "one.safetensors", shard_bytes=1000)
    assert one.target.exists()
    assert not (here / "one.safetensors.index.json").exists()
    two = convert_checkpoint(here / "net.pdparams", here / "two.safetensors", shard_bytes=1)
    assert "written as 2 shards that two.safetensors.index.json lists" in two.notes


def test_what_a_rule_drops_is_named_where_it_is_missed():
    state = {"0.weight": np.zeros((4, 3), "float32"), "0.bias": np.zeros(3, "float32")}
    target = torch.nn.Sequential(torch.nn.Linear(4, 3))
    dropped = plan_conversion(state, target, Options(rules=[Rule("0\\.bias", None, None, "not used")]))
    assert "missing: 0.bias [3] (the file's 0.bias was dropped: not used)" in str(dropped.problems[0])


def test_a_wrong_shape_is_listed_once_with_the_transform_that_was_asked_for():
    state = {"0.weight": np.zeros((4, 3), "float32"), "0.bias": np.zeros(3, "float32")}
    rules = [Rule("0\\.weight", "0.weight", "reshape:6,2", "")]
    plan = plan_conversion(state, torch.nn.Sequential(torch.nn.Linear(4, 3)), Options(rules=rules))
    assert [(problem.kind, problem.name) for problem in plan.problems] == [("shape", "0.weight")]
    assert "[4, 3] and cannot be taken as 'reshape:6,2'; torch's 0.weight is [3, 4]" in str(plan.problems[0])
    part = Rule("0\\.weight", "0.weight", "concat:0:3", "part of a head")
    plan = plan_conversion(
        {"0.weight": np.zeros((4, 3), "f4")},
        torch.nn.Sequential(torch.nn.Linear(4, 9)),
        Options(rules=[part]),
    )
    assert "cannot be taken as 'concat:0:3', but as 'transpose+concat:0:3'" in str(plan.problems[0])


def test_a_long_list_of_problems_ends_and_says_what_helps():
    state = {f"ours{n}.weight": np.zeros(3, "float32") for n in range(30)}
    target = torch.nn.ModuleDict({f"theirs{n}": torch.nn.PReLU(3) for n in range(30)})
    with pytest.raises(ConvertError) as caught:
        plan_conversion(state, target).require()
    lines = str(caught.value).splitlines()
    assert sum(line.startswith("  extra:") for line in lines) == LISTED_MOST
    assert "  and 10 more missing (--dry-run lists all)" in lines
    assert "--match structure" in lines[-1]


def test_a_dry_run_that_does_not_fit_lists_its_problems_once(in_process, here):
    words = ("convert", "net.pdparams", "--dry-run", "--torch", "nets.py:Net", "--torch-args", '{"size": 5}')
    done = in_process(*words, "--save-rules", "part.toml", cwd=here)
    assert done.returncode == 2
    assert "0\\.bias" in (here / "part.toml").read_text()  # what was found is kept all the same
    assert done.stdout.count("Paddle's 0.weight is") == 1
    assert "0.weight" not in done.stderr
    assert "1 of a wrong shape; the list of problems says what is wrong" in done.stderr


def test_the_table_of_the_way_back_names_its_sides(in_process, here):
    torch.save(torch.nn.Sequential(torch.nn.Linear(4, 3)).state_dict(), here / "x.pth")
    words = ("convert", "x.pth", "-o", "x.pdparams", "--torch", "nets.py:Net")
    titles = in_process(*words, "--dry-run", cwd=here).stdout.splitlines()[1].split()
    assert titles[:2] == ["torch", "Paddle"]
    done = in_process(*words, cwd=here)
    assert done.returncode == 0, done.stderr
    assert set(paddle.load(str(here / "x.pdparams"))) == {"0.weight", "0.bias"}


def test_a_broken_link_is_a_bad_checkpoint_and_a_file_is_no_folder(here):
    (here / "lost.pdparams").symlink_to("nowhere")
    assert [path.name for path in find_checkpoints(here)] == ["lost.pdparams", "net.pdparams"]
    outcomes = convert_folder(here, here / "out")
    assert [outcome.report is None for outcome in outcomes] == [True, False]
    assert "is a link to a file that does not exist" in outcomes[0].error
    with pytest.raises(ConvertError, match="is a file; name a directory"):
        convert_folder(here, here / "nets.py")


def test_an_optimizer_that_is_not_converted_is_not_blamed_on_the_weights(tmp_path):
    layer = paddle.nn.Linear(4, 3)
    paddle.save(layer.state_dict(), str(tmp_path / "x.pdparams"))
    state = {f"{p.name}_lookahead_0": paddle.zeros_like(p) for p in layer.parameters()}
    paddle.save(state, str(tmp_path / "x.pdopt"))
    module = torch.nn.Linear(4, 3)
    files = tmp_path / "x.pdopt", tmp_path / "x.pdparams"
    live = torch.optim.SGD(module.parameters())
    with pytest.raises(ConvertError, match="not converted; those that are: sgd, momentum, adam"):
        convert_optimizer(*files, module, live)


def test_rules_saved_for_an_export_without_names_lead_to_the_same_plan(in_process, tmp_path):
    net = paddle.nn.Sequential(paddle.nn.Conv2D(3, 4, 3), paddle.nn.BatchNorm2D(4), paddle.nn.Linear(6, 2))
    net.eval()
    paddle.jit.save(net, str(tmp_path / "net"), [paddle.static.InputSpec([1, 3, 8, 8], "float32")])
    (tmp_path / "nets.py").write_text(
        "import torch\ndef Net():\n"
        "    nn = torch.nn\n"
        "    return nn.ModuleDict({'c': nn.Conv2d(3, 4, 3), 'n': nn.BatchNorm2d(4), 'f': nn.Linear(6, 2)})\n"
    )
    words = ("convert", "net.pdiparams", "--torch", "nets.py:Net", "--dry-run", "--json")
    found = in_process(*words, "--match", "--save-rules", "r.toml", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    again = in_process(*words, "--rules", "r.toml", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    moves, same = (json.loads(done.stdout)["moves"] for done in (found, again))
    fields = ("source", "target", "transform")
    assert [[move[f] for f in fields] for move in moves] == [[move[f] for f in fields] for move in same]


def test_inspect_says_what_a_table_of_shapes_hides(in_process, save, tmp_path):
    shared = paddle.nn.Linear(2, 2)
    save(paddle.nn.LayerDict({"a": shared, "b": shared}).state_dict() | {"k" * 300: paddle.zeros([0, 3])})
    lines = in_process("inspect", "net.pdparams", cwd=tmp_path).stdout.splitlines()
    assert any(
        "one parameter under several names (tied weights): a.weight, b.weight" in line for line in lines
    )
    assert any(line.startswith("unusual: without elements: kkk") for line in lines)
    assert all(len(line) < 130 for line in lines if line.startswith(("name", "a.", "b.")))


def test_the_names_that_a_recurrent_layer_lists_twice_are_told_in_one_line(save, in_process, tmp_path):
    save(paddle.nn.GRU(3, 4).state_dict())
    done = in_process("inspect", "net.pdparams", cwd=tmp_path)
    told = [line for line in done.stdout.splitlines() if line.startswith("unusual: ")]
    assert told == [
        "unusual: 4 parameters under several names (recurrent layers, tied weights): weight_ih_l0, 0.cell.weight_ih, ..."
    ]
