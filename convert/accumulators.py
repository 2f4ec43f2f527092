"""A `.pdopt` read for a target: every accumulator at its torch parameter, in the target's order, none read yet.

A `.pdopt` names its accumulators after Paddle's parameter names (`linear_0.w_0_moment1_0`); the table in the
`.pdparams` says which structured name that is, and the conversion plan which torch parameter, transposed
or not. Hyperparameters are not in the file.
"""

from __future__ import annotations

import math
import os
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from convert.checkpoint.checkpoint import Checkpoint
from convert.checkpoint.payload import MemoryBytes
from convert.checkpoint.pdparams import SCHEDULER
from convert.checkpoint.reader import open_optimizer_state
from convert.checkpoint.tensor import TensorRef
from convert.dtypes import by_name
from convert.errors import ConvertError
from convert.names import did_you_mean
from convert.optimizers import ACCUMULATORS, POWERS, STATE
from convert.plan import ConversionPlan, Move
from convert.write.place import Placement

_ACCUMULATOR = re.compile(
    rf"(?P<parameter>.+?)(?:_fp32_master_\d+)?_(?P<kind>{'|'.join(sorted(ACCUMULATORS, key=len, reverse=True))})_\d+"
)
_POWER_LEAST = 1e-30
"""A power of beta from which on the bias correction is exactly 1 in float64, however many steps follow."""
_PLATEAU = ("best", "num_bad_epochs", "cooldown_counter")
"""Entries of ReduceOnPlateau that torch's ReduceLROnPlateau has under the same names."""


@dataclass(frozen=True)
class Schedule:
    """Where Paddle's learning rate schedule stood."""

    last_epoch: int
    last_lr: float
    others: Mapping[str, Any]
    """More that torch's scheduler has under the same name."""
    left: tuple[str, ...]
    """What it has no counterpart of."""


@dataclass(frozen=True)
class TrainingState:
    """Everything of a `.pdopt`, by torch parameter name."""

    accumulators: Mapping[str, Mapping[str, Placement]]
    """Torch parameter -> Paddle's accumulator -> where it is, laid out as the parameter is in torch."""
    powers: Mapping[str, Mapping[str, TensorRef]]
    """Torch parameter -> the powers of beta that Paddle keeps."""
    masters: Mapping[str, Placement]
    """float32 copies that Paddle kept of low-precision parameters."""
    schedule: Schedule | None
    path: str

    @property
    def kinds(self) -> frozenset[str]:
        """The accumulators that occur."""
        return frozenset(kind for held in self.accumulators.values() for kind in held)

    def entry(self, name: str, torch_class: str, betas: Sequence[float] | None) -> dict[str, Placement]:
        """The state of one parameter as `torch_class` calls it; empty where Paddle had none."""
        entry: dict[str, Placement] = {}
        for kind, placement in self.accumulators.get(name, {}).items():
            called = STATE[torch_class].get(kind)
            if called is None:
                raise ConvertError(
                    f"{self.path}: the accumulator {kind!r} of {name!r} has no counterpart in torch's {torch_class}"
                )
            entry[called] = placement
        powers = self.powers.get(name)
        if powers and betas is None:
            raise ConvertError(f"{self.path}: has powers of beta, which torch's {torch_class} has not")
        if powers and betas is not None:
            entry = {"step": _scalar(_steps(self.path, powers, betas)), **entry}
        return entry

    def require_held(self, names: Sequence[str]) -> None:
        """ConvertError when Paddle trained a parameter that is not among those of the torch optimizer."""
        lost = sorted((self.accumulators.keys() | self.powers.keys()) - set(names))
        if lost:
            raise ConvertError(
                f"{self.path}: has state of parameters that the optimizer does not hold: {', '.join(lost[:5])}"
            )


