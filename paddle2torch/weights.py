"""The same weights on both sides of a check: Paddle's checkpoint, or random numbers, converted into torch's worker."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convert.plan.plan import ConversionPlan
    from convert.plan.rules import Rule
    from parity.sides.remote import WorkerSide


def load_torch(
    torch: WorkerSide,
    source: dict[str, str],
    constants: Collection[str],
    *,
    rules: Sequence[Rule] = (),
    complete: bool = False,
) -> tuple[dict[str, str], list[str]]:
    """Give a torch worker Paddle's weights, but for `constants`; torch name -> Paddle name, and what did not fit.

    rules: of the conversion, for names that differ. complete: a conversion that does not fit is an error.
    """
    from convert.models.layout import Layout
    from convert.plan.plan import Options
    from convert.plan.planner import plan_conversion
    from convert.plan.recognize import rules_for

    layout = Layout.of_json(torch.ask("layout"))
    with _shapes(source) as shapes:
        known = rules or rules_for(shapes, [slot.name for slot in layout.slots])
        plan = plan_conversion(shapes, layout, Options(rules=known))
        first = _first_names(plan, shapes)
    if complete:
        plan.require()
    moves = [
        [move.source, move.target, move.transform]
        for held in plan.by_target().values()
        for move in held
        if not any(part.source in constants for part in held)
    ]
    torch.ask("load", source=source, moves=moves)
    shown = [f"conversion: {problem}" for problem in plan.problems[:5]]
    if len(plan.problems) > 5:
        shown.append(
            f"conversion: {len(plan.problems) - 5} more problems; see `paddle2torch convert --dry-run`"
        )
    whole = [held[0] for held in plan.by_target().values() if len(held) == 1]
    return {move.target: first.get(move.source, move.source) for move in whole}, shown


def _first_names(plan: ConversionPlan, names: Iterable[str]) -> dict[str, str]:
    """The first of several names of a tensor, which is what a model's parameters are called by."""
    place = {name: index for index, name in enumerate(names)}
    first: dict[str, str] = {}
    for drop in plan.dropped:
        if drop.same_as:
            first[drop.same_as] = min(drop.name, first.get(drop.same_as, drop.same_as), key=place.__getitem__)
    return first


def fill_paddle(
    args: argparse.Namespace, paddle: WorkerSide, inputs: Mapping[str, Any]
) -> tuple[dict[str, str], list[str]]:
    """Load the checkpoint into Paddle, or make random weights there.

    Returns where torch can read them too, and the entries that no checkpoint gives: constants of the definition.
    """
    if args.weights is not None:
        source = {"checkpoint": str(args.weights), "key": args.key or ""}
        paddle.ask("load", source=source, moves=None)
        if not args.randomize:
            return source, []
    path, constants = paddle.randomize(inputs, seed=args.seed, vectors_only=args.weights is not None)
    return {"npz": str(path)}, [] if args.weights is not None else constants


@contextmanager
def _shapes(source: dict[str, str]) -> Iterator[Any]:
    import numpy as np

    from convert import open_checkpoint

    if "npz" in source:
        with np.load(source["npz"], allow_pickle=False) as archive:
            yield {name: archive[name] for name in archive.files}
    elif "trace" in source:
        from parity.trace.file import TraceFile

        yield TraceFile(Path(source["trace"])).state()
    else:
        with open_checkpoint(source["checkpoint"], key=source["key"] or None) as checkpoint:
            yield checkpoint
