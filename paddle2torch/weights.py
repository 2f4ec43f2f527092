"""The same weights on both sides of a check: Paddle's checkpoint, or random numbers, converted into torch's worker."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from convert.errors import ConvertError, PlanError

if TYPE_CHECKING:
    from convert.checkpoint.checkpoint import Checkpoint
    from convert.plan.plan import ConversionPlan, Options
    from convert.plan.rules import Rule
    from parity.match.trials import Models
    from parity.sides.remote import WorkerSide
    from parity.sides.side import Side
    from parity.trace.file import TraceFile

Source = dict[str, Any]
"""Where workers find Paddle's weights: an `npz` of ours (and `parameters`, the automatic names of its tensors), a `trace`, or a `checkpoint` with its `key` and `join` and, in `names`, what
the model calls each tensor of the file that takes part."""


class Loaded(NamedTuple):
    """A torch worker's weights: torch name -> Paddle name, how they were paired, and what did not fit."""

    pairs: dict[str, str]
    notes: Sequence[str]
    warnings: Sequence[str]


def load_torch(
    torch: WorkerSide,
    source: Source,
    constants: Collection[str],
    options: Options,
    *,
    complete: bool = False,
    pair: Pair | None = None,
) -> Loaded:
    """Give a torch worker Paddle's weights, but for `constants`.

    options: of the conversion, for names that differ. complete: a conversion that does not fit is an error. pair: adds
    to the options what is to be told of names that differ on both sides.
    """
    from convert.models.layout import Layout
    from convert.plan.planner import plan_conversion
    from convert.plan.recognize import rules_for

    layout = Layout.of_json(torch.ask("layout"))
    if "checkpoint" not in source:  # they come from the Paddle model itself
        options = replace(options, layout="paddle")
    with open_source(source) as shapes:
        if not shapes and not layout.slots:
            return Loaded({}, options.notes, ())  # networks without weights
        known = options.rules or rules_for(shapes, [slot.name for slot in layout.slots])
        plan = plan_conversion(shapes, layout, replace(options, rules=known))
        if pair is not None and {"missing", "extra"} <= {problem.kind for problem in plan.problems}:
            options = pair(shapes, replace(options, rules=(*known, *_by_name(plan))))
            plan = plan_conversion(shapes, layout, options)
        first = _first_names(plan, shapes)
    if complete or any(problem.kind in _REFUSED for problem in plan.problems):
        plan.require()
    moves = [
        [move.source, move.target, move.transform]
        for held in plan.by_target().values()
        for move in held
        if not any(part.source in constants for part in held)
    ]
    fills = {fill.name: fill.value for fill in plan.generated if fill.rule}
    torch.ask("load", source=source, moves=moves, fills=fills)
    warnings = [f"conversion: {problem}" for problem in plan.problems[:5]]
    if len(plan.problems) > 5:
        warnings.append(
            f"conversion: {len(plan.problems) - 5} more problems; see `paddle2torch convert --dry-run`"
        )
    whole = [held[0] for held in plan.by_target().values() if len(held) == 1]
    tied = {slot.name: slot.tied or slot.name for slot in layout.slots}
    pairs = {tied[move.target]: first.get(move.source, move.source) for move in whole}
    return Loaded(pairs, options.notes, warnings)


def _by_name(plan: ConversionPlan) -> Iterator[Rule]:
    """What names tell of a plan that does not fit, where they tell more than half."""
    from convert.plan.rules import exact_rule

    if 2 * len(plan.moves) > len(plan.order):
        for move in plan.moves:
            yield exact_rule(move.source, move.target, move.transform, move.why)


Pair = Callable[[Mapping[str, Any], "Options"], "Options"]
"""Gives options that pair more of Paddle's weights (names and shapes)."""

_REFUSED = ("rule", "empty", "order")
"""Problems of what the user asked for, which no proof may pass over."""


def _first_names(plan: ConversionPlan, names: Iterable[str]) -> dict[str, str]:
    """The first of several names of a tensor, which is what a model's parameters are called by."""
    place = {name: index for index, name in enumerate(names)}
    first: dict[str, str] = {}
    for drop in plan.dropped:
        if drop.same_as:
            first[drop.same_as] = min(drop.name, first.get(drop.same_as, drop.same_as), key=place.__getitem__)
    return first


def fill_paddle(
    args: argparse.Namespace, paddle: WorkerSide, inputs: Mapping[str, Any], options: Options
) -> tuple[Source, list[str], Options]:
    """Load the checkpoint into Paddle, or make random weights there.

    Returns where torch can read them too, the entries that no checkpoint gives (constants of the definition), and the
    options that are left for the conversion.
    """
    if args.weights is not None:
        source, options = checkpoint_source(args.weights, args.key, options, paddle, join=args.join)
        paddle.ask("load", source=source, moves=None)
        if not args.randomize:
            return source, [], options
    path, constants = paddle.randomize(inputs, seed=args.seed, vectors_only=args.weights is not None)
    made: Source = {"npz": str(path), "parameters": paddle.ask("entries")}
    return made, [] if args.weights is not None else constants, options


