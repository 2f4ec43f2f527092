"""Pair layers whose names differ, by what they hold; ambiguous ones are shown, never guessed.

A layer's signature is the kinds and shapes of everything it holds. A signature that one unpaired Paddle
layer and one unpaired torch layer have, and no other, is a pair. Layers with equal signatures are listed
with their candidates: the order in which two models define their layers is no evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from convert.layout import Slot
from convert.rosetta.layers import BY_TORCH
from convert.rosetta.rows import TRANSPOSE, Parameter, Row

Shape = tuple[int, ...]
Signature = tuple[tuple[str, Shape], ...]
_SHOWN = 5
_AUTOMATIC = re.compile(r"[a-z0-9_]+_\d+\.")


@dataclass(frozen=True)
class MatchResult:
    """`pairs`: Paddle key, torch slot, the table's word on it, how found; `notes`: what stayed ambiguous."""

    pairs: tuple[tuple[str, Slot, Parameter, str], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Group:
    """One layer: its prefix and its entries by Paddle's role names."""

    prefix: str
    signature: Signature
    kind: str
    """The torch class family the layer must be; "" when it is not known."""


def match_structure(
    sources: Mapping[str, Shape],
    slots: Sequence[Slot],
    layers: Mapping[str, Row | None],
    *,
    by_order: bool = False,
) -> MatchResult:
    """Pair `sources` (Paddle keys and shapes) with `slots`; `layers` is what is known of the keys' layers.

    `by_order` pairs layers that hold the same in the order of their definition, and says so.
    """
    paddle = _paddle_groups(sources, layers)
    torch = _torch_groups(slots)
    by_name = {slot.name: slot for slot in slots}
    pairs: list[tuple[_Group, _Group, str]] = []
    while found := list(_certain(paddle, torch)):
        for one, other in found:
            pairs.append((one, other, "structure"))
            paddle.remove(one)
            torch.remove(other)
    notes: list[str] = []
    if by_order:
        ordered = list(_in_order(paddle, torch))
        for one, other in ordered:
            pairs.append((one, other, "order of definition"))
            paddle.remove(one)
            torch.remove(other)
        if ordered:
            notes.append(
                f"{len(ordered)} layers were paired by order of definition: confirm with paddle2torch parity"
            )
    result: list[tuple[str, Slot, Parameter, str]] = []
    for one, other, found_by in pairs:
        for role, _ in one.signature:
            slot, parameter = _slot_of(by_name, other, role)
            result.append((one.prefix + role, slot, parameter, found_by))
    return MatchResult(tuple(result), (*notes, *_ambiguous(paddle, torch)))


def _paddle_groups(sources: Mapping[str, Shape], layers: Mapping[str, Row | None]) -> list[_Group]:
    entries: dict[str, list[tuple[str, Shape]]] = {}
    kinds: dict[str, str] = {}
    for name, shape in sources.items():
        prefix, dot, role = name.rpartition(".")
        entries.setdefault(prefix + dot, []).append((role, shape))
        row = layers.get(name)
        if row is not None:
            kinds[prefix + dot] = _family(row.torch_class)
    return [_Group(prefix, tuple(sorted(held)), kinds.get(prefix, "")) for prefix, held in entries.items()]


def _torch_groups(slots: Sequence[Slot]) -> list[_Group]:
    """Torch layers as Paddle would name and shape what they hold."""
    entries: dict[str, list[tuple[str, Shape]]] = {}
    kinds: dict[str, str] = {}
    for slot in slots:
        parameter = _parameter(slot)
        turned = parameter.transform == TRANSPOSE and len(slot.shape) == 2
        entries.setdefault(slot.prefix, []).append(
            (parameter.paddle, slot.shape[::-1] if turned else slot.shape)
        )
        kinds[slot.prefix] = _family(slot.layer)
    return [_Group(prefix, tuple(sorted(held)), kinds[prefix]) for prefix, held in entries.items()]


def _parameter(slot: Slot) -> Parameter:
    rows = BY_TORCH.get(slot.layer, ())
    known = (parameter for row in rows for parameter in row.parameters if parameter.torch == slot.role)
    return next(known, Parameter(slot.role, slot.role, why="a bare parameter is copied as it is"))


def _slot_of(slots: Mapping[str, Slot], group: _Group, role: str) -> tuple[Slot, Parameter]:
    for slot in slots.values():
        if slot.prefix == group.prefix and _parameter(slot).paddle == role:
            return slot, _parameter(slot)
    raise AssertionError(f"{group.prefix} lost {role}")  # the signatures were equal


def _fits(one: _Group, other: _Group) -> bool:
    return one.signature == other.signature and (not one.kind or not other.kind or one.kind == other.kind)


def _certain(paddle: Sequence[_Group], torch: Sequence[_Group]) -> Iterator[tuple[_Group, _Group]]:
    """Layers that fit one layer of the other side, which fits no other layer of theirs."""
    for one in paddle:
        others = [other for other in torch if _fits(one, other)]
        if len(others) == 1 and sum(_fits(candidate, others[0]) for candidate in paddle) == 1:
            yield one, others[0]


def _in_order(paddle: Sequence[_Group], torch: Sequence[_Group]) -> Iterator[tuple[_Group, _Group]]:
    """Layers that hold the same, one by one, where both sides have as many of them."""
    for signature in {one.signature for one in paddle}:
        ours = sorted((one for one in paddle if one.signature == signature), key=_creation)
        theirs = [other for other in torch if other.signature == signature]
        if len(ours) == len(theirs) and all(map(_fits, ours, theirs)):
            yield from zip(ours, theirs, strict=True)


def _creation(group: _Group) -> int:
    """Automatic names count up as layers are made, but files may list them alphabetically (10 before 2)."""
    return int(group.prefix.rstrip(".").rpartition("_")[2]) if _AUTOMATIC.fullmatch(group.prefix) else 0


def _ambiguous(paddle: Sequence[_Group], torch: Sequence[_Group]) -> Iterator[str]:
    for one in paddle[:_SHOWN]:
        others = [other.prefix.rstrip(".") for other in torch if _fits(one, other)]
        if others:
            shown = ", ".join(others[:_SHOWN]) + (", ..." if len(others) > _SHOWN else "")
            yield f"{one.prefix.rstrip('.')} could be any of: {shown}; say which with a rule"


def _family(torch_layer: str) -> str:
    return torch_layer.rstrip("d123").removeprefix("Sync")
