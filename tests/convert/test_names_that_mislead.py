"""Orders, rules and prefixes that look right and are not: refused, or said with the option that would do."""

from __future__ import annotations

import json

import numpy as np
import paddle
import pytest
import torch

from convert import ConvertError, convert_checkpoint, open_checkpoint, plan_conversion
from convert.plan.plan import Options
from convert.plan.rules import Rule, dump_rules, load_rules

NETS = """
class Net({base}):
    def __init__(self):
        super().__init__()
        self.a, self.b = {conv}(4, 4, 1), {conv}(4, 4, 1)
        self.one, self.two = {one}(4), {two}(4)

    def forward(self, x):
        return self.two(self.b(self.one(self.a(x))))
"""
OURS = {
    "base": "paddle.nn.Layer",
    "conv": "paddle.nn.Conv2D",
    "one": "paddle.nn.BatchNorm",
    "two": "paddle.nn.BatchNorm2D",
}
EVEN = {**OURS, "one": "paddle.nn.BatchNorm2D"}
THEIRS = {
    "base": "torch.nn.Module",
    "conv": "torch.nn.Conv2d",
    "one": "torch.nn.BatchNorm2d",
    "two": "torch.nn.BatchNorm2d",
}


@pytest.fixture
def nets(tmp_path):
    """p.py with two BatchNorms of one counter, mixed.py with one of each, t.py the torch twin."""
    (tmp_path / "p.py").write_text("import paddle\n" + NETS.format(**EVEN))
    (tmp_path / "mixed.py").write_text("import paddle\n" + NETS.format(**OURS))
    (tmp_path / "t.py").write_text("import torch\n" + NETS.format(**THEIRS))
    return tmp_path


def export(command, folder, module):
    """Exports the network of a module as one process does, and returns its state dict."""
    (folder / "make.py").write_text(
        f"import paddle\nfrom {module} import Net\nm = Net()\nm.eval()\n"
        "for v in m.state_dict().values(): v.set_value(paddle.rand(v.shape) + 0.2)\n"
        "paddle.save(m.state_dict(), 'train.pdparams')\n"
        "paddle.jit.save(m, 'infer/net', input_spec=[paddle.static.InputSpec([None, 4, 5, 5], 'float32')])\n"
    )
    import subprocess
    import sys

    subprocess.run([sys.executable, "make.py"], cwd=folder, check=True, capture_output=True)


def test_the_program_tells_the_order_of_layers_of_two_counters(in_process, command, nets):
    export(command, nets, "mixed")
    words = ("convert", "infer", "--torch", "t.py:Net", "--match", "order", "-o", "x.pth")
    done = in_process(*words, cwd=nets)
    assert done.returncode == 0, done.stderr
    straight = convert_checkpoint(nets / "train.pdparams", nets / "y.pth", target=torch_net(nets))
    got, wanted = torch.load(nets / "x.pth"), torch.load(straight.target)
    assert all(torch.equal(got[name], wanted[name]) for name in wanted)


def test_layers_of_two_counters_are_not_paired_by_order_where_only_names_tell_it(in_process, command, nets):
    export(command, nets, "mixed")
    with open_checkpoint(nets / "infer") as checkpoint:
        (nets / "names.txt").write_text("\n".join(sorted(checkpoint)))
    (nets / "infer" / "net.json").unlink()
    words = (
        "convert",
        "infer",
        "--names",
        "names.txt",
        "--torch",
        "t.py:Net",
        "--match",
        "order",
        "-o",
        "x.pth",
    )
    done = in_process(*words, cwd=nets)
    assert done.returncode == 2
    assert "Paddle counts batch_norm and batch_norm2d apart" in done.stderr
    assert not (nets / "x.pth").exists()


