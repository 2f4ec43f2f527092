"""Values of options that several commands take, read the same way everywhere."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from convert.errors import ConvertError

if TYPE_CHECKING:
    from convert.plan.plan import Options

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


def shape_of(text: str) -> tuple[int, ...]:
    """`2,3,224,224` as sizes."""
    try:
        shape = tuple(int(n) for n in text.replace("x", ",").split(","))
    except ValueError:
        raise ConvertError(f"--shape {text}: write sizes with commas, e.g. 2,3,224,224") from None
    if min(shape) < 1:
        raise ConvertError(f"--shape {text}: every size must be at least 1")
    return shape


def names_in(path: str | None) -> list[str] | None:
    """The parameter names that a file lists, one a line; None without a file."""
    if path is None:
        return None
    from convert.checkpoint.source import read_text

    return list(filter(None, map(str.strip, read_text(path, NAMES_MOST).splitlines())))
