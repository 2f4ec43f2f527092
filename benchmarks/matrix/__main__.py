"""`python -m benchmarks.matrix`: the commands with other versions of Paddle and torch, one environment a version.

Environments are made in a scratch folder outside the checkout (`--scratch`, by default in the system's temporary folder)
and used again; a version that no index has is a line of the table. Every other version meets this environment's version of
the other framework. The table goes into `docs/guide/environments.md` and its Chinese twin.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from convert.checkpoint.reader import open_checkpoint
from convert.errors import ConvertError
from convert.rosetta.versions import VERSIONS

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("docs/guide/environments.md", "docs/guide/environments.zh.md")
BEGIN, END = "<!-- matrix -->", "<!-- end of matrix -->"
RELEASES = {"paddlepaddle": ("2.5.2", "2.6.2", "3.3.1"), "torch": ("2.1.2", "2.4.1", "2.13.0")}
OLD_NUMPY = ("2.5", "2.6", "2.1", "2.2", "2.3", "2.4")
"""Beginnings of versions that were built for numpy 1."""
NETWORKS = {
    "lenet": ("lenet",),
    "resnet18": ("resnet18", "--shape", "2,3,64,64"),
    "attention and GRU": (
        *("--paddle", "benchmarks/matrix/paddle_net.py:Net", "--torch", "benchmarks/matrix/torch_net.py:Net"),
        *("--shape", "2,3,8,8"),
    ),
}
"""What is proved, with gradients and two steps of an optimizer."""
CHINESE = {
    "version": "版本",
    "attention and GRU": "注意力和 GRU",
    "reading": "读取",
    "converting": "转换",
    "the same numbers": "数值相同",
    "weights and optimizer": "权重和优化器",
    "the same": "相同",
    "no index here has it": "这里的软件源没有它",
}
"""A cell of the table -> the same in the Chinese page."""
MINUTES = 20
"""Of one command, after which it counts as failed."""


@dataclass(frozen=True)
class Environment:
    """One framework in one version."""

    framework: str
    version: str
    python: str

    @property
    def side(self) -> str:
        """`paddle` or `torch`."""
        return "torch" if self.framework == "torch" else "paddle"


def main() -> int:
    """Make the table, print it, and write it into the docs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.matrix", description=__doc__)
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "paddle2torch-matrix")
    parser.add_argument("--only", nargs="*", default=[], metavar="FRAMEWORK==VERSION")
    parser.add_argument("--no-docs", action="store_true", help="print the table and write nothing")
    args = parser.parse_args()
    rows = [["version", *NETWORKS, "reading", "converting", "summary", "Rosetta"]]
    for framework, versions in RELEASES.items():
        for number in versions:
            if args.only and f"{framework}=={number}" not in args.only:
                continue
            row = [f"{framework} {number}", *_row(framework, number, args.scratch)]
            print(" | ".join(row), file=sys.stderr)
            rows.append(row)
    print(_table(rows))
    if not args.no_docs and not args.only:
        translated = [[_chinese(cell) for cell in row] for row in rows]
        for page, shown in zip(PAGES, (rows, translated), strict=True):
            _write(ROOT / page, _table(shown))
    return 0


def _chinese(cell: str) -> str:
    return CHINESE.get(cell, cell.replace("rows noted", "行有说明"))


def _row(framework: str, number: str, scratch: Path) -> list[str]:
    found = _environment(framework, number, scratch)
    if isinstance(found, str):
        return [found] + ["-"] * (len(NETWORKS) + 3)
    cells: list[Callable[[Path], str]] = [
        *(lambda folder, words=words: _proof(found, words) for words in NETWORKS.values()),  # type: ignore[misc]
        lambda folder: _reading(found, folder),
        lambda folder: _converting(found, folder),
        lambda folder: _summary(found),
        lambda folder: _rosetta(found, folder),
    ]
    with tempfile.TemporaryDirectory() as folder:
        return [_cell(cell, Path(folder)) for cell in cells]


def _cell(cell: Callable[[Path], str], folder: Path) -> str:
    try:
        return cell(folder)
    except (Failed, ConvertError) as error:
        return f"fails: {' '.join(str(error).split())[:120]}".replace("|", "/")


class Failed(Exception):
    """A command of the matrix did not do what it should."""


def _environment(framework: str, number: str, scratch: Path) -> Environment | str:
    """An interpreter with that version: this one's, or one in `scratch`; a text says why there is none."""
    if version(framework).partition("+")[0] == number:
        return Environment(framework, number, sys.executable)
    folder = scratch / f"{framework}-{number}"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        numpy = "numpy<2" if number.startswith(OLD_NUMPY) else "numpy"
        # What the package itself needs, for `summary` there.
        needed = [f"{framework}=={number}", numpy, "setuptools<81", "rich", "safetensors", "jinja2"]
        commands = (
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *needed],
        )
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                absent = "No matching distribution" in done.stderr
                return "no index here has it" if absent else f"cannot be installed: {_last(done.stderr)}"
        (folder / "ready").touch()
    return Environment(framework, number, str(python))


