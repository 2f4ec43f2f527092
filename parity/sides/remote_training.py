"""Both ends of a trainer that lives in a worker process; arrays travel in .npz files."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from parity.capture.training import Recipe, Settings, Step, Trainer
from parity.errors import ParityError
from parity.sides.live import LiveSide
from parity.trace.values import Array, save_arrays


class RemoteTrainer:
    """The parent's end: a `Trainer` whose work is done by `serve_training` in the worker.

    recipe: the optimizer, or None for the one that the worker was told of. ask: sends one request and returns its answer; file: a fresh path that both processes can reach.
    """

    def __init__(
        self,
        ask: Callable[..., dict[str, Any]],
        file: Callable[[str], Path],
        mode: str,
        recipe: Recipe | None,
    ) -> None:
        self._ask, self._file = ask, file
        self.number = self._do("make", mode=mode, recipe=recipe.to_json() if recipe else None)["number"]

    def _do(self, task: str, **arguments: Any) -> dict[str, Any]:
        number = getattr(self, "number", -1)
        return self._ask("train", task=task, number=number, arguments=arguments)

    def _send(self, arrays: Mapping[str, Array]) -> str:
        path = self._file(".npz")
        save_arrays(path, arrays)
        return str(path)

    def settings(self) -> Settings:
        return Settings.from_json(self._do("settings"))

    def state(self) -> dict[str, Array]:
        path = self._file(".npz")
        self._do("state", path=str(path))
        return _read(path)

    def load(self, arrays: Mapping[str, Array]) -> None:
        self._do("load", path=self._send(arrays))

    def backward(self, inputs: Mapping[str, Array]) -> Step:
        path = self._file(".npz")
        answer = self._do(
            "backward",
            inputs=self._send({f"input:{name}": array for name, array in inputs.items()}),
            path=str(path),
        )
        step = Step(answer["loss"])
        for key, array in _read(path).items():
            kind, _, name = key.partition(":")
            getattr(step, kind)[name] = array
        return step

    def clipped(self, gradients: Mapping[str, Array]) -> dict[str, Array]:
        path = self._file(".npz")
        self._do("clipped", gradients=self._send(gradients), path=str(path))
        return _read(path)

    def step(self, gradients: Mapping[str, Array], *, raw: bool = False) -> None:
        self._do("step", gradients=self._send(gradients), raw=raw)

    def advance(self) -> None:
        self._do("advance")

    def round(self, names: tuple[str, ...]) -> None:
        self._do("round", names=list(names))


class TrainingServer:
    """The worker's end: keeps its trainers and carries out their tasks."""

    def __init__(self, side: LiveSide) -> None:
        self.side = side
        self.trainers: list[Trainer] = []

    def answer(self, task: str, number: int, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out one task of trainer `number` ("make": a new one)."""
        if task == "make":
            return self._make(arguments["mode"], arguments["recipe"])
        if not 0 <= number < len(self.trainers):
            raise ParityError(f"the worker has no trainer {number}")
        trainer = self.trainers[number]
        result: dict[str, Any] = {}
        if task == "settings":
            result = trainer.settings().to_json()
        elif task == "state":
            save_arrays(arguments["path"], trainer.state())
        elif task == "load":
            trainer.load(_taken(arguments["path"]))
        elif task == "backward":
            inputs = _taken(arguments["inputs"])
            step = trainer.backward({name.removeprefix("input:"): a for name, a in inputs.items()})
            kinds = {"gradients": step.gradients, "buffers": step.buffers, "plain": step.plain}
            save_arrays(
                arguments["path"],
                {f"{kind}:{name}": array for kind, found in kinds.items() for name, array in found.items()},
            )
            result = {"loss": step.loss}
        elif task == "clipped":
            save_arrays(arguments["path"], trainer.clipped(_taken(arguments["gradients"])))
        elif task == "step":
            trainer.step(_taken(arguments["gradients"]), raw=arguments["raw"])
        elif task == "advance":
            trainer.advance()
        elif task == "round":
            trainer.round(tuple(arguments["names"]))
        else:
            raise ParityError(f"the worker does not know the training task {task!r}")
        return result

    def _make(self, mode: str, recipe: Mapping[str, Any] | None) -> dict[str, Any]:
        if recipe is not None:
            training = importlib.import_module(f"parity.capture.{self.side.framework}_training")
            self.side.optimizer = training.from_recipe(Recipe.from_json(recipe))
        self.trainers.append(self.side.trainer(mode))
        return {"number": len(self.trainers) - 1}


def _read(path: Path | str) -> dict[str, Array]:
    with np.load(path, allow_pickle=False) as archive:
        found = {name: archive[name] for name in archive.files}
    Path(path).unlink()
    return found


_taken = _read
"""What the other process wrote for this one is read once."""
