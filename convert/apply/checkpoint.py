"""`convert_checkpoint`: read, plan, write; nothing is written unless the plan is complete."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.checkpoint.accumulators import are_accumulators
from convert.checkpoint.checkpoint import Checkpoint
from convert.checkpoint.payload import MemoryBytes
from convert.checkpoint.reader import open_checkpoint
from convert.checkpoint.source import sha256_of
from convert.checkpoint.tensor import TensorRef
from convert.dtypes import FLOATS, DType, by_name
from convert.errors import ConvertError
from convert.models.layout import Layout, infer_sizes, module_layout, registered_layout
from convert.names import counted, listed
from convert.plan.fuse import fuse
from convert.plan.plan import ConversionPlan, Fill, Options
from convert.plan.planner import plan_conversion
from convert.plan.source_layout import ASK, PADDLE, TORCH, decide, evidence, turned_slots
from convert.plan.transform import filled
from convert.rosetta.rows import CONCAT
from convert.write.atomic import check_target, same_file
from convert.write.parts import Part, placement
from convert.write.place import Placement
from convert.write.shard_set import index_of, may_be_replaced, shard_count

if TYPE_CHECKING:
    from convert.training.state_file import Training

TORCH_SUFFIXES = (".pth", ".pt", ".bin")
PLANNED = ("model", "target", "num_classes", "in_channels", "options")
"""Arguments of `convert_checkpoint` that a plan depends on."""
OnProgress = Callable[[int, int], None]
"""Called with the bytes written so far and the bytes in all."""


@dataclass(frozen=True)
class ConversionReport:
    """What a conversion did."""

    plan: ConversionPlan
    source: Path
    target: Path
    format: str
    """`safetensors`, `pth` or `pdparams`."""
    size: int
    """Bytes of the target file."""
    tensor_bytes: int
    seconds: float
    notes: tuple[str, ...] = ()

    def summary(self) -> list[str]:
        """What happened, in a few lines of plain text."""
        plan = self.plan
        transposed = sum("transpose" in move.transform for move in plan.moves)
        lines = [
            f"{self.source} -> {self.target}: {counted(len(plan.moves), 'tensor')} moved ({transposed} transposed), "
            f"{len(plan.generated)} generated, {len(plan.dropped)} dropped; "
            f"{_size(self.size)} in {self.seconds:.2f} s"
        ]
        dropped: dict[str, list[str]] = {}
        for drop in plan.dropped:
            dropped.setdefault(drop.why, []).append(drop.name)
        lines += [f"dropped: {listed(names)} ({why})" for why, names in dropped.items()]
        if plan.left:
            lines.append(f"left as it is in the model: {listed(plan.left)}")
        return lines + [f"note: {note}" for note in self.notes]

    def to_json(self) -> dict[str, Any]:
        """The report as plain data for `json.dump`."""
        return {
            "source": str(self.source),
            "target": str(self.target),
            "format": self.format,
            "size": self.size,
            "tensor_bytes": self.tensor_bytes,
            "seconds": self.seconds,
            "notes": list(self.notes),
            "plan": self.plan.to_json(),
        }


def convert_checkpoint(
    src: str | os.PathLike[str] | Checkpoint,
    dst: str | os.PathLike[str],
    *,
    model: str | None = None,
    target: Any = None,
    num_classes: int | None = None,
    in_channels: int | None = None,
    force: bool = False,
    key: str | None = None,
    names: Sequence[str] | None = None,
    dtype: str | None = None,
    sha256: bool = False,
    shard_bytes: int | None = None,
    options: Options | None = None,
    training: Training | None = None,
    on_progress: OnProgress | None = None,
) -> ConversionReport:
    """Convert the Paddle checkpoint `src` into the file `dst` (`.safetensors`, `.pth`).

    `src` is a file, or an open Checkpoint, which is closed at the end.

    A `dst` called `.pdparams` is the way back: `src` is then a torch file of the same model.

    The target is a registered `model`, or `target`: a Layout or a torch module. With neither, the model is
    recognised from the checkpoint's names and shapes; if none is, or with `model="none"`, the file's own
    names are kept. Sizes of a registered model that are not given are read from the checkpoint.
    `dtype` converts floating-point tensors. With `training`, a `.pth` holds the state of the optimizer and its
    schedule too (`convert.training.state_file`). Raises ConvertError, and then writes nothing.
    """
    started = time.perf_counter()
    source_path, target_path = Path(src.path if isinstance(src, Checkpoint) else src), Path(dst)
    check_target(target_path, force=force)
    form = target_format(target_path)
    if shard_bytes is not None and form != "safetensors":
        raise ConvertError(f"{target_path}: only .safetensors files can be cut into shards")
    if training is not None and form != "pth":
        raise ConvertError(f"{target_path}: weights with optimizer state are one .pth file; name it *.pth")
    opened = src if isinstance(src, Checkpoint) else open_checkpoint(source_path, key=key, names=names)
    with ExitStack() as stack:
        checkpoint = stack.enter_context(opened)
        _keep_sources(target_path, form, (checkpoint.path, *(() if training is None else (training.pdopt,))))
        plan, notes = plan_for(
            checkpoint,
            model=model,
            target=target,
            num_classes=num_classes,
            in_channels=in_channels,
            options=options,
            back=form == "pdparams",
        )
        plan.require()
        plan.check_contents(lambda name: checkpoint[name].numpy())
        items = placements(checkpoint, plan, dtype=dtype, module=target)
        if dtype is not None:
            from convert.apply.overflow import overflow_notes

            notes += overflow_notes(checkpoint, plan, by_name(dtype))
        structure: object = None
        if training is None and checkpoint.facts.optimizer is not None:
            notes.append(
                f"the file holds the state of an optimizer too: --pdopt {checkpoint.path} takes it along into a .pth"
            )
        if training is not None:
            from convert.training.state_file import training_file

            whole = stack.enter_context(training_file(training, checkpoint, plan, items))
            items, structure, notes = list(whole.items), whole.structure, [*notes, *whole.notes]
        metadata = _metadata(checkpoint, plan, model, sha256=sha256)
        writer = partial(_write, target_path, form, items, metadata, checkpoint, shard_bytes=shard_bytes)
        size = writer(structure=structure, force=force, on_progress=on_progress)
        if shard_bytes is not None:
            count = shard_count(target_path)
            if count:
                notes.append(f"written as {counted(count, 'shard')} that {index_of(target_path).name} lists")
    return ConversionReport(
        plan,
        source_path,
        target_path,
        form,
        size,
        sum(item.nbytes for item in items),
        time.perf_counter() - started,
        (*notes, *plan.notes, *checkpoint.facts.notes),
    )


def plan_for(
    checkpoint: Checkpoint,
    *,
    model: str | None = None,
    target: Any = None,
    num_classes: int | None = None,
    in_channels: int | None = None,
    options: Options | None = None,
    back: bool = False,
) -> tuple[ConversionPlan, list[str]]:
    """The plan for a checkpoint and a target, and notes on sizes that were read from the checkpoint.

    `back` plans from torch to Paddle.
    """
    if model is not None and target is not None:
        raise ConvertError("give a registered model or a torch module as the target, not both")
    if model != KEEP_NAMES and len(checkpoint) and are_accumulators(checkpoint):
        raise ConvertError(
            f"{checkpoint.path}: the state of an optimizer is converted with its weights: "
            f"convert WEIGHTS.pdparams --pdopt {checkpoint.path} -o FILE.pth (or add --model none to copy it as it is)"
        )
    notes: list[str] = []
    hints: list[str] = []
    unsized = num_classes is None and in_channels is None
    if model is None and target is None and unsized and not back and not _asks_for_names(options):
        model = _recognized(checkpoint, notes)
    if model == KEEP_NAMES:
        model = None
    if model is not None:
        told = (options.layout if options is not None else "") or evidence(checkpoint).framework
        target, found, hints = _layout_of(
            model, checkpoint, num_classes, in_channels, torch_order=back or told == TORCH
        )
        notes += found
        options = _with_aliases(options, checkpoint, target)
    elif num_classes is not None or in_channels is not None:
        raise ConvertError("--num-classes and --in-channels are for registered models; name one with --model")
    elif target is not None and not back:
        target = target if isinstance(target, Layout) else module_layout(target)
        options = _with_aliases(options, checkpoint, target)
    plan = (_plan_back if back else plan_conversion)(checkpoint, target, options)
    if not back and _fusible(checkpoint, plan, target, options):
        said = "--fuse, with --paddle MODULE:FACTORY and --shape, makes them one and proves it"
        plan = replace(
            plan, solution=f"the file is from before branches were fused into one convolution: {said}"
        )
    if plan.problems and hints:
        plan = replace(plan, notes=(*plan.notes, *hints))
    return plan, notes


def _fusible(checkpoint: Checkpoint, plan: ConversionPlan, target: Any, options: Options | None) -> bool:
    """Whether the file fits the target once branches are one convolution; no tensor is read for it."""
    if {problem.kind for problem in plan.problems} != {"missing", "extra"} or not isinstance(target, Layout):
        return False
    try:
        return plan_conversion(fuse(checkpoint, target), target, options).ok
    except ConvertError:
        return False


def _asks_for_names(options: Options | None) -> bool:
    """Whether the user says how names are to be read, so that recognising them would be guessing."""
    return options is not None and any(
        (
            options.rules,
            options.include,
            options.exclude,
            options.strip_prefix,
            options.add_prefix,
            options.match,
        )
    )


KEEP_NAMES = "none"
"""The `model` that asks for Paddle's own names, even where the checkpoint is recognised."""


