"""Images are found, named, put in order and split; what does not fit is told in one sentence."""

from __future__ import annotations

import numpy as np
import pytest

from paddle2torch.training.errors import BadImageError, TrainingError
from paddle2torch.training.recipe import Images
from paddle2torch.training.runner import open_images
from paddle2torch.training.sources import open_source, opened


def test_class_folders_give_the_classes_in_order_of_their_names(tmp_path, picture):
    for name in ("b/2.png", "b/1.png", "a/x/deep.jpg", "a/z.PNG"):
        picture(tmp_path / name)
    (tmp_path / "a" / "notes.txt").write_text("no image")
    source = open_source(str(tmp_path))
    assert source.classes == ("a", "b")
    assert source.names == ("a/x/deep.jpg", "a/z.PNG", "b/1.png", "b/2.png")
    assert source.labels.tolist() == [0, 0, 1, 1]
    assert source.image(0).size == (24, 20)


@pytest.mark.parametrize(
    ("names", "classes", "labels"),
    [
        (["H0001.jpg", "N0001.jpg", "P0001.jpg"], ("normal", "pathologic"), [0, 0, 1]),
        (["cat.0.jpg", "cat.1.jpg", "dog.0.jpg"], ("cat", "dog"), [0, 0, 1]),
    ],
    ids=["iChallenge-PM", "cat or dog"],
)
def test_the_tutorials_file_names_tell_the_class(tmp_path, picture, names, classes, labels):
    for name in names:
        picture(tmp_path / name)
    source = open_source(str(tmp_path))
    assert (source.classes, source.labels.tolist()) == (classes, labels)


def test_other_beginnings_of_names_can_be_said(tmp_path, picture):
    for name in ("ok_1.png", "okay.png", "bad.png"):
        picture(tmp_path / name)
    source = open_source(str(tmp_path), prefixes={"ok": "good", "okay": "so so", "bad": "bad"})
    assert [source.classes[label] for label in source.labels] == ["bad", "good", "so so"]
    with pytest.raises(TrainingError, match=r"no beginning in --prefixes fits bad\.png"):
        open_source(str(tmp_path), prefixes={"ok": "good"})


def test_a_split_is_seeded_whole_and_without_overlap():
    digits = open_source("digits", channels=1)
    train, test = digits.split(0.8, 620)
    assert (len(train), len(test)) == (1437, 360)
    assert set(train.names) | set(test.names) == set(digits.names)
    again = digits.split(0.8, 620)
    other = digits.split(0.8, 621)
    assert again[1].names == test.names != other[1].names
    assert np.array_equal(test.arrays, digits.arrays[[int(name[1:]) for name in test.names]])
    with pytest.raises(TrainingError, match="--split 1 of 1797 images leaves one part empty"):
        digits.split(1.0, 0)


def test_digits_become_what_the_network_takes():
    assert open_source("digits", channels=1).image(3).mode == "L"
    assert open_source("digits", channels=3).image(3).mode == "RGB"


def test_an_npz_holds_images_or_arrays_as_they_are(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, images=np.full((3, 8, 9, 3), 7, np.uint8), labels=[0, 2, 1], classes=["x", "y", "z"])
    source = open_source(str(path))
    assert (source.classes, source.image(1).size, source.ready) == (("x", "y", "z"), (9, 8), False)
    np.savez(path, images=np.ones((3, 330), np.float32), labels=[0, 1, 1])
    source = open_source(str(path), channels=330)
    assert (source.classes, source.image(1).shape, source.ready) == (("0", "1"), (330,), True)


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"images": np.ones((2, 8, 8), np.uint8)}, "has no labels; save it with np.savez"),
        ({"images": np.ones((2, 8, 8), np.int32), "labels": [0, 1]}, "images are uint8"),
        (
            {"images": np.ones((2, 8, 8), np.uint8), "labels": [0, 1, 1]},
            "2 images need as many whole numbers",
        ),
        ({"images": np.ones((0, 8, 8), np.uint8), "labels": np.ones(0, int)}, "holds no images"),
        (
            {"images": np.ones((2, 8, 8), np.uint8), "labels": [0, -1]},
            "the label of image 1 is -1, and labels go from 0 to 0",
        ),
        (
            {"images": np.ones((2, 8, 8), np.uint8), "labels": [0, 2], "classes": ["a", "b"]},
            "the label of image 1 is 2, and labels go from 0 to 1",
        ),
    ],
)
def test_an_npz_that_does_not_fit_is_told(tmp_path, arrays, told):
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(TrainingError, match=told):
        open_source(str(tmp_path / "data.npz"))


