"""A training run's files as people save them: model and optimizer in one, schedules alone, notes of the run."""

from __future__ import annotations

import pickle
import tarfile

import numpy as np
import paddle
import pytest
import torch

from convert import ConvertError, convert_checkpoint
from convert.training.state_file import Training


def run(bias: float = 0.0):
    """A Linear after one step of Adam; its optimizer and schedule."""
    net = paddle.nn.Linear(3, 2)
    schedule = paddle.optimizer.lr.StepDecay(0.1, 3)
    optimizer = paddle.optimizer.Adam(schedule, parameters=net.parameters())
    (net(paddle.ones([1, 3])).sum() * (1 + bias)).backward()
    optimizer.step()
    schedule.step()
    return net, optimizer, schedule


def written(folder, source, training):
    convert_checkpoint(
        folder / source,
        folder / "run.pth",
        target=torch.nn.Linear(3, 2),
        training=training,
        key=None,
        force=True,
    )
    return torch.load(folder / "run.pth", weights_only=True)


def together(net, optimizer, schedule):
    return {
        "nested": {"model": net.state_dict(), "opt": optimizer.state_dict(), "epoch": 3},
        "schedule beside": {
            "model": net.state_dict(),
            "opt": {k: v for k, v in optimizer.state_dict().items() if k != "LR_Scheduler"},
            "scheduler": schedule.state_dict(),
        },
        "flat": {**net.state_dict(), **optimizer.state_dict()},
    }


@pytest.mark.parametrize("form", ["nested", "schedule beside", "flat"])
def test_model_and_optimizer_in_one_file_are_told_apart(tmp_path, form):
    net, optimizer, schedule = run()
    paddle.save(together(net, optimizer, schedule)[form], str(tmp_path / "all.pdparams"))
    saved = written(tmp_path, "all.pdparams", Training(tmp_path / "all.pdparams", "adam"))
    moment = optimizer.state_dict()[f"{net.weight.name}_moment1_0"].numpy()
    np.testing.assert_array_equal(saved["optimizer"]["state"][0]["exp_avg"].numpy(), moment.T)
    np.testing.assert_array_equal(saved["model"]["weight"].numpy(), net.weight.numpy().T)
    assert saved["scheduler"]["last_epoch"] == 1
    # and without --pdopt, the weights go alone and the rest is told
    report = convert_checkpoint(tmp_path / "all.pdparams", tmp_path / "net.pth", target=torch.nn.Linear(3, 2))
    assert any("--pdopt" in note for note in report.notes)
    assert set(torch.load(tmp_path / "net.pth")) == {"weight", "bias"}


@pytest.mark.parametrize("kind", ["w", "w:gz"])
def test_an_archive_with_both_files_is_named_twice(tmp_path, kind):
    net, optimizer, _ = run()
    paddle.save(net.state_dict(), str(tmp_path / "net.pdparams"))
    paddle.save(optimizer.state_dict(), str(tmp_path / "net.pdopt"))
    with tarfile.open(tmp_path / "run.tar", kind) as archive:
        for name in ("net.pdparams", "net.pdopt"):
            archive.add(tmp_path / name, f"best/{name}")
    saved = written(tmp_path, "run.tar", Training(tmp_path / "run.tar", "adam"))
    apart = written(tmp_path, "net.pdparams", Training(tmp_path / "net.pdopt", "adam"))
    moments = [file["optimizer"]["state"][0]["exp_avg"].numpy() for file in (saved, apart)]
    np.testing.assert_array_equal(*moments)
    with tarfile.open(tmp_path / "two.tar", kind) as archive:
        for name in ("net.pdparams", "net.pdopt", "other.pdopt"):
            archive.add(tmp_path / name.replace("other", "net"), f"best/{name}")
    with pytest.raises(ConvertError, match=r"several .pdopt \(best/net\.pdopt, best/other\.pdopt\)"):
        written(tmp_path, "two.tar", Training(tmp_path / "two.tar", "adam"))


def test_the_state_of_an_optimizer_is_no_network_whatever_its_file_is_called(tmp_path):
    _, optimizer, _ = run()
    paddle.save({"epoch": 3, "optimizer": optimizer.state_dict()}, str(tmp_path / "best.pdstates"))
    target = torch.nn.Linear(3, 2)
    with pytest.raises(ConvertError, match=r"converted with its weights: .*--pdopt .*best\.pdstates"):
        convert_checkpoint(tmp_path / "best.pdstates", tmp_path / "x.pth", target=target)


def test_of_two_optimizers_in_one_file_it_is_that_of_the_weights(tmp_path):
    one, two = run(), run(bias=1.0)
    paddle.save(
        {
            "gen": one[0].state_dict(),
            "dis": two[0].state_dict(),
            "a": one[1].state_dict(),
            "b": two[1].state_dict(),
        },
        str(tmp_path / "gan.pdparams"),
    )
    convert_checkpoint(
        tmp_path / "gan.pdparams",
        tmp_path / "dis.pth",
        key="dis",
        target=torch.nn.Linear(3, 2),
        training=Training(tmp_path / "gan.pdparams", "adam"),
    )
    saved = torch.load(tmp_path / "dis.pth", weights_only=True)["optimizer"]["state"][0]["exp_avg"]
    moment = two[1].state_dict()[f"{two[0].weight.name}_moment1_0"].numpy()
    np.testing.assert_array_equal(saved.numpy(), moment.T)


@pytest.mark.parametrize("form", ["of the optimizer", "alone", "beside the model"])
def test_a_schedule_without_accumulators_goes_along(tmp_path, form):
    net, _, schedule = run()
    sgd = paddle.optimizer.SGD(schedule, parameters=net.parameters())
    saved = {
        "of the optimizer": sgd.state_dict(),
        "alone": schedule.state_dict(),
        "beside the model": {"model": net.state_dict(), "opt": sgd.state_dict()},
    }[form]
    paddle.save(net.state_dict(), str(tmp_path / "net.pdparams"))
    paddle.save(saved, str(tmp_path / "net.pdopt"))
    assert written(tmp_path, "net.pdparams", Training(tmp_path / "net.pdopt"))["scheduler"]["last_epoch"] == 1


@pytest.mark.parametrize("name", ["best.pdstates", "best.states"])
def test_the_notes_of_a_run_are_no_checkpoint_and_say_so(tmp_path, name):
    (tmp_path / name).write_bytes(pickle.dumps({"epoch": 3, "best_model_dict": {"acc": 0.5}}, protocol=2))
    with pytest.raises(ConvertError, match=r"notes of itself \(epoch, best_model_dict\).*inspect"):
        convert_checkpoint(tmp_path / name, tmp_path / "x.pth")
    paddle.save(run()[0].state_dict(), str(tmp_path / "net.pdparams"))
    with pytest.raises(ConvertError, match=r"neither the state of an optimizer nor a schedule"):
        written(tmp_path, "net.pdparams", Training(tmp_path / name))
