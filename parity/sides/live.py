"""A model object in this process."""

from __future__ import annotations

import importlib
import os
import re
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parity.capture.failed import ModelError, NoKernelError
from parity.capture.options import STOPPED, Backward, Nudge, Options
from parity.capture.replay import Measurement, ReplayPlan, forcing
from parity.capture.source import OWN, is_machinery
from parity.capture.training import Trainer
from parity.errors import ParityError
from parity.sides.hints import input_hint
from parity.sides.side import adapter, remember_branches
from parity.trace.trace import Framework, Trace
from parity.trace.values import Array, ValueStore

CALLING = tuple(os.path.join(root, folder, "") for root in OWN for folder in ("capture", "remedies"))
"""Folders of ours that call operators, a model's or a user's."""

_NO_KERNEL = re.compile(
    r"float64\) of kernel `(\w+)` is not registered|\"(\w+)\" not implemented for 'Double'"
)


def called_at(error: BaseException) -> str:
    """ " (net.py:12)": the last line of a traceback that is neither ours nor a package's."""
    lines = [
        f"{frame.filename}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if not is_machinery(frame.filename) and f"site-packages{os.sep}" not in frame.filename
    ]
    return f" ({lines[-1]})" if lines else ""


def _is_ours(error: BaseException) -> bool:
    """Whether the check itself failed while it looked on: `capture` calls the model's operators, and what those raise is the model's."""
    *_, last = traceback.extract_tb(error.__traceback__)
    inside = last.filename.startswith(OWN) and not last.filename.startswith(CALLING)
    return inside and not isinstance(error, MemoryError | OSError)


def no_input(error: BaseException) -> str:
    """What to do about a model that wanted to read from standard input, which is empty in a worker; "" for other errors."""
    asking = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    ended = isinstance(error, EOFError) and ("reading a line" in str(error) or "_raw_input" in asking)
    if ended or type(error).__name__ == "BdbQuit":
        return f"; a model has no standard input here: take what asks for it (breakpoint(), input()){called_at(error)} out for the check"
    return ""


def own_traceback(error: BaseException) -> str:
    """The traceback of a model that raised, without the frames of the check and of module calls above it."""
    shown = traceback.TracebackException.from_exception(error)
    calls = tuple(
        os.path.join(*parts)
        for parts in (
            ("torch", "nn", "modules", "module.py"),
            ("torch", "utils", "_contextlib.py"),
            ("paddle", "nn", "layer", "layers.py"),
        )
    )
    kept = [f for f in shown.stack if not f.filename.startswith(OWN) and not f.filename.endswith(calls)]
    shown.stack = traceback.StackSummary.from_list(kept)
    return "".join(shown.format())


@dataclass
class LiveSide:
    """A model object in this process."""

    framework: Framework
    model: Any
    device: str = "cpu"
    loss: Any = None
    optimizer: Any = None
    scheduler: Any = None
    branches: dict[str, bool] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{type(self.model).__name__} ({self.framework})"

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
        """Record one run into `store`; a model that raises is a ParityError that carries its error."""
        values = ValueStore(store)
        backward = Backward(self.loss, given or {}, expected.get if expected else None) if gradients else None
        options = Options(
            precision=precision, outputs_only=outputs_only, before=before, backward=backward, nudge=nudge
        )
        try:
            return self._run(inputs, mode, options, values), values
        except BaseException:
            values.close()
            raise

    def record(
        self,
        inputs: Mapping[str, Array],
        mode: str,
        precision: str,
        values: ValueStore | None,
        *,
        outputs_only: bool = False,
    ) -> Trace:
        """One run into a store that is there already; without one, its operators alone."""
        return self._run(inputs, mode, Options(precision=precision, outputs_only=outputs_only), values)

    def replay(
        self, inputs: Mapping[str, Array], *, mode: str, plan: ReplayPlan, expected: ValueStore
    ) -> list[Measurement]:
        forced, measured = forcing(plan, expected, any_size=True)
        try:
            self._run(inputs, mode, Options(forcing=forced), None)
        except ModelError:
            # A model that counts on its own shapes does not survive Paddle's: leave it those that differ.
            forced, measured = forcing(plan, expected, any_size=False)
            self._run(inputs, mode, Options(forcing=forced), None)
        return measured

    def _run(
        self, inputs: Mapping[str, Array], mode: str, options: Options, store: ValueStore | None
    ) -> Trace:
        try:
            trace: Trace = adapter(self.framework).run(
                self.model, inputs, mode=mode, options=options, store=store, device=self.device
            )
        except ParityError:
            raise
        except Exception as error:
            if _is_ours(error):
                raise
            missing = _NO_KERNEL.search(str(error)) if options.precision == "float64" else None
            if missing is not None:
                raise NoKernelError(
                    f"`{missing[1] or missing[2]}`{called_at(error)} has no float64 kernel in {self.framework}, and "
                    "only float64 decides: for the check, write it with operators that have one",
                    own_traceback(error),
                ) from error
            shapes = ", ".join(f"{list(a.shape)}" for a in inputs.values())
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            ended: Trace | None = getattr(error, STOPPED, None)
            if ended is not None:
                ended.raised.setdefault("line", called_at(error).strip(" ()"))
            # What the machine or the environment lacks says nothing about the model.
            hint = no_input(error)
            lacking = (
                isinstance(error, MemoryError | ImportError) or "OutOfMemory" in type(error).__name__ or hint
            )
            hint = hint or input_hint(error, inputs, type(self.model).__name__)
            raise ModelError(
                f"the {self.framework} model raised {type(error).__name__} in forward on inputs of shape "
                f"{shapes}: {first.rstrip('.')}{hint}",
                own_traceback(error),
                (ended, store.path, store.to_json())
                if ended is not None and store is not None and not lacking
                else None,
            ) from error
        return remember_branches(self, trace)

    def trainer(self, mode: str) -> Trainer:
        if self.optimizer is None:
            raise ParityError(
                "steps needs optimizers=(Paddle's, torch's): optimizers, or functions that take the model"
            )
        adapter(self.framework)
        module = importlib.import_module(f"parity.capture.{self.framework}_training")
        trainer: Trainer = getattr(module, f"{self.framework.capitalize()}Trainer")(
            self.model,
            mode=mode,
            loss=self.loss,
            optimizer=self.optimizer,
            scheduler=self.scheduler,
            device=self.device,
        )
        return trainer

    def parameters(self) -> dict[str, Array]:
        found: dict[str, Array] = adapter(self.framework).parameters(self.model)
        return found