def test_layers_of_one_counter_are_paired_by_order_and_the_proof_of_it_takes_the_export(
    in_process, command, nets
):
    export(command, nets, "p")
    words = (
        "convert",
        "infer",
        "--torch",
        "t.py:Net",
        "--match",
        "order",
        "--save-rules",
        "r.toml",
        "-o",
        "x.pth",
    )
    done = in_process(*words, cwd=nets)
    assert done.returncode == 0, done.stderr
    assert "parity --weights CHECKPOINT --rules FILE" in done.stdout
    straight = convert_checkpoint(nets / "train.pdparams", nets / "y.pth", target=torch_net(nets))
    got, wanted = torch.load(nets / "x.pth"), torch.load(straight.target)
    assert all(torch.equal(got[name], wanted[name]) for name in wanted)
    proof = (
        "parity",
        "--paddle",
        "p.py:Net",
        "--torch",
        "t.py:Net",
        "--weights",
        "infer",
        "--rules",
        "r.toml",
    )
    done = in_process(*proof, "--shape", "2,4,5,5", "--mode", "eval", "--only-given", cwd=nets)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_proof_with_permuted_rules_of_an_export_is_different(in_process, command, nets):
    export(command, nets, "p")
    rules = [
        Rule(rf"batch_norm2d_{n}\.{old}", f"{other}.{new}", None, "permuted")
        for n, other in ((0, "two"), (1, "one"))
        for old, new in (("w_0", "weight"), ("b_0", "bias"), ("w_1", "running_mean"), ("w_2", "running_var"))
    ]
    rules += [
        Rule(rf"conv2d_{n}\.{old}", f"{other}.{new}", None, "right")
        for n, other in ((0, "a"), (1, "b"))
        for old, new in (("w_0", "weight"), ("b_0", "bias"))
    ]
    (nets / "r.toml").write_text(dump_rules(rules))
    proof = (
        "parity",
        "--paddle",
        "p.py:Net",
        "--torch",
        "t.py:Net",
        "--weights",
        "infer",
        "--rules",
        "r.toml",
    )
    done = in_process(*proof, "--shape", "2,4,5,5", "--mode", "eval", "--only-given", cwd=nets)
    assert done.returncode == 1, done.stdout + done.stderr


def torch_net(folder):
    held: dict = {}
    exec((folder / "t.py").read_text(), held)
    return held["Net"]()


STATE = {"0.weight": np.zeros((4, 3), "float32"), "0.bias": np.zeros(3, "float32")}


def test_a_rule_about_nothing_is_an_error_unless_it_is_optional(tmp_path):
    target = torch.nn.Sequential(torch.nn.Linear(4, 3))
    rule = Rule(r"1\.weight", "0.weight", None, "")
    with pytest.raises(
        ConvertError, match="is about no tensor of this file; leave it out, or write optional = true"
    ):
        plan_conversion(STATE, target, Options(rules=[rule])).require()
    (tmp_path / "r.toml").write_text(dump_rules([Rule(r"1\.weight", "0.weight", None, "", optional=True)]))
    plan_conversion(STATE, target, Options(rules=load_rules(tmp_path / "r.toml"))).require()
    (tmp_path / "r.toml").write_text("[[rule]]\nsource = 'a'\noptional = 'yes'\n")
    with pytest.raises(ConvertError, match="optional is true or false"):
        load_rules(tmp_path / "r.toml")


@pytest.mark.parametrize("source", ["", "m.pdparams"])
def test_a_proof_with_a_rule_about_nothing_is_refused(in_process, nets, source):
    paddle.save(paddle.nn.Linear(4, 4).state_dict(), str(nets / "m.pdparams"))
    (nets / "line.py").write_text("import torch\ndef Net():\n    return torch.nn.Linear(4, 4)\n")
    (nets / "ours.py").write_text("import paddle\ndef Net():\n    return paddle.nn.Linear(4, 4)\n")
    (nets / "r.toml").write_text("[[rule]]\nsource = 'other'\ntarget = 'weight'\n")
    words = (
        "parity",
        "--paddle",
        "ours.py:Net",
        "--torch",
        "line.py:Net",
        "--shape",
        "2,4",
        "--rules",
        "r.toml",
    )
    done = in_process(*words, *(("--weights", source) if source else ()), cwd=nets)
    assert done.returncode == 2
    assert "the rule for 'other' is about no tensor" in done.stderr


DISTILLED = {f"{who}.{name}": value for who in ("Teacher", "Student") for name, value in STATE.items()} | {
    "Head.loss": np.zeros(2, "float32")
}


