"""`convert --fuse`: branches become convolutions, and nothing is written unless both networks compute the same."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from convert.errors import ConvertError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from convert.checkpoint.checkpoint import Checkpoint
    from convert.plan.plan import Options
    from parity.sides.side import Side


def fused(args: argparse.Namespace, checkpoint: Checkpoint, target: Any, options: Options) -> Checkpoint:
    """The checkpoint as the target takes it; ConvertError where the two networks are not proved to be the same."""
    import numpy as np

    from convert.models.layout import module_layout
    from convert.plan.fuse import EPSILON, fuse
    from convert.plan.planner import plan_conversion
    from paddle2torch.console import status
    from paddle2torch.options import json_object
    from paddle2torch.probe import probe_inputs
    from paddle2torch.weights import checkpoint_source, load_torch
    from parity.setup.others import further_inputs
    from parity.sides.remote import WorkerSide
    from parity.trace.values import scratch_directory, shared_scratch

    made = fuse(checkpoint, module_layout(target))
    plan_conversion(made, target, options).require()
    inputs = probe_inputs(args)
    factories = {"paddle": args.paddle, "torch": args.torch}
    arguments = {"paddle": args.paddle_args or "{}", "torch": args.torch_args}
    with ExitStack() as stack:
        tell = stack.enter_context(status())
        stack.enter_context(shared_scratch())
        sides = {
            side: stack.enter_context(
                WorkerSide(
                    side,
                    factories[side],
                    json_object(arguments[side], f"--{side}-args"),
                    python=getattr(args, f"{side}_python"),
                )
            )
            for side in ("paddle", "torch")
        }
        for side in sides.values():
            tell(f"building the {side.framework} model")
            side.build()
        paddle = sides["paddle"]
        source, _ = checkpoint_source(args.source, args.key, options, paddle, join=args.join)
        paddle.ask("load", source=source, moves=None)
        path = stack.enter_context(scratch_directory()) / "fused.npz"
        arrays: dict[str, Any] = {name: made[name].numpy() for name in made}
        np.savez(path, **arrays)
        load_torch(sides["torch"], {"npz": str(path)}, (), options, complete=True)
        tell("running both networks")
        others = further_inputs(inputs, "eval")[0][-1].arrays()
        runs = [_apart(paddle, sides["torch"], given, path.parent) for given in (inputs, others)]
    worst, allowed = max(runs, key=lambda run: run[0] / run[1])
    if not worst <= allowed:
        raise ConvertError(
            f"--fuse: the outputs differ by {worst:.1e} of their size in float64, and rounding the fused weights explains "
            f"{allowed:.1e}: the layers beside each other are no branches, or a BatchNorm's epsilon is not {EPSILON:g}; "
            "nothing was written"
        )
    note = (
        f"proved by running both networks in float64 on {len(runs)} inputs: the outputs agree to {worst:.1e} of their size, and "
        f"rounding the fused weights to float32 explains {allowed:.1e}"
    )
    return replace(made, facts=replace(made.facts, notes=(*made.facts.notes, note)))


def _apart(paddle: Side, torch: Side, inputs: Mapping[str, Any], scratch: Path) -> tuple[float, float]:
    """How far the outputs are apart in float64, relative to their largest number, and how far they may be.

    The fused weights are rounded to float32 once more than Paddle's: as a folded BatchNorm's in a proof, they may change the outputs by
    so many times what float32 makes of Paddle's own.
    """
    from parity.limits import FLOAT32_STEPS, ROUND32
    from parity.numbers.compare import difference

    runs = {"exact": (paddle, "float64"), "rounded": (paddle, "float32"), "torch": (torch, "float64")}
    values = {}
    with ExitStack() as stack:
        for name, (side, precision) in runs.items():
            _, values[name] = side.capture(
                inputs, mode="eval", precision=precision, store=scratch / name, outputs_only=True
            )
            stack.callback(values[name].close)
        keys = [key for key in values["exact"].index if key.startswith("output:")]
        if keys != [key for key in values["torch"].index if key.startswith("output:")]:
            return float("inf"), ROUND32
        exact = {key: values["exact"].get(key) for key in keys}
        apart = max(difference(values["torch"].get(key), exact[key]).max_rel for key in keys)
        noise = max(difference(values["rounded"].get(key), exact[key]).max_rel for key in keys)
    return apart, FLOAT32_STEPS * max(noise / ROUND32, 1.0)
