"""Many checkpoints at once: every one in a folder, a few at a time, going on after a bad one."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from convert.apply.checkpoint import ConversionReport, convert_checkpoint
from convert.errors import ConvertError

SUFFIXES = (".pdparams", ".pdiparams")
JOBS = 2


@dataclass(frozen=True)
class Outcome:
    """What became of one checkpoint (or of a folder that cannot be read): a report, or the reason why there is none."""

    source: Path
    target: Path
    report: ConversionReport | None
    error: str = ""
    crash: Exception | None = None
    """What ended it, where that is no error of ours: a fault of this program."""


class Pool(Protocol):
    """Where work may go."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """The future result of work(*arguments)."""
        ...


def find_checkpoints(folder: str | os.PathLike[str]) -> list[Path]:
    """Every `.pdparams` and `.pdiparams` under `folder`, sorted; ConvertError when there is none."""
    return _look_through(folder)[0]


def _look_through(folder: str | os.PathLike[str]) -> tuple[list[Path], list[OSError]]:
    """The checkpoints under `folder`, whether they can be read or not, and the folders that cannot.

    What is called as a checkpoint is one: a link to nowhere or a pipe is a bad one, not none.
    """
    errors: list[OSError] = []
    found = sorted(
        Path(place) / name
        for place, _, names in os.walk(folder, onerror=errors.append)
        for name in names
        if Path(name).suffix in SUFFIXES
    )
    if not found and not errors:
        raise ConvertError(f"{folder}: no {' or '.join(SUFFIXES)} file in it")
    return found, errors


def convert_folder(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    suffix: str = ".safetensors",
    jobs: int = JOBS,
    pool: Pool | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> list[Outcome]:
    """Convert everything `find_checkpoints` finds into the same places under `out`; options as for one file.

    At most `jobs` at a time, in threads or in what a `pool` submits to. A checkpoint that cannot be converted, and a folder that cannot be read, has its
    reason in its Outcome and stops nothing. `on_progress` gets the bytes of source files that are done, and of all.
    """
    sources, unreadable = _look_through(folder)
    if os.path.exists(out) and not os.path.isdir(out):
        raise ConvertError(f"{out}: is a file; name a directory for what {folder} becomes")
    targets = [Path(out) / source.relative_to(folder).with_suffix(suffix) for source in sources]
    wanted = Counter(targets)
    sizes = [_size(source) for source in sources]
    done, every = 0, sum(sizes)
    outcomes: dict[int, Outcome] = {}
    with ThreadPoolExecutor(max(1, jobs)) as threads:
        pool = pool or threads
        waiting: dict[Future[Outcome], int] = {}
        rest: Iterator[int] = iter(range(len(sources)))
        while True:
            while len(waiting) < jobs and (index := next(rest, None)) is not None:
                work = _clash if wanted[targets[index]] > 1 else _convert
                waiting[pool.submit(work, sources[index], targets[index], options)] = index
            if not waiting:
                break
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                index = waiting.pop(future)
                outcomes[index] = future.result()
                done += sizes[index]
                if on_progress is not None:
                    on_progress(done, every)
    closed = [_unreadable(error, Path(folder), Path(out)) for error in unreadable]
    return sorted([*outcomes.values(), *closed], key=lambda outcome: outcome.source)


def _size(source: Path) -> int:
    try:
        return source.stat().st_size
    except OSError:
        return 0


def _convert(source: Path, target: Path, options: dict[str, Any]) -> Outcome:
    try:
        _make_folder(target.parent)
        return Outcome(source, target, convert_checkpoint(source, target, **options))
    except ConvertError as error:
        return Outcome(source, target, None, str(error))
    except Exception as error:  # the others are converted all the same
        fault = ConvertError(f"{source}: a fault of paddle2torch: {type(error).__name__}: {error}")
        return Outcome(source, target, None, str(fault), error)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConvertError(f"{folder}: cannot be created ({error.strerror})") from None


def _clash(source: Path, target: Path, _: dict[str, Any]) -> Outcome:
    error = ConvertError(f"{source}: another checkpoint would become {target} too; rename one")
    return Outcome(source, target, None, str(error))


def _unreadable(error: OSError, folder: Path, out: Path) -> Outcome:
    """A folder whose checkpoints nobody knows is a bad one."""
    source = Path(os.fsdecode(error.filename or folder))
    told = ConvertError(f"{source}: the folder cannot be read ({error.strerror})")
    return Outcome(source, out / source.relative_to(folder), None, str(told))
