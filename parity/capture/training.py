"""What a training comparison asks of a framework: one interface, and the words both optimizers are told in."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from convert.errors import Paddle2TorchError
from parity.capture.failed import ModelError
from parity.trace.values import Array, ValueStore


@dataclass(frozen=True)
class Settings:
    """An optimizer in the shared vocabulary.

    rule: "sgd" (with or without momentum), "adam" (decoupled decay or not), or the class's own name; "" for one written by hand.
    parameters: name -> lr, momentum, dampening, nesterov, beta1, beta2, eps, amsgrad, weight_decay, decoupled, as
    far as the rule has them. clip: how gradients are clipped, as code, or "". hooks: pre-step hooks. custom: the class is
    the user's own, so that only its steps tell what it does. notes: what the comparison does differently from the
    user's training.
    """

    name: str
    rule: str
    parameters: Mapping[str, Mapping[str, Any]]
    clip: str = ""
    hooks: int = 0
    where: str = ""
    custom: bool = False
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Settings:
        return cls(**{**data, "notes": tuple(data["notes"])})


@dataclass(frozen=True)
class Recipe:
    """An optimizer that either framework can make for a model: what the command line asks for.

    kind: "sgd", "momentum", "adam" or "adamw". clip: largest global gradient norm, or None.
    """

    kind: str
    lr: float
    momentum: float = 0.9
    nesterov: bool = False
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    clip: float | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Recipe:
        return cls(**{**data, "betas": tuple(data["betas"])})


@dataclass
class Step:
    """One pass forward and back: the loss, gradients by parameter, buffers as the pass left them.

    plain: what torch's running variances would hold had they accumulated the unbiased variance.
    """

    loss: float
    gradients: dict[str, Array] = field(default_factory=dict)
    buffers: dict[str, Array] = field(default_factory=dict)
    plain: dict[str, Array] = field(default_factory=dict)


FURTHER: Mapping[str, Mapping[str, str]] = {
    "rmsprop": {"alpha": "_rho", "momentum": "_momentum", "centered": "_centered"},
    "adagrad": {"eps": "_epsilon", "initial_accumulator_value": "initial_accumulator_value"},
    "adadelta": {"rho": "_rho", "eps": "_epsilon"},
    "adamax": {"beta1": "_beta1", "beta2": "_beta2", "eps": "_epsilon"},
    "nadam": {"beta1": "_beta1", "beta2": "_beta2", "eps": "_epsilon", "momentum_decay": "_momentum_decay"},
    "radam": {"beta1": "_beta1", "beta2": "_beta2", "eps": "_epsilon"},
}
"""Rule -> torch's setting -> Paddle's attribute, where both mean the same (RMSProp's eps does not)."""


def line_of(factory: Any) -> str:
    """ "file:line" of the function that makes an optimizer; "" for anything else."""
    code = getattr(factory, "__code__", None)
    if code is None or f"{os.sep}parity{os.sep}capture{os.sep}" in code.co_filename:
        return ""
    return f"{code.co_filename}:{code.co_firstlineno}"


@contextmanager
def users_code(told: str) -> Iterator[None]:
    """What the user's own function raises, as one sentence with its traceback."""
    try:
        yield
    except Paddle2TorchError:
        raise
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(
            f"{told} raised {type(error).__name__}: {first}", "".join(traceback.format_exception(error))
        ) from error


def collect(store: ValueStore, hooked: Callable[[str, Array], Array]) -> Step:
    """What a backward run left in its store, as a `Step`; hooked: what a parameter's own hooks make of its gradient."""

    def named(prefix: str) -> dict[str, Array]:
        return {key.removeprefix(prefix): store.get(key) for key in store.index if key.startswith(prefix)}

    gradients = {name: hooked(name, array) for name, array in named("grad:parameter:").items()}
    return Step(float(store.get("total").reshape(-1)[0]), gradients, named("after:"))


class Trainer(Protocol):
    """A float64 copy of a model with its optimizer; the user's model is never touched."""

    def settings(self) -> Settings:
        """The optimizer as it stands now (its learning rate changes)."""
        ...

    def state(self) -> dict[str, Array]:
        """Every parameter and buffer, float64, by name."""
        ...

    def load(self, arrays: Mapping[str, Array]) -> None:
        """Overwrite parameters and buffers of the copy."""
        ...

    def backward(self, inputs: Mapping[str, Array]) -> Step:
        """Forward and back on one batch; buffers are updated as training does."""
        ...

    def clipped(self, gradients: Mapping[str, Array]) -> dict[str, Array]:
        """What the optimizer's clipping (torch: its pre-step hooks) makes of gradients; nothing is stepped."""
        ...

    def step(self, gradients: Mapping[str, Array], *, raw: bool = False) -> None:
        """One optimizer step with these gradients; `raw` leaves clipping and pre-step hooks out."""
        ...

    def advance(self) -> None:
        """Step the learning rate schedule, if there is one."""
        ...

    def round(self, names: tuple[str, ...]) -> None:
        """Round these settings to float32, as Paddle keeps them."""
        ...
