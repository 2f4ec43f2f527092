"""The way back: a torch state dict becomes a `.pdparams` that Paddle loads with nothing missing or left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from convert.errors import ConvertError
from convert.models.layout import Layout, Slot, module_layout
from convert.names import nearest
from convert.plan.patterns import turned
from convert.plan.plan import ConversionPlan, Drop, Fill, Move, Problem
from convert.plan.rules import Rule
from convert.plan.transform import concrete, inverse, shape_before
from convert.rosetta.cells import WHY_ZERO, second_names, switched_off
from convert.rosetta.layers import BY_TORCH, chosen_way, ways_to_fill
from convert.rosetta.rows import RESHAPE, SPLIT, Parameter


def plan_back(source: Any, target: Any, rules: Sequence[Rule] = ()) -> ConversionPlan:
    """Plan a torch state dict's way back to Paddle; never raises for a mismatch (see `problems`).

    `source` maps torch names to objects with a `shape`; `target` is the Layout of the torch model, or the
    model itself: the kinds of its layers say what is transposed and what Paddle calls it. `rules` are those of the way
    there, of one name or a pattern as `--save-rules` writes them. ConvertError for a rule that cannot be turned round.
    """
    given, patterns = _turned_round(rules)
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
            held = roles[slot.prefix]
            way = chosen_way(ways_to_fill(slot.layer, slot.role), held)
            way = second_names(slot.layer, way, held, lambda _: True)
            for parameter in given.pop(slot.name, None) or _renamed(slot, way, patterns):
                try:
                    moves += _moves(slot, parameter, way)
                except ConvertError as error:
                    problems.append(Problem("rule", slot.name, f"the rule for {slot.name!r}: {error}"))
    for name, shape in shapes.items():
        near = tuple(nearest(name, [slot.name for slot in layout.slots]))
        problems.append(Problem("extra", name, f"extra: {name} {list(shape)}", near))
    for name in given:
        near = tuple(nearest(name, [slot.name for slot in layout.slots]))
        problems.append(Problem("rule", name, f"a rule names {name!r}, which the model lacks", near))
    targets = Counter(move.target for move in moves)
    for name in (name for name, count in targets.items() if count > 1):
        sources = ", ".join(move.source for move in moves if move.target == name)
        problems.append(Problem("rule", name, f"rules make {name!r} of several tensors: {sources}"))
    label = str(getattr(source, "path", "") or "the torch state dict")
    generated = tuple(_switched_off(source, layout, roles))
    order = (*(move.target for move in moves), *(fill.name for fill in generated))
    return ConversionPlan(
        label,
        layout.origin,
        tuple(moves),
        generated,
        tuple(dropped),
        tuple(problems),
        order=order,
        sides=("torch", "Paddle"),
    )


def _switched_off(source: Any, layout: Layout, roles: Mapping[str, set[str]]) -> Iterator[Fill]:
    """The zeros that Paddle's recurrent layers keep where torch's have no bias, of the type of the weight beside them."""
    slots = {slot.name: slot for slot in layout.slots}
    for prefix, layer in {slot.prefix: slot.layer for slot in layout.slots}.items():
        for bias, weight in switched_off(layer, roles[prefix]).items():
            if prefix + weight in source:
                like = source[prefix + weight]
                kind = getattr(like, "dtype_name", None) or str(like.dtype).rpartition(".")[2]
                yield Fill(prefix + bias, slots[prefix + weight].shape[:1], 0, kind, WHY_ZERO)


def _turned_round(rules: Sequence[Rule]) -> tuple[dict[str, list[Parameter]], list[Rule]]:
    """Torch name -> whole Paddle names and transforms, by rules of the way there; and its patterns, from torch to Paddle."""
    found: dict[str, list[Parameter]] = {}
    patterns = []
    for rule in rules:
        if rule.target is None or rule.fill:
            continue
        backwards = turned(rule) if rule.literal is None and rule.transform is None else None
        if backwards is not None:
            patterns.append(backwards)
            continue
        if (
            rule.literal is None
            or (rule.transform or "").startswith(SPLIT)
            or f"+{SPLIT}" in (rule.transform or "")
        ):
            raise ConvertError(
                f"the rule for {rule.source!r} cannot be turned round for the way back: only those of one whole tensor can, and "
                "patterns without a transform whose groups (numbers, or the rest of a name) all stand in the target"
            )
        name, torch = rule.literal
        found.setdefault(torch, []).append(Parameter(name, torch, rule.transform or "", rule.reason))
    return found, patterns


def _renamed(slot: Slot, way: Sequence[Parameter], patterns: Sequence[Rule]) -> list[Parameter]:
    """What Paddle has of a slot, under the names that patterns give its layer."""
    renamed = []
    for parameter in way:
        spelled = slot.paddle_prefix + parameter.paddle
        rule = next((rule for rule in patterns if rule.matches(spelled)), None)
        name = rule.apply(spelled) if rule is not None else None
        renamed.append(parameter if name is None else replace(parameter, paddle=name))
    return renamed


def _moves(slot: Slot, parameter: Parameter, way: Sequence[Parameter]) -> Iterator[Move]:
    """A slot's tensor, or its part, to each name that Paddle has it under; `way` is what the table says of it."""
    if parameter in way:
        table, found_by = parameter, "name"
        names = [slot.paddle_prefix + role for role in (parameter.paddle, parameter.also) if role]
    else:
        table = next((entry for entry in way if parameter.paddle.endswith(entry.paddle)), way[0])
        names, found_by = [parameter.paddle], "rule"
        if table.also and parameter.paddle.endswith(table.paddle):
            names.append(parameter.paddle.removesuffix(table.paddle) + table.also)
    transform = parameter.transform or table.transform
    if transform.startswith(RESHAPE) and table.transform != RESHAPE:
        raise ConvertError(f"{transform!r} does not tell the shape that {parameter.paddle!r} had in Paddle")
    before = (1,) * table.ones + shape_before(transform, slot.shape)
    undone = inverse(concrete(transform, before, slot.shape), before)
    for name in names:
        yield Move(slot.name, name, undone, parameter.why, found_by, slot.shape, before)
