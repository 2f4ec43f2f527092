"""The two sides of a check, live in this process or behind a worker process: one small interface.

`parity.check` runs both live; the command line runs each in a worker (`parity.sides.worker`), because GPU builds
of the two frameworks often cannot be imported together and people keep them in separate environments.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from convert.adapters.reference import not_installed
from parity.capture.options import Nudge
from parity.capture.replay import Measurement, ReplayPlan
from parity.capture.training import Trainer
from parity.errors import ParityError
from parity.trace.trace import Framework, Trace
from parity.trace.values import Array, ValueStore


class Side(Protocol):
    """What a check asks of one framework's model."""

    framework: Framework
    branches: dict[str, bool]
    """The branches of the model's code that depend on what it is given -> whether a recorded run entered them."""

    @property
    def name(self) -> str: ...

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
        """Record one run into `store`; with `gradients`, backward too (`parity.capture.options.Backward`).

        before: inputs of calls of the model before this one. nudge: round the model's float32 constants otherwise. `given` and `expected` make the backward run teacher-forced: value -> key of the gradient to go on with.
        """
        ...

    def replay(
        self, inputs: Mapping[str, Array], *, mode: str, plan: ReplayPlan, expected: ValueStore
    ) -> list[Measurement] | None:
        """Run once more with the other side's numbers; None where there is no model to run."""
        ...

    def parameters(self) -> dict[str, Array]: ...

    def trainer(self, mode: str) -> Trainer:
        """A float64 copy of the model with the optimizer of this side, for training steps."""
        ...


def remember_branches(side: Side, trace: Trace) -> Trace:
    """A run that came to its end, with the branches that it entered kept on its side."""
    for place, entered in trace.branches.items():
        side.branches[place] = side.branches.get(place, False) or entered
    return trace


def adapter(framework: Framework) -> Any:
    """The recording module of a framework; ParityError with the pip command if it is not installed."""
    try:
        return importlib.import_module(f"parity.capture.{framework}")
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "paddle"):
            raise
        raise ParityError(
            f"{not_installed(framework)}, or name an interpreter that has it with --{framework}-python"
        ) from None
