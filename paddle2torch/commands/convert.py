"""`paddle2torch convert`: a Paddle checkpoint becomes a PyTorch one."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.errors import ConvertError

if TYPE_CHECKING:
    from convert.checkpoint.checkpoint import Checkpoint
    from convert.plan import ConversionPlan, Options

PLAIN_FROM = 10_000_000
"""Bytes from which a progress bar is worth its start-up time."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "source",
        metavar="CHECKPOINT",
        help=".pdparams, .pdopt, .pdiparams or .safetensors by Paddle; or a Paddle model to build: "
        "package.module:factory or file.py:factory, such as paddle.vision.models:resnet50",
    )
    parser.add_argument(
        "--paddle-args", metavar="JSON", help="keyword arguments for a CHECKPOINT that is built"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="the target, *.safetensors or *.pth (or *.pdparams, for the way back)",
    )
    target = parser.add_argument_group(
        "the model to convert for (without one, it is recognised by its names and shapes)"
    )
    target.add_argument(
        "--model",
        metavar="NAME",
        help="one of the registered models, or none to keep Paddle's names; needs neither framework",
    )
    target.add_argument(
        "--torch", metavar="MODULE:FACTORY", help="a torch module: package.module:name or file.py:name"
    )
    target.add_argument("--torch-args", metavar="JSON", default="{}", help="keyword arguments for --torch")
    target.add_argument("--num-classes", type=int, metavar="N", help="default: what the checkpoint has")
    target.add_argument("--in-channels", type=int, metavar="N", help="default: what the checkpoint has")
    names = parser.add_argument_group("which tensors, and under which names")
    names.add_argument("--key", help="which state dict of a file that nests several, such as `model`")
    names.add_argument(
        "--include", action="append", default=[], metavar="PATTERN", help="only these Paddle keys"
    )
    names.add_argument(
        "--exclude", action="append", default=[], metavar="PATTERN", help="not these Paddle keys"
    )
    names.add_argument(
        "--strip-prefix", default="", metavar="TEXT", help="remove from the start of Paddle's keys"
    )
    names.add_argument("--add-prefix", default="", metavar="TEXT", help="put before Paddle's keys")
    names.add_argument(
        "--partial", action="store_true", help="accept keys without counterpart, and list them"
    )
    names.add_argument(
        "--match",
        nargs="?",
        const="structure",
        default="",
        choices=("structure", "order"),
        help="pair differing names by what the layers hold; `order` also pairs equal layers in order of "
        "definition, to be confirmed with `paddle2torch parity`",
    )
    names.add_argument("--names", metavar="FILE", help="parameter names, one a line, for a .pdiparams alone")
    names.add_argument("--rules", metavar="FILE", help="TOML rules for names that cannot be found")
    names.add_argument("--save-rules", metavar="FILE", help="write the pairs that were found as rules")
    output = parser.add_argument_group("output")
    output.add_argument(
        "--dtype", metavar="TYPE", help="store floating-point tensors as float16, bfloat16 or float32"
    )
    output.add_argument("--max-shard-size", metavar="SIZE", help="cut safetensors into shards, such as 2GB")
    output.add_argument(
        "--format", choices=("safetensors", "pth"), default="safetensors", help="for a folder"
    )
    output.add_argument("--jobs", type=int, default=2, metavar="N", help="checkpoints of a folder at a time")
    output.add_argument("--dry-run", action="store_true", help="print the plan as a table and write nothing")
    output.add_argument("--json", action="store_true", help="print the plan or the report as JSON")
    output.add_argument("--force", action="store_true", help="replace an existing target")
    output.add_argument("--sha256", action="store_true", help="put the source's SHA-256 in the metadata")


