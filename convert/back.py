"""The way back: a torch state dict becomes a `.pdparams` that Paddle loads with nothing missing or left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from convert.layout import Layout, Slot, module_layout
from convert.names import nearest
from convert.plan import ConversionPlan, Drop, Move, Problem
from convert.rosetta.layers import BY_TORCH, chosen_way, ways_to_fill
from convert.rosetta.rows import Parameter
from convert.transform import concrete, inverse, shape_before


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
    roles: dict[str, set[str]] = {}
    for slot in layout.slots:
        roles.setdefault(slot.prefix, set()).add(slot.role)
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
            for parameter in chosen_way(ways_to_fill(slot.layer, slot.role), roles[slot.prefix]):
                moves += _moves(slot, parameter)
    for name, shape in shapes.items():
        near = tuple(nearest(name, [slot.name for slot in layout.slots]))
        problems.append(Problem("extra", name, f"extra: {name} {list(shape)}", near))
    label = str(getattr(source, "path", "") or "the torch state dict")
    order = tuple(move.target for move in moves)
    return ConversionPlan(
        label, layout.origin, tuple(moves), (), tuple(dropped), tuple(problems), order=order
    )


def _moves(slot: Slot, parameter: Parameter) -> Iterator[Move]:
    """A slot's tensor, or its part, to each name that Paddle has it under."""
    before = shape_before(parameter.transform, slot.shape)
    there = concrete(parameter.transform, before, slot.shape)
    transform = inverse(there, before)
    for role in (parameter.paddle, parameter.also):
        if role:
            yield Move(slot.name, slot.prefix + role, transform, parameter.why, "name", slot.shape, before)