def checkpoint_source(
    path: str | Path, key: str | None, options: Options, paddle: WorkerSide, *, join: Sequence[str] = ()
) -> tuple[Source, Options]:
    """A checkpoint for the Paddle model of a worker: its tensors by the model's names; and the options for these names.

    A file exported for inference goes by the automatic names of the model's tensors. ConvertError says what does not fit,
    and with which option it would.
    """
    from convert import open_checkpoint

    with open_checkpoint(path, key=key, join=join) as checkpoint:
        require_paddles(checkpoint, options)
        called = _called(checkpoint, options, paddle.ask("entries"), paddle.factory)
        left_out = set(checkpoint) - set(called.values())
    source: Source = {"checkpoint": str(path), "key": key or "", "names": called, "join": list(join)}
    chosen = replace(options, include=(), exclude=(), strip_prefix="", add_prefix="")
    return source, replace(chosen, file_names=called, left_out=left_out)


def require_paddles(checkpoint: Checkpoint, options: Options) -> None:
    """ConvertError if the tensors are a torch model's."""
    from convert.plan.source_layout import TORCH, evidence

    found = evidence(checkpoint)
    if found.framework == TORCH and options.layout != "paddle":
        path = checkpoint.path
        raise ConvertError(
            f"{path}: the tensors are in torch's own layout ({found.why}), and it is the Paddle model that loads them; name "
            f"the Paddle checkpoint, or make one: paddle2torch convert {path} --torch ... -o {path.with_suffix('.pdparams').name}"
        )


def _called(
    checkpoint: Checkpoint, options: Options, entries: Mapping[str, str], factory: str
) -> dict[str, str]:
    """The model's name -> the file's, for every tensor of the model."""
    from convert.names import listed
    from convert.plan.recognize import spelled
    from convert.plan.sources import choose_sources, exclude_advice, prefix_advice

    shapes = {name: ref.shape for name, ref in checkpoint.items()}
    chosen = choose_sources(shapes, options)
    if chosen.problems:
        raise ConvertError(f"{checkpoint.path}: {chosen.problems[0]}")
    called = {ours: chosen.names[ours] for ours in entries if ours in chosen.names}
    if not called:  # exported for inference, which knows no other names than the automatic ones
        known = checkpoint.parameter_names
        unnamed = {name for name in chosen.names.values() if known.get(name, name) == name}
        called = {ours: name for ours, name in entries.items() if name in unnamed}
    if not called:
        called = {ours: chosen.names[name] for name, ours in spelled(chosen.names, entries).items()}
    missing = [ours for ours in entries if ours not in called]
    extra = [name for matched, name in chosen.names.items() if name not in set(called.values())]
    if missing or extra:
        said = ", ".join(
            f"{len(names)} {word} ({listed(names)})"
            for word, names in (("missing", missing), ("unknown to the model", extra))
            if names
        )
        hint = prefix_advice([n for n in chosen.names if chosen.names[n] in extra], missing, called)
        if not hint and not missing:
            hint = exclude_advice(extra, list(called.values()))
        raise PlanError(f"{checkpoint.path} does not fit {factory}: {said}" + (f"\n{hint}" if hint else ""))
    return called


def running(paddle: Side, torch: WorkerSide, source: Source, weights: Mapping[str, Any]) -> Models:
    """A torch worker, Paddle's side and the weights that it has, for a pairing by running them."""
    from convert.models.layout import Layout
    from parity.match.trials import Models

    def load(moves: list[list[str]]) -> None:
        torch.ask("load", source=source, moves=moves)

    return Models(paddle, torch, Layout.of_json(torch.ask("layout")), weights, load)


def pairing(paddle: Side, torch: WorkerSide, source: Source, inputs: Mapping[str, Any], tell: Any) -> Pair:
    """Pairs by running both sides; what it finds need not be confirmed, as the models are compared afterwards."""

    def pair(weights: Mapping[str, Any], options: Options) -> Options:
        from parity.match.trials import match_by_running

        tell("pairing weights by running both models")
        models = running(paddle, torch, source, weights)
        found = match_by_running(models, inputs, options, unconfirmed=True, tell=tell)
        return replace(
            options,
            rules=found.rules,
            match="structure",
            notes=(f"names differ: {'; '.join(found.notes)}",),
        )

    return pair


def load_recorded(torch: WorkerSide, file: TraceFile, options: Options, tell: Any) -> Loaded:
    """Give a torch worker the weights that a trace file of Paddle's holds; names that differ are paired by the recorded run."""
    from parity.sides.recorded import RecordedSide

    source: Source = {"trace": str(file.path)}
    pair = None
    if "eval" in file.modes:  # the mode in which models are run to be paired
        pair = pairing(RecordedSide(file), torch, source, file.inputs(), tell)
    return load_torch(torch, source, file.constants, options, pair=pair)


@contextmanager
def open_source(source: Source) -> Iterator[Any]:
    """Paddle's weights as a conversion reads them, by the model's names."""
    import numpy as np

    from convert import open_checkpoint
    from parity.trace.values import Weights

    if "npz" in source:
        with np.load(source["npz"], allow_pickle=False) as archive:
            yield Weights({name: archive[name] for name in archive.files}, source.get("parameters", {}))
    elif "trace" in source:
        from parity.trace.file import TraceFile

        yield TraceFile(Path(source["trace"])).state()
    else:
        with open_checkpoint(
            source["checkpoint"], key=source["key"] or None, join=source["join"]
        ) as checkpoint:
            names = source["names"]
            known = checkpoint.parameter_names
            yield replace(
                checkpoint,
                tensors={ours: checkpoint[name] for ours, name in names.items()},
                parameter_names={ours: known[name] for ours, name in names.items() if name in known},
            )
