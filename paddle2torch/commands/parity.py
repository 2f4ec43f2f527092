"""`paddle2torch parity`: prove that two models compute the same, or say what differs."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.names import escaped

if TYPE_CHECKING:
    from paddle2torch.weights import Loaded
    from parity.capture.training import Recipe
    from parity.report.report import Report
    from parity.sides.remote import WorkerSide


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "model", nargs="?", metavar="MODEL", help="a registered model (see `paddle2torch models`)"
    )
    models = parser.add_argument_group("models")
    models.add_argument(
        "--paddle", metavar="MODULE:FACTORY", help="your Paddle model, e.g. my_pkg.net:Net or net.py:Net"
    )
    models.add_argument("--torch", metavar="MODULE:FACTORY", help="your torch model")
    models.add_argument("--args", metavar="JSON", default="{}", help="keyword arguments for both factories")
    models.add_argument("--paddle-args", metavar="JSON", default="{}", help="more for the Paddle factory")
    models.add_argument("--torch-args", metavar="JSON", default="{}", help="more for the torch factory")
    models.add_argument("--num-classes", type=int, metavar="N", help="classes of a registered model")
    models.add_argument("--in-channels", type=int, metavar="N", help="input channels of a registered model")
    models.add_argument(
        "--weights", type=Path, metavar="FILE", help="a Paddle checkpoint; without it, random weights"
    )
    models.add_argument(
        "--randomize",
        action="store_true",
        help="fill in values that show mistakes: all weights without a checkpoint (the default), biases, "
        "scales and statistics with one",
    )
    from paddle2torch.options import add_name_options, add_shape_option

    add_name_options(parser.add_argument_group("which tensors, and under which names"))
    what = parser.add_argument_group("what is compared")
    what.add_argument("--mode", choices=["eval", "train", "both"], default="both", help="default: both")
    what.add_argument(
        "--input", type=Path, metavar="FILE", help=".npy, .npz or an image; default: random numbers"
    )
    add_shape_option(what)
    what.add_argument("--seed", type=int, default=0, help="of the random input and weights (default 0)")
    what.add_argument(
        "--only-given",
        action="store_true",
        help="do not also try other numbers, sizes and lengths, one sample, large and equal numbers",
    )
    back = parser.add_argument_group("backward and training, in float64 on copies")
    back.add_argument("--gradients", action="store_true", help="also compare gradients, from the loss down")
    back.add_argument("--steps", type=int, default=0, metavar="N", help="also train N steps, in train mode")
    back.add_argument("--optimizer", choices=["sgd", "momentum", "adam", "adamw"], help="default: momentum")
    back.add_argument("--lr", type=float, metavar="RATE", help="learning rate (default 0.01)")
    back.add_argument("--momentum", type=float, metavar="M", help="of --optimizer momentum (default 0.9)")
    back.add_argument("--weight-decay", type=float, metavar="D", help="default 0")
    back.add_argument("--clip-norm", type=float, metavar="NORM", help="clip gradients to this global norm")
    for part, told in PARTS.items():
        for side in ("paddle", "torch"):
            back.add_argument(f"--{side}-{part}", metavar="MODULE:NAME", help=told.format(side=side))
    where = parser.add_argument_group("where")
    where.add_argument("--device", default="cpu", metavar="cpu|cuda[:N]", help="for both sides")
    where.add_argument("--paddle-device", metavar="DEVICE")
    where.add_argument("--torch-device", metavar="DEVICE")
    where.add_argument("--paddle-python", metavar="PYTHON", help="an interpreter that has Paddle and numpy")
    where.add_argument("--torch-python", metavar="PYTHON", help="an interpreter that has torch and numpy")
    add_report_options(parser)


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """Where the report goes, and how much of it is shown."""
    output = parser.add_argument_group("output")
    output.add_argument("--html", type=Path, metavar="FILE", help="write the report as one HTML page")
    output.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")
    output.add_argument(
        "--junit", type=Path, metavar="FILE", help="write JUnit XML: a test case a layer, for CI"
    )
    output.add_argument("--force", action="store_true", help="replace files that are no reports of ours")
    output.add_argument(
        "--all-layers", action="store_true", help="show every layer, not only those worth seeing"
    )


def run(args: argparse.Namespace) -> int:
    """Compare, show and store; the exit code is the verdict's."""
    check_targets(args)
    _check_options(args)
    sides = _sides(args)
    _check_before(args, sides)
    # What a wrong command line need not wait for.
    from paddle2torch.console import status, stdout_console
    from parity.checker import compare_sides
    from parity.report.text import show
    from parity.trace.values import shared_scratch

    inputs = read_inputs(args, sides)
    modes = ("eval", "train") if args.mode == "both" else (args.mode,)
    with ExitStack() as stack:
        tell = stack.enter_context(status())
        stack.enter_context(shared_scratch())
        paddle, torch, loaded = _start(args, sides, inputs, stack, tell)
        paddle.recipe = torch.recipe = _recipe(args)
        for side in (paddle, torch):
            parts = {part: getattr(args, f"{side.framework}_{part}") for part in PARTS}
            side.name_training_parts({part: name for part, name in parts.items() if name is not None})
        report = compare_sides(
            paddle,
            torch,
            inputs,
            modes=modes,
            pairs=loaded.pairs,
            further=not args.only_given,
            gradients=args.gradients,
            steps=args.steps,
            progress=tell,
            notes=loaded.notes,
            warnings=[*paddle.notes, *torch.notes, *loaded.warnings],
        )
    more = "" if report or args.html else " --html FILE shows both sources and how the error grows."
    show(
        report,
        stdout_console(),
        every_layer=args.all_layers,
        more=more,
        also=lambda: written_reports(args, report),
    )
    return report.verdict.exit_code


