"""The plan decides by layer kind, accounts for every key on both sides, and explains what is wrong."""

from __future__ import annotations

import itertools
import json
import pickle
import sys
from typing import Any

import numpy as np
import pytest
import torch

from convert import (
    ConvertError,
    Layout,
    Slot,
    module_layout,
    open_checkpoint,
    plan_conversion,
    registered_layout,
)
from convert.plan.plan import Options
from convert.plan.rules import Rule
from paddle2torch.commands.inspect import _tensors


def layout(*slots: tuple[str, tuple[int, ...], str]) -> Layout:
    return Layout(
        tuple(Slot(name, shape, layer, name.rpartition(".")[2]) for name, shape, layer in slots), "test"
    )


def arrays(**shapes: tuple[int, ...]) -> dict[str, Any]:
    return {name.replace("__", "."): np.zeros(shape, "float32") for name, shape in shapes.items()}


def test_square_linear_is_transposed_and_square_embedding_is_not():
    plan = plan_conversion(
        arrays(fc__weight=(5, 5), table__weight=(5, 5)),
        layout(("fc.weight", (5, 5), "Linear"), ("table.weight", (5, 5), "Embedding")),
    ).require()
    assert {move.target: move.transform for move in plan.moves} == {
        "fc.weight": "transpose",
        "table.weight": "copy",
    }


def test_every_key_of_both_sides_is_accounted_for(everything, in_torch, save):
    with open_checkpoint(save(everything.state_dict())) as checkpoint:
        plan = plan_conversion(checkpoint, in_torch).require()
        assert {move.source for move in plan.moves} == set(checkpoint)
    filled = [move.target for move in plan.moves] + [fill.name for fill in plan.generated]
    assert sorted(filled) == sorted(in_torch.state_dict())
    assert [fill.name for fill in plan.generated] == ["norm.num_batches_tracked"]
    assert all(move.why and move.found_by for move in plan.moves)
    moves = {move.target: move for move in plan.moves}
    assert moves["norm.running_mean"].source == "norm._mean"
    assert moves["norm.running_var"].source == "norm._variance"
    assert moves["instance_norm.weight"].source == "instance_norm.scale"
    assert moves["slope.weight"].source == "slope._weight"
    assert moves["layer_norm.weight"].transform == "reshape:2,3"


def test_a_live_state_dict_plans_like_its_file(everything, in_torch, save):
    with open_checkpoint(save(everything.state_dict())) as checkpoint:
        assert (
            plan_conversion(everything.state_dict(), in_torch).moves
            == plan_conversion(checkpoint, in_torch).moves
        )


def test_missing_extra_and_wrong_shapes_are_all_listed_with_nearest_names():
    plan = plan_conversion(
        arrays(conv__weight=(4, 3, 3, 3), fc1__weight=(5, 7), other__bias=(3,)),
        layout(
            ("conv.weight", (4, 3, 5, 5), "Conv2d"),
            ("fc.weight", (7, 5), "Linear"),
            ("fc.bias", (7,), "Linear"),
        ),
    )
    assert not plan.ok
    assert [problem.kind for problem in plan.problems] == ["shape", "missing", "missing", "extra", "extra"]
    with pytest.raises(ConvertError) as caught:
        plan.require()
    text = str(caught.value)
    assert "1 of a wrong shape, 2 missing, 2 extra" in text
    assert "missing: fc.weight [7, 5] (nearest: fc1.weight" in text
    assert "extra: fc1.weight [5, 7] (nearest: fc.weight" in text
    assert "Paddle's conv.weight is [4, 3, 3, 3]; torch's conv.weight is [4, 3, 5, 5]" in text


def test_a_linear_weight_in_torch_order_is_recognised():
    plan = plan_conversion(arrays(fc__weight=(7, 5)), layout(("fc.weight", (7, 5), "Linear")))
    assert "torch's own order; if the whole file is, add --layout torch" in str(plan.problems[0])


def test_a_common_prefix_is_pointed_out_and_can_be_changed():
    source = {"backbone." + name: value for name, value in arrays(a__weight=(2,), a__bias=(2,)).items()}
    target = layout(("a.weight", (2,), "BatchNorm2d"), ("a.bias", (2,), "BatchNorm2d"))
    with pytest.raises(ConvertError, match=r"add --strip-prefix backbone."):
        plan_conversion(source, target).require()
    plan_conversion(source, target, Options(strip_prefix="backbone.")).require()
    longer = layout(("net.backbone.a.weight", (2,), "GroupNorm"), ("net.backbone.a.bias", (2,), "GroupNorm"))
    with pytest.raises(ConvertError, match=r"add --add-prefix net."):
        plan_conversion(source, longer).require()
    plan_conversion(source, longer, Options(add_prefix="net.")).require()


