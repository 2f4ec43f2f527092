"""A `.pdopt` read for a target: every accumulator at its torch parameter, in the target's order, none read yet.

A `.pdopt` names its accumulators after Paddle's parameter names (`linear_0.w_0_moment1_0`); the table in the
`.pdparams` says which structured name that is, and the conversion plan which torch parameter, transposed
or not. Hyperparameters are not in the file.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from convert.checkpoint.accumulators import ACCUMULATOR
from convert.checkpoint.checkpoint import Checkpoint
from convert.checkpoint.payload import MemoryBytes
from convert.checkpoint.pdparams import SCHEDULER
from convert.checkpoint.reader import open_optimizer_state
from convert.checkpoint.tensor import TensorRef
from convert.dtypes import by_name
from convert.errors import ConvertError
from convert.names import did_you_mean
from convert.plan.plan import ConversionPlan, Move
from convert.plan.transform import filled, reshape_to, then, whole
from convert.rosetta.rows import SPLIT
from convert.training.optimizers import HISTORY, NOT_ALWAYS, NUMBERS, OPTIMIZERS, POWERS, STATE, UNCOUNTED
from convert.write.parts import Part, placement
from convert.write.place import Placement

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
    numbers: Mapping[str, Mapping[str, TensorRef]]
    """Torch parameter -> the accumulators that are one number, such as the powers of beta."""
    masters: Mapping[str, Placement]
    """float32 copies that Paddle kept of low-precision parameters."""
    schedule: Schedule | None
    path: str

    @property
    def kinds(self) -> frozenset[str]:
        """The accumulators that occur."""
        every = (*self.accumulators.values(), *self.numbers.values())
        return frozenset(kind for held in every for kind in held)

    def entry(self, name: str, torch_class: str, options: Mapping[str, Any]) -> dict[str, Placement]:
        """The state of one parameter as `torch_class` calls it; empty where Paddle had none."""
        called, kept = STATE[torch_class], self.accumulators.get(name, {})
        numbers, betas = self.numbers.get(name, {}), options.get("betas")
        powers = {kind: ref for kind, ref in numbers.items() if kind in POWERS}
        if not kept and not numbers:
            return {}
        for kind in kept:
            if kind not in called:
                raise ConvertError(
                    f"{self.path}: the accumulator {kind!r} of {name!r} has no counterpart in torch's {torch_class}"
                )
        if powers and betas is None:
            raise ConvertError(f"{self.path}: has powers of beta, which torch's {torch_class} has not")
        lacking = [kind for kind in called if kind not in {*kept, *numbers} and kind not in NOT_ALWAYS]
        lacking += ["beta1_pow_acc"] if betas is not None and not powers else []
        if lacking:
            raise ConvertError(
                f"{self.path}: of {name!r} there is no {lacking[0]!r}, which torch's {torch_class} needs; "
                "was it another optimizer?"
            )
        if options.get("lr_decay"):
            raise ConvertError(
                f"lr_decay {options['lr_decay']}: Paddle's Adagrad has none, and does not count its steps"
            )
        entry = {called[kind]: held for kind, held in kept.items()}
        self._require_rows(name, entry.get(HISTORY), options)
        entry |= {called[kind]: self._number(kind, ref) for kind, ref in numbers.items() if kind in called}
        if powers and betas is not None:
            return {"step": _scalar(_steps(self.path, powers, betas)), **entry}
        return {"step": _scalar(0), **entry} if torch_class in UNCOUNTED else entry

    def _require_rows(self, name: str, history: Placement | None, options: Mapping[str, Any]) -> None:
        """ConvertError where the torch optimizer keeps another number of gradients than Paddle's did."""
        if history is not None and history.shape[0] != options["batch_num"]:
            raise ConvertError(
                f"{self.path}: keeps {history.shape[0]} gradients of {name!r}, and the torch optimizer "
                f"{options['batch_num']}: give it batch_num={history.shape[0]}"
            )

    def _number(self, kind: str, ref: TensorRef) -> Placement:
        """An accumulator that is one number; torch counts steps in float32."""
        values = ref.numpy().reshape(-1)
        if not ref.size or (values != values[0]).any():
            raise ConvertError(
                f"{self.path}: {kind!r} is one number in torch, and here it is {ref.size} different ones"
            )
        if kind == "m":
            return _scalar(int(values[0]))
        return Placement(
            kind, (), ref.kind, TensorRef((), ref.kind, MemoryBytes(values[:1].tobytes())), "copy"
        )

    def require_held(self, names: Sequence[str]) -> None:
        """ConvertError when Paddle trained a parameter that is not among those of the torch optimizer."""
        lost = sorted((self.accumulators.keys() | self.numbers.keys()) - set(names))
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
    state, masters = open_optimizer_state(path, frozenset(weights.parameter_names.values()))
    with state:
        if not weights.parameter_names and (len(state) or masters is not None):
            raise ConvertError(
                f"{weights.path}: has no table of parameter names, so the accumulators of {state.path} cannot be "
                "told apart; save the layer's whole state_dict() with paddle.save"
            )
        moves = _by_parameter(weights, plan)
        tied = {move.target for move in plan.moves} - set(
            plan.learned
        )  # the first of several names has the state
        dropped = {weights.parameter_names.get(drop.name, "") for drop in plan.dropped}
        held: dict[tuple[str, str], list[tuple[Move, Part]]] = {}
        numbers: dict[str, dict[str, TensorRef]] = {}
        for key, ref in state.items():
            match = ACCUMULATOR.fullmatch(key)
            parameter = match["parameter"] if match else ""
            if match is None or (parameter not in moves and parameter not in dropped):
                raise _unknown(state, key, {*moves, *dropped})
            for move in moves.get(parameter, ()):
                if move.target in tied:
                    continue
                if match["kind"] in NUMBERS:
                    numbers.setdefault(move.target, {})[match["kind"]] = ref
                else:
                    held.setdefault((move.target, match["kind"]), []).append(
                        (move, Part(key, ref, move.transform))
                    )
        accumulators: dict[str, dict[str, Placement]] = {}
        for (target, kind), parts in held.items():
            accumulators.setdefault(target, {})[kind] = _place(state, target, kind, parts)
        masters_of = _masters(masters, moves, tied)
        yield TrainingState(accumulators, numbers, masters_of, _schedule(state), str(state.path))
        state.check_unchanged()