def _proof(env: Environment, words: Sequence[str]) -> str:
    done = _run(
        [
            *PADDLE2TORCH,
            "parity",
            *words,
            "--gradients",
            "--steps",
            "2",
            "--optimizer",
            "adamw",
            f"--{env.side}-python",
            env.python,
        ],
        ROOT,
        accepted=(0, 1, 3),
    )
    verdict = next((word for word in ("EQUIVALENT", "DIFFERENT", "INCONCLUSIVE") if f"{word}:" in done), "")
    if not verdict:
        raise Failed(_last(done))
    return verdict if verdict == "EQUIVALENT" else f"{verdict}: {_last(done)[:120]}"


PADDLE2TORCH = (sys.executable, "-m", "paddle2torch")


def _reading(env: Environment, folder: Path) -> str:
    """Files that this version writes hold the numbers that they should."""
    _probe(env.python, f"{env.side}_writes", folder)
    names = ["net.pdparams", "net.pdiparams"] if env.side == "paddle" else ["theirs.pth", "theirs_old.pth"]
    expected = dict(np.load(folder / ("values.npz" if env.side == "paddle" else "theirs.npz")))
    for name in names:
        with open_checkpoint(folder / name) as checkpoint:
            held = [checkpoint[key].numpy() for key in checkpoint]
            same = all(any(_equal(value, one) for one in held) for value in expected.values())
            if not same or (name != "net.pdiparams" and set(checkpoint) != set(expected)):
                raise Failed(f"{name} is read otherwise than it was written")
    return "the same numbers"


def _equal(one: np.ndarray, other: np.ndarray) -> bool:
    return one.size == other.size and np.array_equal(one.reshape(-1), other.reshape(-1))


def _converting(env: Environment, folder: Path) -> str:
    """Weights and optimizer state: written by this version of Paddle, or loaded by this version of torch."""
    if env.side == "torch":
        _probe(sys.executable, "paddle_writes", folder)
    words = ["convert", "net.pdparams", "--torch", f"{ROOT}/benchmarks/matrix/probes.py:torch_net"]
    converter = env.python if env.side == "torch" else sys.executable
    _run([converter, "-m", "paddle2torch", *words, "--pdopt", "net.pdopt", "-o", "run.pth"], folder)
    _probe(converter, "torch_reads", folder)
    return "weights and optimizer"


def _summary(env: Environment) -> str:
    words = ["-m", "paddle2torch", "summary", "resnet18", "--framework", env.side, "--json"]
    here, there = (_run([python, *words], ROOT) for python in (sys.executable, env.python))
    one, other = json.loads(here), json.loads(there)
    if one != other:
        raise Failed("another summary than with this environment's version")
    return "the same"


def _rosetta(env: Environment, folder: Path) -> str:
    """Paddle's side of the examples, beside this environment's Paddle: rows that differ have a note in `VERSIONS`."""
    if env.side == "torch":
        return "-"
    found = []
    for python in (sys.executable, env.python):
        _probe(python, "paddle_examples", folder)
        found.append(pickle.loads((folder / "examples.pickle").read_bytes()))
    here, there = found
    differing = {row for row, number in here if not _alike(here[row, number], there[row, number])}
    unsaid = sorted(differing - VERSIONS.keys())
    if unsaid and env.python != sys.executable:
        raise Failed(f"{len(unsaid)} rows differ without a note: {', '.join(unsaid)}")
    return f"{len(differing)} rows noted" if differing else "the same"


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return isinstance(one, str) and isinstance(other, str)
    if [value.shape for value in one] != [value.shape for value in other]:
        return False
    return all(_close(value, twin) for value, twin in zip(one, other, strict=True))


def _close(one: np.ndarray, other: np.ndarray) -> bool:
    if one.dtype.kind not in "fciub" or other.dtype.kind not in "fciub":
        return bool(np.array_equal(one, other))
    one, other = one.astype(complex), other.astype(complex)
    return bool(
        np.allclose(one, other, rtol=0, atol=1e-9 * max(1e-30, np.abs(one).max(initial=0)), equal_nan=True)
    )


def _probe(python: str, what: str, folder: Path) -> None:
    _run([python, str(ROOT / "benchmarks/matrix/probes.py"), what], folder)


def _run(command: Sequence[str], folder: Path, accepted: Sequence[int] = (0,)) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "500", "PYTHONWARNINGS": "ignore"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60 * MINUTES,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"takes more than {MINUTES} minutes") from None
    if done.returncode not in accepted:
        raise Failed(_last(done.stderr or done.stdout))
    return done.stdout


def _last(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "nothing was said")


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def _write(page: Path, table: str) -> None:
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
