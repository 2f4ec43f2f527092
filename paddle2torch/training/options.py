"""Options that training, evaluation, prediction and agreement have in common; `setting` says what they come to.

They are apart from that so that `--help` imports no numpy.
"""

from __future__ import annotations

import argparse
from typing import Any

FRAMEWORKS = ("paddle", "torch")


def add_network_options(
    parser: argparse.ArgumentParser, *, both: bool = False, option: bool = False, framework: bool = True
) -> Any:
    """Which network; both: whether it may run in both frameworks; option: whether MODEL is --model, as files
    come first; framework: whether it is to be said which one runs."""
    name: dict[str, Any] = {"metavar": "MODEL", "help": "a registered model (see `paddle2torch models`)"}
    if option:
        parser.add_argument("--model", **name)
    else:
        parser.add_argument("model", nargs="?", **name)
    group = parser.add_argument_group("network")
    choices = (*FRAMEWORKS, "both") if both else FRAMEWORKS
    if framework:
        group.add_argument(
            "--framework", choices=choices, help="which one runs; needed unless one is named below"
        )
    group.add_argument("--paddle", metavar="MODULE:FACTORY", help="your Paddle network, e.g. net.py:Net")
    group.add_argument("--torch", metavar="MODULE:FACTORY", help="your torch network")
    group.add_argument("--args", metavar="JSON", default="{}", help="keyword arguments for the factory")
    group.add_argument(
        "--num-classes",
        type=int,
        metavar="N",
        help="logits of a registered model; default: what the images need",
    )
    group.add_argument(
        "--in-channels", type=int, metavar="N", help="3: colours, 1: grey; default: the model's, or 3"
    )
    group.add_argument("--dtype", choices=("float32", "float64"), help="default: float32")
    group.add_argument("--device", metavar="cpu|cuda[:N]", help="default: cpu")
    if both or not framework:
        for side in FRAMEWORKS:
            group.add_argument(f"--{side}-device", metavar="DEVICE", help=f"of {side} alone")
    return group


def add_image_options(parser: argparse.ArgumentParser) -> Any:
    """Which images, and what is done to them."""
    group = parser.add_argument_group("images")
    group.add_argument(
        "--data",
        metavar="DATA",
        help="a folder with a folder for each class, or with file names that tell it (H/N/P, cat/dog); an .npz with "
        "`images` and `labels`; or `digits`, which scikit-learn brings (the default)",
    )
    group.add_argument(
        "--prefixes",
        metavar="TEXT=CLASS,...",
        help="classes by how file names begin, such as H=normal,P=pathologic",
    )
    add_transform_options(group, arrays="; arrays are resized")
    group.add_argument(
        "--skip-bad",
        action="store_true",
        help="leave out images that cannot be read or are not RGB, and count them",
    )
    group.add_argument("--batch", type=int, metavar="N", help="images of a batch (default 32)")
    group.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="processes that read images; default: one a core, none for arrays",
    )
    return group


def add_transform_options(group: Any, *, arrays: str = "") -> None:
    """What is done to an image; arrays: what is told of those."""
    group.add_argument(
        "--image-size", metavar="N|HxW", help="of what the network takes; default: the model's"
    )
    group.add_argument(
        "--transforms",
        metavar="LIST",
        help=f'default: "resize:256 center-crop:224" as the size asks{arrays}',
    )
    group.add_argument(
        "--mean", metavar="M[,M,M]", help="subtracted from 0..1; default: ImageNet's, 0.5 for grey"
    )
    group.add_argument("--std", metavar="S[,S,S]", help="divided by; default: ImageNet's, 0.5 for grey")


def add_checkpoint_options(parser: argparse.ArgumentParser) -> None:
    """Which weights."""
    group = parser.add_argument_group("weights")
    group.add_argument("--weights", metavar="FILE", help="a checkpoint of either framework")
    group.add_argument(
        "--run",
        metavar="FOLDER",
        help="of `train`: its network, last checkpoint, classes, transforms and test images",
    )
