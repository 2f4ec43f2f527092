"""Optimizer state: a `.pdopt` and its `.pdparams` become the `state_dict` of a `torch.optim` optimizer.

A `.pdopt` names its accumulators after Paddle's parameter names (`linear_0.w_0_moment1_0`); the table in the
`.pdparams` says which structured name that is, and the conversion plan which torch parameter, transposed
or not. Hyperparameters are not in the file: they are the live optimizer's own.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from convert.checkpoint.checkpoint import Checkpoint
from convert.checkpoint.reader import open_checkpoint
from convert.errors import ConvertError
from convert.names import did_you_mean
from convert.plan import Move, plan_conversion
from convert.transform import apply_transform

if TYPE_CHECKING:
    import torch

# What Paddle's accumulators are in torch, by the torch optimizer's class; None: only a step count.
_STATE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "SGD": {"velocity": "momentum_buffer"},
        "Adam": {"moment1": "exp_avg", "moment2": "exp_avg_sq", "moment2_max": "max_exp_avg_sq"},
        "AdamW": {"moment1": "exp_avg", "moment2": "exp_avg_sq", "moment2_max": "max_exp_avg_sq"},
    }
)
_POWERS = {"beta1_pow_acc": 0, "beta2_pow_acc": 1}
_SCHEDULER = "LR_Scheduler"
MASTER_WEIGHTS = "master_weights"


@dataclass(frozen=True)
class OptimizerState:
    """What a resumed training run needs beside the weights."""

    state_dict: dict[str, Any]
    """For `optimizer.load_state_dict`: the state in the optimizer's parameter order, its own hyperparameters,
    and the learning rate that Paddle had reached."""
    last_epoch: int | None
    """How often Paddle's scheduler had been stepped; None when the file has none."""
    last_lr: float | None
    """The learning rate that Paddle had reached."""
    master_weights: dict[str, torch.Tensor]
    """float32 copies that Paddle kept of low-precision parameters, by torch name."""
    without_state: tuple[str, ...]
    """Parameters for which Paddle had no state (frozen ones)."""

    def load(self, optimizer: torch.optim.Optimizer, scheduler: Any = None) -> None:
        """Put everything into a live optimizer and, where there is one, its scheduler."""
        optimizer.load_state_dict(self.state_dict)
        if scheduler is None:
            return
        if self.last_epoch is None:
            raise ConvertError("the .pdopt has no LR_Scheduler, so a scheduler cannot be resumed from it")
        state = scheduler.state_dict()
        rates = [group["lr"] for group in optimizer.param_groups]
        state |= {"last_epoch": self.last_epoch, "_step_count": self.last_epoch + 1, "_last_lr": rates}
        scheduler.load_state_dict(state)


def convert_optimizer(
    optimizer_file: str | os.PathLike[str],
    weights_file: str | os.PathLike[str],
    module: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
) -> OptimizerState:
    """The state in `optimizer_file` for `optimizer`, which holds parameters of `module`.

    `weights_file` is the `.pdparams` saved with it. Supported: torch's SGD (Paddle's SGD and Momentum), Adam
    and AdamW. Raises ConvertError for another optimizer, for an accumulator that belongs to no parameter
    or has no counterpart, and for shapes that do not fit.
    """
    with open_checkpoint(weights_file) as weights, open_checkpoint_of_state(optimizer_file) as state:
        if not weights.parameter_names:
            raise ConvertError(
                f"{weights.path}: has no table of parameter names, so the accumulators of {state.path} cannot be "
                "told apart; save the layer's whole state_dict() with paddle.save"
            )
        moves = {move.target: move for move in plan_conversion(weights, module).require().moves}
        held = _accumulators(state, set(weights.parameter_names.values()))
        masters = _master_weights(optimizer_file, weights, moves)
        return _assemble(state, weights, moves, held, module, optimizer, masters)


def open_checkpoint_of_state(path: str | os.PathLike[str]) -> Checkpoint:
    """Open a `.pdopt`, of which the accumulators are the state dict at the top level."""
    try:
        return open_checkpoint(path, key="")
    except ConvertError as error:
        if "no state dict at key ''" in str(error):
            raise ConvertError(f"{path}: has no accumulators at its top level; is it the .pdopt?") from None
        raise


def _accumulators(state: Checkpoint, parameters: set[str]) -> dict[str, dict[str, str]]:
    """Parameter name -> accumulator -> key in the file."""
    held: dict[str, dict[str, str]] = {}
    for key in state:
        match = _ACCUMULATOR.fullmatch(key)
        if match is None or match["parameter"] not in parameters:
            raise ConvertError(
                f"{state.path}: {key!r} is no accumulator of a parameter in the weights file"
                f"{did_you_mean(key, parameters)}; the two files must be saved by the same run"
            )
        held.setdefault(match["parameter"], {})[match["kind"]] = key
    return held


