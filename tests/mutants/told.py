"""What a finding says, as data: the one place of the corpus that reads a finding."""

from __future__ import annotations

import linecache
from dataclasses import dataclass


@dataclass(frozen=True)
class Told:
    """A finding, in the words of `cases.Expected`; `line` is the whole source line."""

    layer: str
    operator: str
    line: str
    subject: str
    attribute: str
    paddle: object
    torch: object
    shows: str
    layers: int

    def __str__(self) -> str:
        given = [(name, value) for name, value in vars(self).items() if value not in ("", ...)]
        return ", ".join(f"{name}={value.strip() if name == 'line' else value!r}" for name, value in given)


def told(finding) -> Told:
    """What the finding says."""
    path, _, number = finding.where.rpartition(":")
    return Told(
        finding.layer,
        finding.operator,
        linecache.getline(path, int(number)) if number.isdigit() else "",
        str(finding.subject),
        finding.attribute,
        plain(finding.values.get("paddle", ...)),
        plain(finding.values.get("torch", ...)),
        str(finding.shows),
        len(finding.layers),
    )


def plain(value: object) -> object:
    """A value as it is compared: sequences are alike, whatever holds them."""
    return tuple(map(plain, value)) if isinstance(value, (list, tuple)) else value
