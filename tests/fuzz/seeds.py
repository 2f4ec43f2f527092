"""Small real files of every format, to start mutating from."""

from __future__ import annotations

import pickle
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


def seeds() -> Mapping[str, bytes]:
    """File name -> content. A `.pdiparams` is read with the `.json` of the same stem beside it."""
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
        return {
            path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix != ".pdmodel"
        }
