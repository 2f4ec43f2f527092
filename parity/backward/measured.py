"""Gradients of two runs side by side: inside the models, at their weights, and at what a user sees; each with its limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from parity.align.alignment import Alignment
from parity.align.weights import WeightPair
from parity.backward.claims import Place
from parity.backward.flow import Flow
from parity.backward.observed import Counterpart, both
from parity.limits import AMPLIFIED, EPS64, FORWARD_SHARE, MARGIN, SHRINK
from parity.numbers.compare import Difference, difference
from parity.runs.run import Run
from parity.trace.values import Array, ValueStore


class Measured(Flow):
    """Judges where gradients can flow, and measures those that do."""

    def __init__(
        self,
        paddle: Run,
        torch: Run,
        alignment: Alignment,
        torch_parameters: Mapping[str, Array],
        known: frozenset[tuple[str, str]],
    ) -> None:
        super().__init__(paddle, torch, alignment, torch_parameters)
        self.known = known
        self._gaps: dict[int, float] = {}
        self.counterparts: dict[str, Counterpart] = {}

    def _values(self, store: ValueStore) -> Iterator[tuple[int, int, Difference, float]]:
        """(torch value, Paddle value, difference of gradients, limit) where both sides have one."""
        for torch_value, paddle_value in self.alignment.same.items():
            key, twin = f"grad:{torch_value}", f"grad:{paddle_value}"
            if key not in store or twin not in self.paddle.store or self._laid_out_otherwise(torch_value):
                continue
            expected, actual = self.paddle.store.get(twin), store.get(key)
            if expected.size == actual.size:
                expected = expected.reshape(actual.shape)
            noise = _noise(self.paddle, twin) + _noise(self.torch, key)
            yield torch_value, paddle_value, *self._compared(actual, expected, noise, torch_value)

    def _weights(self, store: ValueStore) -> Iterator[tuple[WeightPair, Difference, float]]:
        for twin in self.result.twins:
            if not (
                self.torch.trace.parameters[twin.torch.name].trainable
                and self.paddle.trace.parameters[twin.paddle.name].trainable
            ):
                continue
            keys = f"grad:parameter:{twin.paddle.name}", f"grad:parameter:{twin.name}"
            expected, actual = self._weight_gradients(twin, store)
            if expected is None and actual is None:
                continue
            expected = np.zeros_like(actual) if expected is None else expected
            actual = np.zeros_like(expected) if actual is None else actual
            noise = _noise(self.paddle, keys[0]) + _noise(self.torch, keys[1])
            value = twin.pair.torch.output
            yield twin, *self._compared(actual, expected, noise, value)

    def _weight_gradients(self, twin: WeightPair, store: ValueStore) -> tuple[Array | None, Array | None]:
        """(Paddle's, torch's) gradient of a weight in the layout that both share; None where none arrives."""
        return (
            twin.paddle.read(stored(self.paddle.store, twin.paddle.name)),
            twin.torch.read(stored(store, twin.name)),
        )

    def _observed(self, store: ValueStore) -> Iterator[tuple[Place, Difference, float]]:
        """What a user sees: the gradient of every parameter and input, with its difference and limit. store: of torch's run."""
        for name, twin in self.counterparts.items():
            keys = [f"grad:parameter:{paddle}" for paddle in twin.paddle]
            theirs = {
                paddle: array
                for paddle in twin.paddle
                for array in stored(self.paddle.store, paddle).values()
            }
            noise = sum(_noise(self.paddle, key) for key in keys) + _noise(
                self.torch, f"grad:parameter:{name}"
            )
            value = self.torch.trace.parameters[name].value
            for expected, actual in twin.gradients(theirs, stored(store, name)):
                yield Place(parameter=name), *self._compared(actual, expected, noise, value)
        for name, value in self.alignment.torch.inputs.items():
            keys = [f"grad:{self.alignment.paddle.inputs.get(name, -1)}", f"grad:{value}"]
            arrays = [
                one.get(key) if key in one else None
                for one, key in zip((self.paddle.store, store), keys, strict=True)
            ]
            noise = _noise(self.paddle, keys[0]) + _noise(self.torch, keys[1])
            for expected, actual in both(arrays[0], arrays[1]):
                yield Place(input=name), *self._compared(actual, expected, noise, value)

    def _compared(self, actual: Array, expected: Array, noise: float, value: int) -> tuple[Difference, float]:
        found = difference(actual, expected)
        scale = max(found.scale, float(np.abs(actual).max()) if actual.size else 0.0)
        return found, MARGIN * max(EPS64 * scale, SHRINK * noise) + self._inherited(value) * scale

    def _inherited(self, value: int) -> float:
        """What a gradient at a value may differ because the forward values around it do, relative to its scale."""
        nodes = [node for node, _ in self.alignment.torch.consumers.get(value, [])]
        producer = self.alignment.torch.producer.get(value)
        around = {value, *(node.output for node in nodes)} | set(producer.data.values() if producer else ())
        worst = max((self._forward(v) for v in around), default=0.0)
        return FORWARD_SHARE * worst if worst > MARGIN * EPS64 else 0.0

    def _forward(self, value: int) -> float:
        """How far a value is from Paddle's, relative to its size; 0 where it has the same numbers in another layout."""
        return 0.0 if self._laid_out_otherwise(value) else self._apart(value)

    def _laid_out_otherwise(self, value: int) -> bool:
        """Whether other numbers stand at a value although the function is the same: what these are the gradients of, too."""
        return not self.known and self._apart(value) > AMPLIFIED

    def _apart(self, value: int) -> float:
        if value not in self._gaps:
            self._gaps[value] = self._between(self.alignment.same.get(value, -1), value)
        return self._gaps[value]

    def _between(self, paddle: int, torch: int) -> float:
        """How far two values are apart, relative to their size; 0 where one of them is not kept."""
        expected, actual = self.paddle.value(paddle), self.torch.value(torch)
        if expected is None or actual is None or expected.size != actual.size:
            return 0.0
        return difference(actual, expected.reshape(actual.shape)).max_rel


def stored(store: ValueStore, name: str) -> dict[str, Array]:
    key = f"grad:parameter:{name}"
    return {name: store.get(key)} if key in store else {}


def _noise(run: Run, key: str) -> float:
    """Largest absolute distance between a run's float32 and float64 gradient."""
    if run.store32 is None or key not in run.store32 or key not in run.store:
        return 0.0
    if run.trace32 is None or len(run.trace32.ops) != len(run.trace.ops):
        return 0.0
    wide, narrow = run.store.get(key), run.store32.get(key)
    gap = np.abs(wide - narrow.astype(np.float64)).max() if wide.size else 0.0
    return float(gap) if np.isfinite(gap) else 0.0
