"""Every reader that a command has: the files it reads together, and how they are read to their end."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from convert import Checkpoint, ConvertError, open_checkpoint
from convert.checkpoint.reader import open_optimizer_state
from convert.plan.rules import load_rules
from convert.plan.transform import result_shape
from paddle2torch.commands.inspect import report_lines
from paddle2torch.options import names_in
from parity.setup.inputs import load_inputs
from parity.sides.recorded import RecordedSide, check_pair
from parity.trace.file import TraceFile

DECLARED_MOST = 40
"""A checkpoint may declare this many times its size: eight tensors may share bytes, text shrinks; headers do not count."""
NAMES = ("layers.0.weight", "head.weight", "a" * 30)


Image.init()  # what it imports is no memory of a reader's
_SHOWN = itertools.count()


class Wrong(Exception):
    """A reader did something it must not do."""


@dataclass(frozen=True)
class Kind:
    """Files that are read together; `read` gets the folder that they are in."""

    name: str
    files: Mapping[str, bytes]
    read: Callable[[Path], None]


def kinds(contents: Mapping[str, bytes]) -> Sequence[Kind]:
    """One kind for every sort of file among the seeds (`tests.fuzz.seeds`)."""
    found: list[Kind] = []

    def add(read: Callable[[Path], None], name: str, *beside: str) -> None:
        found.append(Kind(name, {file: contents[file] for file in (name, *beside)}, read))

    for name in contents:
        if name.endswith((".pdparams", ".pth", ".gz", ".zip")) or name in (
            "net.safetensors",
            "torch.safetensors",
        ):
            key = "model" if name.startswith("nested") else None
            add(_checkpoint(name, key), name)
        elif name.endswith(".pdopt"):
            add(_optimizer_state(name), name)
    add(_checkpoint("export.pdiparams"), "export.pdiparams", "export.json")
    add(_checkpoint("old.pdiparams"), "old.pdiparams", "old.pdmodel")
    add(_named, "names.txt", "old.pdiparams")
    index = "set.safetensors.index.json"
    add(_checkpoint(index), index, *(name for name in contents if name.startswith("set-")))
    add(_rules, "rules.toml")
    for name in ("input.npy", "input.npz", "image.png"):
        add(_inputs(name), name)
    add(_trace, "linear.trace")
    return found


def _checkpoint(name: str, key: str | None = None) -> Callable[[Path], None]:
    def read(folder: Path) -> None:
        with open_checkpoint(folder / name, key=key) as checkpoint:
            _read(checkpoint)

    return read


def _optimizer_state(name: str) -> Callable[[Path], None]:
    def read(folder: Path) -> None:
        with ExitStack() as stack:
            for checkpoint in open_optimizer_state(folder / name, {"linear_0.w_0", "linear_0.b_0"}):
                if checkpoint is not None:
                    _read(stack.enter_context(checkpoint), empty=True)

    return read


def _named(folder: Path) -> None:
    with open_checkpoint(folder / "old.pdiparams", names=names_in(str(folder / "names.txt"))) as checkpoint:
        _read(checkpoint)


def _read(checkpoint: Checkpoint, *, empty: bool = False) -> None:
    """All tensors, and what `inspect` says."""
    if checkpoint.nbytes > DECLARED_MOST * (checkpoint.facts.size + 1000):
        raise Wrong(f"{checkpoint.nbytes} bytes declared by a file of {checkpoint.facts.size}")
    for ref in checkpoint.values():
        if ref.numpy().nbytes != ref.nbytes:
            raise Wrong(f"{ref} was read as another size")
    if (checkpoint or not empty) and next(
        _SHOWN
    ) % 16 == 0:  # asking which network it is takes longer than reading
        for line in report_lines(checkpoint):
            if not line.isprintable():
                raise Wrong(f"inspect shows {line!r}")


def _rules(folder: Path) -> None:
    for rule in load_rules(folder / "rules.toml"):
        for name in NAMES:
            rule.apply(name)
        if rule.transform is not None:
            with suppress(ConvertError):
                result_shape((3, 4), rule.transform)


def _inputs(name: str) -> Callable[[Path], None]:
    def read(folder: Path) -> None:
        load_inputs(folder / name)

    return read


def _trace(folder: Path) -> None:
    """As `parity compare` reads the recorded side."""
    side = RecordedSide(TraceFile(folder / "linear.trace"))
    check_pair(side.file, None)
    inputs = side.file.inputs()
    side.parameters()
    side.file.state()
    for mode in side.file.modes:
        for precision in ("float32", "float64"):
            _, values = side.capture(inputs, mode=mode, precision=precision, store=folder)
            with closing(values):
                for key in values.index:
                    values.get(key)
