"""One line of a source that runs for many layers errs in each of them: that is one finding, with all its layers."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from parity.results.finding import ONE_NUMBER, SUM_WITH, UNRELATED, Finding, Subject

QUOTED = re.compile(r"`([^`]*)`")
COUNTED = re.compile(r"\d+")
NUMBER = re.compile(r"\d+(\.\d+)?(e[-+]?\d+)?")
SHAPE = re.compile(r"\[[\d, ]*\]")
"""What differs from layer to layer by itself."""

OF_LINE = frozenset({Subject.EXTRA, Subject.COMPUTED, Subject.ORDER, Subject.EXCHANGED})
"""Those that stand at a line of their own: whatever layers it runs for, it is one."""

MOVED = {Subject.EXTRA, Subject.MISSING}
"""What is done at another place is too much here and lacks there. What is too much before one input is computed otherwise before another."""

SETTINGS = frozenset({"eps", "momentum", "slope", "approximate"})
"""Arguments that are chosen once for all layers of a kind."""

NAMES = frozenset({Subject.WEIGHT, Subject.STATISTIC, Subject.REGISTRATION, Subject.TIE})
"""Subjects whose attribute and values are names of parameters and layers."""


AROUND = frozenset(
    {Subject.WIRING, Subject.EXCHANGED, Subject.ORDER, Subject.MISSING, Subject.EXTRA, Subject.COMPUTED}
)
"""Subjects whose values tell what stands around the fault."""

AGAIN = (AROUND - {Subject.WIRING}) | {Subject.ATTRIBUTE}
"""Subjects of which one line of one layer has one, with whatever values it runs: once more, for the other half, with another shift."""


def distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Each fault once, whatever number of inputs and modes shows it; those that explain no number last."""
    seen: dict[Hashable, Finding] = {}
    for finding in findings:
        key = fault(finding)
        if seen.setdefault(key, finding).silent and not finding.silent:
            seen[key] = finding
    return sorted(seen.values(), key=lambda finding: finding.silent)


def fault(finding: Finding) -> Hashable:
    """What is equal for findings of one fault in one layer, whatever input or mode showed it."""
    return (
        finding.layer,
        finding.operator,
        finding.where,
        finding.subject,
        finding.attribute,
        _plain(finding.values),
    )


