"""The same weights on both sides of a check: Paddle's checkpoint, or random numbers, converted into torch's worker."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.errors import ConvertError

if TYPE_CHECKING:
    from convert.checkpoint.checkpoint import Checkpoint
    from convert.plan.plan import ConversionPlan, Options
    from parity.sides.remote import WorkerSide

Source = dict[str, Any]
"""Where workers find Paddle's weights: an `npz` of ours, a `trace`, or a `checkpoint` with its `key` and, in `names`, what
the model calls each tensor of the file that takes part."""


def load_torch(
    torch: WorkerSide,
    source: Source,
    constants: Collection[str],
    options: Options,
    *,
    complete: bool = False,
) -> tuple[dict[str, str], list[str]]:
    """Give a torch worker Paddle's weights, but for `constants`; torch name -> Paddle name, and what did not fit.

    options: of the conversion, for names that differ. complete: a conversion that does not fit is an error.
    """
    from convert.models.layout import Layout
    from convert.plan.planner import plan_conversion
    from convert.plan.recognize import rules_for

    layout = Layout.of_json(torch.ask("layout"))
    with open_source(source) as shapes:
        known = options.rules or rules_for(shapes, [slot.name for slot in layout.slots])
        plan = plan_conversion(shapes, layout, replace(options, rules=known))
        first = _first_names(plan, shapes)
    if complete or any(problem.kind in _REFUSED for problem in plan.problems):
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


_REFUSED = ("rule", "empty")
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
        source = checkpoint_source(args.weights, args.key, options, paddle)
        paddle.ask("load", source=source, moves=None)
        options = replace(options, include=(), exclude=(), strip_prefix="", add_prefix="")
        if not args.randomize:
            return source, [], options
    path, constants = paddle.randomize(inputs, seed=args.seed, vectors_only=args.weights is not None)
    return {"npz": str(path)}, [] if args.weights is not None else constants, options


def checkpoint_source(
    path: str | Path, key: str | None, options: Options, paddle: WorkerSide, names: Any = None
) -> Source:
    """A checkpoint for the Paddle model of a worker: its tensors by the model's names.

    A file exported for inference goes by the automatic names of the model's tensors. ConvertError says what does not fit,
    and with which option it would.
    """
    from convert import open_checkpoint

    with open_checkpoint(path, key=key, names=names) as checkpoint:
        _require_paddles(checkpoint, options)
        called = _called(checkpoint, options, paddle.ask("entries"), paddle.factory)
    return {"checkpoint": str(path), "key": key or "", "names": called}


def _require_paddles(checkpoint: Checkpoint, options: Options) -> None:
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
    from convert.plan.sources import choose_sources, exclude_advice, prefix_advice

    shapes = {name: ref.shape for name, ref in checkpoint.items()}
    chosen = choose_sources(shapes, options)
    if chosen.problems:
        raise ConvertError(f"{checkpoint.path}: {chosen.problems[0]}")
    automatic = {checkpoint.parameter_names.get(name, name): name for name in chosen.names.values()}
    called = {ours: chosen.names[ours] for ours in entries if ours in chosen.names}
    if not called:  # exported for inference
        called = {ours: automatic[name] for ours, name in entries.items() if name in automatic}
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
        raise ConvertError(
            f"{checkpoint.path} does not fit {factory}: {said}" + (f"\n{hint}" if hint else "")
        )
    return called


@contextmanager
def open_source(source: Source) -> Iterator[Any]:
    """Paddle's weights as a conversion reads them, by the model's names."""
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
            names = source["names"]
            known = checkpoint.parameter_names
            yield replace(
                checkpoint,
                tensors={ours: checkpoint[name] for ours, name in names.items()},
                parameter_names={ours: known[name] for ours, name in names.items() if name in known},
            )
