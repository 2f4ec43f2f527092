"""The way back: a torch state dict becomes a `.pdparams` that Paddle loads with nothing missing or left."""

from __future__ import annotations

import math
from typing import Any

from convert.layout import Layout, Slot, module_layout
from convert.names import nearest
from convert.plan import ConversionPlan, Drop, Move, Problem
from convert.rosetta.layers import BY_TORCH
from convert.rosetta.rows import RESHAPE, TRANSPOSE, Parameter
from convert.transform import reshape_to


def plan_back(source: Any, target: Any) -> ConversionPlan:
    """Plan a torch state dict's way back to Paddle; never raises for a mismatch (see `problems`).

    `source` maps torch names to objects with a `shape`; `target` is the Layout of the torch model, or the
    model itself: the kinds of its layers say what is transposed and what Paddle calls it.
    """
    layout = target if isinstance(target, Layout) else module_layout(target)
    shapes = {name: tuple(int(size) for size in value.shape) for name, value in source.items()}
    moves: list[Move] = []
    dropped: list[Drop] = []
    problems: list[Problem] = []
    for slot in layout.slots:
        fill = next(
            (f for row in BY_TORCH.get(slot.layer, ()) for f in row.generated if f.torch == slot.role), None
        )
        shape = shapes.pop(slot.name, None)
        if fill is not None:
            if shape is not None:
                dropped.append(Drop(slot.name, fill.why))
        elif shape is None:
            near = tuple(nearest(slot.name, shapes))
            problems.append(Problem("missing", slot.name, f"missing: {slot.name} {list(slot.shape)}", near))
        elif shape != slot.shape:
            message = f"shape: {slot.name} is {list(shape)} in the file and {list(slot.shape)} in the model"
            problems.append(Problem("shape", slot.name, message))
        else:
            moves.append(_move(slot))
    for name, shape in shapes.items():
        near = tuple(nearest(name, [slot.name for slot in layout.slots]))
        problems.append(Problem("extra", name, f"extra: {name} {list(shape)}", near))
    label = str(getattr(source, "path", "") or "the torch state dict")
    order = tuple(move.target for move in moves)
    return ConversionPlan(
        label, layout.origin, tuple(moves), (), tuple(dropped), tuple(problems), order=order
    )


def _move(slot: Slot) -> Move:
    parameter = _parameter(slot)
    if parameter.transform == TRANSPOSE:
        transform, shape = TRANSPOSE, slot.shape[::-1]
    elif parameter.transform == RESHAPE and len(slot.shape) > 1:
        shape = (math.prod(slot.shape),)
        transform = reshape_to(shape)
    else:
        transform, shape = "copy", slot.shape
    return Move(
        slot.name, slot.prefix + parameter.paddle, transform, parameter.why, "name", slot.shape, shape
    )


def _parameter(slot: Slot) -> Parameter:
    rows = BY_TORCH.get(slot.layer, ())
    known = (parameter for row in rows for parameter in row.parameters if parameter.torch == slot.role)
    return next(known, Parameter(slot.role, slot.role, why="a bare parameter is copied as it is"))
