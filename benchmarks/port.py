"""Paddle's own zoo: every file of `paddle.vision.models` ported, imported and proven, with no edit by hand.

    python -m benchmarks.port                          # every factory
    python -m benchmarks.port resnet18 vgg11 --size 64
    python -m benchmarks.port --write                  # and put the rows into the guide's table, in both languages

A line for each factory: the file, its lines that were changed and left, the verdict in eval mode, of the gradients, and in train mode, and the
seconds. Random weights that hide nothing; inputs of one size for all (Inception's is 299), smaller than the networks were made for.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from paddle2torch.port.package import port_files
from paddle2torch.port.source import Ported

PACKAGE = "zoo_of_paddle"
SIZES = {"LeNet": (1, 28), "inception_v3": (3, 107), "googlenet": (3, 224), "alexnet": (3, 224)}
"""Channels and size of what will not take the others' input."""
SIZE = 64


def zoo() -> Path:
    """The folder of `paddle.vision.models`."""
    import paddle

    return Path(paddle.__file__).parent / "vision" / "models"


def ported(folder: Path) -> dict[str, Ported]:
    """The zoo in torch as a package in `folder`, by the names of its files."""
    made = port_files(sorted(zoo().glob("*.py")))
    target = folder / PACKAGE
    target.mkdir()
    for path, port in made.items():
        (target / path.name).write_text(port.text, encoding="utf-8")
    return {path.stem: port for path, port in made.items()}


def factories() -> Iterator[tuple[str, str]]:
    """Every file of the zoo and each of its factories."""
    import paddle

    for name in paddle.vision.models.__all__:
        found = getattr(paddle.vision.models, name)
        if inspect.isfunction(found) or name == "LeNet":
            yield found.__module__.rpartition(".")[2], name


def verdicts(file: str, name: str, *, size: int = SIZE, batch: int = 2, train: bool = True) -> list[str]:
    """What the checks of one factory say: eval with gradients, and train with gradients."""
    import numpy as np
    import paddle

    import paddle2torch

    paddle.seed(0)
    expected = getattr(paddle.vision.models, name)()
    actual = getattr(importlib.import_module(f"{PACKAGE}.{file}"), name)()
    channels, side = SIZES.get(name, (3, size))
    images = np.random.default_rng(0).standard_normal((batch, channels, side, side), dtype=np.float32)
    actual.load_state_dict(paddle2torch.convert_state_dict(expected.state_dict(), actual))
    said = []
    for mode in ("eval", "train") if train else ("eval",):
        report = paddle2torch.check(
            expected, actual, images, mode=mode, randomize=True, gradients=True, further=False
        )
        said.append(report.verdict.name)
    return said


def _alone(folder: str, *words: Any, **options: Any) -> list[str]:
    """`verdicts` in a process of its own: the memory of a large network is given back."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, initializer=sys.path.insert, initargs=(0, folder)) as pool:
        try:
            return pool.submit(verdicts, *words, **options).result()
        except Exception as error:
            return [f"{type(error).__name__}: {error}"[:120], ""]


HEAD = "| file | factory | lines changed | not translated | eval | train | seconds |"
PAGES = {
    Path("docs/guide/translate.md"): HEAD,
    Path("docs/guide/translate.zh.md"): "| 文件 | 工厂函数 | 改动行数 | 未翻译 | eval | train | 秒 |",
}
"""The pages with the table, and the head that it has there."""


def table(page: Path) -> dict[str, str]:
    """The rows of the guide's table, by the names of the factories."""
    rows = page.read_text(encoding="utf-8").partition(PAGES[page])[2].partition("\n\n")[0].splitlines()[2:]
    return {row.split("|")[2].strip(): row for row in rows}


def write(page: Path, rows: dict[str, str]) -> None:
    """Put rows into the table of a page; those of other factories stay."""
    text = page.read_text(encoding="utf-8")
    head = PAGES[page]
    before, _, rest = text.partition(head)
    behind = rest.partition("\n\n")[2]
    known = {**table(page), **rows}
    lines = [head, "|" + "---|" * 7, *(known[name] for _, name in factories() if name in known)]
    page.write_text(before + "\n".join(lines) + "\n\n" + behind, encoding="utf-8")


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", help="factories; default: all")
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="put the rows into the guide")
    args = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as scratch:
        files = ported(Path(scratch))
        sys.path.insert(0, scratch)
        print(HEAD + "\n|" + "---|" * 7)
        bad, rows = 0, {}
        for file, name in factories():
            if args.names and name not in args.names:
                continue
            begun = time.perf_counter()
            said: list[Any] = _alone(scratch, file, name, size=args.size, batch=args.batch)
            bad += set(said) != {"EQUIVALENT"}
            port = files[file]
            row = (
                file,
                name,
                port.lines_changed,
                len(port.left),
                *said,
                f"{time.perf_counter() - begun:.0f}",
            )
            rows[name] = "| " + " | ".join(map(str, row)) + " |"
            print(rows[name], flush=True)
    for page in PAGES if args.write else ():
        write(page, rows)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
