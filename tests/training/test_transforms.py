"""Each transform does to a photograph, bit for bit, what Paddle's and torchvision's do."""

from __future__ import annotations

import numpy as np
import paddle.vision.transforms as paddles
import pytest
from PIL import Image

from paddle2torch.training.errors import TrainingError
from paddle2torch.training.transforms import (
    ADJUST,
    ALONG,
    AXES,
    IMAGENET,
    Lighting,
    Normalize,
    RandomCrop,
    RandomFlip,
    RandomResize,
    normalize_for,
    read_pipeline,
    turned,
)
from tests.convert.zoo import zoo

zoo("torchvision")
import torchvision.transforms as torchs  # noqa: E402
import torchvision.transforms.functional as torchs_functional  # noqa: E402

RNG = np.random.default_rng(0)


def same(actual, *expected):
    for one in expected:
        assert np.array_equal(np.asarray(actual), np.asarray(one))


def step(text):
    (found,) = read_pipeline(text, IMAGENET).steps
    return found


@pytest.mark.parametrize("size", [256, 97, (131, 64)])
def test_resize_is_that_of_both_frameworks(photograph, size):
    text = f"resize:{size}" if isinstance(size, int) else f"resize:{size[0]}x{size[1]}"
    actual = step(text)(photograph, RNG)
    same(actual, paddles.Resize(size)(photograph), torchs.Resize(size)(photograph))


@pytest.mark.parametrize("size", [224, 97, 60])
def test_center_crop_is_that_of_both_frameworks(photograph, size):
    for wider in (0, 1, 2, 3):  # odd rests are rounded to even
        image = photograph.crop((0, 0, 250 + wider, 260 + 2 * wider))
        actual = step(f"center-crop:{size}")(image, RNG)
        same(actual, paddles.CenterCrop(size)(image), torchs.CenterCrop(size)(image))


def test_random_crop_is_a_window_of_both_frameworks_and_reaches_every_border(photograph):
    seen = set()
    image = photograph.crop((0, 0, 66, 66))
    for seed in range(80):
        top, left = np.random.default_rng(seed).integers((3, 3))
        seen.add((top, left))
        actual = RandomCrop((64, 64))(image, np.random.default_rng(seed))
        same(actual, paddles.crop(image, top, left, 64, 64), torchs_functional.crop(image, top, left, 64, 64))
    assert len(seen) == 9


def test_ten_crop_is_torchvisions(photograph):
    for actual, expected in zip(
        step("ten-crop:101x64")(photograph, RNG), torchs.TenCrop((101, 64))(photograph), strict=True
    ):
        same(actual, expected)


def test_flip_mirrors_as_both_frameworks_do_and_as_often_as_asked(photograph):
    assert RandomFlip(0.0)(photograph, RNG) is photograph
    same(RandomFlip(1.0)(photograph, RNG), paddles.hflip(photograph), torchs_functional.hflip(photograph))
    dice = np.random.default_rng(0)
    assert 350 < sum(RandomFlip(0.4)(photograph, dice) is not photograph for _ in range(1000)) < 450


@pytest.mark.parametrize("name", ADJUST)
@pytest.mark.parametrize("factor", [0.6, 1.0, 1.37])
def test_colours_are_adjusted_as_both_frameworks_do(photograph, name, factor):
    actual = ADJUST[name](photograph, factor)
    theirs = getattr(torchs_functional, f"adjust_{name}")(photograph, factor)
    ours = paddles.SaturationTransform(0)._apply_image(photograph) if factor == 1.0 else None
    paddles_own = {"brightness": paddles.adjust_brightness, "contrast": paddles.adjust_contrast}.get(name)
    same(actual, theirs, *(() if paddles_own is None else (paddles_own(photograph, factor),)))
    if ours is not None:
        same(actual, ours)


@pytest.mark.parametrize("share", [-0.5, -0.13, 0.0, 0.31])
def test_hue_is_turned_as_both_frameworks_do(photograph, share):
    same(turned(photograph, share), torchs_functional.adjust_hue(photograph, share))
    if photograph.mode == "RGB" and share >= 0:  # Paddle's own overflows below 0 with numpy 2
        same(turned(photograph, share), paddles.adjust_hue(photograph, share))


def test_colour_shift_draws_a_factor_for_each_and_none_of_zero(photograph):
    same(step("colour:0")(photograph, RNG), photograph)
    factors = np.random.default_rng(5).uniform(0.6, 1.4, 3)
    expected = photograph
    for adjust, factor in zip(ADJUST.values(), factors, strict=True):
        expected = adjust(expected, float(factor))
    same(step("colour:0.4")(photograph, np.random.default_rng(5)), expected)


