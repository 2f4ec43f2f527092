"""`paddle2torch convert`: a Paddle checkpoint becomes a PyTorch one."""

from __future__ import annotations

import argparse
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.errors import ConvertError
from convert.names import escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convert.apply.checkpoint import ConversionReport
    from convert.checkpoint.checkpoint import Checkpoint
    from convert.plan.plan import ConversionPlan, Options
    from convert.training.state_file import Training


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from paddle2torch.cluster import add_ray_option

    parser.add_argument(
        "source",
        metavar="CHECKPOINT",
        help=".pdparams, .pdopt, .pdiparams or .safetensors by Paddle; or a Paddle model to build: "
        "package.module:factory or file.py:factory, such as paddle.vision.models:resnet50",
    )
    parser.add_argument(
        "--paddle-args",
        metavar="JSON",
        help="keyword arguments for a CHECKPOINT that is built, or for --paddle",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="the target, *.safetensors or *.pth (or *.pdparams, for the way back); FOLDER/ is one in the layout of the "
        "Hugging Face hub",
    )
    parser.add_argument("second", nargs="?", help=argparse.SUPPRESS)  # a target without its -o
    target = parser.add_argument_group(
        "the model to convert for (without one, it is recognised by its names and shapes)"
    )
    target.add_argument(
        "--model",
        metavar="NAME",
        help="one of the registered models, or none to keep Paddle's names; needs neither framework",
    )
    target.add_argument(
        "--torch",
        metavar="MODULE:FACTORY",
        help="a torch module: package.module:name, file.py:name, timm:name or torchvision:name",
    )
    target.add_argument("--torch-args", metavar="JSON", default="{}", help="keyword arguments for --torch")
    target.add_argument("--num-classes", type=int, metavar="N", help="default: what the checkpoint has")
    target.add_argument("--in-channels", type=int, metavar="N", help="default: what the checkpoint has")
    from paddle2torch.options import add_name_options, add_shape_option

    names = parser.add_argument_group("which tensors, and under which names")
    add_name_options(names)
    names.add_argument(
        "--partial", action="store_true", help="accept keys without counterpart, and list them"
    )
    names.add_argument(
        "--match",
        nargs="?",
        const="structure",
        default="",
        choices=("structure", "order", "run"),
        help="pair differing names by what the layers hold; `order` also pairs equal layers in order of "
        "definition, to be confirmed with `paddle2torch parity`; `run` runs both models and follows the data",
    )
    names.add_argument("--names", metavar="FILE", help="parameter names, one a line, for a .pdiparams alone")
    names.add_argument("--save-rules", metavar="FILE", help="write the pairs that were found as rules")
    names.add_argument(
        "--fuse",
        action="store_true",
        help="branches that were trained apart (RepVGG) become the convolutions of --torch, and it is proved that the "
        "network computes the same as --paddle",
    )
    probe = parser.add_argument_group("both models on one input, for --match run and --fuse")
    probe.add_argument("--paddle", metavar="MODULE:FACTORY", help="the Paddle model of the checkpoint")
    add_shape_option(probe)
    probe.add_argument("--input", type=Path, metavar="FILE", help="an input: .npy, .npz or an image")
    for side in ("paddle", "torch"):
        probe.add_argument(f"--{side}-python", metavar="PYTHON", help=f"an interpreter that has {side}")
    training = parser.add_argument_group("optimizer state, for a training run that goes on in torch")
    training.add_argument(
        "--pdopt",
        metavar="FILE",
        help="the .pdopt saved with the checkpoint: a .pth with model, optimizer, scheduler",
    )
    training.add_argument(
        "--optimizer",
        default="",
        metavar="NAME",
        help="adam, adamw or lamb, which keep the same state (others are told by theirs); or MODULE:FACTORY that makes the torch "
        "optimizer of the --torch module",
    )
    training.add_argument(
        "--optimizer-args",
        metavar="JSON",
        default="{}",
        help="options of the torch optimizer that were not Paddle's defaults",
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--dtype", metavar="TYPE", help="store floating-point tensors as float16, bfloat16 or float32"
    )
    output.add_argument("--max-shard-size", metavar="SIZE", help="cut safetensors into shards, such as 2GB")
    output.add_argument(
        "--format", choices=("safetensors", "pth"), default="safetensors", help="for a folder"
    )
    output.add_argument("--jobs", type=int, default=2, metavar="N", help="checkpoints of a folder at a time")
    add_ray_option(output)
    output.add_argument("--dry-run", action="store_true", help="print the plan as a table and write nothing")
    output.add_argument("--json", action="store_true", help="print the plan or the report as JSON")
    output.add_argument("--force", action="store_true", help="replace an existing target")
    output.add_argument(
        "--report",
        metavar="FILE",
        help="what parity --json wrote: its verdict goes into the folder's model card",
    )
    output.add_argument("--sha256", action="store_true", help="put the source's SHA-256 in the metadata")


