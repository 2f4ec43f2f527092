"""Sizes, crops, flips and borders."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Example, Row, Trap
from convert.rosetta.transforms.common import (
    FILL,
    IMAGE,
    INTERPOLATION,
    KEYS,
    MODE,
    PADDING_MODE,
    PROB,
    cases,
    drawn,
    transform,
)

RESIZE = transform(
    "Resize",
    "Resize",
    *cases(
        "Resize(6)(image)",
        "Resize(20)(image)",
        "Resize((5, 4))(image)",
        ("Resize(6, 'nearest')(image)", f"Resize(6, {MODE}NEAREST)(image)"),
        ("Resize(6, 'bicubic')(image)", f"Resize(6, {MODE}BICUBIC)(image)"),
        ("Resize(6, 'lanczos')(image)", f"Resize(6, {MODE}LANCZOS)(image)"),
    ),
    arguments=(
        Argument(
            "size",
            "size",
            note="a number is the shorter side, the longer one int(size * long / short) in both",
        ),
        INTERPOLATION,
        Argument(None, "antialias", torch_default=True, note="tensors only"),
        KEYS,
    ),
    traps=(
        Trap(
            "a number keeps the proportions; Paddle's scripts often mean a square",
            naive="T.Resize((6, 6))(image)",
        ),
        Trap(
            "on tensors Paddle filters nothing when it shrinks: antialias=False",
            naive="T.Resize((3, 4))(x)",
            example=Example(
                {"x": "float 3,9,12 constant"}, "T.Resize((3, 4))(x)", "T.Resize((3, 4), antialias=False)(x)"
            ),
        ),
    ),
    reason="both call Pillow",
)


ROWS: tuple[Row, ...] = (
    RESIZE,
    transform(
        "resize",
        "functional.resize",
        *cases(
            ("resize(image, 6)", "functional.resize(image, 6)"),
            ("resize(image, (5, 4))", "functional.resize(image, (5, 4))"),
        ),
        arguments=(Argument("img", "img"), Argument("size", "size"), INTERPOLATION),
        reason="both call Pillow",
    ),
    transform(
        "CenterCrop",
        "CenterCrop",
        *cases("CenterCrop(6)(image)", "CenterCrop((8, 4))(image)"),
        arguments=(Argument("size", "size"), KEYS),
        traps=(
            Trap(
                "the offset is rounded half to even: (13 - 6) / 2 = 3.5 is 4, (9 - 6) / 2 = 1.5 is 2; // 2 gives 3 and 1",
                naive="y, x = (13 - 6) // 2, (9 - 6) // 2\nimage.crop((x, y, x + 6, y + 6))",
            ),
        ),
        reason="int(round(difference / 2))",
    ),
    transform(
        "center_crop",
        "functional.center_crop",
        *cases(("center_crop(image, 6)", "functional.center_crop(image, 6)")),
        arguments=(Argument("img", "img"), Argument("output_size", "output_size")),
        reason="int(round(difference / 2))",
    ),
    transform(
        "crop",
        "functional.crop",
        *cases(("crop(image, 2, 3, 5, 4)", "functional.crop(image, 2, 3, 5, 4)")),
        arguments=(
            Argument("img", "img"),
            Argument("top", "top"),
            Argument("left", "left"),
            Argument("height", "height"),
            Argument("width", "width"),
        ),
        traps=(Trap("Pillow's own crop takes left, upper, right, lower", naive="image.crop((2, 3, 5, 4))"),),
        reason="Pillow's crop",
    ),
    transform(
        "RandomCrop",
        "RandomCrop",
        drawn("RandomCrop(3)", "RandomCrop(3)"),
        drawn("RandomCrop(5, padding=2)", "RandomCrop(5, padding=2)"),
        exactness=Exactness.DISTRIBUTION,
        arguments=(
            Argument("size", "size"),
            Argument("padding", "padding"),
            Argument("pad_if_needed", "pad_if_needed", paddle_default=False, torch_default=False),
            FILL,
            PADDING_MODE,
            KEYS,
        ),
        reason="every position alike",
    ),
    transform(
        "RandomResizedCrop",
        "RandomResizedCrop",
        drawn("RandomResizedCrop(4)", "RandomResizedCrop(4)", {"image": "image 24,20"}),
        drawn(
            "RandomResizedCrop(4, scale=(0.3, 0.5), ratio=(1.0, 1.0))",
            "RandomResizedCrop(4, scale=(0.3, 0.5), ratio=(1.0, 1.0))",
            {"image": "image 24,20"},
        ),
        exactness=Exactness.DISTRIBUTION,
        arguments=(
            Argument("size", "size"),
            Argument("scale", "scale", paddle_default=(0.08, 1.0), torch_default=(0.08, 1.0)),
            Argument("ratio", "ratio", paddle_default=(0.75, 4 / 3), torch_default=(0.75, 4 / 3)),
            INTERPOLATION,
            KEYS,
        ),
        reason="ten tries of area and aspect ratio, then the centre",
    ),
    transform(
        "RandomHorizontalFlip",
        "RandomHorizontalFlip",
        *cases("RandomHorizontalFlip(1.0)(image)", "RandomHorizontalFlip(0.0)(image)"),
        arguments=(PROB, KEYS),
        traps=(
            Trap(
                "the probability is called prob, torchvision's p",
                naive="T.RandomHorizontalFlip(prob=1.0)(image)",
            ),
        ),
        reason="mirrors with probability p; the draws differ",
    ),
    transform(
        "RandomVerticalFlip",
        "RandomVerticalFlip",
        *cases("RandomVerticalFlip(1.0)(image)", "RandomVerticalFlip(0.0)(image)"),
        arguments=(PROB, KEYS),
        reason="turns upside down with probability p; the draws differ",
    ),
    *(
        transform(
            name,
            f"functional.{name}",
            *cases((f"{name}(image)", f"functional.{name}(image)")),
            arguments=(Argument("img", "img"),),
            reason="Pillow's transpose",
        )
        for name in ("hflip", "vflip")
    ),
    transform(
        "Pad",
        "Pad",
        *cases(
            "Pad(2)(image)",
            "Pad((1, 2))(image)",
            "Pad((1, 2, 3, 4), fill=(10, 20, 30))(image)",
            "Pad(2, padding_mode='edge')(image)",
            "Pad(2, padding_mode='reflect')(image)",
            "Pad(2, padding_mode='symmetric')(image)",
        ),
        arguments=(
            Argument(
                "padding",
                "padding",
                note="all, (left and right, top and bottom) or (left, top, right, bottom) in both",
            ),
            FILL,
            PADDING_MODE,
            KEYS,
        ),
        traps=(
            Trap(
                "F.pad's order is left, right, top, bottom",
                naive="F.pad(T.functional.pil_to_tensor(image), (1, 2, 3, 4)).permute(1, 2, 0)",
                example=Example(
                    IMAGE,
                    "np.asarray(T.Pad((1, 2, 3, 4))(image))",
                    "np.asarray(T.Pad((1, 2, 3, 4))(image))",
                ),
            ),
        ),
        reason="both call Pillow or numpy.pad",
    ),
    transform(
        "pad",
        "functional.pad",
        *cases(("pad(image, (1, 2, 3, 4))", "functional.pad(image, (1, 2, 3, 4))")),
        arguments=(Argument("img", "img"), Argument("padding", "padding"), FILL, PADDING_MODE),
        reason="both call Pillow or numpy.pad",
    ),
)
