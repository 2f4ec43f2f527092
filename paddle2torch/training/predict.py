"""What a picture shows: the most probable classes with their names, and the picture with them written under it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convert.checkpoint.source import read_text
from convert.names import counted
from paddle2torch.options import NAMES_MOST
from paddle2torch.training.answers import Ask, answer
from paddle2torch.training.errors import BadImageError, TrainingError
from paddle2torch.training.metrics import probabilities
from paddle2torch.training.sources import opened
from paddle2torch.training.transforms import Pipeline

if TYPE_CHECKING:
    from PIL import Image as Pillow

Array = np.ndarray[Any, np.dtype[Any]]
FONT = "NotoSansCJKsc-Regular.otf"
"""Of the package mplfonts (SIL Open Font License): Latin and Chinese."""
WIDE = 480
"""Pixels that an annotated picture is at least wide."""


@dataclass(frozen=True)
class Prediction:
    """What one network says of one picture.

    logits: [classes]. best: places of the most probable classes, best first, with `shares`, their probabilities. seconds: of
    the network alone.
    """

    logits: Array
    best: tuple[int, ...]
    shares: tuple[float, ...]
    seconds: float


def predict(ask: Ask, path: Path, pipeline: Pipeline, *, pixels: str, top: int) -> Prediction:
    """Ask a network about an image file."""
    try:
        image = pipeline(opened(path, pixels), np.random.default_rng(0))
    except BadImageError as error:
        raise TrainingError(f"{path}: {error.why}") from None
    started = time.perf_counter()
    logits = answer(ask, image[None])
    seconds = time.perf_counter() - started
    shares = probabilities(logits)[0]
    best = np.argsort(-shares, kind="stable")[:top]
    return Prediction(logits[0], tuple(map(int, best)), tuple(float(shares[i]) for i in best), seconds)


def read_names(path: str) -> list[str]:
    """Names of classes: a text file with one a line, or JSON: a list, or a table from "0" to a name or [id, name]."""
    text = read_text(path, NAMES_MOST)
    if not path.endswith(".json"):
        return [line.strip() for line in text.splitlines() if line.strip()]
    try:
        held = json.loads(text)
        rows = [held[str(i)] for i in range(len(held))] if isinstance(held, dict) else list(held)
    except (ValueError, KeyError, TypeError):
        raise TrainingError(
            f'{path}: write a list of names, or {{"0": "cat", "1": "dog"}}, with every number from 0 on'
        ) from None
    return [str(row[-1] if isinstance(row, list) and row else row) for row in rows]


def check_names(names: Sequence[str], count: int, path: str) -> None:
    """TrainingError where there is not a name for every class."""
    if len(names) != count:
        raise TrainingError(
            f"{path}: has {counted(len(names), 'name')}, and the network tells {count} classes apart"
        )


def annotated(path: Path, lines: Sequence[str]) -> Pillow.Image:
    """A picture with lines of text under it."""
    from PIL import Image, ImageDraw

    with Image.open(path) as held:
        picture = held.convert("RGB")
    if picture.width < WIDE:
        picture = picture.resize(
            (WIDE, round(picture.height * WIDE / picture.width)), Image.Resampling.BILINEAR
        )
    size = max(14, picture.width // 28)
    font = _font("".join(lines), size)
    step = round(size * 1.5)
    whole = Image.new("RGB", (picture.width, picture.height + step * len(lines) + size // 2), "white")
    whole.paste(picture)
    pen = ImageDraw.Draw(whole)
    for place, line in enumerate(lines):
        pen.text((size // 2, picture.height + size // 4 + place * step), line, fill="black", font=font)
    return whole


def _font(text: str, size: int) -> Any:
    """One that has every letter of a text."""
    from PIL import ImageFont

    spec = find_spec("mplfonts")
    if spec is not None and spec.submodule_search_locations:
        return ImageFont.truetype(str(Path(spec.submodule_search_locations[0]) / "fonts" / FONT), size)
    if text.isascii():
        return ImageFont.load_default(size)
    raise TrainingError(
        "writing Chinese into a picture needs a font: run `pip install mplfonts`, which brings one"
    )


def differences(found: Mapping[str, Prediction]) -> tuple[float, float]:
    """Between the two frameworks: greatest difference of a logit, and of a probability of any class."""
    paddle, torch = found["paddle"], found["torch"]
    logits = float(np.abs(np.asarray(torch.logits, np.float64) - paddle.logits).max())
    shares = [probabilities(each.logits[None])[0] for each in (paddle, torch)]
    return logits, float(np.abs(shares[0] - shares[1]).max())
