"""`paddle2torch parity capture`: record one side in one file, for `parity compare` here or on another machine."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from parity.sides.remote import WorkerSide
    from parity.trace.file import Recording, TraceFile
    from parity.trace.trace import Framework


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from paddle2torch.options import add_name_options, add_shape_option

    side = parser.add_mutually_exclusive_group(required=True)
    side.add_argument("--paddle", metavar="MODULE:FACTORY", help="record this Paddle model")
    side.add_argument("--torch", metavar="MODULE:FACTORY", help="record this torch model")
    parser.add_argument("--output", "-o", type=Path, required=True, metavar="FILE", help="the trace file")
    parser.add_argument("--force", action="store_true", help="overwrite the trace file")
    parser.add_argument("--args", metavar="JSON", default="{}", help="keyword arguments for the factory")
    parser.add_argument(
        "--like",
        type=Path,
        metavar="PADDLE_TRACE",
        help="torch: take inputs, modes and weights from the recorded Paddle side",
    )
    parser.add_argument(
        "--own-weights", action="store_true", help="torch, with --like: the factory loads its weights itself"
    )
    parser.add_argument("--weights", type=Path, metavar="FILE", help="Paddle: a checkpoint; else random ones")
    add_name_options(parser)
    parser.add_argument(
        "--randomize", action="store_true", help="also with a checkpoint, see `parity --help`"
    )
    parser.add_argument("--mode", choices=["eval", "train", "both"], default="both", help="default: both")
    parser.add_argument("--input", type=Path, metavar="FILE", help=".npy, .npz or an image")
    add_shape_option(parser)
    parser.add_argument("--seed", type=int, default=0, help="of the random input and weights (default 0)")
    parser.add_argument("--only-given", action="store_true", help="no other numbers, sizes and lengths")
    parser.add_argument(
        "--gradients", action="store_true", help="Paddle: gradients too, for a comparison with a live torch"
    )
    parser.add_argument("--device", default="cpu", metavar="cpu|cuda[:N]")
    parser.add_argument("--python", metavar="PYTHON", help="an interpreter that has the framework and numpy")


def run(args: argparse.Namespace) -> int:
    """Record and write; exit code 0."""
    from convert.write.atomic import check_target
    from paddle2torch.before import Model, check_installed_for, check_models, check_weights
    from paddle2torch.commands.parity import read_inputs
    from paddle2torch.console import status
    from paddle2torch.options import json_object, name_options
    from parity.sides.remote import WorkerSide
    from parity.trace.file import TraceFile, digest, write_trace_file
    from parity.trace.values import scratch_directory, shared_scratch

    _check(args)
    check_target(args.output, force=args.force)
    framework: Framework = "paddle" if args.paddle else "torch"
    arguments = json_object(args.args, "--args")
    reference = args.paddle or args.torch
    model = Model(framework, reference, arguments, "--args", args.python)
    check_models([model])
    if args.weights is not None:
        check_weights(args.weights, args.key, name_options(args), join=args.join)
    check_installed_for([model])
    like = TraceFile(args.like) if args.like else None
    inputs = like.inputs() if like else read_inputs(args, {"spec": None})
    modes = like.modes if like else ("eval", "train") if args.mode == "both" else (args.mode,)
    with ExitStack() as stack:
        tell = stack.enter_context(status())
        stack.enter_context(shared_scratch())
        scratch = stack.enter_context(scratch_directory())
        side = stack.enter_context(
            WorkerSide(
                framework, reference, arguments, device=args.device, python=args.python, option="--args"
            )
        )
        tell(f"building the {framework} model")
        side.build()
        constants = _load(args, side, inputs, like, tell)
        parameters = side.parameters()
        cases = {"given input": dict(inputs)}
        recordings = []
        for recording in _record(side, cases, modes, scratch, like, args, tell):
            recordings.append(recording)
            if recording.values is not None:
                stack.callback(recording.values.close)
        weights = like.weights if like else digest(parameters) if framework == "paddle" else ""
        write_trace_file(
            args.output,
            force=args.force,
            framework=framework,
            name=side.name,
            weights="" if args.own_weights else weights,
            constants=constants,
            inputs=cases,
            parameters=parameters,
            recordings=recordings,
            gradients=args.gradients,
        )
    print(f"{args.output}: {side.name}, {', '.join(modes)}, {args.output.stat().st_size / 2**20:.1f} MiB")
    return 0


def _check(args: argparse.Namespace) -> None:
    from paddle2torch.commands.parity import check_weights_named
    from parity.errors import ParityError

    if args.like and args.paddle:
        raise ParityError("--like is for the torch side: Paddle is recorded first, torch like it")
    check_weights_named(args)
    if args.like and (args.weights or args.input or args.shape):
        raise ParityError("--like says inputs and weights; leave --weights, --input and --shape out")
    if args.torch and not args.like:
        raise ParityError(
            "the torch side needs the inputs and weights of Paddle's: give --like PADDLE_TRACE (--own-weights if the "
            "factory loads its own)"
        )
    if args.own_weights and not args.like:
        raise ParityError("--own-weights goes with --torch and --like")
    if args.gradients and args.torch:
        raise ParityError("--gradients is for the Paddle side; `parity compare` runs torch's itself")


def _load(
    args: argparse.Namespace, side: WorkerSide, inputs: Mapping[str, Any], like: TraceFile | None, tell: Any
) -> list[str]:
    """Give the model its weights; returns the entries that belong to its definition."""
    from paddle2torch.options import name_options
    from paddle2torch.weights import fill_paddle, load_recorded

    if like is not None:
        if not args.own_weights:
            load_recorded(side, like, name_options(args), tell)
        return []
    return fill_paddle(args, side, inputs, name_options(args))[1]


def _record(
    side: WorkerSide,
    cases: dict[str, dict[str, Any]],
    modes: tuple[str, ...],
    scratch: Path,
    like: TraceFile | None,
    args: argparse.Namespace,
    tell: Any,
) -> Iterator[Recording]:
    """The given input whole, in every mode and both precisions; of further ones, which are added to `cases`, the float64 outputs."""
    from parity.errors import ParityError
    from parity.setup.others import further_inputs
    from parity.trace.file import Recording

    (first,) = cases
    numbers = count()
    for mode in modes:
        for precision in ("float64", "float32"):
            tell(f"{first}, {mode}: {side.framework} in {precision}")
            store = scratch / str(next(numbers))
            run = side.capture(
                cases[first], mode=mode, precision=precision, store=store, gradients=args.gradients
            )
            yield Recording(first, mode, precision, True, *run)
    for tries in () if args.only_given else further_inputs(cases[first], modes[0]):
        for further in tries:
            if like is not None and not like.ran(further.name):
                continue
            tell(f"{further.name}, {modes[0]}: {side.framework} in float64")
            cases[further.name] = further.arrays()
            store = scratch / str(next(numbers))
            try:
                run = side.capture(
                    cases[further.name], mode=modes[0], precision="float64", store=store, outputs_only=True
                )
            except ParityError as error:
                yield Recording(further.name, modes[0], "float64", False, error=str(error))
                continue
            yield Recording(further.name, modes[0], "float64", False, *run)
            break