def _recognized(checkpoint: Checkpoint, notes: list[str]) -> str | None:
    """The one registered network that the checkpoint's names and shapes say it is; ConvertError for two."""
    from convert.plan.recognize import recognize

    found = recognize({name: ref.shape for name, ref in checkpoint.items()})
    names = list(dict.fromkeys(candidate.spec.name for candidate in found))
    if len(names) > 1:
        shown = "; ".join(str(candidate) for candidate in found)
        raise ConvertError(f"{checkpoint.path} fits {len(names)} models ({shown}); name one with --model")
    if not names:
        return None
    notes.append(f"recognised as {found[0]}")
    return names[0]


def _with_aliases(options: Options | None, checkpoint: Checkpoint, target: Layout) -> Options | None:
    """Rules for another known spelling of the network (Paddle's zoo, old DenseNet files), unless rules are given."""
    from convert.plan.recognize import rules_for

    if options is not None and options.rules:
        return options
    rules = rules_for(checkpoint, [slot.name for slot in target.slots])
    return replace(options or Options(), rules=rules) if rules else options


def _plan_back(checkpoint: Checkpoint, target: Any, options: Options | None) -> ConversionPlan:
    from convert.plan.back import plan_back

    if target is None:
        raise ConvertError(
            "the way back to .pdparams needs to know the layers: name them with --model or --torch"
        )
    options = options or Options()
    target = target if isinstance(target, Layout) else module_layout(target)
    shapes = {name: ref.shape for name, ref in checkpoint.items()}
    turned = turned_slots(target.slots)
    whose = decide(options.layout, evidence(checkpoint), shapes, turned)
    if whose == PADDLE and turned:
        raise ConvertError(
            f"{checkpoint.path}: is in Paddle's layout already, and the way back starts from torch's; if its matrices are "
            "in torch's order [out, in], add --layout torch"
        )
    if not whose and turned:
        raise ConvertError(f"{checkpoint.path}: {ASK}")
    rules = options.rules
    if _asks_for_names(replace(options, rules=())) or options.partial:
        raise ConvertError(
            "the way back to .pdparams takes no patterns, prefixes or matching; names that differ are said by the "
            "--rules that --save-rules wrote on the way there"
        )
    return plan_back(checkpoint, target, rules)


