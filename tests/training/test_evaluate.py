"""Evaluation asks as VGG's paper does, and both frameworks answer the same; dense evaluation is proven to be the VGG."""

from __future__ import annotations

import json

import numpy as np
import paddle
import pytest
import torch

import paddle_models.vgg
import torch_models.vgg
from paddle2torch import convert_state_dict
from paddle2torch.cli import main
from paddle2torch.training import dense_paddle, dense_torch, metrics
from paddle2torch.training.answers import answer, combined, open_network
from paddle2torch.training.errors import TrainingError
from paddle2torch.training.evaluate import ways
from paddle2torch.training.recipe import Images, Network
from tests.training import small_paddle, small_torch

pytestmark = pytest.mark.xdist_group("training")


class Narrow:
    """torch.nn or paddle.nn, with 16 numbers where a VGG's classifier has 4096."""

    def __init__(self, module):
        self._module = module

    def __getattr__(self, name):
        kind = getattr(self._module, name)
        if name != "Linear":
            return kind

        class Linear(kind):
            def __init__(self, inputs, outputs):
                super().__init__(*(16 if size == 4096 else size for size in (inputs, outputs)))

        return Linear


@pytest.mark.parametrize(
    ("build", "side"),
    [
        (lambda vgg: vgg.vgg16(num_classes=3), 224),
        (lambda vgg: vgg.vgg11_bn_features(num_classes=3), 224),
        (lambda vgg: vgg.vgg11_pairs_quarter(num_classes=3), 224),
    ],
    ids=["tutorial", "features", "pairs"],
)
def test_a_vggs_fully_convolutional_twin_is_the_vgg_at_224_and_the_same_in_both_frameworks_beyond(
    build, side, monkeypatch
):
    monkeypatch.setattr(paddle_models.vgg, "nn", Narrow(paddle.nn))
    monkeypatch.setattr(torch_models.vgg, "nn", Narrow(torch.nn))
    monkeypatch.setattr(torch_models.vgg, "init_like_paddle", lambda network: None)
    ours, theirs = build(paddle_models.vgg), build(torch_models.vgg)
    theirs.load_state_dict(convert_state_dict(ours.state_dict(), theirs))
    ours.eval()
    theirs.eval()
    twins = dense_paddle.fully_convolutional(ours), dense_torch.fully_convolutional(theirs)
    channels = next(iter(theirs.parameters())).shape[1]
    image = np.random.default_rng(0).standard_normal((1, channels, side, side + 32)).astype(np.float32)
    window = np.ascontiguousarray(image[..., :side])
    with paddle.no_grad(), torch.no_grad():
        expected = ours(paddle.to_tensor(window)).numpy()
        answers = [
            twins[0](paddle.to_tensor(window)).numpy(),
            theirs(torch.from_numpy(window)).numpy()[..., None, None],
            twins[1](torch.from_numpy(window)).numpy(),
        ]
        wide = twins[0](paddle.to_tensor(image)).numpy(), twins[1](torch.from_numpy(image)).numpy()
    close = {"rtol": 1e-4, "atol": 1e-5 * np.abs(expected).max()}
    for actual in answers:
        assert actual.shape == (1, 3, 1, 1)
        np.testing.assert_allclose(actual[..., 0, 0], expected, **close)
    assert wide[0].shape == (1, 3, 1, 2)
    np.testing.assert_allclose(wide[1], wide[0], **close)


def test_a_small_twin_is_exact_in_float64_and_follows_the_mode():
    for module, dense, tensor, double in (
        (small_paddle, dense_paddle, paddle.to_tensor, lambda net: net.to(dtype="float64")),
        (small_torch, dense_torch, torch.from_numpy, lambda net: net.double()),
    ):
        net = module.vgg()
        double(net)
        net.eval()
        twin = dense.fully_convolutional(net)
        assert not twin.training
        images = np.random.default_rng(0).standard_normal((2, 1, 28, 36))
        found = twin(tensor(images)).detach().numpy()
        assert found.shape == (2, 10, 1, 3)
        for place in range(3):
            window = np.ascontiguousarray(images[..., 4 * place : 4 * place + 28])
            inside = twin(tensor(window)).detach().numpy()[..., 0, 0]
            np.testing.assert_allclose(inside, net(tensor(window)).detach().numpy(), rtol=1e-11, atol=1e-13)
        net.train()
        assert dense.fully_convolutional(net).training
        with pytest.raises(
            TrainingError, match="ResNet has no fully convolutional twin; dense evaluation is for our VGGs"
        ):
            dense.fully_convolutional(module.resnet())


