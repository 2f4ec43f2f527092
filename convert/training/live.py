"""Optimizer state for live objects: a `.pdopt` and its `.pdparams` go into a `torch.optim` optimizer.

`convert.training.state_file` writes the same into a file. Hyperparameters are not in a `.pdopt`: they are the live
optimizer's own.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from convert.checkpoint.reader import open_checkpoint
from convert.errors import ConvertError
from convert.plan.planner import plan_conversion
from convert.plan.transform import apply_transform
from convert.training.groups import group_names, torch_class
from convert.training.pdopt import TrainingState, open_training_state
from convert.training.state_file import scheduler_state
from convert.write.place import Placement

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class OptimizerState:
    """What a resumed training run needs beside the weights."""

    state_dict: dict[str, Any]
    """For `optimizer.load_state_dict`: the state in the optimizer's parameter order, its own hyperparameters,
    and the learning rate that Paddle had reached."""
    scheduler: dict[str, Any] | None
    """Entries for a scheduler's `load_state_dict`; None when the file has no LR_Scheduler."""
    last_epoch: int | None
    """How often Paddle's scheduler had been stepped; None when the file has none."""
    last_lr: float | None
    """The learning rate that Paddle had reached."""
    master_weights: dict[str, torch.Tensor]
    """float32 copies that Paddle kept of low-precision parameters, by torch name."""
    without_state: tuple[str, ...]
    """Parameters for which Paddle had no state (frozen ones; all of them with plain SGD)."""

    def load(self, optimizer: torch.optim.Optimizer, scheduler: Any = None) -> None:
        """Put everything into a live optimizer and, where there is one, its scheduler."""
        optimizer.load_state_dict(self.state_dict)
        if scheduler is None:
            return
        if self.scheduler is None:
            raise ConvertError("the .pdopt has no LR_Scheduler, so a scheduler cannot be resumed from it")
        own = scheduler.state_dict()
        scheduler.load_state_dict(
            own | {name: self.scheduler[name] for name in self.scheduler if name in own}
        )


def convert_optimizer(
    optimizer_file: str | os.PathLike[str],
    weights_file: str | os.PathLike[str],
    module: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
) -> OptimizerState:
    """The state in `optimizer_file` for `optimizer`, which holds parameters of `module`.

    `weights_file` is the `.pdparams` saved with it. Supported: torch's SGD (Paddle's SGD and Momentum), Adam, AdamW, Adamax, Adagrad,
    Adadelta, NAdam, RAdam and Rprop, and the Lamb, RMSProp and ASGD of `parity.remedies`. Raises ConvertError for another
    optimizer, for an accumulator that belongs to no parameter or has no counterpart, and for shapes that do not fit.
    """
    with open_checkpoint(weights_file) as weights:
        plan = plan_conversion(weights, module).require()
        with open_training_state(optimizer_file, weights, plan) as state:
            return _assemble(state, module, optimizer)


def _assemble(
    state: TrainingState, module: torch.nn.Module, optimizer: torch.optim.Optimizer
) -> OptimizerState:
    kind = torch_class(optimizer)
    names = group_names(module, optimizer)
    groups = optimizer.state_dict()["param_groups"]
    entries: dict[int, dict[str, Any]] = {}
    without: list[str] = []
    flat = [(name, group) for group, held in zip(groups, names, strict=True) for name in held]
    for index, (name, group) in enumerate(flat):
        entry = state.entry(name, kind, group)
        if entry:
            entries[index] = {called: _tensor(placement) for called, placement in entry.items()}
        else:
            without.append(name)
    state.require_held([name for name, _ in flat])
    schedule = state.schedule
    if schedule is not None:
        groups = [{**group, "lr": schedule.last_lr} for group in groups]
    return OptimizerState(
        {"state": entries, "param_groups": groups},
        None if schedule is None else scheduler_state(schedule, [group["lr"] for group in groups]),
        None if schedule is None else schedule.last_epoch,
        None if schedule is None else schedule.last_lr,
        {name: _tensor(placement) for name, placement in state.masters.items()},
        tuple(without),
    )


def _tensor(placement: Placement) -> torch.Tensor:
    from convert.adapters.torch import to_torch

    array = apply_transform(placement.source.numpy(), placement.transform)
    return to_torch(array.reshape(placement.shape), placement.source.dtype_name)
