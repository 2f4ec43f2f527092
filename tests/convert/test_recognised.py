"""A checkpoint that is recognised needs no `--model`, whoever's names it uses."""

from __future__ import annotations

import pytest
from safetensors.torch import load_file

from convert import ConvertError, convert_checkpoint
from convert.apply.checkpoint import KEEP_NAMES

paddle = pytest.importorskip("paddle")
torch = pytest.importorskip("torch")


@pytest.fixture
def lenet(tmp_path):
    from paddle_models.lenet import lenet as build

    path = tmp_path / "lenet.pdparams"
    paddle.save(build(num_classes=7).state_dict(), str(path))
    return path


def test_a_registered_network_needs_no_model(lenet, tmp_path):
    from torch_models.lenet import lenet as build

    report = convert_checkpoint(lenet, tmp_path / "out.safetensors")
    assert any(note.startswith("recognised as lenet") for note in report.notes)
    build(num_classes=7).load_state_dict(load_file(tmp_path / "out.safetensors"), strict=True)


def test_the_zoo_s_names_become_ours(tmp_path):
    from paddle.vision.models import resnet18 as zoo

    from torch_models.resnet import resnet18 as build

    source = tmp_path / "zoo.pdparams"
    paddle.save(zoo(num_classes=3).state_dict(), str(source))
    convert_checkpoint(source, tmp_path / "out.safetensors")
    module = build(num_classes=3)
    module.load_state_dict(load_file(tmp_path / "out.safetensors"), strict=True)
    named = convert_checkpoint(
        source, tmp_path / "named.safetensors", target=module
    )  # a module of those names, too
    module.load_state_dict(load_file(named.target), strict=True)


def test_paddle_s_names_can_be_kept(lenet, tmp_path):
    report = convert_checkpoint(lenet, tmp_path / "out.safetensors", model=KEEP_NAMES)
    assert not any("recognised" in note for note in report.notes)


def test_a_checkpoint_that_fits_two_networks_names_both(tmp_path, monkeypatch):
    from convert.plan import recognize as module

    lenet = tmp_path / "lenet.pdparams"
    from paddle_models.lenet import lenet as build

    paddle.save(build().state_dict(), str(lenet))
    found = module.recognize({name: tuple(t.shape) for name, t in build().state_dict().items()})
    other = module.Candidate(module.MODELS["alexnet"], 10, 1, True)
    monkeypatch.setattr(module, "recognize", lambda _: [*found, other])
    with pytest.raises(ConvertError, match=r"fits 2 models.*lenet.*alexnet.*--model"):
        convert_checkpoint(lenet, tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()
