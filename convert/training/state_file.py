"""A whole training state as one `.pth`: `{"model": ..., "optimizer": ..., "scheduler": ...}`.

What `torch.save` would write for a resumed run, made without torch from a `.pdparams` and its `.pdopt`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.errors import ConvertError
from convert.names import counted
from convert.training.groups import Group, LiveGroups
from convert.training.optimizers import TELLING, Optimizer, find_optimizer
from convert.training.pdopt import Schedule, TrainingState, open_training_state
from convert.write.torch_zip import Tensor, state_structure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from convert.checkpoint.checkpoint import Checkpoint
    from convert.plan.plan import ConversionPlan
    from convert.write.place import Placement


@dataclass(frozen=True)
class Training:
    """What is asked for: the `.pdopt`, and which optimizer of torch is to go on from it."""

    pdopt: Path
    optimizer: str | LiveGroups = ""
    """A row of `OPTIMIZERS`; "" where the accumulators tell; or the groups of a live optimizer."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Options of the parameter group, under torch's names, that were not Paddle's defaults."""


@dataclass(frozen=True)
class TrainingFile:
    """What to write: every tensor, the structure that holds them, and what to tell the user."""

    items: tuple[Placement, ...]
    structure: Mapping[str, Any]
    notes: tuple[str, ...]


@contextmanager
def training_file(
    training: Training, weights: Checkpoint, plan: ConversionPlan, model: Sequence[Placement]
) -> Iterator[TrainingFile]:
    """Put the converted weights (`model`) and the state of the `.pdopt` together."""
    with open_training_state(training.pdopt, weights, plan) as state:
        yield _together(training, state, plan, model)


def scheduler_state(schedule: Schedule, rates: Sequence[float]) -> dict[str, Any]:
    """The entries of a torch scheduler's `state_dict` that say where it stands.

    `lr_lambdas` is there because LambdaLR insists on it (torch/optim/lr_scheduler.py); None keeps its own functions.
    """
    return {
        "lr_lambdas": [None] * len(rates),
        "last_epoch": schedule.last_epoch,
        "_step_count": schedule.last_epoch + 1,
        "_last_lr": list(rates),
        **schedule.others,
    }


def _together(
    training: Training, state: TrainingState, plan: ConversionPlan, model: Sequence[Placement]
) -> TrainingFile:
    torch_class, groups, notes = _groups(training, state, plan)
    items = list(model)
    structure: dict[str, Any] = {"model": state_structure(items)}

    def tensor(placement: Placement) -> Tensor:
        items.append(placement)
        return Tensor(len(items) - 1)

    entries: dict[int, dict[str, Tensor]] = {}
    saved: list[dict[str, Any]] = []
    index = 0
    for group in groups:
        first = index
        for name in group.names:
            entry = state.entry(name, torch_class, group.options)
            if entry:
                entries[index] = {called: tensor(placement) for called, placement in entry.items()}
            index += 1
        saved.append({**group.options, "params": list(range(first, index))})
    state.require_held([name for group in groups for name in group.names])
    structure["optimizer"] = {"state": entries, "param_groups": saved}
    if state.schedule is not None:
        structure["scheduler"] = scheduler_state(state.schedule, [group["lr"] for group in saved])
        if state.schedule.left:
            notes.append(f"of the learning rate schedule, {', '.join(state.schedule.left)} was left out")
    else:
        notes += [
            f"the .pdopt has no LR_Scheduler: the learning rate written is {group['lr']}"
            + ("" if _is_given(training) else ", Paddle's default; give the run's own with --optimizer-args")
            for group in saved[:1]
        ]
    if state.masters:
        structure["master_weights"] = {name: tensor(item) for name, item in state.masters.items()}
        notes.append(f"in master_weights: {counted(len(state.masters), 'float32 master weight')}")
    without = index - len(entries)
    if without and state.accumulators:
        notes.append(f"without state, as Paddle did not train it: {without} of {counted(index, 'parameter')}")
    return TrainingFile(tuple(items), structure, tuple(notes))


def _groups(
    training: Training, state: TrainingState, plan: ConversionPlan
) -> tuple[str, tuple[Group, ...], list[str]]:
    """Torch class and parameter groups with the learning rate that Paddle had reached; and notes."""
    reached = {} if state.schedule is None else {"lr": state.schedule.last_lr}
    if isinstance(training.optimizer, LiveGroups):
        live = training.optimizer
        groups = tuple(Group({**group.options, **reached}, group.names) for group in live.groups)
        return live.torch, groups, []
    name = training.optimizer or _told(state)
    row = find_optimizer(name)
    seen = _seen(row, state)
    for option in seen.keys() & training.arguments.keys():
        if seen[option] != training.arguments[option]:
            raise ConvertError(
                f"--optimizer-args: {option} is {training.arguments[option]!r}, and what {state.path} keeps tells "
                f"{seen[option]!r}"
            )
    options = {**row.group(training.arguments, "--optimizer-args"), **seen, **reached}
    notes = [
        f"{row.home}.{row.torch} with {row.hyperparameters(options)}: a .pdopt does not hold these, so give "
        "the run's own with --optimizer-args where they were others"
    ]
    notes += [row.told] if row.told else []
    if not training.optimizer and not state.kinds:
        notes.append(
            "nothing is kept of any parameter, so it was plain SGD; where only the schedule was saved, say which "
            "optimizer it was with --optimizer"
        )
    each = [part for value in options.values() for part in (value if isinstance(value, tuple) else (value,))]
    if any(not math.isfinite(value) for value in each if isinstance(value, float)):
        raise ConvertError("--optimizer-args: every number must be finite")
    return row.torch, (Group(options, plan.learned),), notes


def _is_given(training: Training) -> bool:
    """Whether the user said the learning rate."""
    return isinstance(training.optimizer, LiveGroups) or "lr" in training.arguments


def _told(state: TrainingState) -> str:
    """The optimizer that the accumulators tell; ConvertError where they fit several."""
    told = next((name for kind, name in TELLING.items() if kind in state.kinds), None)
    if told is None and "moment1" in state.kinds:
        raise ConvertError(
            f"{state.path}: Adam, AdamW and Lamb keep the same state; say which it was with --optimizer adam, "
            "--optimizer adamw or --optimizer lamb"
        )
    return told or "sgd"


def _seen(row: Optimizer, state: TrainingState) -> dict[str, Any]:
    """Options that the accumulators tell."""
    told: dict[str, Any] = {}
    if "amsgrad" in row.options and "moment2_max" in state.kinds:
        told["amsgrad"] = True
    means = (held["mean_grad"] for held in state.accumulators.values() if "mean_grad" in held)
    if "centered" in row.options and any(mean.source.numpy().any() for mean in means):
        told["centered"] = True  # without, Paddle leaves them zero
    rows = {held["y"].shape[0] for held in state.accumulators.values() if "y" in held}
    if "batch_num" in row.options and rows:
        told["batch_num"] = min(rows)
    return told
