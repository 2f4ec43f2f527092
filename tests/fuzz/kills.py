"""Kill conversions at random moments: whatever the moment, a target is old or new as a whole.

    python -m tests.fuzz.kills --count 2000 --seed 1

Each conversion runs in a process of its own that is killed (SIGKILL) after a random time, or just before a random one
of its calls that open, link, rename or remove a file, which the narrow windows between two such calls need. Then the
target is read, by our reader and by the safetensors library, and the conversion is run again to its end: nothing of
the killed one may be left.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import json
import os
import pickle
import random
import shutil
import signal
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from convert import open_checkpoint
from paddle2torch.cli import main as command

TENSORS = 8
SHAPE = (128, 128)
WHOLE, SHARDS, FEWER_SHARDS = (), ("--max-shard-size", "150KB"), ("--max-shard-size", "300KB")
EVENTS = frozenset({"open", "os.link", "os.rename", "os.remove", "os.truncate"})
OLD, NEW = 1.0, 2.0


@dataclass(frozen=True)
class Scenario:
    """What is there before, and what is converted; `old` is None where nothing is there."""

    name: str
    target: str
    old: Sequence[str] | None
    new: Sequence[str]
    folder: bool = False


SCENARIOS = (
    Scenario("a .safetensors appears", "net.safetensors", None, WHOLE),
    Scenario("a .safetensors is replaced", "net.safetensors", WHOLE, WHOLE),
    Scenario("a .pth appears", "net.pth", None, WHOLE),
    Scenario("a .pth is replaced", "net.pth", WHOLE, WHOLE),
    Scenario("shards appear", "net.safetensors", None, SHARDS),
    Scenario("shards are replaced", "net.safetensors", SHARDS, SHARDS),
    Scenario("shards are replaced by fewer", "net.safetensors", SHARDS, FEWER_SHARDS),
    Scenario("shards replace a file", "net.safetensors", WHOLE, SHARDS),
    Scenario("a file replaces shards", "net.safetensors", SHARDS, WHOLE),
    Scenario("a folder appears", "out", None, WHOLE, folder=True),
    Scenario("a folder is replaced", "out", WHOLE, WHOLE, folder=True),
    Scenario("a folder of shards is replaced", "out", SHARDS, SHARDS, folder=True),
)


class Mixed(Exception):
    """A target that is neither old nor new, or something that a killed conversion left."""


def make_sources(folder: Path) -> None:
    """The old and the new checkpoint, and a folder of three of each."""
    for name, value in (("old", OLD), ("new", NEW)):
        state = {f"layer{i}.weight": np.full(SHAPE, value, "f4") for i in range(TENSORS)}
        data = pickle.dumps(state, 4)
        (folder / f"{name}.pdparams").write_bytes(data)
        (folder / name / "deep").mkdir(parents=True)
        for path in ("a", "b", "deep/c"):
            (folder / name / f"{path}.pdparams").write_bytes(data)


class Watch:
    """What a conversion's process does before it begins, and its parent while it runs; here nothing."""

    def child(self, work: Path) -> None:
        """Called in the process of the conversion, which writes into `work`."""

    def parent(self, child: int) -> None:
        """Called with the number of that process."""

    def exit_code(self, code: int) -> int:
        """How the process ends."""
        return code


@dataclass(frozen=True)
class AfterSeconds(Watch):
    """The parent kills after so many seconds."""

    seconds: float

    def parent(self, child: int) -> None:
        """Wait, then kill."""
        time.sleep(self.seconds)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


@dataclass
class BeforeCall(Watch):
    """The process kills itself before its call number `number` that opens or changes something in its folder."""

    number: int
    count: int = 0

    def child(self, work: Path) -> None:
        """Count the calls from here on."""

        def hook(event: str, arguments: Sequence[object]) -> None:
            if event in EVENTS and any(str(argument).startswith(str(work)) for argument in arguments):
                if self.count == self.number:
                    os.kill(os.getpid(), signal.SIGKILL)
                self.count += 1

        sys.addaudithook(hook)


class CountCalls(BeforeCall):
    """Never kills; the exit code says how many calls there were."""

    def exit_code(self, code: int) -> int:
        """The number of calls."""
        return self.count


def run(
    scenario: Scenario,
    sources: Path,
    work: Path,
    which: str,
    watch: Watch,
    *,
    unnamed: bool = True,
    force: bool = True,
) -> int:
    """Convert in a process of its own; how it ended, as `os.waitpid` says it."""
    source = sources / which if scenario.folder else sources / f"{which}.pdparams"
    options = scenario.old if which == "old" else scenario.new
    words = ["convert", str(source), "--model", "none", "-o", str(work / scenario.target), *(options or ())]
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            if not unnamed:
                os.O_TMPFILE = 0  # as on a file system without files that have no name
            watch.child(work)
            code = watch.exit_code(command([*words, *(["--force"] if force else [])]))
        finally:
            os._exit(code)
    watch.parent(child)
    return os.waitpid(child, 0)[1]


def check(scenario: Scenario, work: Path) -> str:
    """What is there: "old", "new", "nothing", or for a folder "both"; Mixed when it is none of these."""
    target = work / scenario.target
    if not scenario.folder:
        return _state(target, scenario)
    names = ("a", "b", "deep/c")
    states = {_state(target / f"{name}.safetensors", scenario) for name in names}
    return states.pop() if len(states) == 1 else "both"


