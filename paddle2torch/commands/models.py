"""`paddle2torch models`: which networks there are in both frameworks."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from convert.errors import ConvertError
from convert.models.registry import MODELS, ModelSpec, nearest_names


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="show one family (vgg, resnet, ...) or one model only"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace) -> int:
    """Print every registered model, or those called `name`."""
    chosen = _choose(args.name)
    if args.json:
        rows = [
            {**asdict(spec), "paddle": spec.paddle_factory, "torch": spec.torch_factory} for spec in chosen
        ]
        print(json.dumps(rows, indent=2))
        return 0
    _print(chosen)
    return 0


def _choose(name: str | None) -> list[ModelSpec]:
    if name is None:
        return list(MODELS.values())
    chosen = [spec for spec in MODELS.values() if name in (spec.family, spec.name)]
    if not chosen:
        families = list(dict.fromkeys(spec.family for spec in MODELS.values()))
        near = nearest_names(name, [*families, *MODELS])
        hint = f"did you mean {', '.join(near)}?" if near else f"there are {', '.join(families)}"
        raise ConvertError(f"no family or model is called {name!r}; {hint}")
    return chosen


def _print(chosen: list[ModelSpec]) -> None:
    from rich.table import Table

    from paddle2torch.console import stdout_console

    console = stdout_console()
    table = Table()
    for title in ("family", "model", "network", "form"):
        table.add_column(title, no_wrap=True)
    for title in ("input", "classes", "parameters"):
        table.add_column(title, justify="right", no_wrap=True)
    family = ""
    for spec in chosen:
        if spec.family != family and family:
            table.add_section()
        table.add_row(
            spec.family if spec.family != family else "",
            f"[bold]{spec.name}[/]",
            spec.title,
            spec.form,
            "x".join(map(str, spec.input_shape)),
            str(spec.defaults["num_classes"]),
            f"{spec.parameters:,}",
        )
        family = spec.family
    console.print(table)
    for paper in dict.fromkeys(spec.paper for spec in chosen):
        families = ", ".join(dict.fromkeys(spec.family for spec in chosen if spec.paper == paper))
        console.print(f"{families}: {paper}", soft_wrap=True)
