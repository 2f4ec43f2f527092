"""What the options of training, evaluation, prediction and agreement come to."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from convert.adapters.reference import check_installed
from convert.checkpoint.source import SourceFile
from convert.errors import ConvertError
from paddle2torch.training.checkpoints import read
from paddle2torch.training.options import FRAMEWORKS
from paddle2torch.training.recipe import Images, Network, Recipe
from paddle2torch.training.runner import open_images, pipeline_of
from paddle2torch.training.sources import Source, open_source
from paddle2torch.training.transforms import normalize_for

DEVICE = r"cpu(:0)?|cuda(:\d+)?"
SHORTER = 256 / 224
"""Of the side of an image before a window of it is taken, to the window's."""

OF_NETWORKS = (
    "model",
    "paddle",
    "torch",
    "num_classes",
    "in_channels",
    "image_size",
    "prefixes",
    "mean",
    "std",
    "weights",
    "dtype",
)
"""Options that --run answers already."""


@dataclass(frozen=True)
class Setting:
    """What evaluation, prediction and agreement start from.

    images: where from, and how they are made ready. size: height and width of the network's window. weights: a file or a
    folder of `train`. recipe: of the run that was named.
    """

    args: argparse.Namespace
    images: Images
    size: tuple[int, int]
    weights: str
    recipe: Recipe | None = None

    def network(self, framework: str, classes: int | None) -> Network:
        """The network in a framework; classes: what the images need of a registered model."""
        if self.recipe is None:
            return network_of(self.args, framework, classes=classes)
        require_known(
            self.recipe.network, framework, self.args.run, elsewhere=_elsewhere(self.args, framework)
        )
        return replace(self.recipe.network, framework=framework, device=device_of(self.args, framework))

    def open(self) -> Source:
        """The images: those that are named, or those that the run was tested with."""
        if self.recipe is None:
            return self._named(None)
        if self.args.data is None:
            return open_images(replace(self.images, skip_bad=self.args.skip_bad or self.images.skip_bad)).test
        return self._named(self.recipe.classes)

    def _named(self, classes: Sequence[str] | None) -> Source:
        return open_source(
            self.args.data or self.images.data,
            channels=self.images.channels,
            prefixes=self.images.prefixes,
            classes=classes,
            skip_bad=self.args.skip_bad,
        )


def setting_of(args: argparse.Namespace) -> Setting:
    """What the options say; ConvertError for those that do not go together."""
    if args.run is None:
        if args.weights is None:
            raise ConvertError("name the weights: --weights FILE, or --run FOLDER of `paddle2torch train`")
        require_there(args.weights)
        return Setting(args, images_of(args), size_of(args), args.weights)
    given = [name for name in OF_NETWORKS if getattr(args, name, None) is not None]
    given += ["args"] if args.args != "{}" else []
    if given:
        raise ConvertError(f"--run says what the network and its images are: leave {written(given)} out")
    checkpoint = read(Path(args.run))
    recipe = checkpoint.standing.recipe
    images = recipe.images if args.transforms is None else replace(recipe.images, transforms=args.transforms)
    crop = pipeline_of(images, images.transforms).size
    return Setting(args, images, crop or (224, 224), str(checkpoint.folder), recipe)


def require_there(weights: str) -> None:
    """ConvertError where neither a file nor the folder of a run is there; asked before a framework is imported."""
    if not os.path.isdir(weights):
        SourceFile(weights).close()


def written(names: Sequence[str]) -> str:
    """Options as they are written on the command line."""
    return ", ".join("MODEL" if name == "model" else f"--{name.replace('_', '-')}" for name in names)


def _elsewhere(args: argparse.Namespace, framework: str) -> bool:
    """Whether a framework runs in another interpreter."""
    return getattr(args, f"{framework}_python", None) is not None


def require_known(network: Network, framework: str, run: str, *, elsewhere: bool = False) -> None:
    """ConvertError where the network of a run cannot be built in a framework."""
    if not elsewhere:
        check_installed(framework)
    if framework not in network.references:
        raise ConvertError(f"{run}: the run's own network is known in {network.framework} alone")


def frameworks_for(args: argparse.Namespace) -> tuple[str, ...]:
    """Where the network is to run; a run's own framework unless another is asked for."""
    if args.run is None:
        return frameworks_of(args)
    if args.framework == "both":
        return FRAMEWORKS
    return (args.framework or read(Path(args.run)).standing.recipe.network.framework,)


def network_of(
    args: argparse.Namespace, framework: str, *, classes: int | None, dropout: float | None = None
) -> Network:
    """What the options name, in one framework; classes: what the images need of a registered model."""
    from convert.adapters.reference import check_reference
    from convert.models.registry import find_model
    from paddle2torch.options import json_object

    given = json_object(args.args, "--args")
    if args.model is None:
        references = {side: getattr(args, side) for side in FRAMEWORKS if getattr(args, side) is not None}
        if args.num_classes is not None:
            raise ConvertError(
                "--num-classes is for registered models; yours takes it with --args '{\"num_classes\": ...}'"
            )
        for reference in references.values():
            check_reference(reference, given, "--args")
        arguments, registered = given, ""
    else:
        spec = find_model(args.model)
        references = {"paddle": spec.paddle_factory, "torch": spec.torch_factory}
        if args.num_classes is not None and args.num_classes < 1:
            raise ConvertError(f"--num-classes must be at least 1, not {args.num_classes}")
        sizes = {"num_classes": args.num_classes or classes, "in_channels": channels_of(args)}
        arguments = {name: size for name, size in sizes.items() if size is not None} | given
        registered = spec.name
        spec.check_input(
            (channels_of(args), *size_of(args)) if len(spec.input_shape) == 3 else spec.input_shape
        )
    if not _elsewhere(args, framework):
        check_installed(framework)
    return Network(
        framework,
        references,
        arguments,
        registered,
        dtype=args.dtype or "float32",
        device=device_of(args, framework),
        dropout=dropout,
        paddles_variance=not getattr(args, "torchs_variance", False),
    )


