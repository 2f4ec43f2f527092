"""What a model raised while it was built or run, with what was recorded until then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parity.errors import ParityError

if TYPE_CHECKING:
    from pathlib import Path

    from parity.trace.trace import Trace

    Stopped = tuple[Trace, Path, dict[str, Any]]


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