def test_where_a_prefix_is_all_that_differs_the_error_is_that_one_line():
    source = {f"module.{name}": np.ones((4, 4)) for name in ("a.weight", "b.weight")}
    target = layout(("a.weight", (4, 4), "Linear"), ("b.weight", (4, 4), "Linear"))
    with pytest.raises(ConvertError) as error:
        plan_conversion(source, target).require()
    first, *rest = str(error.value).splitlines()
    assert first.endswith("2 missing, 2 extra; nothing was written")
    assert rest == ["every key fits without its prefix: add --strip-prefix module."]


def test_another_networks_file_is_told_as_that_in_one_line():
    source = {f"stages.{n}.weight": np.ones((8, 8, 3, 3)) for n in range(9)}
    target = layout(*((f"fc{n}.weight", (20 + n, 9), "Linear") for n in range(9)))
    with pytest.raises(ConvertError) as error:
        plan_conversion(source, target).require()
    first, told = str(error.value).splitlines()
    assert first.endswith("9 missing, 9 extra; nothing was written")
    assert told.startswith(
        "it is another network's: of the 9 missing tensors none has the shape of an extra one"
    )
    assert "where only the names differ" not in str(plan_conversion(source, target).notes)


def test_names_are_called_all_that_differs_only_where_the_shapes_are_there():
    def notes(*shapes):
        source = {f"stages.{n}.weight": np.ones(shape) for n, shape in enumerate(shapes)}
        target = layout(*((f"fc{n}.weight", (9, 20 + n), "Linear") for n in range(4)))
        return " ".join(plan_conversion(source, target).notes)

    assert "where only the names differ" in notes((20, 9), (21, 9), (22, 9), (23, 9))
    assert "where only the names differ" not in notes((20, 9), (2, 9), (2, 9), (2, 9))


def test_the_nearest_names_are_those_of_the_same_sizes():
    source = {"stem.bn.weight": np.ones(8), "stem.conv.weight": np.ones((8, 3, 3, 3))}
    target = layout(("stem.c.weight", (8, 3, 3, 3), "Conv2d"), ("stem.n.weight", (8,), "BatchNorm2d"))
    near = {problem.name: problem.nearest for problem in plan_conversion(source, target).problems}
    assert near["stem.c.weight"] == ("stem.conv.weight",)
    assert near["stem.bn.weight"] == ("stem.n.weight",)


def test_what_a_partial_load_would_do_is_said_where_it_helps():
    source = {"fc.weight": np.ones((4, 10)), "conv.weight": np.ones((4, 3, 1, 1))}
    target = layout(("conv.weight", (4, 3, 1, 1), "Conv2d"), ("fc.weight", (5, 4), "Linear"))
    advice = "--partial converts the rest, and leaves what does not fit as it is in torch"
    for options in (Options(), Options(exclude=("fc.*",))):
        assert advice in plan_conversion(source, target, options).notes
    assert plan_conversion(source, target, Options(partial=True)).notes == ()


def test_two_keys_that_become_one_by_stripping_are_refused():
    plan = plan_conversion(arrays(m__w=(2,), w=(2,)), layout(("w", (2,), "")), Options(strip_prefix="m."))
    assert any("are both 'w'" in str(problem) for problem in plan.problems)


def test_include_and_exclude_drop_with_a_reason_and_unmatched_patterns_are_errors():
    source = arrays(a=(2,), b=(2,))
    target = layout(("a", (2,), ""))
    plan = plan_conversion(source, target, Options(exclude=["b*"])).require()
    assert [(drop.name, drop.why) for drop in plan.dropped] == [("b", "excluded by b*")]
    assert plan_conversion(source, target, Options(include=["a"])).require().dropped[0].name == "b"
    with pytest.raises(ConvertError, match=r"--exclude c matches no tensor"):
        plan_conversion(source, target, Options(exclude=["c"])).require()


def test_a_partial_load_lists_what_was_left():
    source = arrays(body=(2,), head__weight=(5, 1000), old=(3,))
    target = layout(("body", (2,), ""), ("head.weight", (10, 5), "Linear"), ("new", (4,), ""))
    plan = plan_conversion(source, target, Options(partial=True)).require()
    assert [move.target for move in plan.moves] == ["body"]
    assert sorted(plan.left) == ["head.weight", "new"]
    assert sorted(drop.name for drop in plan.dropped) == ["head.weight", "old"]


def test_a_partial_load_of_nothing_is_an_error():
    with pytest.raises(ConvertError, match=r"not one tensor"):
        plan_conversion(arrays(a=(2,)), layout(("b", (3,), "")), Options(partial=True)).require()