def test_a_file_that_is_no_npz_or_a_damaged_one_is_told(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, images=np.ones((20, 8, 8), np.uint8), labels=[0, 1] * 10)
    whole = path.read_bytes()
    for damaged, told in (
        (b"text\n", "data.npz: is no .npz; save it with np.savez"),
        (whole[:700], "is no .npz"),
        (whole[:400] + bytes(64) + whole[464:], "cannot be read as an .npz"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(TrainingError, match=told):
            open_source(str(path))


def test_folders_without_images_are_told(tmp_path, picture):
    with pytest.raises(TrainingError, match="is a folder, and an image is asked for"):
        opened(tmp_path, "RGB")
    with pytest.raises(TrainingError, match="no such folder"):
        open_source(str(tmp_path / "nowhere"))
    with pytest.raises(TrainingError, match="holds no images; images end in"):
        open_source(str(tmp_path))
    picture(tmp_path / "one" / "a.png")
    (tmp_path / "two").mkdir()
    with pytest.raises(TrainingError, match="the class folder two holds no images"):
        open_source(str(tmp_path))
    picture(tmp_path / "loose" / "zebra.png")
    with pytest.raises(TrainingError, match="put each class into a folder"):
        open_source(str(tmp_path / "loose"))


def test_bad_images_are_named_and_left_out_only_when_asked(tmp_path, picture):
    for name in ("a/1.png", "a/2.png", "b/1.png"):
        picture(tmp_path / name, size=(200, 200))
    picture(tmp_path / "b/2.png", mode="RGBA")
    with pytest.raises(
        BadImageError, match=r"b/2\.png: is RGB with transparency, and the network takes RGB; mend it"
    ):
        open_source(str(tmp_path))
    cut = tmp_path / "a/2.png"
    cut.write_bytes(cut.read_bytes()[:60_000])
    source = open_source(str(tmp_path), skip_bad=True)
    assert source.names == ("a/1.png", "b/1.png")
    assert [name for name, _ in source.skipped] == ["a/2.png", "b/2.png"]
    (tmp_path / "b/2.png").unlink()
    (tmp_path / "b/3.png").symlink_to("nowhere.png")
    with pytest.raises(BadImageError, match=r"b/3\.png: is a link to a file that does not exist; mend it"):
        open_source(str(tmp_path))
    skipped = open_source(str(tmp_path), skip_bad=True).skipped
    assert [name for name, _ in skipped] == ["a/2.png", "b/3.png"]
    (tmp_path / "b/3.png").unlink()
    with pytest.raises(BadImageError, match=r"a/2\.png: cannot be read as an image"):
        open_source(str(tmp_path)).image(1)
    (tmp_path / "a/1.png").write_bytes(b"nothing")
    with pytest.raises(BadImageError, match=r"a/1\.png: cannot be read as an image"):
        open_source(str(tmp_path))


def test_images_of_one_class_are_nothing_to_train_on(tmp_path, picture):
    picture(tmp_path / "a/1.png")
    with pytest.raises(
        TrainingError, match=r"its images are of one class \(a\), and training is to tell classes apart"
    ):
        open_images(Images(str(tmp_path), 3))


def test_validation_images_have_the_classes_of_training(tmp_path, picture):
    for name in ("train/a/1.png", "train/b/1.png", "val/b/1.png", "odd/c/1.png"):
        picture(tmp_path / name)
    classes = open_source(str(tmp_path / "train")).classes
    assert open_source(str(tmp_path / "val"), classes=classes).labels.tolist() == [1]
    with pytest.raises(TrainingError, match=r"has c, which is no class of the training images \(a, b\)"):
        open_source(str(tmp_path / "odd"), classes=classes)


def test_a_fingerprint_tells_changed_images_names_and_classes(tmp_path, picture):
    for name in ("a/1.png", "b/1.png"):
        picture(tmp_path / name)
    before = open_source(str(tmp_path)).fingerprint()
    assert open_source(str(tmp_path)).fingerprint() == before
    picture(tmp_path / "a/1.png", seed=1)
    changed = open_source(str(tmp_path)).fingerprint()
    (tmp_path / "a/1.png").rename(tmp_path / "a/2.png")
    renamed = open_source(str(tmp_path)).fingerprint()
    (tmp_path / "b").rename(tmp_path / "c")
    assert len({before, changed, renamed, open_source(str(tmp_path)).fingerprint()}) == 4
    digits = open_source("digits", channels=1)
    assert digits.chosen([0, 1]).fingerprint() != digits.chosen([1, 0]).fingerprint()
