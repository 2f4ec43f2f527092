"""How each torch key finds its Paddle key: rules first, then names through the Rosetta table.

The work of `plan_conversion`, which is where the result is described.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from convert.dtypes import class_of, dtypes_of
from convert.errors import ConvertError
from convert.models.layout import Layout, Slot, module_layout
from convert.plan.completeness import (
    filled_by_another,
    missing_rows,
    same_twice,
    unfilled_targets,
    unfinished_sources,
)
from convert.plan.kinship import family, kin
from convert.plan.plan import (
    LISTED_MOST,
    ConversionPlan,
    Drop,
    Fill,
    Move,
    Options,
    Problem,
    Shape,
    nearest_names,
)
from convert.plan.rules import FILLS, Rule
from convert.plan.source_layout import ASK, PADDLE, TORCH, Evidence, copied, decide, evidence, turned_slots
from convert.plan.sources import advice, choose_sources
from convert.plan.transform import concrete, filled, fits, shape_before, then
from convert.rosetta.cells import WHY_ZERO, second_names, switched_off
from convert.rosetta.layers import BARE, BY_TORCH, LAYERS, chosen_way, layer_of_parameter_name, ways_to_fill
from convert.rosetta.rows import CONCAT, COPY, SPLIT, TRANSPOSE, Generated, Parameter, Row

Way = tuple[Parameter, ...]
HABIT = Evidence(PADDLE, sure=False)


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
        dtypes: Mapping[str, str] = MappingProxyType({}),
        evidence: Evidence = HABIT,
    ) -> None:
        self.shapes, self.parameter_names = shapes, parameter_names
        self.dtypes, self.evidence = dtypes, evidence
        self.is_torch = False
        """Whether the source is in torch's layout already."""
        self.options = options
        self._fills = [rule for rule in options.rules if rule.fill]
        self._given = layout
        self.layout = layout or Layout((), "the names in the file")
        self.moves: dict[str, list[Move]] = {}
        self.generated: list[Fill] = []
        self.dropped: list[Drop] = []
        self.problems: list[Problem] = []
        self.left: list[str] = []
        self.solution = ""
        self.tied: list[tuple[str, str]] = []
        self.notes: list[str] = list(options.notes)
        self._slots: dict[str, Slot] = {}
        self._listed: frozenset[str] = frozenset()
        """Paddle names that take part, by the name they are matched under."""
        self._free: dict[str, str] = {}
        """Paddle names still to be placed, by the name they are matched under."""
        self._unfilled: list[Slot] = []
        self._settled: set[str] = set()
        """Slots that have their tensor, or a problem that says why not."""
        self._twice: list[tuple[str, str]] = []
        """Names that list a tensor again, as they are matched, and Paddle's name of that tensor."""
        self._spelled: dict[str, str] = {}
        """Paddle's name for what each slot holds, were the layers called alike -> the slot."""
        self._layers: dict[str, list[Slot]] = {}
        """The slots of each layer, by its prefix."""
        self._roles: dict[str, set[str]] = {}
        """What each layer has: their roles."""
        self._problems_of: Counter[str] = Counter()

    def run(self) -> None:
        self._choose_sources()
        self._decide_layout()
        if self._given is None:
            self._go_by_names()
        self._listed = frozenset(self._free)
        self._slots = {slot.name: slot for slot in self.layout.slots}
        for slot in self.layout.slots:
            self._layers.setdefault(slot.prefix, []).append(slot)
            self._roles.setdefault(slot.prefix, set()).add(slot.role)
        self._spelled = (
            {}
            if not self.options.rules
            else {
                prefix + role: slot.name
                for slot in self.layout.slots
                for way in self._ways(slot)
                for parameter in way
                for prefix in (slot.paddle_prefix, slot.prefix)
                for role in (parameter.paddle, parameter.also)
                if role
            }
        )
        self._apply_rules()
        self._match_names()
        if self.options.match and (self._unfilled and self._free):
            self._match_structure()
        self._settle()

    # which Paddle keys take part, and under which name

    def _choose_sources(self) -> None:
        chosen = choose_sources(self.shapes, self.options)
        self._free = dict(chosen.names)
        self.dropped += chosen.dropped
        self.problems += chosen.problems

    def _decide_layout(self) -> None:
        turned = turned_slots(() if self._given is None else self._given.slots)
        shapes = {matched: self.shapes[name] for matched, name in self._free.items()}
        decided = decide(self.options.layout, self.evidence, shapes, turned)
        self.is_torch = decided == TORCH
        if self.is_torch:
            self.parameter_names = {}
            if not self.options.layout:
                self.notes.append(copied(self.evidence))
        elif not decided and turned:
            self._problem("order", "", ASK)

    def _go_by_names(self) -> None:
        from convert.models.unnamed import layout_of_names

        shapes = {matched: self.shapes[name] for matched, name in self._free.items()}
        known = {matched: self.parameter_names.get(name, name) for matched, name in self._free.items()}
        self.layout, notes = layout_of_names(shapes, known)
        self.notes += notes

    def _apply_rules(self) -> None:
        split: set[str] = set()
        everything = list(self._free)
        spellings = {
            matched: (matched, *self.options.spellings(name), self.parameter_names.get(name, name))
            for matched, name in (self._free.items() if self.options.rules else ())
        }
        called: dict[str, dict[str, None]] = {}
        for matched, known in spellings.items():
            for one in known:
                called.setdefault(one, {})[matched] = None
        for rule in (rule for rule in self.options.rules if not rule.fill):
            takes_part = SPLIT in (rule.transform or "")
            for matched in list(self._free) if rule.name is None else called.get(rule.name, ()):
                name = self._free.get(matched)
                spelled = next((one for one in spellings[matched] if rule.matches(one)), None)
                if name is None or spelled is None or (name in split and not takes_part):
                    continue
                target = rule.apply(spelled)
                if target not in self._slots:  # a rule for a layer says Paddle's name of what the layer holds
                    target = self._spelled.get(target or "", target)
                if target is None:
                    self.dropped.append(Drop(name, rule.reason))
                elif target not in self._slots:
                    near = nearest_names(target, self._slots)
                    self._problem(
                        "rule", name, f"the rule for {name!r} names {target!r}, which the target lacks", near
                    )
                elif self._is_taken(target, rule):
                    first = self.moves[target][0].source
                    self._problem("rule", name, f"rules send both {first!r} and {name!r} to {target!r}")
                else:
                    self._by_rule(spelled, name, self._slots[target], rule)
                if takes_part:
                    split.add(name)
                else:
                    del self._free[matched]
        self._free = {matched: name for matched, name in self._free.items() if name not in split}
        there = self.options.file_names.values(), self.options.left_out
        names = {*self.shapes, *everything, *self.parameter_names.values(), *there[0], *there[1]}
        for rule in self.options.rules:
            if not rule.optional and not rule.is_about(names):
                message = f"the rule for {rule.source!r} is about no tensor of this file; leave it out, or write optional = true"
                if not rule.fill:
                    self._problem("rule", rule.source, message)
                elif not any(map(rule.fills, self._slots)):
                    message = f"the rule that fills {rule.target!r} is about no key of {self.layout.origin}"
                    self._problem("rule", rule.target or "", message)

    def _is_taken(self, target: str, rule: Rule) -> bool:
        """Whether a rule sends a second tensor to a target, and none of them is a part of it."""
        if target not in self.moves:
            return False
        parts = all(filled(move.transform) for move in self.moves[target])
        return not parts or (rule.transform is not None and CONCAT not in rule.transform)

    def _by_rule(self, spelled: str, name: str, slot: Slot, rule: Rule) -> None:
        transform, why = rule.transform, rule.reason
        choices = [parameter for way in self._ways(slot) for parameter in way]
        known = [parameter for parameter in choices if f".{spelled}".endswith(f".{parameter.paddle}")]
        self._twice += [(spelled.removesuffix(p.paddle) + p.also, name) for p in known if p.also]
        if transform is None:
            named = known or choices
            if CONCAT in named[0].transform and len(named) > 1:
                parts = ", ".join(parameter.transform for parameter in named)
                self._settled.add(slot.name)
                self._problem(
                    "rule",
                    name,
                    f"{slot.name!r} is made of several tensors: say which part {name!r} is, with one of the transforms "
                    f"{parts}",
                )
                return
            related = None if self.is_torch else kin(self._paddle_layer(name), self.shapes[name], slot)
            transform = related[0] if related else named[0].transform
        self._place(name, slot, transform, why, rule.found_by)

    # names

    def _match_names(self) -> None:
        for slot in self.layout.slots:
            if slot.name in self._settled:
                continue
            ruled = self._ruled(slot)
            fill = self._generated(slot)
            if ruled is not None:
                self.generated.append(self._filled(slot, ruled))
                self._settled.add(slot.name)
            elif fill is not None:
                self.generated.append(Fill(slot.name, slot.shape, fill.value, fill.dtype, fill.why))
            elif not any(self._fill(slot, way) for way in (self._expected(slot), *self._ways(slot))):
                self._unfilled.append(slot)

    def _fill(self, slot: Slot, way: Way) -> bool:
        """Take what fills a slot in one of the ways; what is found of several parts, too."""
        found = [(parameter, self._name_of(slot, parameter)) for parameter in way]
        for parameter, matched in found:
            if matched is not None:
                self._take(matched, slot, parameter, "name" if matched == slot.name else "name of the role")
        lost = [parameter for parameter, matched in found if matched is None]
        if len(lost) == len(way):
            return False
        for parameter in lost:
            self._missing(slot, parameter)
        return True

    def _name_of(self, slot: Slot, parameter: Parameter) -> str | None:
        """The free name that a parameter of a slot has."""
        for prefix in (slot.called, slot.prefix) if slot.called else (slot.prefix,):
            for role in (parameter.paddle, parameter.also):
                if role and prefix + role in self._free:
                    return prefix + role
        return None

    def _take(self, matched: str, slot: Slot, parameter: Parameter, found_by: str) -> None:
        name = self._free.pop(matched)
        row = self._paddle_layer(name)
        plain = parameter.transform in (COPY, TRANSPOSE) and not self.is_torch
        related = kin(row, self.shapes[name], slot) if plain else None
        if related is None:
            self._check_layer(name, row, slot, parameter)
        transform, why = related or (parameter.transform, parameter.why)
        self._place(name, slot, transform, why, found_by)
        if parameter.also:
            prefix = matched.removesuffix(parameter.paddle).removesuffix(parameter.also)
            self._twice.append((prefix + parameter.also, name))

    def _place(self, name: str, slot: Slot, transform: str, why: str, found_by: str) -> None:
        shape = self.shapes[name]
        try:
            said = concrete(transform, shape, slot.shape)
            good = fits(shape, said, slot.shape)
        except ConvertError:
            said, good = transform, False
        self._settled.add(slot.name)
        if good and not self._same_class(name, slot):
            return
        if good:
            move = Move(name, slot.name, said, why, found_by, shape, slot.shape)
            self.moves.setdefault(slot.name, []).append(move)
        elif self.options.partial and found_by != "rule":
            self.left.append(slot.name)
            self.dropped.append(
                Drop(name, f"shape {list(shape)} does not fit {slot.name} {list(slot.shape)}")
            )
        else:
            self._wrong_shape(name, slot, said)

    def _same_class(self, name: str, slot: Slot) -> bool:
        """Whether a tensor is of the target's class of types; a problem where it is not."""
        held = self.dtypes.get(name, "")
        kept = slot.dtype or ("float32" if slot.layer in BY_TORCH and slot.learned else "")
        if not held or not kept or class_of(held) == class_of(kept):
            return True
        why = (
            "whole numbers are weights only with their scale, which this file does not have under a name of Paddle's: "
            "convert the checkpoint of before the quantisation"
            if class_of(kept) == "float" and class_of(held) == "integer"
            else "nothing is rounded or reinterpreted unasked: leave it out with --exclude"
        )
        self._problem("dtype", slot.name, f"{name} is {held} and torch's {slot.name} is {kept}; {why}")
        return False

    def _ways(self, slot: Slot) -> tuple[Way, ...]:
        """What the table says of this slot, most specific first; a plain copy when it says nothing."""
        if self.is_torch:
            return ((Parameter(slot.role, slot.role, why="in torch's layout already"),),)
        ways = ways_to_fill(slot.layer, slot.role)
        if ways[0][0].why == BARE and slot.role in _ALIASES:
            return (*ways, (Parameter(_ALIASES[slot.role], slot.role, why="Paddle's name for it"),))
        return ways

    def _ruled(self, slot: Slot) -> Rule | None:
        """The rule that says what a slot gets where no tensor fills it."""
        return next((rule for rule in self._fills if rule.fills(slot.name)), None)

    def _filled(self, slot: Slot, rule: Rule, rows: tuple[int, int] | None = None) -> Fill:
        if rule.fill == "keep" and not slot.dtype:
            message = (
                f"{slot.name!r} is to keep the torch model's own value: name the model itself with --torch"
            )
            self._problem("rule", slot.name, message)
        shape = slot.shape if rows is None else (rows[1] - rows[0], *slot.shape[1:])
        return Fill(slot.name, shape, FILLS[rule.fill], slot.dtype or "float32", rule.reason, rows, rule.fill)

    def _generated(self, slot: Slot) -> Generated | None:
        if slot.name in self._free:
            return None  # the file has it after all (it came from torch)
        rows = BY_TORCH.get(slot.layer, ())
        return next((fill for row in rows for fill in row.generated if fill.torch == slot.role), None)

    # what the parameter's automatic name says about its layer

    def _paddle_layer(self, name: str) -> Row | None:
        return layer_of_parameter_name(self.parameter_names.get(name, name))

    def _check_layer(self, name: str, row: Row | None, slot: Slot, parameter: Parameter) -> None:
        """Refuse a pair whose Paddle layer, `row`, is known to be another kind than the torch layer."""
        if row is None or "." in parameter.paddle:  # a layer inside the one that the table speaks of
            return
        if slot.layer in BY_TORCH and family(row.torch_class) != family(slot.layer):
            self._problem(
                "layer",
                name,
                f"{name!r} belongs to a Paddle {row.paddle_class} ({self.parameter_names.get(name, name)}), "
                f"{slot.name!r} to a torch {slot.layer}",
            )
        elif (
            slot.layer not in BY_TORCH
            and row.paddle_class == "Linear"
            and parameter.transform == COPY
            and _is_square(slot)
        ):
            self._problem(
                "layer",
                name,
                f"{name!r} is the square weight of a Paddle Linear, and torch's {slot.name!r} belongs to no "
                "layer that says whether it is transposed: say it with a rule",
            )

    def _match_structure(self) -> None:
        from convert.plan.structure import match_structure

        open_slots = [slot for slot in self._unfilled if slot.name not in self._settled]
        result = match_structure(
            {matched: self.shapes[name] for matched, name in self._free.items()},
            [(slot, self._expected(slot)) for slot in open_slots],
            {matched: self._paddle_layer(name) for matched, name in self._free.items()},
            by_order=self.options.match == "order",
            created={matched: self.parameter_names.get(name, name) for matched, name in self._free.items()},
            ran=bool(self.options.notes),
        )
        self.notes += result.notes
        for matched, slot, parameter, found_by in result.pairs:
            self._take(matched, slot, parameter, found_by)

    # the end

    def _settle(self) -> None:
        self._fill_tied()
        self._drop_repeated()
        self._drop_switched_off()
        self._require_whole()
        free = list(self._free.values())
        unfilled = [slot for slot in self._unfilled if slot.name not in self._settled]
        if self.options.partial:
            self.left += [slot.name for slot in unfilled]
            self.dropped += [Drop(name, "the target has no such key (partial load)") for name in free]
        else:
            wanted = {
                slot.paddle_prefix + parameter.paddle: (slot, parameter)
                for slot in unfilled
                for parameter in self._expected(slot)
            }
            for slot, parameter in wanted.values():
                self._missing(slot, parameter)
            targets = {slot.name: slot.shape for slot in unfilled or self.layout.slots}
            for name in free:
                near = self._near("extra", name, targets, targets, self.shapes[name])
                self._problem("extra", name, f"extra: {name} {list(self.shapes[name])}", near)
            used = {move.source for parts in self.moves.values() for move in parts}
            there = {matched: self.shapes[name] for matched, name in self._free.items()}
            awaited = {key: slot.shape for key, (slot, _) in wanted.items()}
            self.solution, notes = advice(there, awaited, self.problems, self.options, used)
            self.notes += notes
        if not self.moves and not self.problems:
            left = "not one tensor of the file is left to convert" if not self._slots else ""
            self._problem("empty", "", left or "not one tensor of the file is a tensor of the target")

    def _expected(self, slot: Slot) -> Way:
        """The way to fill a slot that its layer has in Paddle."""
        roles = self._roles[slot.prefix]
        way = chosen_way(self._ways(slot), roles)
        known = slot.prefix + "weight_ih_l0" in self._listed
        return second_names(
            slot.layer, way, roles, lambda name: not known or slot.prefix + name in self._listed
        )

    def _missing(self, slot: Slot, parameter: Parameter) -> None:
        key = slot.paddle_prefix + parameter.paddle
        part = CONCAT in parameter.transform
        shape = shape_before(parameter.transform, slot.shape) if part else slot.shape
        message = f"missing: {key} {list(shape)}{_for(slot, key)}"
        self._settled.add(slot.name)
        if not self.options.partial:
            gone = self._where(key)
            near = () if gone else self._near("missing", key, self._free.values(), self.shapes, shape)
            self._problem("missing", slot.name, message + gone, near)

    def _where(self, name: str) -> str:
        """What became of a Paddle key that a slot waits for."""
        if name not in self.shapes:
            return ""
        dropped = next((drop.why for drop in self.dropped if drop.name == name), None)
        if dropped is not None:
            return f" (the file's {name} was dropped: {dropped})"
        target = next((t for t, parts in self.moves.items() if any(m.source == name for m in parts)), None)
        return "" if target is None else f" (the file's {name} became {target})"

    def _near(
        self, kind: str, name: str, candidates: Iterable[str], shapes: Mapping[str, Shape], shape: Shape
    ) -> tuple[str, ...]:
        """The nearest names, of the same sizes if there are any, for as many problems of a kind as are listed."""
        if self._problems_of[kind] >= LISTED_MOST:
            return ()
        fitting = [other for other in candidates if sorted(shapes[other]) == sorted(shape)]
        return nearest_names(name, fitting) or nearest_names(name, candidates)

    def _fill_tied(self) -> None:
        self.tied = same_twice(self.layout.slots, self.moves)
        waiting = {slot.name for slot in self._unfilled} - self._settled
        for name, moves in filled_by_another(self.layout.slots, self.moves).items():
            if name in waiting:
                self.moves[name] = moves
                self._settled.add(name)

    def _drop_repeated(self) -> None:
        """Drop what lists a tensor again that was moved under another name."""
        moved = dict.fromkeys(move.source for parts in self.moves.values() for move in parts)
        by_parameter = {self.parameter_names[name]: name for name in moved if name in self.parameter_names}
        again = {matched: source for matched, source in self._twice if source in moved}
        for matched, name in list(self._free.items()):
            first = by_parameter.get(self.parameter_names.get(name, ""), again.get(matched, ""))
            if first and self.shapes[first] == self.shapes[name]:
                self.dropped.append(Drop(name, f"the same tensor as {first}", first))
                del self._free[matched]

    def _drop_switched_off(self) -> None:
        """Drop the biases that torch's recurrent layers do not have and Paddle's keep as zeros."""
        for prefix, slots in self._layers.items():
            rows = {slot.role: slot.shape[:1] for slot in slots}
            for bias, weight in switched_off(slots[0].layer, rows).items():
                name = self._free.get(prefix + bias)
                if name is not None and self.shapes[name] == rows[weight]:
                    self.dropped.append(Drop(self._free.pop(prefix + bias), WHY_ZERO, zeros=True))

    def _require_whole(self) -> None:
        for target, wrong in list(unfilled_targets(self.moves)):
            slot, missing = self._slots[target], missing_rows(self.moves[target])
            rule = self._ruled(slot)
            by_rule = all(move.found_by == "rule" for move in self.moves[target])
            if rule is None and by_rule and self.options.partial and slot.dtype:
                rule = Rule("", target, None, "the rows that no tensor fills (partial load)", fill="keep")
            if rule is not None and missing:
                self.generated += [self._filled(slot, rule, rows) for rows in missing]
            elif self.options.partial:
                self.left.append(target)
                why = f"the other parts of {target} are not there (partial load)"
                self.dropped += [Drop(move.source, why) for move in self.moves.pop(target)]
            elif not any(problem.name == target for problem in self.problems):
                self._problem("rule", target, wrong)
        for source, wrong in unfinished_sources(self.moves):
            self._problem("rule", source, wrong)

    def _wrong_shape(self, name: str, slot: Slot, transform: str) -> None:
        shape = self.shapes[name]
        hint = ""
        if transform == TRANSPOSE and shape == slot.shape:
            hint = ", which is torch's own order; if the whole file is, add --layout torch"
        elif self.is_torch and shape == slot.shape[::-1]:
            hint = ", which is Paddle's order; if the whole file is Paddle's, add --layout paddle"
        elif transform == TRANSPOSE and len(shape) == 2:
            hint = f", transposed {list(shape[::-1])}"
        elif transform not in (COPY, TRANSPOSE):
            turned = then(TRANSPOSE, transform)
            fitting = TRANSPOSE not in transform and fits(shape, turned, slot.shape)
            hint = f" and cannot be taken as {transform!r}{f', but as {turned!r}' if fitting else ''}"
        message = f"shape: Paddle's {name} is {list(shape)}{hint}; torch's {slot.name} is {list(slot.shape)}"
        self._problem("shape", name, message)

    def _problem(self, kind: str, name: str, message: str, near: tuple[str, ...] = ()) -> None:
        self.problems.append(Problem(kind, name, message, near))
        self._problems_of[kind] += 1


