"""What `parity` raises when it cannot even start to compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convert.errors import Paddle2TorchError

if TYPE_CHECKING:
    from pathlib import Path

    from parity.trace import Trace

    Stopped = tuple[Trace, Path, dict[str, Any]]


class ParityError(Paddle2TorchError):
    """Models, inputs, options or traces that cannot be compared as given."""


class ModelError(ParityError):
    """A model raised while it was built or run; `detail` is its own traceback, as text.

    run: trace, file and index of values of a run, as far as it came.
    """

    def __init__(self, message: str, detail: str = "", run: Stopped | None = None) -> None:
        super().__init__(message)
        self.detail = detail
        self.run = run


class NoKernelError(ModelError):
    """An operator of a model cannot run in float64, so the proof cannot decide."""


class NotRecordedError(ParityError):
    """A trace file does not hold what a comparison asks for."""