def run(args: argparse.Namespace) -> int:
    """Convert one checkpoint or a folder; 0 when done, 1 when a folder has bad ones, else ConvertError."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy only moves bytes here: no idle threads for it
    if args.dry_run:
        return _dry_run(args)
    if args.output is None:
        raise ConvertError("say where to write with -o FILE.safetensors, or look at the plan with --dry-run")
    if Path(args.source).is_dir() and (Path(args.output).is_dir() or not Path(args.output).suffix):
        return _run_folder(args)
    from convert.conversion import convert_checkpoint

    with _Progress(args.source) as progress, _open(args) as checkpoint:
        report = convert_checkpoint(checkpoint, args.output, on_progress=progress.update, **_common(args))
    _save_rules(args, report.plan)
    print(json.dumps(report.to_json(), indent=2) if args.json else "\n".join(report.summary()))
    return 0


def _open(args: argparse.Namespace) -> Checkpoint:
    """The source: a file, or a Paddle model that is built here."""
    from convert.checkpoint.reader import is_factory, open_checkpoint

    if not is_factory(args.source):
        if args.paddle_args is not None:
            raise ConvertError(f"--paddle-args is for a model that is built, and {args.source} is not one")
        return open_checkpoint(args.source, key=args.key, names=_names(args))
    for option in ("key", "names", "sha256"):
        if getattr(args, option):
            raise ConvertError(f"--{option} is for files, and {args.source} is a model that is built")
    arguments = _arguments("--paddle-args", args.paddle_args or "{}")
    from convert.adapters.paddle import open_factory

    return open_factory(args.source, arguments)


def _common(args: argparse.Namespace) -> dict[str, Any]:
    """The options that one checkpoint and a folder of them share."""
    return {
        "model": args.model,
        "target": _target(args),
        "num_classes": args.num_classes,
        "in_channels": args.in_channels,
        "force": args.force,
        "dtype": args.dtype,
        "sha256": args.sha256,
        "shard_bytes": _bytes(args.max_shard_size),
        "options": _options(args),
    }


def _run_folder(args: argparse.Namespace) -> int:
    """Convert every checkpoint of a folder; 0 when all were converted, 1 when some could not be."""
    from convert.batch import convert_folder

    if args.save_rules is not None or args.names is not None:
        raise ConvertError("--save-rules and --names are for a single checkpoint")
    with _Progress(args.source) as progress:
        outcomes = convert_folder(
            args.source,
            args.output,
            key=args.key,
            suffix=f".{args.format}",
            jobs=args.jobs,
            on_progress=progress.update,
            **_common(args),
        )
    bad = [outcome for outcome in outcomes if outcome.report is None]
    if args.json:
        rows = [
            {
                "source": str(outcome.source),
                "target": str(outcome.target),
                "error": outcome.error,
                "report": outcome.report.to_json() if outcome.report else None,
            }
            for outcome in outcomes
        ]
        print(json.dumps(rows, indent=2))
    else:
        for outcome in outcomes:
            print(outcome.report.summary()[0] if outcome.report else f"{outcome.source}: FAILED")
        print(f"{len(outcomes) - len(bad)} of {len(outcomes)} checkpoints converted")
    for outcome in bad:
        print(f"paddle2torch convert: {outcome.error}", file=sys.stderr)
    return 1 if bad else 0


def _bytes(text: str | None) -> int | None:
    """`2GB`, `500MB` or a number of bytes."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG]?)B?", text.strip(), re.IGNORECASE)
    if match is None:
        raise ConvertError(f"--max-shard-size {text}: write a size like 2GB or 500MB")
    return int(float(match[1]) * {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}[match[2].upper()])


def _dry_run(args: argparse.Namespace) -> int:
    from convert.conversion import plan_for

    with _open(args) as checkpoint:
        plan, notes = plan_for(
            checkpoint,
            model=args.model,
            target=_target(args),
            num_classes=args.num_classes,
            in_channels=args.in_channels,
            options=_options(args),
            back=str(args.output or "").endswith(".pdparams"),
        )
    if args.json:
        print(json.dumps({**plan.to_json(), "notes": [*notes, *plan.notes]}, indent=2))
    else:
        from paddle2torch.console import stdout_console

        console = stdout_console()
        console.print(plan.table())
        for note in (*notes, *plan.notes):
            console.print(f"note: {note}", markup=False)
    _save_rules(args, plan)
    plan.require()
    return 0


def _options(args: argparse.Namespace) -> Options:
    from convert.plan import Options

    rules: Any = ()
    if args.rules is not None:
        from convert.rules import load_rules

        rules = load_rules(args.rules)
    return Options(
        rules=rules,
        include=args.include,
        exclude=args.exclude,
        strip_prefix=args.strip_prefix,
        add_prefix=args.add_prefix,
        partial=args.partial,
        match=args.match,
    )


def _target(args: argparse.Namespace) -> Any:
    if args.torch is None:
        return None
    arguments = _arguments("--torch-args", args.torch_args)
    from convert.adapters.torch import build_module

    return build_module(args.torch, arguments)


def _arguments(option: str, text: str) -> dict[str, Any]:
    """The keyword arguments that an option gives as JSON."""
    try:
        arguments = json.loads(text)
    except ValueError as error:
        raise ConvertError(
            f"{option} is not JSON ({error}); write it like '{{\"num_classes\": 10}}'"
        ) from None
    if not isinstance(arguments, dict):
        raise ConvertError(f"{option} is not a JSON object; write it like '{{\"num_classes\": 10}}'")
    return arguments


def _names(args: argparse.Namespace) -> list[str] | None:
    if args.names is None:
        return None
    try:
        return Path(args.names).read_text("utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise ConvertError(f"{args.names}: the names cannot be read ({error})") from None


def _save_rules(args: argparse.Namespace, plan: ConversionPlan) -> None:
    if args.save_rules is not None:
        from convert.rules import dump_rules, rules_of_plan
        from convert.write.atomic import write_text

        write_text(args.save_rules, dump_rules(rules_of_plan(plan)), force=args.force)


class _Progress:
    """A bar on a terminal's stderr for files that take long enough; nothing otherwise."""

    def __init__(self, source: str) -> None:
        path = Path(source)
        self._bar: Any = None
        if sys.stderr.isatty() and (path.is_dir() or (path.is_file() and path.stat().st_size >= PLAIN_FROM)):
            from paddle2torch.console import progress_bar

            self._bar = progress_bar()
            self._task = self._bar.add_task(f"converting {path.name}", total=None)

    def __enter__(self) -> _Progress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, done: int, total: int) -> None:
        """Show how far the conversion is."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)
