"""What a proof costs, next to running both networks: `python -m benchmarks.parity`.

Every way is a fresh process with both frameworks in it, all ways in turn, each round. The time is what passes between
a finished warm-up (both models built and run once) and the result; ratios are medians of the ratios within a round, so
that a busy machine disturbs both sides of a ratio alike. The plain forwards run one after the other with the threads
that each framework takes by itself (Paddle one, torch one for each core). Memory is the process's own peak (VmHWM) from
start to end. "One input" is the verdict on the input that the plain forwards get; a check as it comes adds two further inputs,
at batch 2. Needs both frameworks and Linux.

    python -m benchmarks.parity                               # ResNet-50 and VGG-16 at batch 8, one round
    python -m benchmarks.parity --rounds 5                    # medians of five
    python -m benchmarks.parity --no-padiff                   # without PaDiff, which pip puts into a temporary folder
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
NETWORKS = {"resnet50": "resnet", "vgg16": "vgg"}
"""Builder -> module of the model folders."""


class Way(NamedTuple):
    """One way to run or compare both models.

    goal: the most that it may take of the plain float32 forwards. light: whether `MEMORY_GOAL` is for it.
    """

    name: str
    work: str
    goal: float | None = None
    light: bool = False


WAYS = (
    Way("both forwards, float32", "forwards32"),
    Way("both forwards, float64", "forwards64"),
    Way("recorded and compared, float32", "compare32", 1.3, light=True),
    Way("check, one input", "check_one", 4.0, light=True),
    Way("check, as it comes", "check", light=True),
    Way("check of a faulty pair", "faulty", 8.0, light=True),
)
PADIFF = Way("PaDiff, forward only", "padiff")
MEMORY_GOAL = 1.15
"""The most that the peak may be of that of both plain float64 forwards."""


class Measured(NamedTuple):
    """Seconds of the work alone, by the clock and of the processors; peak memory of the process; the same before."""

    seconds: float
    processor: float
    peak_mb: float
    built_mb: float


# -- in the child --------------------------------------------------------------------------------------


def build(name: str) -> tuple[Any, Any]:
    """Both models with the same random weights, in eval mode."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import paddle

    for part in ("runs.lockstep", "checker", "capture.paddle", "capture.torch"):
        importlib.import_module(f"parity.{part}")  # no more part of the work than the frameworks' own import
    from convert import convert_state_dict

    paddle.seed(0)
    paddle_model, torch_model = (
        getattr(importlib.import_module(f"{side}_models.{NETWORKS[name]}"), name)(num_classes=1000)
        for side in ("paddle", "torch")
    )
    torch_model.load_state_dict(
        convert_state_dict(paddle_model.state_dict(), torch_model), strict=True, assign=True
    )
    paddle_model.eval()
    torch_model.eval()
    return paddle_model, torch_model


def forwards(paddle_model: Any, torch_model: Any, images: Any) -> None:
    """One forward of each, without gradients."""
    import paddle
    import torch

    with paddle.no_grad():
        paddle_model(paddle.to_tensor(images)).numpy()
    with torch.no_grad():
        torch_model(torch.from_numpy(images)).numpy()


def forwards32(paddle_model: Any, torch_model: Any, images: Any) -> None:
    """The measure of all things."""
    forwards(paddle_model, torch_model, images)


def forwards64(paddle_model: Any, torch_model: Any, images: Any) -> None:
    """What a float64 comparison by hand runs: both models converted in place."""
    forwards(paddle_model.to(dtype="float64"), torch_model.double(), images.astype("float64"))


def compare32(paddle_model: Any, torch_model: Any, images: Any) -> None:
    """Record both in float32 and compare every aligned pair of operators, elementwise."""
    from parity.align.pipeline import prepare
    from parity.runs.lockstep import Lockstep
    from parity.sides.live import LiveSide
    from parity.trace.values import scratch_directory

    sides = LiveSide("paddle", paddle_model), LiveSide("torch", torch_model)
    weights = tuple(side.parameters() for side in sides)
    with ExitStack() as stack:
        scratch = stack.enter_context(scratch_directory())
        step = Lockstep(*sides, {"0": images}, "eval", scratch, stack, rounded=False)
        plan = step.plan(lambda paddle, torch: prepare(paddle, torch, weights).align())
        step.run("float32", plan)
        found = step.met["float32"].found
    assert len(found) == len(plan.partners["torch"]) > 30, len(found)
    worst = max(one.max_rel for one in found.values())
    assert worst < 1e-3, worst


