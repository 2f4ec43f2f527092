"""A zoo is converted on Ray as it is here."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from safetensors.numpy import load_file

from paddle2torch.cli import main
from paddle_models.lenet import lenet


def test_ray_is_for_a_folder(tmp_path, capsys):
    paddle.save(lenet().state_dict(), str(tmp_path / "net.pdparams"))
    assert main(["convert", str(tmp_path / "net.pdparams"), "-o", str(tmp_path / "net.pth"), "--ray"]) == 2
    assert "--ray is for converting a folder of checkpoints" in capsys.readouterr().err


@pytest.mark.full
def test_a_folder_is_converted_by_a_cluster_with_a_bad_file_told(tmp_path, capsys, monkeypatch):
    pytest.importorskip("ray")
    # Ray's own is 15, which on a busy machine is no time at all.
    monkeypatch.setenv("RAY_worker_niceness", "0")
    (tmp_path / "zoo").mkdir()
    nets = [lenet() for _ in range(3)]
    for number, net in enumerate(nets):
        paddle.save(net.state_dict(), str(tmp_path / "zoo" / f"{number}.pdparams"))
    (tmp_path / "zoo" / "bad.pdparams").write_bytes(b"nothing")
    assert main(["convert", str(tmp_path / "zoo"), "-o", str(tmp_path / "out"), "--ray", "--jobs", "2"]) == 1
    output = capsys.readouterr()
    assert "3 of 4 checkpoints converted" in output.out
    assert "bad.pdparams" in output.err
    for number, net in enumerate(nets):
        found = load_file(tmp_path / "out" / f"{number}.safetensors")
        assert np.array_equal(found["fc3.weight"], net.fc3.weight.numpy().T)