def _for(slot: Slot, key: str) -> str:
    return "" if key == slot.name else f", for {slot.name}"


def _is_square(slot: Slot) -> bool:
    return len(slot.shape) == 2 and slot.shape[0] == slot.shape[1]


def plan_conversion(source: Any, target: Any, options: Options | None = None) -> ConversionPlan:
    """Plan the conversion of `source` into `target`; never raises for a mismatch (see `problems`).

    `source` is a Checkpoint, or any mapping from names to objects with a `shape` (a live Paddle
    `state_dict()` too). `target` is a Layout, a torch module, or None to go by what the source itself
    tells about its layers.
    """
    options = options or Options()
    shapes = {name: tuple(int(size) for size in value.shape) for name, value in source.items()}
    kinds = _parameter_names(source)
    label = str(getattr(source, "path", "") or "the Paddle state dict")
    layout = target if isinstance(target, Layout) or target is None else module_layout(target)
    pairing = Pairing(shapes, kinds, layout, options, dtypes_of(source), evidence(source))
    pairing.run()
    return ConversionPlan(
        label,
        pairing.layout.origin,
        tuple(_in_order(pairing.moves, pairing.layout.slots)),
        tuple(pairing.generated),
        tuple(pairing.dropped),
        tuple(pairing.problems),
        tuple(pairing.left),
        tuple(pairing.notes),
        tuple(slot.name for slot in pairing.layout.slots),
        tuple(slot.name for slot in pairing.layout.slots if slot.learned),
        solution=pairing.solution,
        tied=tuple(pairing.tied),
    )


def _in_order(moves: Mapping[str, Sequence[Move]], slots: Iterable[Slot]) -> list[Move]:
    """By target, and the parts of a target by where they go."""
    return [
        move
        for slot in slots
        for move in sorted(moves.get(slot.name, ()), key=lambda move: filled(move.transform) or (0, 0))
    ]


def _parameter_names(source: Any) -> Mapping[str, str]:
    """Structured name -> Paddle's automatic parameter name, from the file or from live tensors."""
    names = getattr(source, "parameter_names", None)
    if names is not None:
        return dict(names)
    return {key: value.name for key, value in source.items() if isinstance(getattr(value, "name", None), str)}
