"""Pair layers whose names differ, by what they hold; ambiguous ones are shown, never guessed.

A layer's signature is the kinds and shapes of everything it holds. A signature that one unpaired Paddle
layer and one unpaired torch layer have, and no other, is a pair. Layers with equal signatures are listed
with their candidates: the order in which two models define their layers is no evidence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType

from convert.models.layout import Slot
from convert.names import counted, listed
from convert.plan.kinship import as_matrix, family
from convert.plan.transform import shape_before
from convert.rosetta.rows import Parameter, Row

Shape = tuple[int, ...]
Signature = tuple[tuple[str, Shape], ...]
Open = Sequence[tuple[Slot, tuple[Parameter, ...]]]
"""Slots without a tensor, and what fills each in Paddle."""
Key = Callable[["_Group"], Signature]
Fit = Callable[["_Group", "_Group"], bool]
_SHOWN = 5
_AUTOMATIC = re.compile(r"([a-z0-9_]+)_(\d+)\.")


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
    created: tuple[str, int] = ("", 0)
    """Paddle's counter that numbered the layer as it was made, and its number; ("", 0) where no name tells it."""


class _Unpaired:
    """The layers of both sides that have no partner yet, and the pairs that were found."""

    def __init__(self, paddle: list[_Group], torch: list[_Group], *, numbered: bool) -> None:
        self.paddle = {one.prefix: one for one in paddle}
        self.torch = {other.prefix: other for other in torch}
        self.numbered = numbered
        """Whether only Paddle's automatic names can tell the order of definition."""
        self.apart: list[tuple[str, ...]] = []
        """Counters that numbered layers which hold the same, so that no name tells their order."""
        self.pairs: list[tuple[_Group, _Group, str]] = []

    def pair(self, found: Iterator[tuple[_Group, _Group]], how: str) -> int:
        """Take pairs out; how many there were."""
        count = 0
        for one, other in list(found):
            if one.prefix in self.paddle and other.prefix in self.torch:
                self.pairs.append((one, other, how))
                del self.paddle[one.prefix], self.torch[other.prefix]
                count += 1
        return count

    def settle(self, how: str = "structure") -> None:
        """Pair what is certain, until nothing more is; `how` is what it rests on."""
        while (
            self.pair(self._alone(_fits, _signature), how)
            or self.pair(self._inside(), f"{how}: inside a paired layer")
            or self.pair(
                self._alone(_akin, _matrices), f"{how}: another kind of layer that computes the same"
            )
        ):
            pass

    def _alone(self, fit: Fit, key: Key) -> Iterator[tuple[_Group, _Group]]:
        """Layers that fit one layer of the other side, which fits no other layer of theirs; only those of one `key` fit."""
        ours, theirs = _alike(self.paddle.values(), key), _alike(self.torch.values(), key)
        for one in self.paddle.values():
            others = [
                other
                for alike in theirs.get(key(one), {}).values()
                if fit(one, alike[0])
                for other in alike[:2]
            ]
            if len(others) == 1:
                rivals = ours[key(one)].values()
                if sum(len(alike) for alike in rivals if fit(alike[0], others[0])) == 1:
                    yield one, others[0]

    def _inside(self) -> Iterator[tuple[_Group, _Group]]:
        """Layers of equal names and signatures inside a pair of the frameworks' own compound layers."""
        for first, second, _ in self.pairs:
            for one in self.paddle.values() if _is_compound(first) else ():
                if one.prefix.startswith(first.prefix):
                    other = self.torch.get(second.prefix + one.prefix.removeprefix(first.prefix))
                    if other is not None and _fits(one, other):
                        yield one, other

    def in_order(self) -> Iterator[tuple[_Group, _Group]]:
        """Layers that hold the same, one by one, where both sides have as many of them."""
        held: dict[Signature, tuple[list[_Group], list[_Group]]] = {}
        for side, groups in enumerate((self.paddle, self.torch)):
            for group in groups.values():
                held.setdefault(group.signature, ([], []))[side].append(group)
        for ours, theirs in held.values():
            if self.numbered:  # or else the file's own order is that of the definition
                ours.sort(key=lambda one: one.created[1])
            counters = {one.created[0] for one in ours} if self.numbered else {""}
            if len(counters) > 1 and len(ours) == len(theirs):
                self.apart.append(tuple(sorted(counters)))
            elif len(ours) == len(theirs) and all(map(_fits, ours, theirs)):
                yield from zip(ours, theirs, strict=True)


