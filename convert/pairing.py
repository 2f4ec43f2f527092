"""How each torch key finds its Paddle key: rules first, then names through the Rosetta table.

The work of `plan_conversion`, which is where the result is described.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from convert.layout import Layout, Slot
from convert.plan import Drop, Fill, Move, Options, Problem, Shape, nearest_names
from convert.rosetta.layers import BY_TORCH, LAYERS, layer_of_parameter_name, role_of_parameter_name
from convert.rosetta.rows import COPY, RESHAPE, TRANSPOSE, Generated, Parameter, Row
from convert.transform import reshape_to, result_shape

if TYPE_CHECKING:
    from convert.rules import Rule

_BARE = "a bare parameter is copied as it is"
# A layer that the table does not know may still hold what the table's layers hold under other names.
_ALIASES = {
    parameter.torch: parameter.paddle
    for row in (LAYERS["BatchNorm2D"],)
    for parameter in row.parameters
    if parameter.paddle != parameter.torch
}


class Pairing:
    """One planning: `run` fills `moves` (by torch key), `generated`, `dropped`, `problems`, ..."""

    def __init__(
        self,
        shapes: Mapping[str, Shape],
        parameter_names: Mapping[str, str],
        layout: Layout | None,
        options: Options,
    ) -> None:
        self.shapes, self.parameter_names = shapes, parameter_names
        self.options = options
        self._given = layout
        self.layout = layout or Layout((), "the names in the file")
        self.moves: dict[str, Move] = {}
        self.generated: list[Fill] = []
        self.dropped: list[Drop] = []
        self.problems: list[Problem] = []
        self.left: list[str] = []
        self.notes: list[str] = list(options.notes)
        self._slots: dict[str, Slot] = {}
        self._free: dict[str, str] = {}
        """Paddle names still to be placed, by the name they are matched under."""
        self._unfilled: list[Slot] = []

    def run(self) -> None:
        self._choose_sources()
        if self._given is None:
            self._go_by_names()
        self._slots = {slot.name: slot for slot in self.layout.slots}
        self._apply_rules()
        self._match_names()
        if self.options.match and (self._unfilled and self._free):
            self._match_structure()
        self._settle()

    # which Paddle keys take part, and under which name

    def _choose_sources(self) -> None:
        options = self.options
        for name in self.shapes:
            if options.include and not any(fnmatchcase(name, pattern) for pattern in options.include):
                self.dropped.append(Drop(name, f"not included by {', '.join(options.include)}"))
                continue
            pattern = next((pattern for pattern in options.exclude if fnmatchcase(name, pattern)), None)
            if pattern is not None:
                self.dropped.append(Drop(name, f"excluded by {pattern}"))
                continue
            matched = options.add_prefix + _by_role(name).removeprefix(options.strip_prefix)
            if matched in self._free:
                first = self._free[matched]
                self._problem(
                    "extra", name, f"{first!r} and {name!r} are both {matched!r} once the prefix is changed"
                )
            self._free[matched] = name
        prefix = options.strip_prefix
        if prefix and not any(_by_role(name).startswith(prefix) for name in self.shapes):
            near = nearest_names(prefix, self.shapes)
            self._problem("empty", prefix, f"--strip-prefix {prefix}: no tensor's name begins so", near)
        for option, patterns in (("include", options.include), ("exclude", options.exclude)):
            for pattern in patterns:
                if not any(fnmatchcase(name, pattern) for name in self.shapes):
                    near = nearest_names(pattern.replace("*", ""), self.shapes)
                    self._problem("empty", pattern, f"--{option} {pattern} matches no tensor", near)

    def _go_by_names(self) -> None:
        from convert.untargeted import layout_of_names

        shapes = {matched: self.shapes[name] for matched, name in self._free.items()}
        known = {matched: self.parameter_names.get(name, name) for matched, name in self._free.items()}
        self.layout, notes = layout_of_names(shapes, known)
        self.notes += notes

    def _apply_rules(self) -> None:
        for rule in self.options.rules:
            for matched, name in list(self._free.items()):
                if not rule.matches(matched):
                    continue
                target = rule.apply(matched)
                if target is None:
                    self.dropped.append(Drop(name, rule.reason))
                elif target not in self._slots:
                    near = nearest_names(target, self._slots)
                    self._problem(
                        "rule", name, f"the rule for {name!r} names {target!r}, which the target lacks", near
                    )
                elif target in self.moves:
                    first = self.moves[target].source
                    self._problem("rule", name, f"rules send both {first!r} and {name!r} to {target!r}")
                else:
                    self._by_rule(name, self._slots[target], rule)
                del self._free[matched]

    def _by_rule(self, name: str, slot: Slot, rule: Rule) -> None:
        transform = rule.transform
        if transform is None:
            transform = self._parameter(slot)[0].transform
        if transform == RESHAPE:
            transform = reshape_to(slot.shape)
        self._place(name, slot, transform, rule.reason, rule.found_by)

    # names

    def _match_names(self) -> None:
        for slot in self.layout.slots:
            if slot.name in self.moves:
                continue
            fill = self._generated(slot)
            if fill is not None:
                self.generated.append(Fill(slot.name, slot.shape, fill.value, fill.dtype, fill.why))
                continue
            for parameter in self._parameter(slot):
                matched = slot.prefix + parameter.paddle
                if matched in self._free:
                    self._take(
                        matched, slot, parameter, "name" if matched == slot.name else "name of the role"
                    )
                    break
            else:
                self._unfilled.append(slot)

    def _take(self, matched: str, slot: Slot, parameter: Parameter, found_by: str) -> None:
        name = self._free.pop(matched)
        self._check_layer(name, slot, parameter.transform)
        self._place(name, slot, self._concrete(parameter.transform, name, slot), parameter.why, found_by)

    def _concrete(self, transform: str, name: str, slot: Slot) -> str:
        if transform != RESHAPE:
            return transform
        same = self.shapes[name] == slot.shape
        return (
            COPY if same or math.prod(self.shapes[name]) != math.prod(slot.shape) else reshape_to(slot.shape)
        )

    def _place(self, name: str, slot: Slot, transform: str, why: str, found_by: str) -> None:
        shape = self.shapes[name]
        if transform == TRANSPOSE and len(shape) != 2:
            fits, as_torch = False, shape
        elif transform.startswith(RESHAPE):
            fits = math.prod(shape) == math.prod(slot.shape)
            as_torch = shape
        else:
            as_torch = result_shape(shape, transform)
            fits = as_torch == slot.shape
        if fits:
            self.moves[slot.name] = Move(name, slot.name, transform, why, found_by, shape, slot.shape)
        elif self.options.partial and found_by != "rule":
            self.left.append(slot.name)
            self.dropped.append(
                Drop(name, f"shape {list(shape)} does not fit {slot.name} {list(slot.shape)}")
            )
        else:
            self._wrong_shape(name, slot, transform)

    def _parameter(self, slot: Slot) -> list[Parameter]:
        """What the table says of this slot, most specific first; a plain copy when it says nothing."""
        rows = BY_TORCH.get(slot.layer, ())
        found = [parameter for row in rows for parameter in row.parameters if parameter.torch == slot.role]
        if found:
            return found
        plain = [Parameter(slot.role, slot.role, why=_BARE)]
        if slot.role in _ALIASES:
            plain.append(Parameter(_ALIASES[slot.role], slot.role, why="Paddle's name for it"))
        return plain

    def _generated(self, slot: Slot) -> Generated | None:
        if slot.name in self._free:
            return None  # the file has it after all (it came from torch)
        rows = BY_TORCH.get(slot.layer, ())
        return next((fill for row in rows for fill in row.generated if fill.torch == slot.role), None)

    # what the parameter's automatic name says about its layer

    def _paddle_layer(self, name: str) -> Row | None:
        return layer_of_parameter_name(self.parameter_names.get(name, name))

    def _check_layer(self, name: str, slot: Slot, transform: str) -> None:
        """Refuse a pair whose Paddle layer is known to be another kind than the torch layer."""
        row = self._paddle_layer(name)
        if row is None:
            return
        if slot.layer in BY_TORCH and _family(row.torch_class) != _family(slot.layer):
            self._problem(
                "layer",
                name,
                f"{name!r} belongs to a Paddle {row.paddle_class} ({self.parameter_names[name]}), "
                f"{slot.name!r} to a torch {slot.layer}",
            )
        elif (
            slot.layer not in BY_TORCH
            and row.paddle_class == "Linear"
            and transform == COPY
            and _is_square(slot)
        ):
            self._problem(
                "layer",
                name,
                f"{name!r} is the square weight of a Paddle Linear, and torch's {slot.name!r} belongs to no "
                "layer that says whether it is transposed: say it with a rule",
            )

    def _match_structure(self) -> None:
        from convert.match import match_structure

        result = match_structure(
            {matched: self.shapes[name] for matched, name in self._free.items()},
            self._unfilled,
            {matched: self._paddle_layer(name) for matched, name in self._free.items()},
            by_order=self.options.match == "order",
        )
        self.notes += result.notes
        for matched, slot, parameter, found_by in result.pairs:
            self._unfilled.remove(slot)
            self._take(matched, slot, parameter, found_by)

    # the end

    def _settle(self) -> None:
        free = list(self._free.values())
        if self.options.partial:
            self.left += [slot.name for slot in self._unfilled]
            self.dropped += [Drop(name, "the target has no such key (partial load)") for name in free]
        else:
            wanted = {slot.prefix + self._parameter(slot)[0].paddle: slot for slot in self._unfilled}
            for key, slot in wanted.items():
                self._problem(
                    "missing",
                    slot.name,
                    f"missing: {key} {list(slot.shape)}{_for(slot, key)}",
                    nearest_names(key, free or self.shapes),
                )
            targets = [slot.name for slot in self._unfilled] or list(self._slots)
            for name in free:
                near = nearest_names(name, targets)
                self._problem("extra", name, f"extra: {name} {list(self.shapes[name])}", near)
            self._hint_prefix(set(wanted))
        if self._slots and not self.moves and not self.problems:
            self._problem("empty", "", "not one tensor of the file is a tensor of the target")

    def _wrong_shape(self, name: str, slot: Slot, transform: str) -> None:
        shape = self.shapes[name]
        hint = ""
        if transform == TRANSPOSE and shape == slot.shape:
            hint = ", which is torch's own order: is this file already converted?"
        elif transform == TRANSPOSE and len(shape) == 2:
            hint = f", transposed {list(shape[::-1])}"
        message = f"shape: Paddle's {name} is {list(shape)}{hint}; torch's {slot.name} is {list(slot.shape)}"
        self._problem("shape", name, message)

    def _hint_prefix(self, wanted: set[str]) -> None:
        """When one prefix explains every difference, say so."""
        if not wanted or not self._free:
            return
        for name in self._free:
            for key in (key for key in wanted if name.endswith("." + key) or key.endswith("." + name)):
                if name.endswith(key):
                    prefix = name[: -len(key)]
                    if {free.removeprefix(prefix) for free in self._free} == wanted:
                        self.notes.append(f"every key fits without its prefix: add --strip-prefix {prefix}")
                        return
                else:
                    prefix = key[: -len(name)]
                    if {prefix + free for free in self._free} == wanted:
                        self.notes.append(f"every key fits with a prefix: add --add-prefix {prefix}")
                        return
            return

    def _problem(self, kind: str, name: str, message: str, near: tuple[str, ...] = ()) -> None:
        self.problems.append(Problem(kind, name, message, near))


def _by_role(name: str) -> str:
    """`name`, or when it is a parameter's automatic name `conv2d_0.weight` for `conv2d_0.w_0`."""
    role = role_of_parameter_name(name)
    return name if role is None else name[: name.rindex(".") + 1] + role


def _for(slot: Slot, key: str) -> str:
    return "" if key == slot.name else f", for {slot.name}"


def _is_square(slot: Slot) -> bool:
    return len(slot.shape) == 2 and slot.shape[0] == slot.shape[1]


def _family(torch_layer: str) -> str:
    """Layers that keep the same things in the same way: `BatchNorm` for every BatchNormNd."""
    return torch_layer.rstrip("d123").removeprefix("Sync")
