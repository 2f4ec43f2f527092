"""Damaged trace files: each is refused in one sentence, whatever was damaged."""

from __future__ import annotations

import json
import random
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest

from paddle2torch.cli import main
from parity.errors import ParityError
from parity.trace import file as trace_file
from parity.trace.file import TraceFile, write_trace_file
from parity.trace.trace import Op, Parameter, Trace, Value
from parity.trace.values import ValueStore

ROUNDS = 500
JUNK = [None, True, -1, 1.5, "", "x", [], {}, [[]], 10**30, {"trace": {}}, float("nan")]


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    """A small trace file with everything that one can hold."""
    folder = tmp_path_factory.mktemp("trace")
    x, weight = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones((3, 3), np.float32)
    runs = []
    for precision in ("float32", "float64"):
        values = ValueStore(folder / precision)
        values.put("2", (x @ weight).astype(precision))
        trace = Trace(
            "paddle", "3.0", "Net", "eval", precision, "cpu",
            ops=[Op(0, "linear", "linear", "fc", "p.py:3", {"x": 0, "weight": 1}, (2,), {"bias": False})],
            values=[Value((2, 3), precision, "input", "x"), Value((3, 3), precision, "parameter", "fc.weight"),
                    Value((2, 3), precision, "operator")],
            parameters={"fc.weight": Parameter(1, True, True)},
            inputs={"x": 0}, outputs={"": 2},
        )  # fmt: skip
        runs.append(trace_file.Recording("given input", "eval", precision, True, trace, values))
    path = folder / "good.trace"
    write_trace_file(
        path, force=False, framework="paddle", name="Net (paddle)", weights="0", constants=[],
        inputs={"given input": {"x": x}}, parameters={"fc.weight": weight}, recordings=runs,
    )  # fmt: skip
    for run in runs:
        run.values.close()
    return path


def parts(data: bytes) -> tuple[dict, bytes]:
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def joined(header: object, rest: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + rest


def damaged_bytes(data: bytes, rng: random.Random) -> bytes:
    """A flip, a cut, an insertion or a run of zeros, at the beginning as often as anywhere."""
    found = bytearray(data)
    at = rng.randrange(min(len(data), rng.choice((9, 400, len(data)))))
    match rng.randrange(4):
        case 0:
            found[at] ^= 1 << rng.randrange(8)
        case 1:
            del found[at : at + rng.choice((1, 8, len(data)))]
        case 2:
            found[at:at] = bytes(rng.randrange(256) for _ in range(rng.choice((1, 8, 100))))
        case _:
            end = min(len(data), at + rng.choice((1, 8, 64)))
            found[at:end] = bytes(end - at)
    return bytes(found)


def places(value: object) -> list[tuple[object, object]]:
    """Every (container, key) in a JSON value."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [found for key in keys for found in ((value, key), *places(value[key]))]


def damaged_structure(data: bytes, rng: random.Random) -> bytes:
    """Something in the header or in what is told about the runs is gone, or another thing."""
    header, rest = parts(data)
    about = json.loads(header["__metadata__"]["about"])
    container, key = rng.choice(places(about if rng.random() < 0.7 else header))
    if rng.random() < 0.4:
        del container[key]
    else:
        container[key] = deepcopy(rng.choice([*JUNK, rng.choice([c[k] for c, k in places(about)])]))
    if isinstance(header.get("__metadata__"), dict) and "about" in header["__metadata__"]:
        header["__metadata__"]["about"] = json.dumps(about)
    return joined(header, rest)


def meaning(data: bytes) -> object:
    """What a file says, however its JSON is written; None where it says nothing."""
    try:
        header, rest = parts(data)
        return json.dumps(header, sort_keys=True), rest
    except (ValueError, RecursionError):
        return None


@pytest.mark.parametrize("damage", [damaged_bytes, damaged_structure])
def test_every_damage_is_one_sentence(good, tmp_path, damage):
    data, path, rng = good.read_bytes(), tmp_path / "x.trace", random.Random(0)
    refused = 0
    for _ in range(ROUNDS):
        changed = damage(data, rng)
        path.write_bytes(changed)
        if meaning(changed) == meaning(data):
            assert TraceFile(path).name == "Net (paddle)"
            continue
        with pytest.raises(ParityError) as told:
            TraceFile(path)
        assert len(str(told.value)) < 500
        assert "\n" not in str(told.value)
        refused += 1
    assert refused > ROUNDS * 0.9


def test_a_header_made_by_hand_with_a_right_digest_is_read_or_refused(good, tmp_path):
    data, path, rng = good.read_bytes(), tmp_path / "x.trace", random.Random(1)
    read, told = 0, []
    for _ in range(ROUNDS):
        header, rest = parts(damaged_structure(data, rng))
        path.write_bytes(joined(header, rest))
        if isinstance(header.get("__metadata__"), dict):
            start = len(joined(header, b""))
            header["__metadata__"]["digest"] = trace_file.digest_of(path, header, start)
            path.write_bytes(joined(header, rest))
        try:
            file = TraceFile(path)
            for run in file.runs:
                file.trace(*run)
            read += 1
        except ParityError as error:
            told.append(str(error))
    assert max(map(len, told)) < 500
    assert read > 10, "much of what a trace says may be anything"


def test_the_command_ends_with_exit_code_2(good, tmp_path, capsys):
    path, rng = tmp_path / "x.trace", random.Random(2)
    for _ in range(30):
        path.write_bytes(damaged_structure(good.read_bytes(), rng))
        if meaning(path.read_bytes()) != meaning(good.read_bytes()):
            assert main(["parity", "compare", str(path), str(good)]) == 2
            assert len(capsys.readouterr().err.splitlines()) == 1
