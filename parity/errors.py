"""What `parity` raises when it cannot even start to compare."""

from convert.errors import Paddle2TorchError


class ParityError(Paddle2TorchError):
    """Models, inputs, options or traces that cannot be compared as given."""


class ModelError(ParityError):
    """A model raised while it was built or run; `detail` is its own traceback, as text."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


class NoKernelError(ModelError):
    """An operator of a model cannot run in float64, so the proof cannot decide."""


class NotRecordedError(ParityError):
    """A trace file does not hold what a comparison asks for."""
