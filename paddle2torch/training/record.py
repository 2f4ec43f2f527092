"""What a run tells while it goes: a bar, a line an epoch, JSON lines, a picture at the end; and when it is to stop."""

from __future__ import annotations

import json
import shutil
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.write.atomic import write_text
from paddle2torch.training.metrics import Score

if TYPE_CHECKING:
    from rich.progress import Progress

STEPS, EPOCHS, PICTURE = "steps.jsonl", "metrics.jsonl", "curves.png"
COLUMNS = {
    "epoch": 5,
    "step": 7,
    "rate": 10,
    "train loss": 12,
    "train acc": 11,
    "test loss": 11,
    "test acc": 10,
    "sec": 7,
    "img/s": 7,
}
"""Of the table of epochs, with their widths: a terminal of 80 holds it."""


class Record:
    """Losses and accuracies of a run, in files of its folder and on the screen.

    `stopping` is set by the first Ctrl-C: the loop then saves and ends.
    """

    def __init__(self, run: Path, *, total: int, step: int = 0, quiet: bool = False) -> None:
        """total: steps of the whole run; step: those already taken, after which nothing that is on file stays."""
        self.run, self.quiet = run, quiet
        self.stopping = False
        self._total, self._step = total, step
        self._bar: Progress | None = None
        self._titled = False
        for name in (STEPS, EPOCHS):
            _truncate(run / name, step)
        self._fresh_epoch()

    def _fresh_epoch(self) -> None:
        self._loss, self._right, self._seen, self._started = 0.0, 0, 0, time.perf_counter()

    @contextmanager
    def watching(self) -> Iterator[Record]:
        """While open, a bar is shown and Ctrl-C asks for the end of the run; the picture is drawn at the end."""
        from paddle2torch.console import progress_bar

        before = None
        if threading.current_thread() is threading.main_thread():
            before = signal.signal(signal.SIGINT, self._interrupt)
        try:
            with (self.run / STEPS).open("a", encoding="utf-8") as self._steps, progress_bar() as self._bar:
                self._task = self._bar.add_task("training", total=self._total, completed=self._step)
                yield self
        finally:
            if before is not None:
                signal.signal(signal.SIGINT, before)
            if not rows(self.run / STEPS):
                self._vanish()
            elif not self.quiet:
                draw(self.run)

    def _vanish(self) -> None:
        """A run that fails before its first step leaves nothing behind."""
        for name in (STEPS, EPOCHS):
            (self.run / name).unlink(missing_ok=True)
        if not any(self.run.iterdir()):
            self.run.rmdir()

    def _interrupt(self, number: int, frame: object) -> None:
        if self.stopping:
            raise KeyboardInterrupt
        self.stopping = True

    def step(self, step: int, loss: float, rate: float, right: int, count: int) -> None:
        """One step was taken. step: how many by now; right: images of the batch that were told right, of `count`."""
        if not (self.quiet or self._titled):
            print(_line(COLUMNS))
            self._titled = True
        self._steps.write(json.dumps({"step": step, "loss": loss, "rate": rate}) + "\n")
        self._loss += loss * count
        self._right += right
        self._seen += count
        if self._bar is not None:
            self._bar.update(self._task, completed=step, description=f"loss {loss:.4f}")

    def epoch(self, epoch: int, step: int, rate: float, test: Score) -> None:
        """An epoch is over; test: on the images that are not trained on."""
        seconds = time.perf_counter() - self._started
        seen = max(1, self._seen)
        row = {
            "epoch": epoch + 1,
            "step": step,
            "rate": rate,
            "train_loss": self._loss / seen,
            "train_accuracy": self._right / seen,
            "test_loss": test.loss,
            "test_accuracy": test.accuracy,
            "seconds": seconds,
            "images_per_second": self._seen / seconds,
        }
        self._steps.flush()
        with (self.run / EPOCHS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        if not self.quiet:
            shown = [
                f"{row['epoch']}",
                f"{step}",
                f"{rate:.2e}",
                f"{row['train_loss']:.4f}",
                f"{row['train_accuracy']:.2%}",
                f"{test.loss:.4f}",
                f"{test.accuracy:.2%}",
                f"{seconds:.1f}",
                f"{row['images_per_second']:.0f}",
            ]
            print(_line(shown), flush=True)
        self._fresh_epoch()


def _line(shown: Iterable[str]) -> str:
    return "".join(f"{cell:>{width}}" for cell, width in zip(shown, COLUMNS.values(), strict=True))


def rows(path: Path) -> list[dict[str, Any]]:
    """The lines of a file of JSON lines; [] where there is none. A last line that a killed process left unfinished is not one."""
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    return found


def take_along(source: Path, target: Path) -> None:
    """What is on file of a run, where it goes on in another folder."""
    for name in (STEPS, EPOCHS):
        if source != target and (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def _truncate(path: Path, step: int) -> None:
    kept = [row for row in rows(path) if row["step"] <= step]
    write_text(path, "".join(json.dumps(row) + "\n" for row in kept), force=True)


def apart(run: Path, other: Path) -> tuple[int, float]:
    """How many steps both runs took, and the greatest difference of their losses there, as a share of the other's loss."""
    mine, theirs = ({row["step"]: row["loss"] for row in rows(folder / STEPS)} for folder in (run, other))
    common = mine.keys() & theirs.keys()
    return len(common), max(
        (abs(mine[step] - theirs[step]) / abs(theirs[step]) for step in common), default=0.0
    )


def draw(run: Path, beside: Path | None = None) -> Path | None:
    """Loss and accuracy over the epochs, and the loss of every step, as a picture; None where nothing was recorded.

    beside: another run, whose losses are drawn below, thick and pale.
    """
    epochs, steps = rows(run / EPOCHS), rows(run / STEPS)
    if not steps:
        return None
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        return None
    figure = Figure(figsize=(10, 4), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    if beside is not None:
        others = rows(beside / STEPS)
        left.plot(
            [row["step"] for row in others],
            [row["loss"] for row in others],
            lw=5,
            alpha=0.2,
            color="black",
            label=f"each step of {beside.name}",
        )
    left.plot(
        [row["step"] for row in steps], [row["loss"] for row in steps], lw=0.6, alpha=0.5, label="each step"
    )
    places = [row["step"] for row in epochs]
    for axes, kind in ((left, "loss"), (right, "accuracy")):
        for part in ("train", "test"):
            axes.plot(places, [row[f"{part}_{kind}"] for row in epochs], marker="o", ms=3, label=part)
        axes.set(xlabel="step", ylabel=kind)
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(run / PICTURE, dpi=100)
    return run / PICTURE
