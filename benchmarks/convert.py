"""How fast the converter is, and how much memory it takes: `python -m benchmarks.convert`.

Every way is a fresh process, all ways in turn, several rounds; times are medians, divided by the median
of `cp` on the same 553 MB file. Memory is the process's own peak (VmHWM), which unlike `ru_maxrss` does not
inherit the parent's. Needs both frameworks, Linux, and about 4 GB of free disk.

    python -m benchmarks.convert                  # VGG-16, five rounds; memory from 100 MB to 2 GB of weights
    python -m benchmarks.convert --flat           # memory up to 8 GB of weights (20 GB of disk)

The last table sets every goal beside what was measured. Times against `cp` mean something on an idle machine only:
the converter works with two threads, `cp` with none, and the load average is printed with them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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
COMMAND = PEAK + "from paddle2torch.cli import console_script\nconsole_script()"
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
    yield Way(CP, ("cp", vgg4, "{out}"))
    for label, source, suffix in (
        (TO_SAFETENSORS, vgg4, "safetensors"),
        (TO_PTH, vgg4, "pth"),
        (FROM_2, vgg2, "safetensors"),
    ):
        yield Way(label, (*python, COMMAND, "convert", source, "--model", "vgg16", "-o", "{out}." + suffix))
    yield Way("inspect, protocol 4", (*python, COMMAND, "inspect", vgg4))
    yield Way("inspect, protocol 2", (*python, COMMAND, "inspect", vgg2))
    yield Way(USUAL_4, (*python, USUAL, vgg4, "{out}.pth"))
    yield Way("pickle + safetensors, protocol 4", (*python, PICKLE, vgg4, "{out}.safetensors"))
    yield Way("paddle.load + torch.save, protocol 2", (*python, USUAL, vgg2, "{out}.pth"))


def run(way: Way, folder: Path) -> tuple[float, float | None]:
    """Seconds and peak MB of one fresh process."""
    out = folder / "out"
    command = [word.replace("{out}", str(out)) for word in way.command]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
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
    for way in ways(folder):
        run(way, folder)
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


def flat(folder: Path, counts: Sequence[int]) -> list[float]:
    """Peak memory while the weights grow, `counts` times 100 MB."""
    print(f"\n{'weights, 5000x5000 matrices':38} {'seconds':>8} {'peak MB':>8}")
    peaks = []
    for count in counts:
        source = folder / "matrices.pdparams"
        subprocess.run([sys.executable, "-c", MAKE_MATRICES, str(count), str(source)], check=True)
        command = (sys.executable, "-c", COMMAND, "convert", str(source), "-o", "{out}.safetensors")
        seconds, peak = run(Way("flat", command), folder)
        print(f"{count * 100:34} MB  {seconds:8.2f} {peak:8.0f}", flush=True)
        source.unlink()
        peaks.append(peak or 0.0)
    return peaks


ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""With compiled modules, as an installed package has them; the first, unmeasured run of each way writes them."""

Results = Mapping[str, tuple[float, float | None]]
CP = "cp (protocol 4 file)"
USUAL_4 = "paddle.load + torch.save, protocol 4"
TO_SAFETENSORS, TO_PTH, FROM_2 = (
    "protocol 4 -> safetensors",
    "protocol 4 -> pth",
    "protocol 2 -> safetensors",
)


@dataclass(frozen=True)
class Goal:
    """One line of the table of goals: a number of the results, and what it should be at most."""

    what: str
    measured: Callable[[Results], float]
    most: float
    unit: str = ""

    def line(self, results: Results) -> str:
        """Measured beside wanted."""
        value = self.measured(results)
        word = "met" if value <= self.most else "MISSED"
        return f"{self.what:58} {value:8.2f} <= {self.most:6.2f} {self.unit:5} {word}"


def _against_cp(way: str) -> Callable[[Results], float]:
    return lambda results: results[way][0] / results[CP][0]


def _peak(way: str) -> Callable[[Results], float]:
    return lambda results: results[way][1] or float("nan")


GOALS = (
    Goal(f"{TO_SAFETENSORS}, time / cp", _against_cp(TO_SAFETENSORS), 2.5),
    Goal(f"{TO_SAFETENSORS}, peak", _peak(TO_SAFETENSORS), 128, "MB"),
    Goal(f"{FROM_2}, time / cp", _against_cp(FROM_2), 8),
    Goal(f"{FROM_2}, peak", _peak(FROM_2), 128, "MB"),
    Goal(f"{TO_PTH}, time / cp", _against_cp(TO_PTH), 3.5),
    Goal(f"{TO_PTH}, peak", _peak(TO_PTH), 128, "MB"),
    Goal(
        "time against paddle.load + torch.save (to .pth)",
        lambda results: results[TO_PTH][0] / results[USUAL_4][0],
        1 / 10,
    ),
    Goal(
        "time against paddle.load + torch.save (to safetensors)",
        lambda results: results[TO_SAFETENSORS][0] / results[USUAL_4][0],
        1 / 10,
    ),
    Goal(
        "memory against paddle.load + torch.save",
        lambda results: _peak(TO_SAFETENSORS)(results) / _peak(USUAL_4)(results),
        1 / 12,
    ),
    Goal("inspect a file of 553 MB, time", lambda results: results["inspect, protocol 4"][0], 0.3, "s"),
    Goal("inspect a file of 553 MB, peak", _peak("inspect, protocol 4"), 40, "MB"),
)
FLAT_WITHIN = 20.0
"""MB between the peaks of small and of large checkpoints."""


def show(results: Results, title: str) -> None:
    """Every way, then every goal with what was measured beside it."""
    print(f"\n{title}\n\n{'way':38} {'seconds':>8} {'/ cp':>6} {'peak MB':>8}")
    for way, (seconds, peak) in results.items():
        shown = "" if peak is None else f"{peak:.0f}"
        print(f"{way:38} {seconds:8.2f} {seconds / results[CP][0]:6.1f} {shown:>8}")
    print(f"\n{'goal':58} {'measured':>8}    {'wanted':>6}")
    for goal in GOALS:
        print(goal.line(results), flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--flat", action="store_true", help="measure memory up to 8 GB of weights, not 2")
    parser.add_argument("--folder", help="where to put the files (default: the temporary directory)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        folder = Path(name)
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", MAKE_VGG, name], check=True, capture_output=True
        )
        size = os.path.getsize(folder / "vgg4.pdparams")
        results = measure(folder, args.rounds)
        load = f"load {os.getloadavg()[0]:.1f}"
        show(
            results,
            f"VGG-16, {size / 1e6:.0f} MB, {os.cpu_count()} cores ({load}), medians of {args.rounds} rounds",
        )
        peaks = flat(folder, (1, 5, 20, 80) if args.flat else (1, 5, 20))
        spread = max(peaks) - min(peaks)
        flatness = Goal(
            "memory while the weights grow, largest - smallest", lambda _: spread, FLAT_WITHIN, "MB"
        )
        print(flatness.line({}))


if __name__ == "__main__":
    main()
