"""Few rules that say what many would: patterns over layers, found in the pairs of a plan.

`layers.0.conv.weight -> blocks.0.c.weight` and its like become `layers\\.(\\d+)\\.conv\\.(.*) -> blocks.\\1.c.\\2`. Every
pattern agrees with every pair that it is about; what no pattern says stays a rule of its own. Whoever saves them
plans again (`few_rules`), and pairs that come out otherwise stay rules of their own too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

from convert.plan.rules import Rule, exact_rule, rules_of_plan
from convert.plan.sources import beginnings
from convert.rosetta.layers import LAYERS
from convert.rosetta.rows import COPY, TRANSPOSE

if TYPE_CHECKING:
    from convert.plan.plan import ConversionPlan, Move

ROUNDS = 4
"""Times that the rules are tried; each leaves fewer pairs to patterns."""
CANDIDATES_MOST = 400
"""Patterns that are weighed against each other: those of most layers."""
_NUMBER = re.compile(r"(\d+)")


@dataclass(frozen=True)
class _Pair:
    """One move as a rule sees it: Paddle's name, and that name in torch's layer."""

    source: str
    target: str
    layers: tuple[tuple[str, ...], tuple[str, ...]]
    """Parts of the layer's name in Paddle and in torch."""


def few_rules(plan: ConversionPlan, again: Callable[[Sequence[Rule]], ConversionPlan]) -> list[Rule]:
    """The rules of a plan, as patterns where `again`, which plans with rules, confirms them."""
    if not plan.ok:  # to be gone on with by hand: every pair by itself
        return rules_of_plan(plan)
    alone: set[str] = set()
    wanted = _outcome(plan)
    for _ in range(ROUNDS):
        rules = _patterns(plan, alone)
        other = _outcome(again(rules)) ^ wanted
        if not other:
            return rules
        alone |= {source for source, *_ in other}
    return rules_of_plan(plan)


def _outcome(plan: ConversionPlan) -> set[tuple[str, ...]]:
    moves = {(move.source, move.target, move.transform) for move in plan.moves}
    fills = {("", fill.name, str(fill.value), str(fill.rows)) for fill in plan.generated}
    return moves | {(drop.name,) for drop in plan.dropped} | fills


def _patterns(plan: ConversionPlan, alone: set[str]) -> list[Rule]:
    """Rules of their own first, then patterns, those of most pairs before the others."""
    several = {name for name, count in Counter(move.source for move in plan.moves).items() if count > 1}
    pairs: dict[str, _Pair] = {}
    for move in plan.moves:
        pair = _pair(move)
        if pair is not None and move.source not in alone | several:
            pairs[move.source] = pair
    drops, gone = _drops(plan, alone)
    rules = [rule for rule in rules_of_plan(plan) if rule.literal is None or rule.literal[0] not in pairs]
    rules = [rule for rule in rules if rule.source not in gone]
    waiting = {name for name, pair in pairs.items() if pair.target != name}
    for source, target, covered in _consistent(pairs):
        new = covered & waiting
        layers = {name.rpartition(".")[0] for name in new}
        if len(new) > 1:
            rules.append(
                Rule(
                    source,
                    target,
                    None,
                    f"the names of {len(layers)} layers" if len(layers) > 1 else "the name of a layer",
                )
            )
            waiting -= new
    rest = [move for move in plan.moves if move.source in waiting]
    exact = (exact_rule(move.source, move.target, move.transform, move.why) for move in rest)
    return [*exact, *rules, *drops]


def _drops(plan: ConversionPlan, alone: set[str]) -> tuple[list[Rule], set[str]]:
    """One rule for all that is dropped for one reason under a beginning that nothing else has; and the rules that it stands for."""
    kept = {begin for name in ({move.source for move in plan.moves} | alone) for begin in beginnings(name)}
    found: dict[str, list[tuple[str, str]]] = {}
    for drop in plan.dropped:
        for begin in beginnings(drop.name):
            found.setdefault(begin, []).append((drop.name, drop.why))
    rules: list[Rule] = []
    gone: set[str] = set()
    for begin, drops in found.items():  # the shortest of a name's beginnings comes first
        names, reasons = ({drop[side] for drop in drops} for side in (0, 1))
        if begin not in kept and len(names) > 1 == len(reasons) and not names & gone:
            rules.append(Rule(re.escape(begin) + ".*", None, None, min(reasons)))
            gone |= names
    return rules, {re.escape(name) for name in gone}


