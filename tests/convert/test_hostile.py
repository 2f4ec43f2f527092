"""Files that are damaged or hostile: one of our errors, nothing executed, bounded cost."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest
import torch
from safetensors.numpy import save_file

from convert import ConvertError, open_checkpoint


class Call:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def read_everything(path: Path) -> None:
    with open_checkpoint(path) as checkpoint:
        for ref in checkpoint.values():
            ref.numpy()


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize(
    ("function", "arguments", "name"),
    [
        (os.system, ("touch {}",), "posix.system"),
        (subprocess.Popen, (["touch", "{}"],), "Popen"),
        (eval, ("open({!r}, 'w')",), "a call of eval"),
        (exec, ("open({!r}, 'w')",), "exec"),
        (getattr, ("text", "join"), "getattr"),
        (io.open, ("{}", "w"), "io.open|__builtin__.open|_io.open"),
    ],
)
def test_a_pickle_that_names_a_function_is_refused_and_not_run(tmp_path, protocol, function, arguments, name):
    trace = tmp_path / "executed"
    filled = [a.format(trace) if isinstance(a, str) else a for a in arguments]
    filled = [[w.format(trace) for w in a] if isinstance(a, list) else a for a in filled]
    path = tmp_path / "bad.pdparams"
    weights = {"w": np.ones(3, "float32"), "x": Call(function, *filled)}
    path.write_bytes(pickle.dumps(weights, protocol=protocol))
    with pytest.raises(ConvertError, match=f"({name}).*nothing was executed"):
        open_checkpoint(path)
    assert not trace.exists()


@pytest.mark.parametrize("suffix", ["pdparams", "safetensors", "pth"])
def test_a_name_that_is_too_long_is_refused_with_the_limit(tmp_path, suffix):
    path = tmp_path / f"long.{suffix}"
    for length, ok in ((1024, True), (1025, False), (2000, False)):
        array = np.ones(2, "float32")
        {
            "pdparams": lambda state: paddle.save(state, str(path)),
            "safetensors": lambda state: save_file(state, path),
            "pth": lambda state: torch.save({k: torch.from_numpy(v) for k, v in state.items()}, path),
        }[suffix]({"w" * length: array})
        if ok:
            read_everything(path)
        else:
            with pytest.raises(
                ConvertError, match=rf"{length} (bytes|characters), and names have at most 1024"
            ):
                open_checkpoint(path)


def test_every_truncation_is_reported(tmp_path):
    layer = paddle.nn.Sequential(paddle.nn.Linear(3, 40), paddle.nn.BatchNorm1D(40))
    for protocol in (2, 4):
        whole = tmp_path / f"whole{protocol}.pdparams"
        paddle.save(layer.state_dict(), str(whole), protocol=protocol)
        data = whole.read_bytes()
        cut = tmp_path / "cut.pdparams"
        for length in range(0, len(data), 1 if protocol == 4 else 5):
            cut.write_bytes(data[:length])
            with pytest.raises(ConvertError, match=r"cut off|empty|not a"):
                read_everything(cut)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"hello, this is text", "neither a pickle nor safetensors"),
        (b"PK\x03\x04" + bytes(40), "zip archive"),
        (b"<!DOCTYPE html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"\x1f\x8b" + bytes(40), "gzip"),
        (pickle.dumps({"a": 1}), "no tensors"),
        (pickle.dumps([]), "no tensors"),
        (pickle.dumps({"a": np.array(["x", None], dtype=object)}), "Python objects"),
        (pickle.dumps({"a": np.ones(3, ">f4")}), "big-endian"),
        (pickle.dumps({"a": np.array(["text"])}), "dtype 'U4'"),
        (pickle.dumps({(1, 2): np.ones(3)}), "neither text nor a number"),
        (pickle.dumps({"a": bytearray(b"xy")}, protocol=5), "not one that Paddle writes"),
        (b"\x80\x01}.", "protocol 1"),
        (b"\x80\x04.", "0 values"),
        (b"\x80\x04}}.", "2 values"),
        (b"\x80\x04h\x05.", "never stored"),
        (b"\x80\x04u.", "no mark"),
        (b"\x80\x04\x94.", "no value"),
        (b"\x80\x04NNR.", "not a function"),
        (b"\x80\x04cos\x1b[31m\nsystem\n.", r"os\?\[31m\.system"),
        (pickle.dumps({"a\x1b[31m": np.ones(3, "f4")}), r"called 'a\?\[31m'"),
        (pickle.dumps({"a\n": {"w": np.ones(3, "f4")}, "b": {"w": np.zeros(3, "f4")}}), r"--key: a\? \(1"),
    ],
)
def test_what_is_not_a_checkpoint_is_named(tmp_path, content, message):
    path = tmp_path / "file.pdparams"
    path.write_bytes(content)
    with pytest.raises(ConvertError, match=message):
        open_checkpoint(path)


def test_missing_files_and_directories_are_named(tmp_path):
    with pytest.raises(ConvertError, match=r"no such file"):
        open_checkpoint(tmp_path / "absent.pdparams")


def test_a_payload_shorter_or_longer_than_its_shape_is_damaged(tmp_path):
    data = pickle.dumps({"w": np.arange(1000, dtype="float32")}, protocol=4)
    path = tmp_path / "bad.pdparams"
    path.write_bytes(data.replace(b"M\xe8\x03", b"M\xe7\x03"))
    with pytest.raises(ConvertError, match=r"needs 3996 bytes, the file holds 4000"):
        open_checkpoint(path)


def test_protocol_2_text_that_is_not_latin1_is_damaged(tmp_path):
    values = np.full(30_000, 200, dtype="uint8")
    good = pickle.dumps({"w": values}, protocol=2)
    path = tmp_path / "bad.pdparams"
    for wrong in (b"\xc4\x88", b"\xc3A", b"\x88\x88", b"\xe2\x82"):
        data = bytearray(good)
        at = data.index(b"\xc3\x88" * 100) + 25_000
        data[at : at + 2] = wrong
        path.write_bytes(data)
        with pytest.raises(ConvertError, match=r"not Latin-1 text|does not decode"):
            read_everything(path)


def test_protocol_2_text_of_a_wrong_length_is_damaged(tmp_path):
    good = pickle.dumps({"w": np.full(30_000, 200, dtype="uint8")}, protocol=2)
    path = tmp_path / "bad.pdparams"
    data = bytearray(good)
    at = data.index(b"\xc3\x88" * 100) + 20_000
    data[at : at + 2] = b"AA"
    path.write_bytes(data)
    with pytest.raises(ConvertError, match=r"does not decode to the 30000 bytes"):
        read_everything(path)


def test_one_array_under_many_names_is_a_bomb_but_eight_are_tied_weights(tmp_path):
    weight = np.ones(1000, "float32")
    path = tmp_path / "tied.pdparams"
    path.write_bytes(pickle.dumps({str(i): weight for i in range(8)}, protocol=4))
    assert len(open_checkpoint(path)) == 8
    path.write_bytes(pickle.dumps({str(i): weight for i in range(9)}, protocol=4))
    with pytest.raises(ConvertError, match=r"more than 8 names"):
        open_checkpoint(path)


def test_one_payload_for_many_arrays_is_a_bomb(tmp_path):
    payload = np.ones(1000, "float32").tobytes()

    class Shared:
        def __init__(self, shape: tuple[int, ...]) -> None:
            self.shape = shape

        def __reduce__(self) -> Any:
            function, arguments, _ = np.ones(2, "f4").__reduce__()
            return function, arguments, (1, self.shape, np.dtype("f4"), False, payload)

    path = tmp_path / "bomb.pdparams"
    path.write_bytes(pickle.dumps({str(i): Shared((1000,)) for i in range(20)}, protocol=4))
    with pytest.raises(ConvertError, match=r"the same 4000 bytes for more than 8 arrays"):
        open_checkpoint(path)


def test_shared_and_deep_containers_end_quickly(tmp_path):
    path = tmp_path / "deep.pdparams"
    deep: Any = np.ones(2, "float32")
    for _ in range(60):
        deep = [deep]
    shared: Any = {"w": np.ones(2, "float32")}
    for _ in range(25):
        shared = (shared, shared)
    nested_tuples = b"\x80\x04N" + b"\x85" * 500_000 + b"."
    for content in (pickle.dumps({"x": deep}), pickle.dumps({"x": shared}), nested_tuples):
        path.write_bytes(content)
        started = time.process_time()
        with pytest.raises(ConvertError):
            open_checkpoint(path)
        assert time.process_time() - started < 5


def test_a_list_that_holds_itself_ends(tmp_path):
    path = tmp_path / "loop.pdparams"
    path.write_bytes(b"\x80\x04]\x94h\x00a.")
    with pytest.raises(ConvertError, match=r"nested more than"):
        open_checkpoint(path)


def test_a_file_of_containers_cannot_fill_the_memory(tmp_path):
    path = tmp_path / "fill.pdparams"
    path.write_bytes(b"\x80\x04" + b"}" * 30_000_000 + b".")
    code = (
        "import sys\n"
        "from convert import ConvertError, open_checkpoint\n"
        "try:\n    open_checkpoint(sys.argv[1])\n"
        "except ConvertError as error:\n    assert 'more pickle instructions' in str(error)\n"
        "else:\n    raise SystemExit('accepted')\n"
        "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 300_000, "more than 300 MB"


def test_many_small_tensors_are_no_attack(tmp_path):
    path = tmp_path / "many.pdparams"
    path.write_bytes(
        pickle.dumps({f"scale_{i}": np.full(1, i, "float32") for i in range(55_000)}, protocol=4)
    )
    with open_checkpoint(path) as checkpoint:
        assert len(checkpoint) == 55_000
        assert checkpoint["scale_54999"].numpy() == 54_999


def test_a_file_that_changes_while_open_is_noticed(everything, save, tmp_path):
    path = save(everything.state_dict())
    with open_checkpoint(path) as checkpoint:
        os.truncate(path, 500)
        with pytest.raises(ConvertError, match=r"changed while"):
            checkpoint.check_unchanged()
        with pytest.raises(ConvertError, match=r"ended at byte"):
            checkpoint["conv.weight"].numpy()


@pytest.mark.parametrize(
    "header",
    [
        b"{",
        b"[]",
        b'{"a": 3}',
        b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 9]}}',
        b'{"a": {"dtype": "F32", "shape": [200], "data_offsets": [0, 800]}}',
        b'{"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}',
        b'{"a": {"dtype": "Q9", "shape": [2], "data_offsets": [0, 8]}}',
        b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, '
        b'"b": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}',
    ],
)
def test_a_damaged_safetensors_header_is_reported(tmp_path, header):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
    with pytest.raises(ConvertError, match=r"bad\.safetensors"):
        open_checkpoint(path)
