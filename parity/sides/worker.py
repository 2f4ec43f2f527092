"""One framework's half of a check, in a process of its own; `parity.sides.remote` starts it.

Says {"ready": framework}, then reads one JSON request a line and answers one JSON line, through pipes of their own: standard
input is empty, and whatever the model prints goes to a file. Arrays travel in files. The interpreter needs its framework and numpy,
nothing else.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convert.errors import Paddle2TorchError
from convert.namesakes import guard
from parity.capture.failed import ModelError, NoKernelError
from parity.capture.options import Nudge
from parity.capture.places import one_check
from parity.capture.replay import ReplayPlan
from parity.errors import ParityError
from parity.sides.live import LiveSide, called_at, no_input, own_traceback
from parity.sides.side import adapter
from parity.trace.trace import Framework
from parity.trace.values import PLACE, PREFIX, Array, ValueStore, save_arrays

if TYPE_CHECKING:
    from parity.sides.remote_training import TrainingServer


class Worker:
    """Holds one model and carries out requests on it; each method is one request."""

    def __init__(self, framework: Framework) -> None:
        self.framework = framework
        self.side: LiveSide | None = None
        self.training: TrainingServer | None = None

    @property
    def live(self) -> LiveSide:
        if self.side is None:
            raise ParityError("the worker was asked to run a model before it was given one")
        return self.side

    def build(
        self,
        factory: str,
        arguments: Mapping[str, Any],
        device: str,
        registered: bool = False,
        option: str = "",
    ) -> dict[str, Any]:
        """Build the model and move it to the device. option: how the user gives arguments."""
        from convert.adapters.factory import check_call, load_factory

        tools = adapter(self.framework)
        tools.check_device(device)
        notes: list[str] = []
        make = load_factory(factory, notes, registered=registered)
        check_call(factory, make, arguments, option or f"--{self.framework}-args")
        try:
            model = make(**arguments)
        except Exception as error:
            hint = (
                f"; leave .cuda() out of the definition, --{self.framework}-device places the model"
                if device == "cpu" and "cuda" in str(error).lower()
                else no_input(error)
            )
            raise ModelError(
                f"{factory} cannot be built with arguments {json.dumps(dict(arguments))}: "
                f"{type(error).__name__}: {error}{hint}",
                own_traceback(error),
            ) from error
        tools.check_model(model, factory)
        self.side = LiveSide(self.framework, tools.place(model, device), device)
        return {"name": self.side.name, "notes": notes}

    def layout(self) -> dict[str, Any]:
        """The torch module's state dict as conversion sees it."""
        from convert.models.layout import module_layout

        return module_layout(self.live.model).to_json()

    def state(self, path: str) -> dict[str, Any]:
        """Write the state dict to an .npz."""
        save_arrays(path, adapter(self.framework).state(self.live.model))
        return {}

    def entries(self) -> dict[str, Any]:
        """The names of Paddle's state dict, each with the automatic name of its tensor."""
        names: dict[str, Any] = adapter("paddle").parameter_names(self.live.model)
        return names

    def load(
        self, source: Mapping[str, Any], moves: list[list[str]] | None, fills: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Load weights: Paddle's as they are, or (torch) moved and transformed by a conversion plan.

        fills: torch name -> the number that it gets where no tensor of Paddle's goes, or "keep".
        """
        from convert.plan.transform import assemble

        with _weights(source) as weights:
            if moves is None:
                arrays = {name: weights[name] for name in weights}
            else:
                arrays = assemble([(name, target, how) for name, target, how in moves], weights.__getitem__)
                self._fill_up(arrays, moves, fills or {})
            adapter(self.framework).load_state(self.live.model, arrays, strict=moves is None)
        return {}

    def _fill_up(self, arrays: dict[str, Array], moves: list[list[str]], fills: Mapping[str, Any]) -> None:
        from convert.plan.transform import filled, laid_into

        own = adapter(self.framework).state(self.live.model) if fills else {}
        for target, value in fills.items():
            base = own[target].copy() if value == "keep" else np.full_like(own[target], value)
            rows = [row for _, name, how in moves if name == target and (row := filled(how)) is not None]
            arrays[target] = laid_into(base, arrays[target], rows) if target in arrays else base

    def randomize(self, seed: int, path: str, inputs: str, vectors_only: bool) -> dict[str, Any]:
        """Fill Paddle's model with values that hide no mistake (`parity.setup.refill`), and write them to an .npz."""
        from parity.sides.filling import fill

        save_arrays(path, fill(self.live, _inputs(inputs), seed=seed, vectors_only=vectors_only))
        return {"constants": sorted(adapter(self.framework).constants(self.live.model))}

    def training_parts(self, parts: Mapping[str, str]) -> dict[str, Any]:
        """Take the user's loss, optimizer and schedule, each MODULE:NAME of a function."""
        from convert.adapters.factory import load_factory

        for part, reference in parts.items():
            setattr(self.live, part, load_factory(reference))
        return {}

    def parameters(self, path: str) -> dict[str, Any]:
        """Write every parameter and buffer, registered or not, to an .npz."""
        save_arrays(path, self.live.parameters())
        return {}

    def capture(
        self,
        inputs: str,
        mode: str,
        precision: str,
        store: str,
        outputs_only: bool,
        backward: Mapping[str, Any],
        before: list[str],
        nudge: list[Any] | None,
    ) -> dict[str, Any]:
        """Record one run; before: the inputs of calls before it; `backward` is {} or says how to go backward (see `parity.sides.side.Side.capture`)."""
        options: dict[str, Any] = {}
        with ExitStack() as stack:
            if backward:
                options = {"gradients": True, "given": dict(backward["given"]), "expected": None}
            if backward and backward["expected"] is not None:
                path, known = backward["expected"]
                options["expected"] = ValueStore.from_json(Path(path), known)
                stack.callback(options["expected"].close)
            trace, values = self.live.capture(
                _inputs(inputs),
                mode=mode,
                precision=precision,
                store=Path(store),
                outputs_only=outputs_only,
                before=[_inputs(one) for one in before],
                nudge=None if nudge is None else Nudge.from_json(nudge),
                **options,
            )
        index = values.to_json()
        values.close()
        return {"trace": trace.to_json(), "index": index}

    def replay(
        self, inputs: str, mode: str, plan: dict[str, Any], store: str, index: dict[str, Any]
    ) -> dict[str, Any]:
        """Run torch with Paddle's numbers handed to every aligned operator."""
        from dataclasses import asdict

        expected = ValueStore.from_json(Path(store), index)
        measured = self.live.replay(
            _inputs(inputs), mode=mode, plan=ReplayPlan.from_json(plan), expected=expected
        )
        expected.close()
        return {"measured": [asdict(m) for m in measured]}

    def train(self, task: str, number: int, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """One task of a trainer (see `parity.sides.remote_training`)."""
        from parity.sides.remote_training import TrainingServer

        if self.training is None:
            self.training = TrainingServer(self.live)
        return self.training.answer(task, number, arguments)


def _inputs(path: str) -> dict[str, Array]:
    with np.load(path, allow_pickle=False) as archive:
        return {name.removeprefix("input:"): archive[name] for name in archive.files}


@contextmanager
def _weights(source: Mapping[str, Any]) -> Iterator[Any]:
    """Arrays by Paddle name: from an .npz of ours, or from a user's checkpoint, in which they may be called otherwise."""
    if "npz" in source:
        with np.load(source["npz"], allow_pickle=False) as archive:
            yield {name: archive[name] for name in archive.files}
        return
    if "trace" in source:
        from parity.trace.file import TraceFile

        yield TraceFile(Path(source["trace"])).state()
        return
    from convert import open_checkpoint

    said = {"key": source.get("key") or None, "join": source.get("join", ())}
    with open_checkpoint(source["checkpoint"], **said) as checkpoint:
        yield {ours: checkpoint[name].numpy() for ours, name in source["names"].items()}


def _as_far_as_it_came(error: Paddle2TorchError) -> dict[str, Any] | None:
    """Trace and index of values of a run that raised."""
    run = error.run if isinstance(error, ModelError) else None
    if run is None:
        return None
    trace, _, index = run
    return {"trace": trace.to_json(), "index": index}


def serve(framework: Framework, requests: int, answers: int) -> None:
    """Answer what comes through one descriptor through another one, until there is nothing more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    for descriptor in (requests, answers):
        os.set_inheritable(descriptor, False)
    watch = threading.Thread(target=_end_with_parent, args=(requests,), daemon=True)
    watch.start()
    guard()
    worker = Worker(framework)
    with (
        one_check(),
        os.fdopen(requests, encoding="utf-8") as lines,
        os.fdopen(answers, "w", encoding="utf-8") as out,
    ):
        out.write(json.dumps({"ready": framework}) + "\n")
        out.flush()
        for line in lines:
            out.write(json.dumps(_answer(worker, json.loads(line))) + "\n")
            out.flush()
        watch.join()


def _answer(worker: Worker, request: dict[str, Any]) -> dict[str, Any]:
    method: Callable[..., dict[str, Any]] = getattr(worker, request.pop("do"))
    try:
        return {"answer": method(**request)}
    except Paddle2TorchError as error:
        return {
            "error": str(error),
            "detail": getattr(error, "detail", ""),
            "no kernel": isinstance(error, NoKernelError),
            "run": _as_far_as_it_came(error),
        }
    except Exception as error:
        return {
            "error": f"the {worker.framework} side failed with {type(error).__name__}: {error}",
            "detail": traceback.format_exc(),
            "fault": not called_at(error),
        }


def _end_with_parent(requests: int) -> None:
    """A killed parent removes nothing: wait until the other end of its pipe is gone, then do that, and end."""
    ended = select.poll()
    ended.register(requests, 0)  # nothing but the hang-up
    ended.poll()
    place = os.environ.get(PLACE, "")
    while os.path.basename(place).startswith(PREFIX) and os.path.isdir(place):
        shutil.rmtree(place, ignore_errors=True)  # again, if the other worker was still writing
        time.sleep(0.05)
    os._exit(1)
