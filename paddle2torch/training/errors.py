"""What training, evaluation and prediction raise: one sentence that says what was wrong, where, and what to do."""

from __future__ import annotations

from convert.errors import Paddle2TorchError
from convert.names import escaped


class TrainingError(Paddle2TorchError):
    """Images, options, a checkpoint or numbers with which a run cannot start or go on."""

    def __init__(self, message: str) -> None:
        super().__init__(escaped(message))


class BadImageError(TrainingError):
    """An image that cannot be read, or is of another kind than the network takes. why: without its name."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}; mend it, or leave such images out with --skip-bad")
        self.name, self.why = name, why

    def __reduce__(self) -> tuple[type[BadImageError], tuple[str, str]]:
        return BadImageError, (self.name, self.why)  # it comes out of worker processes