def by_line(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Findings in groups of one line, one operator and one fault, each where its first one stands."""
    groups: dict[Hashable, list[Finding]] = {}
    for number, finding in enumerate(findings):
        alone = "" if finding.where else str(number)
        key = (alone, finding.where, finding.operator, finding.subject, *_beside(finding))
        groups.setdefault(key, []).append(finding)
    return _joined(groups.values(), _is_of_layers)


def mistakes(findings: Iterable[Finding]) -> list[list[Finding]]:
    """The same, where what one mistake makes at several lines or of several values is together, too."""
    groups = by_line(findings)
    held = {
        str(finding.values.get("paddle"))
        for group in groups
        for finding in group
        if finding.subject is Subject.WEIGHT
    }
    return _joined(groups, partial(_is_one_mistake, names=held))


def _joined(
    groups: Iterable[list[Finding]], belong: Callable[[list[Finding], list[Finding]], bool]
) -> list[list[Finding]]:
    """The groups, each put to the first that it belongs to."""
    joined: list[list[Finding]] = []
    for group in groups:
        found = next((other for other in joined if belong(other, group)), None)
        if found is None:
            joined.append(list(group))
        else:
            found.extend(group)
    return joined


def _is_of_layers(other: list[Finding], group: list[Finding]) -> bool:
    """One fault of a line that runs for several layers, whatever stands around it in each: the first in one is the first in another."""
    first, paths = group[0], {finding.layer for finding in group}
    return (
        first.subject in AROUND
        and _run(other[0]) == _run(first)
        and COUNTED.sub("#", other[0].layer) == COUNTED.sub("#", first.layer)
        and paths.isdisjoint(finding.layer for finding in other)
    )


def _is_one_mistake(other: list[Finding], group: list[Finding], names: Collection[str]) -> bool:
    """The same line that runs more than once, one convention for many layers, or weights in each other's place or not there."""
    one, first = other[0], group[0]
    alike = one.subject is first.subject and one.attribute == first.attribute
    if one.subject is first.subject is Subject.WEIGHT:
        return any(_one_loading(a, b, names) for a in other for b in group)
    if alike and _is_convention(first):
        kind = first.subject is Subject.GRADIENT or one.operator == first.operator
        return kind and _plain(one.values) == _plain(first.values)
    layers = {finding.layer for finding in other} == {finding.layer for finding in group}
    if one.subject is not first.subject and {one.subject, first.subject} <= MOVED | {Subject.COMPUTED}:
        return one.operator == first.operator and bool(one.where) and one.where == first.where
    of_line = layers or first.subject in OF_LINE
    return alike and of_line and first.subject in AGAIN and _run(one) == _run(first)


def _is_convention(finding: Finding) -> bool:
    """Whether it is about what a whole network does alike: a setting that every layer of a kind has, what trains, an activation."""
    return (
        (finding.subject is Subject.ATTRIBUTE and finding.attribute in SETTINGS)
        or (finding.subject is Subject.GRADIENT and finding.attribute == "trainable")
        or finding.subject is Subject.SUBSTITUTED
    )


def _one_loading(one: Finding, other: Finding, names: Collection[str]) -> bool:
    """Whether two weights are wrong by one mistake in loading them: their layers are exchanged, or nothing was loaded for a layer."""
    if one.subject is not other.subject:
        return False
    exchanged = _exchanged(one, names) & _exchanged(other, names)
    unmade = one.layer == other.layer and _unmade(one) and _unmade(other)
    return bool(exchanged) or unmade or _is_added(one, other) or _is_added(other, one)


def _is_added(one: Finding, other: Finding) -> bool:
    """Whether one weight holds the sum with another, and that other one nothing of its own."""
    return _unmade(other) and one.values.get("torch") == f"{SUM_WITH}{other.values.get('paddle')}"


def _exchanged(finding: Finding, names: Collection[str]) -> frozenset[str]:
    """The two layers, or parameters of a layer, of which one holds the other's numbers; empty for what is wrong otherwise.

    names: Paddle's names of all wrong weights: what is exchanged is among them.
    """
    theirs, held = (str(finding.values.get(side, "")) for side in ("paddle", "torch"))
    if held not in names or held == theirs:
        return frozenset()
    both = theirs.split("."), held.split(".")
    at = _shared(*both)
    return frozenset(".".join((*map(_counted, parts[:at]), *parts[at : at + 1])) for parts in both)


def _counted(part: str) -> str:
    return COUNTED.sub("#", part)


def _unmade(finding: Finding) -> bool:
    """Whether a weight was never loaded."""
    return str(finding.values.get("torch", "")).startswith((UNRELATED, ONE_NUMBER))


def _run(finding: Finding) -> Hashable:
    """The line that errs, and how. What is missing has no line of its own in torch: it is known by Paddle's."""
    missing = finding.subject is Subject.MISSING and finding.where_paddle
    return finding.subject, finding.operator, missing or finding.where or object()


def merged(group: list[Finding]) -> Finding:
    """The first finding of a group, with the others in `also`."""
    first = next((finding for finding in group if not finding.silent), group[0])
    others = [finding for finding in group if finding is not first]
    if not others:
        return first
    whole = replace(first, also=tuple(others))
    fixes = dict.fromkeys(finding.fix for finding in (first, *others))
    # For one layer all of it fits in a line: a line that runs twice, several weights that are missing.
    own = dict.fromkeys(finding.fix for finding in (first, *others) if finding.layer == first.layer)
    likewise = "; likewise for the other layers" if len(fixes) > len(own) else ""
    return replace(whole, fix="; ".join(own) + likewise)


def alike(texts: Iterable[str]) -> list[tuple[str, int]]:
    """The first of all texts that say the same of other layers and with other numbers, and how many there are."""
    counts: dict[str, list[str]] = {}
    for text in texts:
        counts.setdefault(NUMBER.sub("#", QUOTED.sub("#", text)), []).append(text)
    return [(same[0], len(same)) for same in counts.values()]


def _beside(finding: Finding) -> tuple[Hashable, Hashable]:
    """Attribute and values without what names this very layer: paths beside it are told from here, in whatever block it is."""
    own = [path.split(".") for path in (finding.layer, finding.layer_paddle) if path]

    def told(path: str) -> str:
        parts = path.split(".")
        shared = max((_shared(parts, other) for other in own), default=0)
        return ".".join("#" if part.isdigit() else counted(part) for part in parts[shared:])

    def counted(part: str) -> str:
        # Of parameters each has to be put right by itself, so `conv1` and `conv2` stay two.
        return part if finding.subject is Subject.WEIGHT else _counted(part)

    def text(value: str) -> str:
        if finding.subject in NAMES:
            return told(value)
        return SHAPE.sub("#", QUOTED.sub(lambda match: told(match[1]), value))

    return text(finding.attribute), _plain(finding.values, text)


def _plain(value: Any, text: Any = str) -> Hashable:
    """A value that can be compared and hashed; shapes, which are lists, are left out where texts are."""
    if isinstance(value, Mapping):
        return tuple((key, _plain(item, text)) for key, item in value.items())
    if isinstance(value, list) and text is not str and all(isinstance(item, int) for item in value):
        return "#"
    if isinstance(value, (list, tuple)):
        return tuple(_plain(item, text) for item in value)
    return text(value) if isinstance(value, str) else repr(value)


def _shared(a: list[str], b: list[str]) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
