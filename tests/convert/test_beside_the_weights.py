"""What people keep beside the weights, and what they kept them in before: shown or read, and never executed."""

from __future__ import annotations

import argparse
import collections
import datetime
import io
import os
import pathlib
import pickle
import struct
import tarfile
import types

import numpy as np
import pytest
import torch

from convert import ConvertError, open_checkpoint

STATE = {"w": np.arange(6, dtype="float32").reshape(2, 3)}
CONFIGURATIONS = {
    "a set": (
        {"layers": {3}, "frozen": frozenset(["a"]), "none": set()},
        {"layers": [3], "frozen": ["a"], "none": []},
    ),
    "a Namespace": (argparse.Namespace(lr=0.1, layers=[1, 2]), {"lr": 0.1, "layers": [1, 2]}),
    "a SimpleNamespace": (types.SimpleNamespace(lr=0.1), {"lr": 0.1}),
    "an empty Namespace": (argparse.Namespace(), {}),
    "a defaultdict": (collections.defaultdict(list, {"a": [1]}), {"a": [1]}),
    "a Counter": (collections.Counter("aab"), {"a": 2, "b": 1}),
    "a path": (pathlib.PurePosixPath("/data/x"), "/data/x"),
    "a relative path": (pathlib.PurePosixPath("data/x"), "data/x"),
    "a moment": (datetime.datetime(2020, 3, 1, 12, 5, 9), "2020-03-01 12:05:09"),
    "a day": (datetime.date(2020, 3, 1), "2020-03-01"),
}


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("kind", CONFIGURATIONS)
def test_a_configuration_beside_the_weights_is_shown(tmp_path, kind, protocol):
    given, shown = CONFIGURATIONS[kind]
    path = tmp_path / "net.pdparams"
    path.write_bytes(pickle.dumps({"state_dict": STATE, "config": given}, protocol=protocol))
    with open_checkpoint(path) as checkpoint:
        assert checkpoint.extras["config"] == shown
        np.testing.assert_array_equal(checkpoint["w"].numpy(), STATE["w"])


def test_a_torch_file_with_its_arguments_is_read(tmp_path):
    args = argparse.Namespace(lr=0.1, data=pathlib.PurePosixPath("/x"), sizes={1, 2})
    linear = torch.nn.Linear(1, 2)
    optimizer = torch.optim.SGD(linear.parameters(), 0.5).state_dict()
    held = {
        "state_dict": linear.state_dict(),
        "args": args,
        "epoch": np.int64(3),
        "best": np.float64(0.5),
        "optimizer": optimizer,
    }
    for zipped in (True, False):
        torch.save(held, tmp_path / "net.pth", _use_new_zipfile_serialization=zipped)
        with open_checkpoint(tmp_path / "net.pth", key="state_dict") as checkpoint:
            assert checkpoint["weight"].numpy().tolist() == linear.weight.tolist()
            assert checkpoint.extras["args"] == {"lr": 0.1, "data": "/x", "sizes": [1, 2]}
            assert (checkpoint.extras["epoch"], checkpoint.extras["best"]) == (3, 0.5)
            assert checkpoint.extras["optimizer"]["param_groups"][0]["lr"] == 0.5


class Runs:
    def __reduce__(self):
        return os.system, ("touch executed",)


class Object:
    def __reduce__(self):
        return object.__new__, (argparse.Namespace,)


@pytest.mark.parametrize("value", [Runs(), Object(), argparse.Namespace(inner=Runs())])
def test_whatever_runs_something_is_refused_still(tmp_path, monkeypatch, value):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.pdparams").write_bytes(pickle.dumps({"state_dict": STATE, "config": value}))
    with pytest.raises(ConvertError, match="refused, and nothing was executed"):
        open_checkpoint("net.pdparams")
    assert not (tmp_path / "executed").exists()


def test_states_that_are_set_a_million_times_are_refused(tmp_path):
    """BUILD copies a state: a thousand items and a thousand copies must not be free."""
    items = b"".join(b"M" + struct.pack("<H", n) + b"N" for n in range(5000))
    copy = b"cargparse\nNamespace\n)\x81h\x00b0"
    (tmp_path / "x.pdparams").write_bytes(b"\x80\x02}q\x00(" + items + b"u" + copy * 1000 + b".")
    with pytest.raises(ConvertError, match="more pickle instructions than a checkpoint needs"):
        open_checkpoint(tmp_path / "x.pdparams")


def v2(path, tensors, *, short=False):
    """`paddle.v2.parameters.Parameters.to_tar`, gzipped as its tutorials do."""
    with tarfile.open(path, "w:gz", format=tarfile.GNU_FORMAT) as archive:
        for name, value in tensors.items():
            described = b"\x0a" + bytes([len(name)]) + name.encode() + b"\x10" + bytes([value.size])
            described += (
                b"\x19" + struct.pack("<d", 1.0) + b"".join(b"\x48" + bytes([n]) for n in value.shape)
            )
            data = struct.pack("<IIQ", 0, 4, value.size) + value.tobytes()[: -4 if short else None]
            for member, content in ((name, data), (f"{name}.protobuf", described)):
                info = tarfile.TarInfo(member)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))


def test_parameters_of_paddle_v2_are_read(in_process, tmp_path):
    random = np.random.default_rng(0)
    saved = {
        "___fc_layer_0__.w0": random.random((4, 3), "float32"),
        "___fc_layer_0__.wbias": random.random((1, 3), "float32"),
    }
    v2(tmp_path / "params.tar.gz", saved)
    (tmp_path / "rules.toml").write_text(
        "[[rule]]\nsource = '___fc_layer_0__.w0'\ntarget = 'weight'\n"
        "[[rule]]\nsource = '___fc_layer_0__.wbias'\ntarget = 'bias'\n"
    )
    words = ("--torch", "torch.nn:Linear", "--torch-args", '{"in_features": 4, "out_features": 3}')
    done = in_process(
        "convert", "params.tar.gz", *words, "--rules", "rules.toml", "-o", "x.pth", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    made = torch.load(tmp_path / "x.pth", weights_only=True)
    np.testing.assert_array_equal(made["weight"].numpy(), saved["___fc_layer_0__.w0"].T)
    np.testing.assert_array_equal(made["bias"].numpy(), saved["___fc_layer_0__.wbias"][0])
    v2(tmp_path / "params.tar.gz", saved, short=True)
    with pytest.raises(ConvertError, match=r"___fc_layer_0__.w0 is no parameter of Paddle v2"):
        open_checkpoint(tmp_path / "params.tar.gz")
