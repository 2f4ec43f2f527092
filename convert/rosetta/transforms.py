"""Image transforms."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source

ROWS: tuple[Row, ...] = (
    Row(
        Kind.TRANSFORM,
        "vision.transforms.Resize",
        "torchvision.transforms.Resize",
        Exactness.BIT,
        arguments=(
            Argument("size", "size"),
            Argument("interpolation", "interpolation", paddle_default="bilinear", torch_default="BILINEAR"),
        ),
        examples=(
            Example({"image": "image 13,9"}, "T.Resize(6)(image)", "T.Resize(6)(image)"),
            Example({"image": "image 13,9"}, "T.Resize((5, 4))(image)", "T.Resize((5, 4))(image)"),
        ),
        source=Source(
            "vision/transforms/functional_pil.py: resize", "torchvision/transforms/_functional_pil.py: resize"
        ),
        reason="both call Pillow on PIL images",
    ),
    Row(
        Kind.TRANSFORM,
        "vision.transforms.ToTensor",
        "torchvision.transforms.ToTensor",
        Exactness.BIT,
        examples=(Example({"image": "image 5,4"}, "T.ToTensor()(image)", "T.ToTensor()(image)"),),
        source=Source(
            "vision/transforms/functional_pil.py: to_tensor",
            "torchvision/transforms/functional.py: to_tensor",
        ),
        reason="channels first, divided by 255",
    ),
)