@contextmanager
def open_training_state(
    path: str | os.PathLike[str], weights: Checkpoint, plan: ConversionPlan
) -> Iterator[TrainingState]:
    """Read a `.pdopt` that was saved with `weights`, whose tensors `plan` moves.

    Raises ConvertError for an accumulator that belongs to no parameter and for shapes that do not fit.
    """
    state, masters = open_optimizer_state(path)
    with state:
        if not weights.parameter_names and (len(state) or masters is not None):
            raise ConvertError(
                f"{weights.path}: has no table of parameter names, so the accumulators of {state.path} cannot be "
                "told apart; save the layer's whole state_dict() with paddle.save"
            )
        moves = {weights.parameter_names.get(move.source, ""): move for move in plan.moves}
        dropped = {weights.parameter_names.get(drop.name, "") for drop in plan.dropped}
        accumulators: dict[str, dict[str, Placement]] = {}
        powers: dict[str, dict[str, TensorRef]] = {}
        for key, ref in state.items():
            match = _ACCUMULATOR.fullmatch(key)
            parameter = match["parameter"] if match else ""
            if match is None or (parameter not in moves and parameter not in dropped):
                raise ConvertError(
                    f"{state.path}: {key!r} is no accumulator of a parameter in the weights file"
                    f"{did_you_mean(key, moves)}; the two files must be saved by the same run"
                )
            if parameter in dropped:
                continue
            move = moves[parameter]
            if match["kind"] in POWERS:
                powers.setdefault(move.target, {})[match["kind"]] = ref
            else:
                placed = _place(state, key, ref, move)
                accumulators.setdefault(move.target, {})[match["kind"]] = placed
        yield TrainingState(accumulators, powers, _masters(masters, moves), _schedule(state), str(state.path))
        state.check_unchanged()


def _place(state: Checkpoint, key: str, ref: TensorRef, move: Move) -> Placement:
    if ref.shape != move.source_shape:
        raise ConvertError(
            f"{state.path}: {key!r} has shape {list(ref.shape)}, its parameter {list(move.source_shape)}"
        )
    return Placement(key, move.shape, ref.kind, ref, move.transform)


def _masters(masters: Checkpoint | None, moves: Mapping[str, Move]) -> dict[str, Placement]:
    result: dict[str, Placement] = {}
    for name, ref in (masters or {}).items():
        if name not in moves:
            where = "" if masters is None else masters.path
            raise ConvertError(f"{where}: the master weight {name!r} belongs to no parameter")
        move = moves[name]
        result[move.target] = Placement(name, move.shape, ref.kind, ref, move.transform)
    return result


def _schedule(state: Checkpoint) -> Schedule | None:
    """What `LR_Scheduler` says; None without one, ConvertError for one that is not understood."""
    saved = state.extras.get(SCHEDULER)
    if saved is None:
        return None
    entries = saved if isinstance(saved, dict) else {}
    epoch, rate = entries.get("last_epoch"), entries.get("last_lr")
    if isinstance(epoch, (int, float)) and isinstance(rate, (int, float)) and epoch % 1 == 0:
        others = {name: entries[name] for name in _PLATEAU if name in entries}
        left = tuple(str(name) for name in entries if name not in ("last_epoch", "last_lr", *_PLATEAU))
        return Schedule(int(epoch), float(rate), others, left)
    raise ConvertError(
        f"{state.path}: its LR_Scheduler has no last_epoch and last_lr, so it cannot be resumed: {saved!r:.100}"
    )


def _steps(path: str, powers: Mapping[str, TensorRef], betas: Sequence[float]) -> int:
    """How many steps were taken, from the powers of beta that Paddle keeps (beta ** (steps + 1))."""
    import numpy as np

    counts = []
    for accumulator, ref in powers.items():
        beta = float(np.float32(betas[POWERS[accumulator]]))
        power = float(ref.numpy().reshape(-1)[0]) if ref.size else math.nan
        if 0 <= power < 1 and 0 < beta < 1:
            counts.append((beta, math.log(max(power, _POWER_LEAST)) / math.log(beta) - 1, power))
    if not counts:
        raise ConvertError(f"{path}: the powers of beta do not tell how many steps were taken")
    _, exact, power = max(counts)  # the greater beta is the one that has not run out of digits
    if power <= _POWER_LEAST:
        return math.ceil(exact)
    steps = round(exact)
    if steps < 0 or abs(exact - steps) > 0.2:
        raise ConvertError(
            f"{path}: its powers of beta are not those of the optimizer's betas {tuple(betas)}; "
            "build the torch optimizer with Paddle's beta1 and beta2"
        )
    return steps


def _scalar(value: int) -> Placement:
    """A float32 of no dimensions, as `torch.optim` keeps its step counts."""
    kind = by_name("float32")
    ref = TensorRef((), kind, MemoryBytes(struct.pack("<f", float(value))))
    return Placement("step", (), kind, ref, "copy")
