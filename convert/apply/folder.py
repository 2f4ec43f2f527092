"""Many checkpoints at once: every one in a folder, a few at a time, going on after a bad one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convert.apply.checkpoint import ConversionReport, convert_checkpoint
from convert.errors import ConvertError

SUFFIXES = (".pdparams", ".pdiparams")
JOBS = 2


@dataclass(frozen=True)
class Outcome:
    """What became of one checkpoint: a report, or the reason why there is none."""

    source: Path
    target: Path
    report: ConversionReport | None
    error: str = ""


def find_checkpoints(folder: str | os.PathLike[str]) -> list[Path]:
    """Every `.pdparams` and `.pdiparams` under `folder`, sorted; ConvertError when there is none."""
    found = sorted(
        path
        for path in Path(folder).rglob("*")
        if path.suffix in SUFFIXES and (path.is_file() or _leads_nowhere(path))
    )
    if not found:
        raise ConvertError(f"{folder}: no {' or '.join(SUFFIXES)} file in it")
    return found


def _leads_nowhere(path: Path) -> bool:
    """Whether `path` is a broken link: a checkpoint that is not there is a bad one, not none."""
    return path.is_symlink() and not path.exists()


def convert_folder(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    suffix: str = ".safetensors",
    jobs: int = JOBS,
    on_progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> list[Outcome]:
    """Convert everything `find_checkpoints` finds into the same places under `out`; options as for one file.

    At most `jobs` at a time. A checkpoint that cannot be converted has its reason in its Outcome and stops
    nothing. `on_progress` gets the bytes of source files that are done, and of all.
    """
    sources = find_checkpoints(folder)
    if Path(out).exists() and not Path(out).is_dir():
        raise ConvertError(f"{out}: is a file; name a directory for what {folder} becomes")
    targets = [Path(out) / source.relative_to(folder).with_suffix(suffix) for source in sources]
    clash = {target for target in targets if targets.count(target) > 1}
    sizes = [0 if _leads_nowhere(source) else source.stat().st_size for source in sources]
    done = 0
    outcomes: dict[int, Outcome] = {}
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        waiting: dict[Future[Outcome], int] = {}
        rest: Iterator[int] = iter(range(len(sources)))
        while True:
            while len(waiting) < jobs and (index := next(rest, None)) is not None:
                work = _clash if targets[index] in clash else _convert
                waiting[pool.submit(work, sources[index], targets[index], options)] = index
            if not waiting:
                break
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                index = waiting.pop(future)
                outcomes[index] = future.result()
                done += sizes[index]
                if on_progress is not None:
                    on_progress(done, sum(sizes))
    return [outcomes[index] for index in range(len(sources))]


def _convert(source: Path, target: Path, options: dict[str, Any]) -> Outcome:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return Outcome(source, target, convert_checkpoint(source, target, **options))
    except ConvertError as error:
        return Outcome(source, target, None, str(error))
    except OSError as error:
        return Outcome(source, target, None, f"{target.parent}: cannot be created ({error.strerror})")


def _clash(source: Path, target: Path, _: dict[str, Any]) -> Outcome:
    return Outcome(
        source, target, None, f"{source}: another checkpoint would become {target} too; rename one"
    )
