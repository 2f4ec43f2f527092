"""What a framework supplies to the recorder: its tensors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from parity.trace.values import Array


class Tensors(ABC):
    """Operations on a framework's tensors that are never recorded."""

    @abstractmethod
    def is_tensor(self, value: Any) -> bool: ...

    @abstractmethod
    def mark(self, tensor: Any, mark: Any) -> None:
        """Remember something about a tensor for as long as it lives."""

    @abstractmethod
    def mark_of(self, tensor: Any) -> Any:
        """What is remembered of a tensor, or None."""

    @abstractmethod
    def describe(self, tensor: Any) -> tuple[tuple[int, ...], str]:
        """Shape and numpy dtype name of a tensor."""

    @abstractmethod
    def to_numpy(self, tensor: Any) -> Array:
        """The numbers of a tensor; in the CPU's memory they are the tensor's own, so use them at once."""

    @abstractmethod
    def from_numpy(self, array: Array, like: Any) -> Any:
        """`array` as a tensor of the device (and, for floats, the dtype) of `like`."""

    @abstractmethod
    def device_of(self, tensor: Any) -> str:
        """Where a tensor lies, as the framework writes it."""

    @abstractmethod
    def cast(self, tensor: Any, precision: str) -> Any:
        """`tensor` in another float width, outside of any recording."""

    @abstractmethod
    def as_float(self, tensor: Any, precision: str) -> Any:
        """Whole numbers as floats of a width."""

    @abstractmethod
    def copy(self, tensor: Any) -> Any: ...

    @abstractmethod
    def overwrite(self, tensor: Any, source: Any) -> None:
        """Write `source` into `tensor` in place."""

    @abstractmethod
    def leaf_for_gradients(self, tensor: Any) -> Any:
        """A detached twin of `tensor` that collects gradients of its own."""

    @abstractmethod
    def requires_gradient(self, tensor: Any) -> bool:
        """Whether gradients flow through `tensor` as it is now."""

    @abstractmethod
    def on_gradient(self, tensor: Any, hook: Callable[[Any], Any]) -> None:
        """Call `hook` with the gradient that arrives at `tensor`; what it returns (not None) goes on."""

    @abstractmethod
    def gradients_of(self, outputs: list[Any], seeds: list[Any], leaves: list[Any]) -> list[Any]:
        """Gradients of `leaves` (None where nothing arrives), accumulated nowhere."""

    @abstractmethod
    def hooked(self, parameter: Any, gradient: Any) -> Any:
        """What the hooks that a user registered on `parameter` make of its gradient; neither is changed."""

    @abstractmethod
    def copy_with_gradient(self, tensor: Any) -> Any: ...

    @abstractmethod
    def unrecorded(self) -> AbstractContextManager[Any]:
        """While open, the recorder's own calls are not seen."""
