"""`paddle2torch parity compare`: a recorded Paddle side against a recorded or a live torch side."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paddle2torch.weights import Loaded


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from paddle2torch.commands.parity import add_report_options

    parser.add_argument("paddle_trace", type=Path, metavar="PADDLE_TRACE")
    parser.add_argument("torch_trace", type=Path, nargs="?", metavar="TORCH_TRACE")
    parser.add_argument(
        "--torch", metavar="MODULE:FACTORY", help="the model itself: every fault in one run, and gradients"
    )
    parser.add_argument(
        "--torch-args", metavar="JSON", default="{}", help="keyword arguments for the factory"
    )
    parser.add_argument(
        "--rules", metavar="FILE", help="rules for names that differ, as `convert --save-rules` writes them"
    )
    parser.add_argument("--own-weights", action="store_true", help="the factory loads its weights itself")
    parser.add_argument("--torch-device", default="cpu", metavar="cpu|cuda[:N]")
    parser.add_argument("--torch-python", metavar="PYTHON", help="an interpreter that has torch and numpy")
    add_report_options(parser)


OFFLINE = (
    "no live torch side: an operator behind the first difference could not be run on Paddle's inputs, so further "
    "faults may stand there; give --torch MODULE:FACTORY to find them in one run"
)


def run(args: argparse.Namespace) -> int:
    """Compare, show and store; the exit code is the verdict's."""
    from convert.plan.plan import Options
    from convert.plan.rules import load_rules
    from paddle2torch.before import Model, check_installed_for, check_models
    from paddle2torch.commands.parity import (
        check_targets,
        written_reports,
    )
    from paddle2torch.console import status, stdout_console
    from paddle2torch.options import json_object
    from paddle2torch.weights import load_recorded
    from parity.checker import compare_sides
    from parity.errors import ParityError
    from parity.report.text import show
    from parity.sides.recorded import RecordedSide, check_pair
    from parity.sides.remote import WorkerSide
    from parity.sides.side import Side
    from parity.trace.file import TraceFile
    from parity.trace.values import shared_scratch

    check_targets(args)
    if (args.torch is None) == (args.torch_trace is None):
        raise ParityError("give either TORCH_TRACE or --torch MODULE:FACTORY beside PADDLE_TRACE")
    if args.rules is not None and (args.torch is None or args.own_weights):
        raise ParityError("--rules is for --torch MODULE:FACTORY, which is given Paddle's weights")
    arguments = json_object(args.torch_args, "--torch-args")
    if args.torch is not None:
        model = Model("torch", args.torch, arguments, python=args.torch_python)
        check_models([model])
        check_installed_for([model])
    paddle = TraceFile(args.paddle_trace)
    recorded = TraceFile(args.torch_trace) if args.torch_trace else None
    check_pair(paddle, recorded)
    with ExitStack() as stack:
        tell = stack.enter_context(status())
        stack.enter_context(shared_scratch())
        torch: Side
        loaded: Loaded | None = None
        if recorded is not None:
            torch = RecordedSide(recorded)
        else:
            worker = stack.enter_context(
                WorkerSide(
                    "torch",
                    args.torch,
                    arguments,
                    device=args.torch_device,
                    python=args.torch_python,
                )
            )
            worker.build()
            torch = worker
            if not args.own_weights:
                rules = () if args.rules is None else load_rules(args.rules)
                loaded = load_recorded(worker, paddle, Options(rules=rules), tell)
        report = compare_sides(
            RecordedSide(paddle),
            torch,
            paddle.inputs(),
            modes=tuple(mode for mode in paddle.modes if recorded is None or mode in recorded.modes),
            pairs=loaded and loaded.pairs,
            gradients=paddle.gradients and recorded is None,
            progress=tell,
            notes=loaded.notes if loaded else (),
            warnings=loaded.warnings if loaded else (),
        )
    if recorded is not None and report.findings:
        report = replace(report, warnings=(*report.warnings, OFFLINE))
    show(
        report,
        stdout_console(),
        every_layer=args.all_layers,
        also=lambda: written_reports(args, report),
    )
    return report.verdict.exit_code
