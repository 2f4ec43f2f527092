"""How long the command line takes to start: fresh processes, in turn, against Python doing nothing.

python -m benchmarks.startup [ROUNDS]

Prints the median and fastest wall time and the peak of resident memory (the kernel's VmHWM). Run it on a
quiet machine: with other work on the cores a process of 50 ms easily takes three times as long.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 15
SCRIPT = str(Path(sys.executable).with_name("paddle2torch"))
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "python -c 'import paddle2torch'": [sys.executable, "-c", "import paddle2torch"],
    "paddle2torch --help": [SCRIPT, "--help"],
    "paddle2torch --version": [SCRIPT, "--version"],
    "paddle2torch convert --help": [SCRIPT, "convert", "--help"],
    "python -m paddle2torch --help": [sys.executable, "-m", "paddle2torch", "--help"],
    "paddle2torch models": [SCRIPT, "models"],
}
LIMIT = 0.2
"""Seconds that the design allows for `paddle2torch --help`."""


# The kernel's count for a finished child (ru_maxrss) starts from its parent's size, so the child itself
# reads its own VmHWM as the last thing it does.
TELL_PEAK = """
import atexit, os, runpy, sys
def tell():
    os.write(2, next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).encode())
atexit.register(tell)
kind, name, *sys.argv[1:] = sys.argv[1:]
if kind == "-c":
    exec(name)
elif kind == "-m":
    runpy.run_module(name, run_name="__main__", alter_sys=True)
else:
    sys.argv[0] = name
    runpy.run_path(name, run_name="__main__")
"""


def seconds_of(command: list[str]) -> float:
    """Wall time of one fresh process."""
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def megabytes_of(command: list[str]) -> float:
    """Peak of resident memory of one fresh process: its VmHWM when it ends."""
    kind, *words = command[1:] if command[0] == sys.executable else ["script", *command]
    finished = subprocess.run(
        [sys.executable, "-c", TELL_PEAK, kind, *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    return int(finished.stderr.split()[-2]) / 1024


def main() -> int:
    """Print the table; 1 when `--help` misses its limit."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    measured: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            measured[name].append(seconds_of(command))
    load = os.getloadavg()[0]
    print(f"{rounds} fresh processes each, in turn; load average {load:.1f} on {os.cpu_count()} cores")
    print(f"{'':34}{'median':>10}{'fastest':>10}{'peak':>10}")
    for name, seconds in measured.items():
        peak = megabytes_of(COMMANDS[name])
        print(f"{name:34}{statistics.median(seconds):>8.3f} s{min(seconds):>8.3f} s{peak:>7.1f} MB")
    return int(statistics.median(measured["paddle2torch --help"]) >= LIMIT)


if __name__ == "__main__":
    sys.exit(main())
