"""Mutate real files and read the results: `python -m tests.fuzz.run --count 1000000`."""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from convert import Checkpoint, ConvertError, open_checkpoint
from convert.checkpoint.reader import open_optimizer_state
from tests.fuzz.mutate import mutate
from tests.fuzz.seeds import PROGRAMS, seeds

SECONDS_MOST = 5.0
DECLARED_MOST = 40
"""A checkpoint may declare this many times its size: eight tensors may share bytes, text shrinks; headers do not count."""


class Wrong(Exception):
    """A reader did something it must not do."""


@dataclass
class Figures:
    """What happened."""

    read: int = 0
    refused: int = 0
    slowest: float = 0.0
    messages: Counter[str] = field(default_factory=Counter)


def examine(path: Path, figures: Figures) -> None:
    """Read one file whole; Wrong when that ends in anything but a checkpoint or a ConvertError."""
    started = time.perf_counter()
    try:
        for checkpoint in _open(path):
            with checkpoint:
                _read(checkpoint, path.stat().st_size)
        figures.read += 1
    except ConvertError as error:
        figures.refused += 1
        figures.messages[str(error).replace(str(path), "")[-40:]] += 1
        if "\n" in str(error) or len(str(error)) > 2000:
            raise Wrong(f"a message that is not one sentence: {error}") from error
    except Wrong:
        raise
    except BaseException as error:
        raise Wrong(f"{type(error).__name__}: {error}") from error
    seconds = time.perf_counter() - started
    figures.slowest = max(figures.slowest, seconds)
    if seconds > SECONDS_MOST:
        raise Wrong(f"{seconds:.1f} s")


def _open(path: Path) -> list[Checkpoint]:
    """The file as a user would have it read."""
    if path.suffix == ".pdopt":
        accumulators, masters = open_optimizer_state(path)
        return [accumulators] if masters is None else [accumulators, masters]
    return [open_checkpoint(path, key="model" if path.name.startswith("nested") else None)]


def _read(checkpoint: Checkpoint, size: int) -> None:
    if checkpoint.nbytes > DECLARED_MOST * (size + 1000):
        raise Wrong(f"{checkpoint.nbytes} bytes declared by a file of {size}")
    for ref in checkpoint.values():
        if ref.numpy().nbytes != ref.nbytes:
            raise Wrong(f"{ref} was read as another size")


def fuzz(contents: Mapping[str, bytes], folder: Path, *, count: int, seed: int) -> Figures:
    """Read `count` mutated files; Wrong names the file that is kept in `folder`."""
    generator = random.Random(seed)
    figures = Figures()
    names = [name for name in contents if name not in PROGRAMS.values()]
    for number in range(count):
        name = names[number % len(names)]
        write_mutated(contents, folder, name, lambda content: mutate(content, generator), generator)
        try:
            examine(folder / name, figures)
        except Wrong as error:
            raise Wrong(f"mutation {number} of seed {seed}, {folder / name}: {error}") from error
    return figures


def write_mutated(
    contents: Mapping[str, bytes],
    folder: Path,
    name: str,
    change: Callable[[bytes], bytes],
    generator: random.Random,
) -> None:
    """Write the file, changed; or, half the times that it has a program beside it, whole and the program changed."""
    program = PROGRAMS.get(name)
    first = program is not None and generator.random() < 0.5
    (folder / name).write_bytes(contents[name] if first else change(contents[name]))
    if program is not None:
        (folder / program).write_bytes(change(contents[program]) if first else contents[program])


def peak_mb() -> float:
    """This process's peak memory."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in status if line.startswith("VmHWM"))


def main() -> None:
    """Fuzz and print the figures; exit 1 on the first wrong behaviour, whose file is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    contents = seeds()
    before = peak_mb()
    shared = "/dev/shm" if os.path.isdir("/dev/shm") else None
    folder = Path(tempfile.mkdtemp(prefix="paddle2torch-fuzz-", dir=shared))
    started = time.perf_counter()
    try:
        figures = fuzz(contents, folder, count=args.count, seed=args.seed)
    except Wrong as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    seconds = time.perf_counter() - started
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    print(f"{args.count} mutated files of {len(contents)} kinds in {seconds:.0f} s, seed {args.seed}")
    print(f"{figures.read} were still checkpoints, {figures.refused} refused with ConvertError, nothing else")
    print(f"slowest {figures.slowest * 1000:.0f} ms; peak memory {peak_mb() - before:.0f} MB above the start")


if __name__ == "__main__":
    main()
