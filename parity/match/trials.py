"""Conversion rules for a checkpoint whose names differ, found by running both models on a probe input.

`parity.match.dataflow` says what dataflow decides. Where symmetric branches leave several possibilities, each is loaded
and run in float64: the one that gives Paddle's outputs is the right one, and without one nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

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
from parity.numbers.compare import difference
from parity.ops.table import constant_of
from parity.sides.remote import WorkerSide
from parity.sides.side import Side
from parity.trace.values import Array, ValueStore, scratch_directory

TRIES_MOST = 48
"""How many pairings of symmetric branches are run before giving up."""
_SHOWN = 4


@dataclass(frozen=True)
class Matched:
    """What was found: rules for `Options.rules`, and notes on how sure they are."""

    rules: tuple[Rule, ...]
    notes: tuple[str, ...]


def match_by_running(
    paddle: WorkerSide,
    torch: WorkerSide,
    source: Mapping[str, str],
    checkpoint: Mapping[str, Any],
    inputs: Mapping[str, Array],
    options: Options,
    *,
    tell: Callable[[str], None] = lambda _: None,
) -> Matched:
    """Pair the tensors of `checkpoint` with torch's parameters by what both models do with `inputs`.

    `source` is the checkpoint as workers load it. Rules of `options` come first and are not questioned. Raises
    ConvertError when symmetric branches can be paired in several ways and none makes the outputs agree.
    """
    tell("loading the checkpoint into the Paddle model")
    paddle.ask("load", source=dict(source), moves=None)
    with scratch_directory() as scratch:
        tell("running both models")
        with (
            _run(paddle, inputs, scratch / "paddle") as (paddle_graph, expected),
            _run(paddle, inputs, scratch / "rounded", "float32") as (_, rounded),
            _run(torch, inputs, scratch / "torch") as (torch_graph, _),
        ):
            found = dataflow(paddle_graph, torch_graph)
            if not found.complete:
                return _incomplete(found, options)
            slack = max((constant_of(node.kind)[1] for node in paddle_graph.nodes), default=0.0)
            limits = {}
            for key in expected.index:
                if key.startswith("output:"):
                    noise = difference(rounded.get(key), expected.get(key)).max_rel
                    limits[key] = max(slack, rounding_limit(noise, noise))
            layout = Layout.of_json(torch.ask("layout"))
            trial = _Trial(
                torch, found, source, checkpoint, inputs, layout, options, expected, limits, scratch
            )
            return _settle(trial, found, tell)


@dataclass(frozen=True)
class _Trial:
    """Loads a pairing into the torch model and runs it."""

    torch: WorkerSide
    found: Dataflow
    source: Mapping[str, str]
    checkpoint: Mapping[str, Any]
    inputs: Mapping[str, Array]
    layout: Layout
    options: Options
    expected: ValueStore
    limits: Mapping[str, float]
    """Output -> the largest relative difference that rounding explains."""
    scratch: Path

    def plan(self, pairs: Mapping[str, str]) -> ConversionPlan:
        """What the pairs lead to, the rest paired by names and by what layers hold."""
        options = replace(self.options, rules=_rules(self.found, pairs, {}, self.options), match="structure")
        return plan_conversion(self.checkpoint, self.layout, options)

    def outcome(self, plan: ConversionPlan, number: int) -> tuple[bool, float]:
        """Whether the outputs of both models agree, and their largest relative difference in float64."""
        moves = [[move.source, move.target, move.transform] for move in plan.moves]
        self.torch.ask("load", source=dict(self.source), moves=moves)
        with _run(self.torch, self.inputs, self.scratch / f"trial{number}") as (_, actual):
            if self.limits.keys() != {key for key in actual.index if key.startswith("output:")}:
                return False, float("inf")
            found = {key: difference(actual.get(key), self.expected.get(key)).max_rel for key in self.limits}
        return all(found[key] <= self.limits[key] for key in found), max(found.values(), default=float("inf"))


def _settle(trial: _Trial, found: Dataflow, tell: Callable[[str], None]) -> Matched:
    """The first pairing that gives Paddle's outputs; the only one, whatever it gives, where there is but one."""
    nearest = float("inf")
    for number, pairs in enumerate(islice(found.pairings(), TRIES_MOST), 1):
        tell(f"running pairing {number}")
        plan = trial.plan(pairs)
        if plan.problems and not found.open:
            return _matched(found, pairs, trial.options, number, "it was not run: the plan has problems")
        agree, distance = trial.outcome(plan, number) if plan.ok else (False, float("inf"))
        if agree:
            note = f"confirmed by running both models in float64: the outputs agree to {distance:.1e}"
            return _matched(found, pairs, trial.options, number, note)
        if not found.open:
            note = (
                f"every layer has one counterpart, yet the outputs differ by {distance:.1e} in float64: keep the pairs "
                "with --save-rules FILE, and `paddle2torch parity --rules FILE` says where the models are not the same"
            )
            return _matched(found, pairs, trial.options, number, note)
        nearest = min(nearest, distance)
    raise ConvertError(
        "symmetric branches can be paired in several ways, and none of those tried makes the outputs agree "
        f"(the nearest differs by {nearest:.1e} in float64); say which is which with --rules: "
        f"{'; '.join(map(_open, found.open[:_SHOWN]))}{'; ...' if len(found.open) > _SHOWN else ''}"
    )


def _matched(found: Dataflow, pairs: Mapping[str, str], options: Options, number: int, note: str) -> Matched:
    dataflow, tried = f"dataflow ({found.view})", f"run {number} of the symmetric branches"
    how = {target: dataflow if target in found.certain else tried for target in pairs}
    count = sum(target not in found.certain for target in pairs)
    branches = f", {count} of them in symmetric branches that run {number} decided" if count else ""
    said = f"{len(pairs)} tensors were paired by {dataflow}{branches}"
    return Matched(_rules(found, pairs, how, options), (said, note))


def _incomplete(found: Dataflow, options: Options) -> Matched:
    """What is certain all the same, and what to say about the rest."""
    note = (
        f"the two runs do not do the same with their parameters: {_listed(found.unpaired_paddle)} of Paddle and "
        f"{_listed(found.unpaired_torch)} of torch have no counterpart in the dataflow, so nothing was tried"
    )
    how = dict.fromkeys(found.certain, f"dataflow ({found.view})")
    return Matched(_rules(found, found.certain, how, options), (note, *map(_open, found.open[:_SHOWN])))


def _rules(
    found: Dataflow, pairs: Mapping[str, str], how: Mapping[str, str], options: Options
) -> tuple[Rule, ...]:
    """The user's rules, then one for each pair that they leave open."""
    given = tuple(options.rules)
    taken = {rule.apply(found.paddle[name].name) for rule in given for name in pairs.values()}
    rules = []
    for target, name in pairs.items():
        paddle, torch = found.paddle[name], found.torch[target]
        if torch.name in taken or any(rule.matches(paddle.name) for rule in given):
            continue
        transform = None if _shared_alike(found, pairs, torch.name) else _of_parts(paddle, torch)
        rule = exact_rule(paddle.name, torch.name, transform, "the same place in the dataflow")
        rules.append(replace(rule, found_by=how.get(target, "")))
    return given + tuple(dict.fromkeys(rules))


def _shared_alike(found: Dataflow, pairs: Mapping[str, str], name: str) -> bool:
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
