"""One line of a source that runs for many layers errs in each of them: that is one finding, with all its layers."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from parity.results.finding import Finding, Subject

QUOTED = re.compile(r"`([^`]*)`")
COUNTED = re.compile(r"\d+")
NUMBER = re.compile(r"\d+(\.\d+)?(e[-+]?\d+)?")
SHAPE = re.compile(r"\[[\d, ]*\]")
"""What differs from layer to layer by itself."""

NAMES = frozenset({Subject.WEIGHT, Subject.STATISTIC, Subject.REGISTRATION, Subject.TIE})
"""Subjects whose attribute and values are names of parameters and layers."""


AROUND = frozenset(
    {Subject.WIRING, Subject.EXCHANGED, Subject.ORDER, Subject.MISSING, Subject.EXTRA, Subject.COMPUTED}
)
"""Subjects whose values tell what stands around the fault."""


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
    return _of_layers(groups.values())


def _of_layers(groups: Iterable[list[Finding]]) -> list[list[Finding]]:
    """One fault of a line that runs for several layers, whatever stands around it in each: the first in one is the first in another."""
    joined: list[list[Finding]] = []
    for group in groups:
        first, paths = group[0], {finding.layer for finding in group}
        others = (
            other
            for other in joined
            if first.subject in AROUND
            and _run(other[0]) == _run(first)
            and COUNTED.sub("#", other[0].layer) == COUNTED.sub("#", first.layer)
            and paths.isdisjoint(finding.layer for finding in other)
        )
        found = next(others, None)
        if found is None:
            joined.append(group)
        else:
            found.extend(group)
    return joined


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
    likewise = "" if all(other.fix == first.fix for other in others) else "; likewise for the other layers"
    return replace(first, fix=first.fix + likewise, also=tuple(others))


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
        return part if finding.subject is Subject.WEIGHT else COUNTED.sub("#", part)

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
