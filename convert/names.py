"""Which known names a mistyped or unmatched name was probably meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache


def nearest(name: str, candidates: Iterable[str], *, limit: int = 3) -> list[str]:
    """The `limit` candidates most like `name`, best first; empty when none shares anything with it.

    A cheap score (shared beginning, shared end, shared words) rather than an edit distance: it stays
    fast for thousands of parameter names, whose differences are whole words.
    """
    words = _words(name)
    scored = []
    for candidate in candidates:
        theirs = _words(candidate)
        shared = len(words & theirs) / max(1, len(words | theirs))
        score = shared + _ends(name, candidate) / max(len(name), len(candidate), 1)
        if score > 0.3:
            scored.append((-score, candidate))
    return [candidate for _, candidate in sorted(scored)[:limit]]


def shown(text: object, most: int = 80) -> str:
    """A text of unknown origin, fit for one line of a terminal: no control characters, not too long."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in str(text)[: most + 1])
    return clean if len(clean) <= most else clean[:most] + "..."


def escaped(text: str) -> str:
    """A text of unknown origin, whole, on one line: what a terminal would act on, or cannot show, is written out."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )


def counted(count: int, noun: str) -> str:
    """`1 tensor`, `2 tensors`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """All of a few names; of many the first, and how many more there are."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 2])} and {len(names) - most + 2} more"


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """` (nearest: a, b)` or nothing: ready to follow a name in a message."""
    found = nearest(name, candidates)
    return f" (nearest: {', '.join(found)})" if found else ""


@lru_cache(maxsize=1 << 14)
def _words(name: str) -> frozenset[str]:
    return frozenset(filter(None, re.split(r"[._/\s]+|(?<=[a-z])(?=[0-9])|(?<=[a-z])(?=[A-Z])", name)))


def _ends(one: str, two: str) -> int:
    """Characters shared at the beginning plus those shared at the end."""
    shortest = min(len(one), len(two))
    front = next((i for i in range(shortest) if one[i] != two[i]), shortest)
    rest = shortest - front
    back = next((i for i in range(rest) if one[-1 - i] != two[-1 - i]), rest)
    return front + back
