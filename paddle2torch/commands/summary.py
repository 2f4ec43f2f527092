"""`paddle2torch summary`: a network's layers as a tree, with shapes, parameters, multiply-adds, memory and receptive field.

Where both frameworks are asked about, each runs in a process of its own, because GPU builds of the two often cannot be
imported together, and any difference between them is marked.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from convert.errors import ConvertError
from convert.models.registry import find_model
from paddle2torch.summary.rows import Summary, compare

if TYPE_CHECKING:
    from paddle2torch.summary.rows import Difference
    from parity.setup.inputs import Wanted

DEPTH = 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    from paddle2torch.options import add_shape_option

    parser.add_argument(
        "model",
        nargs="?",
        help="a registered model (`paddle2torch models`), or MODULE:FACTORY of one framework",
    )
    parser.add_argument("--paddle", metavar="MODULE:FACTORY", help="your Paddle model, e.g. net.py:Net")
    parser.add_argument("--torch", metavar="MODULE:FACTORY", help="your torch model")
    parser.add_argument("--framework", choices=("paddle", "torch", "both"), help="of MODEL; default: both")
    parser.add_argument("--args", metavar="JSON", default="{}", help="keyword arguments for the factories")
    parser.add_argument("--num-classes", type=int, metavar="N", help="classes of a registered model")
    add_shape_option(parser, "the input, with its batch; default: an image as the model has it")
    parser.add_argument(
        "--depth",
        type=int,
        default=DEPTH,
        metavar="N",
        help=f"levels of blocks that are shown (default {DEPTH})",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables: every layer")


@dataclass(frozen=True)
class Plan:
    """What to build on each side, and what to run it on."""

    title: str
    factories: Mapping[str, str]
    arguments: Mapping[str, Any]
    inputs: Mapping[str, Wanted]
    registered: bool


def run(args: argparse.Namespace) -> int:
    """Print the summary; 1 when the two frameworks differ, else 0."""
    if args.depth < 1:
        raise ConvertError(f"--depth {args.depth}: at least 1 level")
    plan = _plan(args)
    if len(plan.factories) == 1:
        from paddle2torch.summary import summarize

        ((framework, factory),) = plan.factories.items()
        found = {
            framework: summarize(framework, factory, plan.arguments, plan.inputs, registered=plan.registered)
        }
    else:
        found = _in_own_processes(args, plan)
    differences = compare(found["paddle"], found["torch"]) if len(found) == 2 else []
    if args.json:
        print(json.dumps(_as_json(plan.title, found, differences), indent=2))
    else:
        from paddle2torch.summary.tree import show

        show(plan.title, found, differences, args.depth)
    return 1 if differences else 0


def _plan(args: argparse.Namespace) -> Plan:
    from paddle2torch.before import Model, check_installed_for, check_models
    from paddle2torch.options import inputs_of, json_object

    given = json_object(args.args, "--args")
    inputs = inputs_of(args.shape) if args.shape is not None else None
    own = {side: name for side in ("paddle", "torch") if (name := getattr(args, side)) is not None}
    if args.model is not None and own:
        raise ConvertError("name a model, or yours with --paddle and --torch; not both")
    if args.model is not None and ":" not in args.model:
        plan = _registered(args, given, inputs)
    else:
        if args.model is not None:
            own = {_framework_of(args): args.model}
        if not own:
            raise ConvertError(
                "name a registered model, or your own: --paddle net.py:Net, --torch port.py:Net, or both"
            )
        if args.num_classes is not None:
            raise ConvertError(
                "--num-classes is for registered models; your own take it with --args '{\"num_classes\": ...}'"
            )
        plan = Plan(" and ".join(own.values()), own, given, inputs or _image((3, 224, 224)), False)
    models = [Model(side, name, plan.arguments, "--args") for side, name in plan.factories.items()]
    if not plan.registered:
        check_models(models)
    check_installed_for(models)
    return plan


def _image(shape: tuple[int, ...]) -> dict[str, Wanted]:
    """One of them."""
    from parity.setup.inputs import Wanted

    return {"0": Wanted((1, *shape))}


def _registered(
    args: argparse.Namespace, given: Mapping[str, Any], inputs: Mapping[str, Wanted] | None
) -> Plan:
    spec = find_model(args.model)
    inputs = inputs or _image(spec.input_shape)
    (image,) = list(inputs.values())[:1]
    spec.check_input(image.shape[1:])
    if args.num_classes is not None and args.num_classes < 1:
        raise ConvertError(f"--num-classes must be at least 1, not {args.num_classes}")
    classes = args.num_classes or spec.defaults["num_classes"]
    arguments = {"num_classes": classes, "in_channels": image.shape[1], **given}
    both = {"paddle": spec.paddle_factory, "torch": spec.torch_factory}
    asked = args.framework or "both"
    return Plan(
        args.model, both if asked == "both" else {asked: both[asked]}, arguments, inputs, registered=True
    )


def _framework_of(args: argparse.Namespace) -> str:
    """Of a model that is named without an option: as said, or the one that its file imports."""
    from convert.adapters.reference import frameworks_of

    if args.framework in ("paddle", "torch"):
        return str(args.framework)
    found = frameworks_of(args.model)
    if len(found) == 1:
        return found[0]
    raise ConvertError(f"{args.model} is one framework's: say --paddle {args.model} or --torch {args.model}")


def _in_own_processes(args: argparse.Namespace, plan: Plan) -> dict[str, Summary]:
    """Both sides at once, each by this very command with --json."""
    words = ["--json", "--args", args.args]
    if args.shape is not None:
        words += ["--shape", *args.shape.split()]
    if args.num_classes is not None:
        words.append(f"--num-classes={args.num_classes}")
    command = [sys.executable, "-m", "paddle2torch", "summary"]
    running = {
        framework: subprocess.Popen(
            [*command, args.model if plan.registered else factory, "--framework", framework, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ,
        )
        for framework, factory in plan.factories.items()
    }
    found = {}
    for framework, process in running.items():
        output, errors = process.communicate()
        if process.returncode == 4:  # a fault of ours, told in full there
            sys.stderr.write(errors)
            raise SystemExit(4)
        if process.returncode:
            message = errors.strip().splitlines()[-1] if errors.strip() else "it said nothing"
            raise ConvertError(message.removeprefix("paddle2torch summary: "))
        found[framework] = Summary.from_json(json.loads(output)["frameworks"][framework])
    return found


def _as_json(model: str, found: dict[str, Summary], differences: list[Difference]) -> dict[str, Any]:
    return {
        "model": model,
        "frameworks": {framework: summary.to_json() for framework, summary in found.items()},
        "differences": [vars(difference) for difference in differences],
    }