def _check_before(args: argparse.Namespace, sides: Mapping[str, Any]) -> None:
    """What can be told without a framework."""
    from paddle2torch.before import Model, check_installed_for, check_models, check_weights

    models = [
        Model(
            side, sides["factories"][side], sides["arguments"][side], python=getattr(args, f"{side}_python")
        )
        for side in ("paddle", "torch")
    ]
    check_models([model for model in models if getattr(args, model.framework) is not None])
    if args.weights is not None:
        check_weights(args.weights, args.key, sides["options"], join=args.join)
    check_installed_for(models)


def check_weights_named(args: argparse.Namespace) -> None:
    """ParityError for an option about a checkpoint where none is given."""
    from parity.errors import ParityError

    for option in ("key", "join"):
        if getattr(args, option) and args.weights is None:
            raise ParityError(f"--{option} is about a checkpoint: name that with --weights")


WRITERS: Mapping[str, Callable[[Report], str]] = {
    "html": lambda report: report.to_html(),
    "json": lambda report: json.dumps(report.to_json(), indent=1, allow_nan=False),
    "junit": lambda report: report.to_junit(),
}
"""Option of a report file -> what it holds."""


def _targets(args: argparse.Namespace) -> dict[str, Path]:
    return {option: path for option in WRITERS if (path := getattr(args, option)) is not None}


def check_targets(args: argparse.Namespace) -> None:
    """Raise before anything runs if a report file cannot be written or two are the same."""
    from paddle2torch.outputs import check_beside
    from parity.errors import ParityError

    check_beside(args)
    seen: dict[Path, str] = {}
    for option, path in _targets(args).items():
        other = seen.setdefault(path.resolve(), option)
        if other != option:
            raise ParityError(f"--{other} and --{option} name the same file, {path}")


def written_reports(args: argparse.Namespace, report: Report) -> Iterator[str]:
    """Write every report file that was asked for, once all of them are made; yields which."""
    from convert.write.atomic import write_text
    from paddle2torch.outputs import replaces

    texts = {option: WRITERS[option](report) for option in _targets(args)}
    for option, path in _targets(args).items():
        write_text(path, texts[option], force=replaces(args, option, path))
        yield f"written: {escaped(str(path))}"