def test_lighting_moves_every_pixel_by_one_colour_drawn_along_the_axes_of_imagenets_colours():
    grey = Image.new("RGB", (3, 2), (100, 120, 140))
    shifts = []
    for seed in range(400):
        moved = np.asarray(Lighting(0.1)(grey, np.random.default_rng(seed)), np.float64) - np.asarray(grey)
        assert (moved == moved[0, 0]).all()
        drawn = np.random.default_rng(seed).normal(0, 0.1, 3)
        exact = 255 * sum(a * v * axis for a, v, axis in zip(drawn, ALONG, AXES.T, strict=True))
        assert np.abs(moved[0, 0] - exact).max() <= 0.5
        shifts.append(moved[0, 0])
    assert np.allclose(AXES.T @ AXES, np.eye(3), atol=1e-3)
    usual = 255 * 0.1 * np.sqrt(((AXES * ALONG) ** 2).sum(axis=1))
    assert np.allclose(np.std(shifts, axis=0), usual, rtol=0.15)


def test_lighting_keeps_within_the_range_and_is_for_colours(photograph):
    lit = (
        np.asarray(Lighting(1.0)(photograph, np.random.default_rng(0))) if photograph.mode == "RGB" else None
    )
    if lit is None:
        with pytest.raises(TrainingError, match="lighting shifts colours, and the images are grey"):
            Lighting(0.1)(photograph, np.random.default_rng(0))
    else:
        before = np.asarray(photograph).astype(int)
        moved = lit.astype(int) - before
        inside = (lit > 0) & (lit < 255)
        assert all(len(np.unique(moved[..., c][inside[..., c]])) == 1 for c in range(3))


def test_scale_resizes_to_every_size_of_the_range(photograph):
    image = photograph.crop((0, 0, 30, 40))
    sizes = {RandomResize(10, 12)(image, np.random.default_rng(seed)).width for seed in range(40)}
    assert sizes == {10, 11, 12}


def test_numbers_are_those_of_both_frameworks(photograph):
    channels = len(photograph.getbands())
    normalize = normalize_for(channels, None, None)
    mean, std = list(normalize.mean), list(normalize.std)
    of_torch = torchs.Compose([torchs.ToTensor(), torchs.Normalize(mean, std)])(photograph).numpy()
    of_paddle = paddles.Compose([paddles.ToTensor(), paddles.Normalize(mean, std)])(photograph).numpy()
    actual = normalize(photograph)
    assert actual.dtype == np.float32
    assert actual.flags.c_contiguous
    assert np.array_equal(actual, of_torch)
    np.testing.assert_allclose(actual, of_paddle, rtol=0, atol=2e-7)  # Paddle multiplies by 1 / 255


def test_a_pipeline_ends_in_numbers(photograph):
    image = photograph.convert("RGB")
    assert read_pipeline("resize:40 center-crop:32", IMAGENET)(image, RNG).shape == (3, 32, 32)
    ten = read_pipeline("resize:40 ten-crop:32", IMAGENET)
    assert ten.crops
    assert ten(image, RNG).shape == (10, 3, 32, 32)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("resise:256", r"no transform 'resise' \(nearest: resize\); there are resize:256"),
        ("resize:big", r"`resize:big`: write resize:256 \(the shorter side\)"),
        ("resize:0", "`resize:0`: write"),
        ("flip:2", "`flip:2`: write flip:0.5"),
        ("scale:300-200", "`scale:300-200`: write scale:256-512"),
        ("ten-crop:224 flip:0.5", "ten-crop makes ten images of one, so it stands once, and last"),
    ],
)
def test_a_transform_that_is_none_is_told_in_one_sentence(text, told):
    with pytest.raises(TrainingError, match=told):
        read_pipeline(text, IMAGENET)


def test_a_window_larger_than_the_image_is_told():
    with pytest.raises(
        TrainingError, match="an image of 20x30 has no window of 24x24; resize it first, such as `resize:24`"
    ):
        step("random-crop:24")(Image.new("RGB", (30, 20)), RNG)


def test_mean_and_std_are_one_number_or_one_a_channel():
    assert normalize_for(3, [0.5], [0.25]) == Normalize((0.5,), (0.25,))
    with pytest.raises(TrainingError, match="--mean has 2 numbers, and the images have 3 channels"):
        normalize_for(3, [0.5, 0.5], None)
    with pytest.raises(TrainingError, match="--std must be greater than 0"):
        normalize_for(1, None, [0.0])