def check_one(paddle_model: Any, torch_model: Any, images: Any) -> None:
    """The verdict on the given input: audit, float64 and float32."""
    import parity

    report = parity.check(paddle_model, torch_model, images, further=False)
    assert report, str(report)


def check(paddle_model: Any, torch_model: Any, images: Any) -> None:
    """The same with the further inputs that a check adds by itself."""
    import parity

    report = parity.check(paddle_model, torch_model, images)
    assert report, str(report)


def faulty(paddle_model: Any, torch_model: Any, images: Any) -> None:
    """A pair that differs from its first operator on: torch runs once more, on Paddle's inputs."""
    import torch

    import parity

    first = next(module for module in torch_model.modules() if isinstance(module, torch.nn.Conv2d))
    with torch.no_grad():
        first.weight.mul_(1.001)
    report = parity.check(paddle_model, torch_model, images)
    assert report.findings, str(report)
    assert report.cases[0].judgement.replayed


def padiff(paddle_model: Any, torch_model: Any, images: Any) -> None:
    """PaDiff's comparison of the two forwards, layer by layer."""
    import paddle
    import torch
    from padiff import auto_diff

    options = {"diff_phase": "forward", "auto_init": False}
    (name,) = inspect.signature(torch_model.forward).parameters
    tensors = {name: paddle.to_tensor(images)}, {name: torch.from_numpy(images)}
    auto_diff(paddle_model, torch_model, tensors, auto_weights=False, options=options)


