"""What every reader returns: named tensors that are read when asked for, and what else the file says."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, ValuesView
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from convert.checkpoint.pickle_values import Value
from convert.checkpoint.tensor import TensorRef
from convert.errors import ConvertError
from convert.names import did_you_mean, shown

NAME_MOST = 1024
"""Characters of a tensor's name."""
TENSORS_MOST = 100_000
"""Tensors of one checkpoint: the largest models have a few thousand, and each costs memory before any is read."""


@dataclass(frozen=True)
class FileFacts:
    """How a checkpoint is stored."""

    format: str
    """`pdparams`, `pdiparams`, `safetensors`, `pth`."""
    size: int
    """Bytes on disk."""
    protocol: int | None = None
    """The pickle protocol, where there is one."""
    shape: str = ""
    """Which of the format's shapes it is, in words."""
    key: str = ""
    """Where in nested dictionaries the state dict was found."""
    notes: tuple[str, ...] = ()
    """What is unusual about it."""
    optimizer: str | None = None
    """Where the state of an optimizer is in the same file, if it has one; "" at the top level."""


@dataclass(frozen=True, eq=False)
class Checkpoint(Mapping[str, TensorRef]):
    """A checkpoint's tensors by name, in the file's order, none of them read yet.

    Usable as a context manager; after `close` tensors can no longer be read.
    """

    path: Path
    tensors: Mapping[str, TensorRef] = field(repr=False)
    facts: FileFacts
    parameter_names: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Structured name -> Paddle's parameter name (`fc.weight` -> `linear_0.w_0`), where the file has it."""
    extras: Mapping[str, object] = field(default_factory=dict, repr=False)
    """What the file holds beside tensors (`LR_Scheduler`, an epoch): plain Python values."""
    _closers: tuple[Callable[[], None], ...] = field(default=(), repr=False)
    _checks: tuple[Callable[[], None], ...] = field(default=(), repr=False)

    @property
    def format(self) -> str:
        """`pdparams`, `pdiparams`, `safetensors` or `pth`."""
        return self.facts.format

    @property
    def protocol(self) -> int | None:
        """The pickle protocol, where there is one."""
        return self.facts.protocol

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors."""
        return sum(tensor.nbytes for tensor in self.tensors.values())

    def __getitem__(self, name: str) -> TensorRef:
        try:
            return self.tensors[name]
        except KeyError:
            raise KeyError(f"{self.path} has no tensor {name!r}{did_you_mean(name, self.tensors)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def __len__(self) -> int:
        return len(self.tensors)

    def items(self) -> ItemsView[str, TensorRef]:
        """The table's own, which need no look-up for each tensor."""
        return self.tensors.items()

    def values(self) -> ValuesView[TensorRef]:
        """The table's own, as `items`."""
        return self.tensors.values()

    def check_unchanged(self) -> None:
        """Raise ConvertError if the file was written to since it was opened."""
        for check in self._checks:
            check()

    def close(self) -> None:
        """Let go of the file."""
        for closer in self._closers:
            closer()

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def text_keys(path: Path, table: Mapping[Value, Value]) -> Iterable[tuple[str, Value]]:
    """The items of a file's dictionary, their keys as text; ConvertError where two keys become one, as 1 and "1" do."""
    if set(map(type, table)) <= {str}:
        return table.items()  # type: ignore[return-value]
    named: dict[str, Value] = {}
    for key, value in table.items():
        name = str(key)
        if name in named:
            raise ConvertError(
                f"{path}: two entries are called {shown(name)!r}, one of them not as a text; refused"
            )
        named[name] = value
    return named.items()


def check_count(path: Path, count: int) -> None:
    """Raise ConvertError for more tensors than a model can have."""
    if count > TENSORS_MOST:
        raise ConvertError(f"{path}: holds more than {TENSORS_MOST} tensors, which no model does; refused")


def require_tensors(path: Path, tensors: Mapping[str, TensorRef]) -> None:
    """Raise ConvertError when a file holds no tensor at all, or one whose name is not a name."""
    if not tensors:
        raise ConvertError(f"{path}: holds no tensors, so there is nothing to convert")
    check_count(path, len(tensors))
    for name in tensors:
        if len(name) > NAME_MOST:
            raise ConvertError(
                f"{path}: the name {shown(name)!r} has {len(name)} characters, and names have at most {NAME_MOST}; "
                "is the file damaged?"
            )
        if not name.isprintable():
            raise ConvertError(
                f"{path}: a tensor is called {shown(name)!r}, which is not a name; is the file damaged?"
            )