def test_rules_rename_drop_and_transform():
    source = arrays(stem__norm__1__weight=(2,), head=(3, 4), junk=(1,))
    target = layout(("stem.norm1.weight", (2,), "BatchNorm2d"), ("head", (4, 3), ""))
    rules = [
        Rule(r"stem\.norm\.(\d)\.(.*)", r"stem.norm\1.\2", None, "old names"),
        Rule("head", "head", "transpose", "x @ W"),
        Rule("junk", None, None, "not used"),
    ]
    plan = plan_conversion(source, target, Options(rules=rules)).require()
    assert {move.target: (move.transform, move.why, move.found_by) for move in plan.moves} == {
        "stem.norm1.weight": ("copy", "old names", "rule"),
        "head": ("transpose", "x @ W", "rule"),
    }
    assert plan.dropped[0].why == "not used"


def test_rules_that_clash_or_miss_are_reported():
    rules = [Rule("a|b", "x", None, "r"), Rule("c", "absent", None, "r")]
    plan = plan_conversion(arrays(a=(2,), b=(2,), c=(2,)), layout(("x", (2,), "")), Options(rules=rules))
    text = " ".join(map(str, plan.problems))
    assert "rules send both 'a' and 'b' to 'x'" in text
    assert "the rule for 'c' names 'absent'" in text


def test_a_paddle_linear_never_becomes_a_torch_embedding(everything, save):
    class Wrong(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.square = torch.nn.Embedding(5, 5)

    with (
        open_checkpoint(save({"square.weight": everything.square.weight})) as checkpoint,
        pytest.raises(ConvertError, match=r"belongs to a Paddle Linear .*a torch Embedding"),
    ):
        plan_conversion(checkpoint, Wrong()).require()


def test_a_square_linear_in_a_bare_torch_parameter_needs_a_rule(everything, save):
    class Bare(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(5, 5))

    with open_checkpoint(save({"weight": everything.square.weight})) as checkpoint:
        with pytest.raises(ConvertError, match=r"say it with a rule"):
            plan_conversion(checkpoint, Bare()).require()
        rules = [Rule("weight", "weight", "transpose", "F.linear")]
        assert (
            plan_conversion(checkpoint, Bare(), Options(rules=rules)).require().moves[0].transform
            == "transpose"
        )


def test_subclasses_of_layers_are_known_by_what_they_extend():
    class Mine(torch.nn.Linear):
        pass

    assert module_layout(Mine(2, 3)).slots[0].layer == "Linear"
    attention = module_layout(torch.nn.MultiheadAttention(4, 2))
    assert {slot.name: slot.layer for slot in attention.slots}["out_proj.weight"] == "Linear"


def test_buffers_that_are_not_saved_are_not_asked_for():
    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("grid", torch.zeros(3), persistent=False)
            self.fc = torch.nn.Linear(2, 2)

    assert [slot.name for slot in module_layout(Net()).slots] == ["fc.weight", "fc.bias"]


def test_registered_layouts_take_sizes_and_name_unknown_models():
    shapes = {
        slot.name: slot.shape for slot in registered_layout("resnet50", num_classes=10, in_channels=1).slots
    }
    assert shapes["out.weight"] == (10, 2048)
    assert shapes["conv._conv.weight"] == (64, 1, 7, 7)
    with pytest.raises(ConvertError, match=r"resnet50"):
        registered_layout("resnet5")
    with pytest.raises(ConvertError, match=r"at least 1"):
        registered_layout("resnet50", num_classes=0)


def test_a_plan_is_plain_json():
    plan = plan_conversion(arrays(a__weight=(2, 2)), layout(("a.weight", (2, 2), "Linear")))
    data = json.loads(json.dumps(plan.to_json()))
    assert data["moves"][0]["transform"] == "transpose"
    assert data["ok"] is True


def calls(function) -> int:
    """How many functions a call calls: what is proportional to time, and the same on every machine."""
    count = itertools.count()
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, argument: next(count))
    try:
        function()
    finally:
        sys.setprofile(before)
    return next(count)


@pytest.mark.parametrize(
    ("source", "target"),
    [("w{}", ""), ("layer{}.weight", "block{}.weight"), ("layer{}.weight", "layer{}.bias")],
)
def test_a_plan_takes_calls_in_proportion_to_the_number_of_tensors(source, target):
    def needed(count):
        given = {source.format(i): np.zeros(4, "f4") for i in range(count)}
        slots = layout(*((target.format(i), (4,), "PReLU") for i in range(count))) if target else None
        return calls(lambda: plan_conversion(given, slots))

    assert needed(2000) < 5 * needed(500)


def test_showing_a_file_takes_calls_in_proportion_to_the_number_of_tensors(tmp_path):
    def needed(count):
        path = tmp_path / f"{count}.pdparams"
        path.write_bytes(pickle.dumps({f"w{i}": np.zeros(1, "f4") for i in range(count)}, 4))
        with open_checkpoint(path) as checkpoint:
            return calls(lambda: _tensors(checkpoint, on_progress=lambda done, total: None))

    assert needed(2000) < 5 * needed(500)
