"""Small real files of every format, to start mutating from."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle
import safetensors.torch
import torch

OLD_FORMATS = """
import sys, paddle
paddle.enable_static()
program, start = paddle.static.Program(), paddle.static.Program()
with paddle.static.program_guard(program, start):
    x = paddle.static.data("x", [None, 3])
    y = paddle.nn.Linear(3, 4)(x)
    executor = paddle.static.Executor(paddle.CPUPlace())
    executor.run(start)
    paddle.static.save_inference_model(sys.argv[1] + "/old", [x], [y], executor, program=program)
    paddle.static.save(program, sys.argv[1] + "/static")
"""
PROGRAMS = {"export.pdiparams": "export.json", "old.pdiparams": "old.pdmodel"}
"""Weights -> the program that is read with them."""


def seeds() -> Mapping[str, bytes]:
    """File name -> content, of every format; the weights of `PROGRAMS` have their program among them."""
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(name)
        layer = paddle.nn.Sequential(paddle.nn.Linear(3, 4), paddle.nn.BatchNorm1D(4))
        weight = np.arange(600, dtype="float32")
        for protocol in (2, 3, 4):
            paddle.save(layer.state_dict(), str(folder / f"state{protocol}.pdparams"), protocol=protocol)
            nested = {"model": layer.state_dict(), "epoch": 3, "lr": [0.1, None, "x"]}
            paddle.save(nested, str(folder / f"nested{protocol}.pdparams"), protocol=protocol)
            tied = {
                "a": weight,
                "b": weight,
                "f": np.asfortranarray(weight.reshape(20, 30)),
                "h": np.float16(3),
            }
            (folder / f"tied{protocol}.pdparams").write_bytes(pickle.dumps(tied, protocol=protocol))
        optimizer = paddle.optimizer.Adam(parameters=layer.parameters())
        layer(paddle.ones([2, 3])).sum().backward()
        optimizer.step()
        paddle.save(optimizer.state_dict(), str(folder / "net.pdopt"))
        paddle.save(layer.state_dict(), str(folder / "net.safetensors"), safetensors=True)
        layer.eval()
        spec = [paddle.static.InputSpec([None, 3], "float32")]
        paddle.jit.save(layer, str(folder / "export"), input_spec=spec)
        torch.save({"w": torch.ones(3, 4), "n": torch.tensor(3)}, folder / "net.pth")
        safetensors.torch.save_file({"w": torch.ones(3, 4)}, folder / "torch.safetensors", {"format": "pt"})
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", OLD_FORMATS, name],
            check=True,
            capture_output=True,
            env={**os.environ, "FLAGS_enable_pir_api": "0"},
        )
        (folder / "static.pdmodel").unlink()
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
