"""Layers that the two frameworks cut differently: several tensors become one, one becomes several, and back."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import paddle
import pytest
import torch

from convert import (
    ConvertError,
    apply_transform,
    convert_checkpoint,
    convert_state_dict,
    module_layout,
    open_checkpoint,
    plan_conversion,
)
from convert.plan.back import plan_back
from convert.plan.plan import Options
from convert.plan.rules import Rule, dump_rules, exact_rule, load_rules, rules_of_plan
from convert.plan.transform import assemble, inverse, is_transform
from convert.training.live import convert_optimizer

from .conftest import fill

TWO_INPUTS = (torch.nn.Transformer, torch.nn.TransformerDecoder, torch.nn.TransformerDecoderLayer)
RECURRENT = {"LSTM": "LSTM", "GRU": "GRU", "SimpleRNN": "RNN"}


def attention(**options: Any) -> tuple[Any, Any]:
    bias = options.pop("bias", True)
    return (
        paddle.nn.MultiHeadAttention(4, 2, bias_attr=None if bias else False, **options),
        torch.nn.MultiheadAttention(4, 2, bias=bias, batch_first=True, **options),
    )


def encoder() -> tuple[Any, Any]:
    ours = paddle.nn.TransformerEncoderLayer(4, 2, 8)
    theirs = torch.nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    return paddle.nn.TransformerEncoder(ours, 2), torch.nn.TransformerEncoder(theirs, 2)


def decoder() -> tuple[Any, Any]:
    ours = paddle.nn.TransformerDecoderLayer(4, 2, 8)
    theirs = torch.nn.TransformerDecoderLayer(4, 2, 8, batch_first=True)
    return paddle.nn.TransformerDecoder(ours, 2), torch.nn.TransformerDecoder(theirs, 2)


def transformer() -> tuple[Any, Any]:
    return (
        paddle.nn.Transformer(4, 2, 1, 1, 8, normalize_before=True),
        torch.nn.Transformer(4, 2, 1, 1, 8, norm_first=True, batch_first=True),
    )


def recurrent(name: str, layers: int, direction: str, **options: Any) -> tuple[Any, Any]:
    ours = getattr(paddle.nn, name)(4, 3, layers, direction=direction, **options)
    theirs = getattr(torch.nn, RECURRENT[name])
    return ours, theirs(4, 3, layers, bidirectional=direction != "forward", batch_first=True, **options)


PAIRS = {
    "attention": attention,
    "attention without biases": lambda: attention(bias=False),
    "attention of other widths": lambda: attention(kdim=3, vdim=6),
    "encoder": encoder,
    "decoder": decoder,
    "decoder layer": lambda: tuple(stack.layers[0] for stack in decoder()),
    "transformer": transformer,
    "projected LSTM": lambda: recurrent("LSTM", 1, "forward", proj_size=2),
    "projected LSTM, 2 bidirect": lambda: recurrent("LSTM", 2, "bidirect", proj_size=2),
    **{
        f"{name}, {layers} {direction}": lambda n=name, k=layers, d=direction: recurrent(n, k, d)
        for name in RECURRENT
        for layers, direction in ((1, "forward"), (2, "bidirect"))
    },
}


def numbers(layer: Any) -> dict[str, Any]:
    return {name: tensor.numpy() for name, tensor in layer.state_dict().items()}


def outputs(ours: Any, theirs: Any) -> tuple[Any, Any]:
    x = np.random.default_rng(0).standard_normal((2, 5, 4)).astype("float32")
    ours.eval(), theirs.eval()
    if isinstance(theirs, TWO_INPUTS):
        results = ours(*map(paddle.to_tensor, (x, x[:, :3]))), theirs(*map(torch.tensor, (x, x[:, :3])))
    elif not isinstance(theirs, torch.nn.MultiheadAttention):
        results = ours(paddle.to_tensor(x)), theirs(torch.tensor(x))
    else:
        k, v = x[..., : theirs.kdim], np.resize(x, (2, 5, theirs.vdim))
        results = ours(*map(paddle.to_tensor, (x, k, v))), theirs(*map(torch.tensor, (x, k, v)))
    expected, actual = (result[0] if isinstance(result, tuple) else result for result in results)
    return expected.numpy(), actual.detach().numpy()


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True")
@pytest.mark.parametrize("name", PAIRS)
def test_the_layer_computes_the_same_in_torch_and_comes_back_bit_by_bit(name, save, tmp_path):
    ours, theirs = PAIRS[name]()
    fill(ours)
    source = save(ours.state_dict())
    there = convert_checkpoint(source, tmp_path / "there.pth", target=theirs)
    loaded = torch.load(there.target)
    theirs.load_state_dict(loaded)
    live = convert_state_dict(ours.state_dict(), theirs)
    assert all(torch.equal(live[key], loaded[key]) for key in (*loaded, *live))
    expected, actual = outputs(ours, theirs)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=3e-6)
    back = convert_checkpoint(there.target, tmp_path / "back.pdparams", target=theirs)
    again = paddle.load(str(back.target))
    assert ours.set_state_dict(again) == ([], [])
    assert {key: value.numpy().tobytes() for key, value in again.items()} == {
        key: value.tobytes() for key, value in numbers(ours).items()
    }


def test_a_decoder_of_ones_own_may_have_torchs_names():
    ours, theirs = decoder()
    state = {name.replace("cross_attn", "multihead_attn"): value for name, value in ours.state_dict().items()}
    plan = plan_conversion(state, theirs).require()
    assert not plan.dropped
    assert len(plan.moves) == len(state)


def test_a_missing_part_of_a_decoder_is_named_as_paddle_names_it():
    ours, theirs = decoder()
    state = {
        name: value for name, value in ours.state_dict().items() if "1.cross_attn.out_proj.b" not in name
    }
    problem = plan_conversion(state, theirs).problems[0]
    assert "layers.1.cross_attn.out_proj.bias [4], for layers.1.multihead_attn.out_proj.bias" in str(problem)


@pytest.mark.parametrize("name", [*RECURRENT, *(f"{name}Cell" for name in RECURRENT)])
def test_biases_that_are_switched_off_come_back_as_the_zeros_that_paddle_keeps(name, save, tmp_path):
    # Not run: Paddle 3.3.1's kernel crashes where a recurrent layer has no bias.
    ours = getattr(paddle.nn, name)(4, 3, bias_ih_attr=False, bias_hh_attr=False)
    theirs = getattr(torch.nn, name.replace("Simple", ""))(4, 3, bias=False)
    there = convert_checkpoint(save(ours.state_dict()), tmp_path / "there.pth", target=theirs)
    theirs.load_state_dict(torch.load(there.target))
    assert sum(drop.zeros for drop in there.plan.dropped) == 2
    back = convert_checkpoint(there.target, tmp_path / "back.pdparams", target=theirs)
    again = paddle.load(str(back.target))
    assert ours.set_state_dict(again) == ([], [])
    assert {key: value.numpy().tobytes() for key, value in again.items()} == {
        key: value.tobytes() for key, value in numbers(ours).items()
    }


def test_a_bias_that_is_not_zero_is_no_bias_that_is_switched_off(save, tmp_path):
    ours = paddle.nn.LSTM(4, 3, bias_ih_attr=False, bias_hh_attr=False)
    state = {**ours.state_dict(), "0.cell.bias_hh": paddle.ones([12])}
    theirs = torch.nn.LSTM(4, 3, bias=False)
    with pytest.raises(ConvertError, match=r"'0.cell.bias_hh' is not zero, .* give its layer bias=True"):
        convert_checkpoint(save(state), tmp_path / "x.pth", target=theirs)
    with pytest.raises(ConvertError, match="is not zero"):
        convert_state_dict(state, theirs)


@pytest.mark.parametrize("off", ["bias_ih_attr", "bias_hh_attr"])
@pytest.mark.parametrize("direction", ["forward", "bidirect"])
def test_one_bias_that_is_switched_off_is_zero_in_torch(off, direction, save, tmp_path):
    ours = paddle.nn.GRU(4, 3, direction=direction, **{off: False})
    theirs = torch.nn.GRU(4, 3, bidirectional=direction == "bidirect")
    there = convert_checkpoint(save(ours.state_dict()), tmp_path / "there.pth", target=theirs)
    live = convert_state_dict(numbers(ours), theirs)  # without the table of parameter names
    assert all(torch.equal(live[name], value) for name, value in torch.load(there.target).items())
    assert not live[off.replace("attr", "l0")].any()


@pytest.mark.parametrize("off", ["bias_ih_attr", "bias_hh_attr"])
def test_one_bias_that_is_switched_off_comes_back_as_zero(off, save, tmp_path):
    ours, theirs = paddle.nn.GRU(4, 3, **{off: False}), torch.nn.GRU(4, 3)
    expected = {name: array.tobytes() for name, array in numbers(ours).items()}
    there = convert_checkpoint(save(ours.state_dict()), tmp_path / "there.pth", target=theirs)
    convert_checkpoint(there.target, tmp_path / "back.pdparams", target=theirs)
    for tensor in ours.state_dict().values():
        tensor.set_value(paddle.full(tensor.shape, 7.0))
    missing, _ = ours.set_state_dict(paddle.load(str(tmp_path / "back.pdparams")))
    assert not missing
    assert {name: array.tobytes() for name, array in numbers(ours).items()} == expected


def test_a_bias_that_paddle_keeps_as_a_row_comes_back_as_a_row(save, tmp_path):
    ours, theirs = paddle.nn.Bilinear(5, 4, 2), torch.nn.Bilinear(5, 4, 2)
    there = convert_checkpoint(save(ours.state_dict()), tmp_path / "there.pth", target=theirs)
    for rules in ((), rules_of_plan(there.plan)):
        path = tmp_path / f"back{len(rules)}.pdparams"
        convert_checkpoint(there.target, path, target=theirs, options=Options(rules=rules))
        assert ours.set_state_dict(paddle.load(str(path))) == ([], [])


def test_the_plan_says_which_rows_each_projection_becomes(in_process, save, tmp_path):
    ours, theirs = attention()
    save(ours.state_dict())
    words = ("convert", "net.pdparams", "--dry-run", "--torch", "torch.nn:MultiheadAttention")
    words = (*words, "--torch-args", '{"embed_dim": 4, "num_heads": 2}')
    plan = json.loads(in_process(*words, "--json", cwd=tmp_path).stdout)
    packed = [move for move in plan["moves"] if move["target"] == "in_proj_weight"]
    assert [(move["source"], move["transform"]) for move in packed] == [
        ("q_proj.weight", "transpose+concat:0:4"),
        ("k_proj.weight", "transpose+concat:4:8"),
        ("v_proj.weight", "transpose+concat:8:12"),
    ]
    assert "transpose+concat:4:8" in in_process(*words, cwd=tmp_path).stdout
    saved = in_process(*words, "--save-rules", "rules.toml", cwd=tmp_path)
    assert saved.returncode == 0, saved.stderr
    by_rules = plan_conversion(ours.state_dict(), theirs, Options(rules=load_rules(tmp_path / "rules.toml")))
    assert [(m.source, m.target, m.transform) for m in by_rules.require().moves] == [
        (move["source"], move["target"], move["transform"]) for move in plan["moves"]
    ]


def test_a_missing_projection_is_named_and_no_half_of_the_weight_is_written():
    ours, theirs = attention()
    state = {name: tensor for name, tensor in ours.state_dict().items() if name != "k_proj.weight"}
    problems = plan_conversion(state, theirs).problems
    assert [(problem.kind, problem.name) for problem in problems] == [("missing", "in_proj_weight")]
    assert "k_proj.weight" in str(problems[0])
    plan = plan_conversion(state, theirs, Options(partial=True)).require()
    assert plan.left == ("in_proj_weight",)
    assert {drop.name for drop in plan.dropped} == {"q_proj.weight", "v_proj.weight"}


def test_projections_of_different_types_are_refused_unless_one_is_chosen(save, tmp_path):
    ours, theirs = attention()
    state = {**ours.state_dict(), "k_proj.weight": ours.k_proj.weight.astype("float16")}
    with pytest.raises(ConvertError, match=r"different types .*k_proj.weight is float16"):
        convert_checkpoint(save(state), tmp_path / "x.pth", target=theirs)
    with pytest.raises(ConvertError, match="different types"):
        convert_state_dict(state, theirs)
    report = convert_checkpoint(tmp_path / "net.pdparams", tmp_path / "x.pth", target=theirs, dtype="float16")
    assert torch.load(report.target)["in_proj_weight"].dtype == torch.float16


def test_a_tensor_that_is_listed_twice_must_be_the_same_both_times(save, tmp_path):
    ours, theirs = recurrent("LSTM", 1, "forward")
    state = ours.state_dict()
    plan = plan_conversion(state, theirs).require()
    assert {drop.same_as for drop in plan.dropped} == {move.source for move in plan.moves}
    changed = {**numbers(ours), "bias_hh_l0": state["bias_hh_l0"].numpy() + 1}
    with pytest.raises(ConvertError, match=r"'bias_hh_l0' and '0.cell.bias_hh' are one tensor in Paddle"):
        convert_checkpoint(save(changed), tmp_path / "x.pth", target=theirs)
    assert not (tmp_path / "x.pth").exists()
    with pytest.raises(ConvertError, match="are one tensor"):
        convert_state_dict(changed, theirs)
    alone = {name: tensor for name, tensor in state.items() if "cell" not in name}
    assert {m.source for m in plan_conversion(alone, theirs).require().moves} == set(alone)


def test_layers_inside_a_paired_layer_are_paired_by_their_names():
    ours = paddle.nn.Sequential(("body", encoder()[0]), ("head", paddle.nn.Linear(4, 4)))
    theirs = torch.nn.ModuleDict({"trunk": encoder()[1].layers[0], "out": torch.nn.Linear(4, 4)})
    state = {key: value for key, value in ours.state_dict().items() if "layers.1" not in key}
    plan = plan_conversion(state, theirs, Options(match="structure"))
    found = {move.target: (move.source, move.found_by) for move in plan.moves}
    assert found["trunk.self_attn.in_proj_bias"][0] == "body.layers.0.self_attn.v_proj.bias"
    assert found["trunk.self_attn.out_proj.weight"] == (
        "body.layers.0.self_attn.out_proj.weight",
        "structure: inside a paired layer",
    )
    assert any("could be any of: trunk.norm1, trunk.norm2" in note for note in plan.notes)


class Packed(torch.nn.Module):
    """Three projections in one Linear, as many vision transformers have them."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = torch.nn.Linear(4, 12)


