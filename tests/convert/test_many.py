"""Files of very many small tensors: read across windows, copied together, shown in groups, planned one by one."""

from __future__ import annotations

import json
import pickle
import re

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from convert import ConvertError, convert_checkpoint, open_checkpoint, plan_conversion
from convert.checkpoint.pickle_machine import OPCODES_MOST, PickleMachine
from convert.checkpoint.source import WINDOW, SourceFile
from convert.models.layout import Layout, Slot
from convert.plan.plan import Options
from convert.plan.rules import Rule
from convert.plan.structure import match_structure
from convert.rosetta.rows import Parameter
from paddle2torch.commands import inspect

SAVED = {
    "2.pdparams": lambda state, path: path.write_bytes(pickle.dumps(state, 2)),
    "4.pdparams": lambda state, path: path.write_bytes(pickle.dumps(state, 4)),
    "zip.pth": lambda state, path: torch.save(tensors(state), path),
    "old.pth": lambda state, path: torch.save(tensors(state), path, _use_new_zipfile_serialization=False),
    "x.safetensors": lambda state, path: save_file(state, path),
}


def tensors(state):
    return {name: torch.from_numpy(array) for name, array in state.items()}


@pytest.fixture(scope="module")
def state():
    """Small arrays of all kinds, and here and there one that is larger than what is copied together."""
    draw = np.random.default_rng(0)
    made = {}
    for i in range(1500):
        shape = (100, 100) if i % 400 == 200 else tuple(draw.integers(1, 6, i % 4))
        kind = ("float32", "int64", "float16", "uint8")[i // 7 % 4]
        made[f"blocks.{i}.{'w' * int(draw.integers(1, 90))}"] = draw.integers(0, 250, shape).astype(kind)
    return made


@pytest.mark.parametrize("name", SAVED)
def test_many_small_tensors_are_read_and_written_bit_by_bit(state, name, tmp_path):
    path = tmp_path / name
    SAVED[name](state, path)
    assert path.stat().st_size > 3 * WINDOW
    with open_checkpoint(path) as opened:
        assert list(opened) == list(state) or name == "x.safetensors"
        for key, array in state.items():
            np.testing.assert_array_equal(opened[key].numpy(), array, strict=True)
    for target in (tmp_path / "out.pth", tmp_path / "out.safetensors"):
        convert_checkpoint(path, target, model="none")
    theirs = torch.load(tmp_path / "out.pth", weights_only=True)
    ours = load_file(tmp_path / "out.safetensors")
    assert len(theirs) == len(ours) == len(state)
    for key, array in state.items():
        np.testing.assert_array_equal(ours[key], array, strict=True)
        np.testing.assert_array_equal(theirs[key].numpy(), array, strict=True)


def run(tmp_path, content):
    path = tmp_path / "x.pdparams"
    path.write_bytes(content)
    return PickleMachine(SourceFile(path)).run()


def test_values_are_remembered_under_any_number_that_is_not_too_high(tmp_path):
    assert run(tmp_path, b"\x80\x02]q\x01(K\x05q\x02h\x02e.") == [5, 5]  # Python 2 begins with 1
    assert run(tmp_path, b"\x80\x02](K\x05r\x00\x01\x00\x00K\x06q\x07h\x07j\x00\x01\x00\x00e.") == [
        5,
        6,
        6,
        5,
    ]
    for never in (b"h\x01", b"h\x09", b"j\x03\x01\x00\x00"):
        with pytest.raises(ConvertError, match="never stored"):
            run(tmp_path, b"\x80\x02](K\x05r\x02\x00\x00\x00" + never + b"e.")
    with pytest.raises(ConvertError, match="a number that is too high"):
        run(tmp_path, b"\x80\x02K\x05r" + OPCODES_MOST.to_bytes(4, "little") + b".")
    with pytest.raises(ConvertError, match="more pickle instructions"):
        run(tmp_path, b"\x80\x02K\x05r" + (OPCODES_MOST - 10).to_bytes(4, "little") + b"NNNNNNNNNNNN.")


def test_what_no_file_holds_behind_its_end_is_not_read(tmp_path):
    for cut in (
        b"\x80\x02X\x05\x00\x00\x00ab",
        b"\x80\x02J\x01",
        b"\x80\x02K",
        b"\x80\x02cnump",
        b"\x80\x02\x8a\x09a",
    ):
        with pytest.raises(ConvertError, match="cut off"):
            run(tmp_path, cut)


def test_inspect_shows_names_that_differ_in_their_numbers_as_one_row_and_says_so(
    in_process, tmp_path, monkeypatch
):
    path = tmp_path / "x.safetensors"
    save_file({f"b.{i}.w": np.zeros(2, "f4") for i in range(12)} | {"head": np.zeros(3, "f2")}, path)
    monkeypatch.setattr(inspect, "ROWS_MOST", 13)
    assert in_process("inspect", path, cwd=tmp_path).stdout.count("\n") > 13
    monkeypatch.setattr(inspect, "ROWS_MOST", 12)
    shown = in_process("inspect", path, cwd=tmp_path).stdout
    assert re.search(r"b\.\*\.w +12 +2 +float32 +96\n", shown)
    assert re.search(r"head +1 +3 +float16 +6\n", shown)
    assert "--json lists every tensor" in shown
    assert "13 tensors, 27 elements, 102 bytes" in shown
    assert len(json.loads(in_process("inspect", path, "--json", cwd=tmp_path).stdout)["tensors"]) == 13
    monkeypatch.setattr(inspect, "ROWS_MOST", 1)
    assert "of 2 rows 1 are shown" in in_process("inspect", path, cwd=tmp_path).stdout


def test_a_rule_for_one_name_does_what_the_same_rule_as_a_pattern_does():
    source = {f"a.{i}.w": np.zeros((2, 3)) for i in range(6)}
    target = Layout(tuple(Slot(f"b.{i}.weight", (3, 2), "Linear", "weight") for i in range(6)), "it")
    for given in (range(6), range(4), [0, 1, 2, 3, 4, 5, 9]):
        plans = []
        for form in (re.escape, lambda name: f"{re.escape(name)}(?:)"):
            rules = [Rule(form(f"a.{i}.w"), f"b.{i}.weight", None, "") for i in given]
            rules.append(Rule(form("a.0.w"), None, None, "", optional=True))
            plan = plan_conversion(source, target, Options(rules=tuple(rules)))
            plans.append((plan.moves, plan.dropped, [problem.kind for problem in plan.problems]))
        assert plans[0] == plans[1]


def test_layers_are_looked_for_among_those_that_hold_the_same_only():
    class Counted(tuple):
        compared = 0
        __slots__ = ()
        __hash__ = tuple.__hash__

        def __eq__(self, other):
            Counted.compared += 1
            return tuple.__eq__(self, other)

    count = 200
    sources = {f"p{i}.weight": Counted((i + 1,)) for i in range(count)}
    slots = [
        (Slot(f"t{i}.weight", (i + 1,), "LayerNorm", "weight"), (Parameter("weight", "weight"),))
        for i in range(count)
    ]
    found = match_structure(sources, slots, dict.fromkeys(sources))
    assert {(name, slot.name) for name, slot, *_ in found.pairs} == {
        (f"p{i}.weight", f"t{i}.weight") for i in range(count)
    }
    assert Counted.compared < 20 * count