def _check_options(args: argparse.Namespace) -> None:
    from parity.errors import ParityError

    if args.seed < 0:
        raise ParityError(f"--seed {args.seed}: a seed is 0 or more")
    for option in ("device", "paddle_device", "torch_device"):
        device = getattr(args, option)
        if device is not None and not re.fullmatch(r"cpu|cuda(:\d+)?", device):
            raise ParityError(f"--{option.replace('_', '-')} {device}: write cpu, cuda or cuda:N")

    check_weights_named(args)
    _check_training(args)


PARTS = {
    "loss": "your loss of the {side} output; without one, a fixed weighting of all outputs",
    "optimizer": "a function that makes an optimizer of the {side} model, instead of --optimizer",
    "scheduler": "a function that makes a schedule: of the {side} optimizer",
}
"""What training is made of that a user may name, a function each side -> help."""

RECIPE = ("optimizer", "lr", "momentum", "weight_decay", "clip_norm")
"""Options that say how `--steps` trains."""


def _check_training(args: argparse.Namespace) -> None:
    from parity.errors import ParityError

    if args.steps < 0:
        raise ParityError(f"--steps {args.steps}: a number of steps is 0 or more")
    if args.steps and args.mode == "eval":
        raise ParityError("--steps trains, but --mode is eval; give --mode train or both")
    for part in PARTS:
        named = [side for side in ("paddle", "torch") if getattr(args, f"{side}_{part}") is not None]
        if len(named) == 1:
            raise ParityError(f"--{named[0]}-{part} needs its twin: give the other side's {part} as well")
        if named and not args.steps and not (part == "loss" and args.gradients):
            raise ParityError(f"--paddle-{part} is used in training only; give --steps N as well")
    given = [f"--{option.replace('_', '-')}" for option in RECIPE if getattr(args, option) is not None]
    if given and args.paddle_optimizer is not None:
        raise ParityError(f"{given[0]} does not go with --paddle-optimizer, which says everything itself")
    if given and not args.steps:
        raise ParityError(f"{', '.join(given)}: used in training only; give --steps N as well")
    if args.momentum is not None and args.optimizer not in (None, "momentum"):
        raise ParityError(f"--momentum does not go with --optimizer {args.optimizer}")
    for option in ("lr", "momentum", "weight_decay", "clip_norm"):
        value = getattr(args, option)
        if value is not None and not 0 <= value < float("inf"):
            raise ParityError(f"--{option.replace('_', '-')} {value}: must be 0 or more")


def _recipe(args: argparse.Namespace) -> Recipe | None:
    """The optimizer that both sides train with, or None."""
    from parity.capture.training import Recipe

    if not args.steps or args.paddle_optimizer is not None:
        return None
    return Recipe(
        args.optimizer or "momentum",
        lr=0.01 if args.lr is None else args.lr,
        momentum=0.9 if args.momentum is None else args.momentum,
        weight_decay=args.weight_decay or 0.0,
        clip=args.clip_norm,
    )


def _sides(args: argparse.Namespace) -> dict[str, Any]:
    """Factories and arguments of both sides, from a registered name or as given."""
    from convert.models.registry import find_model
    from paddle2torch.options import json_object, name_options
    from parity.errors import ParityError

    both = json_object(args.args, "--args")
    given = {
        "paddle": json_object(args.paddle_args, "--paddle-args"),
        "torch": json_object(args.torch_args, "--torch-args"),
    }
    sizes = {
        k: v
        for k, v in (("num_classes", args.num_classes), ("in_channels", args.in_channels))
        if v is not None
    }
    if sizes and args.paddle is not None and args.torch is not None:
        option = next(iter(sizes)).replace("_", "-")
        raise ParityError(
            f"--{option} is for registered models; your own take it with --args '{{\"{option.replace('-', '_')}\": ...}}'"
        )
    if args.model is not None:
        spec = find_model(args.model)
        unknown = sorted(set(sizes) - set(spec.defaults))
        if unknown:
            raise ParityError(f"{spec.name} has no {unknown[0]}; leave --{unknown[0].replace('_', '-')} out")
        for name, value in sizes.items():
            if value < 1:
                raise ParityError(f"--{name.replace('_', '-')} must be at least 1, not {value}")
        factories = {"paddle": args.paddle or spec.paddle_factory, "torch": args.torch or spec.torch_factory}
        if args.weights is not None:
            sizes = _sizes_of(args, spec.name, sizes)
    else:
        spec = None
        if args.paddle is None or args.torch is None:
            raise ParityError(
                "name a registered model, or both --paddle MODULE:FACTORY and --torch MODULE:FACTORY"
            )
        factories = {"paddle": args.paddle, "torch": args.torch}
    arguments = {}
    for side in ("paddle", "torch"):
        registered = spec is not None and getattr(args, side) is None
        arguments[side] = {**(sizes if registered else {}), **both, **given[side]}
    return {"spec": spec, "factories": factories, "arguments": arguments, "options": name_options(args)}


