"""A network behind another Python interpreter, where the two frameworks do not live in one environment."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from paddle2torch.training.answers import Array, Ask
from paddle2torch.training.checkpoints import weights_file
from paddle2torch.training.recipe import Network
from paddle2torch.training.weights import fitting, in_paddles_layout, spelled
from parity.setup.inputs import as_arrays
from parity.sides.remote import WorkerSide
from parity.trace.values import placed_in, save_arrays, scratch_directory


def open_elsewhere(network: Network, weights: str, python: str) -> Ask:
    """A network in eval mode in a process of the interpreter `python`, with the weights of a checkpoint of either framework.

    They are kept in float32 there, also where it computes in float64. The process ends when nobody can ask any more.
    """
    stack = ExitStack()
    place = stack.enter_context(scratch_directory())
    try:
        with placed_in(place):
            worker = WorkerSide(
                "paddle" if network.framework == "paddle" else "torch",
                network.reference,
                network.arguments,
                device=network.device,
                python=python,
                registered=bool(network.registered),
                option="--args",
            )
            stack.callback(worker.close)
            worker.build()
        load = _load_paddle if network.framework == "paddle" else _load_torch
        load(worker, weights_file(weights), network)
    except BaseException:
        stack.close()
        raise
    store = worker.scratch / "answers"

    def ask(images: Array) -> Array:
        _, values = worker.capture(
            as_arrays(images), mode="eval", precision=network.dtype, store=store, outputs_only=True
        )
        try:
            first = next(key for key in values.index if key.startswith("output:"))
            return np.asarray(values.get(first))
        finally:
            values.close()
            for file in (store, *worker.scratch.glob("*.npz")):  # a data set is larger than a disk may be
                file.unlink(missing_ok=True)

    weakref.finalize(ask, stack.close)
    return ask


def _load_paddle(worker: WorkerSide, path: str, network: Network) -> None:
    state = _state(worker)
    shapes = {name: array.shape for name, array in state.items()}
    with in_paddles_layout(path, network) as checkpoint:
        given = {name: reference.shape for name, reference in checkpoint.items()}
        names = fitting(path, given, shapes, network, "")
        file = worker.scratch / "weights.npz"
        arrays = {name: np.asarray(checkpoint[name].numpy()).astype(state[name].dtype) for name in names}
        save_arrays(file, arrays)
    worker.ask("load", source={"npz": str(file)}, moves=None)


def _load_torch(worker: WorkerSide, path: str, network: Network) -> None:
    from convert import open_checkpoint
    from convert.models.layout import Layout
    from convert.plan.planner import plan_conversion

    layout = Layout.of_json(worker.ask("layout"))
    with open_checkpoint(path) as checkpoint:
        ours = spelled(checkpoint, network)
        plan = plan_conversion(ours, layout).require()
        names = dict(zip(ours, checkpoint, strict=True))
    moves = [
        [move.source, move.target, move.transform] for held in plan.by_target().values() for move in held
    ]
    fills = {fill.name: fill.value for fill in plan.generated if fill.rule}
    worker.ask("load", source={"checkpoint": path, "names": names}, moves=moves, fills=fills)


def _state(worker: WorkerSide) -> Mapping[str, Any]:
    path: Path = worker.scratch / "state.npz"
    worker.ask("state", path=str(path))
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
