"""The parameter groups of a torch optimizer: its class, its options, the names of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from convert.errors import ConvertError
from convert.training.optimizers import OPTIMIZERS, STATE

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Group:
    """One parameter group: the torch class's options, and the torch names of its parameters, in order."""

    options: Mapping[str, Any]
    names: tuple[str, ...]


@dataclass(frozen=True)
class LiveGroups:
    """The parameter groups of a torch optimizer that a user made."""

    torch: str
    groups: tuple[Group, ...]


def groups_of(module: torch.nn.Module, optimizer: torch.optim.Optimizer) -> LiveGroups:
    """What is taken over from a live optimizer of a module."""
    groups = [
        {name: value for name, value in group.items() if name != "params"} for group in optimizer.param_groups
    ]
    names = group_names(module, optimizer)
    return LiveGroups(
        torch_class(optimizer), tuple(Group(g, tuple(n)) for g, n in zip(groups, names, strict=True))
    )


def torch_class(optimizer: torch.optim.Optimizer) -> str:
    """The class of an optimizer whose state we know; ConvertError for any other."""
    of_torch = [row.torch for row in OPTIMIZERS.values() if row.home == "torch.optim"]
    for base in type(optimizer).__mro__:
        # torch has classes that are called like Paddle's and compute something else
        if base.__name__ in STATE and (
            base.__name__ in of_torch or not base.__module__.startswith("torch.optim")
        ):
            return base.__name__
    row = OPTIMIZERS.get(type(optimizer).__name__.lower())
    raise ConvertError(
        f"state for {type(optimizer).__module__}.{type(optimizer).__name__} cannot be converted, only for "
        f"{', '.join(STATE)}{f'; {row.told}' if row else ''}"
    )


def group_names(module: torch.nn.Module, optimizer: torch.optim.Optimizer) -> list[list[str]]:
    """The names of the parameters of every group, in the optimizer's order."""
    names = {id(parameter): name for name, parameter in module.named_parameters()}
    try:
        return [[names[id(parameter)] for parameter in group["params"]] for group in optimizer.param_groups]
    except KeyError:
        raise ConvertError("the optimizer holds a parameter that is not one of the module's") from None