def peak(name: str = "VmHWM") -> float:
    """MB of this process (1 MB = 1e6 bytes)."""
    with open("/proc/self/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith(name)).split()[1]) * 1024 / 1e6


def child(work: str, network: str, batch: int) -> None:
    """Build, warm up, do the work and print what it took."""
    import numpy as np

    models = build(network)
    images = np.random.default_rng(0).standard_normal((batch, 3, 224, 224), dtype=np.float32)
    built = peak("VmRSS")
    forwards(*models, images)
    function: Callable[..., None] = globals()[work]
    started = time.perf_counter(), time.process_time()
    function(*models, images)
    seconds, processor = time.perf_counter() - started[0], time.process_time() - started[1]
    print("MEASURED", seconds, processor, peak(), built, flush=True)


# -- in the parent -------------------------------------------------------------------------------------


def run(way: Way, network: str, batch: int, extra: Path | None = None) -> Measured:
    """One fresh process; SystemExit with its last words if it fails."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.parity", "--child", way.work]
    command += ["--networks", network, "--batch", str(batch)]
    with tempfile.TemporaryDirectory() as scratch:
        paths = f"{extra}{os.pathsep}{ROOT}" if extra is not None else str(ROOT)
        environment = {**os.environ, "TMPDIR": scratch, "PYTHONPATH": paths}
        # In a folder of its own: PaDiff writes its log where it runs.
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=environment, cwd=scratch
        )
    lines = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("MEASURED")]
    if done.returncode or not lines:
        raise SystemExit(f"{way.name} ({network}) failed:\n{done.stdout[-1000:]}{done.stderr[-3000:]}")
    return Measured(*map(float, lines[-1]))


def fails(way: Way, extra: Path) -> str:
    """Why a way does not run here at all, or ""."""
    try:
        run(way, next(iter(NETWORKS)), 1, extra)
    except SystemExit as error:
        return str(error).strip().splitlines()[-1]
    return ""


def measure(
    network: str, batch: int, rounds: int, ways: Sequence[Way], extra: Path
) -> dict[str, list[Measured]]:
    """All ways in turn, round after round."""
    results: dict[str, list[Measured]] = {way.work: [] for way in ways}
    for number in range(rounds):
        for way in ways:
            print(
                f"{network}, round {number + 1}/{rounds}: {way.name}", end="\r", file=sys.stderr, flush=True
            )
            results[way.work].append(run(way, network, batch, extra if way is PADIFF else None))
    return results


def goals(network: str, ways: Sequence[Way], results: Mapping[str, list[Measured]]) -> None:
    """Every goal with what was measured beside it."""
    base, wide = results["forwards32"], results["forwards64"]
    print(f"\n{'goal, ' + network:58} {'measured':>8}    {'wanted':>6}")
    lines = [
        (f"{way.name}, time / float32 forwards", _ratio(results[way.work], base), way.goal)
        for way in ways
        if way.goal is not None
    ]
    lines += [
        (
            f"{way.name}, peak / float64 forwards",
            _peak(results[way.work]) / _peak(wide),
            MEMORY_GOAL,
        )
        for way in ways
        if way.light
    ]
    for what, value, most in lines:
        print(f"{what:58} {value:8.2f} <= {most:6.2f} {'met' if value <= most else 'MISSED'}", flush=True)


def _ratio(runs: Sequence[Measured], base: Sequence[Measured]) -> float:
    return statistics.median(run.seconds / plain.seconds for run, plain in zip(runs, base, strict=True))


def _peak(runs: Sequence[Measured]) -> float:
    return statistics.median(run.peak_mb for run in runs)


def table(network: str, ways: Sequence[Way], results: Mapping[str, list[Measured]]) -> None:
    """Medians, ratios to the plain forwards of the same round, and peaks."""
    base, wide = results["forwards32"], results["forwards64"]
    wide_peak = _peak(wide)
    print(
        f"\n{network:34} {'seconds':>8} {'ratio':>6} {'cpu':>6} {'goal':>5} {'peak MB':>8} {'/ float64':>9}"
    )
    for way in ways:
        runs = results[way.work]
        ratio = _ratio(runs, base)
        cpu = statistics.median(
            run.processor / plain.processor for run, plain in zip(runs, base, strict=True)
        )
        top = _peak(runs)
        goal = f"{way.goal:g}" if way.goal else ""
        seconds = statistics.median(run.seconds for run in runs)
        print(
            f"{way.name:34} {seconds:8.2f} {ratio:6.2f} {cpu:6.2f} {goal:>5} {top:8.0f} {top / wide_peak:9.2f}"
        )


def fetch_padiff(folder: Path) -> str:
    """Install PaDiff into `folder`, with the one requirement that we lack (it names only numpy); why not, or ""."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(folder),
        "padiff==0.2.0",
        "pyyaml",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = done.stderr.strip().splitlines() or ["no message"]
    return f"pip: {lines[-1]}" if done.returncode else ""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS))
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--ways", nargs="+", choices=[way.work for way in WAYS], help="measure only these")
    parser.add_argument("--no-padiff", action="store_true", help="do not fetch and measure PaDiff")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(args.child, args.networks[0], args.batch)
        return
    wanted = {"forwards32", "forwards64", *(args.ways or [way.work for way in WAYS])}
    ways = [way for way in WAYS if way.work in wanted]
    print(
        f"batch {args.batch}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {args.rounds} round(s); ratio: to both float32 forwards of the "
        f"same round, by the clock and (cpu) in processor time; goal of the last column: {MEMORY_GOAL:g}"
    )
    with tempfile.TemporaryDirectory() as name:
        extra = Path(name)
        problem = "left out" if args.no_padiff else fetch_padiff(extra)
        if not problem:
            problem = fails(PADIFF, extra)
        if not problem:
            ways.append(PADIFF)
        for network in args.networks:
            results = measure(network, args.batch, args.rounds, ways, extra)
            table(network, ways, results)
            goals(network, ways, results)
    if problem:
        print(f"\nPaDiff: not measured ({problem})")


if __name__ == "__main__":
    main()
