"""What a model raised while it was built or run, with what was recorded until then."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from parity.errors import ParityError

if TYPE_CHECKING:
    from pathlib import Path

    from parity.trace.trace import Trace

    Stopped = tuple[Trace, Path, dict[str, Any]]


REFUSALS = ("AssertionError", "ValueError", "NotImplementedError")
"""What code raises that checks what it is given."""

_FRAME = re.compile(r'^  File "([^"]+)", line \d+, in (\S+)\n    (.*)$', re.MULTILINE)
_FRAMEWORK = re.compile(r"[/\\](torch|paddle)[/\\](nn|functional|_\w+|tensor|base)\b")


class ModelError(ParityError):
    """A model raised while it was built or run; `detail` is its own traceback, as text.

    run: trace, file and index of values of a run, as far as it came.
    """

    def __init__(self, message: str, detail: str = "", run: Stopped | None = None) -> None:
        super().__init__(message)
        self.detail = detail
        self.run = run

    @property
    def deliberate(self) -> bool:
        """Whether the model's own code refused its input, by an `assert` or a ValueError of its own, and no operator did."""
        *_, said = self.detail.strip().splitlines() or [""]
        frames = _FRAME.findall(self.detail)
        asserted = bool(frames) and frames[-1][1] == "_assert"  # torch's own, for code that is compiled
        if asserted:
            frames.pop()
        if not frames or not said.startswith(REFUSALS) or _FRAMEWORK.search(frames[-1][0]):
            return False
        return asserted or bool(re.match(r"(assert|raise)\b", frames[-1][2]))


class NoKernelError(ModelError):
    """An operator of a model cannot run in float64, so the proof cannot decide."""
