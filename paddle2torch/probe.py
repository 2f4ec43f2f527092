"""`convert --match run`: start both models beside a checkpoint; `parity.match.trials` pairs what names do not."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from convert.errors import ConvertError

if TYPE_CHECKING:
    from convert.plan.plan import Options
    from convert.plan.rules import Rule
    from parity.trace.trace import Framework

IMAGE = "1,3,224,224"
"""What a model to build is run on where nobody says what it takes: the networks of zoos take images."""

FRAMEWORKS: tuple[Framework, ...] = ("paddle", "torch")


def options_by_running(args: argparse.Namespace, options: Options) -> Options:
    """The options with a rule for everything that running both models pairs."""
    from convert.checkpoint.reader import is_factory
    from paddle2torch.console import status
    from paddle2torch.weights import Source, checkpoint_source, open_source, running
    from parity.match.trials import match_by_running
    from parity.sides.remote import WorkerSide
    from parity.trace.values import scratch_directory, shared_scratch

    factories, arguments = _models(args)
    inputs = probe_inputs(args)
    with ExitStack() as stack:
        tell = stack.enter_context(status())
        stack.enter_context(shared_scratch())
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
        if is_factory(args.source):
            path = stack.enter_context(scratch_directory()) / "state.npz"
            paddle.ask("state", path=str(path))
            source: Source = {"npz": str(path), "parameters": paddle.ask("entries")}
            here = options
        else:
            source, here = checkpoint_source(args.source, args.key, options, paddle, join=args.join)
        checkpoint = stack.enter_context(open_source(source))
        tell("loading the checkpoint into the Paddle model")
        paddle.ask("load", source=source, moves=None)
        found = match_by_running(running(paddle, torch, source, checkpoint), inputs, here, tell=tell)
    rules = [_as_in_file(rule, source.get("names", {}), options) for rule in found.rules]
    return replace(options, rules=rules, match="structure", notes=found.notes)


def _as_in_file(rule: Rule, names: Mapping[str, str], options: Options) -> Rule:
    """A rule about the model's name for a tensor, where the file has a name for it that no prefix leads to."""
    if rule.literal is None or rule.literal[0] not in names:
        return rule
    ours, file = rule.literal[0], names[rule.literal[0]]
    if options.add_prefix + file.removeprefix(options.strip_prefix) == ours:
        return rule
    return replace(rule, source=re.escape(file))


def _models(args: argparse.Namespace) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """What to build on either side: as given, or a registered torch model."""
    from convert.checkpoint.reader import is_factory
    from convert.models.registry import find_model
    from paddle2torch.options import json_object

    ours = args.source if is_factory(args.source) else args.paddle
    needed = {
        "--paddle MODULE:FACTORY": ours is not None,
        "--torch MODULE:FACTORY (or --model NAME)": args.torch is not None
        or args.model not in (None, "none"),
        "--shape 2,3,224,224 (or --input FILE)": (args.input is None) != (args.shape is None)
        or (args.input is None and is_factory(args.source)),
    }
    if not all(needed.values()):
        asked = " and ".join(option for option, given in needed.items() if not given)
        both = "one of " if args.input is not None and args.shape is not None else ""
        raise ConvertError(f"--match run runs both models on one input: give {both}{asked}")
    assert ours is not None
    arguments = {
        "paddle": json_object(args.paddle_args or "{}", "--paddle-args"),
        "torch": json_object(args.torch_args, "--torch-args"),
    }
    if args.torch is not None:
        return {"paddle": ours, "torch": args.torch}, arguments
    sizes = {"num_classes": args.num_classes, "in_channels": args.in_channels}
    arguments["torch"] |= {name: size for name, size in sizes.items() if size is not None}
    return {"paddle": ours, "torch": find_model(args.model).torch_factory}, arguments


def probe_inputs(args: argparse.Namespace) -> Any:
    """What both models are run on."""
    from paddle2torch.options import inputs_of
    from parity.setup.inputs import load_inputs, random_inputs

    if args.input is not None:
        return load_inputs(args.input, grey=False)
    return random_inputs(inputs_of(args.shape or IMAGE))