def run(args: argparse.Namespace) -> int:
    """Convert one checkpoint or a folder; 0 when done, 1 when a folder has bad ones, else ConvertError."""
    _check(args)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy only moves bytes here: no idle threads for it
    if args.ray is not None and (args.dry_run or not _is_collection(args.source)):
        raise ConvertError(
            "--ray is for converting a folder of checkpoints: one is done in a second, and a plan in less"
        )
    if args.dry_run:
        return _dry_run(args)
    if args.output is None:
        raise ConvertError("say where to write with -o FILE.safetensors, or look at the plan with --dry-run")
    if _is_collection(args.source) and (os.path.isdir(args.output) or not Path(args.output).suffix):
        return _run_folder(args)
    if _is_hub(args):
        return _run_hub(args)
    if os.path.isdir(args.output):
        raise ConvertError(
            f"{args.output}: is a directory; name a file in it, or write {args.output}/ for the layout of the Hugging Face hub"
        )
    from convert.apply.checkpoint import convert_checkpoint
    from paddle2torch.console import FileProgress

    with FileProgress("converting", args.source) as progress, _open(args) as checkpoint:
        common = _common(args)
        report = convert_checkpoint(
            checkpoint,
            args.output,
            training=_training(args, common["target"]),
            on_progress=progress.update,
            **common,
        )
    _show(args, report)
    _save_rules(args, report.plan, checkpoint, common)
    return 0


def _is_collection(source: str) -> bool:
    """Whether a source is a folder of checkpoints, and not the pieces of one."""
    from convert.checkpoint.tensor_parallel import pieces_of

    return os.path.isdir(source) and not pieces_of(Path(source))


def _is_hub(args: argparse.Namespace) -> bool:
    return str(args.output or "").endswith(("/", os.sep))


def _run_hub(args: argparse.Namespace) -> int:
    """Convert one checkpoint into a folder that can be uploaded."""
    from convert.apply.hub import Network, convert_to_hub, read_proof
    from paddle2torch.options import json_object

    if args.pdopt is not None or args.format != "safetensors":
        raise ConvertError(
            "a folder for the hub holds the weights alone, as safetensors; name a file *.pth for more"
        )
    proof = None if args.report is None else read_proof(args.report)
    from paddle2torch.console import FileProgress

    with FileProgress("converting", args.source) as progress, _open(args) as checkpoint:
        common = _common(args)
        network = None
        if args.torch is not None:
            arguments = json_object(args.torch_args, "--torch-args")
            network = Network(args.torch, arguments, getattr(common["target"], "num_classes", None))
        report = convert_to_hub(
            checkpoint, args.output, network=network, proof=proof, on_progress=progress.update, **common
        )
    _show(args, report)
    _save_rules(args, report.plan, checkpoint, common)
    return 0


def _show(args: argparse.Namespace, report: ConversionReport) -> None:
    from paddle2torch.console import fitted

    told = "\n".join(map(escaped, report.summary()))
    print(json.dumps(report.to_json(), indent=2) if args.json else fitted(told))


def _open(args: argparse.Namespace) -> Checkpoint:
    """The source: a file, or a Paddle model that is built here; fused where that is asked for."""
    opened = _opened(args)
    if not args.fuse:
        return opened
    from paddle2torch.fusing import fused

    try:
        return fused(args, opened, _target(args), _options(args))
    except BaseException:
        opened.close()
        raise


