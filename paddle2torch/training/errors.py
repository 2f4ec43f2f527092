"""What training, evaluation and prediction raise: one sentence that says what was wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

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


@contextmanager
def forward(framework: str, shape: Sequence[int]) -> Iterator[None]:
    """Around a network's forward on images of `shape`: what it raises is told as its own, with its traceback."""
    try:
        yield
    except (Paddle2TorchError, MemoryError):
        raise
    except Exception as error:
        from parity.capture.failed import ModelError
        from parity.sides.live import own_traceback

        said = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise ModelError(
            f"the {framework} model raised {type(error).__name__} in forward on images of shape {list(shape)}: {said}",
            own_traceback(error),
        ) from error
