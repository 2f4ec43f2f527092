"""Small real files of every kind that a command reads, to start mutating from.

`python -m tests.fuzz.seeds FOLDER` writes them: both frameworks are needed for that, and the fuzzing itself, which
measures memory, is better off without them.
"""

from __future__ import annotations

import argparse
import datetime
import gzip
import io
import os
import pathlib
import pickle
import struct
import subprocess
import sys
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

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
RULES = """\
[[rule]]
source = 'layers\\.(\\d+)\\.(.*)'
target = 'blocks.\\1.\\2'
transform = "transpose+reshape:3,4"
reason = "another spelling"

[[rule]]
source = "head\\\\.weight"  # dropped
"""


def seeds() -> Mapping[str, bytes]:
    """File name -> content, of every kind."""
    with tempfile.TemporaryDirectory() as name:
        subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "tests.fuzz.seeds", name], check=True, capture_output=True
        )
        return {path.name: path.read_bytes() for path in sorted(Path(name).iterdir())}


def write_seeds(folder: Path) -> None:
    """Write every file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import paddle
        import safetensors.torch
        import torch

        import convert

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
            [sys.executable, "-W", "ignore", "-c", OLD_FORMATS, str(folder)],
            check=True,
            capture_output=True,
            env={**os.environ, "FLAGS_enable_pir_api": "0"},
        )
        (folder / "static.pdmodel").unlink()
        big = {"whole": np.arange(6, dtype="f4").reshape(2, 3)}
        slices = {
            "UnpackBigParamInfor@@": {"big": {"OriginShape": (2, 300), "slices": ["big@@.0", "big@@.1"]}}
        }
        parts = {"big@@.0": weight[:300], "big@@.1": weight[300:]}
        (folder / "slices.pdparams").write_bytes(pickle.dumps({**big, **parts, **slices}, protocol=2))
        torch.save({"model": {"w": torch.ones(3, 4).t()}, "epoch": 1}, folder / "nested.pth")
        convert.convert_checkpoint(folder / "state4.pdparams", folder / "own.pth", model="none")
        convert.convert_checkpoint(
            folder / "state4.pdparams", folder / "set.safetensors", model="none", shard_bytes=40
        )
        state = (folder / "state4.pdparams").read_bytes()
        (folder / "one.pdparams.gz").write_bytes(gzip.compress(state, mtime=0))
        with (
            tarfile.open(folder / "many.tar.gz", "w:gz") as tar,
            zipfile.ZipFile(folder / "some.zip", "w", 8) as packed,
        ):
            for name in ("state4.pdparams", "names.txt.md"):
                (folder / "names.txt.md").write_text("about")
                tar.add(folder / name, name)
                packed.write(folder / name, name)
        (folder / "names.txt.md").unlink()
        _write_beside(folder, weight)
        torch.save({"w": torch.ones(3, 4)}, folder / "old.pth", _use_new_zipfile_serialization=False)
        np.save(folder / "input.npy", np.ones((2, 3), "float32"))
        np.savez(folder / "input.npz", x=np.ones((2, 3), "float32"), mask=np.ones(2, bool))
        words = [
            "parity",
            "capture",
            "--paddle",
            "paddle.nn:Linear",
            "--shape",
            "2,3",
            "--only-given",
            "--mode",
            "eval",
            "--gradients",
        ]
        words += ["--args", '{"in_features":3,"out_features":4}', "-o", str(folder / "linear.trace")]
        subprocess.run([sys.executable, "-m", "paddle2torch", *words], check=True, capture_output=True)
        from PIL import Image

        Image.fromarray(np.arange(192, dtype="uint8").reshape(8, 8, 3)).save(folder / "image.png")


def _write_beside(folder: Path, weight: np.ndarray) -> None:
    """A configuration beside the weights, parameters of Paddle v2, names and rules."""
    (folder / "names.txt").write_text("linear_0.b_0\nlinear_0.w_0\n")
    (folder / "rules.toml").write_text(RULES)
    configuration = {
        "sets": {1, 2},
        "args": argparse.Namespace(lr=0.1, at=pathlib.PurePosixPath("/a")),
        "when": datetime.datetime(2020, 1, 2),
    }
    for protocol in (2, 4):
        beside = pickle.dumps({"model": {"w": weight}, "config": configuration}, protocol=protocol)
        (folder / f"config{protocol}.pdparams").write_bytes(beside)
    with tarfile.open(folder / "v2.tar.gz", "w:gz") as tar:
        described = b"\x0a\x01w\x10\x0c\x48\x03\x48\x04"
        for name, content in (
            ("w", struct.pack("<IIQ", 0, 4, 12) + bytes(48)),
            ("w.protobuf", described),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


if __name__ == "__main__":
    write_seeds(Path(sys.argv[1]))