def _layout_of(
    model: str, checkpoint: Checkpoint, num_classes: int | None, in_channels: int | None, *, torch_order: bool
) -> tuple[Layout, list[str], list[str]]:
    from convert.models.registry import find_model
    from convert.plan.recognize import recognize

    name = find_model(model).name
    given = {"num_classes": num_classes, "in_channels": in_channels}
    sizes = dict(given)
    notes: list[str] = []
    hints: list[str] = []
    shapes = {key: ref.shape for key, ref in checkpoint.items()}
    told = infer_sizes(name, shapes, torch_order=torch_order)
    if len(told) < len(find_model(name).defaults):
        # The names are another spelling's, so the sizes stand under other names too.
        for candidate in recognize(shapes):
            if candidate.spec.name == name:
                told = {"num_classes": candidate.num_classes, "in_channels": candidate.in_channels}
    for size, value in told.items():
        if given.get(size) is None:
            sizes[size] = value
            notes.append(f"{size} {value} is what the checkpoint has")
        elif given[size] != value:
            hints.append(f"the checkpoint was made with --{size.replace('_', '-')} {value}")
    return (
        registered_layout(name, num_classes=sizes["num_classes"], in_channels=sizes["in_channels"]),
        notes,
        hints,
    )


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"


def _keep_sources(target: Path, form: str, sources: Sequence[Path]) -> None:
    """Raise where writing `target` would replace or take away what is read."""
    for source in sources:
        if may_be_replaced(target, source) if form == "safetensors" else same_file(source, target):
            raise ConvertError(f"{target}: would replace {source}, which is read; choose another name")


