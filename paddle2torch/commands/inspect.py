"""`paddle2torch inspect`: what a checkpoint holds, without executing any of it."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from convert.names import escaped

if TYPE_CHECKING:
    from convert.checkpoint.checkpoint import Checkpoint


_TIED_MOST = 3
"""Parameters under several names that are listed each; a recurrent layer has eight."""
ROWS_MOST = 5000
"""Tensors that are shown each, as many as the largest networks have; beyond, those whose names differ in their numbers alone share a row."""
_NUMBER = re.compile(r"[0-9]+")
LEAVES = {"parameter": 4, "bytes": 3, "dtype": 2, "shape": 1}
"""Columns that are left out where the line is too short, the highest first."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("source", metavar="CHECKPOINT", help=".pdparams, .pdopt, .pdiparams or .safetensors")
    parser.add_argument("--key", help="which state dict of a file that nests several, such as `model`")
    parser.add_argument(
        "--join", action="append", default=[], metavar="PATTERN=AXIS", help="how pieces of shards are joined"
    )
    parser.add_argument("--names", metavar="FILE", help="parameter names, one a line, for a .pdiparams alone")
    parser.add_argument(
        "--stats", action="store_true", help="read every tensor: min, max, mean, NaN and Inf counts"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print what the checkpoint holds; 0, or ConvertError (exit code 2) when it cannot be read."""
    from convert.checkpoint.reader import open_checkpoint
    from paddle2torch.console import FileProgress, fitted
    from paddle2torch.options import names_in

    with ExitStack() as stack:
        with FileProgress("reading", args.source) as progress:
            checkpoint = stack.enter_context(
                open_checkpoint(
                    args.source, key=args.key, names=names_in(args.names), raw=True, join=args.join
                )
            )
            grouped = not (args.json or args.stats) and len(checkpoint) > ROWS_MOST
            rows = (
                _groups(checkpoint)
                if grouped
                else _tensors(checkpoint, stats=args.stats, on_progress=progress.update)
            )
        if args.json:
            facts = {**_facts(checkpoint), "tensors": rows}
            print(json.dumps(facts, indent=2, default=str))
        else:
            print(fitted("\n".join(_shown(checkpoint, rows))))
    return 0


def report_lines(checkpoint: Checkpoint) -> Iterable[str]:
    """What is shown of a checkpoint; nothing that the file says reaches the terminal as more than text."""
    return _shown(checkpoint, _tensors(checkpoint))


def _shown(checkpoint: Checkpoint, rows: Sequence[dict[str, Any]]) -> Iterable[str]:
    return map(escaped, _report(checkpoint, rows))


def _groups(checkpoint: Checkpoint) -> list[dict[str, Any]]:
    """A row for all tensors of one shape and type whose names differ in their numbers alone, in the order of the first of each."""
    found: dict[tuple[str, tuple[int, ...], str], list[str]] = {}
    for name, ref in checkpoint.items():
        found.setdefault((_NUMBER.sub("*", name), ref.shape, ref.dtype_name), []).append(name)
    return [
        {
            "name": pattern if len(names) > 1 else names[0],
            "tensors": len(names),
            "shape": list(shape),
            "dtype": dtype,
            "bytes": len(names) * checkpoint[names[0]].nbytes,
        }
        for (pattern, shape, dtype), names in found.items()
    ]


def _tensors(
    checkpoint: Checkpoint, *, stats: bool = False, on_progress: Callable[[int, int], None] | None = None
) -> list[dict[str, Any]]:
    rows, done, every = [], 0, checkpoint.nbytes if stats else 0
    for name, ref in checkpoint.items():
        row: dict[str, Any] = {
            "name": name,
            "shape": list(ref.shape),
            "dtype": ref.dtype_name,
            "bytes": ref.nbytes,
        }
        if checkpoint.parameter_names:
            row["parameter"] = checkpoint.parameter_names.get(name, "")
        if stats:
            from convert.apply.statistics import statistics

            row |= statistics(ref)
            if on_progress is not None:
                done += ref.nbytes
                on_progress(done, every)
        rows.append(row)
    return rows


def _facts(checkpoint: Checkpoint) -> dict[str, Any]:
    facts = checkpoint.facts
    return {
        "path": str(checkpoint.path),
        "format": facts.format,
        "protocol": facts.protocol,
        "shape": facts.shape,
        "key": facts.key,
        "size": facts.size,
        "elements": sum(ref.size for ref in checkpoint.values()),
        "tensor_bytes": checkpoint.nbytes,
        "looks_like": _candidates(checkpoint),
        "extras": dict(checkpoint.extras),
        "notes": [*facts.notes, *_unusual(checkpoint)],
    }


def _unusual(checkpoint: Checkpoint) -> Iterable[str]:
    """What a reader of the table would not see."""
    held: dict[str, list[str]] = {}
    for name, parameter in checkpoint.parameter_names.items():
        held.setdefault(parameter, []).append(name)
    several = {parameter: names for parameter, names in held.items() if len(names) > 1}
    if len(several) > _TIED_MOST:  # a recurrent layer of Paddle's lists all that it has twice
        first = next(iter(several.values()))
        yield f"{len(several)} parameters under several names (recurrent layers, tied weights): {_some(first)}, ..."
    else:
        for parameter, names in several.items():
            yield f"one parameter under several names (tied weights): {_some(names)} are {parameter}"
    fortran = [name for name, ref in checkpoint.items() if ref.fortran]
    if fortran:
        yield f"stored column by column (Fortran order), written row by row: {_some(fortran)}"
    empty = [name for name, ref in checkpoint.items() if ref.size == 0]
    if empty:
        yield f"without elements: {_some(empty)}"


def _some(names: Sequence[str]) -> str:
    from convert.names import listed, shown

    return listed([shown(name) for name in names])


def _candidates(checkpoint: Checkpoint) -> list[str]:
    """Registered networks that these names and shapes can be."""
    from convert.plan.recognize import recognize

    return [str(found) for found in recognize({name: ref.shape for name, ref in checkpoint.items()})]


def _report(checkpoint: Checkpoint, rows: Sequence[dict[str, Any]]) -> Iterable[str]:
    from convert.names import counted

    facts = _facts(checkpoint)
    protocol = f", pickle protocol {facts['protocol']}" if facts["protocol"] else ""
    shape = f", {facts['shape']}" if facts["shape"] != facts["format"] else ""
    yield f"{facts['path']}: {facts['format']}{protocol}{shape}, {facts['size']:,} bytes"
    if facts["key"]:
        yield f"state dict at key: {facts['key']}"
    yield ""
    grouped = bool(rows) and "tensors" in rows[0]
    yield from _columns(rows[:ROWS_MOST] if grouped else rows)
    if grouped:
        yield ""
        beyond = f" of {len(rows):,} rows {ROWS_MOST:,} are shown;" if len(rows) > ROWS_MOST else ""
        yield f"* stands for a number: tensors whose names differ in their numbers alone share a row;{beyond} --json lists every tensor"
    yield ""
    yield f"{counted(len(checkpoint), 'tensor')}, {facts['elements']:,} elements, {facts['tensor_bytes']:,} bytes"
    for candidate in facts["looks_like"]:
        yield f"looks like: {candidate}"
    for name, value in facts["extras"].items():
        text = str(value)
        yield f"also in the file: {name} = {text if len(text) <= 100 else text[:97] + '...'}"
    for note in facts["notes"]:
        yield f"unusual: {note}"


def _columns(rows: Sequence[dict[str, Any]]) -> Iterable[str]:
    """Rows as aligned columns: numbers to the right, text to the left."""
    from convert.columns import Column, aligned
    from paddle2torch.console import table_width

    if not rows:
        return
    columns = [
        Column(
            title,
            right=isinstance(value, (int, float)),
            least=24 if title == "name" else 0,
            leaves=LEAVES.get(title, 0),
        )
        for title, value in rows[0].items()
    ]
    cells = [[escaped(_cell(value)) for value in row.values()] for row in rows]
    yield from aligned(columns, cells, table_width()).lines()


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return "x".join(map(str, value)) or "scalar"
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
