"""Rules about layers, and rules for what no tensor of Paddle's fills: zeros, ones, torch's own value, whole or by rows."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
import torch

from convert import ConvertError, convert_checkpoint, convert_state_dict, plan_conversion
from convert.plan.plan import Options
from convert.plan.rules import Rule, dump_rules, load_rules, rules_of_plan


class Embedded(torch.nn.Module):
    """One class more than Paddle's, and a buffer that only torch has."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = torch.nn.Embedding(9, 4)
        self.register_buffer("anchors", torch.arange(5.0))

    def forward(self, x):
        return self.embed(x) * self.anchors.sum()


STATE = {"embed.weight": np.random.default_rng(0).random((8, 4), dtype="float32")}
ROWS = Rule(r"embed\.weight", "embed.weight", "concat:0:8", "classes")


def fill(target: str, value: str, **more) -> Rule:
    return Rule("", target, None, "only torch has it", fill=value, **more)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("value", ["zeros", "ones", "keep"])
def test_the_rest_of_a_target_and_whole_keys_are_filled(save, tmp_path, value, dtype):
    module = Embedded()
    options = Options(rules=[ROWS, fill(r"embed\..*|anchors", value)])
    wanted = {"zeros": torch.zeros(4), "ones": torch.ones(4), "keep": module.embed.weight[8].detach()}[value]
    anchors = {"zeros": torch.zeros(5), "ones": torch.ones(5), "keep": module.anchors}[value]
    for suffix in (".pth", ".safetensors"):
        path = tmp_path / f"x{suffix}"
        report = convert_checkpoint(save(STATE), path, target=module, options=options, dtype=dtype)
        got = torch.load(path) if suffix == ".pth" else __import__("safetensors.torch").torch.load_file(path)
        assert got["embed.weight"].dtype is getattr(torch, dtype)
        torch.testing.assert_close(got["embed.weight"][8], wanted.to(got["embed.weight"].dtype))
        torch.testing.assert_close(got["anchors"], anchors.to(got["anchors"].dtype))
        assert len(report.plan.moves) == 1
    live = convert_state_dict(STATE, module, options)
    torch.testing.assert_close(live["embed.weight"][8], wanted)
    np.testing.assert_array_equal(live["embed.weight"][:8].numpy(), STATE["embed.weight"])
    torch.testing.assert_close(live["anchors"], anchors)
    module.load_state_dict(live, strict=True)


def test_such_rules_are_read_and_saved(tmp_path):
    rules = [ROWS, fill(r"embed\..*|anchors", "zeros")]
    (tmp_path / "r.toml").write_text(dump_rules(rules))
    read = load_rules(tmp_path / "r.toml")
    plan = plan_conversion(STATE, Embedded(), Options(rules=read)).require()
    again = plan_conversion(STATE, Embedded(), Options(rules=rules_of_plan(plan))).require()
    assert [(f.name, f.value, f.rows) for f in again.generated] == [
        (f.name, f.value, f.rows) for f in plan.generated
    ]
    (tmp_path / "r.toml").write_text("[[rule]]\nsource = 'a'\ntarget = 'b'\nfill = 'zeros'\n")
    with pytest.raises(ConvertError, match="and no source"):
        load_rules(tmp_path / "r.toml")


def test_what_a_rule_fills_must_be_there_and_keep_needs_a_model(save, tmp_path):
    with pytest.raises(ConvertError, match="the rule that fills 'ancors' is about no key of Embedded"):
        plan_conversion(STATE, Embedded(), Options(rules=[ROWS, fill("ancors", "zeros")])).require()
    from paddle_models.lenet import lenet

    state = {name: value for name, value in lenet().state_dict().items() if not name.endswith("bias")}
    with pytest.raises(ConvertError, match="name the model itself with --torch"):
        convert_checkpoint(
            save(state), tmp_path / "x.pth", model="lenet", options=Options(rules=[fill(r".*\.bias", "keep")])
        )


def test_a_partial_load_keeps_the_rows_that_no_tensor_fills(in_process, save, tmp_path):
    save(STATE)
    (tmp_path / "net.py").write_text(
        "import torch\nclass Net(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.embed = torch.nn.Embedding(9, 4, padding_idx=8)\n"
    )
    (tmp_path / "r.toml").write_text(dump_rules([ROWS]))
    words = (
        "convert",
        "net.pdparams",
        "--torch",
        "net.py:Net",
        "--rules",
        "r.toml",
        "--partial",
        "-o",
        "x.pth",
    )
    done = in_process(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    got = torch.load(tmp_path / "x.pth")["embed.weight"].numpy()
    np.testing.assert_array_equal(got, np.concatenate([STATE["embed.weight"], np.zeros((1, 4), "f4")]))


def test_the_proof_fills_as_the_conversion_does(in_process, tmp_path):
    (tmp_path / "p.py").write_text(
        "import paddle\nclass Net(paddle.nn.Layer):\n    def __init__(self):\n        super().__init__()\n"
        "        self.fc = paddle.nn.Linear(6, 4)\n    def forward(self, x):\n        return self.fc(x)\n"
    )
    (tmp_path / "t.py").write_text(
        "import torch\nclass Net(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.fc, self.gate = torch.nn.Linear(6, 4), torch.nn.Parameter(torch.full((4,), 3.0))\n"
        "    def forward(self, x):\n        return self.fc(x) * self.gate\n"
    )
    (tmp_path / "r.toml").write_text(dump_rules([fill("gate", "ones")]))
    words = (
        "parity",
        "--paddle",
        "p.py:Net",
        "--torch",
        "t.py:Net",
        "--shape",
        "2,6",
        "--mode",
        "eval",
        "--only-given",
    )
    assert in_process(*words, cwd=tmp_path).returncode == 1
    done = in_process(*words, "--rules", "r.toml", cwd=tmp_path)
    assert "float64 equal: rounding, not a bug" in done.stdout, done.stdout


def test_a_rule_for_layers_carries_what_the_table_knows_of_them(save, tmp_path):
    class Ours(paddle.nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            for i in range(2):
                for j in range(2):
                    self.add_sublayer(
                        f"bb_{i}_{j}",
                        paddle.nn.Sequential(paddle.nn.Conv2D(3, 3, 1), paddle.nn.BatchNorm2D(3)),
                    )
            self.attention = paddle.nn.MultiHeadAttention(4, 2)

    def block() -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.Conv2d(3, 3, 1), torch.nn.BatchNorm2d(3))

    theirs = torch.nn.ModuleDict(
        {
            "rows": torch.nn.ModuleList(torch.nn.ModuleList(block() for _ in range(2)) for _ in range(2)),
            "mix": torch.nn.MultiheadAttention(4, 2),
        }
    )
    ours = Ours()
    rules = [
        Rule(r"bb_(\d)_(\d)\.(.*)", r"rows.\1.\2.\3", None, "layers"),
        Rule(r"attention\.(.*)", r"mix.\1", None, "layers"),
    ]
    report = convert_checkpoint(
        save(ours.state_dict()), tmp_path / "x.pth", target=theirs, options=Options(rules=rules)
    )
    got = torch.load(report.target)
    np.testing.assert_array_equal(got["rows.1.0.1.running_var"].numpy(), ours.bb_1_0[1]._variance.numpy())
    np.testing.assert_array_equal(
        got["mix.in_proj_weight"][4:8].numpy(), ours.attention.k_proj.weight.numpy().T
    )
    theirs.load_state_dict(got, strict=True)
