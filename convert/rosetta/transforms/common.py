"""Arguments and texts that many transforms share."""

from __future__ import annotations

from typing import Any

from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source

IMAGE = {"image": "image 13,9"}


SMALL = {"image": "image 8,7"}


INTERPOLATION = Argument(
    "interpolation",
    "interpolation",
    values={
        "nearest": "NEAREST",
        "bilinear": "BILINEAR",
        "bicubic": "BICUBIC",
        "box": "BOX",
        "lanczos": "LANCZOS",
        "hamming": "HAMMING",
    },
    convert="member of torchvision.transforms.InterpolationMode",
    note="a word in Paddle, torchvision's is InterpolationMode",
)


KEYS = Argument("keys", None, note="which entries of a tuple are images; torchvision transforms one image")


FILL = Argument("fill", "fill", paddle_default=0, torch_default=0)


PADDING_MODE = Argument("padding_mode", "padding_mode", paddle_default="constant", torch_default="constant")


PROB = Argument("prob", "p", paddle_default=0.5, torch_default=0.5)


THOUSAND = "np.array([float(np.asarray({}(image)).mean()) for _ in range(1000)])"


MODE = "T.InterpolationMode."


def cases(*calls: tuple[str, str] | str, inputs: dict[str, str] = IMAGE) -> tuple[Example, ...]:
    pairs = [(call, call) if isinstance(call, str) else call for call in calls]
    return tuple(Example(inputs, f"T.{p}", f"T.{t}") for p, t in pairs)


def drawn(paddle: str, torch: str, inputs: dict[str, str] = SMALL) -> Example:
    """The means of a thousand random results."""
    return Example(
        inputs,
        f"t = T.{paddle}\n{THOUSAND.format('t')}",
        f"t = T.{torch}\n{THOUSAND.format('t')}",
        compare="distribution",
    )


def transform(
    name: str, twin: str, *examples: Example, exactness: Exactness = Exactness.BIT, **more: Any
) -> Row:
    file = "functional" if name[0].islower() else "transforms"
    return Row(
        Kind.TRANSFORM,
        f"vision.transforms.{name}",
        f"torchvision.transforms.{twin}" if twin else "",
        exactness,
        examples=examples,
        source=Source(
            f"vision/transforms/{file}.py: {name}",
            f"torchvision/transforms/{file}.py: {twin.rpartition('.')[2] or file}",
        ),
        **more,
    )
