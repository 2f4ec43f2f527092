"""`convert --match run`: start both models beside a checkpoint; `parity.match.trials` pairs what names do not."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from convert.errors import ConvertError

if TYPE_CHECKING:
    from convert.plan.plan import Options
    from parity.trace.trace import Framework

FRAMEWORKS: tuple[Framework, ...] = ("paddle", "torch")


def options_by_running(args: argparse.Namespace, options: Options) -> Options:
    """The options with a rule for everything that running both models pairs."""
    import numpy as np

    from convert.checkpoint.reader import is_factory, open_checkpoint
    from paddle2torch.console import status
    from parity.match.trials import match_by_running
    from parity.sides.remote import WorkerSide
    from parity.trace.values import scratch_directory

    factories, arguments = _models(args)
    inputs = _inputs(args)
    if options.strip_prefix or options.add_prefix:
        raise ConvertError(
            "--match run loads the checkpoint into the Paddle model, so its names cannot be changed: "
            "leave --strip-prefix and --add-prefix out"
        )
    with ExitStack() as stack:
        tell = stack.enter_context(status())
        paddle, torch = (
            stack.enter_context(
                WorkerSide(
                    side,
                    factories[side],
                    arguments[side],
                    python=getattr(args, f"{side}_python"),
                    registered=side == "torch" and args.torch is None,
                )
            )
            for side in FRAMEWORKS
        )
        for side in (paddle, torch):
            tell(f"building the {side.framework} model")
            side.build()
        checkpoint: Mapping[str, Any]
        if is_factory(args.source):
            path = stack.enter_context(scratch_directory()) / "state.npz"
            paddle.ask("state", path=str(path))
            source = {"npz": str(path)}
            checkpoint = stack.enter_context(np.load(path, allow_pickle=False))
        else:
            checkpoint = stack.enter_context(open_checkpoint(args.source, key=args.key))
            source = {"checkpoint": str(args.source), "key": args.key or ""}
        found = match_by_running(paddle, torch, source, checkpoint, inputs, options, tell=tell)
    return replace(options, rules=found.rules, match="structure", notes=found.notes)


def _models(args: argparse.Namespace) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """What to build on either side: as given, or a registered torch model."""
    from convert.checkpoint.reader import is_factory
    from convert.models.registry import find_model
    from paddle2torch.options import json_object

    ours = args.source if is_factory(args.source) else args.paddle
    if ours is None:
        raise ConvertError("--match run runs both models: name the Paddle one with --paddle MODULE:FACTORY")
    arguments = {
        "paddle": json_object(args.paddle_args or "{}", "--paddle-args"),
        "torch": json_object(args.torch_args, "--torch-args"),
    }
    if args.torch is not None:
        return {"paddle": ours, "torch": args.torch}, arguments
    if args.model in (None, "none"):
        raise ConvertError("--match run runs both models: name the torch one with --torch or --model")
    sizes = {"num_classes": args.num_classes, "in_channels": args.in_channels}
    arguments["torch"] |= {name: size for name, size in sizes.items() if size is not None}
    return {"paddle": ours, "torch": find_model(args.model).torch_factory}, arguments


def _inputs(args: argparse.Namespace) -> Any:
    from paddle2torch.options import shape_of
    from parity.setup.inputs import as_arrays, load_inputs, random_input

    if (args.input is None) == (args.shape is None):
        raise ConvertError(
            "--match run needs one input for both models: --shape 2,3,224,224 for random numbers, or --input FILE"
        )
    if args.input is not None:
        return load_inputs(args.input, grey=False)
    return as_arrays(random_input(shape_of(args.shape)))
