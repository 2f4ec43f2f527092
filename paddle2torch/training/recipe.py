"""What a run is: the network, how it learns and from what; as data that is saved beside every checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from convert.names import did_you_mean
from paddle2torch.training.errors import TrainingError
from paddle2torch.training.schedules import Schedule


@dataclass(frozen=True)
class Network:
    """Which network, in which framework.

    references: framework -> `module:factory`. arguments: of either. registered: its name in `paddle2torch models`, or "".
    """

    framework: str
    references: Mapping[str, str]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    registered: str = ""
    dtype: str = "float32"
    device: str = "cpu"
    dropout: float | None = None
    """Probability of every Dropout layer, where it is not to be the network's own."""
    paddles_variance: bool = True
    """Whether torch's BatchNorm accumulates the biased variance, as Paddle's does."""

    @property
    def reference(self) -> str:
        """What builds it."""
        return self.references[self.framework]


@dataclass(frozen=True)
class Images:
    """Where images come from and what is done to them. prefixes: as `open_source` takes them."""

    data: str
    channels: int
    validation: str | None = None
    split: float = 0.8
    split_seed: int = 0
    prefixes: Mapping[str, str] | None = None
    skip_bad: bool = False
    train_transforms: str = ""
    transforms: str = ""
    mean: tuple[float, ...] = (0.5,)
    std: tuple[float, ...] = (0.5,)


@dataclass(frozen=True)
class Group:
    """Parameters that train at one share of the rate."""

    share: float
    names: tuple[str, ...]


def within(name: str, layer: str) -> bool:
    """Whether a tensor or a layer is a layer's, or that layer itself."""
    return bool(layer) and (name == layer or name.startswith(f"{layer}."))


@dataclass(frozen=True)
class Recipe:
    """A whole run.

    optimizer: a row of `convert.training.optimizers`. momentum, weight_decay: in Paddle's meaning. head: beginnings of the
    names of the layers that train at the full rate; features_rate: the others' share of it, 0 where they are frozen.
    loss: "ce" or "bce". classes: of the images.
    """

    network: Network
    images: Images
    classes: tuple[str, ...]
    loss: str = "ce"
    optimizer: str = "momentum"
    rate: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 0.0
    schedule: Schedule = field(default_factory=Schedule)
    epochs: int = 1
    batch: int = 32
    seed: int = 0
    head: tuple[str, ...] = ()
    features_rate: float = 1.0
    save_every: int = 0
    """Steps between two checkpoints within an epoch; 0 for none."""

    def seed_of(self, step: int) -> int:
        """The frameworks' own seed at a step: what dropout draws depends on nothing before it."""
        return int(np.random.SeedSequence((self.seed, step)).generate_state(1)[0] >> 1)

    def groups(self, names: Sequence[str], last: str) -> tuple[Group, ...]:
        """The parameters that are trained, by their share of the rate; those in no group are frozen.

        names: of all that can be trained, in order. last: the layer that is the head unless others are named.
        """
        if not names:
            raise TrainingError(f"{self.network.reference}: the network has no weights to train")
        if self.features_rate == 1 or not (self.head or last):  # of one layer, that is all
            return (Group(1.0, tuple(names)),)
        head = self.head or (last,)
        for layer in head:
            if not any(within(name, layer) for name in names):
                layers = sorted({name.rpartition(".")[0] for name in names})
                raise TrainingError(f"--head {layer}: no layer has that name{did_you_mean(layer, layers)}")
        of_head = [name for name in names if any(within(name, layer) for layer in head)]
        features = [name for name in names if name not in of_head]
        both = (Group(self.features_rate, tuple(features)), Group(1.0, tuple(of_head)))
        return tuple(group for group in both if group.share and group.names)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        found: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return found

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Recipe:
        """The inverse of `to_json`."""
        images = {**data["images"], **{name: tuple(data["images"][name]) for name in ("mean", "std")}}
        return cls(
            **{
                **data,
                "network": Network(**data["network"]),
                "images": Images(**images),
                "classes": tuple(data["classes"]),
                "head": tuple(data["head"]),
                "schedule": Schedule.from_json(data["schedule"]),
            }
        )

    def in_framework(self, framework: str) -> Recipe:
        """The same run in another framework."""
        return replace(self, network=replace(self.network, framework=framework))
