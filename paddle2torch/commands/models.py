"""`paddle2torch models`: which networks there are in both frameworks."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from convert.columns import Column, Line, aligned
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


COLUMNS = (
    Column("family", leaves=3),
    Column("model"),
    Column("network", words=True),
    Column("form", leaves=4),
    Column("input", right=True),
    Column("classes", right=True, leaves=1),
    Column("parameters", right=True),
)


def _print(chosen: list[ModelSpec]) -> None:
    from paddle2torch.console import stdout_console, table_width

    rows: list[Line] = []
    family = ""
    for spec in chosen:
        if spec.family != family and family:
            rows.append("")
        rows.append(
            (
                spec.family if spec.family != family else "",
                spec.name,
                spec.title,
                spec.form,
                "x".join(map(str, spec.input_shape)),
                str(spec.defaults["num_classes"]),
                f"{spec.parameters:,}",
            )
        )
        family = spec.family
    for line in (*aligned(COLUMNS, rows, table_width()).lines(), ""):
        print(line)
    console = stdout_console()
    for paper in dict.fromkeys(spec.paper for spec in chosen):
        families = ", ".join(dict.fromkeys(spec.family for spec in chosen if spec.paper == paper))
        console.print(f"{families}: {paper}", markup=False)
