"""Rotation, affine and projective maps."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Example, Row, Trap
from convert.rosetta.transforms.common import (
    FILL,
    IMAGE,
    INTERPOLATION,
    KEYS,
    MODE,
    THOUSAND,
    cases,
    drawn,
    transform,
)

CORNERS = "[[0, 0], [8, 0], [8, 12], [0, 12]]"

MOVED = "[[1, 2], [7, 1], [6, 11], [0, 9]]"

SOLVED = (
    f"rows, right = [], {CORNERS}\n"
    f"for (x, y), (u, v) in zip({MOVED}, right):\n"
    "    rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]\n"
    "found = np.linalg.lstsq(np.array(rows, float), np.array(right).reshape(8))[0]\n"
    "image.transform(image.size, Image.PERSPECTIVE, list(found)"
)

"""Paddle's coefficients, by its own least squares; the interpolation follows."""

ROWS: tuple[Row, ...] = (
    transform(
        "RandomRotation",
        "RandomRotation",
        *cases(
            "RandomRotation((30, 30))(image)",
            "RandomRotation((30, 30), expand=True)(image)",
            (
                "RandomRotation((30, 30), 'bilinear')(image)",
                f"RandomRotation((30, 30), {MODE}BILINEAR)(image)",
            ),
        ),
        arguments=(
            Argument("degrees", "degrees"),
            INTERPOLATION,
            Argument("expand", "expand", paddle_default=False, torch_default=False),
            Argument("center", "center"),
            FILL,
            KEYS,
        ),
        reason="Pillow's rotate, counter-clockwise; the angle is uniform in both",
    ),
    transform(
        "rotate",
        "functional.rotate",
        *cases(
            ("rotate(image, 30)", "functional.rotate(image, 30)"),
            ("rotate(image, -45, expand=True, fill=9)", "functional.rotate(image, -45, expand=True, fill=9)"),
        ),
        arguments=(
            Argument("img", "img"),
            Argument("angle", "angle"),
            INTERPOLATION,
            Argument("expand", "expand"),
            Argument("center", "center"),
            FILL,
        ),
        reason="Pillow's rotate",
    ),
    transform(
        "RandomAffine",
        "RandomAffine",
        *cases(
            "RandomAffine((30, 30))(image)",
            "RandomAffine((30, 30), scale=(1.5, 1.5))(image)",
            "RandomAffine((0, 0), shear=(10, 10))(image)",
        ),
        arguments=(
            Argument("degrees", "degrees"),
            Argument("translate", "translate"),
            Argument("scale", "scale"),
            Argument("shear", "shear"),
            INTERPOLATION,
            FILL,
            Argument("center", "center"),
            KEYS,
        ),
        reason="one affine map; the draws are uniform in both",
    ),
    transform(
        "affine",
        "functional.affine",
        *cases(
            ("affine(image, 30, (1, 2), 1.2, (5, 3))", "functional.affine(image, 30, (1, 2), 1.2, (5, 3))"),
        ),
        arguments=(
            Argument("img", "img"),
            Argument("angle", "angle"),
            Argument("translate", "translate"),
            Argument("scale", "scale"),
            Argument("shear", "shear"),
            INTERPOLATION,
            FILL,
            Argument("center", "center"),
        ),
        reason="one affine map about the centre",
    ),
    transform(
        "RandomPerspective",
        "RandomPerspective",
        drawn(
            "RandomPerspective(1.0, 0.5, 'nearest')",
            f"RandomPerspective(0.5, 1.0, {MODE}NEAREST)",
            {"image": "image 16,14"},
        ),
        exactness=Exactness.DISTRIBUTION,
        arguments=(
            Argument(
                "prob",
                "p",
                paddle_default=0.5,
                torch_default=0.5,
                note="first in Paddle, second in torchvision",
            ),
            Argument("distortion_scale", "distortion_scale", paddle_default=0.5, torch_default=0.5),
            INTERPOLATION,
            FILL,
            KEYS,
        ),
        traps=(
            Trap(
                "the order of the first two arguments is turned round",
                naive=f"t = T.RandomPerspective(0.0, 0.5, {MODE}NEAREST)\n{THOUSAND.format('t')}",
            ),
        ),
        reason="the corners move uniformly by up to half of distortion_scale",
    ),
    transform(
        "perspective",
        "",
        Example(IMAGE, f"T.perspective(image, {CORNERS}, {MOVED})", f"{SOLVED}, Image.NEAREST)"),
        Example(
            IMAGE,
            f"T.perspective(image, {CORNERS}, {MOVED}, 'bilinear')",
            f"{SOLVED}, Image.BILINEAR)",
        ),
        exactness=Exactness.NONE,
        remedy="Pillow's transform with coefficients solved in float64; torchvision.transforms.functional.perspective is "
        "the same map, but rounds its coefficients to float32",
        arguments=(
            Argument("img", None),
            Argument("startpoints", None),
            Argument("endpoints", None),
            Argument(
                "interpolation", None, paddle_default="nearest", note="torchvision's default is bilinear"
            ),
            Argument("fill", None, paddle_default=0),
        ),
        traps=(
            Trap(
                "torchvision's default interpolation is bilinear",
                naive=f"T.functional.perspective(image, {CORNERS}, {MOVED})",
            ),
            Trap(
                "torchvision's coefficients are 1e-8 away (float32): a pixel on an edge takes its neighbour's colour",
                naive=f"T.functional.perspective(image, {CORNERS}, {MOVED}, {MODE}NEAREST)",
            ),
        ),
        reason="the projective map of four points",
    ),
)