def device_of(args: argparse.Namespace, framework: str) -> str:
    """Where a framework's network runs."""
    for option in (f"{framework}_device", "device"):
        device = getattr(args, option, None)
        if device is not None:
            if not re.fullmatch(DEVICE, device):
                raise ConvertError(f"--{option.replace('_', '-')} {device}: write cpu, cuda or cuda:N")
            return str(device)
    return "cpu"


def frameworks_of(args: argparse.Namespace) -> tuple[str, ...]:
    """Where the network is to run."""
    own = tuple(side for side in FRAMEWORKS if getattr(args, side) is not None)
    if args.model is not None and own:
        raise ConvertError("name a registered model, or yours with --paddle or --torch; not both")
    if args.model is None and not own:
        raise ConvertError("name a registered model, or your own: --paddle net.py:Net or --torch port.py:Net")
    asked = args.framework or (own[0] if len(own) == 1 else None)
    if asked is None:
        raise ConvertError("say in which framework: --framework paddle or --framework torch")
    wanted = FRAMEWORKS if asked == "both" else (str(asked),)
    for side in wanted:
        if own and side not in own:
            raise ConvertError(f"--framework {asked} needs your {side} network: --{side} MODULE:FACTORY")
    return wanted


def channels_of(args: argparse.Namespace) -> int:
    """Of the images."""
    if args.in_channels is not None:
        return int(args.in_channels)
    if args.model is not None:
        from convert.models.registry import find_model

        return find_model(args.model).input_shape[0]
    return 3


def size_of(args: argparse.Namespace) -> tuple[int, int]:
    """Height and width of what the network takes."""
    if args.image_size is not None:
        try:
            sides = [int(side) for side in args.image_size.split("x")]
        except ValueError:
            sides = []
        if len(sides) not in (1, 2) or min(sides) < 1:
            raise ConvertError(f"--image-size {args.image_size}: write 224, or 224x160 (height x width)")
        return sides[0], sides[-1]
    if args.model is not None:
        from convert.models.registry import find_model

        shape = find_model(args.model).input_shape
        if len(shape) == 3:
            return shape[1], shape[2]
    return 224, 224


def images_of(args: argparse.Namespace) -> Images:
    """What the options say of images."""
    data = getattr(args, "data", "") or ("digits" if hasattr(args, "data") else "")
    channels = channels_of(args)
    height, width = size_of(args)
    window = f"{height}x{width}"
    arrays = data == "digits" or data.endswith(".npz")
    larger = (
        f"{round(height * SHORTER)}x{round(width * SHORTER)}"
        if height != width
        else str(round(height * SHORTER))
    )
    usual = f"resize:{window}" if arrays else f"resize:{larger} center-crop:{window}"
    trained = f"resize:{window}" if arrays else f"resize:{larger} random-crop:{window} flip:0.5"
    normalize = normalize_for(channels, numbers(args.mean, "--mean"), numbers(args.std, "--std"))
    return Images(
        data,
        channels,
        validation=getattr(args, "validation", None),
        split=0.8 if (share := getattr(args, "split", None)) is None else share,
        split_seed=getattr(args, "split_seed", None) or 0,
        prefixes=prefixes_of(getattr(args, "prefixes", None)),
        skip_bad=getattr(args, "skip_bad", False),
        train_transforms=getattr(args, "train_transforms", None) or trained,
        transforms=args.transforms or usual,
        mean=normalize.mean,
        std=normalize.std,
    )


def numbers(text: str | None, option: str) -> tuple[float, ...] | None:
    """Numbers with commas between them."""
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ConvertError(
            f"{option} {text}: write one number, or one for each channel, such as 0.485,0.456,0.406"
        ) from None


def prefixes_of(text: str | None) -> Mapping[str, str] | None:
    """`H=normal,P=pathologic` as a table."""
    if text is None:
        return None
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(beginning and name for beginning, _, name in pairs):
        raise ConvertError(f"--prefixes {text}: write H=normal,N=normal,P=pathologic")
    return {beginning: name for beginning, _, name in pairs}


def workers_of(args: argparse.Namespace, *, arrays: bool) -> int:
    """Processes that read images."""
    at_least(args.workers, 0, "--workers")
    if args.workers is None:
        return 0 if arrays else os.cpu_count() or 1
    return int(args.workers)


def batch_of(args: argparse.Namespace) -> int:
    """Images of a batch."""
    at_least(args.batch, 1, "--batch")
    return args.batch or 32


def at_least(value: float | None, least: float, option: str) -> None:
    """ConvertError for a number that is too small."""
    if value is not None and value < least:
        raise ConvertError(f"{option} {value:g}: at least {least:g}")
