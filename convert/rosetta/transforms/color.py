"""Brightness, contrast, saturation, hue and gray."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Row, Trap
from convert.rosetta.transforms.common import KEYS, THOUSAND, cases, drawn, transform

ROWS: tuple[Row, ...] = (
    *(
        transform(
            f"{word.capitalize()}Transform",
            "ColorJitter",
            drawn(f"{word.capitalize()}Transform({value})", f"ColorJitter({word}={value})"),
            exactness=Exactness.DISTRIBUTION,
            arguments=(Argument("value", word), KEYS),
            traps=(
                Trap(
                    "a range, not a factor: the factor is drawn anew for every image",
                    naive=f"t = lambda i: T.functional.adjust_{word}(i, {value})\n{THOUSAND.format('t')}",
                ),
            ),
            reason=reason,
        )
        for word, value, reason in (
            ("brightness", 0.4, "blends with black by a factor of 1 - value .. 1 + value"),
            ("contrast", 0.4, "blends with the mean gray by a factor of 1 - value .. 1 + value"),
            ("saturation", 0.4, "blends with gray by a factor of 1 - value .. 1 + value"),
            ("hue", 0.2, "turns the hue by -value .. value of a circle"),
        )
    ),
    transform(
        "ColorJitter",
        "ColorJitter",
        drawn("ColorJitter(0.4, 0.4, 0.4, 0.1)", "ColorJitter(0.4, 0.4, 0.4, 0.1)"),
        exactness=Exactness.DISTRIBUTION,
        arguments=(
            Argument("brightness", "brightness", paddle_default=0, torch_default=0),
            Argument("contrast", "contrast", paddle_default=0, torch_default=0),
            Argument("saturation", "saturation", paddle_default=0, torch_default=0),
            Argument("hue", "hue", paddle_default=0, torch_default=0, note="at most 0.5 in both"),
            KEYS,
        ),
        reason="the four in a random order",
    ),
    *(
        transform(
            f"adjust_{word}",
            f"functional.adjust_{word}",
            *cases(
                *((f"adjust_{word}(image, {v})", f"functional.adjust_{word}(image, {v})") for v in values)
            ),
            arguments=(Argument("img", "img"), Argument(f"{word}_factor", f"{word}_factor")),
            reason="both call Pillow",
        )
        for word, values in (("brightness", (0.5, 1.7)), ("contrast", (0.5, 1.7)), ("hue", (0.25, -0.1)))
    ),
    transform(
        "Grayscale",
        "Grayscale",
        *cases("Grayscale()(image)", "Grayscale(3)(image)"),
        arguments=(
            Argument("num_output_channels", "num_output_channels", paddle_default=1, torch_default=1),
            KEYS,
        ),
        reason="Pillow's L",
    ),
    transform(
        "to_grayscale",
        "functional.to_grayscale",
        *cases(("to_grayscale(image, 3)", "functional.to_grayscale(image, 3)")),
        arguments=(
            Argument("img", "img"),
            Argument("num_output_channels", "num_output_channels", paddle_default=1, torch_default=1),
        ),
        reason="Pillow's L",
    ),
)
