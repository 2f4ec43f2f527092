"""A whole data set through both networks: counted once each, whatever dies on the way, and judged by float64."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace

import numpy as np
import paddle
import pytest

from paddle2torch.cli import main
from paddle2torch.training.agree import Job, Judge, collect, judged
from paddle2torch.training.agree_page import page, sentence
from paddle2torch.training.errors import TrainingError
from paddle2torch.training.recipe import Images, Network
from paddle2torch.training.shards import Cluster, Pool, here
from paddle2torch.training.sources import open_source
from parity.errors import ParityError
from tests.training import small_paddle

pytestmark = pytest.mark.xdist_group("training")

CLASSES = 3
IMAGES = Images("data.npz", 1, transforms="resize:32x32")
PADDLE, TORCH = "tests/training/small_paddle.py:resnet", "tests/training/small_torch.py:resnet"
AGREE = ("agree", "--paddle", PADDLE, "--torch", TORCH)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """40 images, and the weights of a small ResNet."""
    folder = tmp_path_factory.mktemp("agree")
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 32, 32), dtype=np.uint8)
    np.savez(
        folder / "data.npz", images=images, labels=np.arange(40) % CLASSES, classes=["cat", "<b>dog", "猫"]
    )
    paddle.seed(0)
    paddle.save(small_paddle.resnet(CLASSES).state_dict(), str(folder / "net.pdparams"))
    return folder


def job(folder, torch="resnet", weights="net.pdparams", **options):
    references = {
        "paddle": PADDLE,
        "torch": f"tests/training/small_torch.py:{torch}",
    }
    networks = {side: Network(side, references, {"num_classes": CLASSES}) for side in references}
    paths = {side: str(folder / weights) for side in references}
    source = open_source(str(folder / "data.npz"), channels=1)
    return Job(networks, paths, source, IMAGES, **{"batch": 8, "shard": 10, **options})


def untold(done, total):
    """No progress."""


def test_a_right_port_agrees_and_the_page_tells_it(folder, tmp_path, capsys):
    words = [
        *AGREE,
        "--args",
        f'{{"num_classes": {CLASSES}}}',
        "--in-channels",
        "1",
        "--image-size",
        "32",
        "--shard",
        "16",
    ]
    words += [
        "--data",
        str(folder / "data.npz"),
        "--weights",
        str(folder / "net.pdparams"),
        "-o",
        str(tmp_path / "out"),
    ]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert out.startswith("40 of 40 images are told the same by both.\n")
    result = json.loads((tmp_path / "out" / "agree.json").read_text())
    assert (result["agrees"], result["images"], result["equal"], result["flips"]["count"]) == (
        True,
        40,
        40,
        0,
    )
    assert sum(result["differences"]["bins"]) + result["differences"]["equal_to_the_bit"] == 40
    assert all(row["rounding"] for row in result["differences"]["largest"])
    html = (tmp_path / "out" / "agree.html").read_text()
    assert "Both networks agree on 40 images" in html
    assert "<b>dog" not in html
    assert html.count("data:image/jpeg") == 10
    before = (tmp_path / "out" / "rows.jsonl").read_text()
    assert main(words) == 0  # nothing is left to compute
    assert (tmp_path / "out" / "rows.jsonl").read_text() == before


def test_a_mistake_is_no_rounding_even_where_no_prediction_flips(folder, tmp_path):
    wrong = job(folder, torch="another")
    result = judged(wrong, collect(wrong, tmp_path, here, untold))
    assert not result["agrees"]
    assert not any(row["rounding"] for row in result["differences"]["largest"])
    assert "rounding does not explain 10 of the 10 largest differences" in sentence(result)
    assert "The networks do not agree on 40 images" in page(wrong, result)


def test_a_flip_within_rounding_is_explained_by_float64(folder, tmp_path):
    paddle.seed(1)
    state = small_paddle.resnet(CLASSES).state_dict()
    weight = state["out.weight"].numpy()
    rng = np.random.default_rng(0)
    # Three classes that only the last bits tell apart.
    weight[:] = weight[:, :1] * (1 + 1e-7 * rng.standard_normal(weight.shape))
    state["out.weight"].set_value(weight)
    paddle.save(state, str(folder / "close.pdparams"))
    close = job(folder, weights="close.pdparams")
    result = judged(close, collect(close, tmp_path, here, untold))
    assert result["flips"]["count"] > 0
    assert result["flips"]["explained_by_rounding"] == result["flips"]["count"]
    assert result["agrees"]


def test_a_flip_that_rounding_does_not_explain_is_told(folder, tmp_path):
    other = job(folder)
    paddle.seed(5)
    paddle.save(small_paddle.resnet(CLASSES).state_dict(), str(folder / "other.pdparams"))
    other = replace(other, weights={**other.weights, "torch": str(folder / "other.pdparams")})
    result = judged(other, collect(other, tmp_path, here, untold))
    flips = result["flips"]
    assert flips["count"] == 40 - result["equal"] > 0
    assert (flips["explained_by_rounding"], result["agrees"]) == (0, False)
    assert f"of {flips['count']} that are not, rounding explains 0" in sentence(result)


def test_an_interrupted_run_goes_on_and_counts_every_image_once(folder, tmp_path):
    whole = job(folder)
    expected = collect(whole, tmp_path / "whole", here, untold)

    def dying(job, numbers):
        for number, rows in here(job, numbers):
            if number == 2:
                raise KeyboardInterrupt
            yield number, rows
            yield number, rows  # told twice, as a worker may that is asked again

    with pytest.raises(KeyboardInterrupt):
        collect(whole, tmp_path / "part", dying, untold)
    path = tmp_path / "part" / "rows.jsonl"
    with path.open("a") as file:
        file.write('{"shard": 2, "rows": [{"i": 20')  # killed while it wrote
    asked = []

    def watched(job, numbers):
        asked.extend(numbers)
        return here(job, numbers)

    assert collect(whole, tmp_path / "part", watched, untold) == expected
    assert asked == [2, 3]


def test_another_data_set_checkpoint_or_folder_is_not_gone_on_with(folder, tmp_path):
    whole = job(folder)
    collect(whole, tmp_path, here, untold)
    changed = replace(whole, source=whole.source.chosen([1, 0, *range(2, 40)]))
    with pytest.raises(TrainingError, match="was begun with other images, so it cannot be gone on with"):
        collect(changed, tmp_path, here, untold)
    paddle.save(small_paddle.resnet(CLASSES).state_dict(), str(folder / "new.pdparams"))
    with pytest.raises(TrainingError, match="was begun with other weights"):
        collect(job(folder, weights="new.pdparams"), tmp_path, here, untold)
    (tmp_path / "rows.jsonl").write_text("notes of mine\n")
    with pytest.raises(TrainingError, match="was not written by `paddle2torch agree`"):
        collect(whole, tmp_path, here, untold)


@pytest.mark.slow
def test_a_pool_of_processes_gives_the_same_and_a_killed_one_costs_only_its_shard(folder, tmp_path):
    whole = job(folder)
    expected = collect(whole, tmp_path / "whole", here, untold)

    def killing(job, numbers):
        import psutil

        for number, rows in Pool(1)(job, numbers):
            yield number, rows
            for process in psutil.Process().children(recursive=True):
                if process.ppid() != os.getpid():  # not the server that the workers are forked from
                    process.kill()

    with pytest.raises(TrainingError, match="what is done is kept: run the same command again"):
        collect(whole, tmp_path / "pool", killing, untold)
    assert collect(whole, tmp_path / "pool", Pool(2), untold) == expected


@pytest.mark.slow
def test_a_checkpoint_that_does_not_fit_is_one_sentence_from_a_pool_too_and_leaves_nothing(
    folder, tmp_path, capsys
):
    paddle.save({"stem.weight": paddle.zeros([3, 3])}, str(folder / "other.pdparams"))
    words = [
        *AGREE,
        "--in-channels",
        "1",
        "--weights",
        str(folder / "other.pdparams"),
        "--data",
        str(folder / "data.npz"),
    ]
    words += ["--image-size", "32", "--shard", "8", "--workers", "2", "-o", str(tmp_path / "signed")]
    assert main(words) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith(f"paddle2torch agree: {folder / 'other.pdparams'} does not fit")
    assert not (tmp_path / "signed").exists()


@pytest.mark.slow
@pytest.mark.parametrize("side", ["paddle", pytest.param("torch", marks=pytest.mark.full)])
def test_a_side_in_an_interpreter_of_its_own_answers_the_same(folder, tmp_path, side):
    whole = job(folder, shard=40)
    expected = collect(whole, tmp_path / "here", here, untold)
    apart = replace(whole, pythons={side: sys.executable})
    assert collect(apart, tmp_path / "apart", here, untold) == expected
    wrong = replace(whole, pythons={"paddle": str(folder / "python")})
    with pytest.raises(
        ParityError, match="--paddle-python must name a Python interpreter that has paddle and numpy"
    ):
        collect(wrong, tmp_path / "wrong", here, untold)


@pytest.mark.full
def test_on_ray_a_killed_worker_loses_nothing_and_nothing_counts_twice(folder, tmp_path, monkeypatch):
    pytest.importorskip("ray")
    # Ray's own is 15, which on a busy machine is no time at all.
    monkeypatch.setenv("RAY_worker_niceness", "0")
    import psutil

    whole = job(folder, shard=4)
    expected = collect(whole, tmp_path / "whole", here, untold)
    killed = []

    def killing(job, numbers):
        for number, rows in Cluster("local", 2)(job, numbers):
            yield number, rows
            if not killed:
                mine = psutil.Process().children(recursive=True)
                judges = [process for process in mine if process.name().startswith("ray::Judge")]
                killed.append(judges[0].pid)
                judges[0].kill()

    assert collect(whole, tmp_path / "ray", killing, untold) == expected
    assert killed


def test_networks_that_tell_other_classes_apart_are_refused(folder):
    wrong = job(folder)
    other = replace(wrong.networks["torch"], references={"torch": "tests/training/small_torch.py:unpooled"})
    with pytest.raises(TrainingError, match="it is another network's"):
        Judge(replace(wrong, networks={**wrong.networks, "torch": other})).rows(0)