def match_structure(
    sources: Mapping[str, Shape],
    slots: Open,
    layers: Mapping[str, Row | None],
    *,
    by_order: bool = False,
    created: Mapping[str, str] = MappingProxyType({}),
    ran: bool = False,
) -> MatchResult:
    """Pair `sources` (Paddle keys and shapes) with `slots`; `layers` is what is known of the keys' layers.

    `by_order` pairs layers that hold the same in the order of their definition, and says so; `created` are the keys'
    automatic parameter names, which tell that order where the file is sorted. `ran`: both models were run already, so
    that is no advice.
    """
    torch = _torch_groups(slots)
    names = [created.get(name, name) for name in sources]
    paddle = _paddle_groups(sources, layers, torch, slots, created)
    unpaired = _Unpaired(paddle, torch, numbered=names == sorted(names) or not _is_counted_up(paddle))
    unpaired.settle()
    notes: list[str] = []
    if by_order:
        count = unpaired.pair(unpaired.in_order(), "order of definition")
        if count:
            notes.append(
                f"{counted(count, 'layer')} paired by order of definition: keep that with --save-rules FILE and confirm with "
                "`paddle2torch parity --weights CHECKPOINT --rules FILE`"
            )
            unpaired.settle("what the order of definition left")
        notes += [
            f"Paddle counts {' and '.join(counters)} apart, so the names of these layers do not tell the order in which they "
            "were defined, and they were not paired by it"
            for counters in dict.fromkeys(unpaired.apart)
        ]
    result: list[tuple[str, Slot, Parameter, str]] = []
    by_role = {(slot.prefix, parameter.paddle): (slot, parameter) for slot, way in slots for parameter in way}
    for one, other, found_by in unpaired.pairs:
        for role, _ in one.signature:
            result.append((one.prefix + role, *by_role[other.prefix, role], found_by))
    notes += [
        *_different([*unpaired.paddle.values()], [*unpaired.torch.values()]),
        *_ambiguous([*unpaired.paddle.values()], [*unpaired.torch.values()], ran=ran),
    ]
    return MatchResult(tuple(result), tuple(notes))


def _paddle_groups(
    sources: Mapping[str, Shape],
    layers: Mapping[str, Row | None],
    torch: Sequence[_Group],
    slots: Open,
    created: Mapping[str, str],
) -> list[_Group]:
    """Layers by what comes before the last dot, but for layers of torch that are several in Paddle."""
    entries: dict[str, list[tuple[str, Shape]]] = {}
    kinds: dict[str, str] = {}
    grouped: dict[str, tuple[str, str]] = {}
    numbers: dict[str, tuple[str, int]] = {}
    for roles, (kind, again) in _compounds(torch, slots).items():
        first = min(roles)
        for prefix in [name.removesuffix(first) for name in sources if name.endswith(first)]:
            if all(prefix + role in sources for role in roles) and (not prefix or prefix.endswith(".")):
                kinds[prefix] = kind
                grouped |= {prefix + role: (prefix, role) for role in roles}
                grouped |= {prefix + role: (prefix, "") for role in again}
    for name, shape in sources.items():
        head, dot, last = name.rpartition(".")
        prefix, role = grouped.get(name, (head + dot, last))
        if role:
            entries.setdefault(prefix, []).append((role, shape))
            numbers.setdefault(prefix, _counter(created.get(name, name)))
        row = layers.get(name)
        if row is not None and name not in grouped:
            kinds[prefix] = family(row.torch_class)
    return [
        _Group(prefix, tuple(sorted(held)), kinds.get(prefix, ""), numbers[prefix])
        for prefix, held in entries.items()
    ]


def _compounds(torch: Sequence[_Group], slots: Open) -> dict[frozenset[str], tuple[str, frozenset[str]]]:
    """What torch's layers that are several in Paddle hold there: kind, and the roles that list a tensor again."""
    again: dict[str, set[str]] = {}
    for slot, way in slots:
        again.setdefault(slot.prefix, set()).update(parameter.also for parameter in way)
    return {
        frozenset(role for role, _ in group.signature): (group.kind, frozenset(again[group.prefix] - {""}))
        for group in torch
        if _is_compound(group)
    }


def _is_compound(group: _Group) -> bool:
    """Whether the layer is several in Paddle."""
    return any("." in role for role, _ in group.signature)