def _pair(move: Move) -> _Pair | None:
    """The move as a rule for layers sees it; None where the table does not know what the layer's part is called."""
    theirs, ours = move.source.split("."), move.target.split(".")
    if theirs[-1] != ours[-1] and (theirs[-1], ours[-1]) not in _roles():
        return None
    if move.transform not in (COPY, TRANSPOSE):  # which the way back could not know
        return None
    return _Pair(move.source, ".".join([*ours[:-1], theirs[-1]]), (tuple(theirs[:-1]), tuple(ours[:-1])))


@cache
def _roles() -> frozenset[tuple[str, str]]:
    return frozenset((entry.paddle, entry.torch) for row in LAYERS.values() for entry in row.parameters)


def _consistent(pairs: dict[str, _Pair]) -> list[tuple[str, str, set[str]]]:
    """Patterns that are right for every pair that they match, with what they match; the best first."""
    counts = Counter(candidate for pair in pairs.values() for candidate in _candidates(*pair.layers))
    found = []
    for source, target in [candidate for candidate, _ in counts.most_common(CANDIDATES_MOST)]:
        pattern = re.compile(source)
        matched = {name: match for name in pairs if (match := pattern.fullmatch(name))}
        if all(match.expand(target) == pairs[name].target for name, match in matched.items()):
            found.append((source, target, set(matched)))
    return sorted(found, key=lambda rule: (-len(rule[2]), rule[0].count("("), len(rule[0])))


def _candidates(theirs: tuple[str, ...], ours: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Patterns for one layer and for what it is a part of: every way in which its numbers may be counts."""
    for _ in range(min(len(theirs), len(ours)) + 1):
        left, right = _NUMBER.split(".".join(theirs)), _NUMBER.split(".".join(ours))
        numbers = list(range(1, len(left), 2))
        choices = [[None, *(i for i in numbers if left[i] == right[j])] for j in range(1, len(right), 2)]
        for chosen in product(*choices) if len(choices) <= 4 else [tuple(c[-1] for c in choices)]:
            used = [place for place in chosen if place is not None]
            if len(used) == len(set(used)):
                yield _written(left, right, dict(zip(range(1, len(right), 2), chosen, strict=True)))
        if not theirs or not ours or theirs[-1] != ours[-1]:
            return
        theirs, ours = theirs[:-1], ours[:-1]


def _written(left: list[str], right: list[str], chosen: dict[int, int | None]) -> tuple[str, str]:
    groups = {
        place: number for number, place in enumerate(sorted(p for p in chosen.values() if p is not None), 1)
    }
    source = "".join(r"(\d+)" if i in groups else re.escape(part) for i, part in enumerate(left))
    target = ""
    for i, part in enumerate(right):
        place = chosen.get(i)
        target += part.replace("\\", "\\\\") if place is None else rf"\g<{groups[place]}>"
    rest = len(groups) + 1
    whole = rf"{target}{'.' if target else ''}\g<{rest}>"
    return source + (r"\." if source else "") + "(.*)", re.sub(r"\\g<(\d+)>(?!\d)", r"\\\1", whole)


def turned(rule: Rule) -> Rule | None:
    """A rule that leads from torch's names to Paddle's: for patterns whose groups are numbers or the rest of a name."""
    parts = re.split(r"(\(\\d\+?\)|\(\.\*\))", rule.source)
    literals = [re.sub(r"\\(.)", r"\1", part) for part in parts[::2]]
    if [re.escape(text) for text in literals] != parts[::2] or rule.target is None:
        return None
    said = re.split(r"\\(?:g<(\d+)>|(\d))", rule.target)
    used = [int(one or two) for one, two in zip(said[1::3], said[2::3], strict=True)]
    if sorted(used) != list(range(1, len(parts) // 2 + 1)):
        return None
    source = re.escape(said[0]) + "".join(
        parts[2 * group - 1] + re.escape(said[3 * number]) for number, group in enumerate(used, 1)
    )
    places = {group: number for number, group in enumerate(used, 1)}
    target = literals[0].replace("\\", "\\\\") + "".join(
        rf"\g<{places[group]}>" + literals[group].replace("\\", "\\\\") for group in range(1, len(literals))
    )
    return replace(rule, source=source, target=target)
