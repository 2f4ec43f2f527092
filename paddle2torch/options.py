"""Values of options that several commands take, read the same way everywhere."""

from __future__ import annotations

import argparse
import json
import re
from typing import TYPE_CHECKING, Any

from convert.errors import ConvertError

if TYPE_CHECKING:
    from convert.plan.plan import Options
    from parity.setup.inputs import Wanted

NAMES_MOST = 20_000_000
"""Bytes of a list of names."""


def add_name_options(group: Any) -> None:
    """The options that say which tensors of a checkpoint take part, and under which names."""
    group.add_argument("--key", help="which state dict of a file that nests several, such as `model`")
    group.add_argument(
        "--join",
        action="append",
        default=[],
        metavar="PATTERN=AXIS",
        help="how pieces of tensor-parallel shards (x.tp00.pdparams, ...) are joined where names do not tell",
    )
    group.add_argument(
        "--include", action="append", default=[], metavar="PATTERN", help="only these Paddle keys"
    )
    group.add_argument(
        "--exclude", action="append", default=[], metavar="PATTERN", help="not these Paddle keys"
    )
    group.add_argument(
        "--strip-prefix", default="", metavar="TEXT", help="remove from the start of Paddle's keys"
    )
    group.add_argument("--add-prefix", default="", metavar="TEXT", help="put before Paddle's keys")
    group.add_argument(
        "--layout",
        choices=("paddle", "torch"),
        default="",
        help="whose order the matrices of the checkpoint are in, where that is not to be found out",
    )
    group.add_argument(
        "--rules",
        metavar="FILE",
        help="TOML rules for names that differ, as `convert --save-rules` writes them",
    )


def name_options(args: argparse.Namespace) -> Options:
    """What `add_name_options` read, but for the key and how pieces are joined."""
    from convert.plan.plan import Options
    from convert.plan.rules import load_rules

    return Options(
        rules=() if args.rules is None else load_rules(args.rules),
        include=args.include,
        exclude=args.exclude,
        strip_prefix=args.strip_prefix,
        add_prefix=args.add_prefix,
        layout=args.layout,
    )


def json_object(text: str, option: str) -> dict[str, Any]:
    """Keyword arguments written as JSON; ConvertError says how to write them."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConvertError(
            f"{option} is not JSON ({error}); write e.g. {option} '{{\"num_classes\": 10}}'"
        ) from None
    if not isinstance(value, dict):
        raise ConvertError(
            f"{option} must be a JSON object of keyword arguments, such as '{{\"num_classes\": 10}}', not {text}"
        )
    return value


SHAPE_HELP = "shape of a made-up input; several, and of whole numbers: ids:2,16:int64 mask:2,16:bool"
HOW_SHAPES = "write sizes with commas, such as 2,3,224,224, or NAME:SIZES:TYPE for each of several inputs, such as ids:2,16:int64 mask:2,16:bool"
SIZES = re.compile(r"-?\d+([,x]-?\d+)*")


def add_shape_option(group: Any, help: str = SHAPE_HELP) -> None:
    """`--shape`, the same wherever inputs are made up."""
    group.add_argument("--shape", metavar="N,C,H,W", help=help)


def inputs_of(texts: str) -> dict[str, Wanted]:
    """What `--shape` asks for, by name; without one, by place. The inputs are apart by spaces.

    Each is `[NAME:]SIZES[:TYPE[:BELOW]]`: `2,3,224,224`, `ids:2,16:int64`, `ids:2,16:int64:30522` for numbers below 30522.
    """
    from parity.setup.inputs import WHOLE_BELOW, Wanted

    found: dict[str, Wanted] = {}
    for place, text in enumerate(texts.split()):
        parts = text.split(":")
        named = len(parts) > 1 and SIZES.fullmatch(parts[1]) is not None
        name = parts.pop(0) if named else str(place)
        sizes, dtype, below, *more = [*parts, "", ""][: max(3, len(parts))]
        if SIZES.fullmatch(sizes) is None or more or (below and not below.isdigit()):
            raise ConvertError(f"--shape {text}: {HOW_SHAPES}")
        shape = tuple(int(n) for n in sizes.replace("x", ",").split(","))
        if min(shape) < 1:
            raise ConvertError(f"--shape {text}: every size must be at least 1")
        if dtype not in ("", "float32", *WHOLE_BELOW):
            raise ConvertError(f"--shape {text}: {dtype} is none of float32, {', '.join(WHOLE_BELOW)}")
        if below and dtype in ("", "float32"):
            raise ConvertError(f"--shape {text}: only whole numbers are below something")
        if name in found:
            raise ConvertError(f"--shape {text}: there is another input {name!r}")
        found[name] = Wanted(shape, dtype or "float32", int(below or 0))
    return found


def names_in(path: str | None) -> list[str] | None:
    """The parameter names that a file lists, one a line; None without a file."""
    if path is None:
        return None
    from convert.checkpoint.source import read_text

    return list(filter(None, map(str.strip, read_text(path, NAMES_MOST).splitlines())))
