"""Checkpoints of a run: folders `step-00000120` that appear whole or not at all, the newest and the best of them kept.

Beside the framework's own files each holds `run.json`: the recipe, where the run stood, a digest of its images.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paddle2torch.training.errors import TrainingError
from paddle2torch.training.recipe import Recipe

STATE = "run.json"
FILES = {"paddle": ("model.pdparams", "model.pdopt"), "torch": ("model.pth",)}
"""Framework -> what a checkpoint of it holds: weights first."""


@dataclass(frozen=True)
class Standing:
    """Where a run stands.

    step: how many steps were taken. parameters: names of each group of the optimizer, in its order. best: the best accuracy
    so far, and the step it was reached at.
    """

    recipe: Recipe
    step: int
    fingerprint: str
    parameters: tuple[tuple[str, ...], ...] = ()
    best: tuple[float, int] = (-1.0, 0)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "version": 1,
            "step": self.step,
            "fingerprint": self.fingerprint,
            "parameters": [list(names) for names in self.parameters],
            "best": list(self.best),
            "recipe": self.recipe.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Standing:
        """The inverse of `to_json`."""
        return cls(
            Recipe.from_json(data["recipe"]),
            data["step"],
            data["fingerprint"],
            tuple(tuple(names) for names in data["parameters"]),
            (data["best"][0], data["best"][1]),
        )


@dataclass(frozen=True)
class Checkpoint:
    """One that was read: its folder and what stands in `run.json`."""

    folder: Path
    standing: Standing

    @property
    def weights(self) -> Path:
        """The file with the weights."""
        return self.folder / FILES[self.standing.recipe.network.framework][0]


def step_folder(run: Path, step: int) -> Path:
    """Where the checkpoint of a step is."""
    return run / f"step-{step:08d}"


def save(run: Path, standing: Standing, write: Callable[[Path], None]) -> Path:
    """Make a checkpoint: `write` puts the framework's files into the folder that it is given.

    Older checkpoints but the best one go. TrainingError where the disk is full; what was there stays.
    """
    target = step_folder(run, standing.step)
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        write(partial)
        (partial / STATE).write_text(json.dumps(standing.to_json(), indent=1), encoding="utf-8")
        for path in partial.iterdir():
            _to_disk(path)
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
    except (OSError, RuntimeError) as error:  # torch tells of a full disk with a RuntimeError
        shutil.rmtree(partial, ignore_errors=True)
        raise _failed(run, target, error) from None
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    kept = {target, step_folder(run, standing.best[1])}
    for folder in folders(run):
        if folder not in kept:
            shutil.rmtree(folder, ignore_errors=True)
    return target


def _failed(run: Path, target: Path, error: OSError | RuntimeError) -> TrainingError:
    full = isinstance(error, RuntimeError) or error.errno in (errno.ENOSPC, errno.EDQUOT)
    why = "the disk is full" if full else f"writing failed ({getattr(error, 'strerror', error)})"
    last = max(folders(run), default=None)
    left = "no checkpoint was saved before" if last is None else f"the last good one is {last}"
    return TrainingError(f"{target}: {why}, so this checkpoint was not saved; {left}")


def _to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def folders(run: Path) -> list[Path]:
    """The checkpoints of a run, oldest first."""
    return sorted(path for path in run.glob("step-*") if (path / STATE).is_file())


def read(place: Path) -> Checkpoint:
    """The newest checkpoint of a run, or the one that is named; TrainingError where there is none."""
    folder = place if (place / STATE).is_file() else max(folders(place), default=None)
    if folder is None:
        raise TrainingError(f"{place}: holds no checkpoint of `paddle2torch train`")
    try:
        standing = Standing.from_json(json.loads((folder / STATE).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{folder / STATE}: cannot be read ({type(error).__name__}: {error})") from None
    return Checkpoint(folder, standing)


def weights_file(place: str) -> str:
    """A file of weights: the one that is named, or that of a run or a checkpoint folder of ours."""
    path = Path(place)
    ours = path.is_dir() and ((path / STATE).is_file() or folders(path))
    return str(read(path).weights) if ours else place