def _unknown(state: Checkpoint, key: str, parameters: Collection[str]) -> ConvertError:
    """What to say of an entry that is no accumulator we know of a parameter that the weights have."""
    if any(name and key.startswith(f"{name}_") for name in parameters):
        return ConvertError(
            f"{state.path}: {key!r} is the state of an optimizer that is not converted; those that are: "
            f"{', '.join(OPTIMIZERS)}"
        )
    return ConvertError(
        f"{state.path}: {key!r} is no accumulator of a parameter in the weights file"
        f"{did_you_mean(key, parameters)}; the two files must be saved by the same run"
    )


def _by_parameter(weights: Checkpoint, plan: ConversionPlan) -> dict[str, list[Move]]:
    """The moves of each of Paddle's parameters."""
    found: dict[str, list[Move]] = {}
    for move in plan.moves:
        found.setdefault(weights.parameter_names.get(move.source, ""), []).append(move)
    return found


def _place(state: Checkpoint, target: str, kind: str, parts: list[tuple[Move, Part]]) -> Placement:
    """What the optimizer keeps of a torch parameter, laid out as that is; of several gradients, each of them."""
    parts.sort(key=lambda pair: filled(pair[0].transform) or (0, 0))
    shape = parts[0][0].shape
    count = parts[0][1].source.shape[:1] if kind == "y" else ()
    for move, part in parts:
        if part.source.shape != (*count, *move.source_shape) or count == (0,):
            raise ConvertError(
                f"{state.path}: {part.name!r} has shape {list(part.source.shape)}, its parameter "
                f"{list(move.source_shape)}"
            )
    rows = [row for move, _ in parts if (row := filled(move.transform))]
    if rows and not whole(rows, shape[0]):
        names = ", ".join(move.source for move, _ in parts)
        raise ConvertError(
            f"{state.path}: of {target!r}, which is made of several parameters, only {names} has a {kind!r}, so "
            "that the state of the whole is not known"
        )
    held = [part for _, part in parts]
    if count:
        held = [_gradient(move, part, row) for row in range(*count) for move, part in parts]
    return placement(parts[0][1].name, (*count, *shape), held)


def _gradient(move: Move, part: Part, row: int) -> Part:
    """One of the gradients that are kept one behind the other."""
    taken = then(f"{SPLIT}:{row}:{row + 1}", reshape_to(move.source_shape), part.transform)
    return replace(part, transform=taken)


def _masters(
    masters: Checkpoint | None, moves: Mapping[str, list[Move]], tied: Collection[str]
) -> dict[str, Placement]:
    held: dict[str, list[tuple[Move, Part]]] = {}
    for name, ref in (masters or {}).items():
        if name not in moves:
            where = "" if masters is None else masters.path
            raise ConvertError(f"{where}: the master weight {name!r} belongs to no parameter")
        for move in (move for move in moves[name] if move.target not in tied):
            held.setdefault(move.target, []).append((move, Part(name, ref, move.transform)))
    if masters is None:
        return {}
    return {target: _place(masters, target, "master weight", parts) for target, parts in held.items()}


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
    """How many steps were taken, from the powers of beta that Paddle keeps (beta ** steps, or one more)."""
    import numpy as np

    counts = []
    for accumulator, ref in powers.items():
        index, ahead = POWERS[accumulator]
        beta = float(np.float32(betas[index]))
        power = float(ref.numpy().reshape(-1)[0]) if ref.size else math.nan
        if 0 <= power <= 1 and 0 < beta < 1:
            counts.append((beta, math.log(max(power, _POWER_LEAST)) / math.log(beta) - ahead, power))
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
