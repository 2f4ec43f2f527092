"""Photographs and folders of images."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle  # noqa: F401 - it warns about ccache when imported, and warnings are errors here

PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "camera.png")


@pytest.fixture(params=PHOTOGRAPHS)
def photograph(request):
    """One of scikit-image's, the last of which is grey."""
    with Image.open(Path(skimage.data.data_dir) / request.param) as image:
        return image.convert("L" if request.param == "camera.png" else "RGB")


@pytest.fixture
def picture():
    """Writes an image of random pixels: picture(path, mode="RGB", size=(24, 20))."""

    def write(path: Path, mode: str = "RGB", size: tuple[int, int] = (24, 20), seed: int = 0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).convert(mode).save(path)
        return path

    return write