def _torch_groups(slots: Open) -> list[_Group]:
    """Torch layers as Paddle would name and shape what they hold."""
    entries: dict[str, list[tuple[str, Shape]]] = {}
    kinds: dict[str, str] = {}
    for slot, way in slots:
        for parameter in way:
            shape = (1,) * parameter.ones + shape_before(parameter.transform, slot.shape)
            entries.setdefault(slot.prefix, []).append((parameter.paddle, shape))
        kinds[slot.prefix] = family(slot.layer)
    return [_Group(prefix, tuple(sorted(held)), kinds[prefix]) for prefix, held in entries.items()]


def _signature(group: _Group) -> Signature:
    return group.signature


def _alike(groups: Iterable[_Group], key: Key) -> dict[Signature, dict[tuple[str, str], list[_Group]]]:
    """Layers by a key, and those of one key by what decides beside it whether they fit: there are many layers, and few kinds of them."""
    found: dict[Signature, dict[tuple[str, str], list[_Group]]] = {}
    for group in groups:
        found.setdefault(key(group), {}).setdefault((group.kind, _likely(group)), []).append(group)
    return found


def _fits(one: _Group, other: _Group) -> bool:
    return one.signature == other.signature and (not one.kind or not other.kind or one.kind == other.kind)


_KIN = frozenset({"Linear", "Conv"})


def _akin(one: _Group, other: _Group) -> bool:
    """Whether a Linear of Paddle and a convolution of torch, or the other way round, may be the same."""
    return {_likely(one), other.kind} == _KIN and _matrices(one) == _matrices(other)


def _likely(group: _Group) -> str:
    """The kind of a Paddle layer, told by its shapes where nothing else tells it (see `convert.plan.kinship.kin`)."""
    shape = dict(group.signature).get("weight", ())
    if group.kind or len(shape) < 2:
        return group.kind
    if len(shape) > 2:
        return "Conv"
    return "Linear" if shape[0] != shape[1] else ""


def _matrices(group: _Group) -> Signature:
    """The signature with the weight as a matrix [out, the rest]."""
    kind = _likely(group)
    return tuple(
        (role, as_matrix(kind, shape) if role == "weight" else shape) for role, shape in group.signature
    )


def _counter(name: str) -> tuple[str, int]:
    """Automatic names count up as layers are made: `conv2d_10.w_0` is the tenth by the counter `conv2d`."""
    match = _AUTOMATIC.match(name)
    return (match[1], int(match[2])) if match else ("", 0)


def _is_counted_up(paddle: Sequence[_Group]) -> bool:
    """Whether a file's order may be that of the definition: every counter counts up, and so do names without one."""
    last: dict[str, int] = {}
    for counter, number in (one.created for one in paddle):
        if number < last.get(counter, 0):
            return False
        last[counter] = number
    return True


def _different(paddle: Sequence[_Group], torch: Sequence[_Group]) -> Iterator[str]:
    """What shows that no pairing can be complete: kinds of layers that only one side has left."""
    ours, theirs = Counter(map(_likely, paddle)), Counter(other.kind for other in torch)
    if "" in ours or "" in theirs:
        return
    for more, less, side, against in (
        (theirs, ours, "torch", "Paddle's"),
        (ours, theirs, "Paddle", "torch's"),
    ):
        for kind, count in more.items():
            if not any(less[other] for other in ({kind} | _KIN if kind in _KIN else {kind})):
                yield (
                    f"{side} has {count} {kind} layer{'s' * (count > 1)} and {against} remaining layers none: these are "
                    "not the same network, so look for another target (or take what fits with --partial)"
                )


def _ambiguous(paddle: Sequence[_Group], torch: Sequence[_Group], *, ran: bool) -> Iterator[str]:
    advice = "say which with a rule" + ("" if ran else ", or run both with --match run")
    theirs = _alike(torch, _signature)

    def candidates(one: _Group) -> list[list[_Group]]:
        return [alike for alike in theirs.get(one.signature, {}).values() if _fits(one, alike[0])]

    for one in islice((one for one in paddle if candidates(one)), _SHOWN):
        others = [
            other.prefix.rstrip(".") or "the module itself" for alike in candidates(one) for other in alike
        ]
        yield f"{one.prefix.rstrip('.')} could be any of: {listed(others)}; {advice}"
    for one in islice((one for one in paddle if torch and not candidates(one)), _SHOWN):
        held = ", ".join(f"{role} {list(shape)}" for role, shape in one.signature)
        yield f"{one.prefix.rstrip('.')} ({held}) has no unpaired layer of its shapes in torch"
