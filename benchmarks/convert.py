"""How fast the converter is, and how much memory it takes: `python -m benchmarks.convert`.

Every way is a fresh process, all ways in turn, several rounds; times are medians, divided by the median
of `cp` on the same 553 MB file. Memory is the process's own peak (VmHWM), which unlike `ru_maxrss` does not
inherit the parent's. Needs both frameworks, Linux, and about 4 GB of free disk.

    python -m benchmarks.convert                  # VGG-16, five rounds
    python -m benchmarks.convert --flat           # memory from 100 MB to 8 GB of weights too (20 GB of disk)
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MAKE_VGG = """
import sys, paddle
from paddle_models.vgg import vgg16
paddle.seed(0)
state = vgg16(num_classes=1000).state_dict()
for protocol in (4, 2):
    paddle.save(state, f"{sys.argv[1]}/vgg{protocol}.pdparams", protocol=protocol)
"""
MAKE_MATRICES = """
import pickle, sys
import numpy as np
count, path = int(sys.argv[1]), sys.argv[2]
weight = np.random.default_rng(0).standard_normal((5000, 5000), dtype=np.float32)  # 100 MB
tensors = {f"fc{i}.weight": weight + i for i in range(count)}
table = {f"fc{i}.weight": f"linear_{i}.w_0" for i in range(count)}
with open(path, "wb") as stream:
    pickle.dump({**tensors, "StructuredToParameterName@@": table}, stream, protocol=4)
"""
PEAK = """
import atexit, sys
def peak():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print("PEAK", line.split()[1], file=sys.stderr)
atexit.register(peak)
"""
COMMAND = PEAK + "from paddle2torch.cli import main\nsys.exit(main(sys.argv[1:]))"
USUAL = PEAK + (
    "import warnings; warnings.simplefilter('ignore')\n"
    "import paddle, torch\n"
    "state = paddle.load(sys.argv[1])\n"
    "torch.save({k: torch.from_numpy(v.numpy().T.copy() if v.ndim == 2 else v.numpy()) for k, v in state.items()},"
    " sys.argv[2])\n"
)
PICKLE = PEAK + (
    "import pickle; import numpy as np; from safetensors.numpy import save_file\n"
    "state = pickle.load(open(sys.argv[1], 'rb')); state.pop('StructuredToParameterName@@')\n"
    "save_file({k: np.ascontiguousarray(v.T) if v.ndim == 2 else v for k, v in state.items()}, sys.argv[2])\n"
)


@dataclass(frozen=True)
class Way:
    """One way to do the job: what to call it and what to run; `{out}` is a path that does not exist."""

    name: str
    command: Sequence[str]


def ways(folder: Path) -> Iterator[Way]:
    """The converter, what it is compared with, and `inspect`."""
    python = (sys.executable, "-c")
    vgg4, vgg2 = str(folder / "vgg4.pdparams"), str(folder / "vgg2.pdparams")
    yield Way("cp (protocol 4 file)", ("cp", vgg4, "{out}"))
    for label, source, suffix in (
        ("protocol 4 -> safetensors", vgg4, "safetensors"),
        ("protocol 4 -> pth", vgg4, "pth"),
        ("protocol 2 -> safetensors", vgg2, "safetensors"),
    ):
        yield Way(label, (*python, COMMAND, "convert", source, "--model", "vgg16", "-o", "{out}." + suffix))
    yield Way("inspect, protocol 4", (*python, COMMAND, "inspect", vgg4))
    yield Way("inspect, protocol 2", (*python, COMMAND, "inspect", vgg2))
    yield Way("paddle.load + torch.save, protocol 4", (*python, USUAL, vgg4, "{out}.pth"))
    yield Way("pickle + safetensors, protocol 4", (*python, PICKLE, vgg4, "{out}.safetensors"))
    yield Way("paddle.load + torch.save, protocol 2", (*python, USUAL, vgg2, "{out}.pth"))


def run(way: Way, folder: Path) -> tuple[float, float | None]:
    """Seconds and peak MB of one fresh process."""
    out = folder / "out"
    command = [word.replace("{out}", str(out)) for word in way.command]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    for path in folder.glob("out*"):
        path.unlink()
    if done.returncode:
        raise SystemExit(f"{way.name} failed: {done.stderr}")
    peaks = [line.split()[1] for line in done.stderr.splitlines() if line.startswith("PEAK")]
    return seconds, int(peaks[-1]) * 1024 / 1e6 if peaks else None


def measure(folder: Path, rounds: int) -> Mapping[str, tuple[float, float | None]]:
    """Median seconds and greatest peak of every way."""
    results: dict[str, list[tuple[float, float | None]]] = {}
    for number in range(rounds):
        for way in ways(folder):
            print(f"round {number + 1}/{rounds}: {way.name}", file=sys.stderr, flush=True)
            results.setdefault(way.name, []).append(run(way, folder))
    return {
        name: (
            statistics.median(s for s, _ in runs),
            max((p for _, p in runs if p is not None), default=None),
        )
        for name, runs in results.items()
    }


def flat(folder: Path) -> None:
    """Peak memory while the weights grow."""
    print(f"\n{'weights, 5000x5000 matrices':38} {'seconds':>8} {'peak MB':>8}")
    for count in (1, 5, 20, 80):
        source = folder / "matrices.pdparams"
        subprocess.run([sys.executable, "-c", MAKE_MATRICES, str(count), str(source)], check=True)
        command = (sys.executable, "-c", COMMAND, "convert", str(source), "-o", "{out}.safetensors")
        seconds, peak = run(Way("flat", command), folder)
        print(f"{count * 100:34} MB  {seconds:8.2f} {peak:8.0f}", flush=True)
        source.unlink()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--flat", action="store_true", help="also measure memory from 100 MB to 8 GB of weights"
    )
    parser.add_argument("--folder", help="where to put the files (default: the temporary directory)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        folder = Path(name)
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", MAKE_VGG, name], check=True, capture_output=True
        )
        size = os.path.getsize(folder / "vgg4.pdparams")
        results = measure(folder, args.rounds)
        base = results["cp (protocol 4 file)"][0]
        print(f"\nVGG-16, {size / 1e6:.0f} MB, {os.cpu_count()} cores, medians of {args.rounds} rounds\n")
        print(f"{'way':38} {'seconds':>8} {'/ cp':>6} {'peak MB':>8}")
        for way, (seconds, peak) in results.items():
            print(f"{way:38} {seconds:8.2f} {seconds / base:6.1f} {'' if peak is None else f'{peak:.0f}':>8}")
        if args.flat:
            flat(folder)


if __name__ == "__main__":
    main()