def test_probabilities_are_averaged_over_crops_and_scales():
    logits = np.random.default_rng(0).standard_normal((20, 4))
    crops = answer(lambda images: logits[: len(images)], np.zeros((2, 10, 1, 4, 4)))
    mean = metrics.probabilities(logits).reshape(2, 10, 4).mean(axis=1)
    np.testing.assert_allclose(metrics.probabilities(crops), mean, rtol=1e-12)
    one_logit = combined([np.array([[2.0]]), np.array([[-1.0]])])
    np.testing.assert_allclose(
        np.exp(one_logit[0, 1]), (1 / (1 + np.exp(-2)) + 1 / (1 + np.exp(1))) / 2, rtol=1e-12
    )


def test_losses_are_those_of_both_frameworks():
    rng = np.random.default_rng(0)
    logits, labels = 30 * rng.standard_normal((6, 4)), np.array([0, 3, 1, 2, 2, 0])
    np.testing.assert_allclose(
        metrics.losses(logits, labels),
        torch.nn.functional.cross_entropy(
            torch.from_numpy(logits), torch.from_numpy(labels), reduction="none"
        ),
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        metrics.losses(logits[:, :1], labels % 2),
        paddle.nn.functional.binary_cross_entropy_with_logits(
            paddle.to_tensor(logits[:, 0]), paddle.to_tensor((labels % 2).astype("float64")), reduction="none"
        ).numpy(),
        rtol=1e-12,
        atol=1e-13,
    )
    found = metrics.score([(logits[:4], labels[:4]), (logits[4:], labels[4:])])
    assert (found.count, found.top5) == (6, 1.0)
    assert found.accuracy == (logits.argmax(axis=1) == labels).mean()