def _state(target: Path, scenario: Scenario) -> str:
    index = target.with_name(target.name + ".index.json")
    found: set[float] = set()
    if not target.exists() and not index.exists():
        if scenario.old is not None:
            raise Mixed(f"{target.name} is gone")
        return "nothing"
    with open_checkpoint(target) as checkpoint:
        found |= _values({name: ref.numpy() for name, ref in checkpoint.items()})
    if target.exists() and target.suffix == ".safetensors":
        found |= _values(load_file(target))
    if target.exists() and target.suffix == ".pth":
        with zipfile.ZipFile(target) as archive:
            if archive.testzip() is not None:
                raise Mixed("a checksum is wrong")
    if len(found) != 1:
        raise Mixed(f"{target.name} holds numbers of both: {found}")
    if index.exists():
        places = json.loads(index.read_text())["weight_map"]
        held = {place: load_file(index.with_name(place)) for place in set(places.values())}
        listed = _values({name: held[place][name] for name, place in places.items()})
        if len(listed) != 1 or (not target.exists() and listed != found):
            raise Mixed(f"the shards hold numbers of both: {listed}")
    return "old" if found == {OLD} else "new"


def _values(tensors: Mapping[str, np.ndarray]) -> set[float]:
    if len(tensors) != TENSORS:
        raise Mixed(f"{len(tensors)} tensors instead of {TENSORS}")
    return {float(value) for array in tensors.values() for value in np.unique(array)}


def listing(work: Path) -> list[str]:
    """Every file, whatever digest its name has."""
    return sorted(
        str(path.relative_to(work).parent / "-".join(part for part in path.name.split("-") if len(part) != 8))
        for path in work.rglob("*")
        if path.is_file()
    )


@dataclass(frozen=True)
class Prepared:
    """What a scenario begins and ends with, and what a whole run of it takes."""

    before: Path
    finished: Sequence[str]
    seconds: float
    calls: int


def prepare(scenario: Scenario, sources: Path, folder: Path) -> Prepared:
    """Run a scenario undisturbed."""
    before, finished = folder / "before" / scenario.name, folder / "finished" / scenario.name
    before.mkdir(parents=True)
    if scenario.old is not None:
        run(scenario, sources, before, "old", Watch())
    shutil.copytree(before, finished)
    started = time.perf_counter()
    run(scenario, sources, finished, "new", Watch())
    seconds = time.perf_counter() - started
    if check(scenario, finished) != "new":
        raise Mixed(f"{scenario.name}: the conversion itself fails")
    files = listing(finished)
    calls = os.waitstatus_to_exitcode(run(scenario, sources, finished, "new", CountCalls(-1)))
    return Prepared(before, files, seconds, calls)


def kill(count: int, seed: int, folder: Path) -> Mapping[str, Counter[str]]:
    """Kill `count` conversions (and let some finish); what was found after them, by scenario. Mixed says what was wrong, and when."""
    generator = random.Random(seed)
    sources = folder / "sources"
    sources.mkdir()
    make_sources(sources)
    with contextlib.redirect_stdout(io.StringIO()):  # what a conversion imports is imported once
        for options in (["once.pth"], ["once.safetensors", *SHARDS]):
            command(
                [
                    "convert",
                    str(sources / "old.pdparams"),
                    "--model",
                    "none",
                    "-o",
                    str(folder / options[0]),
                    *options[1:],
                ]
            )
    prepared = [(scenario, prepare(scenario, sources, folder)) for scenario in SCENARIOS]
    found: dict[str, Counter[str]] = {scenario.name: Counter() for scenario in SCENARIOS}
    killed = 0
    for number in itertools.count():
        if killed == count:
            break
        scenario, usual = prepared[number % len(prepared)]
        watch: Watch = AfterSeconds(generator.uniform(0, 1.2 * usual.seconds))
        if generator.random() < 0.5:
            watch = BeforeCall(generator.randrange(usual.calls))
        unnamed, force = generator.random() < 0.5, scenario.old is not None or generator.random() < 0.5
        work = folder / "work"
        shutil.copytree(usual.before, work)
        try:
            status = run(scenario, sources, work, "new", watch, unnamed=unnamed, force=force)
            killed += os.WIFSIGNALED(status)
            ended = "killed" if os.WIFSIGNALED(status) else "finished"
            found[scenario.name][f"{ended}, {check(scenario, work)}"] += 1
            run(scenario, sources, work, "new", Watch(), unnamed=unnamed)
            if check(scenario, work) != "new" or listing(work) != usual.finished:
                raise Mixed(f"after another run there is {listing(work)}")
        except Exception as error:
            where = f"kill {number} of seed {seed}, {scenario.name}, {watch}, unnamed files {unnamed}, --force {force}"
            raise Mixed(f"{where}: {type(error).__name__}: {error} (in {work})") from error
        shutil.rmtree(work)
    return found


def main() -> None:
    """Kill and print what was found; exit 1 where a target was mixed, which is kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="paddle2torch-kills-"))
    started = time.perf_counter()
    try:
        found = kill(args.count, args.seed, folder)
    except Mixed as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    shutil.rmtree(folder)
    every: Counter[str] = sum(found.values(), Counter())
    print(
        f"{args.count} conversions were killed in {time.perf_counter() - started:.0f} s, seed {args.seed}: none mixed"
    )
    for name, states in [*found.items(), ("all", every)]:
        print(f"{name:32} " + "; ".join(f"{count} {state}" for state, count in sorted(states.items())))


if __name__ == "__main__":
    main()
