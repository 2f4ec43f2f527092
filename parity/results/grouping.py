"""One line of a source that runs for many layers errs in each of them: that is one finding, with all its layers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from parity.results.finding import NO_EFFECT, Finding

QUOTED = re.compile(r"`([^`]*)`")
COUNTED = re.compile(r"\d+")
NUMBERS = re.compile(r"\d+\.?\d*e[-+]\d+|\[[\d, ]*\]")
"""What differs from layer to layer by itself: sizes of differences and shapes."""


def distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Each fault once, whatever number of inputs and modes shows it."""
    seen: dict[tuple[str, str, str], Finding] = {}
    for finding in findings:
        key = finding.layer, finding.operator, finding.cause.split(";")[0]
        if NO_EFFECT in seen.setdefault(key, finding).cause and NO_EFFECT not in finding.cause:
            seen[key] = finding
    return list(seen.values())


def by_line(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Findings in groups of one line, one operator and one cause, each where its first one stands."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for number, finding in enumerate(findings):
        alone = "" if finding.where else str(number)
        key = (alone, finding.where, finding.operator, finding.kind, _cause(finding))
        groups.setdefault(key, []).append(finding)
    return list(groups.values())


def merged(group: list[Finding]) -> Finding:
    """The first finding of a group, with the others in `also`."""
    first = next((finding for finding in group if NO_EFFECT not in finding.cause), group[0])
    others = [finding for finding in group if finding is not first]
    if not others:
        return first
    likewise = "" if all(other.fix == first.fix for other in others) else "; likewise for the other layers"
    return replace(first, fix=first.fix + likewise, also=tuple(others))


def _cause(finding: Finding) -> str:
    """The cause without what names this very layer: paths beside it are told from here, in whatever block it is."""
    own = [path.split(".") for path in (finding.layer, finding.layer_paddle) if path]

    def counted(part: str) -> str:
        # Of parameters each has to be put right by itself, so `conv1` and `conv2` stay two.
        return part if "parameter" in finding.evidence else COUNTED.sub("#", part)

    def beside(match: re.Match[str]) -> str:
        parts = match[1].split(".")
        shared = max((_shared(parts, path) for path in own), default=0)
        return ".".join("#" if part.isdigit() else counted(part) for part in parts[shared:])

    return NUMBERS.sub("#", QUOTED.sub(beside, finding.cause.split(";")[0]))


def _shared(a: list[str], b: list[str]) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