def _sizes_of(args: argparse.Namespace, model: str, given: dict[str, int]) -> dict[str, int]:
    """Class count and input channels: as given, else what the checkpoint's own shapes tell.

    ConvertError lists what does not fit, before a worker is started.
    """
    from convert import open_checkpoint
    from convert.apply.checkpoint import plan_for
    from convert.models.layout import infer_sizes

    with open_checkpoint(args.weights, key=args.key, join=args.join) as checkpoint:
        told = infer_sizes(model, {name: tuple(ref.shape) for name, ref in checkpoint.items()})
        if args.paddle is None and args.torch is None:
            plan_for(
                checkpoint,
                model=model,
                num_classes=given.get("num_classes"),
                in_channels=given.get("in_channels"),
            )[0].require()
    return {**told, **given}


def read_inputs(args: argparse.Namespace, sides: dict[str, Any]) -> Mapping[str, Any]:
    from paddle2torch.options import inputs_of
    from parity.errors import ParityError
    from parity.setup.inputs import as_arrays, load_inputs, random_input, random_inputs

    spec = sides["spec"]
    channels = 0
    if spec is not None:
        built = {**spec.defaults, **sides["arguments"]["paddle"]}
        channels = built.get("in_channels", spec.input_shape[0])
    if args.input is not None:
        if args.shape is not None:
            raise ParityError("--input and --shape both say what the models take; give one of them")
        inputs = load_inputs(args.input, grey=channels == 1)
    elif args.shape is not None:
        inputs = random_inputs(inputs_of(args.shape), seed=args.seed)
    elif spec is not None:
        inputs = as_arrays(random_input((2, channels, *spec.input_shape[1:]), seed=args.seed))
    else:
        raise ParityError(
            "say what the models take: --shape 2,3,224,224 (several: --shape ids:2,16:int64 mask:2,16:bool), or --input FILE"
        )
    if spec is not None:
        for array in inputs.values():
            spec.check_input(array.shape[1:])
            if array.shape[1] != channels:
                raise ParityError(
                    f"this {spec.name} takes {channels} input channel(s), and the input of shape "
                    f"{'x'.join(map(str, array.shape))} has {array.shape[1]}; give --in-channels "
                    f"{array.shape[1]}, or another input"
                )
    return inputs


def _start(
    args: argparse.Namespace,
    sides: dict[str, Any],
    inputs: Mapping[str, Any],
    stack: ExitStack,
    tell: Any,
) -> tuple[WorkerSide, WorkerSide, Loaded]:
    """Both workers with equal weights, and how these were paired."""
    from paddle2torch.weights import fill_paddle, load_torch, pairing
    from parity.sides.remote import WorkerSide

    started = []
    for side in ("paddle", "torch"):
        started.append(
            stack.enter_context(
                WorkerSide(
                    side,
                    sides["factories"][side],
                    sides["arguments"][side],
                    device=getattr(args, f"{side}_device") or args.device,
                    python=getattr(args, f"{side}_python"),
                    registered=getattr(args, side) is None,
                )
            )
        )
    paddle, torch = started
    for worker in started:
        tell(f"building the {worker.framework} model")
        worker.build()
    tell("loading weights")
    source, constants, options = fill_paddle(args, paddle, inputs, sides["options"])
    complete = sides["spec"] is not None and args.torch is None
    by_running = None if complete else pairing(paddle, torch, source, inputs, tell)
    return paddle, torch, load_torch(torch, source, constants, options, complete=complete, pair=by_running)
