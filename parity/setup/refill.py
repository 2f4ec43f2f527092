"""Both models filled with values that hide no mistake, the same on both sides, and put back afterwards.

`parity.sides.random_weights` says which values. This is the one place where a check writes weights of live models, and the only
one that decides which torch entry gets which Paddle value: the conversion's plan, told by `pairs` where names do
not tell.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from parity.sides.filling import fill
from parity.sides.live import LiveSide
from parity.sides.side import adapter
from parity.trace.values import Array

if TYPE_CHECKING:
    from convert.models.layout import Layout
    from convert.plan.plan import ConversionPlan, Options


STATISTICS = "._mean", "._variance"


@dataclass(frozen=True)
class Refilled:
    """How the weights were paired, and what to warn of (torch weights that were not Paddle's, entries that got no value)."""

    notes: Sequence[str] = ()
    warnings: Sequence[str] = ()
    pairs: Mapping[str, str] = field(default_factory=dict)
    """Torch name -> Paddle name, where running the models told it and names did not."""


@contextmanager
def randomized(
    paddle: LiveSide,
    torch: LiveSide,
    inputs: Mapping[str, Array],
    pairs: Mapping[str, str] | None,
    pair: Callable[[Mapping[str, Array], Options], Options] | None = None,
) -> Iterator[Refilled]:
    """Fill both models; `pair` gives options for a state of Paddle's whose names tell nothing of torch's."""
    from convert.models.layout import module_layout
    from convert.plan.planner import plan_conversion

    tools = {side.framework: adapter(side.framework) for side in (paddle, torch)}
    kept = {side.framework: tools[side.framework].snapshot(side.model) for side in (paddle, torch)}
    try:
        before = tools["paddle"].state(paddle.model)
        layout = module_layout(torch.model)
        plan, options = plan_for(before, layout, pairs)
        warnings = _wrong_before(plan, before, tools["torch"].state(torch.model))
        after = fill(paddle, inputs, seed=0)
        found: dict[str, str] = {}
        if pair is not None and {"missing", "extra"} <= {problem.kind for problem in plan.problems}:
            options = pair(after, options)
            plan = plan_conversion(before, layout, options)
            theirs, ours = (tools[side.framework].first_names(side.model) for side in (torch, paddle))
            for held in plan.by_target().values():
                if len(held) == 1:
                    # Of a tensor with several names the first: the others are no parameters of their own.
                    found.setdefault(
                        theirs.get(held[0].target, held[0].target), ours.get(held[0].source, held[0].source)
                    )
        constants = tools["paddle"].constants(paddle.model)
        arrays = moved(plan, {name: a for name, a in after.items() if name not in constants})
        tools["torch"].load_state(torch.model, arrays, strict=False)
        yield Refilled(options.notes, [*warnings, *_left(plan, pairs or {})], found)
    finally:
        for side in (paddle, torch):
            tools[side.framework].put_back(side.model, kept[side.framework])


@contextmanager
def refilled(
    paddle: LiveSide,
    torch: LiveSide,
    inputs: Mapping[str, Array],
    pairs: Mapping[str, str] | None,
    names: Collection[str],
) -> Iterator[bool]:
    """Fill these of Paddle's parameters alone, and what corresponds to them in torch.

    False, and nothing is filled, where names and `pairs` do not tell of every parameter what it is in torch, or where torch's
    are not Paddle's as it is. What does not train belongs to the definition, but for statistics.
    """
    tools = {side.framework: adapter(side.framework) for side in (paddle, torch)}
    try:
        plan, chosen = _plain_plan(paddle, torch, pairs, names)
        kept = {side.framework: tools[side.framework].snapshot(side.model) for side in (paddle, torch)}
    except (
        Exception
    ):  # nobody asked for this, and a state_dict of a model's own may hold, and raise, anything
        plan, chosen, kept = None, set(), {}
    if plan is None or not chosen:
        yield False
        return
    try:
        after = fill(paddle, inputs, seed=1, only=chosen)
        tools["torch"].load_state(torch.model, moved(plan, after), strict=False)
        yield not _wrong(plan, after, tools["torch"].state(torch.model))
    finally:
        for side in (paddle, torch):
            tools[side.framework].put_back(side.model, kept[side.framework])


def _plain_plan(
    paddle: LiveSide, torch: LiveSide, pairs: Mapping[str, str] | None, names: Collection[str]
) -> tuple[ConversionPlan | None, set[str]]:
    """The plan, if it leaves no question and torch's weights are Paddle's by it; and those of the names that may be filled."""
    from convert.models.layout import module_layout

    tools = adapter("paddle")
    before = tools.state(paddle.model)
    plan, _ = plan_for(before, module_layout(torch.model), pairs)
    training = {name for name, known in tools.trainable(paddle.model).items() if known}
    chosen = {n for n in names if n in before and (n in training or n.endswith(STATISTICS))}
    plain = not plan.problems and not _wrong(plan, before, adapter("torch").state(torch.model))
    return plan if plain else None, chosen


def plan_for(
    state: Mapping[str, Array], layout: Layout, pairs: Mapping[str, str] | None
) -> tuple[ConversionPlan, Options]:
    """Which torch entry gets which Paddle value, as far as names, `pairs` and known aliases tell; and the options for it."""
    from convert.plan.plan import Options
    from convert.plan.planner import plan_conversion
    from convert.plan.recognize import rules_for
    from convert.plan.rules import exact_rule

    told = {torch: paddle for torch, paddle in (pairs or {}).items() if paddle in state}
    names = {slot.name for slot in layout.slots}
    rules = [
        exact_rule(paddle, torch, None, "given as a pair") for torch, paddle in told.items() if torch in names
    ]
    known = rules_for({name: tuple(array.shape) for name, array in state.items()}, names) if not rules else ()
    options = Options(rules=(*rules, *known), layout="paddle")
    return plan_conversion(state, layout, options), options


def moved(plan: ConversionPlan, state: Mapping[str, Array]) -> dict[str, Array]:
    """Torch's state dict entries that `state` (Paddle's, or a part of it) fills."""
    from convert.plan.transform import assemble

    there = [moves for moves in plan.by_target().values() if all(move.source in state for move in moves)]
    return assemble([(m.source, m.target, m.transform) for moves in there for m in moves], state.__getitem__)


def _wrong(plan: ConversionPlan, paddle: Mapping[str, Array], torch: Mapping[str, Array]) -> list[str]:
    """Torch's weights that are not Paddle's converted ones."""
    return [name for name, array in moved(plan, paddle).items() if not np.array_equal(array, torch[name])]


def _wrong_before(plan: ConversionPlan, paddle: Mapping[str, Array], torch: Mapping[str, Array]) -> list[str]:
    """One sentence if torch's weights were not Paddle's: a fault that refilling hides."""
    wrong = _wrong(plan, paddle, torch)
    if not wrong:
        return []
    return [
        f"before `randomize`, {len(wrong)} of {len(plan.moves)} torch weights were not Paddle's (first: "
        f"`{wrong[0]}`); if they should have been, check without `randomize`"
    ]


def _left(plan: ConversionPlan, pairs: Mapping[str, str]) -> list[str]:
    """What got no value of Paddle's, so that it is compared as it was."""
    missing = [p.name for p in plan.problems if p.kind in ("missing", "shape", "layer", "rule", "dtype")]
    if not missing:
        return []
    hint = "" if pairs else "; give `pairs` (torch name -> Paddle name) where names differ"
    return [
        f"`randomize` found no Paddle value for {len(missing)} entries (first: `{missing[0]}`), which keep theirs{hint}"
    ]
