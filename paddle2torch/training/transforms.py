"""Transforms of images, in Pillow and numpy: exactly what `paddle.vision.transforms` and torchvision's do to a Pillow image.

One pipeline feeds both frameworks, so that neither's own transforms can make a difference. A transform that draws
numbers takes them from the generator that it is given, which depends on the seed, the epoch and the image alone.

A list of them is written as text: `resize:256 random-crop:224 flip:0.5 colour:0.4`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from convert.names import did_you_mean
from paddle2torch.training.errors import TrainingError

if TYPE_CHECKING:
    from PIL import Image as Pillow

Array = np.ndarray[Any, np.dtype[Any]]
Size = tuple[int, int]
"""Height, width."""


class Transform(Protocol):
    """Makes an image, or several (TenCrop), of an image."""

    def __call__(self, image: Any, rng: np.random.Generator) -> Any: ...


@dataclass(frozen=True)
class Resize:
    """Bilinear. One size: the shorter side becomes that, the longer one `int(size * long / short)`."""

    size: int | Size

    def __call__(self, image: Pillow.Image, rng: np.random.Generator) -> Pillow.Image:
        return image.resize(self._sides(image), _bilinear())

    def _sides(self, image: Pillow.Image) -> tuple[int, int]:
        """Width, height, as Pillow has it."""
        if not isinstance(self.size, int):
            return self.size[1], self.size[0]
        width, height = image.size
        if width <= height:
            return self.size, int(self.size * height / width)
        return int(self.size * width / height), self.size


@dataclass(frozen=True)
class RandomResize:
    """The shorter side becomes a size drawn from a range, as VGG was trained on several scales."""

    least: int
    most: int

    def __call__(self, image: Pillow.Image, rng: np.random.Generator) -> Pillow.Image:
        return Resize(int(rng.integers(self.least, self.most + 1)))(image, rng)


@dataclass(frozen=True)
class CenterCrop:
    """The middle; half of an odd rest is rounded to even, as both frameworks do."""

    size: Size

    def __call__(self, image: Pillow.Image, rng: np.random.Generator) -> Pillow.Image:
        height, width = self.size
        _require(image, self.size)
        return _crop(
            image, round((image.height - height) / 2.0), round((image.width - width) / 2.0), self.size
        )


@dataclass(frozen=True)
class RandomCrop:
    """A window anywhere."""

    size: Size

    def __call__(self, image: Pillow.Image, rng: np.random.Generator) -> Pillow.Image:
        height, width = self.size
        _require(image, self.size)
        top, left = rng.integers((image.height - height + 1, image.width - width + 1))
        return _crop(image, int(top), int(left), self.size)


@dataclass(frozen=True)
class TenCrop:
    """The corners and the middle (top left, top right, bottom left, bottom right), then the same of the mirrored image."""

    size: Size

    def __call__(self, image: Pillow.Image, rng: np.random.Generator) -> list[Pillow.Image]:
        mirrored = image.transpose(_left_right())
        return [crop for each in (image, mirrored) for crop in self._five(each, rng)]

    def _five(self, image: Pillow.Image, rng: np.random.Generator) -> list[Pillow.Image]:
        _require(image, self.size)
        down, right = image.height - self.size[0], image.width - self.size[1]
        corners = [_crop(image, top, left, self.size) for top in (0, down) for left in (0, right)]
        return [*corners, CenterCrop(self.size)(image, rng)]


@dataclass(frozen=True)
class RandomFlip:
    """Mirrored left to right, with a probability."""

    probability: float

    def __call__(self, image: Pillow.Image, rng: np.random.Generator) -> Pillow.Image:
        return image.transpose(_left_right()) if rng.random() < self.probability else image


@dataclass(frozen=True)
class ColourShift:
    """Brightness, contrast and saturation, each times a number from 1 - share to 1 + share; always in this order."""

    share: float

    def __call__(self, image: Pillow.Image, rng: np.random.Generator) -> Pillow.Image:
        for adjust, factor in zip(
            ADJUST.values(), rng.uniform(1 - self.share, 1 + self.share, 3), strict=True
        ):
            image = adjust(image, float(factor))
        return image


@dataclass(frozen=True)
class HueShift:
    """Hue turned by a number from -share to share of the whole circle."""

    share: float

    def __call__(self, image: Pillow.Image, rng: np.random.Generator) -> Pillow.Image:
        return turned(image, float(rng.uniform(-self.share, self.share)))


@dataclass(frozen=True)
class Lighting:
    """Every pixel's colour moved by the same amount along the axes in which ImageNet's colours vary.

    How far is drawn for each axis: normal, with `spread` times what is usual on it (0.1 in Krizhevsky et al., 2012, section 4.1). The
    result is rounded to whole levels; neither framework has such a transform.
    """

    spread: float

    def __call__(self, image: Pillow.Image, rng: np.random.Generator) -> Pillow.Image:
        if image.mode != "RGB":
            raise TrainingError("lighting shifts colours, and the images are grey; leave it out")
        shift = 255 * AXES @ (rng.normal(0, self.spread, 3) * ALONG)
        table = np.rint(np.arange(256) + shift[:, None]).clip(0, 255).astype(np.uint8)
        return image.point(table.reshape(-1).tolist())


AXES = np.array(((-0.5675, 0.7192, 0.4009), (-0.5808, -0.0045, -0.8140), (-0.5836, -0.6948, 0.4203)))
ALONG = np.array((0.2175, 0.0188, 0.0045))
"""Principal axes (columns) of the colours of ImageNet's pixels, from 0 to 1, and how much they vary on each, as published with
fb.resnet.torch (datasets/imagenet.lua)."""


def _enhanced(kind: str) -> Callable[[Pillow.Image, float], Pillow.Image]:
    def enhance(image: Pillow.Image, factor: float) -> Pillow.Image:
        from PIL import ImageEnhance

        found: Pillow.Image = getattr(ImageEnhance, kind)(image).enhance(factor)
        return found

    return enhance


ADJUST = {
    name: _enhanced(kind)
    for name, kind in (("brightness", "Brightness"), ("contrast", "Contrast"), ("saturation", "Color"))
}
"""Name in both frameworks (`adjust_brightness`) -> Pillow's."""


