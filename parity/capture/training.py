"""What a training comparison asks of a framework: one interface, and the words both optimizers are told in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from parity.store import Array, ValueStore


@dataclass(frozen=True)
class Settings:
    """An optimizer in the shared vocabulary.

    rule: "sgd" (with or without momentum), "adam" (decoupled decay or not), or the class's own name.
    parameters: name -> lr, momentum, dampening, nesterov, beta1, beta2, eps, amsgrad, weight_decay, decoupled, as
    far as the rule has them. clip: how gradients are clipped, as code, or "". hooks: pre-step hooks. notes: what the
    comparison does differently from the user's training.
    """

    name: str
    rule: str
    parameters: Mapping[str, Mapping[str, Any]]
    clip: str = ""
    hooks: int = 0
    where: str = ""
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


def collect(store: ValueStore) -> Step:
    """What a backward run left in its store, as a `Step`."""

    def named(prefix: str) -> dict[str, Array]:
        return {key.removeprefix(prefix): store.get(key) for key in store.index if key.startswith(prefix)}

    return Step(float(store.get("total").reshape(-1)[0]), named("grad:parameter:"), named("after:"))


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
