"""A run while it goes: what the training loops of both frameworks tell, and where their checkpoints go."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from convert.names import listed
from paddle2torch.training.checkpoints import Standing, folders, save
from paddle2torch.training.errors import TrainingError
from paddle2torch.training.metrics import Score
from paddle2torch.training.pipeline import Batch, Batches
from paddle2torch.training.recipe import Group, Recipe
from paddle2torch.training.record import Record

Write = Callable[[Path], None]
"""Puts a framework's files of a checkpoint into a folder."""


class Run:
    """A run in a folder, from the step at which `standing` is."""

    def __init__(self, folder: Path, standing: Standing, data: Batches, record: Record) -> None:
        self.folder, self.record, self.data = folder, record, data
        self.step = standing.step
        self._standing = standing

    @property
    def recipe(self) -> Recipe:
        """What is run."""
        return self._standing.recipe

    @property
    def parameters(self) -> tuple[tuple[str, ...], ...]:
        """Names of each group of the optimizer whose checkpoint the run goes on from."""
        return self._standing.parameters

    @property
    def best(self) -> tuple[float, int]:
        """The best test accuracy, and the step it was reached at."""
        return self._standing.best

    @property
    def stopping(self) -> bool:
        """Whether Ctrl-C asked for the end."""
        return self.record.stopping

    def check_answers(self, shape: Sequence[int], batch: Batch) -> None:
        """TrainingError where a network's output is not one row of logits for every image."""
        classes, wanted = self.recipe.classes, 1 if self.recipe.loss == "bce" else len(self.recipe.classes)
        if len(shape) != 2 or shape[0] != len(batch.labels):
            raise TrainingError(
                f"the network answers {list(shape)} to {len(batch.labels)} images, and is to answer a row of logits to each"
            )
        if shape[1] != wanted:
            raise TrainingError(
                f"the network gives {shape[1]} numbers for an image, and {len(classes)} classes ({listed(classes)}) need "
                f"{wanted}; build it with --num-classes {wanted}, or your own with --args '{{\"num_classes\": {wanted}}}'"
            )

    def check(self, loss: float, epoch: int, place: int, batch: Batch) -> None:
        """TrainingError for a loss that is no number, before the weights take it on."""
        if math.isfinite(loss):
            return
        last = max(folders(self.folder), default=None)
        left = "no checkpoint was saved before" if last is None else f"the last good checkpoint is {last}"
        names = listed([self.data.source.names[index] for index in batch.indices])
        raise TrainingError(
            f"the loss is {loss} at step {self.step + 1} (epoch {epoch + 1}, batch {place + 1}: {names}); {left}; lower --lr, "
            "or look at these images"
        )

    def took_a_step(self, loss: float, rate: float, right: int, count: int) -> None:
        """The weights have changed; right: images of the batch that were told right, of `count`."""
        self.step += 1
        self.record.step(self.step, loss, rate, right, count)

    def save_if_due(self, groups: Sequence[Group], write: Write) -> None:
        """A checkpoint within an epoch, where one is asked for or Ctrl-C came."""
        every = self.recipe.save_every
        if self.step % len(self.data) and (self.stopping or (every and self.step % every == 0)):
            self.save(groups, write)

    def finish_epoch(
        self, epoch: int, rate: float, score: Score, groups: Sequence[Group], write: Write
    ) -> None:
        """Tell how an epoch went, and save."""
        self.record.epoch(epoch, self.step, rate, score)
        if score.accuracy > self._standing.best[0]:
            self._standing = replace(self._standing, best=(score.accuracy, self.step))
        self.save(groups, write)

    def save(self, groups: Sequence[Group], write: Write) -> None:
        """A checkpoint of this step."""
        names = tuple(group.names for group in groups)
        save(self.folder, replace(self._standing, step=self.step, parameters=names), write)
