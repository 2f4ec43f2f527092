"""`paddle2torch summary MODEL`: a network's layers, shapes, parameters, memory and receptive field.

With `--framework both` (the default) each framework runs in a process of its own, because GPU builds of
the two often cannot be imported together, and any difference between them is marked.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from convert.errors import ConvertError
from convert.models.registry import find_model
from paddle2torch.summary.rows import MIB, Summary, compare

if TYPE_CHECKING:
    from rich.table import Table

    from paddle2torch.summary.rows import Difference


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("model", help="a registered model (`paddle2torch models`), or module:factory")
    parser.add_argument("--framework", choices=("paddle", "torch", "both"), default="both")
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--input", metavar="C,H,W", type=_shape, help="input without the batch (default: usual)"
    )
    size.add_argument(
        "--shape", metavar="1,C,H,W", type=_one, dest="input", help="the same with the batch, as for `parity`"
    )
    parser.add_argument("--num-classes", type=int, metavar="N", help="classes (default: the model's)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")


def run(args: argparse.Namespace) -> int:
    """Print the summary; 1 when the two frameworks differ, else 0."""
    frameworks = ("paddle", "torch") if args.framework == "both" else (args.framework,)
    plans = {framework: _plan(args, framework) for framework in frameworks}
    if len(frameworks) == 1:
        from paddle2torch.summary import summarize

        found = {
            frameworks[0]: summarize(frameworks[0], *plans[frameworks[0]], registered=":" not in args.model)
        }
    else:
        found = _in_own_processes(args, plans["torch"][2])
    differences = compare(found["paddle"], found["torch"]) if len(found) == 2 else []
    if args.json:
        print(json.dumps(_as_json(args.model, found, differences), indent=2))
    else:
        _print(args.model, found, differences)
    return 1 if differences else 0


def _plan(args: argparse.Namespace, framework: str) -> tuple[str, dict[str, Any], tuple[int, ...]]:
    """What to build, with which arguments, and the input's shape."""
    if ":" in args.model:
        if args.framework == "both":
            raise ConvertError(
                f"{args.model} is one framework's; say --framework paddle or --framework torch"
            )
        arguments = {} if args.num_classes is None else {"num_classes": args.num_classes}
        return args.model, arguments, args.input or (3, 224, 224)
    spec = find_model(args.model)
    shape = args.input or spec.input_shape
    spec.check_input(shape)
    if args.num_classes is not None and args.num_classes < 1:
        raise ConvertError(f"--num-classes must be at least 1, not {args.num_classes}")
    classes = args.num_classes or spec.defaults["num_classes"]
    factory = spec.paddle_factory if framework == "paddle" else spec.torch_factory
    return factory, {"num_classes": classes, "in_channels": shape[0]}, shape


def _in_own_processes(args: argparse.Namespace, shape: tuple[int, ...]) -> dict[str, Summary]:
    """Both sides at once, each by this very command with --json."""
    words = [sys.executable, "-m", "paddle2torch", "summary", args.model, "--json"]
    words.append(f"--input={','.join(map(str, shape))}")
    if args.num_classes is not None:
        words.append(f"--num-classes={args.num_classes}")
    running = {
        framework: subprocess.Popen(
            [*words, "--framework", framework],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ,
        )
        for framework in ("paddle", "torch")
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


def _print(model: str, found: dict[str, Summary], differences: list[Difference]) -> None:
    from paddle2torch.console import stdout_console

    console = stdout_console()
    console.print(_table(model, found, differences))
    lines = {framework: _totals(summary) for framework, summary in found.items()}
    for line in dict.fromkeys(lines.values()):
        sides = " and ".join(framework for framework in lines if lines[framework] == line)
        console.print(f"{sides}: {line}", soft_wrap=True)
    if len(found) == 2:
        verdict = f"[bold red]{len(differences)} differences[/]" if differences else "[green]no difference[/]"
        console.print(f"paddle against torch: {verdict}")


def _totals(summary: Summary) -> str:
    seen = summary.receptive_field
    return (
        f"{summary.parameters:,} parameters, weights {summary.weight_mib:.1f} MiB, activations "
        f"{summary.activation_mib:.1f} MiB an image (outputs of layers in float32, forward; twice that with backward)"
        + (f", receptive field {_extent(seen)}" if seen else "")
    )


def _table(model: str, found: dict[str, Summary], differences: list[Difference]) -> Table:
    from rich.table import Table

    first, *others = found.values()
    size = "x".join(map(str, first.input_shape))
    table = Table(title=f"{model}, input {size}", title_style="bold")
    table.add_column("layer")
    table.add_column(" | ".join(found))
    for title in ("output", "parameters", "MiB", "sees"):
        table.add_column(title, justify="right")
    marked: dict[int, list[str]] = {}
    for difference in differences:
        note = f"{difference.field}: paddle {difference.paddle}, torch {difference.torch}"
        marked.setdefault(difference.row, []).append(note)
    for index, layer in enumerate(first.layers):
        kinds = [layer.kind, *(s.layers[index].kind for s in others if index < len(s.layers))]
        megabytes = _product(layer.output_shape) * 4 / MIB
        table.add_row(
            layer.name,
            " | ".join(kinds),
            "x".join(map(str, layer.output_shape[1:])),
            f"{layer.parameters:,}" if layer.parameters else "",
            f"{megabytes:.2f}",
            _extent(layer.receptive_field) if layer.receptive_field else "all",
            style="red" if index in marked else None,
        )
        for note in marked.pop(index, []):
            table.add_row("", f"[red]{note}[/]")
    for notes in marked.values():
        for note in notes:
            table.add_row("", f"[red]{note}[/]")
    return table


def _extent(view: tuple[int, int]) -> str:
    return str(view[0]) if view[0] == view[1] else f"{view[0]}x{view[1]}"


def _product(shape: tuple[int, ...]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total


def _shape(text: str) -> tuple[int, ...]:
    try:
        shape = tuple(int(part) for part in text.replace("x", ",").split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not C,H,W such as 3,224,224") from None
    if any(size < 1 for size in shape):
        raise argparse.ArgumentTypeError(f"{text!r} holds a size below 1")
    return shape


def _one(text: str) -> tuple[int, ...]:
    batch, *shape = _shape(text)
    if batch != 1 or not shape:
        raise argparse.ArgumentTypeError(f"{text!r} is not 1,C,H,W: a summary is of one image")
    return tuple(shape)