def test_a_distilled_file_is_told_by_its_prefixes_and_the_options_work(in_process, save, tmp_path):
    save(DISTILLED)
    (tmp_path / "t.py").write_text(
        "import torch\ndef Net():\n    return torch.nn.Sequential(torch.nn.Linear(4, 3))\n"
    )
    words = ("convert", "net.pdparams", "--torch", "t.py:Net", "-o", "x.pth")
    done = in_process(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert "Student.* and Teacher.* each hold the whole model" in done.stderr
    assert "--strip-prefix Student. --include 'Student.*', or --strip-prefix Teacher." in done.stderr
    assert len(done.stderr.splitlines()) == 2
    done = in_process(*words, "--strip-prefix", "Student.", "--include", "Student.*", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_proof_takes_prefixes_and_patterns_as_a_conversion_does(in_process, tmp_path):
    with (
        paddle.utils.unique_name.guard()
    ):  # the teacher's tensors have the automatic names that a new model's have
        both = {
            name: paddle.nn.Sequential(paddle.nn.Linear(4, 3)).state_dict() for name in ("Teacher", "Student")
        }
    state = {f"{name}.{key}": value for name in both for key, value in both[name].items()}
    paddle.save(state, str(tmp_path / "net.pdparams"))
    (tmp_path / "t.py").write_text(
        "import torch\ndef Net():\n    return torch.nn.Sequential(torch.nn.Linear(4, 3))\n"
    )
    (tmp_path / "p.py").write_text(
        "import paddle\ndef Net():\n    return paddle.nn.Sequential(paddle.nn.Linear(4, 3))\n"
    )
    words = (
        "parity",
        "--paddle",
        "p.py:Net",
        "--torch",
        "t.py:Net",
        "--weights",
        "net.pdparams",
        "--shape",
        "2,4",
    )
    done = in_process(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert "--strip-prefix Student. --include 'Student.*'" in done.stderr
    assert "\\n" not in done.stderr
    (tmp_path / "t.py").write_text(
        "import torch\ndef Net():\n    return torch.nn.Sequential(torch.nn.Sequential(torch.nn.Linear(4, 3)))\n"
    )
    given = ("--strip-prefix", "Student.", "--include", "Student.*")
    run = ("--match", "run", "--paddle", "p.py:Net", "--torch", "t.py:Net", "--shape", "2,4")
    done = in_process(
        *("convert", "net.pdparams", *run, *given, "-o", "x.pth", "--save-rules", "r.toml"), cwd=tmp_path
    )
    assert "confirmed by running both models" in done.stdout, done.stdout + done.stderr
    rules = load_rules(tmp_path / "r.toml")  # which go by the file's names, and so do without the options
    assert [rule.source for rule in rules] == [r"Student\.(.*)", r"Teacher\..*"]
    done = in_process(*words, *given, "--rules", "r.toml", "--mode", "eval", "--only-given", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_for_another_prefix_are_told_with_the_options_that_make_them_fit():
    rules = [Rule(r"0\.(.*)", r"0.0.\1", None, "")]
    target = torch.nn.Sequential(torch.nn.Sequential(torch.nn.Linear(4, 3)))
    one = {f"module.net.{name}": value for name, value in STATE.items()}
    plan = plan_conversion(one, target, Options(rules=rules))
    assert plan.solution.endswith("its prefix: add --strip-prefix module.net.")
    plan = plan_conversion(DISTILLED, target, Options(rules=rules))
    assert "add --strip-prefix Student. --include 'Student.*', or --strip-prefix Teacher." in plan.solution
    plan_conversion(
        DISTILLED, target, Options(rules=rules, strip_prefix="Student.", include=["Student.*"])
    ).require()
    other = torch.nn.ModuleDict({"head": torch.nn.Linear(4, 3)})  # where no name tells
    plan = plan_conversion(DISTILLED, other, Options())
    said = [
        note for note in plan.notes if "Teacher.* and Student.* each hold tensors of all the shapes" in note
    ]
    assert said
    assert "--strip-prefix Student. --include 'Student.*'" in said[0]


def test_several_patterns_behind_one_option_are_each_a_pattern(in_process, save, tmp_path):
    save({**STATE, "aux.w": STATE["0.bias"], "loss.w": STATE["0.bias"]})
    (tmp_path / "t.py").write_text(
        "import torch\ndef Net():\n    return torch.nn.Sequential(torch.nn.Linear(4, 3))\n"
    )
    words = ("convert", "net.pdparams", "--torch", "t.py:Net", "-o", "x.pth")
    done = in_process(*words, "--exclude", "aux.*", "loss.*", cwd=tmp_path)
    assert "2 dropped" in done.stdout, done.stderr


def test_extra_keys_alone_are_told_with_the_exclude_that_would_do(save, tmp_path):
    state = {
        **STATE,
        "head.a.weight": STATE["0.weight"],
        "head.b": STATE["0.bias"],
        "step": np.zeros(1, "float32"),
    }
    target = torch.nn.Sequential(torch.nn.Linear(4, 3))
    with pytest.raises(ConvertError, match=r"--exclude 'head\.\*' --exclude 'step'"):
        convert_checkpoint(save(state), tmp_path / "x.pth", target=target)
    options = Options(exclude=["head.*", "step"])
    assert convert_checkpoint(save(state), tmp_path / "x.pth", target=target, options=options).plan.ok


@pytest.mark.parametrize("option", ["--num-classes", "--in-channels"])
def test_sizes_of_registered_models_are_refused_with_ones_own(in_process, nets, option):
    words = ("parity", "--paddle", "p.py:Net", "--torch", "t.py:Net", "--shape", "2,4,5,5", option, "7")
    done = in_process(*words, cwd=nets)
    assert done.returncode == 2
    assert f"{option} is for registered models" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("parity", "lenet", "--shape", "2,1,28,28", "--shape", "4,1,28,28"),
        ("convert", "a.pdparams", "-o", "x.pth", "-o", "y.pth"),
        ("convert", "a.pdparams", "--model", "lenet", "--model=resnet18"),
        ("inspect", "a.pdparams", "--key", "a", "--key", "b"),
    ],
)
def test_an_option_that_is_given_twice_is_refused(capsys, words):
    from paddle2torch.cli import main

    with pytest.raises(SystemExit) as caught:
        main(list(words))
    assert caught.value.code == 2
    assert "is given twice" in capsys.readouterr().err


def test_what_a_module_writes_while_it_is_imported_is_told_by_the_proof(in_process, nets):
    paddle.save(paddle.nn.Linear(4, 4).state_dict(), str(nets / "m.pdparams"))
    (nets / "notebook.py").write_text(
        "import paddle\nmodel = paddle.nn.Linear(4, 4)\npaddle.save(model.state_dict(), 'm.pdparams')\n"
        "def Net():\n    return paddle.nn.Linear(4, 4)\n"
    )
    (nets / "exported.py").write_text(
        "import torch\nmodel = torch.nn.Linear(4, 4)\ntorch.save(model.state_dict(), 'best.pth')\n"
        "def Net():\n    return torch.nn.Linear(4, 4)\n"
    )
    words = (
        "parity",
        "--paddle",
        "notebook.py:Net",
        "--torch",
        "exported.py:Net",
        "--shape",
        "2,4",
        "--only-given",
    )
    done = in_process(*words, "--mode", "eval", "--json", "r.json", cwd=nets)
    warnings = json.loads((nets / "r.json").read_text())["warnings"]
    assert any("importing notebook.py:Net wrote m.pdparams" in line for line in warnings)
    assert any("importing exported.py:Net wrote best.pth" in line for line in warnings)
    assert all("if __name__ == '__main__':" in line for line in warnings if "importing" in line)
    assert done.returncode == 0


def test_a_conversion_tells_it_too_and_a_plain_module_gives_no_word(in_process, save, tmp_path):
    save(paddle.nn.Linear(4, 4).state_dict())
    plain = "import torch\ndef Net():\n    return torch.nn.Linear(4, 4)\n"
    (tmp_path / "plain.py").write_text(plain)
    (tmp_path / "writes.py").write_text(
        plain + "with open('log.txt', 'w') as log:\n    log.write('epoch 1')\n"
    )
    for module, told in (("plain", False), ("writes", True)):
        done = in_process(
            "convert", "net.pdparams", "--torch", f"{module}.py:Net", "-o", f"{module}.pth", cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        assert ("wrote log.txt" in done.stderr) == told
        assert done.stderr == "" or told


STATIC = {
    "bn_conv1_scale": (8,),
    "bn_conv1_offset": (8,),
    "bn_conv1_mean": (8,),
    "bn_conv1_variance": (8,),
    "conv1_weights": (8, 3, 3, 3),
    "fc_0.w_0": (8, 8),
    "fc_0.b_0": (8,),
}


def test_names_of_paddle_1_say_what_a_layer_holds(save, tmp_path):
    rng = np.random.default_rng(0)
    state = {name: rng.random(shape, dtype="float32") for name, shape in STATIC.items()}
    target = torch.nn.ModuleDict(
        {"c": torch.nn.Conv2d(3, 8, 3, bias=False), "n": torch.nn.BatchNorm2d(8), "f": torch.nn.Linear(8, 8)}
    )
    report = convert_checkpoint(
        save(state), tmp_path / "x.pth", target=target, options=Options(match="structure")
    )
    got = torch.load(report.target)
    np.testing.assert_array_equal(got["n.running_var"].numpy(), state["bn_conv1_variance"])
    np.testing.assert_array_equal(got["n.bias"].numpy(), state["bn_conv1_offset"])
    np.testing.assert_array_equal(got["f.weight"].numpy(), state["fc_0.w_0"].T)


def test_an_own_parameter_with_such_an_ending_keeps_its_name(save, tmp_path):
    class Scaled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.logit_scale, self.fc = torch.nn.Parameter(torch.ones(1)), torch.nn.Linear(3, 4)

    state = {
        "logit_scale": np.full(1, 3, "f4"),
        "fc.weight": np.ones((3, 4), "f4"),
        "fc.bias": np.ones(4, "f4"),
    }
    report = convert_checkpoint(save(state), tmp_path / "x.pth", target=Scaled())
    assert torch.load(report.target)["logit_scale"].item() == 3


def test_networks_of_a_package_are_found_in_its_models():
    from convert.adapters.factory import load_factory
    from tests.convert.zoo import zoo

    timm, torchvision = zoo("timm"), zoo("torchvision")
    assert load_factory("timm:mobilenetv3_small_100") is timm.models.mobilenetv3_small_100
    assert load_factory("torchvision:resnet18") is torchvision.models.resnet18
    with pytest.raises(ConvertError, match=r"timm has no 'mobilenetv3_smal_100'.*mobilenetv3_small_100"):
        load_factory("timm:mobilenetv3_smal_100")