def test_each_way_to_look_at_an_image_is_a_list_of_transforms():
    images = Images("folder", 3, transforms="resize:256 center-crop:224x224")
    assert ways(images, (224, 224)) == ["resize:256 center-crop:224x224"]
    assert ways(images, (224, 224), ten=True) == ["resize:256 ten-crop:224x224"]
    assert ways(images, (224, 224), dense=True) == ["resize:256"]
    assert ways(images, (224, 224), scales=(256, 384), ten=True) == [
        "resize:256 ten-crop:224x224",
        "resize:384 ten-crop:224x224",
    ]
    arrays = Images("digits", 1, transforms="resize:28x28")
    assert ways(arrays, (28, 28), scales=(28, 32)) == [
        "resize:28 center-crop:28x28",
        "resize:32 center-crop:28x28",
    ]
    with pytest.raises(TrainingError, match="say the size that windows are taken of, such as --scales 256"):
        ways(arrays, (28, 28), ten=True)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of three steps in Paddle, of a network that both frameworks know."""
    folder = tmp_path_factory.mktemp("trained")
    rng = np.random.default_rng(0)
    np.savez(
        folder / "data.npz",
        images=rng.integers(0, 256, (40, 32, 32), dtype=np.uint8),
        labels=np.arange(40) % 4,
        classes=["cat", "dog", "eel", "fox"],
    )
    nets = [f"--{side}=tests/training/small_{side}.py:resnet" for side in ("paddle", "torch")]
    words = ["train", *nets, "--framework", "paddle", "--args", '{"num_classes": 4}', "--in-channels", "1"]
    words += ["--image-size", "28", "--data", str(folder / "data.npz"), "-o", str(folder / "run")]
    assert main(words) == 0
    return folder


@pytest.mark.parametrize(
    "how", [[], ["--ten-crop", "--scales", "32,36"]], ids=["one window", "ten at two scales"]
)
def test_a_run_scores_the_same_in_both_frameworks(trained, capsys, how):
    capsys.readouterr()
    scores = []
    for side in ("paddle", "torch"):
        assert main(["evaluate", "--run", str(trained / "run"), "--framework", side, "--json", *how]) == 0
        scores.append(json.loads(capsys.readouterr().out))
    for name in ("count", "accuracy", "top5", "error"):
        assert scores[0][name] == scores[1][name]
    assert scores[0]["loss"] == pytest.approx(scores[1]["loss"], rel=1e-6)
    if not how:
        best = json.loads((trained / "run" / "metrics.jsonl").read_text().splitlines()[-1])
        assert scores[0]["loss"] == pytest.approx(best["test_loss"], rel=1e-6)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["evaluate", "lenet", "--framework", "torch"], "name the weights: --weights FILE, or --run FOLDER"),
        (
            ["evaluate", "--run", "RUN", "--mean", "0.5"],
            "--run says what the network and its images are: leave --mean out",
        ),
        (
            ["evaluate", "--run", "RUN", "--dense", "--ten-crop"],
            "dense evaluation takes every window already",
        ),
        (
            ["evaluate", "--run", "RUN", "--scales", "big"],
            "write sizes of the shorter side, such as 256,384,512",
        ),
        (["evaluate", "--run", "RUN", "--batch", "-1"], "--batch -1: at least 1"),
        (["evaluate", "--run", "RUN", "--batch", "0"], "--batch 0: at least 1"),
        (["evaluate", "--run", "RUN", "--dense"], "ResNet has no fully convolutional twin"),
        (
            ["evaluate", "--run", "RUN", "--data", "digits"],
            "has 0, 1, 2 and 7 more, which is no class of the training images",
        ),
        (["predict", "RUN/run.json", "--run", "RUN"], "no such file"),
        (
            ["predict", "RUN/grey.png", "--run", "RUN", "--torch-device", "gpu", "--framework", "both"],
            "--torch-device gpu: write cpu, cuda or cuda:N",
        ),
        (["predict", "RUN/metrics.jsonl", "--run", "RUN"], "metrics.jsonl: cannot be read as an image"),
        (
            ["predict", "RUN/curves.png", "--run", "RUN"],
            "curves.png: is RGB with transparency, and the network takes grey",
        ),
        (
            ["predict", "RUN/grey.png", "--run", "RUN", "--names", "RUN/few.txt"],
            "few.txt: has 2 names, and the network tells 4 classes apart",
        ),
        (
            ["predict", "RUN/grey.png", "--run", "RUN", "--names", "RUN/few.json"],
            "few.json: write a list of names, or",
        ),
        (["predict", "RUN/grey.png", "--run", "RUN", "--top", "0"], "--top 0: at least 1"),
    ],
)
def test_a_wrong_command_is_refused_with_one_sentence(trained, capsys, words, told, picture):
    picture(trained / "run" / "grey.png", mode="L", size=(40, 32))
    (trained / "run" / "few.txt").write_text("cat\ndog\n")
    (trained / "run" / "few.json").write_text('{"1": "cat"}')
    capsys.readouterr()
    assert main([word.replace("RUN", str(trained / "run")) for word in words]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert told in line


def test_a_picture_is_named_in_both_frameworks_and_both_languages_and_written_on(
    trained, capsys, picture, tmp_path
):
    from PIL import Image

    path = picture(tmp_path / "grey.png", mode="L", size=(40, 32))
    (tmp_path / "zh.txt").write_text("猫\n狗\n鳗鱼\n狐狸\n", encoding="utf-8")
    words = ["predict", str(path), "--run", str(trained / "run"), "--names-zh", str(tmp_path / "zh.txt")]
    capsys.readouterr()
    assert main([*words, "--framework", "both", "--top", "3", "--annotate", str(tmp_path / "out")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == str(path)
    assert "paddle (" in lines[1]
    assert "torch (" in lines[1]
    assert [line.split()[0] for line in lines[3:6]] == ["1", "2", "3"]
    assert any(pair in lines[3] for pair in ("cat 猫", "dog 狗", "eel 鳗鱼", "fox 狐狸"))
    assert lines[6].startswith("greatest difference: ")
    with Image.open(tmp_path / "out" / "grey.png") as shown:
        assert shown.size[0] == 480
        below = np.asarray(shown)[390:]
    assert below.min() < 50
    assert main([*words, "--annotate", str(tmp_path / "out")]) == 2
    assert "already exists; use --force" in capsys.readouterr().err
    assert main([*words, "--json", "--framework", "torch"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert sum(row["probability"] for row in entry["torch"]) == pytest.approx(1)
    assert {row["names_zh"] for row in entry["torch"]} == {"猫", "狗", "鳗鱼", "狐狸"}


def test_weights_under_the_names_of_paddles_zoo_are_a_registered_networks(tmp_path):
    zoo = paddle.vision.models.resnet18(num_classes=3)
    zoo.eval()
    path = str(tmp_path / "zoo.pdparams")
    paddle.save(zoo.state_dict(), path)
    images = np.random.default_rng(0).random((2, 3, 64, 64), dtype=np.float32)
    expected = zoo(paddle.to_tensor(images)).numpy()
    sizes = {"num_classes": 3, "in_channels": 3}
    for side in ("paddle", "torch"):
        references = {side: f"{side}_models.resnet:resnet18"}
        network = Network(side, references, sizes, "resnet18")
        np.testing.assert_allclose(open_network(network, path)(images), expected, rtol=1e-4, atol=1e-5)
