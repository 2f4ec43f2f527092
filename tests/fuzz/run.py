"""Mutate real files and read the results: `python -m tests.fuzz.run --count 1000000`."""

from __future__ import annotations

import argparse
import math
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from convert.errors import SENTENCE_MOST, Paddle2TorchError
from tests.fuzz.kinds import Kind, Wrong, kinds
from tests.fuzz.mutate import mutate
from tests.fuzz.seeds import seeds

SECONDS_MOST = 2.0
"""Of the processor; the files are small."""
HANGS = 60
"""Seconds after which the system ends the process, whatever it does; the input is kept."""
MEMORY_MOST = 300 << 20
"""Bytes that reading may take beyond what the process has at its start."""


@dataclass
class Figures:
    """What happened."""

    read: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    messages: Counter[str] = field(default_factory=Counter)


def examine(kind: Kind, folder: Path, figures: Figures) -> None:
    """Read the files of `kind` in `folder`; Wrong when that ends in anything but a result or one of our errors."""
    started = time.perf_counter()
    try:
        kind.read(folder)
        figures.read[kind.name] += 1
    except Paddle2TorchError as error:
        figures.refused[kind.name] += 1
        text = str(error)
        figures.messages[text.replace(str(folder), "")[-40:]] += 1
        if not text.isprintable() or len(text) > SENTENCE_MOST:
            raise Wrong(f"a message that is not one sentence: {text!r}") from error
    except Wrong:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise Wrong(f"{type(error).__name__}: {error}") from error
    seconds = time.perf_counter() - started
    if seconds > SECONDS_MOST:  # or other processes had the processor
        seconds = _seconds(kind, folder)
    figures.slowest = max(figures.slowest, seconds)
    if seconds > SECONDS_MOST:
        raise Wrong(f"{seconds:.1f} s")


def _seconds(kind: Kind, folder: Path) -> float:
    """Of the processor, which takes long to tell on some systems."""
    started = time.process_time()
    with suppress(Paddle2TorchError):
        kind.read(folder)
    return time.process_time() - started


def fuzz(
    every: Sequence[Kind],
    folder: Path,
    *,
    count: int,
    seed: int,
    clock: Callable[[], object] = lambda: None,
    until: float = math.inf,
) -> Figures:
    """Read `count` mutated inputs, kind by kind; Wrong names the one that is kept in `folder`.

    `clock` is set before each; at the time `until` (of `time.time`) it is enough.
    """
    generator = random.Random(seed)
    figures = Figures()
    for kind in every:
        (folder / kind.name).mkdir()
        for name, content in kind.files.items():
            (folder / kind.name / name).write_bytes(content)
    for number in range(count):
        if time.time() > until:
            break
        kind = every[number % len(every)]
        name = generator.choice(list(kind.files))
        path = folder / kind.name / name
        path.write_bytes(mutate(kind.files[name], generator))
        clock()
        try:
            examine(kind, path.parent, figures)
        except Wrong as error:
            raise Wrong(f"mutation {number} of seed {seed}, {path}: {error}") from error
        path.write_bytes(kind.files[name])
    return figures


@contextmanager
def bounded() -> Iterator[None]:
    """Reading has so much memory, and no more."""
    with open("/proc/self/statm") as status:
        now = int(status.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)

    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY_MOST, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def peak_mb() -> float:
    """This process's peak memory."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in status if line.startswith("VmHWM"))


def main() -> None:
    """Fuzz and print the figures; exit 1 on the first wrong behaviour, whose file is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=math.inf, help="the longest that it may take")
    parser.add_argument("--only", default="", help="kinds whose names have this in them")
    args = parser.parse_args()
    every = [kind for kind in kinds(seeds()) if args.only in kind.name]
    before = peak_mb()
    shared = "/dev/shm" if os.path.isdir("/dev/shm") else None
    folder = Path(tempfile.mkdtemp(prefix="paddle2torch-fuzz-", dir=shared))
    print(f"inputs are kept in {folder} when one is wrong", file=sys.stderr)
    started, clock = time.perf_counter(), partial(signal.alarm, HANGS)
    try:
        with bounded():
            figures = fuzz(
                every,
                folder,
                count=args.count,
                seed=args.seed,
                clock=clock,
                until=time.time() + 60 * args.minutes,
            )
    except Wrong as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    seconds = time.perf_counter() - started
    shutil.rmtree(folder)
    read, refused = figures.read.total(), figures.refused.total()
    print(f"{read + refused} mutated inputs of {len(every)} kinds in {seconds:.0f} s, seed {args.seed}")
    print(f"{read} were still sound, {refused} refused in one sentence, nothing else")
    print(f"slowest {figures.slowest * 1000:.0f} ms; peak memory {peak_mb() - before:.0f} MB above the start")
    for kind in every:
        print(f"{kind.name:32} {figures.read[kind.name]:8} read {figures.refused[kind.name]:8} refused")


if __name__ == "__main__":
    main()