def turned(image: Pillow.Image, share: float) -> Pillow.Image:
    """Every hue turned by a share of the circle."""
    from PIL import Image

    if image.mode != "RGB":
        return image
    hue, saturation, value = image.convert("HSV").split()
    moved = np.asarray(hue) + np.array(int(share * 255)).astype(np.uint8)  # wraps round
    return Image.merge("HSV", (Image.fromarray(moved), saturation, value)).convert("RGB")


def _bilinear() -> Any:
    from PIL import Image

    return Image.Resampling.BILINEAR


def _left_right() -> Any:
    from PIL import Image

    return Image.Transpose.FLIP_LEFT_RIGHT


def _crop(image: Pillow.Image, top: int, left: int, size: Size) -> Pillow.Image:
    return image.crop((left, top, left + size[1], top + size[0]))


def _require(image: Pillow.Image, size: Size) -> None:
    if image.height < size[0] or image.width < size[1]:
        raise TrainingError(
            f"an image of {image.height}x{image.width} has no window of {size[0]}x{size[1]}; resize it first, such as "
            f"`resize:{max(size)}`"
        )


@dataclass(frozen=True)
class Normalize:
    """Channels first, float32, from 0 to 1, then less `mean` and divided by `std` of each channel."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, image: Pillow.Image) -> Array:
        """[C, H, W] float32."""
        pixels = np.asarray(image)
        pixels = pixels.reshape(*pixels.shape[:2], -1)
        found = np.empty((pixels.shape[2], *pixels.shape[:2]), np.float32)
        for place, row in enumerate(self._table(len(found))):
            np.take(row, pixels[:, :, place], out=found[place], mode="clip")
        return found

    def _table(self, channels: int) -> Array:
        """[channels, 256]: what becomes of each value of a pixel, computed as both frameworks do."""
        mean, std = (
            np.broadcast_to(np.array(v, np.float32), (channels,))[:, None] for v in (self.mean, self.std)
        )
        shares = np.arange(256, dtype=np.float32) / np.float32(255)
        found: Array = (shares - mean) / std
        return found


@dataclass(frozen=True)
class Pipeline:
    """Transforms one after the other, then numbers. text: how they were written."""

    steps: tuple[Transform, ...]
    normalize: Normalize
    text: str

    def __call__(self, image: Any, rng: np.random.Generator) -> Array:
        """[C, H, W] float32; [10, C, H, W] where the last step is a ten-crop."""
        for step in self.steps:
            image = step(image, rng)
        if isinstance(image, list):
            return np.stack([self.normalize(one) for one in image])
        return self.normalize(image)

    @property
    def size(self) -> Size | None:
        """Of what comes out, where the last step settles it."""
        last = self.steps[-1] if self.steps else None
        found = getattr(last, "size", None)
        return found if isinstance(found, tuple) else None

    @property
    def crops(self) -> bool:
        """Whether every image becomes several."""
        return bool(self.steps) and isinstance(self.steps[-1], TenCrop)


def _pixels(text: str) -> Size:
    sides = [int(side) for side in text.split("x")]
    if len(sides) > 2 or min(sides) < 1:
        raise ValueError(text)
    return (sides[0], sides[-1])


def _resize(text: str) -> Transform:
    return Resize(_pixels(text)) if "x" in text else Resize(_pixels(text)[0])


def _range(text: str) -> Transform:
    least, most = (int(part) for part in text.split("-"))
    if not 1 <= least <= most:
        raise ValueError(text)
    return RandomResize(least, most)


def _share(make: Callable[[float], Transform], most: float) -> Callable[[str], Transform]:
    def read(text: str) -> Transform:
        share = float(text)
        if not 0 <= share <= most:
            raise ValueError(text)
        return make(share)

    return read


STEPS: dict[str, tuple[Callable[[str], Transform], str]] = {
    "resize": (_resize, "resize:256 (the shorter side) or resize:256x256"),
    "scale": (_range, "scale:256-512"),
    "center-crop": (lambda text: CenterCrop(_pixels(text)), "center-crop:224"),
    "random-crop": (lambda text: RandomCrop(_pixels(text)), "random-crop:224"),
    "ten-crop": (lambda text: TenCrop(_pixels(text)), "ten-crop:224"),
    "flip": (_share(RandomFlip, 1.0), "flip:0.5"),
    "colour": (_share(ColourShift, 1.0), "colour:0.4"),
    "hue": (_share(HueShift, 0.5), "hue:0.1"),
    "lighting": (_share(Lighting, 1.0), "lighting:0.1"),
}
"""Name in a list -> what reads its value, and an example."""


def read_pipeline(text: str, normalize: Normalize) -> Pipeline:
    """The transforms that a text lists; TrainingError for one that is not known or has no such value."""
    steps = [_step(word) for word in text.split()]
    several = [i for i, step in enumerate(steps) if isinstance(step, TenCrop)]
    if several and several != [len(steps) - 1]:
        raise TrainingError(f"`{text}`: ten-crop makes ten images of one, so it stands once, and last")
    return Pipeline(tuple(steps), normalize, text)


def _step(word: str) -> Transform:
    name, _, value = word.partition(":")
    if name not in STEPS:
        examples = ", ".join(example for _, example in STEPS.values())
        raise TrainingError(
            f"there is no transform {name!r}{did_you_mean(name, STEPS)}; there are {examples}"
        )
    read, example = STEPS[name]
    try:
        return read(value)
    except ValueError:
        raise TrainingError(f"`{word}`: write {example}") from None


IMAGENET = Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Of the colours of ImageNet's images, from 0 to 1."""


def normalize_for(channels: int, mean: Sequence[float] | None, std: Sequence[float] | None) -> Normalize:
    """As asked for, one number for all channels or one each; else ImageNet's for colours and (x - 0.5) / 0.5 for grey."""
    usual = IMAGENET if channels == 3 else Normalize((0.5,), (0.5,))
    chosen = []
    for option, given, default in (("--mean", mean, usual.mean), ("--std", std, usual.std)):
        values = tuple(default if given is None else given)
        if len(values) not in (1, channels):
            raise TrainingError(
                f"{option} has {len(values)} numbers, and the images have {channels} channels"
            )
        chosen.append(values)
    if not all(value > 0 for value in chosen[1]):
        raise TrainingError("--std must be greater than 0")
    return Normalize(*chosen)
