"""The parent's end of a worker: a `Side` whose model lives in another process or another environment."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from convert.namesakes import NAMES, ROOT
from parity.capture.failed import ModelError, NoKernelError
from parity.capture.replay import Measurement, ReplayPlan
from parity.capture.training import Recipe, Trainer
from parity.errors import ParityError
from parity.numbers.compare import Difference
from parity.trace.trace import Framework, Trace
from parity.trace.values import Array, ValueStore, save_arrays

# Our packages are imported before the current directory is on the path: a user's folder may well be called
# `convert` too. Afterwards the user's own modules come first.
BOOTSTRAP = """
import sys
framework, *root = sys.argv[1:]
sys.path[:] = root + [entry for entry in sys.path if entry]
from parity.sides.worker import serve
sys.path[:] = ["", *sys.path[len(root):], *root]
serve(framework)
"""


class WorkerSide:
    """Runs one framework's model in a process of its own (`parity.sides.worker`). Use as a context manager.

    The process starts at once, so that two sides import their frameworks at the same time; then `build`.
    registered: the factory is one of ours, whatever else the current directory has under its name.
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
    ) -> None:
        self.registered = registered
        self.framework = framework
        self.factory = factory
        self.recipe: Recipe | None = None
        self.parts: dict[str, str] = {}
        self.notes: list[str] = []
        """What to tell of the model's making: files that its module wrote when it was imported."""
        self.scratch = Path(tempfile.mkdtemp(prefix="paddle2torch-"))
        self._log = (self.scratch / "log").open("w+", encoding="utf-8", errors="replace")
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
        )
        self.notes += built["notes"]

    @property
    def name(self) -> str:
        return f"{self.factory} ({self.framework})"

    def _start(self, python: str) -> subprocess.Popen[str]:
        environment, root = dict(os.environ), []
        if os.path.abspath(shutil.which(python) or python) == os.path.abspath(sys.executable):
            root = [ROOT]
        else:
            environment["PYTHONPATH"] = os.pathsep.join(
                filter(None, [str(self._packages()), os.environ.get("PYTHONPATH", "")])
            )
        try:
            return subprocess.Popen(
                [python, "-c", BOOTSTRAP, self.framework, *root],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                text=True,
                encoding="utf-8",
                errors="replace",
                env=environment,
            )
        except OSError as error:
            self.close_files()
            raise ParityError(
                f"cannot start {python}: {error.strerror}; --{self.framework}-python must name a Python "
                f"interpreter that has {self.framework} and numpy"
            ) from error

    def _greet(self) -> None:
        """Wait for the worker's first word; ParityError if this is no Python, or lacks what a worker needs."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
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

    def _packages(self) -> Path:
        """A folder with our packages alone, so that another interpreter sees nothing else of this one."""
        folder = self.scratch / "packages"
        folder.mkdir()
        root = Path(ROOT)
        for name in NAMES:
            try:
                (folder / name).symlink_to(root / name, target_is_directory=True)
            except OSError:
                shutil.copytree(root / name, folder / name)
        return folder

    def ask(self, request: str, **arguments: Any) -> dict[str, Any]:
        """One request and its answer; ParityError for what the worker reports, or if it died."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps({"do": request, **arguments}) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except (BrokenPipeError, OSError):
            line = ""
        if not line:
            raise ParityError(self._death(request))
        answer = json.loads(line)
        if "error" in answer:
            kind = NoKernelError if answer.get("no kernel") else ModelError
            run = answer.get("run")
            ended = None
            if run is not None and "store" in arguments:
                ended = Trace.from_json(run["trace"]), Path(arguments["store"]), run["index"]
            raise kind(answer["error"], answer.get("detail", ""), ended)
        result: dict[str, Any] = answer["answer"]
        return result

    def _death(self, request: str) -> str:
        code = self._process.wait()
        how = f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"
        said = self._last_words()
        hint = "; it may have run out of memory: use a smaller batch" if code == -9 else ""
        return f"the {self.framework} worker {how} during {request!r}{f' ({said})' if said else ''}{hint}"

    def _last_words(self) -> str:
        """The last line of the worker's standard error."""
        self._log.flush()
        self._log.seek(0)
        lines = [line.strip() for line in self._log if line.strip()]
        return lines[-1] if lines else ""

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
        )
        return Trace.from_json(answer["trace"]), ValueStore.from_json(store, answer["index"])

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
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self.close_files()

    def close_files(self) -> None:
        self._log.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def __enter__(self) -> WorkerSide:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