class Apart(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v = (torch.nn.Linear(4, 4) for _ in range(3))


def split_rules(*parts: str) -> list[Rule]:
    return [
        Rule(rf"qkv\.{role}", f"{part}.{role}", f"{turn}split:{number}/3", "packed in Paddle")
        for number, part in enumerate(parts, 1)
        for role, turn in (("weight", "transpose+"), ("bias", ""))
    ]


def test_rules_split_one_tensor_over_several_and_every_row_must_go_somewhere():
    state = paddle.nn.LayerDict({"qkv": paddle.nn.Linear(4, 12)}).state_dict()
    loaded = convert_state_dict(state, Apart(), Options(rules=split_rules("q", "k", "v")))
    np.testing.assert_array_equal(loaded["k.weight"], state["qkv.weight"].numpy()[:, 4:8].T)
    np.testing.assert_array_equal(loaded["v.bias"], state["qkv.bias"].numpy()[8:])
    short = plan_conversion(
        state, torch.nn.ModuleDict({"q": torch.nn.Linear(4, 4)}), Options(rules=split_rules("q"))
    )
    assert "do not take every row of qkv.weight once: q.weight (transpose+split:0:4)" in str(
        short.problems[0]
    )
    twice = plan_conversion(state, Apart(), Options(rules=[*split_rules("q", "k", "v"), *split_rules("q")]))
    assert any(
        "rules send both 'qkv.weight' and 'qkv.weight' to 'q.weight'" in str(p) for p in twice.problems
    )


def test_rules_join_several_tensors_and_the_whole_must_be_filled_once():
    state = paddle.nn.LayerDict({name: paddle.nn.Linear(4, 4) for name in "qkv"}).state_dict()

    def rules(*parts: tuple[str, str]) -> Options:
        turns = (("weight", "transpose+"), ("bias", ""))
        return Options(
            rules=[Rule(rf"{p}\.{r}", f"qkv.{r}", f"{t}concat:{n}", "") for p, n in parts for r, t in turns]
        )

    loaded = convert_state_dict(state, Packed(), rules(("q", "1/3"), ("k", "2/3"), ("v", "8:12")))
    expected = np.concatenate([state[f"{name}.weight"].numpy().T for name in "qkv"])
    np.testing.assert_array_equal(loaded["qkv.weight"], expected)
    gap = plan_conversion(state, Packed(), rules(("q", "1/3"), ("k", "1/3"), ("v", "3/3")))
    assert "qkv.weight [12, 4] is not filled once by q.weight (transpose+concat:0:4), k" in str(
        gap.problems[0]
    )
    wrong = plan_conversion(state, Packed(), rules(("q", "1/2"), ("k", "2/3"), ("v", "3/3")))
    assert any(problem.kind == "shape" for problem in wrong.problems)
    unsaid = plan_conversion(
        attention()[0].state_dict(),
        attention()[1],
        Options(rules=[Rule(r"out_proj\.bias", "in_proj_bias", None, "")]),
    )
    assert "say which part 'out_proj.bias' is" in str(unsaid.problems[0])


@pytest.mark.parametrize(
    "text", ["concat:1/3+transpose", "concat:0/3", "split:1", "reshape:a", "rotate", "", "split:1/0"]
)
def test_a_transform_that_means_nothing_is_refused_with_those_that_do(tmp_path, text):
    assert not is_transform(text)
    path = tmp_path / "rules.toml"
    path.write_text(dump_rules([exact_rule("a", "b", text, "")]))
    with pytest.raises(ConvertError, match=r"rule 1: transform is copy, transpose, reshape:<sizes>, split"):
        load_rules(path)


def test_what_a_transform_does_its_inverse_undoes():
    array = np.arange(24).reshape(4, 6)
    for transform in ("copy", "transpose", "reshape:2,12", "transpose+reshape:6,2,2", "transpose+concat:2:8"):
        there = apply_transform(array, transform)
        whole = assemble([("", "x", transform)], lambda _: array)["x"]
        np.testing.assert_array_equal(there, whole)
        undone = inverse(transform, array.shape).replace("split:2:8", "split:0:6")  # there is one part here
        np.testing.assert_array_equal(apply_transform(there, undone), array)


CONV = torch.nn.Sequential()
CONV.add_module("fc", torch.nn.Conv2d(3, 5, (2, 4)))


@pytest.mark.parametrize("names", ["a table of names", "no table"])
@pytest.mark.parametrize("match", ["", "structure"])
def test_a_linear_layer_becomes_the_convolution_that_computes_the_same(names, match, save, tmp_path):
    ours = paddle.nn.LayerDict({"dense" if match else "fc": paddle.nn.Linear(24, 5)})
    fill(ours)
    state = ours.state_dict() if names == "a table of names" else numbers(ours)
    report = convert_checkpoint(save(state), tmp_path / "x.pth", target=CONV, options=Options(match=match))
    assert {move.transform for move in report.plan.moves} == {"transpose+reshape:5,3,2,4", "copy"}
    CONV.load_state_dict(torch.load(report.target))
    x = np.random.default_rng(0).standard_normal((2, 3, 2, 4)).astype("float32")
    expected = next(iter(ours.values()))(paddle.to_tensor(x.reshape(2, -1))).numpy()
    np.testing.assert_allclose(CONV(torch.tensor(x)).detach().numpy().reshape(2, 5), expected, atol=1e-5)


def test_a_convolution_becomes_the_linear_layer_that_computes_the_same():
    ours = paddle.nn.LayerDict({"fc": paddle.nn.Conv2D(3, 5, (2, 4))})
    plan = plan_conversion(ours.state_dict(), torch.nn.ModuleDict({"fc": torch.nn.Linear(24, 5)})).require()
    assert [move.transform for move in plan.moves] == ["reshape:5,24", "copy"]
    target = module_layout(torch.nn.ModuleDict({"fc": torch.nn.Linear(24, 5)}))
    state = {slot.name: np.zeros(slot.shape) for slot in target.slots}
    back = plan_back(state, target, rules_of_plan(plan))
    assert "does not tell the shape that 'fc.weight' had in Paddle" in str(back.problems[0])


def test_where_shapes_leave_a_choice_a_linear_layer_is_not_made_a_convolution():
    pointwise = torch.nn.ModuleDict({"fc": torch.nn.Conv2d(4, 4, 1)})
    square = {"fc.weight": np.zeros((4, 4), "float32"), "fc.bias": np.zeros(4, "float32")}
    plan = plan_conversion(square, pointwise)
    assert [problem.kind for problem in plan.problems] == ["shape"]
    known = paddle.nn.LayerDict({"fc": paddle.nn.Linear(4, 4)})  # its parameters' names say what it is
    assert (
        plan_conversion(known.state_dict(), pointwise).require().moves[0].transform
        == "transpose+reshape:4,4,1,1"
    )
    other = paddle.nn.LayerDict({"fc": paddle.nn.Linear(5, 4)})
    assert not plan_conversion(other.state_dict(), pointwise).ok


def test_networks_that_are_not_the_same_are_told_by_what_only_one_has():
    ours = paddle.nn.Sequential(paddle.nn.Conv2D(3, 4, 3), paddle.nn.Linear(4, 2))
    theirs = torch.nn.Sequential(
        torch.nn.ReLU(), torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Linear(4, 2)
    )
    plan = plan_conversion(ours.state_dict(), theirs, Options(match="structure"))
    assert any(
        "torch has 1 BatchNorm layer and Paddle's remaining layers none" in note for note in plan.notes
    )


def test_the_rules_of_the_way_there_lead_back_to_paddles_names(in_process, save, tmp_path):
    ours = paddle.nn.LayerDict(
        {"body": encoder()[0].layers[0], "rnn": paddle.nn.LSTM(4, 3), "n": paddle.nn.LayerNorm([2, 3])}
        | {"dense": paddle.nn.Linear(24, 5)}
    )
    fill(ours)
    save(ours.state_dict())
    (tmp_path / "net.py").write_text(
        "import torch\ndef Net():\n"
        "    trunk = torch.nn.TransformerEncoderLayer(4, 2, 8)\n"
        "    layers = {'trunk': trunk, 'lstm': torch.nn.LSTM(4, 3), 'norm': torch.nn.LayerNorm([2, 3])}\n"
        "    return torch.nn.ModuleDict(layers | {'conv': torch.nn.Conv2d(3, 5, (2, 4))})\n"
    )
    words = ("convert", "net.pdparams", "-o", "there.pth", "--torch", "net.py:Net")
    done = in_process(*words, "--match", "order", "--save-rules", "rules.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    back = ("convert", "there.pth", "-o", "back.pdparams", "--torch", "net.py:Net", "--rules", "rules.toml")
    done = in_process(*back, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert ours.set_state_dict(paddle.load(str(tmp_path / "back.pdparams"))) == ([], [])
    pattern = "[[rule]]\nsource = 'body.(.*)'\ntarget = 'trunk.\\1'\n"
    (tmp_path / "rules.toml").write_text(pattern)
    refused = in_process(*back, "--force", cwd=tmp_path)
    assert refused.returncode == 2
    assert "cannot be turned round for the way back" in refused.stderr


def steps(x: Any, layer: Any, optimizer: Any, first: int, last: int) -> list[float]:
    """The losses of some steps of a training run, in either framework."""
    losses = []
    for _ in range(first, last):
        result = layer(x, x, x)
        loss = ((result[0] if isinstance(result, tuple) else result) - 0.5 * x).pow(2).mean()
        loss.backward()
        optimizer.step()
        optimizer.clear_grad() if hasattr(optimizer, "clear_grad") else optimizer.zero_grad()
        losses.append(loss.item())
    return losses


def test_a_run_with_packed_weights_goes_on_in_torch(tmp_path):
    paddle.seed(1)
    ours, theirs = attention()
    ours.to(dtype="float64")
    x = np.random.default_rng(0).standard_normal((2, 5, 4))
    optimizer = paddle.optimizer.AdamW(0.01, parameters=ours.parameters(), weight_decay=0.0)
    steps(paddle.to_tensor(x), ours, optimizer, 0, 5)
    paddle.save(ours.state_dict(), str(tmp_path / "x.pdparams"))
    paddle.save(optimizer.state_dict(), str(tmp_path / "x.pdopt"))
    expected = steps(paddle.to_tensor(x), ours, optimizer, 5, 15)

    theirs.double()
    with open_checkpoint(tmp_path / "x.pdparams") as checkpoint:
        theirs.load_state_dict(convert_state_dict(checkpoint, theirs))
    live = torch.optim.AdamW(theirs.parameters(), lr=0.01, weight_decay=0.0)
    convert_optimizer(tmp_path / "x.pdopt", tmp_path / "x.pdparams", theirs, live).load(live)
    actual = steps(torch.from_numpy(x), theirs, live, 5, 15)
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_the_state_of_a_part_of_a_packed_weight_alone_is_refused(tmp_path):
    ours, theirs = attention()
    ours.k_proj.weight.stop_gradient = True
    optimizer = paddle.optimizer.Momentum(0.01, parameters=ours.parameters())
    steps(paddle.rand([2, 5, 4]), ours, optimizer, 0, 1)
    paddle.save(ours.state_dict(), str(tmp_path / "x.pdparams"))
    paddle.save(optimizer.state_dict(), str(tmp_path / "x.pdopt"))
    live = torch.optim.SGD(theirs.parameters(), momentum=0.9)
    with pytest.raises(ConvertError, match=r"of 'in_proj_weight', .* only q_proj.weight, v_proj.weight has"):
        convert_optimizer(tmp_path / "x.pdopt", tmp_path / "x.pdparams", theirs, live)


def test_a_plan_of_a_live_layout_back_is_the_plan_there_turned_round():
    ours, theirs = encoder()
    there = plan_conversion(ours.state_dict(), theirs).require()
    back = plan_back(theirs.state_dict(), module_layout(theirs), rules_of_plan(there)).require()
    assert {(move.target, move.source) for move in back.moves} == {(m.source, m.target) for m in there.moves}


class TiedInTorch(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table, self.out = torch.nn.Embedding(5, 4), torch.nn.Linear(4, 5, bias=False)
        self.out.weight = self.table.weight


def test_tied_weights_are_one_tensor_on_either_side(save, tmp_path):
    alone = {"table.weight": paddle.nn.Embedding(5, 4).weight}  # Paddle computes with the table itself
    report = convert_checkpoint(save(alone), tmp_path / "x.pth", target=TiedInTorch())
    assert [move.found_by for move in report.plan.moves] == ["name", "tied"]
    TiedInTorch().load_state_dict(torch.load(report.target))
    twice = alone | {"again.weight": alone["table.weight"]}
    report = convert_checkpoint(
        save(twice), tmp_path / "y.pth", target=torch.nn.ModuleDict({"table": torch.nn.Embedding(5, 4)})
    )
    assert [(drop.name, drop.same_as) for drop in report.plan.dropped] == [("again.weight", "table.weight")]


@pytest.mark.parametrize("name", ["table", "out"])
def test_tied_weights_come_from_whichever_name_the_source_has(name, save, tmp_path):
    source = {"table": paddle.nn.Embedding(5, 4), "out": paddle.nn.Linear(4, 5, bias_attr=False)}[name]
    state, theirs = {f"{name}.weight": source.weight}, TiedInTorch()
    live = convert_state_dict(state, theirs)
    report = convert_checkpoint(save(state), tmp_path / "x.pth", target=theirs)
    for loaded in (live, torch.load(report.target)):
        theirs.load_state_dict(loaded)
        expected = source.weight.numpy() if name == "table" else source.weight.numpy().T
        np.testing.assert_array_equal(theirs.table.weight.detach().numpy(), expected)


def test_what_is_tied_in_torch_alone_is_refused_where_it_differs(save, tmp_path):
    table, out = paddle.nn.Embedding(5, 4), paddle.nn.Linear(4, 5, bias_attr=False)
    state = {"table.weight": table.weight, "out.weight": out.weight}
    message = r"'table.weight' and 'out.weight' differ, and torch's .* are one tensor \(tied weights\)"
    with pytest.raises(ConvertError, match=message):
        convert_state_dict(state, TiedInTorch())
    with pytest.raises(ConvertError, match=message):
        convert_checkpoint(save(state), tmp_path / "x.pth", target=TiedInTorch())
    assert not (tmp_path / "x.pth").exists()
    out.weight.set_value(table.weight.t())
    loaded = convert_state_dict(state, TiedInTorch())
    assert torch.equal(loaded["table.weight"], loaded["out.weight"])


def test_the_state_of_tied_weights_belongs_to_the_name_that_torch_trains(tmp_path):
    class Tied(paddle.nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.table = paddle.nn.Embedding(5, 4)

    ours, theirs = Tied(), TiedInTorch()
    optimizer = paddle.optimizer.Momentum(0.1, parameters=ours.parameters())
    (ours.table.weight * 2).sum().backward()
    optimizer.step()
    paddle.save(ours.state_dict(), str(tmp_path / "x.pdparams"))
    paddle.save(optimizer.state_dict(), str(tmp_path / "x.pdopt"))
    live = torch.optim.SGD(theirs.parameters(), momentum=0.9)
    convert_optimizer(tmp_path / "x.pdopt", tmp_path / "x.pdparams", theirs, live).load(live)
    assert (live.state[theirs.table.weight]["momentum_buffer"] == 2).all()