def _opened(args: argparse.Namespace) -> Checkpoint:
    from convert.checkpoint.reader import is_factory, open_checkpoint
    from convert.checkpoint.tensor_parallel import pieces_of
    from paddle2torch.options import json_object, names_in

    if not is_factory(args.source):
        if args.paddle_args is not None and args.paddle is None:
            raise ConvertError(f"--paddle-args is for a model that is built, and {args.source} is not one")
        if args.sha256 and pieces_of(Path(args.source)):
            raise ConvertError(f"--sha256 is for one file, and {args.source} stands for several pieces")
        return open_checkpoint(args.source, key=args.key, names=names_in(args.names), join=args.join)
    for option in ("key", "names", "join", "sha256"):
        if getattr(args, option):
            raise ConvertError(f"--{option} is for files, and {args.source} is a model that is built")
    from convert.adapters.paddle import open_factory

    return open_factory(args.source, json_object(args.paddle_args or "{}", "--paddle-args"))


PROBE = ("paddle", "shape", "input", "paddle_python", "torch_python")
"""Options that only `--match run` reads."""


def _check(args: argparse.Namespace) -> None:
    """Refuse what would be misread or ignored, before anything is opened."""
    from paddle2torch.outputs import check_beside

    if args.second is not None:
        raise ConvertError(f"write -o before the target: convert {args.source} -o {args.second}")
    if args.match != "run" and not args.fuse:
        for name in PROBE:
            if getattr(args, name) is not None:
                raise ConvertError(
                    f"--{name.replace('_', '-')} is for --match run; add that, or leave it out"
                )
    if args.fuse:
        _check_fuse(args)
    if args.report is not None and (args.dry_run or not _is_hub(args)):
        raise ConvertError("--report is for the model card of a folder: name the target FOLDER/")
    if args.save_rules is not None and str(args.output or "").endswith(".pdparams"):
        raise ConvertError(
            "--save-rules is for the way to torch: the way back takes the same file as --rules"
        )
    check_beside(args)
    _check_models(args)


def _check_models(args: argparse.Namespace) -> None:
    """What can be told of models to build without a framework."""
    from convert.checkpoint.reader import is_factory
    from paddle2torch.before import Model, check_models
    from paddle2torch.options import json_object

    arguments = {
        "paddle": json_object(args.paddle_args or "{}", "--paddle-args"),
        "torch": json_object(args.torch_args, "--torch-args"),
    }
    named = {"paddle": args.source if is_factory(args.source) else args.paddle, "torch": args.torch}
    check_models(
        Model(side, reference, arguments[side], python=getattr(args, f"{side}_python"))
        for side, reference in named.items()
        if reference is not None
    )


def _check_fuse(args: argparse.Namespace) -> None:
    from convert.checkpoint.reader import is_factory

    given = {
        "--paddle MODULE:FACTORY": args.paddle is not None,
        "--torch MODULE:FACTORY": args.torch is not None,
        "--shape 2,3,224,224 (or --input FILE)": (args.input is None) != (args.shape is None),
    }
    if not all(given.values()):
        asked = " and ".join(option for option, is_there in given.items() if not is_there)
        raise ConvertError(f"--fuse proves what it fuses by running both networks: give {asked}")
    if str(args.output or "").endswith(".pdparams"):
        raise ConvertError("--fuse is for the way to torch: what is fused cannot be taken apart again")
    if is_factory(args.source):
        raise ConvertError(
            "--fuse is for a checkpoint: save the model's state_dict() with paddle.save, and name that"
        )
    clash = next(
        (option for option in ("match", "pdopt", "partial", "save_rules") if getattr(args, option)), None
    )
    if clash is not None:
        raise ConvertError(f"--fuse does not go with --{clash.replace('_', '-')}")


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
    from contextlib import ExitStack

    from convert.apply.folder import convert_folder
    from paddle2torch.cluster import RayPool, connected
    from paddle2torch.folder import show_outcomes

    single = ("save_rules", "names", "pdopt", "join", "report", "fuse")
    given = [f"--{name.replace('_', '-')}" for name in single if getattr(args, name)]
    if given or args.match == "run":
        raise ConvertError(f"{(given or ['--match run'])[0]} is for a single checkpoint, not for a folder")
    if args.jobs < 1:
        raise ConvertError(f"--jobs {args.jobs}: at least one checkpoint at a time")
    from paddle2torch.console import FileProgress

    with ExitStack() as stack:
        progress = stack.enter_context(FileProgress("converting", args.source))
        pool, places = None, {"source": args.source, "output": args.output}
        if args.ray is not None:
            pool = RayPool(stack.enter_context(connected(args.ray, args.jobs)))
            places = {
                name: os.path.abspath(place) for name, place in places.items()
            }  # workers start elsewhere
        outcomes = convert_folder(
            places["source"],
            places["output"],
            key=args.key,
            suffix=f".{args.format}",
            jobs=args.jobs,
            pool=pool,
            on_progress=progress.update,
            **_common(args),
        )
    return show_outcomes(outcomes, as_json=args.json)


