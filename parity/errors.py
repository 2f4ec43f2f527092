"""What `parity` raises when it cannot even start to compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convert.errors import Paddle2TorchError

if TYPE_CHECKING:
    from pathlib import Path

    from parity.trace.trace import Trace

    Stopped = tuple[Trace, Path, dict[str, Any]]


class ParityError(Paddle2TorchError):
    """Models, inputs, options or traces that cannot be compared as given."""


class NotRecordedError(ParityError):
    """A trace file does not hold what a comparison asks for."""
