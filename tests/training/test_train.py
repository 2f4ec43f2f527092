"""Both frameworks train alike; a run that was stopped goes on as if it had not been, in either framework."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from paddle2torch.training import checkpoints, network_paddle, network_torch
from paddle2torch.training.recipe import Images, Network, Recipe
from paddle2torch.training.record import EPOCHS, PICTURE, STEPS, rows
from paddle2torch.training.runner import Parts, open_images, run_recipe
from paddle2torch.training.schedules import Schedule

pytestmark = pytest.mark.xdist_group("training")

SIDES = ("paddle", "torch")
IMAGES = {
    name: Images("digits", 1, train_transforms=f"resize:{size} flip:0.5", transforms=f"resize:{size}")
    for name, size in (("resnet", "32x32"), ("vgg", "28x28"), ("densenet", "32x32"), ("lenet", "28x28"))
}


@pytest.fixture(scope="module")
def digits():
    whole = open_images(IMAGES["lenet"])
    return Parts(whole.train.chosen(range(160)), whole.test.chosen(range(48)))


def recipe(name="lenet", framework="paddle", **options):
    own = {"paddle": f"tests.training.small_paddle:{name}", "torch": f"tests.training.small_torch:{name}"}
    ours = {"paddle": "paddle_models.lenet:lenet", "torch": "torch_models.lenet:lenet"}
    network = Network(
        framework,
        ours if name == "lenet" else own,
        {"num_classes": 10},
        "lenet" if name == "lenet" else "",
        dtype=options.pop("dtype", "float64"),
        dropout=options.pop("dropout", 0.0),
        paddles_variance=options.pop("paddles_variance", True),
    )
    usual = {"optimizer": "momentum", "rate": 0.02, "weight_decay": 1e-3, "batch": 16}
    return Recipe(network, IMAGES[name], tuple("0123456789"), **{**usual, **options})


def losses(folder):
    return np.array([row["loss"] for row in rows(folder / STEPS)])


def first_weights(recipe, folder):
    """A Paddle checkpoint of the network as it is made."""
    import paddle

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "start.pdparams"
    paddle.save(network_paddle.build(recipe.in_framework("paddle").network).state_dict(), str(path))
    return str(path)


def final(folder, recipe):
    """The weights at the end, as a torch state dict of numpy arrays."""
    model = network_torch.build(recipe.in_framework("torch").network)
    network_torch.load(model, checkpoints.weights_file(str(folder)), recipe.in_framework("torch").network)
    return {name: tensor.numpy() for name, tensor in model.state_dict().items() if "num_batches" not in name}


def far(expected, actual):
    """Greatest difference of each tensor, of its greatest number."""
    return {
        name: np.abs(actual[name] - value).max() / max(np.abs(value).max(), 1e-3)
        for name, value in expected.items()
    }


@pytest.mark.parametrize("name", ["resnet", "vgg", "densenet"])
def test_ten_steps_in_float64_give_the_same_losses_weights_and_statistics(digits, tmp_path, name):
    one = recipe(name)
    start = first_weights(one, tmp_path)
    for side in SIDES:
        run_recipe(one.in_framework(side), digits, tmp_path / side, weights=start, quiet=True)
    expected, actual = (losses(tmp_path / side) for side in SIDES)
    assert len(expected) == 10
    assert len(set(expected)) == 10
    np.testing.assert_allclose(actual, expected, rtol=1e-10)
    distances = far(final(tmp_path / "paddle", one), final(tmp_path / "torch", one))
    assert max(distances.values()) < 1e-10


def test_without_paddles_running_variance_that_alone_differs(digits, tmp_path):
    one = recipe("resnet", paddles_variance=False)
    start = first_weights(one, tmp_path)
    for side in SIDES:
        run_recipe(one.in_framework(side), digits, tmp_path / side, weights=start, quiet=True)
    np.testing.assert_allclose(losses(tmp_path / "torch"), losses(tmp_path / "paddle"), rtol=1e-10)
    distances = far(final(tmp_path / "paddle", one), final(tmp_path / "torch", one))
    for name, distance in distances.items():
        assert (distance > 1e-5) == name.endswith("running_var"), name


RESUMED = {
    "momentum": {"optimizer": "momentum"},
    "adam": {"optimizer": "adam", "rate": 0.003},
    "adamw": {"optimizer": "adamw", "rate": 0.003, "weight_decay": 0.05},
    "sgd": {"optimizer": "sgd"},
}


@pytest.mark.parametrize("name", RESUMED)
def test_a_run_goes_on_bit_exactly_in_its_framework_and_to_rounding_in_the_other(digits, tmp_path, name):
    schedule = Schedule("step", step_size=1, gamma=0.5, warmup=3)
    images = Parts(digits.train.chosen(range(64)), digits.test)
    whole = recipe(epochs=3, schedule=schedule, features_rate=0.1, **RESUMED[name])
    start = first_weights(whole, tmp_path)
    for side in SIDES:
        run_recipe(whole.in_framework(side), images, tmp_path / side, weights=start, quiet=True)
        half = replace(whole, epochs=1).in_framework(side)
        run_recipe(half, images, tmp_path / f"{side} half", weights=start, quiet=True)
        for other in SIDES:
            folder = tmp_path / f"{side} then {other}"
            from_half = checkpoints.read(tmp_path / f"{side} half")
            run_recipe(whole.in_framework(other), images, folder, start=from_half, quiet=True)
            expected, actual = losses(tmp_path / side), losses(folder)
            assert len(actual) == 12
            if other == side:
                assert np.array_equal(actual, expected)
            else:
                np.testing.assert_allclose(actual, expected, rtol=1e-11)


@pytest.mark.parametrize("side", SIDES)
def test_a_run_that_is_stopped_within_an_epoch_goes_on_bit_exactly_with_its_dropout_and_augmentation(
    digits, tmp_path, side, monkeypatch
):
    from paddle2torch.training.record import Record

    whole = recipe("vgg", side, dtype="float32", dropout=None, epochs=2)
    run_recipe(whole, digits, tmp_path / "whole", quiet=True)
    taken = Record.step

    def interrupted(self, step, *rest):
        taken(self, step, *rest)
        if step == 7:
            self._interrupt(2, None)

    monkeypatch.setattr(Record, "step", interrupted)
    stopped = run_recipe(whole, digits, tmp_path / "part", quiet=True)
    assert (stopped.stopping, stopped.step) == (True, 7)
    monkeypatch.undo()
    start = checkpoints.read(tmp_path / "part")
    assert start.standing.step == 7
    run_recipe(whole, digits, tmp_path / "part", start=start, quiet=True)
    assert np.array_equal(losses(tmp_path / "part"), losses(tmp_path / "whole"))
    ends = [final(tmp_path / folder, whole) for folder in ("whole", "part")]
    assert max(far(*ends).values()) == 0


@pytest.mark.parametrize("side", SIDES)
def test_frozen_features_stay_and_a_share_of_the_rate_is_a_share_of_the_step(digits, tmp_path, side):
    images = Parts(digits.train.chosen(range(16)), digits.test)
    one = recipe("resnet", side, weight_decay=0.0, optimizer="sgd")
    start = first_weights(one, tmp_path)

    def moved(folder, **options):
        run_recipe(replace(one, **options), images, tmp_path / folder, weights=start, quiet=True)
        before = network_torch.build(one.in_framework("torch").network)
        network_torch.load(before, start, one.in_framework("torch").network)
        after = final(tmp_path / folder, one)
        return {
            name: after[name] - tensor.numpy()
            for name, tensor in before.state_dict().items()
            if name in after
        }

    frozen, slow, usual = moved("frozen", features_rate=0.0), moved("slow", features_rate=0.1), moved("usual")
    assert {name for name, change in frozen.items() if change.any()} == {"out.weight", "out.bias"}
    for name in ("conv._conv.weight", "block2.conv1._batch_norm.bias"):
        np.testing.assert_allclose(slow[name], 0.1 * usual[name], rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(slow["out.weight"], usual["out.weight"], rtol=1e-12)
    whole_block = moved("head", features_rate=0.0, head=("out", "block2"))
    assert {name.split(".")[0] for name, change in whole_block.items() if change.any()} == {"out", "block2"}


def test_a_schedule_is_that_of_both_frameworks():
    import paddle
    import torch

    epochs, steps = 12, 5

    def shares(**options):
        schedule = Schedule(epochs=epochs, steps_per_epoch=steps, **options)
        return [schedule.share(step) for step in range(0, epochs * steps, steps)]

    def of_paddle(schedule):
        return [(schedule(), schedule.step())[0] for _ in range(epochs)]

    def of_torch(kind, **options):
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
        schedule = getattr(torch.optim.lr_scheduler, kind)(optimizer, **options)
        return [(schedule.get_last_lr()[0], optimizer.step(), schedule.step())[0] for _ in range(epochs)]

    rates = paddle.optimizer.lr
    for ours, paddles, torchs in (
        (
            {"kind": "step", "step_size": 5, "gamma": 0.3},
            rates.StepDecay(1.0, 5, 0.3),
            of_torch("StepLR", step_size=5, gamma=0.3),
        ),
        (
            {"kind": "multistep", "milestones": (2, 7)},
            rates.MultiStepDecay(1.0, [2, 7]),
            of_torch("MultiStepLR", milestones=[2, 7]),
        ),
        (
            {"kind": "cosine"},
            rates.CosineAnnealingDecay(1.0, epochs),
            of_torch("CosineAnnealingLR", T_max=epochs),
        ),
    ):
        np.testing.assert_allclose(shares(**ours), of_paddle(paddles), rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(shares(**ours), torchs, rtol=1e-12, atol=1e-15)
    warm = Schedule(warmup=8)
    np.testing.assert_allclose(
        [warm.share(s) for s in range(12)], of_paddle(rates.LinearWarmup(1.0, 8, 0.0, 1.0)), rtol=1e-12
    )


def test_a_run_leaves_json_lines_a_picture_and_the_last_and_best_checkpoints(digits, tmp_path):
    images = Parts(digits.train.chosen(range(32)), digits.test)
    run = run_recipe(recipe(epochs=3, save_every=1), images, tmp_path / "run")
    (first, *_, last) = rows(tmp_path / "run" / EPOCHS)
    assert (first["epoch"], last["step"], len(rows(tmp_path / "run" / STEPS))) == (1, 6, 6)
    assert (tmp_path / "run" / PICTURE).read_bytes().startswith(b"\x89PNG")
    kept = {folder.name for folder in checkpoints.folders(tmp_path / "run")}
    assert kept == {"step-00000006", f"step-{run.best[1]:08d}"}
    standing = json.loads((tmp_path / "run" / "step-00000006" / "run.json").read_text())
    assert checkpoints.Standing.from_json(standing).recipe == run.recipe
