"""A run from its recipe, or from its last checkpoint: images, network and loop are put together."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from convert.names import counted, listed
from paddle2torch.training import checkpoints
from paddle2torch.training.checkpoints import Standing
from paddle2torch.training.errors import TrainingError
from paddle2torch.training.pipeline import Batches
from paddle2torch.training.recipe import Images, Recipe
from paddle2torch.training.record import Record, take_along
from paddle2torch.training.run import Run
from paddle2torch.training.sources import Source, open_source
from paddle2torch.training.transforms import Normalize, Pipeline, read_pipeline


@dataclass(frozen=True)
class Parts:
    """The images to train on and those to test with."""

    train: Source
    test: Source

    def fingerprint(self) -> str:
        """A digest of both."""
        return f"{self.train.fingerprint()[:32]}{self.test.fingerprint()[:32]}"


def open_images(images: Images) -> Parts:
    """Find the images; TrainingError for none, or bad ones."""
    common: dict[str, Any] = {
        "channels": images.channels,
        "prefixes": images.prefixes,
        "skip_bad": images.skip_bad,
    }
    source = open_source(images.data, **common)
    if len(source.classes) < 2:
        raise TrainingError(
            f"{images.data}: its images are of one class ({listed(source.classes)}), and training is to tell classes apart"
        )
    if images.validation is None:
        train, test = source.split(images.split, images.split_seed)
        return Parts(train, replace(test, skipped=()))
    return Parts(source, open_source(images.validation, classes=source.classes, **common))


def pipeline_of(images: Images, transforms: str) -> Pipeline:
    """Transforms as text, with the numbers of the images."""
    return read_pipeline(transforms, Normalize(images.mean, images.std))


def told_skipped(source: Source) -> str:
    """What `--skip-bad` left out; "" for nothing."""
    if not source.skipped:
        return ""
    shown = listed([f"{name} ({why})" for name, why in source.skipped])
    return f"left out {counted(len(source.skipped), 'bad image')}: {shown}"


def run_recipe(
    recipe: Recipe,
    parts: Parts,
    folder: Path,
    *,
    weights: str | None = None,
    new_head: bool = False,
    start: checkpoints.Checkpoint | None = None,
    workers: int = 0,
    quiet: bool = False,
) -> Run:
    """Train, in `folder`; from a file of weights, or on from the checkpoint `start`, which either framework may have made."""
    if recipe.network.framework == "paddle":
        from paddle2torch.training import network_paddle as networks
        from paddle2torch.training import train_paddle as loop
    else:
        from paddle2torch.training import network_torch as networks  # type: ignore[no-redef]
        from paddle2torch.training import train_torch as loop  # type: ignore[no-redef]
    standing = Standing(recipe, 0, parts.fingerprint())
    if start is not None:
        _require_same_images(start, standing)
        standing = replace(start.standing, recipe=recipe)
    with ExitStack() as stack:
        batches: dict[str, Any] = {"seed": recipe.seed, "workers": workers}
        text = recipe.images.train_transforms
        data = Batches(parts.train, pipeline_of(recipe.images, text), recipe.batch, shuffle=True, **batches)
        test = Batches(
            parts.test, pipeline_of(recipe.images, recipe.images.transforms), recipe.batch, **batches
        )
        stack.enter_context(data)
        stack.enter_context(test)
        recipe = replace(
            recipe, schedule=replace(recipe.schedule, epochs=recipe.epochs, steps_per_epoch=len(data))
        )
        stack.enter_context(networks.training(recipe.network.device))
        model = networks.build(recipe.network, seed=recipe.seed)
        if weights is not None:
            left = networks.last_layer(model) if new_head else ""
            networks.load(model, checkpoints.weights_file(weights), recipe.network, left=left)
        folder.mkdir(parents=True, exist_ok=True)
        if start is not None:
            take_along(start.folder.parent, folder)
        record = Record(folder, total=recipe.epochs * len(data), step=standing.step, quiet=quiet)
        run = Run(folder, replace(standing, recipe=recipe), data, record)
        stack.enter_context(record.watching())
        loop.train(run, model, data, test, None if start is None else start.folder)
    return run


def _require_same_images(start: checkpoints.Checkpoint, now: Standing) -> None:
    if start.standing.fingerprint != now.fingerprint:
        raise TrainingError(
            f"the images of {now.recipe.images.data} are not those that {start.folder} was trained on (names, classes or "
            "contents changed); bring them back, or start a new run with --weights"
        )
