"""A known mistake, how it is told and put right."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Mistake:
    """What goes wrong in the loop, how it is told and put right, and in which of its parts it is made."""

    cause: str = ""
    fix: str = ""
    part: str = ""
    """ "steps", "outputs", "gates" or "states": which of the loop's lines to look at."""
    order: tuple[int, ...] = ()
    flags: frozenset[str] = field(default_factory=frozenset)


def mistake_of(flag: str, part: str, cause: str, fix: str) -> Mistake:
    return Mistake(cause, fix, part, flags=frozenset({flag}))
