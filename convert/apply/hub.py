"""A folder as the Hugging Face hub lays models out: `config.json`, `model.safetensors`, and a model card, `README.md`.

config.json has the factory's arguments at its top level, from which `huggingface_hub.PyTorchModelHubMixin` builds a
class; for timm it is what `timm.create_model("local-dir:FOLDER", pretrained=True)` reads (timm/models/_hub.py).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from convert.apply.checkpoint import PLANNED, ConversionReport, convert_checkpoint, plan_for
from convert.checkpoint.checkpoint import Checkpoint
from convert.checkpoint.source import read_text
from convert.errors import ConvertError
from convert.models.layout import infer_sizes
from convert.models.registry import MODELS
from convert.plan.plan import ConversionPlan
from convert.write.atomic import check_target, write_text

WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"
REPORT_MOST = 500_000_000
"""Bytes of a report that is read for its verdict."""
VERDICTS = ("EQUIVALENT", "DIFFERENT", "INCONCLUSIVE")


@dataclass(frozen=True)
class Network:
    """Which torch network the weights are for, and how it is built."""

    reference: str
    """`package.module:factory`, `file.py:factory`, `timm:name`."""
    arguments: Mapping[str, Any]
    classes: int | None = None
    """What the network itself says of its classes, for timm."""


@dataclass(frozen=True)
class Proof:
    """What a report of `paddle2torch parity --json` says."""

    verdict: str
    headline: str
    torch: str
    environment: Mapping[str, Any]


def convert_to_hub(
    checkpoint: Checkpoint,
    folder: str | os.PathLike[str],
    *,
    network: Network | None,
    proof: Proof | None = None,
    **options: Any,
) -> ConversionReport:
    """Convert into a folder of the hub; `options` are those of `convert_checkpoint`.

    Without a `network` it is the registered one that the checkpoint is recognised as. ConvertError where there is none, where
    the `proof` is about another, or where the conversion does not fit; then no file is written.
    """
    place, source = Path(folder), checkpoint.path
    force = bool(options.get("force"))
    if network is None:
        network = _registered(_planned(checkpoint, options))
    if proof is not None:
        _check_about(proof, network.reference)
    made = not os.path.exists(place)
    if made:
        try:
            place.mkdir()
        except (OSError, ValueError) as error:  # ValueError: a name that no file can have
            why = getattr(error, "strerror", None) or error
            raise ConvertError(f"{place}: the folder cannot be made ({why})") from None
    try:
        for name in (WEIGHTS, CONFIG, CARD):
            check_target(place / name, force=force)
        report = convert_checkpoint(checkpoint, place / WEIGHTS, **options)
    except ConvertError:
        if made:
            with suppress(OSError):
                place.rmdir()
        raise
    write_text(place / CONFIG, json.dumps(_config(network), indent=2) + "\n", force=force)
    card = _card(network, source, report, proof, whole=(place / WEIGHTS).exists())
    write_text(place / CARD, card, force=force)
    return replace(report, notes=(*report.notes, f"beside {WEIGHTS}: {CONFIG} and the model card {CARD}"))


def _planned(checkpoint: Checkpoint, options: Mapping[str, Any]) -> ConversionPlan:
    given: dict[str, Any] = {name: options.get(name) for name in PLANNED}
    return plan_for(checkpoint, **given)[0]


def read_proof(path: str | os.PathLike[str]) -> Proof:
    """The verdict of a report; ConvertError where the file is none."""
    try:
        data = json.loads(read_text(path, REPORT_MOST))
    except (ValueError, RecursionError):
        data = None
    match data:
        case {"verdict": str() as verdict, "headline": str() as headline, "torch": str() as torch} if (
            verdict in VERDICTS
        ):
            environment = data.get("environment")
            return Proof(verdict, headline, torch, environment if isinstance(environment, dict) else {})
    raise ConvertError(f"{path}: is no report of `paddle2torch parity --json`")


def _check_about(proof: Proof, reference: str) -> None:
    proved = proof.torch.removesuffix(" (torch)")
    if proved.rpartition("/")[2] not in (reference.rpartition("/")[2], reference.rpartition(":")[2]):
        raise ConvertError(f"the report proves {proved}, and the weights are for {reference}")


def _registered(plan: ConversionPlan) -> Network:
    spec = MODELS.get(plan.target)
    if spec is None:
        raise ConvertError("a folder for the hub says which network it is: name that with --torch or --model")
    sizes = infer_sizes(spec.name, {move.target: move.shape for move in plan.moves}, torch_order=True)
    return Network(spec.torch_factory, {name: sizes.get(name, size) for name, size in spec.defaults.items()})


def _config(network: Network) -> dict[str, Any]:
    name = network.reference.rpartition(":")[2]
    if not _is_timm(network):
        return {**network.arguments, "architectures": [name]}
    classes = {} if network.classes is None else {"num_classes": network.classes}
    rest = {
        key: value for key, value in network.arguments.items() if key not in ("num_classes", "pretrained")
    }
    return {
        "architecture": name,
        **classes,
        "model_args": rest,
        "pretrained_cfg": {"tag": "paddle", **classes},
    }


def _is_timm(network: Network) -> bool:
    return network.reference.startswith("timm:")


def _card(
    network: Network, source: Path, report: ConversionReport, proof: Proof | None, *, whole: bool
) -> str:
    library = "timm" if _is_timm(network) else "pytorch"
    lines = ["---", f"library_name: {library}", "tags:", "- paddle2torch", "---", ""]
    lines += [f"# {network.reference.rpartition(':')[2]}", ""]
    lines += [
        f"Converted from the PaddlePaddle checkpoint `{source.name}` with paddle2torch: {len(report.plan.moves)} tensors "
        f"moved, {len(report.plan.generated)} generated, {len(report.plan.dropped)} dropped.",
        "",
        "## Use",
        "",
        *_use(network, whole=whole),
        "",
        "## Proof",
        "",
    ]
    if proof is None:
        lines.append(
            "None was made. `paddle2torch parity --json report.json` compares both networks operator by operator, and "
            "`paddle2torch convert ... --report report.json` writes its verdict here."
        )
    else:
        versions = ", ".join(f"{name} {version}" for name, version in proof.environment.items())
        lines += [f"**{proof.verdict}**: {proof.headline.removeprefix(f'{proof.verdict}: ')} ({versions})"]
    return "\n".join(lines) + "\n"


def _use(network: Network, *, whole: bool) -> list[str]:
    place, _, name = network.reference.rpartition(":")
    if _is_timm(network):
        return [
            "```python",
            "import timm",
            "",
            "model = timm.create_model('local-dir:.', pretrained=True)  # or hf-hub:USER/NAME",
            "```",
            "",
            "What images must look like (mean, deviation, size) is not in a checkpoint: take it from the Paddle training.",
        ]
    module = Path(place).stem if place.endswith(".py") else place
    given = ", ".join(f"{key}={value!r}" for key, value in network.arguments.items())
    state = f"load_file('{WEIGHTS}')"
    if not whole:
        state = "{k: t for f in glob.glob('model*.safetensors') for k, t in load_file(f).items()}"
    return [
        "```python",
        *([] if whole else ["import glob", ""]),
        "from safetensors.torch import load_file",
        "",
        f"from {module} import {name.partition('.')[0]}",
        "",
        f"model = {name}({given})",
        f"model.load_state_dict({state})",
        "model.eval()",
        "```",
    ]