def _bytes(text: str | None) -> int | None:
    """`2GB`, `500MB` or a number of bytes."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG]?)B?", text.strip(), re.IGNORECASE)
    if match is None:
        raise ConvertError(f"--max-shard-size {text}: write a size like 2GB or 500MB")
    return int(float(match[1]) * {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}[match[2].upper()])


def _dry_run(args: argparse.Namespace) -> int:
    from convert.apply.checkpoint import PLANNED, plan_for
    from paddle2torch.console import FileProgress

    with FileProgress("planning", args.source), _open(args) as checkpoint:
        common = _common(args)
        plan, notes = plan_for(
            checkpoint,
            back=str(args.output or "").endswith(".pdparams"),
            **{name: common[name] for name in PLANNED},
        )
    if args.json:
        print(json.dumps({**plan.to_json(), "notes": [*notes, *plan.notes]}, indent=2))
    else:
        from convert.plan.tables import plan_table
        from paddle2torch.console import stdout_console, table_width

        console = stdout_console()
        for line in plan_table(plan, table_width()):
            print(line)
        for problem in plan.problems:
            console.print(f"problem: {escaped(str(problem))}", style="red", markup=False)
        for note in (*notes, *plan.notes):
            console.print(f"note: {escaped(note)}", markup=False)
    _save_rules(
        args, plan, checkpoint, common
    )  # of an incomplete plan too: what is missing can be written by hand
    if not plan.ok:
        where = "`problems` in the JSON" if args.json else "the list of problems"
        raise ConvertError(f"{plan.verdict()}; {where} says what is wrong")
    return 0


def _options(args: argparse.Namespace) -> Options:
    from dataclasses import replace

    from paddle2torch.options import name_options

    options = replace(name_options(args), partial=args.partial, match=args.match)
    if args.match != "run":
        return options
    from paddle2torch.probe import options_by_running

    return options_by_running(args, options)


def _target(args: argparse.Namespace) -> Any:
    if args.torch is None:
        return None
    from convert.adapters.torch import build_module
    from paddle2torch.options import json_object, name_options

    kept = (
        args.partial or args.match == "run" or any(rule.fill == "keep" for rule in name_options(args).rules)
    )
    return build_module(args.torch, json_object(args.torch_args, "--torch-args"), values=kept)


def _training(args: argparse.Namespace, target: Any) -> Training | None:
    """The optimizer state that goes with the checkpoint, if it is asked for."""
    from paddle2torch.options import json_object

    if args.pdopt is None:
        if args.optimizer or args.optimizer_args != "{}":
            raise ConvertError("--optimizer and --optimizer-args are about a .pdopt: name it with --pdopt")
        return None
    from convert.training.state_file import Training

    arguments = json_object(args.optimizer_args, "--optimizer-args")
    if ":" not in args.optimizer:
        return Training(Path(args.pdopt), args.optimizer, arguments)
    if target is None:
        raise ConvertError(f"--optimizer {args.optimizer} is made of a torch module: name that with --torch")
    if arguments:
        raise ConvertError("--optimizer-args are for an optimizer by name; a factory knows its own")
    from convert.adapters.torch import build_optimizer
    from convert.training.groups import groups_of

    groups = groups_of(target, build_optimizer(args.optimizer, target))
    return Training(Path(args.pdopt), groups)


def _save_rules(
    args: argparse.Namespace, plan: ConversionPlan, checkpoint: Checkpoint, common: dict[str, Any]
) -> None:
    if args.save_rules is None:
        return
    from convert.apply.checkpoint import PLANNED, plan_for
    from convert.plan.patterns import few_rules
    from convert.plan.plan import Options
    from convert.plan.rules import Rule, dump_rules
    from convert.write.atomic import write_text

    given = {name: common[name] for name in PLANNED}

    def again(rules: Sequence[Rule]) -> ConversionPlan:
        options = Options(rules=rules, partial=args.partial, layout=args.layout or "")
        return plan_for(checkpoint, **{**given, "options": options})[0]

    write_text(args.save_rules, dump_rules(few_rules(plan, again)), force=args.force)
    if not args.json:
        print(f"written: {escaped(args.save_rules)}, the pairs as rules")
