"""`paddle2torch port`: Paddle source in, PyTorch source out, and on demand the proof of it."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from convert.errors import ConvertError

if TYPE_CHECKING:
    from paddle2torch.port.files import Done


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    from paddle2torch.options import add_shape_option

    parser.add_argument(
        "source", type=Path, metavar="SOURCE", help="a .py file, a notebook, or a folder of them"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="TARGET",
        help="the file or folder of the port; else it is printed",
    )
    parser.add_argument("--force", action="store_true", help="replace files that are there")
    parser.add_argument(
        "--standalone",
        action="store_true",
        help="write what torch lacks into the file: it imports nothing of ours",
    )
    show = parser.add_argument_group("what is shown")
    show.add_argument(
        "--check", action="store_true", help="only list what would not be translated; write nothing"
    )
    show.add_argument("--diff", action="store_true", help="show what changes instead of the port")
    show.add_argument(
        "--html",
        type=Path,
        metavar="FILE",
        help="write a page: both files, each change with its row of the table",
    )
    prove = parser.add_argument_group("proof: imports the source and the port, and runs both")
    prove.add_argument(
        "--prove", metavar="NAME", help="the class or function that makes the network, in both files"
    )
    prove.add_argument("--args", metavar="JSON", default="{}", help="its keyword arguments")
    prove.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="a Paddle checkpoint; without it, random weights that hide nothing",
    )
    prove.add_argument("--mode", choices=["eval", "train", "both"], default="both", help="default: both")
    prove.add_argument("--only-given", action="store_true", help="no other numbers, sizes and lengths")
    add_shape_option(prove)


def run(args: argparse.Namespace) -> int:
    """Port, write and show; 1 if something was left untranslated or the proof fails."""
    from paddle2torch.port.files import check_targets, port_all, sources, write

    files = sources(args.source)
    _check_options(args)
    check_targets(args.source, None if args.check else args.output, files, force=args.force)
    done = port_all(args.source, args.output, standalone=args.standalone)
    if args.html is not None:
        from convert.write.atomic import write_text
        from paddle2torch.outputs import replaces
        from paddle2torch.port.page import page

        write_text(args.html, page(done), force=replaces(args, "html", args.html))
    if args.diff:
        sys.stdout.writelines(_diff(done))
    elif args.output is None and not args.check:
        sys.stdout.write("".join(each.text for each in done))
    if args.output is not None and not args.check:
        write(done, force=args.force)
    _tell(args, done)
    proof = 0 if args.prove is None else _prove(args)
    return proof or (1 if any(each.ported.left for each in done) else 0)


def _check_options(args: argparse.Namespace) -> None:
    if args.prove is None:
        given = [name for name in ("weights", "shape") if getattr(args, name)]
        if args.args != "{}":
            given.append("args")
        if given:
            raise ConvertError(
                f"--{given[0]} is for a proof: add --prove NAME, the class or function that makes the network"
            )
        if args.source.is_dir() and args.output is None and not (args.check or args.diff):
            raise ConvertError("a folder is ported into a folder: name it with -o, or use --check or --diff")
        return
    if args.source.suffix != ".py" or args.source.is_dir():
        raise ConvertError("--prove runs one .py file: name the file with the network")
    if args.output is None or args.check:
        raise ConvertError("--prove runs the port: write it with -o FILE")


def _diff(done: Sequence[Done]) -> list[str]:
    lines: list[str] = []
    for each in done:
        lines += difflib.unified_diff(
            each.ported.before.splitlines(keepends=True),
            each.ported.text.splitlines(keepends=True),
            str(each.source),
            str(each.target or f"{each.source} in torch"),
        )
    return lines


def _tell(args: argparse.Namespace, done: Sequence[Done]) -> None:
    """What was changed and what was not, on stderr where the port itself goes to stdout."""
    from paddle2torch.console import fitted

    out = sys.stdout if args.output is not None or args.check else sys.stderr
    changed = sum(each.ported.lines_changed for each in done)
    left = [(each.source, item) for each in done for item in each.ported.left]
    many = f" in {len(done)} files" if len(done) > 1 else ""
    print(f"{changed} lines changed{many}, {len(left)} not translated", file=out)
    for source, item in left:
        text = " ".join(item.text.split())
        short = text if len(text) <= 60 else f"{text[:57]}..."
        print(fitted(f"{source}:{item.line}: {short}: {item.why}", errors=out is sys.stderr), file=out)


def _prove(args: argparse.Namespace) -> int:
    """The full check of source and port; its exit code."""
    from paddle2torch.cli import command
    from paddle2torch.console import fitted

    if sys.stderr.isatty():
        text = f"proving it: {args.prove} of both files runs with the same weights on several inputs; large networks take minutes"
        print(fitted(text, errors=True), file=sys.stderr)
    words = ["parity", "--paddle", f"{args.source}:{args.prove}", "--torch", f"{args.output}:{args.prove}"]
    words += ["--args", args.args, "--mode", args.mode, "--gradients"]
    if args.weights is not None:
        words += ["--weights", str(args.weights)]
    if args.only_given:
        words.append("--only-given")
    if args.shape:
        words += ["--shape", args.shape]
    return command(words)