def placements(
    checkpoint: Mapping[str, TensorRef], plan: ConversionPlan, *, dtype: str | None = None, module: Any = None
) -> list[Placement]:
    """Every tensor of the target, in its state dict's order; `module` is the torch model, for values that it keeps."""
    if dtype is not None and dtype not in FLOATS:
        raise ConvertError(f"--dtype {dtype}: use one of {', '.join(FLOATS)}")
    wanted = by_name(dtype) if dtype else None
    made: dict[str, Placement] = {}
    partly: dict[str, list[Fill]] = {}
    for fill in plan.generated:
        if fill.rows:
            partly.setdefault(fill.name, []).append(fill)
    for target, moves in plan.by_target().items():
        parts = [Part(move.source, checkpoint[move.source], move.transform) for move in moves]
        parts += [
            Part(
                f"rule {fill.rule}",
                _filled(fill, module, parts[0].source.kind),
                f"{CONCAT}:{fill.rows[0]}:{fill.rows[1]}",
            )
            for fill in partly.get(target, ())
            if fill.rows
        ]
        parts.sort(key=lambda part: filled(part.transform) or (0, 0))
        kind = wanted if wanted is not None and all(part.source.kind.is_float for part in parts) else None
        made[target] = placement(target, moves[0].shape, parts, kind)
    for fill in plan.generated:
        if fill.rows:
            continue
        ref = _filled(fill, module)
        if wanted is not None and ref.kind.is_float:
            ref = _filled(fill, module, wanted)
        made[fill.name] = Placement(fill.name, fill.shape, ref.kind, ref, "copy")
    return [made[name] for name in plan.order if name in made]


def target_format(path: Path) -> str:
    """`safetensors`, `pth` or `pdparams`, by the name; ConvertError for any other."""
    suffix = path.suffix.lower()
    if suffix == ".safetensors":
        return "safetensors"
    if suffix in TORCH_SUFFIXES:
        return "pth"
    if suffix == ".pdparams":
        return "pdparams"
    raise ConvertError(f"{path}: name the target *.safetensors or *.pth")


def _filled(fill: Fill, module: Any, kind: DType | None = None) -> TensorRef:
    """What a fill puts into the target, of its own type or as `kind`."""
    own = by_name(fill.dtype)
    if isinstance(fill.value, int) and not own.is_float:  # without numpy
        data = fill.value.to_bytes(own.itemsize, "little") * math.prod(fill.shape)
        return TensorRef(fill.shape, own, MemoryBytes(data))
    from convert.apply.fills import filling

    array = filling(fill, module, kind or own)
    return TensorRef.of_array(array, (kind or own).name)


def _metadata(
    checkpoint: Checkpoint, plan: ConversionPlan, model: str | None, *, sha256: bool
) -> dict[str, str]:
    metadata = {
        "format": "pt",
        "source": checkpoint.path.name,
        "source_size": str(checkpoint.facts.size),
        "tool": f"paddle2torch {_version()}",
        "model": model or plan.target,
    }
    if sha256:
        path = checkpoint.path
        if not path.is_file():
            raise ConvertError(f"{path} is a live model and no file, so it has no SHA-256")
        metadata["source_sha256"] = sha256_of(path)
    return metadata


def _version() -> str:
    front = sys.modules.get("paddle2torch.version")
    if front is not None:  # the command line: asking the metadata costs a tenth of a small conversion
        return str(front.__version__)
    return _installed_version()


@cache
def _installed_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("paddle2torch")
    except PackageNotFoundError:
        return "0+unknown"


def _write(
    path: Path,
    form: str,
    items: list[Placement],
    metadata: Mapping[str, str],
    checkpoint: Checkpoint,
    *,
    shard_bytes: int | None,
    structure: object,
    force: bool,
    on_progress: OnProgress | None,
) -> int:
    total = sum(item.nbytes for item in items)
    done = 0

    def progress(count: int) -> None:
        nonlocal done
        done += count
        if on_progress is not None:
            on_progress(done, total)

    def before_publish(_: int) -> None:
        checkpoint.check_unchanged()

    if form == "safetensors":
        from convert.write.safetensors_file import write_safetensors, write_shards

        write = write_safetensors
        if shard_bytes is not None and total > shard_bytes:
            write = partial(write_shards, shard_bytes=shard_bytes)
        return write(path, items, metadata, force=force, progress=progress, before_publish=before_publish)
    if form == "pdparams":
        from convert.write.pdparams_file import write_pdparams

        return write_pdparams(path, items, force=force, progress=progress, before_publish=before_publish)
    from convert.write.torch_zip import state_structure, write_torch

    whole = state_structure(items) if structure is None else structure
    return write_torch(path, items, whole, force=force, progress=progress, before_publish=before_publish)