_KINDS = ("velocity", "moment1", "moment2", "moment2_max", "beta1_pow_acc", "beta2_pow_acc")
_ACCUMULATOR = re.compile(rf"(?P<parameter>.+?)(?:_fp32_master_\d+)?_(?P<kind>{'|'.join(_KINDS)})_\d+")


def _assemble(
    state: Checkpoint,
    weights: Checkpoint,
    moves: Mapping[str, Move],
    held: dict[str, dict[str, str]],
    module: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    masters: dict[str, torch.Tensor],
) -> OptimizerState:
    kind = next((base.__name__ for base in type(optimizer).__mro__ if base.__name__ in _STATE), None)
    if kind is None:
        known = ", ".join(_STATE)
        raise ConvertError(f"state for {type(optimizer).__name__} cannot be converted, only for {known}")
    names = {id(parameter): name for name, parameter in module.named_parameters()}
    groups = optimizer.state_dict()["param_groups"]
    entries: dict[int, dict[str, Any]] = {}
    without: list[str] = []
    for index, (parameter, group) in enumerate(_parameters(optimizer)):
        name = names.get(id(parameter))
        if name is None:
            raise ConvertError("the optimizer holds a parameter that is not one of the module's")
        move = moves[name]
        keys = held.pop(weights.parameter_names.get(move.source, ""), {})
        if keys:
            entries[index] = _entry(state, keys, move, kind, group)
        else:
            without.append(name)
    if held:
        shown = ", ".join(sorted(held)[:5])
        raise ConvertError(f"{state.path}: has state of parameters that the optimizer does not hold: {shown}")
    schedule = state.extras.get(_SCHEDULER)
    last_epoch, last_lr = _schedule(schedule)
    if last_lr is not None:
        groups = [{**group, "lr": last_lr} for group in groups]
    return OptimizerState(
        {"state": entries, "param_groups": groups}, last_epoch, last_lr, masters, tuple(without)
    )


def _parameters(optimizer: torch.optim.Optimizer) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            yield parameter, group


def _entry(
    state: Checkpoint, keys: Mapping[str, str], move: Move, kind: str, group: Mapping[str, Any]
) -> dict[str, Any]:
    from convert.adapters.torch import scalar, to_torch

    entry: dict[str, Any] = {}
    for accumulator, key in keys.items():
        if accumulator in _POWERS:
            continue
        name = _STATE[kind].get(accumulator)
        if name is None:
            raise ConvertError(f"{state.path}: {key!r} has no counterpart in torch's {kind}")
        ref = state[key]
        if ref.shape != move.source_shape:
            raise ConvertError(
                f"{state.path}: {key!r} has shape {list(ref.shape)}, its parameter {list(move.source_shape)}"
            )
        entry[name] = to_torch(apply_transform(ref.numpy(), move.transform), ref.dtype_name)
    powers = {accumulator: key for accumulator, key in keys.items() if accumulator in _POWERS}
    if powers:
        entry["step"] = scalar(_steps(state, powers, group))
    return entry


def _steps(state: Checkpoint, powers: Mapping[str, str], group: Mapping[str, Any]) -> int:
    """How many steps were taken, from the powers of beta that Paddle keeps (beta ** (steps + 1))."""
    import numpy as np

    counts = []
    for accumulator, key in powers.items():
        beta = float(np.float32(group["betas"][_POWERS[accumulator]]))
        power = float(state[key].numpy().reshape(-1)[0])
        if 1e-30 < power < 1 and 0 < beta < 1:
            counts.append((beta, math.log(power) / math.log(beta) - 1))
    if not counts:
        raise ConvertError(f"{state.path}: the powers of beta do not tell how many steps were taken")
    _, exact = max(counts)  # the greater beta is the one that has not run out of digits
    steps = round(exact)
    if steps < 0 or abs(exact - steps) > 0.2:
        raise ConvertError(
            f"{state.path}: its powers of beta are not those of the optimizer's betas {tuple(group['betas'])}; "
            "build the torch optimizer with Paddle's beta1 and beta2"
        )
    return steps


def _schedule(schedule: object) -> tuple[int | None, float | None]:
    match schedule:
        case {"last_epoch": int() as epoch, "last_lr": float() | int() as rate}:
            return epoch, float(rate)
    return None, None


def _master_weights(
    path: str | os.PathLike[str], weights: Checkpoint, moves: Mapping[str, Move]
) -> dict[str, torch.Tensor]:
    from convert.adapters.torch import to_torch

    try:
        checkpoint = open_checkpoint(path, key=MASTER_WEIGHTS)
    except ConvertError:
        return {}
    with checkpoint:
        targets = {weights.parameter_names.get(move.source, ""): move for move in moves.values()}
        result: dict[str, torch.Tensor] = {}
        for name, ref in checkpoint.items():
            if name not in targets:
                raise ConvertError(f"{checkpoint.path}: the master weight {name!r} belongs to no parameter")
            move = targets[name]
            result[move.target] = to_torch(apply_transform(ref.numpy(), move.transform), ref.dtype_name)
    return result
