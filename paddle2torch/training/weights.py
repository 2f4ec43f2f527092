"""Weights of either framework's checkpoint for a network of either framework, by `convert`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convert import open_checkpoint
from convert.models.layout import registered_layout
from convert.names import counted, listed
from paddle2torch.training.errors import TrainingError
from paddle2torch.training.recipe import Network, within

if TYPE_CHECKING:
    from convert.checkpoint.checkpoint import Checkpoint

Array = np.ndarray[Any, np.dtype[Any]]


@contextmanager
def in_paddles_layout(path: str, network: Network) -> Iterator[Checkpoint]:
    """A checkpoint as Paddle has it; a torch file is converted back, for which the torch network must be known."""
    from convert import convert_checkpoint
    from convert.plan.source_layout import TORCH, evidence

    with open_checkpoint(path) as checkpoint:
        if evidence(checkpoint).framework != TORCH:
            yield spelled(checkpoint, network)
            return
    with tempfile.TemporaryDirectory(prefix="paddle2torch-") as scratch:
        file = Path(scratch) / "model.pdparams"
        convert_checkpoint(path, file, **way_back(path, network))
        with open_checkpoint(file) as checkpoint:
            yield checkpoint


def spelled(checkpoint: Checkpoint, network: Network) -> Checkpoint:
    """The checkpoint under a registered network's own names, where it has another known spelling of them (Paddle's zoo)."""
    if not network.registered:
        return checkpoint
    from convert.models.registry import find_model
    from convert.plan import recognize

    spec = find_model(network.registered)
    slots = registered_layout(spec.name, **spec.defaults).slots
    here = recognize.spelled(checkpoint, (_paddles(slot.name) for slot in slots))
    if not here:
        return checkpoint
    return replace(
        checkpoint,
        tensors={here[name]: ref for name, ref in checkpoint.items() if name in here},
        parameter_names={
            here[name]: parameter for name, parameter in checkpoint.parameter_names.items() if name in here
        },
    )


_ROLES = {"running_mean": "_mean", "running_var": "_variance"}


def _paddles(name: str) -> str:
    """Paddle's name for what torch's holds."""
    layer, _, role = name.rpartition(".")
    return f"{layer}.{_ROLES.get(role, role)}"


def way_back(path: str | Path, network: Network) -> dict[str, Any]:
    """The arguments of `convert` that say what the layers of a torch checkpoint are, so that Paddle can have it."""
    if network.registered:
        return {"model": network.registered}
    if "torch" not in network.references:
        raise TrainingError(
            f"{path} is a torch checkpoint, and the Paddle network is your own: name its torch twin too, with --torch, or "
            f"convert the file first: paddle2torch convert {path} --torch ... -o weights.pdparams"
        )
    from convert.adapters.torch import build_module

    return {"target": build_module(network.references["torch"], dict(network.arguments))}


def fitting(
    path: str,
    given: Mapping[str, Sequence[int]],
    wanted: Mapping[str, Sequence[int]],
    network: Network,
    left: str,
) -> list[str]:
    """The names to load: those of the network without its new head (`left`). TrainingError for what does not fit.

    given, wanted: name -> shape.
    """
    needed = [name for name in wanted if not within(name, left)]
    shapes = [name for name in needed if name in given and tuple(given[name]) != tuple(wanted[name])]
    require_fit(
        path,
        network,
        left,
        missing=[name for name in needed if name not in given],
        extra=[name for name in given if name not in wanted and not within(name, left)],
        shapes=shapes,
    )
    return needed


def require_fit(
    path: str, network: Network, left: str, *, missing: list[str], extra: list[str], shapes: list[str]
) -> None:
    """TrainingError where some names are missing, unknown, or have other shapes."""
    if not (missing or extra or shapes):
        return
    told = [
        f"{counted(len(names), 'tensor')} {what} ({listed(names)})"
        for names, what in ((missing, "missing"), (extra, "unknown to it"), (shapes, "of another shape"))
        if names
    ]
    only_head = not missing and not extra and len({name.rpartition(".")[0] for name in shapes}) == 1
    advice = "--new-head leaves the last layer out" if only_head and not left else "it is another network's"
    raise TrainingError(
        f"{path} does not fit {network.registered or network.reference}: {', '.join(told)}; {advice}"
    )
