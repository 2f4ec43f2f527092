"""What very many small tensors cost: `python -m benchmarks.many [--tensors 100000] [--floats 16] [--rounds 3]`.

One file of each kind, made by the frameworks themselves, is inspected and converted, each time in a fresh process, all of them in turn.
Times are medians of the processor's (`convert` has two threads), for one tensor too; memory is the process's own peak (VmHWM).
`--before CHECKOUT` runs the command of another checkout in turn with this one; `--files N` converts a folder of so many small files instead.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

MAKE = """
import sys
import numpy as np, paddle, torch
from safetensors.numpy import save_file
count, floats, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
roles = ("weight", "bias", "scale", "offset")
arrays = np.arange(count * floats, dtype="float32").reshape(count, floats)
state = {f"blocks.{i // 4}.norm.{roles[i % 4]}": row.copy() for i, row in enumerate(arrays)}
ours = {name: paddle.to_tensor(row) for name, row in state.items()}
theirs = {name: torch.from_numpy(row) for name, row in state.items()}
paddle.save(ours, f"{folder}/protocol 4.pdparams")
paddle.save(ours, f"{folder}/protocol 2.pdparams", protocol=2)
paddle.save({"model": ours, "epoch": 1}, f"{folder}/nested.pdparams")
torch.save(theirs, f"{folder}/zip.pth")
torch.save(theirs, f"{folder}/before 1.6.pth", _use_new_zipfile_serialization=False)
save_file(state, f"{folder}/written by numpy.safetensors")
"""
MAKE_FILES = """
import sys
import paddle
for number in range(int(sys.argv[1])):
    paddle.save({"fc.weight": paddle.full([4, 4], number, "float32")}, f"{sys.argv[2]}/{number // 100}/{number}.pdparams")
"""
COMMAND = """
import atexit, sys, time
def tell():
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]
    print("TOLD", time.process_time(), peak, file=sys.stderr)
atexit.register(tell)
from paddle2torch.cli import console_script
console_script()
"""


def run(checkout: Path, *arguments: str) -> tuple[float, float]:
    """Seconds of the processor and megabytes of one command of a checkout."""
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        return float("nan"), float("nan")  # a checkout may refuse what another reads
    _, seconds, kilobytes = done.stderr.splitlines()[-1].split()
    return float(seconds), int(kilobytes) / 1024


def jobs(folder: Path, files: int) -> dict[str, Sequence[str]]:
    """What is done, by what to call it."""
    if files:
        return {
            f"convert a folder of {files:,} files": (
                "convert",
                str(folder),
                "-o",
                str(folder / "out"),
                "--force",
            )
        }
    found: dict[str, Sequence[str]] = {}
    for path in sorted(folder.iterdir()):
        name = f"{path.stem} {path.suffix}"
        found[f"inspect {name}"] = ("inspect", str(path))
        for suffix in (".pth", ".safetensors"):
            target = str(folder.with_name("out") / f"x{suffix}")
            found[f"convert {name} to {suffix}"] = ("convert", str(path), "-o", target, "--force")
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tensors", type=int, default=100_000)
    parser.add_argument("--floats", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", type=int, default=0)
    parser.add_argument("--before", type=Path)
    args = parser.parse_args()
    here = Path(__file__).parent.parent
    checkouts = [here] if args.before is None else [args.before.resolve(), here]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "files")
        Path(name, "out").mkdir()
        folder.mkdir()
        made = [MAKE, str(args.tensors), str(args.floats), str(folder)]
        if args.files:
            for number in range(-(-args.files // 100)):
                (folder / str(number)).mkdir()
            made = [MAKE_FILES, str(args.files), str(folder)]
        subprocess.run([sys.executable, "-W", "ignore", "-c", *made], check=True, capture_output=True)
        measured: dict[tuple[str, Path], list[tuple[float, float]]] = {}
        for _ in range(args.rounds):
            for job, words in jobs(folder, args.files).items():
                for checkout in checkouts:
                    measured.setdefault((job, checkout), []).append(run(checkout, *words))
    each = args.files or args.tensors
    load = os.getloadavg()[0]
    print(
        f"{each:,} {'files' if args.files else f'tensors of {args.floats} float32'}, medians of {args.rounds}; load {load:.1f}"
    )
    for (job, checkout), costs in measured.items():
        seconds, megabytes = (statistics.median(values) for values in zip(*costs, strict=True))
        whose = "" if args.before is None else ("after" if checkout == here else "before")
        told = f"{seconds:7.2f} s {seconds / each * 1e6:8.1f} us each {megabytes:6.0f} MB"
        print(f"{job:52} {whose:7} {'refused' if math.isnan(seconds) else told}")


if __name__ == "__main__":
    main()
