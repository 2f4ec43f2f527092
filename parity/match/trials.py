"""Conversion rules for a checkpoint whose names differ, found by running both models on a probe input.

`parity.match.dataflow` says what dataflow decides. Where symmetric branches leave several possibilities, each is loaded
and run in float64: the one that gives Paddle's outputs is the right one, and without one nothing is guessed.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from convert.errors import ConvertError
from convert.models.layout import Layout
from convert.names import listed
from convert.plan.plan import ConversionPlan, Options
from convert.plan.planner import plan_conversion
from convert.plan.rules import Rule, exact_rule
from convert.plan.transform import then
from convert.rosetta.rows import CONCAT, SPLIT, TRANSPOSE
from parity.graph.build import build
from parity.graph.node import Graph
from parity.limits import rounding_limit
from parity.match.dataflow import Candidates, Dataflow, Piece, dataflow
from parity.match.partial import ORDER, Partial, partly
from parity.numbers.compare import difference
from parity.ops.table import constant_of
from parity.sides.side import Side
from parity.trace.values import Array, ValueStore, scratch_directory

TRIES_MOST = 48
"""How many pairings of symmetric branches are run before giving up."""
SECONDS_MOST = 20.0
"""How long they are run at most: the first few are by far the likeliest."""
_SHOWN = 4


@dataclass(frozen=True)
class Matched:
    """What was found: rules for `Options.rules`, and notes on how sure they are."""

    rules: tuple[Rule, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Models:
    """Both models, Paddle's with its weights, and what a conversion needs to try weights in torch's."""

    paddle: Side
    torch: Side
    layout: Layout
    """Torch's state dict."""
    weights: Mapping[str, Any]
    """Paddle's weights, by the model's names."""
    load: Callable[[list[list[str]]], None]
    """Moves and transforms weights into the torch model: source, target and transform of each."""


