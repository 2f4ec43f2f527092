"""The parent's end of a worker: a `Side` whose model lives in another process or another environment."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from convert.namesakes import NAMES, ROOT
from parity.capture.failed import ModelError, NoKernelError
from parity.capture.options import Nudge
from parity.capture.replay import Measurement, ReplayPlan
from parity.capture.training import Recipe, Trainer
from parity.errors import ParityError
from parity.numbers.compare import Difference
from parity.sides.older_python import OLDEST, SINCE, version_of, write_packages
from parity.sides.side import remember_branches
from parity.trace.trace import Framework, Trace
from parity.trace.values import PLACE, PREFIX, Array, ValueStore, save_arrays

# Our packages are imported before the current directory is on the path: a user's folder may well be called
# `convert` too. Afterwards the user's own modules come first.
BOOTSTRAP = """
import sys
framework, requests, answers, *root = sys.argv[1:]
del sys.argv[1:]
sys.path[:] = root + [entry for entry in sys.path if entry]
from parity.sides.worker import serve
sys.path[:] = ["", *sys.path[len(root):], *root]
serve(framework, int(requests), int(answers))
"""


PATIENCE = 60.0
"""Seconds without an answer after which the user is told what the worker is at; then twice as many, and so on."""

LAST = 1 << 14
"""Bytes at the end of what a worker printed among which its last line is."""


class WorkerFault(RuntimeError):
    """Something of ours failed in a worker; `detail` is the traceback there."""

    def __init__(self, message: str, detail: str) -> None:
        super().__init__(message)
        self.detail = detail

    def __reduce__(self) -> tuple[type[WorkerFault], tuple[str, str]]:
        return WorkerFault, (str(self), self.detail)  # it may come out of a pool of processes


class WorkerSide:
    """Runs one framework's model in a process of its own (`parity.sides.worker`). Use as a context manager.

    The process starts at once, so that two sides import their frameworks at the same time; then `build`.
    registered: the factory is one of ours, whatever else the current directory has under its name. option: how the user
    gives arguments for it.
    """

    def __init__(
        self,
        framework: Framework,
        factory: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        device: str = "cpu",
        python: str | None = None,
        registered: bool = False,
        option: str = "",
    ) -> None:
        self.registered = registered
        self.option = option
        self.framework = framework
        self.branches: dict[str, bool] = {}
        self.factory = factory
        self.recipe: Recipe | None = None
        self.parts: dict[str, str] = {}
        self.notes: list[str] = []
        """What to tell of the model's making: files that its module wrote when it was imported."""
        self.scratch = Path(tempfile.mkdtemp(prefix=PREFIX, dir=os.environ.get(PLACE)))
        self._log = (self.scratch / "log").open("ab")
        """What the worker prints; each end has a place of its own in it."""
        self._answers, self._requests = -1, -1
        self._files = 0
        self.arguments = dict(arguments or {})
        self.device = device
        self.python = python or sys.executable
        self._process = self._start(self.python)

    def build(self) -> None:
        """Wait until the process is up, and build the model there."""
        self._greet()
        built = self.ask(
            "build",
            factory=self.factory,
            arguments=self.arguments,
            device=self.device,
            registered=self.registered,
            option=self.option,
        )
        self.notes += built["notes"]

    @property
    def name(self) -> str:
        return f"{self.factory} ({self.framework})"

    def _start(self, python: str) -> subprocess.Popen[bytes]:
        environment, root = dict(os.environ), []
        if os.path.abspath(shutil.which(python) or python) == os.path.abspath(sys.executable):
            root = [ROOT]
        else:
            environment["PYTHONPATH"] = os.pathsep.join(
                filter(None, [str(self._packages(python)), os.environ.get("PYTHONPATH", "")])
            )
        theirs_in, self._requests = os.pipe()
        self._answers, theirs_out = os.pipe()
        try:
            return subprocess.Popen(
                [python, "-c", BOOTSTRAP, self.framework, str(theirs_in), str(theirs_out), *root],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                pass_fds=(theirs_in, theirs_out),
                env=environment,
            )
        except OSError as error:
            self.close_files()
            raise ParityError(
                f"cannot start {python}: {error.strerror}; --{self.framework}-python must name a Python "
                f"interpreter that has {self.framework} and numpy"
            ) from error
        finally:
            os.close(theirs_in)
            os.close(theirs_out)

    def _greet(self) -> None:
        """Wait for the worker's first word; ParityError if this is no Python, or lacks what a worker needs."""
        line = self._line("start")
        with contextlib.suppress(json.JSONDecodeError):
            if json.loads(line) == {"ready": self.framework}:
                return
        self._process.kill()
        self._process.wait()
        said = self._last_words()
        missing = re.search(r"No module named '?([\w.]+)", said)
        if missing and missing[1] not in NAMES:
            raise ParityError(
                f"{self.python} has no {missing[1]}, which the {self.framework} side needs: run "
                f"`{self.python} -m pip install {missing[1]}`"
            )
        raise ParityError(
            f"{self.python} did not start as a Python interpreter ({said or line.strip() or 'no message'}); "
            f"--{self.framework}-python must name one that has {self.framework} and numpy"
        )

    def _packages(self, python: str) -> Path:
        """A folder with our packages alone, so that another interpreter sees nothing else of this one."""
        folder = self.scratch / "packages"
        folder.mkdir()
        root = Path(ROOT)
        version = version_of(python)
        if version < OLDEST:
            self.close_files()
            raise ParityError(
                f"{python} is Python {version[0]}.{version[1]}, and the {self.framework} side needs {OLDEST[0]}.{OLDEST[1]} or "
                f"newer: name another with --{self.framework}-python"
            )
        if version < SINCE:
            write_packages(root, NAMES, folder)
            return folder
        for name in NAMES:
            try:
                (folder / name).symlink_to(root / name, target_is_directory=True)
            except OSError:
                shutil.copytree(root / name, folder / name)
        return folder

    def ask(self, request: str, **arguments: Any) -> dict[str, Any]:
        """One request and its answer; ParityError for what the worker reports, or if it died."""
        words = memoryview(json.dumps({"do": request, **arguments}).encode() + b"\n")
        try:
            while words:
                words = words[os.write(self._requests, words) :]
        except OSError:  # nobody is there
            line = ""
        else:
            line = self._line(request)
        if not line:
            raise ParityError(self._death(request))
        answer = json.loads(line)
        if answer.get("fault"):
            raise WorkerFault(answer["error"], answer["detail"])
        if "error" in answer:
            kind = NoKernelError if answer.get("no kernel") else ModelError
            run = answer.get("run")
            ended = None
            if run is not None and "store" in arguments:
                ended = Trace.from_json(run["trace"]), Path(arguments["store"]), run["index"]
            raise kind(answer["error"], answer.get("detail", ""), ended)
        result: dict[str, Any] = answer["answer"]
        return result

    def _line(self, request: str) -> str:
        """The worker's next line; "" if it ended without one. Says on standard error if that takes long."""
        began, silent, received = time.monotonic(), PATIENCE, bytearray()
        ready = select.poll()
        ready.register(self._answers, select.POLLIN)
        try:
            while not received.endswith(b"\n"):
                gone = self._process.poll() is not None  # a process that it started may hold the pipe open
                if ready.poll(1000):
                    chunk = os.read(self._answers, 1 << 20)
                    if not chunk:
                        return ""
                    received += chunk
                elif gone:
                    return ""
                elif time.monotonic() - began > silent:
                    silent *= 2
                    self._tell(f"has been busy for {time.monotonic() - began:.0f} s with {request!r}")
        except (KeyboardInterrupt, SystemExit):
            self._tell(f"was stopped during {request!r}")
            raise
        return received.decode("utf-8", "replace")

    def _tell(self, what: str) -> None:
        said = self._last_words()
        more = f"; it last printed: {said}" if said else ", and has printed nothing"
        print(f"the {self.framework} worker {what}{more}", file=sys.stderr)

    def _death(self, request: str) -> str:
        code = self._process.wait()
        how = f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"
        said = self._last_words()
        hint = "; it may have run out of memory: use a smaller batch" if code == -9 else ""
        return f"the {self.framework} worker {how} during {request!r}{f' ({said})' if said else ''}{hint}"

    def _last_words(self) -> str:
        """The last line that the worker printed."""
        with open(self._log.name, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LAST))
            lines = file.read().decode("utf-8", "replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _file(self, suffix: str) -> Path:
        self._files += 1
        return self.scratch / f"{self._files}{suffix}"

    def _inputs(self, inputs: Mapping[str, Array]) -> str:
        path = self._file(".npz")
        save_arrays(path, {f"input:{name}": array for name, array in inputs.items()})
        return str(path)

    # -- Side -------------------------------------------------------------------------------------

    def capture(
        self,
        inputs: Mapping[str, Array],
        *,
        mode: str,
        precision: str,
        store: Path,
        outputs_only: bool = False,
        gradients: bool = False,
        given: Mapping[int, str] | None = None,
        expected: ValueStore | None = None,
        before: Sequence[Mapping[str, Array]] = (),
        nudge: Nudge | None = None,
    ) -> tuple[Trace, ValueStore]:
        backward = {}
        if gradients:
            backward = {
                "given": [[value, key] for value, key in (given or {}).items()],
                "expected": None if expected is None else [str(expected.path), expected.to_json()],
            }
        answer = self.ask(
            "capture",
            inputs=self._inputs(inputs),
            mode=mode,
            precision=precision,
            store=str(store),
            outputs_only=outputs_only,
            backward=backward,
            before=[self._inputs(one) for one in before],
            nudge=None if nudge is None else nudge.to_json(),
        )
        trace = remember_branches(self, Trace.from_json(answer["trace"]))
        return trace, ValueStore.from_json(store, answer["index"])

    def replay(
        self, inputs: Mapping[str, Array], *, mode: str, plan: ReplayPlan, expected: ValueStore
    ) -> list[Measurement]:
        answer = self.ask(
            "replay",
            inputs=self._inputs(inputs),
            mode=mode,
            plan=plan.to_json(),
            store=str(expected.path),
            index=expected.to_json(),
        )
        return [
            Measurement(m["op"], m["slot"], Difference.from_json(m["difference"])) for m in answer["measured"]
        ]

    def parameters(self) -> dict[str, Array]:
        path = self._file(".npz")
        self.ask("parameters", path=str(path))
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}

    def trainer(self, mode: str) -> Trainer:
        from parity.sides.remote_training import RemoteTrainer

        if self.recipe is None and "optimizer" not in self.parts:
            raise ParityError("training steps need an optimizer: give --optimizer and --lr")
        return RemoteTrainer(self.ask, self._file, mode, self.recipe)

    # -- what only the command line asks for ------------------------------------------------------

    def randomize(
        self, inputs: Mapping[str, Array], *, seed: int, vectors_only: bool
    ) -> tuple[Path, list[str]]:
        """Fill the model with `parity.sides.random_weights` values; the .npz that holds its state, and the entries kept."""
        path = self._file(".npz")
        answer = self.ask(
            "randomize",
            seed=seed,
            path=str(path),
            inputs=self._inputs(inputs),
            vectors_only=vectors_only,
        )
        return path, answer["constants"]

    def name_training_parts(self, parts: Mapping[str, str]) -> None:
        """Train with the user's own functions: "loss", "optimizer" or "scheduler" -> MODULE:NAME."""
        self.parts = dict(parts)
        if parts:
            self.ask("training_parts", parts=self.parts)

    # -- life -------------------------------------------------------------------------------------

    def close(self) -> None:
        """End the worker and remove its files; safe to call twice."""
        process = self._process
        if process.poll() is None:
            process.kill()
        process.wait()
        self.close_files()

    def close_files(self) -> None:
        self._log.close()
        for pipe in (self._answers, self._requests):
            with contextlib.suppress(OSError):
                os.close(pipe)
        self._answers = self._requests = -1
        shutil.rmtree(self.scratch, ignore_errors=True)

    def __enter__(self) -> WorkerSide:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