def match_by_running(
    models: Models,
    inputs: Mapping[str, Array],
    options: Options,
    *,
    unconfirmed: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Matched:
    """Pair Paddle's weights with torch's parameters by what both models do with `inputs`.

    Rules of `options` come first and are not questioned. Where the models do not do the same, parts of them are paired.
    `unconfirmed`: keep pairs that only the order of use tells, and the nearest of several pairings, although the outputs
    do not confirm them; whoever asks so compares the models afterwards.
    """
    constants = _constants(models)
    with scratch_directory() as scratch:
        tell("running both models")
        with (
            _run(models.paddle, inputs, scratch / "paddle") as (paddle_graph, expected),
            _run(models.paddle, inputs, scratch / "rounded", "float32") as (_, rounded),
            _run(models.torch, inputs, scratch / "torch") as (torch_graph, _),
        ):
            told = {name for pair in constants.items() for name in pair}
            found = dataflow(paddle_graph, torch_graph, told)
            slack = max((constant_of(node.kind)[1] for node in paddle_graph.nodes), default=0.0)
            limits = {}
            for key in expected.index:
                if key.startswith("output:"):
                    noise = difference(rounded.get(key), expected.get(key)).max_rel
                    limits[key] = max(slack, rounding_limit(noise, noise))
            given = replace(options, rules=(*options.rules, *_dropped(constants, models, options)))
            trial = _Trial(models, inputs, given, expected, limits, scratch)
            if not found.complete:
                return _in_parts(trial, partly(paddle_graph, torch_graph, told), unconfirmed=unconfirmed)
            return _settle(trial, found, tell, unconfirmed=unconfirmed)


def _constants(models: Models) -> dict[str, str]:
    """Paddle's buffers that torch has too and keeps out of its state dict, or the other way round, with equal contents."""
    kept = {slot.name for slot in models.layout.slots}
    theirs = models.torch.parameters()
    ours = models.paddle.parameters()
    found: dict[str, str] = {}
    for name, array in ours.items():
        for other, twin in theirs.items():
            one_sided = (name in models.weights) != (other in kept)
            if (
                one_sided
                and array.shape == twin.shape
                and other not in found.values()
                and _equal(array, twin)
            ):
                found[name] = other
                break
    return found


def _equal(one: Array, other: Array) -> bool:
    """Whether two constants hold the same, whatever their types; one value repeated says nothing."""
    return one.size > 1 and bool((one != one.flat[0]).any()) and np.array_equal(one, other)


def _dropped(constants: Mapping[str, str], models: Models, options: Options) -> Iterator[Rule]:
    for name, other in constants.items():
        spellings = options.spellings(name)
        if name in models.weights and not any(
            rule.matches(one) for rule in options.rules for one in spellings
        ):
            reason = f"a constant, equal to {other}, which torch keeps out of its state dict"
            yield exact_rule(name, None, None, reason)
        elif name not in models.weights:
            reason = f"a constant, equal to {name}, which Paddle keeps out of its state dict"
            yield Rule("", re.escape(other), None, reason, found_by="contents", fill="keep")


@dataclass(frozen=True)
class _Trial:
    """Loads a pairing into the torch model and runs it."""

    models: Models
    inputs: Mapping[str, Array]
    options: Options
    expected: ValueStore
    limits: Mapping[str, float]
    """Output -> the largest relative difference that rounding explains."""
    scratch: Path

    def plan(self, rules: tuple[Rule, ...]) -> ConversionPlan:
        """What rules lead to, the rest paired by names and by what layers hold."""
        options = replace(self.options, rules=rules, match="structure")
        return plan_conversion(self.models.weights, self.models.layout, options)

    def outcome(self, plan: ConversionPlan, number: int) -> tuple[bool, float]:
        """Whether the outputs of both models agree, and their largest relative difference in float64."""
        self.models.load([[move.source, move.target, move.transform] for move in plan.moves])
        with _run(self.models.torch, self.inputs, self.scratch / f"trial{number}") as (_, actual):
            if self.limits.keys() != {key for key in actual.index if key.startswith("output:")}:
                return False, float("inf")
            found = {key: difference(actual.get(key), self.expected.get(key)).max_rel for key in self.limits}
        return all(found[key] <= self.limits[key] for key in found), max(found.values(), default=float("inf"))


def _settle(trial: _Trial, found: Dataflow, tell: Callable[[str], None], *, unconfirmed: bool) -> Matched:
    """The first pairing that gives Paddle's outputs; the only one, whatever it gives, where there is but one."""
    nearest, best = float("inf"), None
    began = time.monotonic()
    for number, pairs in enumerate(islice(found.pairings(), TRIES_MOST), 1):
        tell(f"running pairing {number} of {TRIES_MOST} at most")
        rules = _rules(found, pairs, {}, trial.options)
        plan = trial.plan(rules)
        if plan.problems and not found.open:
            return _matched(found, pairs, trial.options, number, "it was not run: the plan has problems")
        agree, distance = trial.outcome(plan, number) if plan.ok else (False, float("inf"))
        if agree:
            note = f"confirmed by running both models in float64: the outputs agree to {distance:.1e}"
            return _matched(found, pairs, trial.options, number, note)
        if not found.open:
            note = "every layer has one counterpart"
            if not unconfirmed:  # else the models are compared next
                note += (
                    f", yet the outputs differ by {distance:.1e} in float64: keep the pairs with --save-rules FILE, and "
                    "`paddle2torch parity --rules FILE` says where the models are not the same"
                )
            return _matched(found, pairs, trial.options, number, note)
        if best is None or distance < nearest:
            nearest, best = distance, pairs
        if time.monotonic() - began > SECONDS_MOST:
            break
    said = (
        f"symmetric branches can be paired in several ways, and none of the {number} that were tried makes the outputs agree "
        f"(the nearest differs by {nearest:.1e} in float64), so the branches differ in more than their names"
    )
    if unconfirmed and best is not None:
        return _matched(found, best, trial.options, number, f"{said}; the nearest was taken")
    shown = f"{'; '.join(map(_open, found.open[:_SHOWN]))}{'; ...' if len(found.open) > _SHOWN else ''}"
    raise ConvertError(f"{said}; say which is which with --rules: {shown}")


def _matched(found: Dataflow, pairs: Mapping[str, str], options: Options, number: int, note: str) -> Matched:
    dataflow, tried = f"dataflow ({found.view})", f"run {number} of the symmetric branches"
    how = {target: dataflow if target in found.certain else tried for target in pairs}
    count = sum(target not in found.certain for target in pairs)
    branches = f", {count} of them in symmetric branches that run {number} decided" if count else ""
    said = f"{len(pairs)} tensors were paired by {dataflow}{branches}"
    return Matched(_rules(found, pairs, how, options), (said, note))


def _in_parts(trial: _Trial, found: Partial, *, unconfirmed: bool) -> Matched:
    """What could be paired of models that do not do the same; by the order of use only if the outputs confirm it."""
    pairs = dict(found.pairs)
    rules = _rules(found, pairs, found.how, trial.options)
    plan = trial.plan(rules)
    guessed = [target for target, how in found.how.items() if how == ORDER]
    note = ""
    if plan.ok:
        agree, distance = trial.outcome(plan, 1)
        note = (
            f"confirmed by running both models in float64: the outputs agree to {distance:.1e}"
            if agree
            else f"the outputs differ by {distance:.1e} in float64: `paddle2torch parity` says where"
        )
        unconfirmed = unconfirmed or agree
    if guessed and not unconfirmed:
        pairs = {target: name for target, name in pairs.items() if target not in guessed}
        rules = _rules(found, pairs, found.how, trial.options)
        note = (
            f"{listed(guessed)} could be paired by the order of use alone, which the outputs do not confirm"
        )
    counts = Counter(found.how[target] for target in pairs)
    said = ", ".join(f"{count} by {how}" for how, count in counts.items()) or "none"
    alone = [
        f"{listed(names)} of {side} without a counterpart"
        for side, names in (("Paddle", found.unpaired_paddle), ("torch", found.unpaired_torch))
        if names
    ]
    first = f"{len(pairs)} tensors were paired in the parts in which both runs look alike: {'; '.join([said, *alone])}"
    return Matched(rules, (first, note) if note else (first,))


class _Pieces(Protocol):
    """What a pairing says of the names that it pairs."""

    @property
    def paddle(self) -> Mapping[str, Piece]: ...

    @property
    def torch(self) -> Mapping[str, Piece]: ...


def _rules(
    found: _Pieces, pairs: Mapping[str, str], how: Mapping[str, str], options: Options
) -> tuple[Rule, ...]:
    """The user's rules, then one for each pair that they leave open."""
    given = tuple(options.rules)
    spelled = {name: options.spellings(found.paddle[name].name) for name in pairs.values()}
    taken = {rule.apply(one) for rule in given for names in spelled.values() for one in names}
    rules = []
    for target, name in pairs.items():
        paddle, torch = found.paddle[name], found.torch[target]
        if torch.name in taken or any(rule.matches(one) for rule in given for one in spelled[name]):
            continue
        transform = None if _shared_alike(found, pairs, torch.name) else _of_parts(paddle, torch)
        rule = exact_rule(paddle.name, torch.name, transform, "the same place in the dataflow")
        rules.append(replace(rule, found_by=how.get(target, "")))
    return given + tuple(dict.fromkeys(rules))


def _shared_alike(found: _Pieces, pairs: Mapping[str, str], name: str) -> bool:
    """Whether a torch parameter is one of Paddle's as a whole, both perhaps shared out to layers in the same way."""
    held = [
        (found.torch[target], found.paddle[source])
        for target, source in pairs.items()
        if found.torch[target].name == name
    ]
    return len({paddle.name for _, paddle in held}) == 1 and all(
        torch.rows == paddle.rows for torch, paddle in held
    )


def _of_parts(paddle: Piece, torch: Piece) -> str:
    """The transform between parts of parameters (`convert.plan.transform`)."""
    steps = [TRANSPOSE] if paddle.turned != torch.turned else []
    for kind, piece in ((SPLIT, paddle), (CONCAT, torch)):
        if piece.rows is not None:
            steps.append(f"{kind}:{piece.rows[0]}:{piece.rows[1]}")
    return then(*steps)


def _open(candidates: Candidates) -> str:
    return f"{', '.join(candidates.paddle)} could be any of {', '.join(candidates.torch)}"


def _listed(names: tuple[str, ...]) -> str:
    return listed(names) or "none"


@contextmanager
def _run(
    side: Side, inputs: Mapping[str, Array], store: Path, precision: str = "float64"
) -> Iterator[tuple[Graph, ValueStore]]:
    """One run: its graph, and its outputs."""
    trace, values = side.capture(inputs, mode="eval", precision=precision, store=store, outputs_only=True)
    try:
        yield build(trace), values
    finally:
        values.close()
